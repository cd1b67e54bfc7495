//! The shapes of CAs.

use std::net::IpAddr;

use ca_core::mandate::CaLimits;
use ca_x509::certificate::{NameConstraints, NameSubtree};
use ca_x509::key::KeyKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Life;

/// One of `GET /api/v1/cas`; `GET /api/v1/cas/{ca}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaAnswer {
    /// Its name.
    pub name: String,
    /// `waiting` for key proofs or its certificate, `active`, `retired`, `revoked`, `ended`.
    pub state: String,
    /// Its distinguished name (RFC 4514).
    pub subject: String,
    /// Who issues its certificate: a CA of this cluster, itself if it is a root, or `elsewhere`.
    pub parent: String,
    /// `public`, `peers`.
    pub purpose: String,
    /// How it signs.
    pub algorithm: String,
    /// The identifier of its key (RFC 5280 §4.2.1.2).
    pub key: String,
    /// The signing members whose tokens have not proven its key yet (R11).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting_for: Vec<String>,
    /// The serial of its certificate; none while it has none, or if that is from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// When it, or one above it, ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// How many CAs may follow below it; none given: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_len: Option<u8>,
    /// The names that it may certify, as its certificate and those above it say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<NamesLimit>,
    /// Its certificates beside that one: renewed ones, and cross-certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<CaCertificateAnswer>,
    /// Since when it issues no more certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<String>,
    /// When the CRL that it serves ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crl_next_update: Option<String>,
}

/// One of a CA's further certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaCertificateAnswer {
    /// The CA of this cluster that issued it, or `elsewhere`.
    pub by: String,
    /// Its serial, if a CA of this cluster issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// When it ends.
    pub not_after: String,
    /// It.
    pub certificate: String,
}

/// `POST /api/v1/cas`. The same request again goes on where an earlier one was interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCaRequest {
    /// Its name for ever: 1 to 32 of a-z, 0-9 and `-`, beginning with a letter.
    pub name: String,
    /// The CA that issues its certificate; its own name for a root, `elsewhere` for one that is imported.
    pub parent: String,
    /// Its distinguished name (RFC 4514): `CN=Team CA,O=Corp`.
    pub subject: String,
    /// `ec-p256`, `ec-p384`, `ec-p521`, `ed25519`, `rsa-2048` and up; `ec-p256` if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How long its certificate lives: `5y`, `90d`; the profile's default if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
    /// How many CAs may follow below it; 0 if not given, any number below a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_len: Option<u8>,
    /// The only names that it may certify; all that its parent may if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<NameSpaces>,
    /// Names that it may not certify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<NameSpaces>,
    /// Into how many lists its revocations are divided: 1 to 256; 16 if not given, 1 for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crl_shards: Option<u16>,
    /// The profile of its certificate: `sub-ca`, and `root` for a root, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// `POST /api/v1/cas/{ca}/renew`: a new certificate for the same name and key, with the limits of the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewCaRequest {
    /// How long it lives; the profile's default if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
}

/// `POST /api/v1/cross-certificates`: for a CA of this cluster, or for the CSR of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CrossCertificateRequest {
    /// Who issues it.
    pub by: String,
    /// The CA of this cluster that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The request of a CA elsewhere, PEM or DER in base64: its subject and key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// As in [`CreateCaRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
    /// As in [`CreateCaRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_len: Option<u8>,
    /// As in [`CreateCaRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<NameSpaces>,
    /// As in [`CreateCaRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<NameSpaces>,
    /// The profile; `sub-ca` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// `POST /api/v1/cas/{ca}/csr`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaCsrAnswer {
    /// The CA.
    pub name: String,
    /// Its request (PKCS #10), PEM: the same octets each time.
    pub csr: String,
}

/// `PUT /api/v1/cas/{ca}/certificate`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportCaRequest {
    /// Its certificate and those above it up to the root, PEM, its own first.
    pub certificates: String,
}

/// `POST /api/v1/cas/{ca}/retire`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireCaRequest {
    /// Says what depends on it, and does nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What depends on a CA that is retired, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetireCaAnswer {
    /// The CA.
    pub name: String,
    /// Since when; none in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<String>,
    /// The profiles that name it.
    pub profiles: Vec<String>,
    /// The CAs that it certifies.
    pub below: Vec<String>,
    /// Its certificates that are good and have not ended: their status goes on.
    pub live_certificates: u64,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
}

/// Names by their forms (RFC 5280 §4.2.1.10).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameSpaces {
    /// Host names and what lies below them: `corp.example`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    /// Address blocks: `10.0.0.0/8`, `2001:db8::/32`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip: Vec<String>,
    /// A mailbox, all of a host, or with a dot before it of the hosts below: `.corp.example`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email: Vec<String>,
    /// The host of URIs, or with a dot before it the hosts below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uri: Vec<String>,
    /// Distinguished names that begin with these, as RFC 4514 writes them: `O=Corp,C=DE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directory: Vec<String>,
}

/// One name constraint that a CA is under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamesLimit {
    /// The only names, of each form that stands here.
    #[serde(default)]
    pub permit: NameSpaces,
    /// None of these.
    #[serde(default)]
    pub exclude: NameSpaces,
}

