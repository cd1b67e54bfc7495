//! Fields that many messages have.

use std::net::IpAddr;

use bytes::Bytes;
use ca_core::ids::{BootId, CaId, ClusterId, Digest, NodeId, ProfileName, RequestId};
use ca_core::register::PublicUrls;
use ca_core::roles::Identity;
use ca_core::shards::{ListId, Part, Shards};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::crl::{CrlNumber, RevocationReason};
use ca_x509::key::{KeyIdentifier, PublicKey};
use ca_x509::name::DistinguishedName;
use ca_x509::oid::Oid;
use ca_x509::serial::SerialNumber;

use super::CodecError;
use crate::wire::log as wire;

pub(super) fn octets(from: &[u8]) -> Bytes {
    Bytes::copy_from_slice(from)
}

/// A field that is always written.
pub(super) fn required<T>(what: &'static str, field: Option<T>) -> Result<T, CodecError> {
    field.ok_or(CodecError::Unknown { what })
}

/// An enum's number, which may be from a later version.
pub(super) fn known<E: TryFrom<i32>>(what: &'static str, number: i32) -> Result<E, CodecError> {
    E::try_from(number).map_err(|_unknown| CodecError::Unknown { what })
}

pub(super) fn malformed(what: &'static str, why: &impl ToString) -> CodecError {
    CodecError::Malformed { what, why: why.to_string() }
}

pub(super) fn fixed<const N: usize>(what: &'static str, octets: &[u8]) -> Result<[u8; N], CodecError> {
    octets.try_into().map_err(|_length| CodecError::Length { what, expected: N, got: octets.len() })
}

pub(super) fn cluster_id(octets: &[u8]) -> Result<ClusterId, CodecError> {
    fixed("cluster id", octets).map(ClusterId)
}

pub(super) fn urls_to_wire(urls: &PublicUrls) -> wire::PublicUrls {
    wire::PublicUrls { crl: urls.crl.clone(), ocsp: urls.ocsp.clone(), aia: urls.aia.clone() }
}

pub(super) fn urls(from: Option<wire::PublicUrls>) -> Result<PublicUrls, CodecError> {
    let wire::PublicUrls { crl, ocsp, aia } = required("public URLs", from)?;
    Ok(PublicUrls { crl, ocsp, aia })
}

pub(super) fn digest(octets: &[u8]) -> Result<Digest, CodecError> {
    fixed("digest", octets).map(Digest)
}

pub(super) fn key_identifier(octets: &[u8]) -> Result<KeyIdentifier, CodecError> {
    fixed("key identifier", octets).map(KeyIdentifier)
}

pub(super) fn crl_number_to_wire(number: CrlNumber) -> Bytes {
    octets(&number.0.to_be_bytes())
}

pub(super) fn crl_number(octets: &[u8]) -> Result<CrlNumber, CodecError> {
    fixed("CRL number", octets).map(u128::from_be_bytes).map(CrlNumber)
}

pub(super) fn reason(code: u32) -> Result<RevocationReason, CodecError> {
    let code = u8::try_from(code).ok();
    required("revocation reason", code.and_then(RevocationReason::from_code))
}

pub(super) fn serial_to_wire(serial: SerialNumber) -> Bytes {
    octets(serial.as_be_bytes())
}

pub(super) fn serial(octets: &[u8]) -> Result<SerialNumber, CodecError> {
    SerialNumber::from_be_bytes(octets).map_err(|e| malformed("serial", &e))
}

pub(super) fn ca(text: &str) -> Result<CaId, CodecError> {
    text.parse().map_err(|e| malformed("CA", &e))
}

pub(super) fn shards(count: u32) -> Result<Shards, CodecError> {
    required("number of shards", u16::try_from(count).ok().and_then(Shards::new))
}

pub(super) fn list_to_wire(list: &ListId) -> wire::CrlList {
    let shard = match list.part {
        Part::Whole => None,
        Part::Shard(shard) => Some(shard.into()),
    };
    wire::CrlList { ca: list.ca.to_string(), shard }
}

