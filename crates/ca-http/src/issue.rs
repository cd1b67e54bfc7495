//! `POST /api/v1/certificates`: from JSON to a request of the authority, and back.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{ACCEPT, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ca_authority::Ports;
use ca_authority::issue::Issued;
use ca_authority::ports::{Clock, Verifier};
use ca_core::command::Idempotency;
use ca_core::ids::{CaId, Digest, ProfileName};
use ca_core::limits::{RSA_BITS_MAX, RSA_BITS_MIN};
use ca_core::outcome::Refusal;
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::roles::Identity;
use ca_x509::key::KeyKind;
use ca_x509::name::GeneralName;
use ca_x509::request::CertificationRequest;

use crate::answer::{PEM_CHAIN, certificate_pem, handshake_chain, json, typed};
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::guard::Caller;
use crate::limits::{CERTIFICATE_BODY_OCTETS_MAX, IDEMPOTENCY_KEY_CHARS_MAX};
use crate::problem::Problem;
use crate::rates::Bucket;
use crate::watch::Told;
use crate::wire::{IssueAnswer, IssueRequest, Life, LogPlace};

/// Issues, or answers with what the idempotency key already has.
pub(crate) async fn issue<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // An enrolment token is good once, so it ties its retries together by itself.
    let own_key = || matches!(identity, Identity::Enrolment(_)).then(String::new);
    let key = idempotency_key(&headers)?.or_else(own_key);
    let body = body::read(body, CERTIFICATE_BODY_OCTETS_MAX).await?;
    let asked: IssueRequest = body::json(&body)?;
    let csr = proven(doors.authority.ports().verifier(), &asked.csr)?;
    let request = request(asked, &csr)?;
    within_rate(&doors, identity, &request.profile)?;
    let idempotency = key.map(|key| idempotency(identity, &key, &request));
    let authority = doors.authority.clone();
    let issued = doors.act(async move { authority.issue(identity, request, idempotency).await }).await?;
    answer(&issued, &headers)
}

/// A profile may say how many certificates a requester gets of it. A retry counts: it costs as much to look.
fn within_rate<P: Ports>(doors: &Doors<P>, identity: Identity, profile: &ProfileName) -> Result<(), Problem> {
    if let Some(rate) = doors.register().profile(profile)?.and_then(|profile| profile.rate) {
        let now = doors.authority.ports().clock().now();
        doors.rates.take(Bucket::Certificates(identity, profile.clone()), rate, now)?;
    }
    Ok(())
}

/// Whether the caller wants bare PEM, so that curl needs no jq.
pub(crate) fn wants_pem(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|types| types.to_str().ok());
    accepted.flat_map(|types| types.split(',')).any(|one| {
        one.split(';').next().is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(PEM_CHAIN))
    })
}

/// The `Idempotency-Key` of a request, if it has one.
///
/// # Errors
/// Not 1 to [`IDEMPOTENCY_KEY_CHARS_MAX`] visible characters, or more than one key.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, DoorError> {
    let bad = || DoorError::BadRequest {
        field: "Idempotency-Key",
        why: format!("one key of 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters"),
    };
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let visible = !key.is_empty() && key.as_bytes().iter().all(u8::is_ascii_graphic);
    if keys.next().is_some() || !visible || key.len() > IDEMPOTENCY_KEY_CHARS_MAX {
        return Err(bad());
    }
    key.to_str().map(|key| Some(key.to_owned())).map_err(|_| bad())
}

/// The CSR, once its signature over the received octets shows that the requester holds the key.
pub(crate) fn proven(verifier: &impl Verifier, text: &str) -> Result<CertificationRequest, Problem> {
    let octets = pem_or_base64(text)
        .map_err(|error| DoorError::CsrMalformed { why: format!("neither PEM nor base64: {error}") })?;
    let csr = CertificationRequest::parse(&octets)
        .map_err(|error| DoorError::CsrMalformed { why: error.to_string() })?;
    // The verifier takes no weak key either, but would say of it that the signature is wrong.
    if let KeyKind::Rsa { bits } = csr.public_key().kind()
        && !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits)
    {
        let why = format!("an RSA key of {bits} bits, where {RSA_BITS_MIN} to {RSA_BITS_MAX} may be");
        return Err(Refusal::OutsideProfile { field: "public_key".into(), why }.into());
    }
    verifier
        .verify(csr.public_key(), csr.signature_algorithm(), csr.info_der(), csr.signature())
        .map_err(|_| DoorError::CsrSignature)?;
    Ok(csr)
}

/// PEM as it is, or DER out of base64.
pub(crate) fn pem_or_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if text.contains("-----BEGIN ") {
        return Ok(text.as_bytes().to_vec());
    }
    let plain: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(plain)
}

