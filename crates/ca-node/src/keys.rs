//! Every signing node's token holds every CA key: asked for from a member that has it, wrapped for this token,
//! proven, and only then used (R11).

use std::sync::Arc;

use ca_authority::ports::{Log as _, Signer as _};
use ca_authority::{ActError, Ports as _};
use ca_core::command::Command;
use ca_core::ids::{CaId, Digest, NodeId};
use ca_core::outcome::Refusal;
use ca_core::register::Issuer;
use ca_hsm::{ProofStatement, TokenError, TransportPublicKey, WrappedKey};
use ca_http::{BoxFuture, CaKeys, DeskError};
use ca_x509::key::{KeyIdentifier, KeyKind, PublicKey};
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::log;
use crate::ports::NodeAuthority;

/// The name of the peers' exchange: key identifier (20 octets) ‖ transport public key → wrapped key.
pub(crate) const SUPPLY_KEY: &str = "supply-key";

/// The label of a node's own OCSP responder key.
const RESPONDER_LABEL: &str = "ocsp-responder";

/// Signs the key proof statement, checks it with the register's key, and writes it to the log.
pub(crate) async fn prove(authority: &NodeAuthority, key: &PublicKey) -> Result<(), Failure> {
    let signature = proof(authority, key).await?;
    log::enact(authority, Command::ProveKey { key: key.key_identifier(), signature }).await?;
    Ok(())
}

/// The token's signature over the key proof statement, verified.
async fn proof(authority: &NodeAuthority, key: &PublicKey) -> Result<Vec<u8>, ActError> {
    let statement = statement(authority, key)?;
    let signature = authority.ports().token.prove(key, &statement).await?;
    ca_hsm::verify_proof(key, &statement, &signature).map_err(|_| ActError::WrongSignature)?;
    Ok(signature)
}

fn statement(authority: &NodeAuthority, key: &PublicKey) -> Result<ProofStatement, ActError> {
    let cluster = authority.register().cluster()?.ok_or(Refusal::NotInitialised)?;
    let node = authority.ports().log().node();
    let asking = Digest::over(&[b"issuer key", key.spki_der()]);
    Ok(ProofStatement { cluster: cluster.id, node, asking })
}

/// Brings every CA key that this node's token lacks, and proves every one that is not proven. Answers whether all
/// are.
pub(crate) async fn complete(authority: &NodeAuthority) -> Result<bool, Failure> {
    let register = authority.register();
    let node = authority.ports().log().node();
    for (ca, issuer) in register.issuers()? {
        let key = issuer.public_key.key_identifier();
        if register.key_proof(key, node)?.is_some() {
            authority.ports().token.watch(&issuer.public_key);
            continue;
        }
        if !has(authority, key).await? && !fetch(authority, &ca, &issuer, node).await? {
            return Ok(false);
        }
        authority.ports().token.watch(&issuer.public_key);
        prove(authority, &issuer.public_key).await?;
        tracing::info!(%ca, node = node.0, "key proven");
    }
    Ok(true)
}

async fn has(authority: &NodeAuthority, key: KeyIdentifier) -> Result<bool, Failure> {
    let token = &authority.ports().token;
    if token.holds(key) {
        return Ok(true);
    }
    Ok(token.keys().await?.contains(&key))
}

/// Asks each member that has proven the key, until one supplies it.
async fn fetch(authority: &NodeAuthority, ca: &CaId, issuer: &Issuer, node: NodeId) -> Result<bool, Failure> {
    let register = authority.register();
    let key = issuer.public_key.key_identifier();
    for (holder, _) in register.members()? {
        if holder == node || register.key_proof(key, holder)?.is_none() {
            continue;
        }
        let token = &authority.ports().token;
        let transport = token.transport_key().await?;
        let mut ask = key.0.to_vec();
        ask.extend_from_slice(&transport.to_bytes());
        match authority.ports().log.exchange(holder, SUPPLY_KEY, ask).await {
            Ok(wrapped) => {
                let wrapped = WrappedKey::from_bytes(&wrapped)?;
                token.unwrap(&wrapped, &issuer.public_key, ca.as_str()).await?;
                tracing::info!(%ca, from = holder.0, "key received, wrapped for this token");
                return Ok(true);
            }
            Err(error) => tracing::warn!(%ca, from = holder.0, %error, "key not supplied"),
        }
    }
    Ok(false)
}

