use ca_sim::World;
use ca_sim::run::{Level, run};

/// Mechanism: `IssuanceLog::outcome` in `ca-raft`: whoever waits is told when its command is applied here.
#[test]
fn a_cluster_over_openraft_issues_and_revokes() {
    let world = World::bootstrapped_over_raft(3, 7);
    let issued = world.issue(2, "a.example.test").unwrap();
    world.revoke(3, &issued, ca_x509::crl::RevocationReason::Superseded).unwrap();
    world.check();
}

/// I1 to I28 over whatever happens to real nodes.
#[test]
fn i1_to_i28_hold_over_openraft() {
    for seed in 0..4 {
        let report = run(seed, Level::Two);
        assert_eq!(report.failure, None, "ca-sim --seed {seed} --level 2");
        assert!(report.acknowledged > 10, "seed {seed} shows little");
    }
}

/// Mechanism: `ca_raft::simulation::seed`, and turmoil's: without either two runs differ. Seed 15 hands the leadership
/// over in vain, of which openraft tells with the machine's time.
#[test]
fn one_seed_is_one_history_over_openraft() {
    let (first, second) = (run(15, Level::Two), run(15, Level::Two));
    assert_eq!(first.story, second.story);
    assert_eq!(first.digest, second.digest);
    assert_ne!(first.digest, run(8, Level::Two).digest);
}
