use ca_sim::run::{Level, run};

/// I1, I3 to I11, I13, I14, I16, I23, I28 over whatever happens. Mechanisms: all of those named in this folder, and
/// those that `ca_core::planted` breaks.
fn hold(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let report = run(seed, Level::One);
        assert_eq!(report.failure, None, "cargo run --profile sim -p ca-sim -- --seed {seed}");
        assert!(report.acknowledged > 10, "seed {seed} shows little");
    }
}

#[test]
fn i1_to_i28_hold_over_the_first_seeds() {
    hold(0..16);
}

#[test]
fn i1_to_i28_hold_over_the_second_seeds() {
    hold(16..32);
}

#[test]
fn i1_to_i28_hold_over_the_third_seeds() {
    hold(32..48);
}

#[test]
fn i1_to_i28_hold_over_the_fourth_seeds() {
    hold(48..64);
}

/// Mechanism: `ca_core::crl`, `is_told`: a delta tells of a reason that changed after the certificate's end
/// (docs/incidents.md).
#[test]
fn i14_a_delta_tells_of_reasons_that_change_after_the_end() {
    hold(187..188);
    hold(224..225);
}

/// Mechanism: `ca_authority::ocsp`, `answer`: what is told is read again once a quorum was asked (docs/incidents.md).
#[test]
fn i11_what_is_told_is_as_new_as_it_is_dated() {
    hold(17_157..17_158);
}

/// Mechanism: `ca_sim::dice`: nothing but the seed decides.
#[test]
fn one_seed_is_one_history() {
    let (first, second) = (run(7, Level::One), run(7, Level::One));
    assert_eq!(first.story, second.story);
    assert_eq!(first.digest, second.digest);
    assert_ne!(first.digest, run(8, Level::One).digest);
}
