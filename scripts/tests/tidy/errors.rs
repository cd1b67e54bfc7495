//! Each slug of `docs/errors.md` is produced by a test.

use crate::files::{TextFile, all, none};

/// Slugs that stand in no test that produces them, and the test that does so by the error's own name.
const BY_ANOTHER_NAME: &[(&str, &str)] = &[
    ("ocsp-wrong", "a_status_service_that_cannot_say_is_named"),
    ("cluster-key", "a_key_that_came_into_use_meanwhile_is_refused_by_the_log"),
    ("enrolment-token-expired", "a_token_ends_and_is_taken_back"),
    ("key-unproven", "r11_a_ca_is_certified_once_every_signing_member_has_proven_its_key"),
    ("node-stopped", "i23_a_node_that_differs_stops"),
    ("overtaken", "i7_an_open_attempt_is_superseded_after_a_second"),
    ("too-slow", "a_body_that_never_ends_is_too_slow"),
];

/// Slugs that no test produces, and why.
const UNSHOWN: &[(&str, &str)] = &[
    ("crl-wrong", "a node that serves another list than its register says; nodes that differ stop"),
    (
        "log-failed",
        "openraft or RocksDB failing at start in a way that is neither a lock nor a foreign directory",
    ),
    ("membership", "openraft refusing a change of membership that its own state asks for"),
    ("peer-tls", "a peer key and certificate of ours that rustls does not take"),
    ("token-failed", "a module failing in a way of its own; the ways that are known have tests in ca-hsm"),
];

#[test]
fn every_slug_is_produced_by_a_test() {
    let files = all();
    let errors = files.iter().find(|file| file.path == "docs/errors.md").unwrap();
    let slugs = errors.text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    let tests: Vec<&TextFile> = files.iter().filter(|file| is_of_tests(&file.path)).collect();
    let produced = |slug: &str| {
        // As the API's tests write it, and as people see it.
        let words = [format!("\"{slug}\""), format!("[{slug}]")];
        let named = BY_ANOTHER_NAME.iter().find(|(one, _)| *one == slug);
        let test = named.map(|(_, test)| format!("fn {test}("));
        UNSHOWN.iter().any(|(one, _)| *one == slug)
            || files.iter().any(|file| test.as_ref().is_some_and(|test| file.text.contains(test)))
            || tests.iter().any(|file| words.iter().any(|word| file.text.contains(word)))
    };
    let faults: Vec<String> =
        slugs.filter(|slug| !produced(slug)).map(|slug| format!("`{slug}`: no test produces it")).collect();
    none("slugs that no test produces", &faults);
}

/// Not the list of all slugs, which produces none.
fn is_of_tests(path: &str) -> bool {
    let is_test = path.contains("/tests/") || path.ends_with("/tests.rs") || path.starts_with("scripts/src/");
    is_test && path.ends_with(".rs") && path != "crates/ca-http/src/explain/tests.rs"
}
