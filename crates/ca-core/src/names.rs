//! Which names may stand in a certificate.

pub(crate) mod subtree;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use ca_x509::name::{GeneralName, HostName};

use crate::enrolment::{Enrolment, EnrolmentNames};
use crate::limits::NAMES_MAX;
use crate::outcome::Refusal;
use crate::profile::{Allow, DnsRule, IpRule, NameRules, UriRule};
use crate::roles::{Granted, Reach};
use crate::subject::as_subject;

/// The names as they will stand in the certificate: checked against the rules, DNS names in lower case, each once,
/// in the order asked for.
///
/// # Errors
/// [`Refusal::OutsideProfile`] for the first name that is not allowed or not well formed.
pub fn certified(rules: &NameRules, requested: &[GeneralName]) -> Result<Vec<GeneralName>, Refusal> {
    if requested.len() > NAMES_MAX {
        return Err(refused(alloc::format!("{} names are more than {NAMES_MAX}", requested.len())));
    }
    if requested.len() < rules.count_min {
        return Err(refused(alloc::format!(
            "{} names, but the profile wants at least {}: put them into the request's subjectAltName, or into `names`",
            requested.len(),
            rules.count_min
        )));
    }
    let mut names: Vec<GeneralName> = Vec::with_capacity(requested.len());
    for name in requested {
        let name = one(rules, name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The names that somebody may have, whatever the profile allows beside (I18).
#[derive(Clone, Copy, Debug)]
pub(crate) enum NameSpace<'a> {
    /// Those of a grant.
    Reach(&'a Reach<String>),
    /// Those of an enrolment token.
    Among(&'a [GeneralName]),
}

impl<'a> NameSpace<'a> {
    /// Of who asks with this token, or with this grant. Who needs neither is the cluster itself, and has all.
    pub(crate) fn of(enrolment: Option<&'a Enrolment>, granted: Option<&'a Granted>) -> Self {
        match (enrolment.map(|enrolment| &enrolment.terms.names), granted) {
            (Some(EnrolmentNames::Among(names)), _) => Self::Among(names),
            (Some(EnrolmentNames::Below(_)) | None, Some(granted)) => Self::Reach(&granted.grant.scope.dns),
            (Some(EnrolmentNames::Below(_)), None) => Self::Among(&[]),
            (None, None) => Self::Reach(&Reach::All),
        }
    }

    /// # Errors
    /// [`Refusal::OutsideProfile`] for the first name outside it.
    pub(crate) fn admit(&self, names: &[GeneralName]) -> Result<(), Refusal> {
        match self {
            Self::Reach(space) => within(space, names),
            Self::Among(fixed) => match names.iter().find(|name| !fixed.contains(name)) {
                None => Ok(()),
                Some(name) => {
                    Err(refused(alloc::format!("{name} is not among the names of the enrolment token")))
                }
            },
        }
    }

    /// Whether a text that a request has in its subject may stand there.
    pub(crate) fn admits_text(&self, text: &str) -> bool {
        match self {
            Self::Reach(space) => text_within(space, text),
            Self::Among(fixed) => fixed.iter().any(|name| as_subject(name, text).is_some()),
        }
    }
}

/// Checks certified names against the name space of who asks for them (I18). It is a space of DNS names, so one that
/// is limited to some has no other names either.
///
/// # Errors
/// [`Refusal::OutsideProfile`] for the first name outside it.
pub(crate) fn within(space: &Reach<String>, names: &[GeneralName]) -> Result<(), Refusal> {
    let Reach::Only(domains) = space else { return Ok(()) };
    let inside = |name: &&GeneralName| match name {
        GeneralName::Dns(dns) => under(domains, dns.strip_prefix("*.").unwrap_or(dns)),
        GeneralName::Email(address) => address.rsplit_once('@').is_some_and(|(_, host)| under(domains, host)),
        _ => false,
    };
    match names.iter().find(|name| !inside(name)) {
        None => Ok(()),
        Some(name) => Err(refused(alloc::format!(
            "{name} is outside the name space of your grant: {}",
            domains.join(", ")
        ))),
    }
}

/// Whether a text in a subject names a host or a mailbox in the name space; what names neither is in no limited one.
fn text_within(space: &Reach<String>, text: &str) -> bool {
    let Reach::Only(domains) = space else { return true };
    let host = text.rsplit_once('@').map_or(text, |(_, host)| host).to_ascii_lowercase();
    HostName::parse(&host).is_ok() && under(domains, &host)
}

fn one(rules: &NameRules, name: &GeneralName) -> Result<GeneralName, Refusal> {
    match name {
        GeneralName::Dns(dns) => dns_name(rules, dns),
        GeneralName::Email(address) => mail_address(rules, address),
        GeneralName::SmtpUtf8Mailbox(address) => {
            let host = address.rsplit_once('@').map(|(_, host)| host);
            let inside = host.is_some_and(|host| covers(&rules.email, host));
            well_formed(name, inside, "no mail addresses at this host")
        }
        GeneralName::UserPrincipalName(user) => {
            let domain = user.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
            let inside = domain.is_some_and(|domain| covers(&rules.upn, &domain));
            well_formed(name, inside, "no user principal names of this domain")
        }
        GeneralName::Ip(address) => {
            let inside = match &rules.ip {
                IpRule::No => false,
                IpRule::Any => true,
                IpRule::Within(blocks) => blocks.iter().any(|block| block.contains(*address)),
            };
            well_formed(name, inside, "no such addresses")
        }
        GeneralName::Uri(uri) => well_formed(name, may_name(&rules.uri, uri), "no such URIs"),
        GeneralName::Directory(_) => well_formed(name, rules.directory == Allow::Yes, "no directory names"),
    }
}

/// The name as it is, if the profile certifies it and it is what its form wants.
fn well_formed(name: &GeneralName, inside: bool, not: &str) -> Result<GeneralName, Refusal> {
    if !inside {
        return Err(refused(alloc::format!("{name}: the profile certifies {not}")));
    }
    name.check().map_err(|why| refused(alloc::format!("{name}: {why}")))?;
    Ok(name.clone())
}

fn dns_name(rules: &NameRules, dns: &str) -> Result<GeneralName, Refusal> {
    let dns = dns.to_ascii_lowercase();
    let host = match dns.strip_prefix("*.") {
        Some(_) if rules.wildcard == Allow::No => {
            return Err(refused(alloc::format!("`{dns}`: the profile allows no wildcards")));
        }
        Some(host) if !host.contains('.') => {
            return Err(refused(alloc::format!("`{dns}`: a wildcard needs two labels below it")));
        }
        Some(host) => host,
        None => &dns,
    };
    let name = HostName::parse(host).map_err(|why| refused(alloc::format!("`{dns}`: {why}")))?;
    // IDNA permits it and leaves it to registries; a name made to look like another is not ours to certify.
    if name.mixes_scripts() {
        let unicode = name.to_unicode();
        return Err(refused(alloc::format!("`{dns}`: a label of `{unicode}` mixes scripts")));
    }
    if !covers(&rules.dns, host) {
        let allowed = match &rules.dns {
            DnsRule::Under(suffixes) => suffixes.join(", "),
            DnsRule::No | DnsRule::Any => "no DNS names".into(),
        };
        return Err(refused(alloc::format!("`{dns}` is outside what the profile allows: {allowed}")));
    }
    Ok(GeneralName::Dns(dns))
}

/// A Mailbox (RFC 5321 §4.1.2) at a host that the profile certifies. The host counts in lower case, the local part as
/// it is.
fn mail_address(rules: &NameRules, address: &str) -> Result<GeneralName, Refusal> {
    let wrong = |why: &str| refused(alloc::format!("`{address}`: {why}"));
    let (local, host) = address.rsplit_once('@').ok_or_else(|| wrong("a mail address has an @"))?;
    let host = host.to_ascii_lowercase();
    let name = GeneralName::Email(alloc::format!("{local}@{host}"));
    name.check().map_err(|why| wrong(&why.to_string()))?;
    if !covers(&rules.email, &host) {
        return Err(wrong("the profile certifies no mail addresses at this host"));
    }
    Ok(name)
}

/// Whether the rule covers a URI. Below a prefix, a dot segment could climb out of it again (RFC 3986 §5.2.4).
fn may_name(rule: &UriRule, uri: &str) -> bool {
    match rule {
        UriRule::No => false,
        UriRule::Any => true,
        UriRule::Under(prefixes) => {
            let below =
                |prefix: &String| uri.strip_prefix(prefix.as_str()).is_some_and(|rest| !rest.is_empty());
            prefixes.iter().any(below) && !uri.split(['/', '?', '#', ':']).any(is_dot_segment)
        }
    }
}

/// `.` and `..`, also with their dots written as `%2e`.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn covers(rule: &DnsRule, host: &str) -> bool {
    match rule {
        DnsRule::No => false,
        DnsRule::Any => true,
        DnsRule::Under(domains) => under(domains, host),
    }
}

/// Whether `host` is one of these domains or lies below one.
fn under(domains: &[String], host: &str) -> bool {
    domains.iter().any(|domain| {
        host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn refused(why: String) -> Refusal {
    Refusal::OutsideProfile { field: "names".into(), why }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::vec;

    use super::*;

    fn rules(dns: DnsRule) -> NameRules {
        NameRules { dns, wildcard: Allow::Yes, ip: IpRule::Any, count_min: 1, ..NameRules::NONE }
    }

    fn verdict(dns: &str) -> Result<Vec<GeneralName>, Refusal> {
        certified(&rules(DnsRule::Any), &[GeneralName::Dns(dns.to_owned())])
    }

    #[test]
    fn rfc5280_4_2_1_6_dns_names_are_in_preferred_name_syntax() {
        let long_label = "a".repeat(64);
        let long_name = ["a"; 130].join(".");
        for good in ["web.test", "a", "xn--mnchen-3ya.de", "*.web.test", "1and1.com", "a-b.c"] {
            assert!(verdict(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "web.test.",
            "a..b",
            "-a.test",
            "a-.test",
            "a_b.test",
            "*.test",
            "a.*.test",
            "*",
            "w*.test",
            "a b",
            "a\0b",
            "münchen.de",
            "10.0.0.1",
            "1.2",
            "xn--a.test",
            "xn--n3h.test",
            // p, then a Cyrillic a, ypal.
            "xn--pypal-4ve.test",
            long_label.as_str(),
            long_name.as_str(),
        ] {
            assert!(verdict(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn i18_names_outside_the_profile_are_refused() {
        let under = rules(DnsRule::Under(vec!["example.com".to_owned()]));
        for (name, expected) in [
            ("example.com", true),
            ("a.b.example.com", true),
            ("*.example.com", true),
            ("badexample.com", false),
            ("example.com.evil.test", false),
        ] {
            let got = certified(&under, &[GeneralName::Dns(name.to_owned())]).is_ok();
            assert_eq!(got, expected, "{name}");
        }
        let email = GeneralName::Email("a@example.com".to_owned());
        assert!(certified(&under, &[email]).is_err());
        assert!(certified(&under, &[]).is_err());
        let many: Vec<_> = (0..101).map(|i| GeneralName::Dns(alloc::format!("h{i}.example.com"))).collect();
        assert!(certified(&under, &many).is_err());
    }

    #[test]
    fn rfc5280_4_2_1_6_mail_addresses_are_mailboxes_at_hosts_of_the_profile() {
        let at = |email| NameRules { email, ..rules(DnsRule::No) };
        let long = alloc::format!("{}@example.com", "a".repeat(65));
        for (address, expected) in [
            ("Ann.Lee@Example.COM", Some("Ann.Lee@example.com")),
            ("a+b@mail.example.com", Some("a+b@mail.example.com")),
            ("a@example.org", None),
            ("example.com", None),
            ("@example.com", None),
            ("a..b@example.com", None),
            (".a@example.com", None),
            ("a b@example.com", None),
            ("a@b@example.com", None),
            ("<a@example.com>", None),
            ("a@", None),
            ("a@10.0.0.1", None),
            (long.as_str(), None),
        ] {
            let got = certified(
                &at(DnsRule::Under(vec!["example.com".to_owned()])),
                &[GeneralName::Email(address.to_owned())],
            );
            let expected = expected.map(|address| vec![GeneralName::Email(address.to_owned())]);
            assert_eq!(got.ok(), expected, "{address}");
        }
        assert!(certified(&at(DnsRule::No), &[GeneralName::Email("a@example.com".to_owned())]).is_err());
    }

    #[test]
    fn i18_uris_are_below_a_prefix_of_the_profile() {
        let under = NameRules {
            uri: UriRule::Under(vec!["spiffe://corp.example/".to_owned(), "urn:dev:".to_owned()]),
            ..NameRules::NONE
        };
        for (uri, expected) in [
            ("spiffe://corp.example/team/web", true),
            ("urn:dev:mac:0024befffe804ff1", true),
            ("spiffe://corp.example/", false),
            ("spiffe://corp.example", false),
            ("spiffe://corp.example.evil.test/web", false),
            ("spiffe://corp.example@evil.test/web", false),
            ("spiffe://CORP.example/web", false),
            ("https://corp.example/web", false),
            ("urn:device:1", false),
            ("spiffe://corp.example/../web", false),
            ("spiffe://corp.example/a/%2E%2e/b", false),
            ("spiffe://corp.example/a/.", false),
            ("spiffe://corp.example/a b", false),
        ] {
            let got = certified(&under, &[GeneralName::Uri(uri.to_owned())]).is_ok();
            assert_eq!(got, expected, "{uri}");
        }
    }

    #[test]
    fn i18_each_kind_of_name_has_a_rule_of_its_own() {
        use ca_x509::name::DistinguishedName;
        let domain = || DnsRule::Under(vec!["b.example".to_owned()]);
        let person = DistinguishedName::new().common_name("Ann").build().unwrap();
        let kinds: [(GeneralName, NameRules); 6] = [
            (GeneralName::Email("a@b.example".into()), NameRules { email: domain(), ..NameRules::NONE }),
            (
                GeneralName::SmtpUtf8Mailbox("\u{e4}nn@b.example".into()),
                NameRules { email: domain(), ..NameRules::NONE },
            ),
            (
                GeneralName::UserPrincipalName("a@B.example".into()),
                NameRules { upn: domain(), ..NameRules::NONE },
            ),
            (
                GeneralName::Ip([10, 1, 2, 3].into()),
                NameRules {
                    ip: IpRule::Within(vec![crate::profile::IpBlock {
                        address: [10, 0, 0, 0].into(),
                        prefix: 8,
                    }]),
                    ..NameRules::NONE
                },
            ),
            (
                GeneralName::Uri("urn:dev:1".into()),
                NameRules { uri: UriRule::Under(vec!["urn:dev:".into()]), ..NameRules::NONE },
            ),
            (GeneralName::Directory(person.into()), NameRules { directory: Allow::Yes, ..NameRules::NONE }),
        ];
        for (place, (name, own)) in kinds.iter().enumerate() {
            assert_eq!(
                certified(own, core::slice::from_ref(name)).as_deref(),
                Ok(core::slice::from_ref(name))
            );
            assert!(certified(&NameRules::NONE, core::slice::from_ref(name)).is_err(), "{name}");
            for (other, (_, rules)) in kinds.iter().enumerate() {
                let mail = place < 2 && other < 2;
                let got = certified(rules, core::slice::from_ref(name)).is_ok();
                assert_eq!(got, place == other || mail, "{name} under {rules:?}");
            }
        }
    }

    #[test]
    fn names_come_in_lower_case_and_once() {
        let asked = ["Web.Test", "web.test"].map(|name| GeneralName::Dns(name.to_owned()));
        let got = certified(&rules(DnsRule::Any), &asked);
        assert_eq!(got, Ok(vec![GeneralName::Dns("web.test".to_owned())]));
    }
}
