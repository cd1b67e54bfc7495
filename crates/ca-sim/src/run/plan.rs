//! What is planned before anything happens.

use std::collections::BTreeSet;

use ca_core::shards::ListKind;
use ca_x509::crl::RevocationReason;

use super::STORM_ROUNDS;
use super::faults::Fault;
use crate::dice::Dice;
use crate::log::{Fault as OnTheWay, Kept};
use crate::token::TokenMode;

/// What is below the authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A simulated log.
    One,
    /// openraft, over a simulated network.
    Two,
}

/// What a seed stands for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it runs over.
    pub level: Level,
    /// 3 or 5.
    pub nodes: u64,
    /// What goes wrong, in order of its round.
    pub faults: Vec<Planned>,
    /// What clients do: the round, and what.
    pub(super) operations: Vec<(u64, Operation)>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When it begins.
    pub round: u64,
    /// When it ends.
    pub until: u64,
    /// What it is.
    pub fault: Fault,
}

/// The kinds of faults, for the coverage of a range of seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A node's process ends.
    Crash,
    /// A node's disk is lost with it.
    DiskLost,
    /// All nodes lose power.
    PowerLoss,
    /// Nodes have no quorum and know it.
    CutOff,
    /// The leader leads a minority and does not know.
    Deposed,
    /// A node applies nothing.
    Lagging,
    /// The leadership changes, and with it the tail of the log.
    Election,
    /// A command is lost.
    Lost,
    /// A command is refused.
    NotAppended,
    /// An outcome does not come back.
    ReplyLost,
    /// A command is logged twice.
    Duplicate,
    /// A command is on its way for long.
    Held,
    /// A token does not answer.
    TokenHangs,
    /// A token is away.
    TokenGone,
    /// A token signs with wrong bits.
    TokenFlipsBits,
    /// A token signs with another key.
    TokenConfusesKeys,
    /// A clock goes wrong.
    Clock,
    /// A node gets a snapshot instead of entries.
    Snapshot,
    /// A random source repeats itself.
    Entropy,
    /// Time goes by: seconds to days.
    Pause,
    /// A node loses power, and what its disk had not synced.
    Unsynced,
    /// Some links are cut.
    Links,
    /// A node hears or is heard, but not both.
    OneWay,
    /// Messages wait.
    HeldBack,
    /// Messages are slow.
    SlowLinks,
    /// A disk is slow.
    SlowDisk,
}

impl FaultKind {
    /// Every kind that can happen.
    #[must_use]
    pub fn all(level: Level) -> &'static [Self] {
        match level {
            Level::One => &Self::ONE,
            Level::Two => &Self::TWO,
        }
    }

    const ONE: [Self; 20] = [
        Self::Crash,
        Self::DiskLost,
        Self::PowerLoss,
        Self::CutOff,
        Self::Deposed,
        Self::Lagging,
        Self::Election,
        Self::Lost,
        Self::NotAppended,
        Self::ReplyLost,
        Self::Duplicate,
        Self::Held,
        Self::TokenHangs,
        Self::TokenGone,
        Self::TokenFlipsBits,
        Self::TokenConfusesKeys,
        Self::Clock,
        Self::Snapshot,
        Self::Entropy,
        Self::Pause,
    ];

    const TWO: [Self; 17] = [
        Self::Crash,
        Self::Unsynced,
        Self::PowerLoss,
        Self::CutOff,
        Self::Deposed,
        Self::Links,
        Self::OneWay,
        Self::HeldBack,
        Self::SlowLinks,
        Self::SlowDisk,
        Self::Election,
        Self::TokenHangs,
        Self::TokenGone,
        Self::TokenFlipsBits,
        Self::TokenConfusesKeys,
        Self::Clock,
        Self::Entropy,
    ];
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Whoever loses patience hangs up after so many rounds; the node goes on.
    Issue {
        node: u64,
        key: Option<u64>,
        host: u64,
        life: Life,
        patience: Option<u64>,
    },
    /// Of what is known then, the one at this place, counted around.
    Revoke {
        node: u64,
        which: u64,
        reason: RevocationReason,
    },
    /// From a hold.
    Release {
        node: u64,
        which: u64,
    },
    Ask {
        node: u64,
        which: u64,
    },
    /// About a serial that nobody was given.
    AskStrange {
        node: u64,
        serial: u64,
    },
    /// A list, by its place among all lists of the CAs.
    Fetch {
        node: u64,
        which: u64,
        kind: ListKind,
    },
}

/// How long a certificate shall live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    OfProfile,
    OneHour,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64, level: Level) -> Self {
        let mut dice = Dice::of(seed, if level == Level::One { "plan" } else { "plan over raft" });
        let nodes = dice.pick(&[3, 3, 5]);
        let fault = |dice: &mut Dice| match level {
            Level::One => in_the_log(dice, nodes),
            Level::Two => around_raft(dice, nodes),
        };
        let planned = |dice: &mut Dice| {
            let round = dice.below(STORM_ROUNDS);
            let until = round.saturating_add(dice.pick(&[5, 20, 60, 150]));
            Planned { round, until, fault: fault(dice) }
        };
        let mut faults: Vec<Planned> = (0..dice.between(6, 16)).map(|_| planned(&mut dice)).collect();
        faults.sort_by_key(|planned| planned.round);
        let mut dice = Dice::of(seed, "clients");
        let mut operations: Vec<(u64, Operation)> = (0..dice.between(40, 70))
            .map(|_| (dice.below(STORM_ROUNDS), operation(&mut dice, nodes)))
            .collect();
        operations.sort_by_key(|(round, _)| *round);
        Self { level, nodes, faults, operations }
    }

    /// The same with everything that clients want wanted at few moments: many entries are under way at once.
    #[must_use]
    pub fn crowded(mut self) -> Self {
        for (round, _) in &mut self.operations {
            *round = round.saturating_sub(round.checked_rem(CROWDED_ROUNDS).unwrap_or_default());
        }
        self
    }

    /// The same with only these faults.
    #[must_use]
    pub fn only(&self, places: &BTreeSet<usize>) -> Self {
        let kept = self.faults.iter().enumerate().filter(|(place, _)| places.contains(place));
        Self { faults: kept.map(|(_, planned)| planned.clone()).collect(), ..self.clone() }
    }
}

