//! Reads the exact octets that will be signed and holds them against the standards (I19).
//!
//! The rules stand in tables by what they are about; each is one sentence of a standard, or of this project.
//! They look at the octets alone, through a reader of their own (`der.rs`), so that an error of the writer cannot hide
//! itself; at the end the strict reader of `ca-x509` shows that the octets hold what was planned and nothing else.

use alloc::string::{String, ToString as _};
use core::fmt::Display;

use ca_x509::certificate::TbsCertificate;

use crate::outcome::Refusal;
use reading::Reading;

mod der;
mod oids;
mod reading;

mod baseline;
mod constraints;
mod encoding;
mod extensions;
mod fields;
mod keys;
mod marks;
mod names;
mod purposes;

#[cfg(test)]
mod sample;

/// Checks the octets of a TBSCertificate.
///
/// # Errors
/// [`Refusal::Lint`] with the first rule that is broken.
pub fn lint(tbs: &[u8], planned: &TbsCertificate) -> Result<(), Refusal> {
    let reading = Reading::of(tbs)
        .ok_or_else(|| broken("RFC 5280 §4.1.2", "it has not the fields of a TBSCertificate".into()))?;
    for (source, holds, check) in TABLES.into_iter().flatten() {
        check(&reading).map_err(|found| broken(source, alloc::format!("{holds}, but {found}")))?;
    }
    let read = TbsCertificate::decode(tbs)
        .map_err(|e| broken("RFC 5280 §4.1 (DER)", alloc::format!("it does not read back: {e}")))?;
    if read != *planned {
        return Err(broken("RFC 5280 §4.1", "it reads back as something else than was planned".into()));
    }
    Ok(())
}

/// Where it stands; what must hold; the check, whose error says what there is instead.
type Rule = (&'static str, &'static str, fn(&Reading<'_>) -> Result<(), String>);

/// The encoding first: the other rules count on it.
const TABLES: [&[Rule]; 9] = [
    encoding::RULES,
    fields::RULES,
    extensions::RULES,
    constraints::RULES,
    marks::RULES,
    names::RULES,
    keys::RULES,
    purposes::RULES,
    baseline::RULES,
];

fn ensure(holds: bool, found: impl Display) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found.to_string()) }
}

fn broken(source: &str, why: String) -> Refusal {
    Refusal::Lint { rule: source.into(), why }
}

#[cfg(test)]
mod tests;
