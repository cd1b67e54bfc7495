//! Who a peer is: (cluster, epoch, node), as a URI in its certificate.

use std::fmt;
use std::str::FromStr;

use ca_core::ids::{ClusterId, Epoch, NodeId};
use ca_x509::certificate::Certificate;
use ca_x509::name::GeneralName;

/// A node of one cluster in one epoch. A term does not fence: this does (R3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The cluster.
    pub cluster: ClusterId,
    /// The count of promotions and recoveries.
    pub epoch: Epoch,
    /// The node.
    pub node: NodeId,
}

/// A certificate that names no peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeerIdentity {
    /// It cannot be read.
    #[error("the peer's certificate cannot be read: {0}")]
    Certificate(String),
    /// It has no name of ours, or more than one.
    #[error("the peer's certificate has {0} names that begin with ca-node:peer:, not one")]
    Names(usize),
    /// The name is malformed.
    #[error("`{0}` is not ca-node:peer:<32 hex digits>:<epoch>:<node>")]
    Malformed(String),
}

const SCHEME: &str = "ca-node:peer:";

/// As it stands in the certificate's subject alternative names: `ca-node:peer:<cluster, hex>:<epoch>:<node>`.
impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}:{}:{}", self.cluster, self.epoch.0, self.node)
    }
}

impl FromStr for PeerIdentity {
    type Err = InvalidPeerIdentity;

    fn from_str(uri: &str) -> Result<Self, InvalidPeerIdentity> {
        parse(uri).ok_or_else(|| InvalidPeerIdentity::Malformed(uri.chars().take(80).collect()))
    }
}

impl PeerIdentity {
    /// The identity in a certificate, in DER. Says nothing about who signed it.
    ///
    /// # Errors
    /// [`InvalidPeerIdentity`]: the peer is refused.
    pub fn in_certificate(der: &[u8]) -> Result<Self, InvalidPeerIdentity> {
        let certificate =
            Certificate::parse(der).map_err(|e| InvalidPeerIdentity::Certificate(e.to_string()))?;
        let mut ours = Vec::new();
        for name in &certificate.extensions().subject_alt_names {
            if let GeneralName::Uri(uri) = name
                && uri.starts_with(SCHEME)
            {
                ours.push(uri);
            }
        }
        match ours.as_slice() {
            [one] => one.parse(),
            other => Err(InvalidPeerIdentity::Names(other.len())),
        }
    }
}

/// Exactly what `Display` writes: no other spelling of the same identity.
fn parse(uri: &str) -> Option<PeerIdentity> {
    let mut parts = uri.strip_prefix(SCHEME)?.split(':');
    let (cluster, epoch, node) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || cluster.len() != 32 {
        return None;
    }
    let cluster = u128::from_str_radix(cluster, 16).ok()?;
    let identity = PeerIdentity {
        cluster: ClusterId(cluster.to_be_bytes()),
        epoch: Epoch(epoch.parse().ok()?),
        node: NodeId(node.parse().ok()?),
    };
    (identity.to_string() == uri).then_some(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_a_round_trip_and_has_one_spelling() {
        let identity = PeerIdentity { cluster: ClusterId([0xab; 16]), epoch: Epoch(3), node: NodeId(12) };
        let uri = identity.to_string();
        assert_eq!(uri, "ca-node:peer:abababababababababababababababab:3:12");
        assert_eq!(uri.parse(), Ok(identity));
        for other in [
            "ca-node:peer:ABababababababababababababababab:3:12",
            "ca-node:peer:abababababababababababababababab:03:12",
            "ca-node:peer:abababababababababababababababab:3:+12",
            "ca-node:peer:abababababababababababababababab:3:12:1",
            "ca-node:peer:abababababababababababababababab:3",
            "https:abababababababababababababababab:3:12",
        ] {
            assert!(other.parse::<PeerIdentity>().is_err(), "{other}");
        }
    }
}
