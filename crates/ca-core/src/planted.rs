//! Bugs that are planted to see that the simulator catches them: each is one `if` at the mechanism that it breaks.
//!
//! Without the feature `planted` every such `if` is `false` and compiled away; a test over the dependency graph holds
//! that the program never has the feature.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// A certificate is released before its record is committed (I3).
    ReleasedBeforeRecord,
    /// The CA key signs before the intent is committed (I4).
    SignedBeforeIntent,
    /// The register takes the record of an abandoned intent (I5).
    AbandonedAndRecorded,
    /// A permit survives the process that it was given to (R7, I4).
    PermitAfterReplay,
    /// A retry with its idempotency key gets a second certificate (I7).
    DuplicateOnRetry,
    /// A CRL's number is the time of day (I13).
    CrlNumberFromClock,
    /// An OCSP answer is dated now, whatever the node knows (I11).
    ThisUpdateNow,
    /// A revoked entry leaves the CRL as soon as its certificate has expired (I14).
    PurgedTooEarly,
    /// What a token made is taken for a signature (I28).
    NoVerifyAfterSign,
    /// A serial is called unknown without asking a quorum (I9).
    StatusWithoutIndex,
    /// An acknowledged record is lost at a crash (I6).
    DroppedAtCrash,
    /// What is not in the register is good (I8).
    GoodByDefault,
    /// A record of which nothing is known counts as committed (I16).
    ReleasedWhenDeposed,
    /// `apply` looks at something that differs between nodes (I23).
    ApplyDependsOnNode,
    /// Raft's log counts before it is synced (I6).
    LogNotSynced,
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 15] = [
        Self::ReleasedBeforeRecord,
        Self::SignedBeforeIntent,
        Self::AbandonedAndRecorded,
        Self::PermitAfterReplay,
        Self::DuplicateOnRetry,
        Self::CrlNumberFromClock,
        Self::ThisUpdateNow,
        Self::PurgedTooEarly,
        Self::NoVerifyAfterSign,
        Self::StatusWithoutIndex,
        Self::DroppedAtCrash,
        Self::GoodByDefault,
        Self::ReleasedWhenDeposed,
        Self::ApplyDependsOnNode,
        Self::LogNotSynced,
    ];
}

impl Bug {
    /// The promise that it breaks first.
    #[must_use]
    pub const fn breaks(self) -> &'static str {
        match self {
            Self::ReleasedBeforeRecord => "I3",
            Self::SignedBeforeIntent => "I4",
            Self::AbandonedAndRecorded => "I5",
            Self::PermitAfterReplay => "R7",
            Self::DuplicateOnRetry => "I7",
            Self::CrlNumberFromClock => "I13",
            Self::ThisUpdateNow => "I11",
            Self::PurgedTooEarly => "I14",
            Self::NoVerifyAfterSign => "I28",
            Self::StatusWithoutIndex => "I9",
            Self::DroppedAtCrash | Self::LogNotSynced => "I6",
            Self::GoodByDefault => "I8",
            Self::ReleasedWhenDeposed => "I16",
            Self::ApplyDependsOnNode => "I23",
        }
    }

    /// Whether it is below the log's interface, where only a real log has it.
    #[must_use]
    pub const fn is_in_raft(self) -> bool {
        matches!(self, Self::LogNotSynced)
    }
}

/// Whether this bug is planted. Never, in what is shipped.
#[cfg(not(feature = "planted"))]
#[must_use]
pub const fn planted(_: Bug) -> bool {
    false
}

#[cfg(feature = "planted")]
pub use self::chosen::{plant, planted};

#[cfg(feature = "planted")]
mod chosen {
    use core::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    const NONE: u8 = u8::MAX;

    static CHOSEN: AtomicU8 = AtomicU8::new(NONE);

    /// Plants one bug in this whole process, or none.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.store(bug.map_or(NONE, place), Ordering::SeqCst);
    }

    /// Whether this bug is planted.
    #[must_use]
    pub fn planted(bug: Bug) -> bool {
        CHOSEN.load(Ordering::SeqCst) == place(bug)
    }

    fn place(bug: Bug) -> u8 {
        let place = Bug::ALL.iter().position(|other| *other == bug);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(NONE)
    }
}
