//! Mailboxes: `rfc822Name` (RFC 5280 §4.2.1.6) and SmtpUTF8Mailbox (RFC 9598 §3).

use super::{HostName, NameError};
use crate::limits::{MAILBOX_BYTES_MAX, MAILBOX_LOCAL_BYTES_MAX};

/// Checks a mailbox in ASCII: `Local-part@Domain` of RFC 5321 §4.1.2, the local part a Dot-string and the
/// domain a host name. Quoted local parts and address literals are permitted there, but lost or changed
/// by so many programs that no mailbox of use has one: they are refused.
pub(super) fn check(text: &str) -> Result<(), NameError> {
    let local = split(FORM, text)?;
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atom_octet);
    if local.split('.').all(is_atom) {
        Ok(())
    } else {
        Err(NameError::Syntax { form: FORM, rule: "the local part is a Dot-string (RFC 5321 §4.1.2)" })
    }
}

/// Checks a mailbox in UTF-8. One whose local part is ASCII must be an rfc822Name (RFC 9598 §3).
pub(super) fn check_utf8(text: &str) -> Result<(), NameError> {
    let local = split(UTF8_FORM, text)?;
    if local.is_ascii() {
        return Err(NameError::Syntax {
            form: UTF8_FORM,
            rule: "a local part in ascii is an rfc822Name (RFC 9598 §3)",
        });
    }
    let is_atom = |atom: &str| {
        let is_good = |character: char| match u8::try_from(character) {
            Ok(octet) if octet.is_ascii() => is_atom_octet(octet),
            _ => super::is_shown(character),
        };
        !atom.is_empty() && atom.chars().all(is_good)
    };
    if local.split('.').all(is_atom) {
        Ok(())
    } else {
        Err(NameError::Syntax { form: UTF8_FORM, rule: "the local part is a Dot-string (RFC 6531 §3.3)" })
    }
}

const FORM: &str = "rfc822Name";
const UTF8_FORM: &str = "SmtpUTF8Mailbox";

/// The local part, after a look at the domain and the lengths.
fn split<'a>(form: &'static str, text: &'a str) -> Result<&'a str, NameError> {
    let (local, domain) =
        text.rsplit_once('@').ok_or(NameError::Syntax { form, rule: "an @ stands between its parts" })?;
    if text.len() > MAILBOX_BYTES_MAX || local.len() > MAILBOX_LOCAL_BYTES_MAX {
        return Err(NameError::Syntax {
            form,
            rule: "at most 254 octets, 64 before the @ (RFC 5321 §4.5.3.1)",
        });
    }
    HostName::parse(domain)?;
    Ok(local)
}

/// `atext` (RFC 5322 §3.2.3).
const fn is_atom_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}
