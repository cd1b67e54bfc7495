//! How a signature is asked of a token.
//!
//! The caller hashes: SoftHSM has no `CKM_ECDSA_SHA256`, and a CRL of 41 MB does not belong on the wire to an HSM.

use aws_lc_rs::digest;
use ca_x509::algorithm::{SignatureAlgorithm, ecdsa_signature_der};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::types::Ulong;

use crate::error::{During as _, Fault, TokenError};

/// DER of DigestInfo up to the digest itself (RFC 8017 §9.2, note 1).
const DIGEST_INFO_SHA256: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const DIGEST_INFO_SHA384: &[u8] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const DIGEST_INFO_SHA512: &[u8] =
    b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// Signs `message`, which is not hashed; the result is what stands in an X.509 BIT STRING.
pub(crate) fn sign(
    session: &Session,
    offered: &[MechanismType],
    key: ObjectHandle,
    algorithm: SignatureAlgorithm,
    message: &[u8],
) -> Result<Vec<u8>, Fault> {
    use SignatureAlgorithm as A;
    match algorithm {
        A::EcdsaSha256 => ecdsa(session, key, &digest::SHA256, message),
        A::EcdsaSha384 => ecdsa(session, key, &digest::SHA384, message),
        A::EcdsaSha512 => ecdsa(session, key, &digest::SHA512, message),
        A::Ed25519 => {
            let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
            session.sign(&mechanism, key, message).during("sign")
        }
        A::RsaPkcs1Sha256 => {
            let hash = Hash { algorithm: &digest::SHA256, prefix: DIGEST_INFO_SHA256 };
            rsa(session, offered, key, &hash, &Mechanism::Sha256RsaPkcs, message)
        }
        A::RsaPkcs1Sha384 => {
            let hash = Hash { algorithm: &digest::SHA384, prefix: DIGEST_INFO_SHA384 };
            rsa(session, offered, key, &hash, &Mechanism::Sha384RsaPkcs, message)
        }
        A::RsaPkcs1Sha512 => {
            let hash = Hash { algorithm: &digest::SHA512, prefix: DIGEST_INFO_SHA512 };
            rsa(session, offered, key, &hash, &Mechanism::Sha512RsaPkcs, message)
        }
        A::RsaPssSha256 => {
            let parameters = pss_parameters(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32);
            pss(session, key, &digest::SHA256, parameters, message)
        }
        A::RsaPssSha384 => {
            let parameters = pss_parameters(MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48);
            pss(session, key, &digest::SHA384, parameters, message)
        }
        A::RsaPssSha512 => {
            let parameters = pss_parameters(MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64);
            pss(session, key, &digest::SHA512, parameters, message)
        }
    }
}

struct Hash {
    algorithm: &'static digest::Algorithm,
    prefix: &'static [u8],
}

fn ecdsa(
    session: &Session,
    key: ObjectHandle,
    hash: &'static digest::Algorithm,
    message: &[u8],
) -> Result<Vec<u8>, Fault> {
    let hashed = digest::digest(hash, message);
    // A digest longer than the curve's order is cut to its leftmost bits by whoever signs (FIPS 186-5 §6.4.1).
    let raw = session.sign(&Mechanism::Ecdsa, key, hashed.as_ref()).during("sign")?;
    ecdsa_signature_der(&raw).map_err(|e| TokenError::Call { step: "sign", why: e.to_string() }.into())
}

fn rsa(
    session: &Session,
    offered: &[MechanismType],
    key: ObjectHandle,
    hash: &Hash,
    hashing: &Mechanism<'_>,
    message: &[u8],
) -> Result<Vec<u8>, Fault> {
    if !offered.contains(&MechanismType::RSA_PKCS) {
        return session.sign(hashing, key, message).during("sign");
    }
    let info = [hash.prefix, digest::digest(hash.algorithm, message).as_ref()].concat();
    session.sign(&Mechanism::RsaPkcs, key, &info).during("sign")
}

fn pss(
    session: &Session,
    key: ObjectHandle,
    hash: &'static digest::Algorithm,
    parameters: PkcsPssParams,
    message: &[u8],
) -> Result<Vec<u8>, Fault> {
    let hashed = digest::digest(hash, message);
    session.sign(&Mechanism::RsaPkcsPss(parameters), key, hashed.as_ref()).during("sign")
}

/// As the algorithm identifier in what is signed says it: the salt is as long as the hash.
fn pss_parameters(hash_alg: MechanismType, mgf: PkcsMgfType, salt_octets: u8) -> PkcsPssParams {
    PkcsPssParams { hash_alg, mgf, s_len: Ulong::from(u64::from(salt_octets)) }
}
