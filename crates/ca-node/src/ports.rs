//! One node's ports: the real log, token, verifier, clock and random source.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ca_authority::ports::Clock;
use ca_authority::{Authority, Ports};
use ca_core::ids::UnixMillis;
use ca_hsm::{SignatureVerifier, SystemEntropy, Token};
use ca_raft::IssuanceLog;

/// The authority of this program.
pub(crate) type NodeAuthority = Arc<Authority<NodePorts>>;

/// See [`Ports`].
#[derive(Debug)]
pub(crate) struct NodePorts {
    pub(crate) log: Arc<IssuanceLog>,
    pub(crate) token: Token,
}

/// The system's clock and tokio's timers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

impl Ports for NodePorts {
    type Log = IssuanceLog;
    type Signer = Token;
    type Verifier = SignatureVerifier;
    type Clock = SystemClock;
    type Entropy = SystemEntropy;

    fn log(&self) -> &IssuanceLog {
        &self.log
    }

    fn signer(&self) -> &Token {
        &self.token
    }

    fn verifier(&self) -> &SignatureVerifier {
        &SignatureVerifier
    }

    fn clock(&self) -> &SystemClock {
        &SystemClock
    }

    fn entropy(&self) -> &SystemEntropy {
        &SystemEntropy
    }
}
