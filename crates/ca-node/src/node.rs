//! A node's life: listeners, log, authority, doors and tasks; and its orderly end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};

use ca_authority::ports::{Entropy as _, Log as _};
use ca_authority::{Authority, Ports as _};
use ca_core::ids::BootId;
use ca_hsm::Token;
use ca_http::Doors;
use ca_raft::{
    Compaction, ExchangeHandler, IssuanceLog, PeerIdentity, PeerTls, StartError, StartOptions,
    StartStoreError, WallClock,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{ConfigFile, ListenSection};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::health::NodeHealth;
use crate::leaves::OwnLeaves;
use crate::limits::HAND_OVER_MAX;
use crate::ports::{NodeAuthority, NodePorts};
use crate::serve::{bind, serve};
use crate::{keys, tasks};

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

/// A node that runs: its log is open, its doors are not.
pub(crate) struct Node {
    pub(crate) authority: NodeAuthority,
    data_dir: PathBuf,
    listeners: (TcpListener, TcpListener),
}

impl Node {
    /// Opens the log and the authority over it.
    pub(crate) async fn open(
        config: &ConfigFile,
        listeners: Listeners,
        token: Token,
        tls: PeerTls,
    ) -> Result<Self, Failure> {
        let Listeners { api, va, peer } = listeners;
        let supplier = Supplier::default();
        let PeerIdentity { cluster, epoch, node } = tls.identity();
        let options = StartOptions {
            data_dir: config.node.data_dir.clone(),
            cluster,
            epoch,
            node,
            boot: draw_boot()?,
            peer_listener: peer,
            tls,
            exchange: supplier.handler(),
            compaction: Compaction::default(),
            clock: WallClock::system(),
        };
        let log = IssuanceLog::start(options).await.map_err(|error| not_started(&error))?;
        let authority = Arc::new(Authority::new(NodePorts { log, token }));
        supplier.set(&authority);
        Ok(Self { authority, data_dir: config.node.data_dir.clone(), listeners: (api, va) })
    }

    /// This node's log.
    pub(crate) fn log(&self) -> &IssuanceLog {
        self.authority.ports().log()
    }

    /// Opens the doors and runs until it is told to stop, or a fault ends it.
    pub(crate) async fn run(
        self,
        told_to_stop: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let leaves = match OwnLeaves::load(&self.data_dir) {
            Ok(leaves) => leaves,
            Err(failure) => {
                self.close().await;
                return Err(failure);
            }
        };
        let (stop, stopping) = watch::channel(false);
        let health = Arc::new(NodeHealth::new(Arc::clone(&self.authority)));
        let desk = Arc::new(Desk { authority: Arc::clone(&self.authority) });
        let ca_keys = Arc::new(keys::KeyRoom::new(Arc::clone(&self.authority)));
        let doors = Doors::new(Arc::clone(&self.authority), health.clone(), desk, ca_keys);
        let (api, va) = self.listeners;
        let mut serving = JoinSet::new();
        serving.spawn(serve(api, Some(leaves.api()), doors.api(), stopping.clone()));
        serving.spawn(serve(va, None, doors.va(), stopping.clone()));
        let mut tasks = tasks::start(&self.authority, &leaves, &stopping);
        let ports = self.authority.ports();
        tracing::info!(node = ports.log.node().0, "serving");
        let ended = tokio::select! {
            told = told_to_stop => told,
            fault = ports.log.stopped() => Err(Failure::new("node-stopped", fault.to_string())),
            fault = health.failed() => Err(Failure::new("node-stopped", fault.to_string())),
        };
        health.drain();
        if ended.is_ok() {
            // So that the others go on at once, instead of after an election.
            let _ = tokio::time::timeout(HAND_OVER_MAX, ports.log.transfer_leader(None)).await;
        }
        let _ = stop.send(true);
        while serving.join_next().await.is_some() {}
        while tasks.join_next().await.is_some() {}
        close(ports).await;
        ended
    }

    /// Gives up a node that could not be set up.
    pub(crate) async fn close(self) {
        close(self.authority.ports()).await;
    }
}

async fn close(ports: &NodePorts) {
    ports.log.shutdown().await;
    ports.token.close();
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
