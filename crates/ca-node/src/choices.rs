//! What is chosen before the first certificate, by flags or at a terminal: it cannot be changed afterwards.

use ca_core::profile::DnsRule;
use ca_http::wire::{Life, key_kind};
use ca_x509::key::KeyKind;
use ca_x509::name::DistinguishedName;
use clap::Args;

use crate::failure::Failure;
use crate::output;
use crate::urls::{UrlFlags, Urls};

/// What was chosen.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// The cluster's name, and the organisation in the subjects that nobody chose.
    pub(crate) name: String,
    /// What stands in certificates.
    pub(crate) urls: Urls,
    /// DNS names that `tls-server` certifies.
    pub(crate) dns: DnsRule,
    /// Where the root is.
    pub(crate) root: RootChoice,
    /// The CA that issues.
    pub(crate) issuing: CaChoice,
}

/// Where the root is.
#[derive(Clone, Debug)]
pub(crate) enum RootChoice {
    /// Its key is in the members' tokens, like any other.
    Here(CaChoice),
    /// Its key is none of this cluster's: the issuing CA waits for its certificate.
    Elsewhere,
}

/// One CA.
#[derive(Clone, Debug)]
pub(crate) struct CaChoice {
    pub(crate) subject: DistinguishedName,
    pub(crate) kind: KeyKind,
    pub(crate) life_s: u64,
}

/// The flags of `init cluster` that choose the CAs.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CaFlags {
    /// Subject of the root, RFC 4514: "CN=Corp Root R1,O=Corp,C=DE"
    #[arg(long)]
    pub(crate) root_subject: Option<String>,
    /// Subject of the issuing CA
    #[arg(long)]
    pub(crate) issuing_subject: Option<String>,
    /// Key of the root: ec-p256, ec-p384, ec-p521, ed25519, rsa-2048, rsa-3072, rsa-4096
    #[arg(long)]
    pub(crate) root_key: Option<String>,
    /// Key of the issuing CA
    #[arg(long)]
    pub(crate) issuing_key: Option<String>,
    /// Life of the root's certificate: 20y, 7300d
    #[arg(long)]
    pub(crate) root_life: Option<String>,
    /// Life of the issuing CA's certificate
    #[arg(long)]
    pub(crate) issuing_life: Option<String>,
    /// `elsewhere`: no root key here; the issuing CA waits until its certificate is imported
    #[arg(long, value_parser = ["here", "elsewhere"], default_value = "here")]
    pub(crate) root: String,
    #[command(flatten)]
    pub(crate) urls: UrlFlags,
}

impl Choices {
    /// What the flags say; what they leave open is asked for at a terminal, and else as it is by custom.
    pub(crate) fn made(name: &str, dns: DnsRule, flags: &CaFlags) -> Result<Self, Failure> {
        let urls = flags.urls.chosen()?;
        let here = flags.root != "elsewhere";
        let root_flags = [&flags.root_subject, &flags.root_key, &flags.root_life];
        if !here && root_flags.into_iter().any(Option::is_some) {
            let what =
                "--root elsewhere: --root-subject, --root-key and --root-life are its owner's to choose";
            return Err(Failure::new("bad-choice", what).next("leave them out"));
        }
        let root = if here {
            let by_custom = ("Root CA", "ec-p384", "20y");
            RootChoice::Here(one(name, "root", by_custom, root_flags)?)
        } else {
            RootChoice::Elsewhere
        };
        let by_custom = ("Issuing CA", "ec-p256", "5y");
        let issuing_flags = [&flags.issuing_subject, &flags.issuing_key, &flags.issuing_life];
        let issuing = one(name, "issuing", by_custom, issuing_flags)?;
        if let RootChoice::Here(root) = &root {
            if root.subject == issuing.subject {
                let what = format!("{}: root and issuing CA would have one name", root.subject);
                return Err(Failure::new("bad-choice", what).next("give them two subjects"));
            }
            if root.life_s < issuing.life_s {
                let (root, issuing) = (Life(root.life_s), Life(issuing.life_s));
                let what = format!(
                    "--issuing-life {issuing} is longer than --root-life {root}: no CA outlives its root"
                );
                return Err(Failure::new("bad-choice", what).next("let the root live longer"));
            }
        }
        Ok(Self { name: name.to_owned(), urls, dns, root, issuing })
    }

    /// The subject of a CA that the cluster has for itself.
    pub(crate) fn subject(&self, title: &str) -> Result<DistinguishedName, Failure> {
        by_custom(&self.name, title)
    }
}