/// A part of a request that cannot be read: which, and why.
type Wrong = (&'static str, String);

/// The limits that a request asks for.
///
/// # Errors
/// The field, and the text in it that is no base of a name constraint.
pub fn limits(
    path_len: Option<u8>,
    permit: Option<&NameSpaces>,
    exclude: Option<&NameSpaces>,
) -> Result<CaLimits, Wrong> {
    let subtrees = |field, spaces: Option<&NameSpaces>| {
        spaces.map_or(Ok(Vec::new()), |spaces| spaces.subtrees().map_err(|why| (field, why)))
    };
    let names =
        NameConstraints { permitted: subtrees("permit", permit)?, excluded: subtrees("exclude", exclude)? };
    let says_something = !names.permitted.is_empty() || !names.excluded.is_empty();
    Ok(CaLimits { path_len, names: says_something.then_some(names) })
}

/// The kind of a new CA's key: `ec-p256`, `ec-p384`, `ec-p521`, `ed25519`, `rsa-2048`, `rsa-3072`, `rsa-4096`.
///
/// # Errors
/// What may be, where it is none of these.
pub fn key_kind(text: &str) -> Result<KeyKind, String> {
    let found = KEY_KINDS.into_iter().find(|(word, _)| *word == text).map(|(_, kind)| kind);
    found.ok_or_else(|| {
        let words: Vec<&str> = KEY_KINDS.iter().map(|(word, _)| *word).collect();
        format!("`{text}` is none of {}", words.join(", "))
    })
}

const KEY_KINDS: [(&str, KeyKind); 7] = [
    ("ec-p256", KeyKind::EcP256),
    ("ec-p384", KeyKind::EcP384),
    ("ec-p521", KeyKind::EcP521),
    ("ed25519", KeyKind::Ed25519),
    ("rsa-2048", KeyKind::Rsa { bits: 2048 }),
    ("rsa-3072", KeyKind::Rsa { bits: 3072 }),
    ("rsa-4096", KeyKind::Rsa { bits: 4096 }),
];

impl NameSpaces {
    fn subtrees(&self) -> Result<Vec<NameSubtree>, String> {
        let mut all = Vec::new();
        let forms = [
            self.dns
                .iter()
                .map(|text| (text, NameSubtree::Dns(text.to_ascii_lowercase())))
                .collect::<Vec<_>>(),
            self.email.iter().map(|text| (text, NameSubtree::Email(text.clone()))).collect(),
            self.uri.iter().map(|text| (text, NameSubtree::Uri(text.to_ascii_lowercase()))).collect(),
        ];
        for (text, subtree) in forms.into_iter().flatten() {
            subtree.check().map_err(|why| format!("`{text}`: {why}"))?;
            all.push(subtree);
        }
        for text in &self.ip {
            all.push(block(text).ok_or_else(|| {
                format!("`{text}` is not an address and a prefix without bits beyond it, like 10.0.0.0/8")
            })?);
        }
        for text in &self.directory {
            let base = text.parse().map_err(|why| format!("`{text}`: {why}"))?;
            all.push(NameSubtree::Directory(Box::new(base)));
        }
        Ok(all)
    }

    fn of(subtrees: &[NameSubtree]) -> Self {
        let mut spaces = Self::default();
        for subtree in subtrees {
            match subtree {
                NameSubtree::Dns(base) => spaces.dns.push(base.clone()),
                NameSubtree::Email(base) => spaces.email.push(base.clone()),
                NameSubtree::Uri(base) => spaces.uri.push(base.clone()),
                NameSubtree::Ip { address, prefix } => spaces.ip.push(format!("{address}/{prefix}")),
                NameSubtree::Directory(base) => spaces.directory.push(base.to_string()),
            }
        }
        spaces
    }
}

impl From<&NameConstraints> for NamesLimit {
    fn from(names: &NameConstraints) -> Self {
        Self { permit: NameSpaces::of(&names.permitted), exclude: NameSpaces::of(&names.excluded) }
    }
}

fn block(text: &str) -> Option<NameSubtree> {
    let (address, prefix) = text.split_once('/')?;
    let (address, prefix) = (address.parse::<IpAddr>().ok()?, prefix.parse().ok()?);
    let subtree = NameSubtree::Ip { address, prefix };
    subtree.check().is_ok().then_some(subtree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_spaces_are_read_and_shown() {
        let spaces = NameSpaces {
            dns: vec!["corp.example".to_owned()],
            ip: vec!["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()],
            email: vec![".corp.example".to_owned(), "a@corp.example".to_owned()],
            uri: vec!["corp.example".to_owned()],
            directory: vec!["O=Corp,C=DE".to_owned()],
        };
        assert_eq!(NameSpaces::of(&spaces.subtrees().unwrap()), spaces);
        assert_eq!(
            limits(Some(1), None, Some(&NameSpaces::default())),
            Ok(CaLimits { path_len: Some(1), names: None })
        );
    }

    #[test]
    fn what_is_no_base_is_refused_with_its_field() {
        type Field = fn(&mut NameSpaces) -> &mut Vec<String>;
        let bad: [(&str, Field); 9] = [
            (".corp.example", |spaces| &mut spaces.dns),
            ("*.corp.example", |spaces| &mut spaces.dns),
            ("10.0.0.1", |spaces| &mut spaces.dns),
            ("10.0.0.1/8", |spaces| &mut spaces.ip),
            ("10.0.0.0", |spaces| &mut spaces.ip),
            ("10.0.0.0/33", |spaces| &mut spaces.ip),
            ("a b@corp.example", |spaces| &mut spaces.email),
            ("https://corp.example", |spaces| &mut spaces.uri),
            ("Corp", |spaces| &mut spaces.directory),
        ];
        for (text, field) in bad {
            let mut spaces = NameSpaces::default();
            field(&mut spaces).push(text.to_owned());
            let (field, why) = limits(None, None, Some(&spaces)).unwrap_err();
            assert!(field == "exclude" && why.contains(text), "{text}: {why}");
        }
    }
}
