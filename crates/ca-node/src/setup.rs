//! How a node comes to be: as the first of a new cluster, as one more of an existing one, or again after a stop.

use std::path::Path;
use std::sync::Arc;

use ca_core::command::Command;
use ca_core::ids::{ClusterId, Epoch, NodeId};
use ca_core::roles::Identity;
use ca_http::wire::{JoinAnswer, JoinRequest, Secret};
use ca_raft::PeerIdentity;

use crate::ceremony::{draw_cluster_id, first_client, found};
use crate::choices::Choices;
use crate::config::{Addresses, ConfigFile};
use crate::desk::mint;
use crate::failure::Failure;
use crate::jointoken::JoinToken;
use crate::leaves::{Leaves, Papers, certify};
use crate::node::{Listeners, Node};
use crate::tls::{self, LeafKey, pem_chain};
use crate::{client, files, keys, token};

/// A node that is set up and not yet serving, and what the person at the terminal needs next.
pub(crate) struct Founded {
    pub(crate) node: Node,
    pub(crate) cluster: ClusterId,
    pub(crate) join_tokens: Vec<String>,
}

/// The first node of a new cluster. `config` is completed with the addresses that were bound, and written.
pub(crate) async fn found_cluster(
    config: &mut ConfigFile,
    choices: &Choices,
    tokens: usize,
    said: &mut (dyn FnMut(&str, String) + Send),
) -> Result<Founded, Failure> {
    let data_dir = config.node.data_dir.clone();
    let listeners = prepare(config, said).await?;
    let token = token::open(&config.token, &data_dir)?;
    let cluster = draw_cluster_id()?;
    let identity = PeerIdentity { cluster, epoch: Epoch(0), node: NodeId(1) };
    let node = Node::open(config, listeners, token, tls::lonely_peer(identity)?).await?;
    match write_first_entries(&node, cluster, config, choices, tokens, said).await {
        Ok(join_tokens) => {
            // COMMIT: from here on the directory is a node's.
            files::store_identity(&data_dir, identity)?;
            Ok(Founded { node, cluster, join_tokens })
        }
        Err(failure) => {
            node.close().await;
            Err(failure.next(format!("remove {} and begin again", data_dir.display())))
        }
    }
}

async fn write_first_entries(
    node: &Node,
    cluster: ClusterId,
    config: &ConfigFile,
    choices: &Choices,
    tokens: usize,
    said: &mut (dyn FnMut(&str, String) + Send),
) -> Result<Vec<String>, Failure> {
    let data_dir = &config.node.data_dir;
    node.log().initialise_single().await.map_err(Failure::internal)?;
    let Addresses { peer, api, va } = config.addresses();
    let member = Command::AdmitMember {
        token: None,
        name: config.node.name.clone(),
        peer_address: peer.clone(),
        api_address: api.clone(),
        va_address: va.clone(),
    };
    let urls = choices.urls.at(&va);
    for (label, url) in [("CRL address", &urls.crl), ("OCSP address", &urls.ocsp), ("CA address", &urls.aia)]
    {
        said(label, format!("{url} (in every certificate)"));
    }
    let (number, request) = found(&node.authority, cluster, choices, urls, member, said).await?;
    if let Some(request) = request {
        let path = data_dir.join("issuing.csr");
        files::write(&path, ca_x509::pem::encode("CERTIFICATE REQUEST", &request).as_bytes())?;
        let next = "have your root sign it, then: ca-node ca import issuing FILE";
        said("Issuing CA's request", format!("{} ({next})", path.display()));
    }
    let (peer_key, api_key) = (LeafKey::generate()?, LeafKey::generate()?);
    let papers = Papers::new(
        config.node.name.clone(),
        (&peer, tls::requested_key(&peer_key.csr_pem)?),
        (&api, tls::requested_key(&api_key.csr_pem)?),
    )?;
    certify(&node.authority, number, papers).await?.store(data_dir, &peer_key, &api_key)?;
    node.log().renew_tls(tls::peer(data_dir)?).map_err(Failure::internal)?;
    write_first_client(node, data_dir).await?;
    said(
        "Client certificate",
        format!("{} (issues, revokes, operates)", data_dir.join("client.pem").display()),
    );
    let responder = keys::responder(&node.authority).await?;
    said("OCSP responder key", format!("{:?} in this node's token", responder.kind()));
    let mut join_tokens = Vec::with_capacity(tokens);
    for _ in 0..tokens {
        join_tokens.push(mint(&node.authority, Identity::Ceremony).await?.token.expose().to_owned());
    }
    Ok(join_tokens)
}

