//! The test binary carries the embedded token: its entry points must be found in the running program.

fn main() {
    // Reaches the binaries that this package itself links, which are its tests.
    println!("cargo:rustc-link-arg=-rdynamic");
    println!("cargo:rerun-if-changed=build.rs");
}
