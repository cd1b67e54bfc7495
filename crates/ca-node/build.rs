//! The embedded token is found by its one symbol in this very program.

fn main() {
    println!("cargo::rustc-link-arg=-Wl,--export-dynamic-symbol=C_GetFunctionList");
}
