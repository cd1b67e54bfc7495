//! Turns `proto/` into code. Needs `protoc` (scripts/setup installs it).

fn main() -> std::io::Result<()> {
    let proto = "../../proto";
    println!("cargo::rerun-if-changed={proto}");
    // Octets are shared with the message they came in, not copied.
    tonic_prost_build::configure()
        .bytes(".")
        .compile_protos(&[format!("{proto}/log.proto"), format!("{proto}/peer.proto")], &[proto.to_owned()])
}
