//! Whether a name is within a name constraint (RFC 5280 §4.2.1.10).

use alloc::string::String;
use core::net::IpAddr;

use ca_x509::certificate::{NameConstraints, NameSubtree};
use ca_x509::name::{DistinguishedName, GeneralName};

/// Whether a name is permitted: within one of the permitted subtrees of its form, if there is any of that form, and
/// within none that is excluded. A form that has no constraints is not constrained.
pub(crate) fn permits(constraints: &NameConstraints, name: &GeneralName) -> bool {
    let of_form = |subtree: &&NameSubtree| is_of_form(subtree, name);
    let mut permitted = constraints.permitted.iter().filter(of_form).peekable();
    let is_permitted = permitted.peek().is_none() || permitted.any(|subtree| holds(subtree, name));
    is_permitted && !constraints.excluded.iter().any(|subtree| meets(subtree, name))
}

/// As [`permits`], for a subject, which is a directory name.
pub(crate) fn permits_directory(constraints: &NameConstraints, name: &DistinguishedName) -> bool {
    let base = |subtree: &NameSubtree| match subtree {
        NameSubtree::Directory(base) => Some(begins(name, base)),
        _ => None,
    };
    let mut permitted = constraints.permitted.iter().filter_map(base).peekable();
    let is_permitted = permitted.peek().is_none() || permitted.any(|begins| begins);
    is_permitted && !constraints.excluded.iter().filter_map(base).any(|begins| begins)
}

/// Whether a whole subtree is permitted: within a permitted one of its form, if there is any, and not within one that
/// is excluded. What is excluded inside it stays so: every constraint on the way to the root counts.
pub(crate) fn encloses(constraints: &NameConstraints, inner: &NameSubtree) -> bool {
    let same_form = |outer: &&NameSubtree| core::mem::discriminant(*outer) == core::mem::discriminant(inner);
    let mut permitted = constraints.permitted.iter().filter(same_form).peekable();
    let is_permitted = permitted.peek().is_none() || permitted.any(|outer| contains(outer, inner));
    is_permitted && !constraints.excluded.iter().any(|outer| contains(outer, inner))
}

/// `DNS:corp.example`, `IP:10.0.0.0/8`, `email:.corp.example`, `URI:corp.example`, `dirName:O=Corp`.
pub(crate) fn shown(subtree: &NameSubtree) -> String {
    match subtree {
        NameSubtree::Dns(base) => alloc::format!("DNS:{base}"),
        NameSubtree::Email(base) => alloc::format!("email:{base}"),
        NameSubtree::Uri(base) => alloc::format!("URI:{base}"),
        NameSubtree::Ip { address, prefix } => alloc::format!("IP:{address}/{prefix}"),
        NameSubtree::Directory(base) => alloc::format!("dirName:{base}"),
    }
}

fn is_of_form(subtree: &NameSubtree, name: &GeneralName) -> bool {
    matches!(
        (subtree, name),
        (NameSubtree::Dns(_), GeneralName::Dns(_))
            | (NameSubtree::Ip { .. }, GeneralName::Ip(_))
            // RFC 9598 §6: the constraints of rfc822Name hold for both.
            | (NameSubtree::Email(_), GeneralName::Email(_) | GeneralName::SmtpUtf8Mailbox(_))
            | (NameSubtree::Uri(_), GeneralName::Uri(_))
            | (NameSubtree::Directory(_), GeneralName::Directory(_))
    )
}

/// Whether all that a name stands for is within a subtree.
fn holds(subtree: &NameSubtree, name: &GeneralName) -> bool {
    match (subtree, name) {
        (NameSubtree::Dns(base), GeneralName::Dns(dns)) => below(base, dns.strip_prefix("*.").unwrap_or(dns)),
        (NameSubtree::Ip { address, prefix }, GeneralName::Ip(ip)) => in_block(*address, *prefix, *ip),
        (NameSubtree::Email(base), GeneralName::Email(mail) | GeneralName::SmtpUtf8Mailbox(mail)) => {
            mailbox_within(base, mail)
        }
        (NameSubtree::Uri(base), GeneralName::Uri(uri)) => {
            host_of(uri).is_some_and(|host| at_host(base, host))
        }
        (NameSubtree::Directory(base), GeneralName::Directory(name)) => begins(name, base),
        _ => false,
    }
}

