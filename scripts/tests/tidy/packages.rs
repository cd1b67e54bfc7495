//! What cargo knows: our packages, and everything that is built for them.

use std::collections::BTreeSet;
use std::process::Command;

use serde::Deserialize;

use crate::files::root;

/// One of our packages.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as its manifest names it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<String>,
    pub(crate) path: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: String,
}

/// A package that is built, ours or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Built {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// The members of the workspace.
pub(crate) fn members() -> Vec<Package> {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"]);
    let metadata: Metadata = serde_json::from_str(&text).unwrap();
    metadata.packages
}

/// All that is really built on this platform, for tests and by build scripts too. Not `cargo metadata`: it lists
/// optional dependencies that no feature turns on.
pub(crate) fn built() -> BTreeSet<Built> {
    let format = ["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"];
    let text = cargo(
        &[&["tree", "--workspace", "--locked", "--offline", "--edges", "normal,build,dev"], &format[..]]
            .concat(),
    );
    let lines: BTreeSet<&str> = text.lines().filter(|line| line.contains('|')).collect();
    lines.into_iter().map(parse).collect()
}

/// What is built into a package, each with its features.
pub(crate) fn features(of: &str) -> Vec<String> {
    let format = ["--prefix", "none", "--format", "{p} {f}"];
    let text = cargo(
        &[&["tree", "--package", of, "--locked", "--offline", "--edges", "normal,build"], &format[..]]
            .concat(),
    );
    text.lines().map(str::to_owned).collect()
}

impl Package {
    /// What it names outside its tests.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"))
    }
}

/// `name v1.2.3 (proc-macro)|MIT`
fn parse(line: &str) -> Built {
    let (package, licence) = line.split_once('|').unwrap();
    let mut words = package.split(' ');
    let (name, version) = (words.next().unwrap(), words.next().unwrap());
    Built {
        name: name.to_owned(),
        version: version.trim_start_matches('v').to_owned(),
        licence: licence.to_owned(),
    }
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
