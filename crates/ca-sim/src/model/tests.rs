use super::*;

/// Mechanism: all rules of the model together; within bounds that a debug build explores in seconds.
#[test]
fn all_promises_hold_in_the_small_model() {
    let explored = explore(Cycle::within(Bounds::SMALL), 1);
    assert_eq!(explored.broken, []);
    assert!(explored.states > 5_000, "{explored:?}");
}

/// Mechanism: each rule by itself. Without it, with as little else as it takes, its promise falls.
#[test]
fn without_its_rule_each_promise_falls() {
    for (rule, promise) in Rule::ALL {
        let bounds = Bounds::to_miss(rule);
        let broken = explore(Cycle::without(rule, bounds), 1).broken;
        assert!(broken.iter().any(|(name, _)| *name == promise), "without {rule:?}: {broken:?}");
    }
}
