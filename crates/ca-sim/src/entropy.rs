//! Random octets that are the same in every run, and never the same twice within one.

use std::sync::atomic::{AtomicU64, Ordering};

use ca_authority::ports::{Entropy, EntropyFault};
use ca_core::ids::{Digest, NodeId};

/// SHA-256 over the node and a counter.
#[derive(Debug)]
pub struct SimEntropy {
    node: NodeId,
    drawn: AtomicU64,
}

impl SimEntropy {
    pub(crate) fn new(node: NodeId) -> Self {
        Self { node, drawn: AtomicU64::new(0) }
    }
}

impl SimEntropy {
    /// Gives the last 32 octets again, as a broken source would.
    pub fn repeat(&self) {
        self.drawn.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, octets: &mut [u8]) -> Result<(), EntropyFault> {
        for chunk in octets.chunks_mut(32) {
            let counter = self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            let block = Digest::over(&[b"entropy", &self.node.0.to_be_bytes(), &counter]);
            chunk.iter_mut().zip(block.0).for_each(|(octet, random)| *octet = random);
        }
        Ok(())
    }
}
