//! The code that build.rs makes from `proto/`.

/// What is written: `proto/log.proto`.
#[expect(unreachable_pub, reason = "generated")]
pub(crate) mod log {
    tonic::include_proto!("ca_node.log.v1");
}

/// What nodes say: `proto/peer.proto`.
#[expect(unreachable_pub, clippy::too_many_lines, clippy::as_conversions, reason = "generated")]
pub(crate) mod peer {
    tonic::include_proto!("ca_node.peer.v1");
}
