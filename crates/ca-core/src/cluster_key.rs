//! The cluster's own keys: those of its CAs, responders and TLS listeners. Each is certified for its use and for
//! nothing else, whoever asks: a certificate of such a key in other hands would speak for the cluster.

use ca_x509::certificate::ExtendedKeyUsage;

use crate::ids::{CaId, Digest, NodeId};
use crate::outcome::Refusal;
use crate::profile::{Audience, Profile};
use crate::register::{KeyUse, Register, StorageFault};

/// What the cluster will use a certificate's key for; `None` if the certificate is for somebody else.
pub(crate) fn usage(
    profile: &Profile,
    certifies: Option<&CaId>,
    responder: Option<NodeId>,
) -> Option<KeyUse> {
    let serves = profile.extended_key_usage.contains(&ExtendedKeyUsage::ServerAuth);
    match (certifies, responder) {
        (Some(ca), _) => Some(KeyUse::Authority(ca.clone())),
        (None, Some(node)) => Some(KeyUse::Responder(node)),
        (None, None) if profile.audience == Audience::Cluster && serves => Some(KeyUse::Connections),
        (None, None) => None,
    }
}

/// Why a key may not be certified for this use, if it is one of the cluster's own. `key` is the SHA-256 of its
/// SubjectPublicKeyInfo.
pub(crate) fn taken(
    register: &dyn Register,
    key: Digest,
    wanted: Option<&KeyUse>,
) -> Result<Option<Refusal>, StorageFault> {
    let own = register.cluster_key(key)?;
    Ok(own.filter(|own| wanted != Some(own)).map(|usage| Refusal::ClusterKey { usage }))
}
