//! The crates' layers, and which crate alone may name which third-party crate.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::none;
use crate::packages::{Package, features, members};

/// What each crate may use of ours. A new line, or a new word in one, is a decision (ARCHITECTURE.md, "The crates").
const LAYERS: [(&str, &[&str]); 13] = [
    ("ca-x509", &[]),
    ("ca-core", &["ca-x509"]),
    ("ca-authority", &["ca-core", "ca-x509"]),
    ("ca-raft", &["ca-authority", "ca-core", "ca-x509"]),
    ("ca-hsm", &["ca-authority", "ca-core", "ca-x509"]),
    ("ca-token", &[]),
    ("ca-http", &["ca-authority", "ca-core", "ca-x509"]),
    ("ca-node", &["ca-authority", "ca-core", "ca-hsm", "ca-http", "ca-raft", "ca-token", "ca-x509"]),
    ("ca-sim", &["ca-authority", "ca-core", "ca-hsm", "ca-raft", "ca-x509"]),
    // Drives the program from outside, as a stranger would.
    ("scripts", &[]),
    // Measures the token by itself, beside the program as a whole.
    ("benches", &["ca-core", "ca-hsm", "ca-token", "ca-x509", "scripts"]),
    // Breaks the program from outside; its clients are those of the benches.
    ("testnet", &["benches", "ca-x509", "scripts"]),
    // A stranger's module, as far as the program can tell.
    ("pkcs11-shim", &[]),
];

/// Who alone may name a third-party crate, in what is shipped and in what is not.
const PRIVILEGES: [(&[&str], &[&str]); 12] = [
    (&["openraft", "prost", "tonic", "tonic-prost", "tonic-prost-build"], &["ca-raft"]),
    // The benches weigh a register, compacted.
    (&["rocksdb"], &["ca-raft", "benches"]),
    (&["cryptoki"], &["ca-hsm"]),
    (&["aws-lc-rs"], &["ca-hsm", "ca-sim"]),
    (&["kryoptic-lib"], &["ca-token"]),
    (&["axum"], &["ca-http"]),
    (&["clap"], &["ca-node", "ca-sim", "scripts", "benches", "testnet"]),
    (&["stateright", "turmoil"], &["ca-sim"]),
    (&["toml"], &["ca-node"]),
    (&["x509-cert", "der", "spki", "const-oid"], &["ca-x509"]),
    (&["anyhow"], &["ca-node", "scripts", "benches", "testnet"]),
    (
        &["rustls", "tokio-rustls", "hyper", "hyper-util"],
        &["ca-raft", "ca-http", "ca-node", "benches", "testnet"],
    ),
];

/// Tokio, and with which features at most: the token has threads and only waits; the doors only take time; the
/// heart of the program knows no runtime.
const TOKIO: [&str; 8] =
    ["ca-raft", "ca-hsm", "ca-http", "ca-node", "ca-sim", "scripts", "benches", "testnet"];

#[test]
fn the_crates_see_each_other_as_their_layers_say() {
    let (allowed, mut faults) = (BTreeMap::from(LAYERS), Vec::new());
    let members = members();
    let ours: BTreeSet<&str> = members.iter().map(|package| package.name.as_str()).collect();
    for package in &members {
        let used: BTreeSet<&str> =
            package.shipped().filter(|used| used.path.is_some()).map(|used| used.name.as_str()).collect();
        let Some(layer) = allowed.get(package.name.as_str()) else {
            faults.push(format!("{} has no line in LAYERS", package.name));
            continue;
        };
        let layer: BTreeSet<&str> = layer.iter().copied().collect();
        if used != layer {
            faults.push(format!("{} uses {used:?}, its layer says {layer:?}", package.name));
        }
    }
    faults.extend(
        allowed.keys().filter(|name| !ours.contains(*name)).map(|name| format!("there is no {name}")),
    );
    none("the layers (LAYERS in this file)", &faults);
}

#[test]
fn privileged_crates_are_named_where_they_belong() {
    let mut faults = Vec::new();
    for package in members() {
        for (crates, holders) in PRIVILEGES {
            faults.extend(trespasses(&package, crates, holders));
        }
        faults.extend(trespasses(&package, &["tokio"], &TOKIO));
    }
    none("the privileges (PRIVILEGES in this file)", &faults);
}

fn trespasses(package: &Package, crates: &[&str], holders: &[&str]) -> Vec<String> {
    if holders.contains(&package.name.as_str()) {
        return Vec::new();
    }
    let named = package.shipped().filter(|used| crates.contains(&used.name.as_str()));
    named.map(|used| format!("{} names {}, which is for {holders:?}", package.name, used.name)).collect()
}

#[test]
fn the_program_has_no_planted_bugs() {
    let features = features("ca-node");
    assert!(features.iter().any(|line| line.starts_with("ca-core ")), "{features:?}");
    let planted: Vec<String> = features.into_iter().filter(|line| line.contains("planted")).collect();
    none("the feature `planted` is for ca-sim alone", &planted);
}

#[test]
fn the_inner_crates_know_no_machine() {
    let machine =
        ["std::fs", "std::net", "std::process", "std::time::Instant", "SystemTime", "std::thread", "tokio::"];
    let inner = ["crates/ca-x509/src/", "crates/ca-core/src/", "crates/ca-authority/src/"];
    let mut faults = Vec::new();
    for file in crate::files::rust() {
        if !inner.iter().any(|folder| file.path.starts_with(folder)) || file.path.contains("tests") {
            continue;
        }
        // What follows is tests: they may use what they like.
        let shipped = file.text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in (1..).zip(shipped.lines()) {
            let code = line.split("//").next().unwrap();
            let found = machine.iter().filter(|word| code.contains(*word));
            faults.extend(found.map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    none("no clock, thread, disk or network in the crates that decide and act", &faults);
}