async fn write_first_client(node: &Node, data_dir: &Path) -> Result<(), Failure> {
    let key = LeafKey::generate()?;
    let issued = first_client(&node.authority, "admin", &key.csr_pem).await?;
    // Without the root: the server has it.
    let issuing = issued.chain.iter().take(1).map(Vec::as_slice);
    let chain = pem_chain(std::iter::once(issued.certificate.as_slice()).chain(issuing));
    files::write(&data_dir.join("client.key"), key.key_pem.as_bytes())?;
    files::write(&data_dir.join("client.pem"), chain.as_bytes())
}

/// One more node, by its token.
pub(crate) async fn join_cluster(
    config: &mut ConfigFile,
    invitation: &JoinToken,
    said: &mut (dyn FnMut(&str, String) + Send),
) -> Result<Node, Failure> {
    let data_dir = config.node.data_dir.clone();
    let listeners = prepare(config, said).await?;
    let hsm = token::open(&config.token, &data_dir)?;
    let (peer_key, api_key) = (LeafKey::generate()?, LeafKey::generate()?);
    let Addresses { peer, api, va } = config.addresses();
    let request = JoinRequest {
        secret: Secret::new(invitation.secret.clone()),
        name: config.node.name.clone(),
        peer_address: peer,
        api_address: api,
        va_address: va,
        peer_csr: peer_key.csr_pem.clone(),
        tls_csr: api_key.csr_pem.clone(),
    };
    let answer = ask_to_join(invitation, &request).await?;
    said("Member", format!("node {} of cluster {}", answer.node, answer.cluster));
    let leaves = Leaves {
        peer: answer.peer_certificate,
        peer_ca: answer.peer_ca,
        tls: answer.tls_certificate,
        root: answer.root,
    };
    leaves.store(&data_dir, &peer_key, &api_key)?;
    let tls = tls::peer(&data_dir)?;
    // COMMIT: from here on the directory is a node's.
    files::store_identity(&data_dir, tls.identity())?;
    Node::open(config, listeners, hsm, tls).await
}

async fn ask_to_join(invitation: &JoinToken, request: &JoinRequest) -> Result<JoinAnswer, Failure> {
    let tls = Arc::new(client::pinned(&invitation.root_sha256));
    let body = serde_json::to_vec(request).map_err(Failure::internal)?;
    let json = [("content-type", "application/json")];
    let mut last = String::from("the join token names no address");
    for address in &invitation.addresses {
        let call =
            client::call(&tls, address, hyper::Method::POST, "/api/v1/join", &json, Some(body.clone()));
        match call.await {
            Ok(answer) => {
                let answer = client::refusal(answer)?;
                return serde_json::from_slice(&answer.body).map_err(Failure::internal);
            }
            Err(why) => last = format!("{address}: {why}"),
        }
    }
    Err(Failure::new("unreachable", last).next("start a node of the cluster, then join again").code(4))
}

/// A node that was set up before.
pub(crate) async fn reopen(config: &ConfigFile) -> Result<Node, Failure> {
    let data_dir = &config.node.data_dir;
    let stored = files::load_identity(data_dir)?;
    let tls = tls::peer(data_dir)?;
    if tls.identity() != stored {
        let what = format!("node.toml says {stored}, the peer certificate says {}", tls.identity());
        return Err(Failure::new("foreign-data-dir", what).next("put the right files back, or join anew"));
    }
    let listeners = Listeners::bind(&config.listen).await?;
    let token = token::open(&config.token, data_dir)?;
    Node::open(config, listeners, token, tls).await
}

/// Directory, listeners, token: what can fail before anything is written to a log.
async fn prepare(
    config: &mut ConfigFile,
    said: &mut (dyn FnMut(&str, String) + Send),
) -> Result<Listeners, Failure> {
    let data_dir = config.node.data_dir.clone();
    let listeners = Listeners::bind(&config.listen).await?;
    config.listen = listeners.addresses(&config.listen)?;
    files::claim(&data_dir)?;
    files::make(&data_dir.join("tls"))?;
    let brings_own_pin = !matches!(config.token.pin, crate::config::PinPlace::Default {});
    if !brings_own_pin {
        token::provision(&config.token, &data_dir)?;
        said("Token", format!("`{}`, initialised with a random PIN", config.token.label));
    }
    let path = files::config(&data_dir);
    config.store(&path)?;
    said("Configuration", path.display().to_string());
    Ok(listeners)
}
