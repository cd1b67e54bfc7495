//! What a CA may certify, and where its practice is told: the forms of constraints and pointers (RFC 5280 §4.2.1.4,
//! §4.2.1.10). Which extensions may stand where is said with the others, in `extensions.rs`.

use alloc::string::String;
use alloc::vec::Vec;

use super::der::Value;
use super::names::{DNS, EMAIL, IP, URI, is_absolute, is_host_name, is_mailbox};
use super::reading::Reading;
use super::{Rule, oids};

pub(super) const RULES: &[Rule] = &[
    ("RFC 5280 §4.2.1.10", "a constraint of DNS names is a host, without a dot before it", |tbs| {
        bases(tbs, DNS, |base| base.is_empty() || is_host(base))
    }),
    ("RFC 5280 §4.2.1.10", "a constraint of mailboxes is one, a host, or what lies below one", |tbs| {
        bases(tbs, EMAIL, |base| is_mailbox(base) || is_host(base.strip_prefix('.').unwrap_or(base)))
    }),
    ("RFC 5280 §4.2.1.10", "a constraint of URIs is a host, or what lies below one", |tbs| {
        bases(tbs, URI, |base| is_host(base.strip_prefix('.').unwrap_or(base)))
    }),
    ("RFC 4632 §3.1", "a mask is ones, then zeros, and the address has no bits beyond it", |tbs| {
        match subtrees(tbs, IP).into_iter().find(|block| !is_block(block.content)) {
            Some(block) => Err(alloc::format!("there is {:02x?}", block.content)),
            None => Ok(()),
        }
    }),
    ("RFC 5280 §4.2.1.4", "a CPS pointer is a URI", |tbs| {
        let qualifiers = tbs.policies().flat_map(|(_, qualifiers)| qualifiers).map(Value::parts);
        let pointers = qualifiers.filter_map(|parts| match parts.as_slice() {
            [oid, pointer] if oid.content == oids::QUALIFIER_CPS => Some(pointer.content),
            _ => None,
        });
        let is_uri = |pointer: &&[u8]| core::str::from_utf8(pointer).is_ok_and(is_absolute);
        match pointers.into_iter().find(|pointer| !is_uri(pointer)) {
            Some(pointer) => Err(alloc::format!("there is `{}`", pointer.escape_ascii())),
            None => Ok(()),
        }
    }),
];

/// Whether every base of one form holds it.
fn bases(tbs: &Reading<'_>, form: u8, holds: impl Fn(&str) -> bool) -> Result<(), String> {
    let text = |base: &Value<'_>| core::str::from_utf8(base.content).is_ok_and(&holds);
    match subtrees(tbs, form).into_iter().find(|base| !text(base)) {
        Some(base) => Err(alloc::format!("there is `{}`", base.content.escape_ascii())),
        None => Ok(()),
    }
}

/// The bases of one form, permitted and excluded.
fn subtrees<'a>(tbs: &Reading<'a>, form: u8) -> Vec<Value<'a>> {
    let trees = tbs.list(oids::NAME_CONSTRAINTS).iter().copied().flat_map(Value::parts);
    trees.filter_map(Value::inner).filter(|base| base.tag == form).collect()
}

fn is_host(text: &str) -> bool {
    is_host_name(text) && !text.contains('*')
}

/// Address and mask. Other lengths are another rule's.
fn is_block(octets: &[u8]) -> bool {
    let (address, mask) = octets.split_at_checked(octets.len() >> 1).unwrap_or_default();
    let ones: u32 = mask.iter().map(|octet| octet.leading_ones()).sum();
    let counted = mask.iter().scan(ones, |left, octet| {
        let here = (*left).min(8);
        *left = left.saturating_sub(here);
        Some(octet.count_ones() == here && octet.leading_ones() == here)
    });
    let beyond = address.iter().zip(mask).any(|(address, mask)| address & !mask != 0);
    !matches!(octets.len(), 8 | 32) || counted.into_iter().all(|fits| fits) && !beyond
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::lint::oids::{CERTIFICATE_POLICIES, NAME_CONSTRAINTS, QUALIFIER_CPS};
    use crate::lint::sample::{Case, Parts, ca, check, client, pass, sequence, tlv};

    use super::*;

    /// A CA that may certify what lies below one base.
    fn permitting(form: u8, base: &[u8]) -> Parts {
        let trees = sequence(&[&tlv(0xa0, &sequence(&[&tlv(form, base)]))]);
        ca().append(NAME_CONSTRAINTS, true, &trees)
    }

    /// A client under a policy that points at its practice statement.
    fn pointing(uri: &[u8]) -> Parts {
        let qualifier = sequence(&[&tlv(6, QUALIFIER_CPS), &tlv(0x16, uri)]);
        let policies: Vec<u8> = sequence(&[&sequence(&[&tlv(6, &[0x2a, 3]), &sequence(&[&qualifier])])]);
        client().append(CERTIFICATE_POLICIES, false, &policies)
    }

    const HOSTS: &str = "a constraint of DNS names is a host, without a dot before it";
    const BOXES: &str = "a constraint of mailboxes is one, a host, or what lies below one";
    const URIS: &str = "a constraint of URIs is a host, or what lies below one";
    const MASK: &str = "a mask is ones, then zeros, and the address has no bits beyond it";
    const POINTER: &str = "a CPS pointer is a URI";

    const CASES: &[Case] = &[
        (HOSTS, || permitting(DNS, b".example.com")),
        (HOSTS, || permitting(DNS, b"*.example.com")),
        (BOXES, || permitting(EMAIL, b"@example.com")),
        (BOXES, || permitting(EMAIL, b"..example.com")),
        (URIS, || permitting(URI, b"https://example.com/")),
        (MASK, || permitting(IP, &[10, 0, 0, 0, 255, 0, 255, 0])),
        (MASK, || permitting(IP, &[10, 0, 0, 0, 0xfd, 0, 0, 0])),
        (MASK, || permitting(IP, &[10, 0, 0, 1, 255, 0, 0, 0])),
        (POINTER, || pointing(b"cps.example")),
        (POINTER, || pointing(b"http://")),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(RULES, CASES);
    }

    #[test]
    fn constraints_of_use_break_no_rule() {
        pass(&[
            permitting(DNS, b"example.com"),
            permitting(DNS, b""),
            permitting(EMAIL, b"ann@example.com"),
            permitting(EMAIL, b".example.com"),
            permitting(URI, b"example.com"),
            permitting(IP, &[10, 0, 0, 0, 255, 0x80, 0, 0]),
            permitting(IP, &[0; 8]),
            permitting(IP, &[0; 32]),
            pointing(b"http://cps.example/"),
        ]);
    }
}