/// Whether something that a name stands for is within a subtree. A wildcard stands for every name one label below.
fn meets(subtree: &NameSubtree, name: &GeneralName) -> bool {
    let one_below = |base: &str, parent: &str| {
        let label = base.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.'));
        label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
    };
    match (subtree, name) {
        (NameSubtree::Dns(base), GeneralName::Dns(dns)) => match dns.strip_prefix("*.") {
            Some(parent) => below(base, parent) || one_below(&base.to_ascii_lowercase(), parent),
            None => below(base, dns),
        },
        // Without a host there is nothing to compare (RFC 5280 §4.2.1.10): not for a CA with such a constraint.
        (NameSubtree::Uri(base), GeneralName::Uri(uri)) => {
            host_of(uri).is_none_or(|host| at_host(base, host))
        }
        _ => holds(subtree, name),
    }
}

/// Whether `inner` lies wholly within `outer`.
fn contains(outer: &NameSubtree, inner: &NameSubtree) -> bool {
    match (outer, inner) {
        (NameSubtree::Dns(outer), NameSubtree::Dns(inner)) => below(outer, inner),
        (NameSubtree::Ip { address, prefix }, NameSubtree::Ip { address: inner, prefix: longer }) => {
            prefix <= longer && in_block(*address, *prefix, *inner)
        }
        (NameSubtree::Uri(outer), NameSubtree::Uri(inner)) => base_within(outer, inner),
        (NameSubtree::Email(outer), NameSubtree::Email(inner)) => match inner.contains('@') {
            true => mailbox_within(outer, inner),
            false => !outer.contains('@') && base_within(outer, inner),
        },
        (NameSubtree::Directory(outer), NameSubtree::Directory(inner)) => begins(inner, outer),
        _ => false,
    }
}

