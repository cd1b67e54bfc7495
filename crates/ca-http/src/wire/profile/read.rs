//! From words to values; what is none of the vocabulary becomes a fault, and reading goes on.

use core::fmt::Display;
use core::str::FromStr;

use ca_core::profile::{Allow, ProfileFault};
use ca_x509::certificate::{ExtendedKeyUsage, KeyUsage};
use ca_x509::oid::Oid;

pub(super) fn fault(field: &str, why: String) -> ProfileFault {
    ProfileFault { field: field.to_owned(), why }
}

pub(super) fn allow(yes: bool) -> Allow {
    if yes { Allow::Yes } else { Allow::No }
}

pub(super) fn parsed<T: FromStr<Err: Display>>(
    field: &str,
    text: &str,
    faults: &mut Vec<ProfileFault>,
) -> Option<T> {
    text.parse().map_err(|error| faults.push(fault(field, format!("`{text}`: {error}")))).ok()
}

pub(super) fn each<T>(
    field: &str,
    texts: &[String],
    faults: &mut Vec<ProfileFault>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let mut read_all = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        match read(text) {
            Ok(one) => read_all.push(one),
            Err(why) => faults.push(fault(&format!("{field}[{place}]"), why)),
        }
    }
    read_all
}

pub(super) fn known<T: Copy>(
    field: &str,
    words: &[(&str, T)],
    text: &str,
    faults: &mut Vec<ProfileFault>,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        faults.push(fault(field, format!("`{text}` is none of {}", words.join(", "))));
    }
    found
}

pub(super) fn word<T: PartialEq + Copy>(words: &[(&str, T)], value: T) -> String {
    let found = words.iter().find(|(_, known)| *known == value);
    found.map(|(word, _)| (*word).to_owned()).unwrap_or_default()
}

pub(super) fn key_usage(field: &str, names: &[String], faults: &mut Vec<ProfileFault>) -> KeyUsage {
    let usages = each(field, names, faults, |name| {
        let names = || KeyUsage::ALL.map(|(_, name)| name).join(", ");
        KeyUsage::from_name(name).ok_or_else(|| format!("`{name}` is none of {}", names()))
    });
    usages.into_iter().collect()
}

/// Those with a name, whichever way they are written, and the others.
pub(super) fn purposes(
    texts: &[String],
    faults: &mut Vec<ProfileFault>,
) -> (Vec<ExtendedKeyUsage>, Vec<Oid>) {
    let (mut named, mut others) = (Vec::new(), Vec::new());
    each("usage.extended", texts, faults, |text| {
        ExtendedKeyUsage::from_name(text)
            .map(Purpose::Named)
            .or_else(|| text.parse().ok().map(Purpose::of))
            .ok_or_else(|| {
                let names = ExtendedKeyUsage::ALL.map(ExtendedKeyUsage::as_str).join(", ");
                format!("`{text}` is none of {names}, and no object identifier")
            })
    })
    .into_iter()
    .for_each(|purpose| match purpose {
        Purpose::Named(purpose) => named.push(purpose),
        Purpose::Other(oid) => others.push(oid),
    });
    (named, others)
}

enum Purpose {
    Named(ExtendedKeyUsage),
    Other(Oid),
}

impl Purpose {
    fn of(oid: Oid) -> Self {
        ExtendedKeyUsage::from_oid(oid).map_or(Self::Other(oid), Self::Named)
    }
}
