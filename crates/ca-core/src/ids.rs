//! The identities and units that every crate shares. No bare integer crosses a crate boundary.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use ca_x509::time::UnixSeconds;

/// A cluster, for ever: 16 random octets drawn when the cluster is initialised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub [u8; 16]);

/// A member's number. It comes from the log and is never used again, not even after a wipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeId(pub u64);

/// One run of a node's process: 64 random bits, drawn at start (R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub u64);

/// The count of promotions, recoveries and restores (R3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// A position in the issuance log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogIndex(pub u64);

/// Who asked, in which run, for what: unique for ever, so that a command that was logged twice has one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// The node whose client asked.
    pub node: NodeId,
    /// The run of that node in which the request was made.
    pub boot: BootId,
    /// Counts the requests of that run.
    pub counter: u64,
}

/// Milliseconds since 1970-01-01T00:00:00Z. Register time has this unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The whole second that has begun.
    #[must_use]
    pub fn seconds(self) -> UnixSeconds {
        UnixSeconds(self.0.checked_div(1000).unwrap_or_default())
    }

    /// This moment and `millis` later; stays at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; 0 if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A certification authority of this cluster: what stands in URLs, logs and the key of every entry.
///
/// 1 to 32 lower-case letters, digits and hyphens; begins with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaId(String);

/// A certificate profile's name; same alphabet as [`CaId`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

/// A text that is no identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{got}` is not a name: 1 to 32 of a-z, 0-9 and `-`, beginning with a letter")]
pub struct InvalidName {
    /// What was given, cut to 64 characters.
    pub got: String,
}

macro_rules! text_name {
    ($name:ident) => {
        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let letters = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
                let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
                if letters && begins && text.len() <= 32 {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName { got: text.chars().take(64).collect() })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

text_name!(CaId);
text_name!(ProfileName);

impl ProfileName {
    /// Sorts before every profile: where a scan over all of them begins.
    #[must_use]
    pub fn first() -> Self {
        Self(String::new())
    }
}

impl CaId {
    /// Sorts before every CA: where a scan over all of them begins.
    #[must_use]
    pub fn first() -> Self {
        Self(String::new())
    }
}

/// SHA-256 of something that has its own canonical octets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 over the parts, each preceded by its length as 8 octets, so that no two lists of parts collide.
    #[must_use]
    pub fn over(parts: &[&[u8]]) -> Self {
        use sha2::Digest as _;
        let mut hasher = sha2::Sha256::new();
        for part in parts {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Plain SHA-256 of one octet string, as other programs compute it.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(octets).into())
    }
}

macro_rules! hex_display {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_display!(ClusterId);

/// A text that is no [`Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: 64 hexadecimal digits")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(InvalidDigest);
        }
        let mut octets = [0; 32];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = core::str::from_utf8(pair).map_err(|_| InvalidDigest)?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| InvalidDigest)?;
        }
        Ok(Self(octets))
    }
}
hex_display!(Digest);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
