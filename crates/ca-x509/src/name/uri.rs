//! Uniform resource identifiers as certificates hold them (RFC 5280 §4.2.1.6, RFC 3986).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{HostName, NameError};

/// Checks that a URI is absolute, in the characters of RFC 3986, and that an authority names its host.
pub(super) fn check(text: &str) -> Result<(), NameError> {
    let (scheme, rest) =
        text.split_once(':').ok_or_else(|| refused("it is not relative: it has a scheme"))?;
    let starts_with_letter = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    if !starts_with_letter
        || !scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
    {
        return Err(refused("a scheme has letters, digits, plus, minus and dot (RFC 3986 §3.1)"));
    }
    if rest.is_empty() {
        return Err(refused("it has a scheme-specific part"));
    }
    let after_authority = match rest.strip_prefix("//") {
        Some(hierarchical) => {
            let end = hierarchical.find(['/', '?', '#']).unwrap_or(hierarchical.len());
            let (authority, path) = hierarchical.split_at_checked(end).unwrap_or((hierarchical, ""));
            check_authority(scheme, authority)?;
            path
        }
        None => rest,
    };
    check_characters(after_authority)
}

/// `[userinfo@]host[:port]` (RFC 3986 §3.2); the host is a name or an address (RFC 5280 §4.2.1.6).
fn check_authority(scheme: &str, authority: &str) -> Result<(), NameError> {
    let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains('@') {
        return Err(refused("one @ at most stands before the host (RFC 3986 §3.2.1)"));
    }
    check_characters(user)?;
    if let Some(literal) = place.strip_prefix('[') {
        let (address, port) = literal.split_once(']').ok_or_else(|| refused("a bracket is closed"))?;
        address
            .parse::<Ipv6Addr>()
            .map_err(|_| refused("brackets hold an ipv6 address (RFC 3986 §3.2.2)"))?;
        return match port.strip_prefix(':') {
            Some(port) => check_port(port),
            None if port.is_empty() => Ok(()),
            None => Err(refused("nothing but a port follows the host (RFC 3986 §3.2)")),
        };
    }
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    port.map_or(Ok(()), check_port)?;
    // RFC 5280 §4.2.1.13: without a host, an LDAP URI means the directory that the client knows.
    let is_directory = scheme.eq_ignore_ascii_case("ldap") || scheme.eq_ignore_ascii_case("ldaps");
    if (host.is_empty() && is_directory && authority.is_empty()) || host.parse::<Ipv4Addr>().is_ok() {
        return Ok(());
    }
    HostName::parse(host).map(|_| ()).map_err(NameError::from)
}

fn check_port(port: &str) -> Result<(), NameError> {
    // RFC 3986 §3.2.3 permits an empty one.
    if port.is_empty() || port.parse::<u16>().is_ok() && port.bytes().all(|octet| octet.is_ascii_digit()) {
        Ok(())
    } else {
        Err(refused("a port is a number below 65536 (RFC 3986 §3.2.3)"))
    }
}

/// Path, query and fragment, or what stands before the host: `pchar` and the separators (RFC 3986 §3.3).
fn check_characters(text: &str) -> Result<(), NameError> {
    let mut octets = text.bytes();
    let mut has_fragment = false;
    while let Some(octet) = octets.next() {
        let is_good = match octet {
            b'%' => {
                let mut is_digit = || octets.next().is_some_and(|digit| digit.is_ascii_hexdigit());
                is_digit() && is_digit()
            }
            b'#' => !core::mem::replace(&mut has_fragment, true),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'('
            | b')' | b'*' | b'+' | b',' | b';' | b'=' => true,
            _ => octet.is_ascii_alphanumeric(),
        };
        if !is_good {
            return Err(refused("its characters are those of RFC 3986 §2, others percent-encoded"));
        }
    }
    Ok(())
}

const fn refused(rule: &'static str) -> NameError {
    NameError::Syntax { form: "uniformResourceIdentifier", rule }
}
