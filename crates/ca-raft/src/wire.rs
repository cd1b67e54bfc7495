//! The code that build.rs makes from `proto/`.

/// What is written: `proto/log.proto`.
pub(crate) mod log {
    tonic::include_proto!("ca_node.log.v1");
}

/// What nodes say: `proto/peer.proto`.
pub(crate) mod peer {
    tonic::include_proto!("ca_node.peer.v1");
}