pub(super) fn list(from: Option<wire::CrlList>) -> Result<ListId, CodecError> {
    let wire::CrlList { ca: name, shard } = required("list", from)?;
    let shard = shard.map(|shard| required("shard", u8::try_from(shard).ok())).transpose()?;
    Ok(ListId { ca: ca(&name)?, part: shard.map_or(Part::Whole, Part::Shard) })
}

pub(super) fn profile_name(text: &str) -> Result<ProfileName, CodecError> {
    text.parse().map_err(|e| malformed("profile name", &e))
}

pub(super) fn subject(der: &[u8]) -> Result<DistinguishedName, CodecError> {
    DistinguishedName::from_der(der).map_err(|e| malformed("subject", &e))
}

/// A count that has one octet in a certificate.
pub(super) fn small(what: &'static str, number: Option<u32>) -> Result<Option<u8>, CodecError> {
    number.map(u8::try_from).transpose().map_err(|_large| CodecError::Unknown { what })
}

pub(super) fn oid(text: &str) -> Result<Oid, CodecError> {
    text.parse().map_err(|e| malformed("object identifier", &e))
}

pub(super) fn ip_block_to_wire(address: IpAddr, prefix: u8) -> wire::IpBlock {
    let address = match address {
        IpAddr::V4(address) => octets(&address.octets()),
        IpAddr::V6(address) => octets(&address.octets()),
    };
    wire::IpBlock { address, prefix: prefix.into() }
}

pub(super) fn ip_block(block: &wire::IpBlock) -> Result<(IpAddr, u8), CodecError> {
    let address = match <[u8; 4]>::try_from(&block.address[..]) {
        Ok(octets) => IpAddr::from(octets),
        Err(_longer) => IpAddr::from(fixed::<16>("address", &block.address)?),
    };
    let prefix = small("prefix", Some(block.prefix))?;
    Ok((address, required("prefix", prefix)?))
}

pub(super) fn public_key(spki: &[u8]) -> Result<PublicKey, CodecError> {
    PublicKey::from_spki_der(spki).map_err(|e| malformed("public key", &e))
}

pub(super) fn algorithm(der: &[u8]) -> Result<SignatureAlgorithm, CodecError> {
    SignatureAlgorithm::from_der(der).map_err(|e| malformed("signature algorithm", &e))
}

pub(super) fn request_to_wire(id: RequestId) -> wire::RequestId {
    wire::RequestId { node: id.node.0, boot: id.boot.0, counter: id.counter }
}

pub(super) fn request(id: Option<wire::RequestId>) -> Result<RequestId, CodecError> {
    let wire::RequestId { node, boot, counter } = required("request id", id)?;
    Ok(RequestId { node: NodeId(node), boot: BootId(boot), counter })
}

pub(super) fn identity_to_wire(identity: Identity) -> wire::Identity {
    use wire::identity::Who;
    let who = match identity {
        Identity::Ceremony => Who::Ceremony(wire::Empty {}),
        Identity::Node(node) => Who::Node(node.0),
        Identity::Client(key) => Who::Client(octets(&key.0)),
        Identity::Enrolment(token) => Who::Enrolment(octets(&token.0)),
    };
    wire::Identity { who: Some(who) }
}

pub(super) fn identity(from: Option<wire::Identity>) -> Result<Identity, CodecError> {
    use wire::identity::Who;
    Ok(match required("identity", from.and_then(|identity| identity.who))? {
        Who::Ceremony(wire::Empty {}) => Identity::Ceremony,
        Who::Node(node) => Identity::Node(NodeId(node)),
        Who::Client(key) => Identity::Client(digest(&key)?),
        Who::Enrolment(token) => Identity::Enrolment(digest(&token)?),
    })
}

pub(super) fn ca_serial_to_wire(ca: &CaId, serial: SerialNumber) -> wire::CaSerial {
    wire::CaSerial { ca: ca.to_string(), serial: serial_to_wire(serial) }
}

pub(super) fn ca_serial(from: &wire::CaSerial) -> Result<(CaId, SerialNumber), CodecError> {
    Ok((ca(&from.ca)?, serial(&from.serial)?))
}
