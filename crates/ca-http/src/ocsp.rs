//! OCSP over HTTP: POST, and GET in every spelling that clients have (RFC 6960 appendix A, RFC 5019 §5).

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ca_authority::Ports;
use ca_authority::ocsp::OcspAnswer;
use ca_authority::ports::Clock;
use ca_core::ids::{CaId, Digest};
use ca_core::limits::STATUS_REFRESH_S;

use crate::answer::typed;
use crate::body::read;
use crate::cache::Cacheable;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::limits::{OCSP_GET_CHARS_MAX, OCSP_POST_OCTETS_MAX};
use crate::problem::Problem;

const OCSP_RESPONSE: &str = "application/ocsp-response";

/// `POST /ocsp` and `POST /ocsp/{ca}`. The path's CA is for people and balancers: the request itself says whose
/// certificates it means.
pub(crate) async fn by_post<P: Ports>(
    State(doors): State<Doors<P>>,
    body: Body,
) -> Result<Response, Problem> {
    let request = read(body, OCSP_POST_OCTETS_MAX).await?;
    let answer = doors.authority.answer_ocsp(&request).await;
    Ok(respond(&doors, answer, &HeaderMap::new()))
}

/// `GET /ocsp/{base64}` and `GET /ocsp/{ca}/{base64}`.
pub(crate) async fn by_get<P: Ports>(
    State(doors): State<Doors<P>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // As it was sent: a decoded path has lost which slashes were written as %2F.
    let path = uri.path();
    if path.len() > OCSP_GET_CHARS_MAX {
        return Err(DoorError::UriTooLong { got: path.len(), max: OCSP_GET_CHARS_MAX }.into());
    }
    let rest = path.strip_prefix("/ocsp").unwrap_or(path).trim_start_matches('/');
    let encoded = without_ca(&doors, rest)?;
    // What is not base64 is a malformed request as well: an empty one gets exactly that answer.
    let request = decoded(encoded).unwrap_or_default();
    let answer = doors.authority.answer_ocsp(&request).await;
    Ok(respond(&doors, answer, &headers))
}

fn respond<P: Ports>(doors: &Doors<P>, answer: OcspAnswer, asked: &HeaderMap) -> Response {
    let body = Bytes::from_owner(answer.der);
    let Some(life) = answer.cacheable else { return typed(StatusCode::OK, OCSP_RESPONSE, body) };
    let object = Cacheable {
        media_type: OCSP_RESPONSE,
        tag: Digest::of(&body).to_string(),
        since: life.this_update,
        refresh_at: life.this_update.saturating_add(STATUS_REFRESH_S),
        body,
    };
    object.into_answer(asked, doors.authority.ports().clock().now().seconds())
}

/// A first segment that names a CA is no base64: a CA begins with a lower-case letter, a request with the octet
/// 0x30 and so with `M`. Still the register decides, not the spelling.
fn without_ca<'a, P: Ports>(doors: &Doors<P>, rest: &'a str) -> Result<&'a str, Problem> {
    let (first, others) = rest.split_once('/').unwrap_or((rest, ""));
    let Ok(ca) = first.parse::<CaId>() else { return Ok(rest) };
    let known = doors.register().issuer(&ca)?.is_some();
    Ok(if known { others.trim_start_matches('/') } else { rest })
}

/// The octets behind any spelling: percent-encoded once or twice or not at all, `+` sent as a space, the URL-safe
/// alphabet, with or without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut text = text.as_bytes().to_vec();
    for _ in 0..2 {
        if !text.contains(&b'%') {
            break;
        }
        text = percent_decoded(&text)?;
    }
    let plain = text.into_iter().filter(|octet| !matches!(octet, b'\r' | b'\n')).map(|octet| match octet {
        // A `-` is the URL-safe `+`, a space is what a form decoder made of one.
        b'-' | b' ' => b'+',
        b'_' => b'/',
        other => other,
    });
    let plain: Vec<u8> = plain.collect();
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(plain).ok()
}

fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut left = text.iter().copied();
    while let Some(octet) = left.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let (high, low) = (digit(left.next()?)?, digit(left.next()?)?);
        octets.push((high << 4) | low);
    }
    Some(octets)
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6960_a_1_every_spelling_of_base64_is_read() {
        let octets = [0x30, 0x3f, 0xfb, 0xff, 0xfe, 0xfb, 0xef];
        for spelling in [
            "MD/7//777w==",
            "MD/7//777w",
            "MD/7//777w=",
            "MD%2F7%2F%2F7%37%37w%3D%3D",
            "MD%2f7%2f%2f777w",
            "MD%252F7%252F%252F777w%253D%253D",
            "MD_7__777w",
            "MD%2F7//7%0A77w%3D%3D",
        ] {
            assert_eq!(decoded(spelling).as_deref(), Some(&octets[..]), "{spelling}");
        }
        let plus = [0x30, 0xfb, 0xef, 0xbe];
        for spelling in ["MPvvvg==", "MPvvvg"] {
            assert_eq!(decoded(spelling).as_deref(), Some(&plus[..]), "{spelling}");
        }
        let pluses = [0xfb, 0xef, 0xbe];
        for spelling in ["++++", "%2B%2b++", "----", "%20+ +"] {
            assert_eq!(decoded(spelling).as_deref(), Some(&pluses[..]), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_base64_is_nothing() {
        for bad in ["%", "%4", "%zz", "M!", "MA=A", "ä"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
