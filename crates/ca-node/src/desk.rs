//! Where new members are received: mints join tokens, admits who brings one, and certifies its TLS keys.

use std::net::IpAddr;
use std::sync::Arc;

use ca_authority::Ports as _;
use ca_authority::ports::{Clock as _, Entropy as _, Log as _};
use ca_core::certificate::chain;
use ca_core::command::Command;
use ca_core::ids::{Digest, NodeId};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::plan::CertificateRequest;
use ca_core::roles::{Identity, Role};
use ca_http::{DeskError, JoinAnswer, JoinDesk, JoinMember, JoinRequest, MintedToken};
use ca_x509::name::{DistinguishedName, GeneralName};

use crate::ceremony::append;
use crate::failure::Failure;
use crate::jointoken::JoinToken;
use crate::limits::JOIN_TOKEN_LIFE_MS;
use crate::ports::NodeAuthority;
use crate::tls::{pem_chain, requested_key};

/// See [`JoinDesk`].
pub(crate) struct Desk {
    pub(crate) authority: NodeAuthority,
}

impl JoinDesk for Desk {
    fn join(&self, request: JoinRequest) -> ca_http::BoxFuture<Result<JoinAnswer, DeskError>> {
        let authority = self.authority.clone();
        Box::pin(async move { receive(&authority, request).await.map_err(desk_error) })
    }

    fn mint(&self, requester: Identity) -> ca_http::BoxFuture<Result<MintedToken, DeskError>> {
        let authority = self.authority.clone();
        Box::pin(async move { mint_for(&authority, requester).await.map_err(desk_error) })
    }
}

fn desk_error(failure: Failure) -> DeskError {
    DeskError { slug: failure.slug, detail: failure.what }
}

async fn mint_for(authority: &NodeAuthority, requester: Identity) -> Result<MintedToken, Failure> {
    if !authority.register().roles()?.unwrap_or_default().allows(requester, Role::Operator) {
        let refusal =
            Refusal::Forbidden { caller: requester.to_string(), needs: "the role `operator`".to_owned() };
        return Err(Failure::new(refusal.slug(), refusal.to_string()));
    }
    mint(authority).await
}

/// Makes an invitation: its digest goes into the log, its secret to whoever asked.
pub(crate) async fn mint(authority: &NodeAuthority) -> Result<MintedToken, Failure> {
    let mut secret = [0; 32];
    authority.ports().entropy().fill(&mut secret).map_err(Failure::internal)?;
    let secret = hex::encode(secret);
    let now = authority.ports().clock().now().max(authority.register().time()?.unwrap_or_default());
    let expires_at = now.plus(JOIN_TOKEN_LIFE_MS);
    append(authority, Command::MintJoinToken { secret: JoinToken::digest(&secret), expires_at }).await?;
    let cluster = authority.register().cluster()?.ok_or_else(|| Failure::internal("no cluster"))?;
    let addresses = authority.register().members()?.into_iter().map(|(_, member)| member.api_address);
    let token = JoinToken {
        cluster: cluster.id.to_string(),
        root_sha256: Digest::of(&root(authority)?).to_string(),
        secret,
        addresses: addresses.collect(),
    };
    Ok(MintedToken { token: token.to_string(), expires_at: expires_at.seconds() })
}

/// The order matters: a request that cannot be certified must not spend the invitation.
async fn receive(authority: &NodeAuthority, request: JoinRequest) -> Result<JoinAnswer, Failure> {
    let peer_key = requested_key(&request.peer_csr)?;
    let tls_key = requested_key(&request.tls_csr)?;
    let peer_names = vec![host_name(&request.peer_address)?];
    let tls_names = vec![host_name(&request.api_address)?];
    let admit = Command::AdmitMember {
        token: Some(JoinToken::digest(&request.secret)),
        name: request.name.clone(),
        peer_address: request.peer_address,
        api_address: request.api_address,
        va_address: request.va_address,
    };
    let node = match append(authority, admit).await? {
        Outcome::Admitted(node) => node,
        other => return Err(Failure::internal(format!("{other:?}"))),
    };
    let leaf = certify(authority, node, &request.name, peer_key, tls_key, peer_names, tls_names).await?;
    let cluster = authority.register().cluster()?.ok_or_else(|| Failure::internal("no cluster"))?;
    let members = authority.register().members()?;
    Ok(JoinAnswer {
        cluster: cluster.id.to_string(),
        epoch: cluster.epoch.0,
        node: node.0,
        peer_ca: leaf.peer_ca,
        peer_certificate: leaf.peer,
        tls_certificate: leaf.tls,
        root: leaf.root,
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
    name: &str,
    peer_key: ca_x509::key::PublicKey,
    tls_key: ca_x509::key::PublicKey,
    mut peer_names: Vec<GeneralName>,
    tls_names: Vec<GeneralName>,
) -> Result<Leaves, Failure> {
    let cluster = authority.register().cluster()?.ok_or_else(|| Failure::internal("no cluster"))?;
    let identity = ca_raft::PeerIdentity { cluster: cluster.id, epoch: cluster.epoch, node };
    // Who a peer is: cluster, epoch, node. Checked in the handshake and in every call.
    peer_names.push(GeneralName::Uri(identity.to_string()));
    let me = Identity::Node(authority.ports().log().node());
    let subject = DistinguishedName::new().common_name(name).build().map_err(Failure::internal)?;
    let request = |profile: &str, public_key, names| -> Result<CertificateRequest, Failure> {
        Ok(CertificateRequest {
            profile: profile.parse().map_err(Failure::internal)?,
            ca: None,
            public_key,
            subject: subject.clone(),
            names,
            ttl_s: Some(397 * 24 * 3600),
            certifies: None,
            responder: None,
        })
    };
    let peer = authority.issue(me, request("node-peer", peer_key, peer_names)?, None).await?;
    let tls = authority.issue(me, request("node-tls", tls_key, tls_names)?, None).await?;
    let whole = |issued: &ca_authority::issue::Issued| {
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

/// The DER of the cluster's root certificate.
pub(crate) fn root(authority: &NodeAuthority) -> Result<Vec<u8>, Failure> {
    let ca = "root".parse().map_err(Failure::internal)?;
    chain(authority.register(), &ca)?.pop().ok_or_else(|| Failure::internal("the root has no certificate"))
}

/// The host of `host:port`, as it stands in a certificate.
pub(crate) fn host_name(address: &str) -> Result<GeneralName, Failure> {
    let (host, _) = address.rsplit_once(':').ok_or_else(|| {
        Failure::new("bad-address", format!("`{address}` is not of the form host:port"))
    })?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(bare.parse::<IpAddr>().map_or_else(|_| GeneralName::Dns(host.to_owned()), GeneralName::Ip))
}

impl Desk {
    pub(crate) fn new(authority: NodeAuthority) -> Arc<dyn JoinDesk> {
        Arc::new(Self { authority })
    }
}
