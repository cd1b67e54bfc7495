//! PEM armour (RFC 7468): one object or a row of them.

use alloc::string::String;
use alloc::vec::Vec;

use pem_rfc7468::Decoder;

/// The label of certificates.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The labels of certification requests (RFC 7468 §7 and the older one that it names).
pub const REQUEST: &[&str] = &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
/// The label of certificate lists.
pub const CRL: &str = "X509 CRL";

/// Why armour was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// No `-----BEGIN …-----`.
    #[error("no pem block found")]
    Missing,
    /// More than one block where one is read.
    #[error("more than one pem block where one is expected")]
    NotSingle,
    /// A block with another label.
    #[error("pem block is labelled {got:?}, expected one of {expected:?}")]
    Label {
        /// The label found.
        got: String,
        /// The labels that are read here.
        expected: Vec<String>,
    },
    /// A `-----BEGIN` without its end, or what is between them is not base64.
    #[error("pem block is damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
}

/// Wraps DER in armour: 64 characters a line, a line feed after each (RFC 7468 §3). `label` is
/// upper-case without hyphens.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    // Four characters for three octets, a line feed for 48, and both boundaries.
    let room = der
        .len()
        .saturating_mul(7)
        .div_euclid(5)
        .saturating_add(label.len().saturating_mul(2))
        .saturating_add(48);
    let mut text = String::with_capacity(room);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    for line in der.chunks(48) {
        line.chunks(3).for_each(|group| push_base64(&mut text, group));
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The DER in the only block of `text`, whose label is one of `labels`. Words before the block are
/// skipped (`openssl req -text` writes some); after it only white space may stand.
///
/// # Errors
/// No block, several, another label, or damage.
pub fn decode(labels: &[&str], text: &[u8]) -> Result<Vec<u8>, PemError> {
    let Block { der, rest } = next_block(labels, text)?.ok_or(PemError::Missing)?;
    if rest.trim_ascii().is_empty() {
        Ok(der)
    } else if next_block(labels, rest)?.is_some() {
        Err(PemError::NotSingle)
    } else {
        Err(PemError::Damaged { reason: "text after the block".into() })
    }
}

/// The DER in each block of `text`, in order, at least one; text between blocks is skipped. The
/// caller bounds `text`.
///
/// # Errors
/// No block, one with another label, or damage.
pub fn decode_all(labels: &[&str], text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let mut blocks = Vec::new();
    let mut left = text;
    while let Some(block) = next_block(labels, left)? {
        blocks.push(block.der);
        left = block.rest;
    }
    if blocks.is_empty() { Err(PemError::Missing) } else { Ok(blocks) }
}

/// Whether bytes are armour rather than DER: what is DER here starts with a SEQUENCE.
pub(crate) fn is_armoured(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| *first != crate::asn1::SEQUENCE) && find(bytes, BEGIN).is_some()
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

struct Block<'a> {
    der: Vec<u8>,
    /// What follows the block's last line.
    rest: &'a [u8],
}

fn next_block<'a>(labels: &[&str], text: &'a [u8]) -> Result<Option<Block<'a>>, PemError> {
    let damaged = |reason: &str| PemError::Damaged { reason: reason.into() };
    let Some(start) = find(text, BEGIN) else { return Ok(None) };
    let from_begin = text.get(start..).unwrap_or_default();
    let end = find(from_begin, END).ok_or_else(|| damaged("no end line"))?;
    let after_end = end.saturating_add(END.len());
    let dashes = from_begin.get(after_end..).and_then(|tail| find(tail, DASHES));
    let dashes = dashes.ok_or_else(|| damaged("the end line is cut short"))?;
    let length = after_end.saturating_add(dashes).saturating_add(DASHES.len());
    let (block, rest) =
        from_begin.split_at_checked(length).ok_or_else(|| damaged("the end line is cut short"))?;
    let mut decoder =
        Decoder::new_detect_wrap(block).map_err(|e| PemError::Damaged { reason: alloc::format!("{e}") })?;
    let got = decoder.type_label();
    if !labels.contains(&got) {
        let expected = labels.iter().map(|label| String::from(*label)).collect();
        return Err(PemError::Label { got: got.into(), expected });
    }
    let mut der = Vec::new();
    decoder.decode_to_end(&mut der).map_err(|e| PemError::Damaged { reason: alloc::format!("{e}") })?;
    Ok(Some(Block { der, rest }))
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// Appends the four characters of one to three octets (RFC 4648 §4).
fn push_base64(text: &mut String, group: &[u8]) {
    let octet = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
    let bits = (octet(0) << 16) | (octet(1) << 8) | octet(2);
    for (place, shift) in [18_u32, 12, 6, 0].into_iter().enumerate() {
        text.push(if place <= group.len() { base64_digit((bits >> shift) & 0x3f) } else { '=' });
    }
}

