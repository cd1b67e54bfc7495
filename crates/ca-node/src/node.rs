//! A node's life: listeners, token, log, authority, doors and tasks; and its orderly end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};

use ca_authority::Authority;
use ca_authority::ports::{Entropy as _, Log as _};
use ca_core::ids::BootId;
use ca_hsm::{Module, PinUnavailable, Token, TokenConfig};
use ca_http::Doors;
use ca_raft::{
    Compaction, ExchangeHandler, IssuanceLog, PeerIdentity, PeerTls, StartError, StartOptions,
    StartStoreError,
};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{ConfigFile, ListenSection, TokenSection};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::health::NodeHealth;
use crate::keys;
use crate::ports::{NodeAuthority, NodePorts};
use crate::serve::{bind, serve};
use crate::{tasks, tls};

/// A node's three listeners, bound.
#[derive(Debug)]
pub(crate) struct Listeners {
    api: TcpListener,
    va: TcpListener,
    peer: TcpListener,
}

impl Listeners {
    /// Binds all, or none.
    pub(crate) async fn bind(listen: &ListenSection) -> Result<Self, Failure> {
        Ok(Self {
            api: bind("api", listen.api).await?,
            va: bind("va", listen.va).await?,
            peer: bind("peer", listen.peer).await?,
        })
    }

    /// The addresses as they were bound: a port 0 has become a number.
    pub(crate) fn addresses(&self, listen: &ListenSection) -> Result<ListenSection, Failure> {
        let bound = |listener: &TcpListener| -> Result<SocketAddr, Failure> {
            listener.local_addr().map_err(Failure::internal)
        };
        Ok(ListenSection {
            api: bound(&self.api)?,
            va: bound(&self.va)?,
            peer: bound(&self.peer)?,
            advertise: listen.advertise.clone(),
        })
    }
}

/// Opens the token that the configuration names. One log-in try.
pub(crate) fn open_token(section: &TokenSection, data_dir: &Path) -> Result<Token, Failure> {
    let module = module(section, data_dir)?;
    let mut config = TokenConfig::new(module, &section.label);
    config.sessions = section.sessions;
    let (section, data_dir) = (section.clone(), data_dir.to_owned());
    let pin = move || section.read_pin(&data_dir).map_err(PinUnavailable);
    Token::open(config, pin).map_err(|e| keys::token_failure(&e))
}

/// Initialises a fresh token with a random PIN, which goes into a file of the data directory.
pub(crate) fn provision_token(section: &TokenSection, data_dir: &Path) -> Result<(), Failure> {
    let draw = || -> Result<SecretString, Failure> {
        let mut octets = [0; 16];
        ca_hsm::SystemEntropy.fill(&mut octets).map_err(Failure::internal)?;
        Ok(SecretString::from(hex::encode(octets)))
    };
    let (so_pin, user_pin) = (draw()?, draw()?);
    let module = module(section, data_dir)?;
    Token::provision(&module, &section.label, &so_pin, &user_pin).map_err(|e| keys::token_failure(&e))?;
    use secrecy::ExposeSecret as _;
    files::write(&files::pin(data_dir), user_pin.expose_secret().as_bytes())
}

fn module(section: &TokenSection, data_dir: &Path) -> Result<Module, Failure> {
    match &section.module {
        Some(path) => Ok(Module::Library(path.clone())),
        None => {
            let installed = ca_token::install(&files::token(data_dir));
            installed.map_err(|e| Failure::new("token-failed", e.to_string()))?;
            Ok(Module::Embedded)
        }
    }
}

/// What a node's log begins with.
pub(crate) struct Beginning {
    pub(crate) identity: PeerIdentity,
    pub(crate) tls: PeerTls,
}

/// A node that runs: its log is open, its doors are not.
pub(crate) struct Node {
    pub(crate) authority: NodeAuthority,
    pub(crate) log: Arc<IssuanceLog>,
    token: Token,
    listeners: (TcpListener, TcpListener),
}

