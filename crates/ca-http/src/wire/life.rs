//! Spans of time as people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A whole number of seconds, written with a unit: `20y` of 365 days each, `90d`, `24h`, `30m`, `3600s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life(pub u64);

/// Text that is no [`Life`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not like 20y, 90d, 24h, 30m or 3600s")]
pub struct NotALife(pub String);

impl PartialSchema for Life {
    fn schema() -> RefOr<Schema> {
        let text = "a whole number of seconds with a unit: `20y`, `90d`, `24h`, `30m`, `3600s`";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(text))
            .pattern(Some("^[0-9]+[ydhms]$"))
            .build()
            .into()
    }
}

impl ToSchema for Life {}

const UNITS: [(&str, u64); 5] = [("y", 365 * 24 * 3600), ("d", 24 * 3600), ("h", 3600), ("m", 60), ("s", 1)];

impl FromStr for Life {
    type Err = NotALife;

    fn from_str(text: &str) -> Result<Self, NotALife> {
        let seconds = UNITS.into_iter().find_map(|(unit, unit_s)| {
            let digits = text.strip_suffix(unit)?;
            // Not `+90d`: parse would take it.
            let count: u64 =
                digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok())??;
            count.checked_mul(unit_s)
        });
        seconds.map(Self).ok_or_else(|| NotALife(text.to_owned()))
    }
}

/// In the largest unit that leaves no rest.
impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, unit_s): &(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*unit_s);
        let (unit, unit_s) = UNITS.into_iter().find(whole).unwrap_or(("s", 1));
        write!(f, "{}{unit}", self.0.checked_div(unit_s).unwrap_or_default())
    }
}

impl Serialize for Life {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_numbers_with_units() {
        for (text, expected, shown) in [
            ("90d", 7_776_000, "90d"),
            ("24h", 86_400, "1d"),
            ("20y", 630_720_000, "20y"),
            ("730d", 63_072_000, "2y"),
            ("30m", 1800, "30m"),
            ("3601s", 3601, "3601s"),
            ("0s", 0, "0s"),
        ] {
            let life: Life = text.parse().unwrap();
            assert_eq!((life.0, life.to_string().as_str()), (expected, shown));
        }
        for bad in ["", "d", "90", "-1d", "+1d", "1.5h", "1 d", "18446744073709551615d", "1w", "+"] {
            assert!(bad.parse::<Life>().is_err(), "{bad}");
        }
    }
}
