use ca_core::command::Command;
use ca_core::ids::NodeId;
use ca_core::shards::{ListId, ListKind, Part};
use ca_sim::log::Kept;
use ca_sim::world::{ca, idempotency};
use ca_sim::{Act, Fault, Link, TokenMode, World, drive};
use ca_x509::crl::RevocationReason;
use proptest::prelude::*;

/// One thing that somebody does, or that happens.
#[derive(Clone, Debug)]
enum Deed {
    Issue { node: u64, key: Option<u8>, body: u8 },
    CrashWhileSigning { node: u64 },
    Revoke { node: u64, which: prop::sample::Index, reason: RevocationReason },
    Abandon { node: u64, which: prop::sample::Index },
    Publish { node: u64, list: ListId, kind: ListKind },
    Fetch { node: u64, list: ListId, kind: ListKind },
    Release { node: u64, which: prop::sample::Index },
    Settle { node: u64 },
    AskStatus { node: u64, which: prop::sample::Index },
    Refresh { node: u64 },
    Tick,
    Wait { ms: u64 },
    Link { node: u64, link: Link },
    Faults { node: u64, faults: Vec<Fault> },
    ReleaseHeld,
    Token { node: u64, mode: TokenMode },
    Restart { node: u64, kept: Kept },
}

fn deed() -> impl Strategy<Value = Deed> {
    let node = || 1..=3_u64;
    let which = any::<prop::sample::Index>;
    let parts = vec![Part::Whole, Part::Shard(0), Part::Shard(3)];
    let list = || prop::sample::select(parts.clone()).prop_map(|part| ListId { ca: ca("issuing"), part });
    let kind = || prop::sample::select(vec![ListKind::Complete, ListKind::Delta]);
    let reason = prop::sample::select(RevocationReason::ALL.to_vec());
    // A node that lags makes its callers wait: crashes while they do are among the other tests.
    let link = prop::sample::select(vec![Link::Up, Link::Up, Link::CutOff, Link::Deposed]);
    let fault = prop::sample::select(vec![
        Fault::None,
        Fault::NotAppended,
        Fault::Lost,
        Fault::ReplyLost,
        Fault::Duplicate,
        Fault::Held,
    ]);
    let mode = prop::sample::select(vec![
        TokenMode::Works,
        TokenMode::Works,
        TokenMode::FlipsBits,
        TokenMode::SignsWithAnotherKey,
        TokenMode::Gone,
    ]);
    let kept = prop::sample::select(vec![Kept::All, Kept::LogOnly, Kept::Nothing]);
    let wait = prop::sample::select(vec![1, 500, 5_000, 31_000, 62_000, 90_000, 3_600_000, 180_000_000]);
    prop_oneof![
        6 => (node(), prop::option::of(0..4_u8), 0..2_u8).prop_map(|(node, key, body)| Deed::Issue { node, key, body }),
        2 => node().prop_map(|node| Deed::CrashWhileSigning { node }),
        3 => (node(), which(), reason).prop_map(|(node, which, reason)| Deed::Revoke { node, which, reason }),
        1 => (node(), which()).prop_map(|(node, which)| Deed::Abandon { node, which }),
        3 => (node(), list(), kind()).prop_map(|(node, list, kind)| Deed::Publish { node, list, kind }),
        2 => (node(), list(), kind()).prop_map(|(node, list, kind)| Deed::Fetch { node, list, kind }),
        2 => (node(), which()).prop_map(|(node, which)| Deed::Release { node, which }),
        2 => node().prop_map(|node| Deed::Settle { node }),
        6 => (node(), which()).prop_map(|(node, which)| Deed::AskStatus { node, which }),
        3 => node().prop_map(|node| Deed::Refresh { node }),
        2 => Just(Deed::Tick),
        3 => wait.prop_map(|ms| Deed::Wait { ms }),
        2 => (node(), link).prop_map(|(node, link)| Deed::Link { node, link }),
        2 => (node(), prop::collection::vec(fault, 0..4)).prop_map(|(node, faults)| Deed::Faults { node, faults }),
        1 => Just(Deed::ReleaseHeld),
        1 => (node(), mode).prop_map(|(node, mode)| Deed::Token { node, mode }),
        1 => (node(), kept).prop_map(|(node, kept)| Deed::Restart { node, kept }),
    ]
}

fn host(body: u8) -> String {
    format!("h{body}.example.test")
}

/// What comes of a deed is for the checks; that it ends, refused or not, is all that is asked of it here.
fn carry_out(world: &mut World, deed: Deed) {
    let known: Vec<_> = world.all_released().into_iter().map(|released| released.issued).collect();
    match deed {
        Deed::Issue { node, key, body } => {
            let key = key.map(|key| idempotency(&key.to_string(), &host(body)));
            drop(drive(world.issuing(node, &host(body), key)));
        }
        Deed::CrashWhileSigning { node } => {
            world.token_mode(node, TokenMode::Hangs);
            let mut act = Act::new(world.issuing(node, &host(9), None));
            drop(act.step());
            drop(act);
            world.token_mode(node, TokenMode::Works);
            world.restart(node, Kept::All);
        }
        Deed::Revoke { node, which, reason } => drop(world.revoke(node, which.get(&known), reason)),
        Deed::Abandon { node, which } => {
            let issued = which.get(&known);
            let abandon = Command::Abandon { ca: issued.ca.clone(), serial: issued.serial };
            let authority = world.node(node);
            drop(drive(ca_authority::ports::Log::append(
                ca_authority::Ports::log(authority.ports()),
                abandon,
            )));
        }
        Deed::Publish { node, list, kind } => drop(world.publish_list(node, &list, kind)),
        Deed::Fetch { node, list, kind } => drop(world.list(node, &list, kind)),
        Deed::Release { node, which } => drop(world.release(node, which.get(&known))),
        Deed::Settle { node } => {
            drop(drive(world.node(node).settle_own()));
            drop(drive(world.node(node).settle_old()));
        }
        Deed::AskStatus { node, which } => drop(world.status(node, which.get(&known))),
        Deed::Refresh { node } => drop(drive(world.node(node).refresh())),
        Deed::Tick => {
            let leader = world.node(world.storm().leader().0);
            let log = ca_authority::Ports::log(leader.ports());
            drop(drive(ca_authority::ports::Log::append(log, Command::Tick { digest: None })));
        }
        Deed::Wait { ms } => world.wait_ms(ms),
        Deed::Link { node, link } => world.link(node, link),
        Deed::Faults { node, faults } => world.storm().set_faults(NodeId(node), &faults),
        Deed::ReleaseHeld => world.storm().release_held(),
        Deed::Token { node, mode } => world.token_mode(node, mode),
        Deed::Restart { node, kept } => world.restart(node, kept),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        // The same histories in every run: a failure is one for everybody.
        rng_seed: proptest::test_runner::RngSeed::Fixed(42),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    })]

    /// I1, I3, I4, I5, I8, I10, I11, I13, I14, I15, I23 over whatever happens. Mechanisms: all of those named in this folder.
    #[test]
    fn i1_to_i23_hold_over_random_histories(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut world = World::bootstrapped(3);
        for deed in deeds {
            carry_out(&mut world, deed);
        }
        world.check();
        world.settle_and_check();
    }
}
