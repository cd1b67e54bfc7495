//! What others' work comes into this house: under which licence, how many times, and what does not.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::none;
use crate::packages::built;

/// Licences that fit Apache-2.0.
const ALLOWED: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// What is not built here, and why.
const BANNED: [(&str, &str); 6] = [
    ("openssl", "TLS and verification are aws-lc-rs; the embedded token reaches OpenSSL through `ossl`"),
    ("native-tls", "TLS is rustls"),
    ("ring", "one crypto library beside the tokens': aws-lc-rs"),
    ("rsa", "RUSTSEC-2023-0071"),
    ("bincode", "what is logged is protobuf with tags that are never used again"),
    ("x509-ocsp", "stuck on der 0.7; ours stands in ca-x509"),
];

/// Crates that are built in two versions, and on whose account. A new line is a decision.
const TWICE: [(&str, &str); 16] = [
    ("base64", "rcgen's pem is a version ahead of tonic"),
    ("block-buffer", "sha2 0.10, see there"),
    ("cpufeatures", "sha2 0.10, see there"),
    ("crypto-common", "sha2 0.10, see there"),
    ("digest", "sha2 0.10, see there"),
    ("sha2", "openraft's quorum-set is on 0.10; ours is 0.11, with der 0.8"),
    ("foldhash", "hashbrown, see there"),
    ("getrandom", "the features of rand in build scripts"),
    (
        "hashbrown",
        "petgraph (protobuf's generator), rusqlite (the embedded token) and indexmap move at their own pace",
    ),
    ("itertools", "bindgen, at build time"),
    ("rand", "phf's generator in the embedded token's build script"),
    ("rand_core", "rand, see there"),
    ("shlex", "bindgen, at build time"),
    ("syn", "procedural macros, at build time"),
    ("synstructure", "procedural macros of asn1-rs and of ICU4X, at build time"),
    ("untrusted", "aws-lc-rs is on 0.7, webpki on 0.9"),
];

#[test]
fn every_licence_is_allowed() {
    let faults: Vec<String> = built()
        .into_iter()
        .filter(|package| !satisfied(&package.licence))
        .map(|package| format!("{} {}: `{}`", package.name, package.version, package.licence))
        .collect();
    none("licences that are not in ALLOWED", &faults);
}

#[test]
fn what_is_banned_is_not_built() {
    let (built, mut faults) = (built(), Vec::new());
    for (name, why) in BANNED {
        let found = built.iter().filter(|package| package.name == name);
        faults.extend(found.map(|package| format!("{name} {}: {why}", package.version)));
    }
    let old = built.iter().filter(|package| package.name == "der" && !package.version.starts_with("0.8."));
    faults.extend(old.map(|package| format!("der {}: certificates are on 0.8", package.version)));
    none("banned", &faults);
}

#[test]
fn nothing_is_built_twice_without_a_reason() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in built() {
        versions.entry(package.name).or_default().insert(package.version);
    }
    let known = BTreeMap::from(TWICE);
    let faults: Vec<String> = versions
        .into_iter()
        .filter(|(name, versions)| versions.len() > 1 && !known.contains_key(name.as_str()))
        .map(|(name, versions)| format!("{name}: {versions:?}"))
        .collect();
    none("built in several versions without a line in TWICE", &faults);
}

#[test]
fn licence_expressions_are_read_as_spdx_says() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        "ISC AND (Apache-2.0 OR ISC) AND MIT",
    ] {
        assert!(satisfied(good), "{good}");
    }
    for bad in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND (GPL-3.0 OR AGPL-3.0)", "MIT WITH strings"]
    {
        assert!(!satisfied(bad), "{bad}");
    }
}

/// SPDX: `AND` binds closer than `OR`; the old `/` means `OR`.
fn satisfied(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words };
    let verdict = reader.either();
    assert!(reader.words.is_empty(), "`{expression}` is no licence expression");
    verdict
}

struct Reader<'a> {
    words: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> &'a str {
        let Some((first, rest)) = self.words.split_first() else { return "" };
        self.words = rest;
        first
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.next();
        }
        found
    }

    fn either(&mut self) -> bool {
        let mut verdict = self.both();
        while self.takes("OR") {
            verdict |= self.both();
        }
        verdict
    }

    fn both(&mut self) -> bool {
        let mut verdict = self.one();
        while self.takes("AND") {
            verdict &= self.one();
        }
        verdict
    }

    fn one(&mut self) -> bool {
        if self.takes("(") {
            let verdict = self.either();
            assert!(self.takes(")"), "a bracket is missing");
            return verdict;
        }
        let mut licence = self.next().to_owned();
        if self.takes("WITH") {
            licence = format!("{licence} WITH {}", self.next());
        }
        ALLOWED.contains(&licence.as_str())
    }
}
