//! The tests open the token from their own executable, as the program does: see `ca_token::install`.

fn main() {
    // An executable exports no symbol unless asked to; cryptoki looks this one up by name.
    println!("cargo::rustc-link-arg-tests=-Wl,--export-dynamic-symbol=C_GetFunctionList");
    println!("cargo::rerun-if-changed=build.rs");
}
