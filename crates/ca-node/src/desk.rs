//! Where new members are received: mints join tokens, admits who brings one, and certifies its TLS keys.

use ca_authority::ports::{Clock as _, Entropy as _};
use ca_authority::{ActError, Ports as _};
use ca_core::command::Command;
use ca_core::ids::Digest;
use ca_core::outcome::Refusal;
use ca_core::roles::Identity;
use ca_http::wire::{JoinAnswer, JoinMember, JoinRequest, Secret};
use ca_http::{BoxFuture, DeskError, JoinDesk, MintedToken};
use ca_x509::key::PublicKey;

use crate::jointoken::JoinToken;
use crate::leaves::{Papers, certify, cluster, root};
use crate::limits::JOIN_TOKEN_LIFE_MS;
use crate::log;
use crate::ports::NodeAuthority;
use crate::tls::requested_key;

/// See [`JoinDesk`].
pub(crate) struct Desk {
    pub(crate) authority: NodeAuthority,
}

impl JoinDesk for Desk {
    fn join(&self, request: JoinRequest) -> BoxFuture<'_, Result<JoinAnswer, DeskError>> {
        Box::pin(receive(&self.authority, request))
    }

    fn mint(&self, requester: Identity) -> BoxFuture<'_, Result<MintedToken, DeskError>> {
        Box::pin(mint(&self.authority, requester))
    }
}

/// Makes an invitation: its digest goes into the log, its secret to whoever asked.
pub(crate) async fn mint(authority: &NodeAuthority, requester: Identity) -> Result<MintedToken, DeskError> {
    let mut secret = [0; 32];
    authority.ports().entropy().fill(&mut secret).map_err(ActError::from)?;
    let secret = hex::encode(secret);
    let register_time = authority.register().time().map_err(ActError::from)?.unwrap_or_default();
    let expires_at = authority.ports().clock().now().max(register_time).plus(JOIN_TOKEN_LIFE_MS);
    let digest = JoinToken::digest(&secret);
    log::enact(authority, Command::MintJoinToken { secret: digest, expires_at, requester }).await?;
    let members = authority.register().members().map_err(ActError::from)?;
    let token = JoinToken {
        cluster: cluster(authority)?.id.to_string(),
        root_sha256: Digest::of(&root(authority)?).to_string(),
        secret,
        addresses: members.into_iter().map(|(_, member)| member.api_address).collect(),
    };
    Ok(MintedToken { token: Secret::new(token.to_string()), expires_at: expires_at.seconds() })
}

/// The order matters: a request that cannot be certified must not spend the invitation.
async fn receive(authority: &NodeAuthority, request: JoinRequest) -> Result<JoinAnswer, DeskError> {
    let secret = JoinToken::digest(request.secret.expose());
    // Asked before anything is written: who brings no secret of ours leaves no entry in the log.
    if authority.register().join_token(secret).map_err(ActError::from)?.is_none() {
        return Err(ActError::Refused(Refusal::JoinTokenUnknown).into());
    }
    let papers = Papers::new(
        request.name.clone(),
        (&request.peer_address, papers_key("peer_csr", &request.peer_csr)?),
        (&request.api_address, papers_key("tls_csr", &request.tls_csr)?),
    )?;
    let admission = Command::AdmitMember {
        token: Some(secret),
        name: request.name,
        peer_address: request.peer_address,
        api_address: request.api_address,
        va_address: request.va_address,
    };
    let node = log::admit(authority, admission).await?;
    let leaves = certify(authority, node, papers).await?;
    let cluster = cluster(authority)?;
    let members = authority.register().members().map_err(ActError::from)?;
    Ok(JoinAnswer {
        cluster: cluster.id.to_string(),
        epoch: cluster.epoch.0,
        node: node.0,
        peer_ca: leaves.peer_ca,
        peer_certificate: leaves.peer,
        tls_certificate: leaves.tls,
        root: leaves.root,
        members: members
            .into_iter()
            .map(|(node, member)| JoinMember {
                node: node.0,
                name: member.name,
                peer_address: member.peer_address,
                api_address: member.api_address,
            })
            .collect(),
    })
}

fn papers_key(field: &'static str, csr: &str) -> Result<PublicKey, DeskError> {
    requested_key(csr).map_err(|failure| DeskError::Refused { field, why: failure.what })
}