/// Makes CA keys in this node's token; see [`CaKeys`].
pub(crate) struct KeyRoom {
    authority: NodeAuthority,
    /// One key is made at a time: two requests for one CA would make two.
    making: Mutex<()>,
}

impl KeyRoom {
    pub(crate) fn new(authority: NodeAuthority) -> Self {
        Self { authority, making: Mutex::new(()) }
    }
}

impl CaKeys for KeyRoom {
    fn key_for<'a>(&'a self, ca: &'a CaId, kind: KeyKind) -> BoxFuture<'a, Result<PublicKey, DeskError>> {
        Box::pin(async move {
            let _one = self.making.lock().await;
            let label = ca_label(&self.authority, ca).map_err(|failure| internal(&failure))?;
            let token = &self.authority.ports().token;
            // A crash after this leaves the key under its label, where the next call finds it.
            let found = token.key_labelled(&label).await.map_err(|error| internal(&error))?;
            match found {
                Some(key) if key.kind() != kind => Err(DeskError::Refused {
                    field: "key",
                    why: format!(
                        "an interrupted try made a {} key for `{ca}`: ask for that kind",
                        key.kind()
                    ),
                }),
                Some(key) => Ok(key),
                None => token.generate(kind, &label).await.map_err(|error| match error {
                    TokenError::Unsupported { .. } => {
                        DeskError::Refused { field: "key", why: error.to_string() }
                    }
                    other => internal(&other),
                }),
            }
        })
    }

    fn prove<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Result<(), DeskError>> {
        Box::pin(async move {
            self.authority.ports().token.watch(key);
            prove(&self.authority, key).await.map_err(|failure| internal(&failure))
        })
    }

    fn try_sign<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Result<(), DeskError>> {
        Box::pin(async move {
            proof(&self.authority, key).await?;
            Ok(())
        })
    }
}

/// The label of a CA's key in the token that made it.
pub(crate) fn ca_label(authority: &NodeAuthority, ca: &CaId) -> Result<String, Failure> {
    let cluster = authority.register().cluster()?.ok_or_else(|| Failure::internal("no cluster"))?;
    Ok(format!("{}-{ca}", cluster.name))
}

fn internal(why: &dyn std::fmt::Display) -> DeskError {
    DeskError::Internal { why: why.to_string() }
}

/// Answers another member's [`SUPPLY_KEY`]. The peer connection has proven who asks; the register says whether it
/// is a member.
pub(crate) async fn supply(
    authority: Arc<ca_authority::Authority<crate::ports::NodePorts>>,
    from: NodeId,
    ask: Vec<u8>,
) -> Result<Vec<u8>, String> {
    let member = authority.register().member(from).map_err(|e| e.to_string())?;
    if member.is_none() {
        return Err(format!("node {from} is no member"));
    }
    let (key, transport) = ask.split_first_chunk::<20>().ok_or("the request is too short")?;
    let transport = TransportPublicKey::from_bytes(transport).map_err(|e| e.to_string())?;
    let token = &authority.ports().token;
    let wrapped = token.wrap_for(KeyIdentifier(*key), &transport).await.map_err(|e| e.to_string())?;
    Ok(wrapped.to_bytes())
}

/// This node's own responder key: generated once in its token, bound to it, never wrapped. A crash before this
/// returns leaves the key under its label, where the next call finds it.
pub(crate) async fn responder(authority: &NodeAuthority) -> Result<PublicKey, Failure> {
    let token = &authority.ports().token;
    let key = match token.key_labelled(RESPONDER_LABEL).await? {
        Some(key) => key,
        None => token.generate_bound(KeyKind::EcP256, RESPONDER_LABEL).await?,
    };
    token.watch(&key);
    Ok(key)
}
