//! Time as X.509 writes it: UTCTime up to 2049, GeneralizedTime from 2050 on.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use der::asn1::{GeneralizedTime, UtcTime};
use der::{DateTime, Decode as _, Encode as _};

use crate::asn1::{self, Element};
use crate::error::{Asn1Error, DecodeError, EncodeError};

/// Whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted. Encodable up to [`UnixSeconds::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// 9999-12-31T23:59:59Z: the last time with an encoding, and RFC 5280 §4.1.2.5's "no well-defined expiration".
    pub const MAX: Self = Self(253_402_300_799);

    /// This many seconds later, at most `u64::MAX`.
    #[must_use]
    pub const fn saturating_add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This many seconds earlier, at least 1970.
    #[must_use]
    pub const fn saturating_sub(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// `Time` (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050.
    ///
    /// # Errors
    /// The time is after the year 9999.
    pub fn to_time_der(self) -> Result<Vec<u8>, EncodeError> {
        match UtcTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(time) => time.to_der().map_err(|_| EncodeError::Time { got: self.0 }),
            Err(_) => self.to_generalized_time_der(),
        }
    }

    /// GeneralizedTime whatever the year, as OCSP writes it (RFC 6960 §4.2.1).
    ///
    /// # Errors
    /// The time is after the year 9999.
    pub fn to_generalized_time_der(self) -> Result<Vec<u8>, EncodeError> {
        GeneralizedTime::from_unix_duration(Duration::from_secs(self.0))
            .and_then(|time| time.to_der())
            .map_err(|_| EncodeError::Time { got: self.0 })
    }

    /// Reads a `Time` of a certificate or CRL. RFC 5280 §4.1.2.5: through 2049 it must be UTCTime.
    ///
    /// # Errors
    /// Not such a time, or before 1970.
    pub fn from_time_der(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read_time(asn1::read_one("time", bytes)?)
    }

    pub(crate) fn read_time(element: Element<'_>) -> Result<Self, DecodeError> {
        if element.tag != asn1::UTC_TIME {
            let time = Self::read_generalized_time(element)?;
            let is_utc_time_due = UtcTime::from_unix_duration(Duration::from_secs(time.0)).is_ok();
            return if is_utc_time_due {
                Err(element.rule("a date through 2049 is UTCTime (RFC 5280 §4.1.2.5)"))
            } else {
                Ok(time)
            };
        }
        UtcTime::from_der(element.raw)
            .map(|time| Self(time.to_unix_duration().as_secs()))
            .map_err(|e| DecodeError::Malformed { what: "time", source: Asn1Error(e) })
    }

    pub(crate) fn read_generalized_time(element: Element<'_>) -> Result<Self, DecodeError> {
        GeneralizedTime::from_der(element.tagged(asn1::GENERALIZED_TIME)?.raw)
            .map(|time| Self(time.to_unix_duration().as_secs()))
            .map_err(|e| DecodeError::Malformed { what: "time", source: Asn1Error(e) })
    }
}

/// RFC 3339 in UTC, `2026-11-22T15:04:05Z`; after the year 9999 the bare seconds with an `s`.
impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "{}s", self.0),
        }
    }
}

/// A text that is not of the form `2026-11-22T15:04:05Z`, or is before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form 2026-11-22T15:04:05Z")]
pub struct TimeTextError;

impl FromStr for UnixSeconds {
    type Err = TimeTextError;

    fn from_str(text: &str) -> Result<Self, TimeTextError> {
        // `DateTime` slices at fixed places; only ASCII of the right length is let through to it.
        if !text.is_ascii() || text.len() != 20 {
            return Err(TimeTextError);
        }
        text.parse::<DateTime>().map(|time| Self(time.unix_duration().as_secs())).map_err(|_| TimeTextError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    const LAST_UTC: UnixSeconds = UnixSeconds(2_524_607_999);

    #[test]
    fn rfc5280_4_1_2_5_utc_time_through_2049() {
        assert_eq!(LAST_UTC.to_time_der().unwrap(), b"\x17\x0d491231235959Z");
        assert_eq!(UnixSeconds(0).to_time_der().unwrap(), b"\x17\x0d700101000000Z");
    }

    #[test]
    fn rfc5280_4_1_2_5_generalized_time_from_2050() {
        assert_eq!(LAST_UTC.saturating_add(1).to_time_der().unwrap(), b"\x18\x0f20500101000000Z");
        assert_eq!(UnixSeconds::MAX.to_time_der().unwrap(), b"\x18\x0f99991231235959Z");
        assert!(UnixSeconds::MAX.saturating_add(1).to_time_der().is_err());
    }

    #[test]
    fn rfc5280_4_1_2_5_generalized_time_through_2049_is_refused() {
        assert!(UnixSeconds::from_time_der(b"\x18\x0f20491231235959Z").is_err());
    }

    #[test]
    fn rfc5280_4_1_2_5_1_no_seconds_or_offset_is_refused() {
        assert!(UnixSeconds::from_time_der(b"\x17\x0b2601010000Z").is_err());
        assert!(UnixSeconds::from_time_der(b"\x17\x112601010000+0100").is_err());
    }

    #[test]
    fn text_is_rfc3339() {
        assert_eq!(UnixSeconds(1_795_359_845).to_string(), "2026-11-22T15:04:05Z");
        assert_eq!("2026-11-22T15:04:05Z".parse(), Ok(UnixSeconds(1_795_359_845)));
        for bad in ["", "2026-11-22", "2026-11-22T15:04:05+", "2026-13-22T15:04:05Z", "ééééééééééé"]
        {
            assert_eq!(bad.parse::<UnixSeconds>(), Err(TimeTextError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_second_round_trips(seconds in 0..=UnixSeconds::MAX.0) {
            let time = UnixSeconds(seconds);
            prop_assert_eq!(UnixSeconds::from_time_der(&time.to_time_der().unwrap()), Ok(time));
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), text in ".{0,24}") {
            let _ = UnixSeconds::from_time_der(&bytes);
            let _ = text.parse::<UnixSeconds>();
        }
    }
}