fn request(asked: IssueRequest, csr: &CertificationRequest) -> Result<CertificateRequest, DoorError> {
    let bad = |field, why: String| DoorError::BadRequest { field, why };
    let (names, names_from) = match asked.names {
        Some(names) => {
            let names = names.iter().map(|name| general_name(name)).collect::<Result<_, _>>()?;
            (names, NamesFrom::Caller)
        }
        None => (csr.requested_names().to_vec(), NamesFrom::Csr),
    };
    Ok(CertificateRequest {
        profile: asked.profile.parse().map_err(|e| bad("profile", format!("{e}")))?,
        ca: asked.ca.map(|ca| ca.parse()).transpose().map_err(|e| bad("ca", format!("{e}")))?,
        public_key: csr.public_key().clone(),
        subject: csr.subject().clone(),
        names,
        names_from,
        ttl_s: asked
            .ttl
            .as_deref()
            .map(|ttl| ttl.parse::<Life>().map_err(|e| bad("ttl", e.to_string())))
            .transpose()?
            .map(|life| life.0),
        certifies: None,
        limits: None,
        responder: None,
    })
}

/// A name as people write it; its kind follows from its looks, or stands before it as in openssl's configuration.
pub(crate) fn general_name(text: &str) -> Result<GeneralName, DoorError> {
    let address = |text: &str| {
        let address: Result<IpAddr, _> = text.parse();
        address
            .map_err(|_| DoorError::BadRequest { field: "names", why: format!("`{text}` is no IP address") })
    };
    Ok(match text.split_once(':') {
        Some(("DNS" | "dns", name)) => GeneralName::Dns(name.to_owned()),
        Some(("IP" | "ip", name)) => GeneralName::Ip(address(name)?),
        Some(("email", name)) => GeneralName::Email(name.to_owned()),
        Some(("URI" | "uri", name)) => GeneralName::Uri(name.to_owned()),
        Some(("UPN" | "upn", name)) => GeneralName::UserPrincipalName(name.to_owned()),
        _ if text.parse::<IpAddr>().is_ok() => GeneralName::Ip(address(text)?),
        _ if text.contains("://") => GeneralName::Uri(text.to_owned()),
        _ if text.contains('@') => GeneralName::Email(text.to_owned()),
        _ => GeneralName::Dns(text.to_owned()),
    })
}

/// Two callers' equal keys differ; the body covers what is asked for, not how it was spelled or signed.
pub(crate) fn idempotency(identity: Identity, key: &str, request: &CertificateRequest) -> Idempotency {
    let names: Vec<String> = request.names.iter().map(ToString::to_string).collect();
    let ttl = request.ttl_s.map(|ttl| ttl.to_string()).unwrap_or_default();
    let mut body: Vec<&[u8]> = vec![
        b"POST /api/v1/certificates",
        request.profile.as_str().as_bytes(),
        request.ca.as_ref().map(CaId::as_str).unwrap_or_default().as_bytes(),
        request.public_key.spki_der(),
        request.subject.as_der(),
        ttl.as_bytes(),
    ];
    body.extend(names.iter().map(String::as_bytes));
    let ca = format!("{:?} {:?}", request.certifies, request.limits);
    if request.limits.is_some() {
        body.push(ca.as_bytes());
    }
    let key = Digest::over(&[identity.to_string().as_bytes(), key.as_bytes()]);
    Idempotency { key, body: Digest::over(&body) }
}

pub(crate) fn answer(issued: &Issued, headers: &HeaderMap) -> Result<Response, Problem> {
    let serial = issued.serial.to_string();
    let mut response = if wants_pem(headers) {
        typed(StatusCode::CREATED, PEM_CHAIN, handshake_chain(&issued.certificate, &issued.chain))
    } else {
        let body = IssueAnswer {
            serial: serial.clone(),
            ca: issued.ca.to_string(),
            certificate: certificate_pem(&issued.certificate),
            chain: issued.chain.iter().map(|der| certificate_pem(der)).collect(),
            not_after: issued.not_after.to_string(),
            log: LogPlace { index: issued.index.0 },
        };
        json(StatusCode::CREATED, &body)?
    };
    // Hexadecimal: always a header value.
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/certificates/{serial}?ca={}", issued.ca)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response.extensions_mut().insert(Told { serial: issued.serial, index: Some(issued.index) });
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_by_their_looks() {
        for (text, expected) in [
            ("web.test", "DNS:web.test"),
            ("*.web.test", "DNS:*.web.test"),
            ("10.0.0.1", "IP:10.0.0.1"),
            ("2001:db8::1", "IP:2001:db8::1"),
            ("IP:10.0.0.1", "IP:10.0.0.1"),
            ("DNS:web.test", "DNS:web.test"),
            ("spiffe://a/b", "URI:spiffe://a/b"),
            ("a@b.test", "email:a@b.test"),
        ] {
            assert_eq!(general_name(text).unwrap().to_string(), expected, "{text}");
        }
        assert!(general_name("IP:web.test").is_err());
    }

    #[test]
    fn idempotency_keys_are_visible_and_bounded() {
        let headers = |key: &str| {
            HeaderMap::from_iter([(
                axum::http::HeaderName::from_static("idempotency-key"),
                HeaderValue::try_from(key).unwrap(),
            )])
        };
        assert_eq!(idempotency_key(&HeaderMap::new()), Ok(None));
        assert_eq!(idempotency_key(&headers("k-1")), Ok(Some("k-1".to_owned())));
        assert!(idempotency_key(&headers(&"k".repeat(255))).is_ok());
        for bad in ["", "a b", "ä", &"k".repeat(256)] {
            assert!(idempotency_key(&headers(bad)).is_err(), "{bad}");
        }
    }
}