fn in_the_log(dice: &mut Dice, nodes: u64) -> Fault {
    let node = dice.between(1, nodes);
    match dice.below(20) {
        0 | 1 => Fault::Crash { node, kept: dice.pick(&[Kept::All, Kept::LogOnly]) },
        2 => Fault::Crash { node, kept: Kept::Nothing },
        3 => Fault::PowerLoss,
        4 => Fault::CutOff { nodes: minority(dice, nodes) },
        5 => Fault::CutOff { nodes: (1..=nodes).collect() },
        6 => Fault::Deposed,
        7 | 8 => Fault::Lagging { node },
        9 => Fault::Election,
        10..=12 => {
            // Most commands fare well, so that what comes after an intent is hit too.
            let kinds = [
                OnTheWay::None,
                OnTheWay::None,
                OnTheWay::None,
                OnTheWay::Lost,
                OnTheWay::NotAppended,
                OnTheWay::ReplyLost,
                OnTheWay::Duplicate,
                OnTheWay::Held,
            ];
            Fault::Appends { node, faults: (0..dice.between(2, 8)).map(|_| dice.pick(&kinds)).collect() }
        }
        13 | 14 => token(dice, node),
        15 => clock(dice, node),
        16 => Fault::Snapshot { node },
        17 => Fault::Entropy { node },
        _ => {
            let pauses = [500, 5_000, 31_000, 62_000, 1_800_000, 4_000_000, 90_000_000, 280_000_000];
            Fault::Pause { ms: dice.pick(&pauses) }
        }
    }
}

fn around_raft(dice: &mut Dice, nodes: u64) -> Fault {
    let node = dice.between(1, nodes);
    match dice.below(20) {
        0..=3 => Fault::Crash { node, kept: dice.pick(&[Kept::All, Kept::LogOnly, Kept::LogOnly]) },
        4 => Fault::PowerLoss,
        5 | 6 => Fault::CutOff { nodes: minority(dice, nodes) },
        7 | 8 => Fault::Deposed,
        9 | 10 => {
            let pairs = (1..=nodes).flat_map(|a| (a.saturating_add(1)..=nodes).map(move |b| (a, b)));
            let cut = pairs.filter(|_| dice.once_in(2)).collect();
            Fault::Links { cut }
        }
        11 | 12 => Fault::OneWay { node, hears: dice.once_in(2) },
        13 => Fault::HeldBack { nodes: minority(dice, nodes) },
        14 => Fault::SlowLinks { ms: dice.pick(&[50, 150, 400]) },
        15 => Fault::SlowDisk { node, ms: dice.pick(&[20, 100, 500]) },
        16 => Fault::Election,
        17 => token(dice, node),
        18 => clock(dice, node),
        _ => Fault::Entropy { node },
    }
}

fn minority(dice: &mut Dice, nodes: u64) -> Vec<u64> {
    let most = nodes.saturating_sub(1).checked_div(2).unwrap_or_default();
    let mut others: Vec<u64> = (1..=nodes).collect();
    dice.shuffle(&mut others);
    others.truncate(usize::try_from(dice.between(1, most)).unwrap_or(1));
    others
}

fn token(dice: &mut Dice, node: u64) -> Fault {
    let modes = [
        TokenMode::Hangs,
        TokenMode::Hangs,
        TokenMode::Gone,
        TokenMode::FlipsBits,
        TokenMode::SignsWithAnotherKey,
    ];
    Fault::Token { node, mode: dice.pick(&modes) }
}

fn clock(dice: &mut Dice, node: u64) -> Fault {
    let off = i64::try_from(dice.between(0, 2 * CLOCK_OFF_MS)).unwrap_or_default();
    Fault::Clock { node, error_ms: off.saturating_sub_unsigned(CLOCK_OFF_MS) }
}

/// Between two such moments.
const CROWDED_ROUNDS: u64 = 50;

/// A clock may be wrong by less than R8's 5 s: a leader that is further off hands over.
const CLOCK_OFF_MS: u64 = 4_000;

fn operation(dice: &mut Dice, nodes: u64) -> Operation {
    let node = dice.between(1, nodes);
    let which = dice.below(1_000);
    match dice.below(20) {
        0..=7 => {
            let key = (!dice.once_in(3)).then(|| dice.below(5));
            // A key stands for one request; now and then somebody uses it for another.
            let host = if dice.once_in(10) { dice.below(5) } else { key.unwrap_or(9) };
            let life = dice.pick(&[Life::OfProfile, Life::OneHour]);
            let patience = dice.once_in(3).then(|| dice.between(1, 30));
            Operation::Issue { node, key, host, life, patience }
        }
        8..=10 => {
            let reasons = [
                RevocationReason::Superseded,
                RevocationReason::KeyCompromise,
                RevocationReason::Unspecified,
                RevocationReason::CertificateHold,
            ];
            Operation::Revoke { node, which, reason: dice.pick(&reasons) }
        }
        11..=15 => Operation::Ask { node, which },
        16 => Operation::AskStrange { node, serial: dice.below(1 << 40) },
        17 => Operation::Release { node, which },
        _ => Operation::Fetch { node, which, kind: dice.pick(&[ListKind::Complete, ListKind::Delta]) },
    }
}
