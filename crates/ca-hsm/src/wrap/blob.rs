//! What travels between two nodes when a key is given. Version 1 of both forms:
//!
//! ```text
//! transport key:  1 ‖ hashes (bit 0: SHA-1, bit 1: SHA-256) ‖ SubjectPublicKeyInfo
//! wrapped key:    1 ‖ hash (1: SHA-1, 2: SHA-256) ‖ key (20) ‖ transport key (20)
//!                 ‖ length (2) ‖ KEK under RSA-OAEP ‖ length (2) ‖ key under RFC 5649
//! ```

use std::fmt;

use ca_x509::key::{KeyIdentifier, PublicKey};

use super::check_length;
use crate::error::TokenError;

const VERSION: u8 = 1;

/// The hash of RSA-OAEP and of its mask generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oaep {
    Sha256,
    Sha1,
}

impl Oaep {
    /// The better one first. (OAEP needs no collision resistance of its hash; SHA-1 here is not broken, only old.)
    pub(crate) const ALL: [Self; 2] = [Self::Sha256, Self::Sha1];

    const fn bit(self) -> u8 {
        match self {
            Self::Sha1 => 1,
            Self::Sha256 => 2,
        }
    }
}

/// The public half of a token's transport key, and what the token can undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportPublicKey {
    hashes: u8,
    key: PublicKey,
}

impl TransportPublicKey {
    pub(crate) fn new(usable: &[Oaep], key: PublicKey) -> Self {
        Self { hashes: usable.iter().fold(0, |bits, oaep| bits | oaep.bit()), key }
    }

    /// As it travels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION, self.hashes], self.key.spki_der()].concat()
    }

    /// Reads what [`TransportPublicKey::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`TokenError::WrappedKeyInvalid`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        check_length(bytes)?;
        let [VERSION, hashes, spki @ ..] = bytes else {
            return Err(malformed("not a transport key, version 1"));
        };
        let known = Oaep::ALL.iter().fold(0, |bits, oaep| bits | oaep.bit());
        if hashes & known == 0 || hashes & !known != 0 {
            return Err(malformed("the transport key names OAEP hashes that are not known"));
        }
        let key = PublicKey::from_spki_der(spki).map_err(|e| malformed(&e.to_string()))?;
        if key.rsa_parts().is_none() {
            return Err(malformed("the transport key is not an RSA key"));
        }
        Ok(Self { hashes: *hashes, key })
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(crate) fn usable(&self) -> impl Iterator<Item = Oaep> {
        Oaep::ALL.into_iter().filter(|oaep| self.hashes & oaep.bit() != 0)
    }
}

/// A private key that only one token can read. Not secret, but nobody else's business.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    oaep: Oaep,
    key: KeyIdentifier,
    transport: KeyIdentifier,
    wrapped_kek: Vec<u8>,
    wrapped_key: Vec<u8>,
}

impl WrappedKey {
    pub(crate) fn new(
        oaep: Oaep,
        key: KeyIdentifier,
        transport: KeyIdentifier,
        wrapped_kek: Vec<u8>,
        wrapped_key: Vec<u8>,
    ) -> Self {
        Self { oaep, key, transport, wrapped_kek, wrapped_key }
    }

    /// As it travels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Neither part comes near 65,535 octets: tokens make them of keys that are at most 5 KiB.
        let length = |part: &[u8]| u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes();
        [
            [VERSION, self.oaep.bit()].as_slice(),
            &self.key.0,
            &self.transport.0,
            &length(&self.wrapped_kek),
            self.wrapped_kek.as_slice(),
            &length(&self.wrapped_key),
            &self.wrapped_key,
        ]
        .concat()
    }

    /// Reads what [`WrappedKey::to_bytes`] wrote; nothing may follow.
    ///
    /// # Errors
    /// [`TokenError::WrappedKeyInvalid`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        check_length(bytes)?;
        read(bytes).ok_or_else(|| malformed("not a wrapped key, version 1"))
    }

    /// Which key it is said to be. What it is, a proof shows.
    #[must_use]
    pub fn key(&self) -> KeyIdentifier {
        self.key
    }

    /// The transport key that it was wrapped for.
    #[must_use]
    pub fn transport(&self) -> KeyIdentifier {
        self.transport
    }

    pub(crate) fn oaep(&self) -> Oaep {
        self.oaep
    }

    pub(crate) fn wrapped_kek(&self) -> &[u8] {
        &self.wrapped_kek
    }

    pub(crate) fn wrapped_key(&self) -> &[u8] {
        &self.wrapped_key
    }
}

/// Without the octets of the key (I26), wrapped though they are.
impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey")
            .field("key", &self.key)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

fn read(bytes: &[u8]) -> Option<WrappedKey> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let [VERSION, hash] = *head else { return None };
    let oaep = Oaep::ALL.into_iter().find(|oaep| oaep.bit() == hash)?;
    let (key, rest) = rest.split_first_chunk()?;
    let (transport, rest) = rest.split_first_chunk()?;
    let (wrapped_kek, rest) = part(rest)?;
    let (wrapped_key, rest) = part(rest)?;
    rest.is_empty().then(|| {
        WrappedKey::new(
            oaep,
            KeyIdentifier(*key),
            KeyIdentifier(*transport),
            wrapped_kek.to_vec(),
            wrapped_key.to_vec(),
        )
    })
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn malformed(why: &str) -> TokenError {
    TokenError::WrappedKeyInvalid { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> WrappedKey {
        let (key, transport) = (KeyIdentifier([1; 20]), KeyIdentifier([2; 20]));
        WrappedKey::new(Oaep::Sha1, key, transport, vec![3; 384], vec![4; 150])
    }

    #[test]
    fn a_wrapped_key_goes_there_and_back() {
        assert_eq!(WrappedKey::from_bytes(&sample().to_bytes()), Ok(sample()));
    }

    #[test]
    fn every_cut_and_every_tail_is_refused() {
        let bytes = sample().to_bytes();
        for length in 0..bytes.len() {
            assert!(WrappedKey::from_bytes(&bytes[..length]).is_err(), "{length} octets");
        }
        assert!(WrappedKey::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn another_version_or_hash_is_refused() {
        let bytes = sample().to_bytes();
        for (place, value) in [(0, 2), (1, 0), (1, 3)] {
            let mut other = bytes.clone();
            other[place] = value;
            assert!(WrappedKey::from_bytes(&other).is_err());
        }
    }

    #[test]
    fn i26_no_octet_of_a_wrapped_key_is_printed() {
        assert!(!format!("{:?}", sample()).contains("4, 4"));
    }
}
