//! The openssl command line, as an opinion that is not ours.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A folder with files for openssl.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn write(&self, name: &str, octets: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), octets).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap()
    }

    /// Runs `openssl` with these arguments, split at spaces; answers whether it went well, and with all that it printed.
    pub(crate) fn try_run(&self, arguments: &str) -> (bool, String) {
        run_in(self.0.path(), arguments)
    }

    /// As [`Self::try_run`], and must go well.
    pub(crate) fn run(&self, arguments: &str) -> String {
        let (ok, text) = self.try_run(arguments);
        assert!(ok, "openssl {arguments}\n{text}");
        text
    }
}

fn run_in(folder: &Path, arguments: &str) -> (bool, String) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
