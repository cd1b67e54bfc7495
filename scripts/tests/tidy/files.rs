//! Every file of the repository that is committed, or would be by `git add`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl TextFile {
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, last)| last == extension)
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All text files.
pub(crate) fn all() -> Vec<TextFile> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    let mut files: Vec<TextFile> = names
        .split('\0')
        .filter(|name| !name.is_empty())
        // One that is deleted and not yet committed so, or that is no text.
        .filter_map(|name| {
            Some(TextFile { path: name.to_owned(), text: std::fs::read_to_string(root().join(name)).ok()? })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 20, "there are more files than {}", files.len());
    files
}

/// All Rust files.
pub(crate) fn rust() -> Vec<TextFile> {
    all().into_iter().filter(|file| file.is("rs")).collect()
}

/// Fails with one line a fault.
pub(crate) fn none(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}
