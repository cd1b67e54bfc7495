//! Keys as objects of a token: finding them, reading public keys, naming curves.

use ca_x509::key::{KeyIdentifier, KeyKind, PublicKey};
use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use crate::error::{During as _, Fault};

/// DER of `namedCurve` (RFC 5480 §2.1.1.1), as `CKA_EC_PARAMS` takes it.
const CURVE_P256: &[u8] = &[0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const CURVE_P384: &[u8] = &[0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22];
const CURVE_P521: &[u8] = &[0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23];
/// PKCS #11 v3.1 §6.3.5: the curve's name, as a PrintableString.
const CURVE_ED25519: &[u8] = b"\x13\x0cedwards25519";
/// The same by its object identifier (RFC 8410 §3), which other tokens use.
const CURVE_ED25519_OID: &[u8] = &[0x06, 0x03, 0x2B, 0x65, 0x70];

/// 65537: what every RSA key is made with.
pub(crate) const RSA_EXPONENT: &[u8] = &[0x01, 0x00, 0x01];

/// `CKA_EC_PARAMS` of a kind that has a curve.
pub(crate) fn curve(kind: KeyKind) -> Option<&'static [u8]> {
    match kind {
        KeyKind::EcP256 => Some(CURVE_P256),
        KeyKind::EcP384 => Some(CURVE_P384),
        KeyKind::EcP521 => Some(CURVE_P521),
        KeyKind::Ed25519 => Some(CURVE_ED25519),
        KeyKind::Rsa { .. } => None,
    }
}

/// `CKA_KEY_TYPE` of a kind.
pub(crate) fn key_type(kind: KeyKind) -> KeyType {
    match kind {
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => KeyType::EC,
        KeyKind::Ed25519 => KeyType::EC_EDWARDS,
        KeyKind::Rsa { .. } => KeyType::RSA,
    }
}

/// The mechanism that makes key pairs of a kind.
pub(crate) fn generation(kind: KeyKind) -> MechanismType {
    match kind {
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => MechanismType::ECC_KEY_PAIR_GEN,
        KeyKind::Ed25519 => MechanismType::ECC_EDWARDS_KEY_PAIR_GEN,
        KeyKind::Rsa { .. } => MechanismType::RSA_PKCS_KEY_PAIR_GEN,
    }
}

/// The key object of a class under an identifier. Token objects only: sessions see each other's copies too.
pub(crate) fn find(
    session: &Session,
    class: ObjectClass,
    key: KeyIdentifier,
) -> Result<Option<ObjectHandle>, Fault> {
    let template = [Attribute::Class(class), Attribute::Token(true), Attribute::Id(key.0.to_vec())];
    Ok(session.find_objects(&template).during("find a key")?.first().copied())
}

/// Every signing key of the token that is ours: its identifier is that of a public key beside it. Keys that were
/// half-made when a node crashed, or are somebody else's, are left out.
pub(crate) fn signing_keys(session: &Session) -> Result<Vec<PublicKey>, Fault> {
    ours_among(session, &signing_template())
}

/// As [`signing_keys`], those of one `CKA_LABEL`.
pub(crate) fn signing_keys_labelled(session: &Session, label: &str) -> Result<Vec<PublicKey>, Fault> {
    let mut template = signing_template();
    template.push(Attribute::Label(label.as_bytes().to_vec()));
    ours_among(session, &template)
}

fn signing_template() -> Vec<Attribute> {
    vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true), Attribute::Sign(true)]
}

fn ours_among(session: &Session, template: &[Attribute]) -> Result<Vec<PublicKey>, Fault> {
    let mut keys = Vec::new();
    for handle in session.find_objects(template).during("list the keys")? {
        let Some(key) = identifier(session, handle)? else { continue };
        let Some(public) = find(session, ObjectClass::PUBLIC_KEY, key)? else { continue };
        match read_public(session, public)? {
            Some(public) if public.key_identifier() == key => keys.push(public),
            _ => {}
        }
    }
    Ok(keys)
}