fn one(
    name: &str,
    flag: &str,
    (title, key, life): (&str, &str, &str),
    [given_subject, given_key, given_life]: [&Option<String>; 3],
) -> Result<CaChoice, Failure> {
    let bad = |flag: String, why: &dyn std::fmt::Display| {
        Failure::new("bad-choice", format!("{flag}: {why}"))
            .next("ca-node init cluster --help says what may be chosen")
    };
    let ask = |given: &Option<String>, what: &str, custom: String| {
        given.clone().unwrap_or_else(|| output::ask_or(&format!("{title}: {what}"), custom))
    };
    let custom = by_custom(name, title)?.to_string();
    let subject = ask(given_subject, "subject", custom);
    let kind = ask(given_key, "key", key.to_owned());
    let life = ask(given_life, "life", life.to_owned());
    let parsed: DistinguishedName =
        subject.parse().map_err(|e| bad(format!("--{flag}-subject {subject}"), &e))?;
    if parsed.is_empty() {
        return Err(bad(format!("--{flag}-subject"), &"a CA has a name (RFC 5280 §4.1.2.4)"));
    }
    let Life(life_s) = life.parse().map_err(|e| bad(format!("--{flag}-life {life}"), &e))?;
    Ok(CaChoice {
        subject: parsed,
        kind: key_kind(&kind).map_err(|e| bad(format!("--{flag}-key {kind}"), &e))?,
        life_s,
    })
}

fn by_custom(name: &str, title: &str) -> Result<DistinguishedName, Failure> {
    let subject = DistinguishedName::new().organization(name);
    subject.common_name(format!("{name} {title}")).build().map_err(|e| {
        Failure::new("bad-name", format!("`{name}` cannot be a CA's name: {e}"))
            .next("choose a --name of 1 to 50 printable characters")
    })
}

#[cfg(test)]
impl Choices {
    /// Those that nobody made.
    pub(crate) fn by_custom(name: &str) -> Self {
        let urls = UrlFlags { node_url: true, ..UrlFlags::default() };
        let flags = CaFlags { urls, ..CaFlags::default() };
        Self::made(name, DnsRule::Any, &flags).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(set: impl Fn(&mut CaFlags)) -> Result<Choices, Failure> {
        let urls = UrlFlags { url: Some("http://pki.test".to_owned()), ..UrlFlags::default() };
        let mut flags = CaFlags { root: "here".to_owned(), urls, ..CaFlags::default() };
        set(&mut flags);
        Choices::made("corp", DnsRule::Any, &flags)
    }

    #[test]
    fn what_is_left_open_is_as_by_custom() {
        let choices = made(|_| {}).unwrap();
        let RootChoice::Here(root) = choices.root else { panic!("here") };
        assert_eq!(root.subject.to_string(), "CN=corp Root CA,O=corp");
        assert_eq!((root.kind, root.life_s), (KeyKind::EcP384, 20 * 365 * 24 * 3600));
        let issuing = choices.issuing;
        assert_eq!(issuing.subject.to_string(), "CN=corp Issuing CA,O=corp");
        assert_eq!((issuing.kind, issuing.life_s), (KeyKind::EcP256, 5 * 365 * 24 * 3600));
    }

    #[test]
    fn a_choice_that_cannot_be_is_refused_with_its_flag() {
        type Set = fn(&mut CaFlags);
        let rows: [(&str, Set); 9] = [
            ("--root-subject", |flags| flags.root_subject = Some("Corp Root".to_owned())),
            ("--root-subject", |flags| flags.root_subject = Some(String::new())),
            ("--issuing-subject", |flags| flags.issuing_subject = Some("C=Germany".to_owned())),
            ("--root-key", |flags| flags.root_key = Some("dsa".to_owned())),
            ("--issuing-key", |flags| flags.issuing_key = Some("rsa-1024".to_owned())),
            ("--root-life", |flags| flags.root_life = Some("for ever".to_owned())),
            ("--issuing-life", |flags| flags.issuing_life = Some("21y".to_owned())),
            ("one name", |flags| flags.issuing_subject = Some("CN=corp Root CA,O=corp".to_owned())),
            ("--root-key", |flags| {
                flags.root = "elsewhere".to_owned();
                flags.root_key = Some("ec-p384".to_owned());
            }),
        ];
        for (named, set) in rows {
            let failure = made(set).unwrap_err();
            assert!(failure.slug == "bad-choice" && failure.what.contains(named), "{}", failure.what);
        }
        assert!(matches!(
            made(|flags| flags.root = "elsewhere".to_owned()).unwrap().root,
            RootChoice::Elsewhere
        ));
    }
}