impl Node {
    /// Opens the log and the authority over it.
    pub(crate) async fn open(
        config: &ConfigFile,
        listeners: Listeners,
        token: Token,
        beginning: Beginning,
    ) -> Result<Self, Failure> {
        let Listeners { api, va, peer } = listeners;
        let supplier = Supplier::default();
        let PeerIdentity { cluster, epoch, node } = beginning.identity;
        let options = StartOptions {
            data_dir: config.node.data_dir.clone(),
            cluster,
            epoch,
            node,
            boot: draw_boot()?,
            peer_listener: peer,
            tls: beginning.tls,
            exchange: supplier.handler(),
            compaction: Compaction::default(),
        };
        let log = IssuanceLog::start(options).await.map_err(|error| not_started(&error))?;
        let ports = NodePorts { log: Arc::clone(&log), token: token.clone() };
        let authority = Arc::new(Authority::new(ports));
        supplier.set(&authority);
        Ok(Self { authority, log, token, listeners: (api, va) })
    }

    /// Opens the doors and runs until a signal or a fault ends it.
    pub(crate) async fn run(self, data_dir: &Path) -> Result<(), Failure> {
        let (stop, stopping) = watch::channel(false);
        let health = Arc::new(NodeHealth::new(Arc::clone(&self.authority)));
        let desk = Arc::new(Desk { authority: Arc::clone(&self.authority) });
        let doors = Doors::new(Arc::clone(&self.authority), health.clone(), desk);
        let (api, va) = self.listeners;
        let mut serving = JoinSet::new();
        let secured = Some(tls::api_server(data_dir)?);
        serving.spawn(serve(api, secured, doors.api(), stopping.clone()));
        serving.spawn(serve(va, None, doors.va(), stopping.clone()));
        let mut tasks = tasks::start(&self.authority, &stopping);
        tracing::info!(node = self.log.node().0, "serving");
        let ended = tokio::select! {
            signal = signalled() => signal,
            fault = self.log.stopped() => Err(Failure::new("node-stopped", fault.to_string())),
            fault = health.failed() => Err(Failure::new("node-stopped", fault.to_string())),
        };
        health.drain();
        if ended.is_ok() {
            // So that the others go on at once, instead of after an election.
            let _ = self.log.transfer_leader(None).await;
        }
        let _ = stop.send(true);
        while serving.join_next().await.is_some() {}
        while tasks.join_next().await.is_some() {}
        self.log.shutdown().await;
        self.token.close();
        ended
    }

    /// Gives up a node that could not be set up.
    pub(crate) async fn close(self) {
        self.log.shutdown().await;
        self.token.close();
    }
}

fn not_started(error: &StartError) -> Failure {
    let slug = match error {
        StartError::Store(StartStoreError::Locked { .. }) => "data-dir-locked",
        StartError::Store(StartStoreError::Foreign { .. }) | StartError::OtherIdentity { .. } => {
            "foreign-data-dir"
        }
        _ => "log-failed",
    };
    Failure::new(slug, error.to_string())
}

/// A number that no other run of this node has (R7).
fn draw_boot() -> Result<BootId, Failure> {
    let mut octets = [0; 8];
    ca_hsm::SystemEntropy.fill(&mut octets).map_err(Failure::internal)?;
    Ok(BootId(u64::from_be_bytes(octets)))
}

/// SIGTERM or Ctrl-C.
async fn signalled() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::internal),
    }
}

/// Answers the peers' exchanges once there is an authority to answer with.
#[derive(Clone, Default)]
struct Supplier {
    authority: Arc<OnceLock<Weak<Authority<NodePorts>>>>,
}

impl Supplier {
    fn set(&self, authority: &NodeAuthority) {
        // Weak: the authority holds the log, which holds the handler.
        let _ = self.authority.set(Arc::downgrade(authority));
    }

    fn handler(&self) -> ExchangeHandler {
        let supplier = self.clone();
        Arc::new(move |from, name, ask| {
            let authority = supplier.authority.get().and_then(Weak::upgrade);
            Box::pin(async move {
                let authority = authority.ok_or("the node is starting")?;
                match name.as_str() {
                    keys::SUPPLY_KEY => keys::supply(authority, from, ask).await,
                    other => Err(format!("this node knows no exchange `{other}`")),
                }
            })
        })
    }
}
