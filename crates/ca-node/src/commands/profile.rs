//! profile list, show, lint, diff, apply.

mod place;

use std::path::Path;

use ca_http::wire::{Life, ProfileChanged, ProfileDocument};
use hyper::Method;

use crate::cli::Format;
use crate::client::Connection;
use crate::failure::Failure;
use crate::output::{data, made, talk};

pub(super) async fn list(connection: &Connection, output: Format) -> Result<(), Failure> {
    let answer = connection.call(Method::GET, "/api/v1/profiles", &[], None).await?;
    if output == Format::Json {
        data(&String::from_utf8_lossy(&answer.body));
        return Ok(());
    }
    let profiles: Vec<ProfileDocument> = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    data("NAME\tVERSION\tAUDIENCE\tISSUERS\tLIFE\tUSAGE");
    for profile in profiles {
        let Life(default_s) = profile.validity.default;
        data(&format!(
            "{}\t{}\t{}\t{}\t{} (at most {})\t{}",
            profile.name,
            profile.version.unwrap_or_default(),
            profile.audience,
            profile.issuers.join(","),
            Life(default_s),
            profile.validity.max,
            profile.usage.extended.join(","),
        ));
    }
    Ok(())
}

pub(super) async fn show(connection: &Connection, output: Format, name: &str) -> Result<(), Failure> {
    let answer = connection.call(Method::GET, &format!("/api/v1/profiles/{name}"), &[], None).await?;
    if output == Format::Json {
        data(&String::from_utf8_lossy(&answer.body));
        return Ok(());
    }
    let profile: ProfileDocument = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    data(toml(&profile)?.trim_end());
    Ok(())
}

/// What the cluster would say to it: its CAs must exist, so a node is asked.
pub(super) async fn lint(connection: &Connection, file: &Path) -> Result<(), Failure> {
    let file = File::read(file)?;
    let changed = put(connection, &file, "?dry_run=true", None).await?;
    made("No fault", &format!("{} would be version {}", changed.name, changed.version));
    Ok(())
}

pub(super) async fn diff(connection: &Connection, file: &Path) -> Result<(), Failure> {
    let file = File::read(file)?;
    put(connection, &file, "?dry_run=true", None).await?;
    let path = format!("/api/v1/profiles/{}", file.document.name);
    let current = match connection.call(Method::GET, &path, &[], None).await {
        Ok(answer) => {
            let current: ProfileDocument = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
            toml(&ProfileDocument { version: None, ..current })?
        }
        Err(failure) if failure.slug == "unknown-profile" => String::new(),
        Err(failure) => return Err(failure),
    };
    let next = toml(&ProfileDocument { version: None, ..file.document })?;
    if current == next {
        talk("no difference");
    }
    for line in lines_that_differ(&current, &next) {
        data(&line);
    }
    Ok(())
}

pub(super) async fn apply(connection: &Connection, file: &Path, seen: Option<u32>) -> Result<(), Failure> {
    let file = File::read(file)?;
    let changed = put(connection, &file, "", seen).await?;
    let what = format!("{} version {}", changed.name, changed.version);
    made(if changed.changed { "Applied" } else { "Unchanged" }, &what);
    Ok(())
}

async fn put(
    connection: &Connection,
    file: &File,
    query: &str,
    seen: Option<u32>,
) -> Result<ProfileChanged, Failure> {
    let body = serde_json::to_vec(&file.document).map_err(Failure::internal)?;
    let tag = seen.map(|version| format!("\"{version}\""));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(tag.as_deref().map(|tag| ("if-match", tag)));
    let path = format!("/api/v1/profiles/{}{query}", file.document.name);
    let answer = connection.call(Method::PUT, &path, &headers, Some(body)).await;
    let answer = answer.map_err(|failure| file.located(failure))?;
    serde_json::from_slice(&answer.body).map_err(Failure::internal)
}

/// A profile as it stands in a file.
struct File {
    name: String,
    text: String,
    document: ProfileDocument,
}

impl File {
    /// The parser's error has line and caret.
    fn read(path: &Path) -> Result<Self, Failure> {
        let octets = crate::files::read(path)?;
        let (name, text) = (path.display().to_string(), String::from_utf8_lossy(&octets).into_owned());
        match toml::from_str(&text) {
            Ok(document) => Ok(Self { name, text, document }),
            Err(error) => Err(Failure::new("profile-invalid", format!("{name}: {error}")).next(MEND)),
        }
    }

    /// Faults that the cluster has found, as the parser shows its own.
    fn located(&self, failure: Failure) -> Failure {
        if failure.fields.is_empty() {
            return failure;
        }
        let count = failure.fields.len();
        let faults = place::shown(&self.name, &self.text, &failure.fields);
        let what = format!("{} has {count} fault{}{faults}", self.name, if count == 1 { "" } else { "s" });
        Failure { what, ..failure }.next(MEND)
    }
}

const MEND: &str =
    "mend the lines that are shown; `ca-node profile show tls-server` prints one that is right";

fn toml(document: &ProfileDocument) -> Result<String, Failure> {
    toml::to_string(document).map_err(Failure::internal)
}

/// The lines that only one side has, in their order. Each field stands on a line of its own under its heading.
fn lines_that_differ(old: &str, new: &str) -> Vec<String> {
    let (old, new) = (fields(old), fields(new));
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

/// `[names]` and `ip = true` become `names.ip = true`.
fn fields(toml: &str) -> Vec<String> {
    let mut heading = String::new();
    let mut all = Vec::new();
    for line in toml.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => heading = format!("{name}."),
            None => all.push(format!("{heading}{line}")),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
name = "web"
issuers = ["issuing"]
keys = ["ec-p256", "rsa-3072"]
[validity]
default = "30d"
max = "90d"
[names]
dns = ["example.com"]
min = 1
[usage]
key = ["digitalSignature"]
extended = ["serverAuth"]
"#;

    #[test]
    fn a_file_is_read_and_written_back() {
        let document: ProfileDocument = toml::from_str(FILE).unwrap();
        let again: ProfileDocument = toml::from_str(&toml(&document).unwrap()).unwrap();
        assert_eq!(document, again);
        assert!(document.profile(1).unwrap().faults().is_empty());
    }

    #[test]
    fn an_error_shows_its_line_with_a_caret() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("web.toml");
        std::fs::write(&file, FILE.replace("min = 1", "mni = 1")).unwrap();
        let failure = File::read(&file).err().unwrap();
        assert!(failure.what.contains("mni = 1") && failure.what.contains('^'), "{}", failure.what);
        assert!(failure.what.contains("unknown field `mni`"), "{}", failure.what);
    }

    #[test]
    fn a_difference_names_the_field() {
        let old = toml(&toml::from_str(FILE).unwrap()).unwrap();
        let changed = FILE.replace("\"90d\"", "\"60d\"").replace("min = 1", "min = 1\nip = \"any\"");
        let new = toml(&toml::from_str(&changed).unwrap()).unwrap();
        let expected = ["- validity.max = \"90d\"", "+ validity.max = \"60d\"", "+ names.ip = \"any\""];
        assert_eq!(lines_that_differ(&old, &new), expected);
    }
}
