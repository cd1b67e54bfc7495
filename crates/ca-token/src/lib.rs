//! The embedded default token: a PKCS#11 token linked into the program, for nodes without an HSM.
//!
//! The token is kryoptic; its key store is a file in a directory of the node.
//! This crate gives it the one symbol that `cryptoki::context::Pkcs11::new_from_self` looks up, and tells it
//! where its files are, so that the signer drives it exactly as it drives any other PKCS#11 module.
//!
//! ```text
//!   program ── install(directory) ──► token.conf, remembered here
//!      │
//!   Pkcs11::new_from_self ── dlsym ──► C_GetFunctionList ──► kryoptic's functions, a few of them wrapped:
//!      │                                                        C_Initialize        names token.conf
//!   Pkcs11::initialize ──────────────────────────────────►      C_WrapKey, C_UnwrapKey,
//!                                                               C_GetMechanism…     translate one mechanism
//! ```
//!
//! An executable that uses the token must export the symbol, in its own `build.rs` (cargo hands link
//! arguments to no dependent):
//!
//! ```text
//! println!("cargo::rustc-link-arg=-Wl,--export-dynamic-symbol=C_GetFunctionList");
//! ```
//!
//! The only crate of ours with `unsafe`: a C interface is pointers.

#![expect(unsafe_code, reason = "implements a C interface, PKCS#11, whose arguments are pointers")]

mod functions;
mod install;
mod limits;

pub use install::{InstallError, PathFault, install, install_slots};
pub use limits::SLOTS_MAX;