/// A host name, or one below it: "adding zero or more labels to the left". An empty base is above all.
fn below(base: &str, name: &str) -> bool {
    let (base, name) = (base.to_ascii_lowercase(), name.to_ascii_lowercase());
    // Others write a leading dot here, which means the names below alone.
    match base.strip_prefix('.') {
        Some(parent) => name.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => {
            base.is_empty()
                || name.strip_suffix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
    }
}

/// The host itself, or with a leading dot whatever lies below it.
fn at_host(base: &str, host: &str) -> bool {
    if base.starts_with('.') { below(base, host) } else { base.eq_ignore_ascii_case(host) }
}

/// Whether one base of mailboxes or URIs, a host or a dot and a host, lies within another.
fn base_within(outer: &str, inner: &str) -> bool {
    match inner.strip_prefix('.') {
        Some(host) if outer.starts_with('.') => outer.eq_ignore_ascii_case(inner) || below(outer, host),
        Some(_) => false,
        None => at_host(outer, inner),
    }
}

/// One mailbox, all of a host, or all of the hosts below one. The host counts without case, the rest with it.
fn mailbox_within(base: &str, mail: &str) -> bool {
    let Some((local, host)) = mail.rsplit_once('@') else { return false };
    match base.rsplit_once('@') {
        Some((only, at)) => only == local && at.eq_ignore_ascii_case(host),
        None => at_host(base, host),
    }
}

/// The host of a URI with an authority; none if that is an address (RFC 5280 §4.2.1.10).
fn host_of(uri: &str) -> Option<&str> {
    let authority = uri.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    if place.starts_with('[') {
        return None;
    }
    let host = place.split_once(':').map_or(place, |(host, _)| host);
    (!host.is_empty() && host.parse::<IpAddr>().is_err()).then_some(host)
}

fn in_block(address: IpAddr, prefix: u8, ip: IpAddr) -> bool {
    let same = |width: u32, one: u128, other: u128| {
        let host_bits = width.saturating_sub(u32::from(prefix));
        one.checked_shr(host_bits).unwrap_or(0) == other.checked_shr(host_bits).unwrap_or(0)
    };
    match (address, ip) {
        (IpAddr::V4(block), IpAddr::V4(ip)) => same(32, block.to_bits().into(), ip.to_bits().into()),
        (IpAddr::V6(block), IpAddr::V6(ip)) => same(128, block.to_bits(), ip.to_bits()),
        _ => false,
    }
}

/// Whether a name begins with the relative names of another. Both are sequences of whole elements, so octets tell.
fn begins(name: &DistinguishedName, base: &DistinguishedName) -> bool {
    name.relative_names().starts_with(base.relative_names())
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::boxed::Box;
    use alloc::vec;

    use super::*;

    fn dn(text: &str) -> DistinguishedName {
        text.parse().unwrap()
    }

    /// `DNS:a`, `email:a`, `URI:a`, `IP:a/n`, `dirName:a`.
    fn tree(text: &str) -> NameSubtree {
        let (form, base) = text.split_once(':').unwrap();
        match form {
            "DNS" => NameSubtree::Dns(base.to_owned()),
            "email" => NameSubtree::Email(base.to_owned()),
            "URI" => NameSubtree::Uri(base.to_owned()),
            "IP" => {
                let (address, prefix) = base.split_once('/').unwrap();
                NameSubtree::Ip { address: address.parse().unwrap(), prefix: prefix.parse().unwrap() }
            }
            _ => NameSubtree::Directory(Box::new(dn(base))),
        }
    }

    fn name(text: &str) -> GeneralName {
        let (form, value) = text.split_once(':').unwrap();
        match form {
            "DNS" => GeneralName::Dns(value.to_owned()),
            "email" => GeneralName::Email(value.to_owned()),
            "utf8" => GeneralName::SmtpUtf8Mailbox(value.to_owned()),
            "URI" => GeneralName::Uri(value.to_owned()),
            "IP" => GeneralName::Ip(value.parse().unwrap()),
            _ => GeneralName::Directory(Box::new(dn(value))),
        }
    }

    /// Base, name; whether a CA that is permitted the base alone may certify the name; whether one from which the base
    /// is excluded may.
    const ROWS: &[(&str, &str, bool, bool)] = &[
        ("DNS:corp.example", "DNS:corp.example", true, false),
        ("DNS:corp.example", "DNS:CORP.example", true, false),
        ("DNS:corp.example", "DNS:a.b.corp.example", true, false),
        ("DNS:corp.example", "DNS:xcorp.example", false, true),
        ("DNS:corp.example", "DNS:example", false, true),
        ("DNS:corp.example", "DNS:corp.example.org", false, true),
        ("DNS:corp.example", "DNS:*.corp.example", true, false),
        ("DNS:corp.example", "DNS:*.example", false, false),
        ("DNS:secret.corp.example", "DNS:*.corp.example", false, false),
        ("DNS:a.secret.corp.example", "DNS:*.corp.example", false, true),
        ("DNS:", "DNS:any.example", true, false),
        ("DNS:.corp.example", "DNS:corp.example", false, true),
        ("DNS:.corp.example", "DNS:a.corp.example", true, false),
        // Another form is not constrained.
        ("DNS:corp.example", "IP:10.0.0.1", true, true),
        ("DNS:corp.example", "email:a@other.example", true, true),
        ("IP:10.0.0.0/8", "IP:10.255.0.1", true, false),
        ("IP:10.0.0.0/8", "IP:11.0.0.1", false, true),
        ("IP:10.0.0.1/32", "IP:10.0.0.1", true, false),
        ("IP:10.0.0.1/32", "IP:10.0.0.2", false, true),
        ("IP:0.0.0.0/0", "IP:192.0.2.1", true, false),
        ("IP:0.0.0.0/0", "IP:2001:db8::1", false, true),
        ("IP:2001:db8::/32", "IP:2001:db8:1::1", true, false),
        ("IP:2001:db8::/32", "IP:2001:db9::1", false, true),
        ("IP:::/0", "IP:2001:db9::1", true, false),
        ("email:corp.example", "email:a@corp.example", true, false),
        ("email:corp.example", "email:a@Corp.Example", true, false),
        ("email:corp.example", "email:a@mail.corp.example", false, true),
        ("email:.corp.example", "email:a@mail.corp.example", true, false),
        ("email:.corp.example", "email:a@corp.example", false, true),
        ("email:root@corp.example", "email:root@corp.example", true, false),
        ("email:root@corp.example", "email:Root@corp.example", false, true),
        ("email:root@corp.example", "email:a@corp.example", false, true),
        ("email:corp.example", "utf8:ü@corp.example", true, false),
        ("email:corp.example", "utf8:ü@other.example", false, true),
        ("URI:corp.example", "URI:https://corp.example/a", true, false),
        ("URI:corp.example", "URI:https://u@corp.example:8443/a", true, false),
        ("URI:corp.example", "URI:https://a.corp.example/", false, true),
        ("URI:.corp.example", "URI:https://a.corp.example/", true, false),
        ("URI:corp.example", "URI:https://10.0.0.1/", false, false),
        ("URI:corp.example", "URI:urn:a:b", false, false),
        ("dirName:O=Corp,C=DE", "dirName:CN=a,O=Corp,C=DE", true, false),
        ("dirName:O=Corp,C=DE", "dirName:CN=a,O=Corporation,C=DE", false, true),
        ("dirName:O=Corp,C=DE", "dirName:C=DE", false, true),
    ];

    #[test]
    fn rfc5280_4_2_1_10_names_and_subtrees() {
        for &(base, named, permitted, not_excluded) in ROWS {
            let only = NameConstraints { permitted: vec![tree(base)], excluded: vec![] };
            assert_eq!(permits(&only, &name(named)), permitted, "{named} within {base}");
            let without = NameConstraints { permitted: vec![], excluded: vec![tree(base)] };
            assert_eq!(permits(&without, &name(named)), not_excluded, "{named} outside {base}");
        }
    }

    #[test]
    fn rfc5280_4_2_1_10_subjects_are_directory_names() {
        let only = NameConstraints { permitted: vec![tree("dirName:O=Corp")], excluded: vec![] };
        for (subject, permitted) in
            [("CN=a,O=Corp", true), ("O=Corp", true), ("CN=a", false), ("O=Other", false)]
        {
            assert_eq!(permits_directory(&only, &dn(subject)), permitted, "{subject}");
        }
        let dns = NameConstraints { permitted: vec![tree("DNS:corp.example")], excluded: vec![] };
        assert!(permits_directory(&dns, &dn("CN=a")), "another form");
    }

    #[test]
    fn a_subtree_within_another() {
        for (outer, inner, enclosed) in [
            ("DNS:corp.example", "DNS:corp.example", true),
            ("DNS:corp.example", "DNS:a.corp.example", true),
            ("DNS:corp.example", "DNS:example", false),
            ("DNS:corp.example", "DNS:", false),
            ("IP:10.0.0.0/8", "IP:10.1.0.0/16", true),
            ("IP:10.0.0.0/8", "IP:0.0.0.0/0", false),
            ("IP:10.1.0.0/16", "IP:10.0.0.0/8", false),
            ("email:.corp.example", "email:a.corp.example", true),
            ("email:.corp.example", "email:.a.corp.example", true),
            ("email:.corp.example", "email:.corp.example", true),
            ("email:corp.example", "email:.corp.example", false),
            ("email:corp.example", "email:a@corp.example", true),
            ("email:a@corp.example", "email:corp.example", false),
            ("URI:.corp.example", "URI:a.corp.example", true),
            ("URI:.corp.example", "URI:corp.example", false),
            ("dirName:O=Corp", "dirName:OU=a,O=Corp", true),
            ("dirName:OU=a,O=Corp", "dirName:O=Corp", false),
            // Nothing is said of this form.
            ("DNS:corp.example", "IP:0.0.0.0/0", true),
        ] {
            let only = NameConstraints { permitted: vec![tree(outer)], excluded: vec![] };
            assert_eq!(encloses(&only, &tree(inner)), enclosed, "{inner} within {outer}");
        }
        let without = NameConstraints { permitted: vec![], excluded: vec![tree("DNS:secret.example")] };
        assert!(!encloses(&without, &tree("DNS:a.secret.example")));
        assert!(encloses(&without, &tree("DNS:example")), "the exclusion above goes on to count");
    }
}