/// The character of six bits.
fn base64_digit(six_bits: u32) -> char {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = usize::try_from(six_bits).unwrap_or_default();
    char::from(DIGITS.get(place).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn rfc7468_3_lines_have_64_characters() {
        let text = encode("X", &[0xfb; 100]);
        let widths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(widths, [17, 64, 64, 8, 15]);
        assert_eq!(encode("X", b"foob"), "-----BEGIN X-----\nZm9vYg==\n-----END X-----\n");
    }

    #[test]
    fn rfc7468_2_words_before_are_skipped_and_after_are_refused() {
        let block = encode("X", b"foo");
        assert_eq!(decode(&["X"], alloc::format!("Subject: CN=a\n{block}").as_bytes()), Ok(b"foo".to_vec()));
        assert_eq!(decode(&["X"], alloc::format!("{block}\r\n \n").as_bytes()), Ok(b"foo".to_vec()));
        assert!(decode(&["X"], alloc::format!("{block}more").as_bytes()).is_err());
        assert_eq!(decode(&["X"], block.repeat(2).as_bytes()), Err(PemError::NotSingle));
        assert_eq!(decode_all(&["X"], block.repeat(2).as_bytes()), Ok(vec![b"foo".to_vec(); 2]));
    }

    #[test]
    fn carriage_returns_and_other_widths_are_read() {
        let der = [7; 100];
        assert_eq!(decode(&["X"], encode("X", &der).replace('\n', "\r\n").as_bytes()), Ok(der.to_vec()));
        let one_line: String = encode("X", &der).lines().skip(1).take(3).collect();
        let text = alloc::format!("-----BEGIN X-----\n{one_line}\n-----END X-----");
        assert_eq!(decode(&["X"], text.as_bytes()), Ok(der.to_vec()));
    }

    #[test]
    fn other_labels_and_damage_are_refused() {
        assert!(matches!(decode(&["Y"], encode("X", b"a").as_bytes()), Err(PemError::Label { .. })));
        assert_eq!(decode(&["X"], b""), Err(PemError::Missing));
        assert!(decode(&["X"], b"-----BEGIN X-----\n????\n-----END X-----\n").is_err());
        assert!(decode(&["X"], b"-----BEGIN X-----\nZm9v\n-----END Y-----\n").is_err());
        assert!(decode(&["X"], b"-----BEGIN X-----\nZm9v\n").is_err());
    }

    proptest! {
        #[test]
        fn every_der_round_trips(ders in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..4)) {
            let text: String = ders.iter().map(|der| encode(CERTIFICATE, der)).collect();
            prop_assert_eq!(decode_all(&[CERTIFICATE], text.as_bytes()), Ok(ders));
        }

        #[test]
        fn no_text_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200),
                          body in "[A-Za-z0-9+/=\r\n -]{0,80}") {
            let _ = decode(&["X"], &bytes);
            let _ = decode_all(&["X"], alloc::format!("-----BEGIN X-----{body}-----END X-----{body}").as_bytes());
        }

        #[test]
        fn no_mutation_panics(der in proptest::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, octet: u8) {
            let mut text = encode("X", &der).into_bytes();
            let at = at.index(text.len());
            text[at] = octet;
            let _ = decode(&["X"], &text);
        }
    }
}
