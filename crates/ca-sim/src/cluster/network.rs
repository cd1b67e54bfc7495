//! turmoil's TCP under the peers' calls.

use std::io;
use std::sync::Arc;

use ca_core::ids::NodeId;
use ca_raft::simulation::{Later, Octets, SimulatedNetwork};
use turmoil::net::{TcpListener, TcpStream};

/// The port of every node's peer listener.
pub(super) const PORT: u16 = 7000;

/// The host of a node: the address that stands in its row of the register.
pub(super) fn host(node: NodeId) -> String {
    format!("node-{node}.example.test")
}

/// One run's own.
pub(super) struct Network {
    listener: TcpListener,
    hosts: Vec<NodeId>,
}

impl Network {
    /// Listens, on the host whose task this is.
    pub(super) async fn listen(hosts: Vec<NodeId>) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        Ok(Arc::new(Self { listener, hosts }))
    }
}

impl SimulatedNetwork for Network {
    fn connect(&self, address: String) -> Later<'static, io::Result<Box<dyn Octets>>> {
        Box::pin(async move {
            let stream: Box<dyn Octets> = Box::new(TcpStream::connect(address).await?);
            Ok(stream)
        })
    }

    fn accept(&self) -> Later<'_, io::Result<(Box<dyn Octets>, NodeId)>> {
        Box::pin(async move {
            let (stream, from) = self.listener.accept().await?;
            let name = turmoil::reverse_lookup(from.ip());
            let node = self.hosts.iter().find(|node| name.as_deref() == Some(host(**node).as_str()));
            let node = node.ok_or_else(|| io::Error::other(format!("{from} is nobody")))?;
            let stream: Box<dyn Octets> = Box::new(stream);
            Ok((stream, *node))
        })
    }
}