/// `CKA_ID`, where it has the form of ours.
fn identifier(session: &Session, handle: ObjectHandle) -> Result<Option<KeyIdentifier>, Fault> {
    let attributes =
        session.get_attributes(handle, &[AttributeType::Id]).during("read a key's identifier")?;
    Ok(match attributes.first() {
        Some(Attribute::Id(octets)) => <[u8; 20]>::try_from(octets.as_slice()).ok().map(KeyIdentifier),
        _ => None,
    })
}

/// The public key of an object; `None` if it is of a kind that this program does not know.
pub(crate) fn read_public(session: &Session, handle: ObjectHandle) -> Result<Option<PublicKey>, Fault> {
    let wanted = [
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let (mut curve, mut point, mut modulus, mut exponent) = (None, None, None, None);
    for attribute in session.get_attributes(handle, &wanted).during("read a public key")? {
        match attribute {
            Attribute::EcParams(octets) => curve = Some(octets),
            Attribute::EcPoint(octets) => point = Some(octets),
            Attribute::Modulus(octets) => modulus = Some(octets),
            Attribute::PublicExponent(octets) => exponent = Some(octets),
            _ => {}
        }
    }
    Ok(match (curve, point, modulus, exponent) {
        (Some(curve), Some(point), ..) => on_curve(&curve, &point),
        (.., Some(modulus), Some(exponent)) => PublicKey::from_rsa(&modulus, &exponent).ok(),
        _ => None,
    })
}

fn on_curve(curve: &[u8], point: &[u8]) -> Option<PublicKey> {
    let (kind, length) = match curve {
        CURVE_P256 => (KeyKind::EcP256, 65),
        CURVE_P384 => (KeyKind::EcP384, 97),
        CURVE_P521 => (KeyKind::EcP521, 133),
        CURVE_ED25519 | CURVE_ED25519_OID => (KeyKind::Ed25519, 32),
        _ => return None,
    };
    // PKCS #11 wants the point inside an OCTET STRING; some tokens give it bare. The length tells which.
    let bare = if point.len() == length { point } else { inside_octet_string(point)? };
    match kind {
        KeyKind::Ed25519 => Some(PublicKey::from_ed25519(bare.try_into().ok()?)),
        _ => PublicKey::from_ec_point(kind, bare).ok(),
    }
}

/// The contents of a DER OCTET STRING of up to 255 octets that is all there is.
fn inside_octet_string(der: &[u8]) -> Option<&[u8]> {
    let (length, contents) = match der {
        [0x04, 0x81, length, contents @ ..] if *length >= 0x80 => (*length, contents),
        [0x04, length, contents @ ..] if *length < 0x80 => (*length, contents),
        _ => return None,
    };
    (contents.len() == usize::from(length)).then_some(contents)
}

/// The attributes of a public key object, to be created.
pub(crate) fn public_template(key: &PublicKey) -> Vec<Attribute> {
    let mut template =
        vec![Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::KeyType(key_type(key.kind()))];
    if let Some((modulus, exponent)) = key.rsa_parts() {
        template.push(Attribute::Modulus(modulus.to_vec()));
        template.push(Attribute::PublicExponent(exponent.to_vec()));
    } else if let Some(curve) = curve(key.kind()) {
        template.push(Attribute::EcParams(curve.to_vec()));
        template.push(Attribute::EcPoint(octet_string(key.key_bits())));
    }
    template
}

/// A DER OCTET STRING of up to 255 octets: every point is shorter.
fn octet_string(contents: &[u8]) -> Vec<u8> {
    let length = u8::try_from(contents.len()).unwrap_or(u8::MAX);
    let head: &[u8] = if length < 0x80 { &[0x04, length] } else { &[0x04, 0x81, length] };
    [head, contents].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octet_strings_go_both_ways() {
        for length in [0, 32, 65, 127, 128, 133] {
            let contents = vec![7; length];
            let der = octet_string(&contents);
            assert_eq!(inside_octet_string(&der), Some(contents.as_slice()));
            assert_eq!(inside_octet_string(&der[..der.len() - 1]), None);
        }
    }
}
