//! ocsp ask: as a relying party would, over plain HTTP, with every signature checked.

use ca_authority::ports::{Entropy as _, Verifier as _};
use ca_hsm::{SignatureVerifier, SystemEntropy};
use ca_x509::certificate::Certificate;
use ca_x509::ocsp::{BasicResponse, CertId, CertStatus, OcspRequest, OcspResponse};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;
use hyper::Method;
use serde_json::Value;

use crate::client::{Connection, plain};
use crate::failure::Failure;
use crate::output::{data, made};

pub(super) async fn ask(
    connection: &Connection,
    serial: &str,
    ca: &str,
    all_nodes: bool,
) -> Result<(), Failure> {
    let serial: SerialNumber =
        serial.parse().map_err(|e| Failure::new("unknown-serial", format!("`{serial}`: {e}")))?;
    let nodes = if all_nodes { nodes(connection).await? } else { vec![first_node(connection).await?] };
    for (name, va) in nodes {
        let issuer = plain(&va, Method::GET, &format!("/ca/{ca}.cer"), None).await?;
        let issuer = Certificate::parse(&issuer).map_err(Failure::internal)?;
        let told = ask_one(&va, &issuer, serial).await?;
        data(&format!("{name}\t{told}"));
    }
    Ok(())
}

async fn ask_one(va: &str, issuer: &Certificate, serial: SerialNumber) -> Result<String, Failure> {
    let id = CertId::sha1(issuer.subject(), issuer.public_key(), &serial);
    match answer(va, OcspRequest { cert_ids: vec![id], nonce: None }).await? {
        OcspResponse::Error(error) => Ok(format!("{error:?}")),
        OcspResponse::Basic(basic) => {
            verified(&basic, issuer)?;
            let told = basic.data().responses.first().ok_or_else(|| Failure::internal("an empty answer"))?;
            let status = match &told.status {
                CertStatus::Good => "good".to_owned(),
                CertStatus::Unknown => "unknown".to_owned(),
                CertStatus::Revoked { at, reason } => {
                    format!("revoked {at} {}", reason.map_or("", |reason| reason.as_str()))
                }
            };
            Ok(format!("{}\tthis_update {}\tsignature ok", status.trim_end(), told.this_update))
        }
    }
}

async fn answer(va: &str, request: OcspRequest) -> Result<OcspResponse, Failure> {
    let request = request.encode().map_err(Failure::internal)?;
    let answer = plain(va, Method::POST, "/ocsp", Some(request)).await?;
    OcspResponse::parse(&answer).map_err(Failure::internal)
}

/// Asks a status service of a certificate, with a nonce, so that the answer is signed now. Since when it is good.
pub(super) async fn good_since(
    va: &str,
    issuer: &Certificate,
    certificate: &Certificate,
) -> Result<UnixSeconds, Failure> {
    let mut nonce = [0; 16];
    SystemEntropy.fill(&mut nonce).map_err(|_| Failure::internal("no random octets"))?;
    let id = CertId::sha1(issuer.subject(), issuer.public_key(), &certificate.serial());
    let asked = OcspRequest { cert_ids: vec![id], nonce: Some(nonce.to_vec()) };
    let basic = successful(answer(va, asked.clone()).await?)?;
    verified(&basic, issuer)?;
    let wrong = |what: String| Err(Failure::new("ocsp-wrong", what));
    let about = |id: &CertId| asked.cert_ids.contains(id);
    match basic.data().responses.as_slice() {
        [told] if basic.data().nonce != asked.nonce || !about(&told.cert_id) => {
            wrong("the answer is to another question".to_owned())
        }
        [told] if told.status == CertStatus::Good => Ok(told.this_update),
        [told] => wrong(format!("it says {:?}", told.status)),
        others => wrong(format!("{} answers to one question", others.len())),
    }
}

fn successful(answer: OcspResponse) -> Result<BasicResponse, Failure> {
    match answer {
        OcspResponse::Error(error) => Err(Failure::new("ocsp-wrong", format!("it answers {error:?}"))),
        OcspResponse::Basic(basic) => Ok(basic),
    }
}

/// RFC 6960 §4.2.2.2: the responder's certificate is by the CA itself, and the answer by the responder.
fn verified(basic: &BasicResponse, issuer: &Certificate) -> Result<(), Failure> {
    let wrong = |what: &str| Failure::new("wrong-signature", format!("{what} does not verify"));
    let der =
        basic.certificates().first().ok_or_else(|| wrong("an answer without a responder certificate"))?;
    let responder = Certificate::parse(der).map_err(Failure::internal)?;
    let by = |signer: &Certificate, algorithm, message: &[u8], signature: &[u8], what: &str| {
        SignatureVerifier.verify(signer.public_key(), algorithm, message, signature).map_err(|_| wrong(what))
    };
    let (algorithm, tbs) = (responder.signature_algorithm(), responder.tbs_der());
    by(issuer, algorithm, tbs, responder.signature(), "the responder's certificate")?;
    by(&responder, basic.signature_algorithm(), basic.tbs_der(), basic.signature(), "the answer")
}

/// Names and status service addresses of all members.
pub(super) async fn nodes(connection: &Connection) -> Result<Vec<(String, String)>, Failure> {
    let cluster = connection.get("/api/v1/cluster?consistency=local").await?;
    let members = cluster.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |member: &Value, key: &str| member.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(members.iter().map(|member| (text(member, "name"), text(member, "va_address"))).collect())
}

pub(super) async fn first_node(connection: &Connection) -> Result<(String, String), Failure> {
    let mut nodes = nodes(connection).await?;
    if nodes.is_empty() {
        return Err(Failure::internal("a cluster without members"));
    }
    let first = nodes.swap_remove(0);
    made("Asked", &first.1);
    Ok(first)
}

#[cfg(test)]
mod tests {
    use ca_x509::ocsp::OcspError;

    use super::*;

    #[test]
    fn a_status_service_that_cannot_say_is_named() {
        let failure = successful(OcspResponse::Error(OcspError::TryLater)).unwrap_err();
        assert_eq!((failure.slug.as_str(), failure.what.as_str()), ("ocsp-wrong", "it answers TryLater"));
    }
}
