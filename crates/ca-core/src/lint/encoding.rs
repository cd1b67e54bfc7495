//! DER (X.690): one value, one encoding. What two readers could read in two ways is not signed.

use super::der::{
    BIT_STRING, BOOLEAN, CONSTRUCTED, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SET, UTF8_STRING, Value,
};
use super::reading::Reading;
use super::{Rule, ensure, oids};
use alloc::string::String;

pub(super) const RULES: &[Rule] = &[
    ("X.690 §10.1", "a length has the fewest octets", |tbs| {
        each(tbs, |value| match value.length {
            [_, first, rest @ ..] => *first != 0 && (!rest.is_empty() || *first >= 0x80),
            _ => true,
        })
    }),
    ("X.690 §10.2", "a string is primitive", |tbs| {
        // Universal types 3, 4, 12 and 18 to 30: strings and times.
        each(tbs, |value| {
            !matches!(value.tag ^ CONSTRUCTED, BIT_STRING | OCTET_STRING | UTF8_STRING | 18..=30)
        })
    }),
    ("X.690 §8.3.2", "an integer has the fewest octets", |tbs| {
        each_of(tbs, INTEGER, |content| match content {
            [] => false,
            [0, second, ..] => *second >= 0x80,
            [0xff, second, ..] => *second < 0x80,
            _ => true,
        })
    }),
    ("X.690 §11.1", "true is written ff", |tbs| {
        each_of(tbs, BOOLEAN, |content| matches!(content, [0] | [0xff]))
    }),
    ("X.690 §8.8.2", "a null is empty", |tbs| each_of(tbs, NULL, <[u8]>::is_empty)),
    ("X.690 §8.19.2", "a number of an object identifier has the fewest octets", |tbs| {
        each_of(tbs, OBJECT_IDENTIFIER, |content| {
            let mut starts = true;
            let minimal = content.iter().all(|octet| {
                let padded = starts && *octet == 0x80;
                starts = *octet < 0x80;
                !padded
            });
            minimal && starts && !content.is_empty()
        })
    }),
    ("X.690 §11.2.1", "the unused bits of a bit string are zero", |tbs| {
        each_of(tbs, BIT_STRING, |content| match content {
            [0] => true,
            [unused @ 0..=7, .., last] => last.trailing_zeros() >= u32::from(*unused),
            _ => false,
        })
    }),
    ("X.690 §11.2.2", "a list of named bits ends with one that is set", |tbs| {
        let usage = tbs.value(oids::KEY_USAGE).map(|usage| usage.content).unwrap_or_default();
        let ends = match usage {
            [unused @ 0..=7, .., last] => {
                last.checked_shr(u32::from(*unused)).is_some_and(|bits| bits & 1 == 1)
            }
            _ => true,
        };
        ensure(ends, format_args!("key usage is {usage:02x?}"))
    }),
    ("X.690 §11.5", "a default is left out", |tbs| {
        let flag =
            tbs.extensions.iter().find(|extension| extension.flag.is_some_and(|flag| flag.content == [0]));
        if let Some(extension) = flag {
            return Err(alloc::format!("extension {} is marked not critical", oids::dotted(extension.oid)));
        }
        let constraints = tbs.list(oids::BASIC_CONSTRAINTS);
        let denied = constraints.iter().any(|field| field.tag == BOOLEAN && field.content == [0]);
        ensure(!denied, "cA is written as false")
    }),
    ("X.690 §11.6", "the members of a set stand in ascending order", |tbs| {
        each(tbs, |value| value.tag != SET || value.parts().is_sorted_by(|one, next| one.raw <= next.raw))
    }),
];

fn each(tbs: &Reading<'_>, holds: impl Fn(Value<'_>) -> bool) -> Result<(), String> {
    match tbs.values.iter().find(|value| !holds(**value)) {
        Some(value) => Err(alloc::format!("there is {:02x?}", value.raw.get(..value.raw.len().min(16)))),
        None => Ok(()),
    }
}

fn each_of(tbs: &Reading<'_>, tag: u8, holds: impl Fn(&[u8]) -> bool) -> Result<(), String> {
    each(tbs, |value| value.tag != tag || holds(value.content))
}

#[cfg(test)]
mod tests {
    use crate::lint::oids::{COMMON_NAME, KEY_USAGE, ORGANIZATION};
    use crate::lint::sample::{Case, Parts, attribute, ca, check, client, sequence, tlv};

    /// An extension of nobody's, with this in it.
    fn with(value: &[u8]) -> Parts {
        client().append(&[0x2a, 3], false, value)
    }

    const CASES: &[Case] = &[
        ("a length has the fewest octets", || with(&[4, 0x81, 1, 0])),
        ("a length has the fewest octets", || with(&[&[4, 0x82, 0, 0x80][..], &[0; 128]].concat())),
        ("a string is primitive", || with(&[0x24, 3, 4, 1, 0])),
        ("a string is primitive", || with(&[0x33, 3, 0x13, 1, b'a'])),
        ("an integer has the fewest octets", || with(&[2, 2, 0, 1])),
        ("an integer has the fewest octets", || with(&[2, 2, 0xff, 0x80])),
        ("an integer has the fewest octets", || with(&[2, 0])),
        ("true is written ff", || with(&[1, 1, 1])),
        ("true is written ff", || {
            let flag = [&tlv(6, KEY_USAGE)[..], &[1, 1, 1], &tlv(4, &[3, 2, 7, 0x80])].concat();
            client().remove(KEY_USAGE).append_raw(&sequence(&[&flag]))
        }),
        ("a null is empty", || with(&[5, 1, 0])),
        ("a number of an object identifier has the fewest octets", || with(&[6, 3, 0x2a, 0x80, 1])),
        ("a number of an object identifier has the fewest octets", || with(&[6, 2, 0x2a, 0x80 | 1])),
        ("the unused bits of a bit string are zero", || client().replace(KEY_USAGE, true, &[3, 2, 7, 0x82])),
        ("a list of named bits ends with one that is set", || {
            client().replace(KEY_USAGE, true, &[3, 2, 6, 0x80])
        }),
        ("a default is left out", || {
            let flag = [&tlv(6, &[0x2a, 3])[..], &[1, 1, 0], &tlv(4, &[5, 0])].concat();
            client().append_raw(&sequence(&[&flag]))
        }),
        ("a default is left out", || {
            client().replace(crate::lint::oids::BASIC_CONSTRAINTS, false, &[0x30, 3, 1, 1, 0])
        }),
        ("the members of a set stand in ascending order", || {
            let pair = [attribute(ORGANIZATION, 0x0c, b"b"), attribute(COMMON_NAME, 0x0c, b"a")].concat();
            Parts { subject: sequence(&[&tlv(0x31, &pair)]), ..ca() }
        }),
    ];

    #[test]
    fn each_rule_is_broken_by_octets_that_break_no_other() {
        check(super::RULES, CASES);
    }
}
