//! Where new members are received: mints join tokens, admits who brings one, and certifies its TLS keys.

use std::net::IpAddr;

use ca_authority::issue::Issued;
use ca_authority::ports::{Clock as _, Entropy as _, Log as _};
use ca_authority::{ActError, Ports as _};
use ca_core::certificate::chain;
use ca_core::command::Command;
use ca_core::ids::{Digest, NodeId, ProfileName};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::plan::CertificateRequest;
use ca_core::register::{Cluster, StorageFault};
use ca_core::roles::Identity;
use ca_http::wire::{JoinAnswer, JoinMember, JoinRequest, Secret};
use ca_http::{BoxFuture, DeskError, JoinDesk, MintedToken};
use ca_x509::key::PublicKey;
use ca_x509::name::{DistinguishedName, GeneralName};

use crate::jointoken::JoinToken;
use crate::limits::{JOIN_TOKEN_LIFE_MS, LEAF_LIFE_S};
use crate::ports::NodeAuthority;
use crate::tls::{pem_chain, requested_key};

/// See [`JoinDesk`].
pub(crate) struct Desk {
    pub(crate) authority: NodeAuthority,
}

impl JoinDesk for Desk {
    fn join(&self, request: JoinRequest) -> BoxFuture<'_, Result<JoinAnswer, DeskError>> {
        Box::pin(receive(&self.authority, request))
    }

    fn mint(&self, _requester: Identity) -> BoxFuture<'_, Result<MintedToken, DeskError>> {
        Box::pin(mint(&self.authority))
    }
}

/// Makes an invitation: its digest goes into the log, its secret to whoever asked.
pub(crate) async fn mint(authority: &NodeAuthority) -> Result<MintedToken, DeskError> {
    let mut secret = [0; 32];
    authority.ports().entropy().fill(&mut secret).map_err(ActError::from)?;
    let secret = hex::encode(secret);
    let register_time = authority.register().time().map_err(ActError::from)?.unwrap_or_default();
    let expires_at = authority.ports().clock().now().max(register_time).plus(JOIN_TOKEN_LIFE_MS);
    append(authority, Command::MintJoinToken { secret: JoinToken::digest(&secret), expires_at }).await?;
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
    let papers = Papers {
        name: request.name.clone(),
        peer_key: papers_key("peer_csr", &request.peer_csr)?,
        tls_key: papers_key("tls_csr", &request.tls_csr)?,
        peer_host: host_name("peer_address", &request.peer_address)?,
        tls_host: host_name("api_address", &request.api_address)?,
    };
    let admit = Command::AdmitMember {
        token: Some(secret),
        name: request.name,
        peer_address: request.peer_address,
        api_address: request.api_address,
        va_address: request.va_address,
    };
    let node = match append(authority, admit).await? {
        Outcome::Admitted(node) => node,
        other => return Err(internal(format!("{other:?}"))),
    };
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
        urls_base: cluster.urls.base,
    })
}

/// What a node is certified for.
pub(crate) struct Papers {
    pub(crate) name: String,
    pub(crate) peer_key: PublicKey,
    pub(crate) tls_key: PublicKey,
    pub(crate) peer_host: GeneralName,
    pub(crate) tls_host: GeneralName,
}

/// A node's TLS certificates and what they are verified with, in PEM.
pub(crate) struct Leaves {
    pub(crate) peer: String,
    pub(crate) peer_ca: String,
    pub(crate) tls: String,
    pub(crate) root: String,
}

/// Certifies a node's two TLS keys.
pub(crate) async fn certify(
    authority: &NodeAuthority,
    node: NodeId,
    papers: Papers,
) -> Result<Leaves, DeskError> {
    let Cluster { id, epoch, .. } = cluster(authority)?;
    // Who a peer is: cluster, epoch, node. Checked in the handshake and in every call.
    let identity = ca_raft::PeerIdentity { cluster: id, epoch, node };
    let peer_names = vec![papers.peer_host, GeneralName::Uri(identity.to_string())];
    let me = Identity::Node(authority.ports().log().node());
    let subject = DistinguishedName::new().common_name(papers.name).build();
    let subject = subject.map_err(|e| DeskError::Refused { field: "name", why: e.to_string() })?;
    let request = |profile: &str, public_key, names| -> Result<CertificateRequest, DeskError> {
        Ok(CertificateRequest {
            profile: profile.parse::<ProfileName>().map_err(|e| internal(e.to_string()))?,
            ca: None,
            public_key,
            subject: subject.clone(),
            names,
            ttl_s: Some(LEAF_LIFE_S),
            certifies: None,
            responder: None,
        })
    };
    let peer = authority.issue(me, request("node-peer", papers.peer_key, peer_names)?, None).await?;
    let tls = authority.issue(me, request("node-tls", papers.tls_key, vec![papers.tls_host])?, None).await?;
    let whole = |issued: &Issued| {
        pem_chain(std::iter::once(&issued.certificate).chain(&issued.chain).map(Vec::as_slice))
    };
    Ok(Leaves {
        peer: pem_chain([peer.certificate.as_slice()]),
        peer_ca: pem_chain(peer.chain.iter().map(Vec::as_slice)),
        // With the root: the joiner knows it by its digest.
        tls: whole(&tls),
        root: pem_chain([root(authority)?.as_slice()]),
    })
}

/// The host of `host:port`, as it stands in a certificate.
pub(crate) fn host_name(field: &'static str, address: &str) -> Result<GeneralName, DeskError> {
    let (host, _) = address.rsplit_once(':').ok_or_else(|| DeskError::Refused {
        field,
        why: format!("`{address}` is not of the form host:port"),
    })?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(bare.parse::<IpAddr>().map_or_else(|_| GeneralName::Dns(host.to_owned()), GeneralName::Ip))
}

fn papers_key(field: &'static str, csr: &str) -> Result<PublicKey, DeskError> {
    requested_key(csr).map_err(|failure| DeskError::Refused { field, why: failure.what })
}

/// The DER of the cluster's root certificate.
fn root(authority: &NodeAuthority) -> Result<Vec<u8>, DeskError> {
    let ca = "root".parse().map_err(|e: ca_core::ids::InvalidName| internal(e.to_string()))?;
    let chain = chain(authority.register(), &ca).map_err(ActError::from)?;
    chain.into_iter().next_back().ok_or_else(|| internal("the root has no certificate".to_owned()))
}

fn cluster(authority: &NodeAuthority) -> Result<Cluster, DeskError> {
    let cluster = authority.register().cluster().map_err(ActError::from)?;
    Ok(cluster.ok_or_else(|| ActError::Storage(StorageFault("a register without a cluster".to_owned())))?)
}

async fn append(authority: &NodeAuthority, command: Command) -> Result<Outcome, DeskError> {
    let applied = authority.ports().log().append(command).await.map_err(ActError::from)?;
    match applied.into_outcome() {
        Outcome::Refused(refusal) => Err(ActError::Refused(refusal).into()),
        outcome => Ok(outcome),
    }
}

fn internal(why: String) -> DeskError {
    DeskError::Internal { why }
}
