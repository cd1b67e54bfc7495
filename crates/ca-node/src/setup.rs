//! How a node comes to be: as the first of a new cluster, as one more of an existing one, or again after a stop.

use std::path::Path;
use std::sync::Arc;

use ca_core::command::Command;
use ca_core::ids::{ClusterId, Epoch, NodeId};
use ca_core::register::PublicUrls;
use ca_http::wire::{JoinAnswer, JoinRequest, Secret};
use ca_raft::PeerIdentity;

use crate::ceremony::{Choices, draw_cluster_id, first_client, found};
use crate::config::ConfigFile;
use crate::desk::{Leaves, Papers, certify, host_name, mint};
use crate::failure::Failure;
use crate::files::{self, NodeIdentity};
use crate::jointoken::JoinToken;
use crate::node::{Beginning, Listeners, Node, open_token, provision_token};
use crate::tls::{self, LeafKey, pem_chain};
use crate::{client, keys};

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
    let token = open_token(&config.token, &data_dir)?;
    let cluster = draw_cluster_id()?;
    let identity = PeerIdentity { cluster, epoch: Epoch(0), node: NodeId(1) };
    let beginning = Beginning { identity, tls: tls::lonely_peer(identity)? };
    let node = Node::open(config, listeners, token, beginning).await?;
    match write_first_entries(&node, cluster, config, choices, tokens, said).await {
        Ok(join_tokens) => {
            // COMMIT: from here on the directory is a node's.
            NodeIdentity::new(cluster, Epoch(0), NodeId(1)).store(&data_dir)?;
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
    node.log.initialise_single().await.map_err(Failure::internal)?;
    let address = |listen: std::net::SocketAddr| format!("{}:{}", config.host(listen), listen.port());
    let (peer, api, va) =
        (address(config.listen.peer), address(config.listen.api), address(config.listen.va));
    let member = Command::AdmitMember {
        token: None,
        name: config.node.name.clone(),
        peer_address: peer.clone(),
        api_address: api.clone(),
        va_address: va.clone(),
    };
    let url = choices.url.clone().unwrap_or_else(|| format!("http://{va}"));
    said("Status service", format!("{url} (CRL, OCSP and CA addresses in every certificate)"));
    let urls = PublicUrls { base: url.trim_end_matches('/').to_owned() };
    let number = found(&node.authority, cluster, choices, urls, member, said).await?;
    let (peer_key, api_key) = (LeafKey::generate()?, LeafKey::generate()?);
    let leaves = certify(
        &node.authority,
        number,
        Papers {
            name: config.node.name.clone(),
            peer_key: tls::requested_key(&peer_key.csr_pem)?,
            tls_key: tls::requested_key(&api_key.csr_pem)?,
            peer_host: host_name("peer_address", &peer)?,
            tls_host: host_name("api_address", &api)?,
        },
    )
    .await?;
    store_leaves(data_dir, &leaves, &peer_key, &api_key)?;
    node.log.renew_tls(tls::peer(data_dir)?).map_err(Failure::internal)?;
    write_first_client(node, data_dir).await?;
    said(
        "Client certificate",
        format!("{} (issues, revokes, operates)", data_dir.join("client.pem").display()),
    );
    let responder = keys::responder(&node.authority).await?;
    said("OCSP responder key", format!("{:?} in this node's token", responder.kind()));
    let mut join_tokens = Vec::with_capacity(tokens);
    for _ in 0..tokens {
        join_tokens.push(mint(&node.authority).await?.token.expose().to_owned());
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
    token: &JoinToken,
    said: &mut (dyn FnMut(&str, String) + Send),
) -> Result<Node, Failure> {
    let data_dir = config.node.data_dir.clone();
    let listeners = prepare(config, said).await?;
    let hsm = open_token(&config.token, &data_dir)?;
    let (peer_key, api_key) = (LeafKey::generate()?, LeafKey::generate()?);
    let address = |listen: std::net::SocketAddr| format!("{}:{}", config.host(listen), listen.port());
    let request = JoinRequest {
        secret: Secret::new(token.secret.clone()),
        name: config.node.name.clone(),
        peer_address: address(config.listen.peer),
        api_address: address(config.listen.api),
        va_address: address(config.listen.va),
        peer_csr: peer_key.csr_pem.clone(),
        tls_csr: api_key.csr_pem.clone(),
    };
    let answer = ask_to_join(token, &request).await?;
    said("Member", format!("node {} of cluster {}", answer.node, answer.cluster));
    let leaves = Leaves {
        peer: answer.peer_certificate,
        peer_ca: answer.peer_ca,
        tls: answer.tls_certificate,
        root: answer.root,
    };
    store_leaves(&data_dir, &leaves, &peer_key, &api_key)?;
    let tls = tls::peer(&data_dir)?;
    let identity = tls.identity();
    // COMMIT: from here on the directory is a node's.
    NodeIdentity::new(identity.cluster, identity.epoch, identity.node).store(&data_dir)?;
    Node::open(config, listeners, hsm, Beginning { identity, tls }).await
}

async fn ask_to_join(token: &JoinToken, request: &JoinRequest) -> Result<JoinAnswer, Failure> {
    let tls = Arc::new(client::pinned(&token.root_sha256));
    let body = serde_json::to_vec(request).map_err(Failure::internal)?;
    let json = [("content-type", "application/json")];
    let mut last = String::from("the join token names no address");
    for address in &token.addresses {
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
    let identity = NodeIdentity::load(data_dir)?;
    let tls = tls::peer(data_dir)?;
    let stored =
        PeerIdentity { cluster: identity.cluster()?, epoch: identity.epoch(), node: identity.node() };
    if tls.identity() != stored {
        let what = format!("node.toml says {stored}, the peer certificate says {}", tls.identity());
        return Err(Failure::new("foreign-data-dir", what).next("put the right files back, or join anew"));
    }
    let listeners = Listeners::bind(&config.listen).await?;
    let token = open_token(&config.token, data_dir)?;
    Node::open(config, listeners, token, Beginning { identity: stored, tls }).await
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
        provision_token(&config.token, &data_dir)?;
        said("Token", format!("`{}`, initialised with a random PIN", config.token.label));
    }
    let path = files::config(&data_dir);
    config.store(&path)?;
    said("Configuration", path.display().to_string());
    Ok(listeners)
}

fn store_leaves(data_dir: &Path, leaves: &Leaves, peer: &LeafKey, api: &LeafKey) -> Result<(), Failure> {
    files::write(&files::tls(data_dir, "peer.key"), peer.key_pem.as_bytes())?;
    files::write(&files::tls(data_dir, "peer.pem"), leaves.peer.as_bytes())?;
    files::write(&files::tls(data_dir, "peer-ca.pem"), leaves.peer_ca.as_bytes())?;
    files::write(&files::tls(data_dir, "api.key"), api.key_pem.as_bytes())?;
    files::write(&files::tls(data_dir, "api.pem"), leaves.tls.as_bytes())?;
    files::write(&files::root(data_dir), leaves.root.as_bytes())
}
