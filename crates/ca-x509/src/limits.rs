//! Every limit of this crate, each with its origin.

/// Most octets of a certification request (PEM or DER).
/// Origin: an RSA-8192 request with 100 names of 253 octets is about 28 KiB of DER, 38 KiB of PEM.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Most names read from one request. Origin: what large public CAs allow in one certificate.
pub const REQUEST_NAMES_MAX: usize = 100;

/// Most octets of one certificate (PEM or DER). Origin: twice the request limit, as the
/// certificate repeats the request's names and adds an issuer and a signature.
pub const CERTIFICATE_BYTES_MAX: usize = 2 * REQUEST_BYTES_MAX;

/// Most certificates in one PEM chain. Origin: chains of use have 2 to 4; bundles of roots about 150.
pub const CHAIN_CERTIFICATES_MAX: usize = 256;

/// Most octets of a certificate list (PEM or DER).
/// Origin: a shard of a million entries at 49 octets is 49 MB; PEM adds a third; about twice that.
pub const CRL_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Most octets of an OCSP request. Origin: 10 CertIDs of at most 160 octets, a nonce, a requestor
/// name and an (ignored) signature with its certificate.
pub const OCSP_REQUEST_BYTES_MAX: usize = 4 * 1024;

/// Most `CertID`s in one OCSP request: each is a status to look up and to sign for one caller.
/// Origin: RFC 5019 §2.1.1 expects one; 10 leaves room for a whole chain.
pub const OCSP_CERT_IDS_MAX: usize = 10;

/// Most octets of an OCSP response read by a client. Origin: 10 answers and a chain of certificates.
pub const OCSP_RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// Longest OCSP nonce, in octets (RFC 9654 §2.1: 1 to 128).
pub const OCSP_NONCE_BYTES_MAX: usize = 128;

/// Most octets of a distinguished name. Origin: ten attributes at their X.520 bound of 64 characters of up
/// to 4 octets, and room to spare.
pub const NAME_BYTES_MAX: usize = 4 * 1024;

/// Most attributes of a distinguished name. Origin: real names have fewer than 10.
pub const NAME_ATTRIBUTES_MAX: usize = 32;

/// Longest common name, organization, unit, in characters (RFC 5280 appendix A.1, `ub-common-name` and kin).
pub const NAME_ATTRIBUTE_CHARS_MAX: usize = 64;

/// Longest locality and state, in characters (RFC 5280 appendix A.1, `ub-locality-name`, `ub-state-name`).
pub const NAME_PLACE_CHARS_MAX: usize = 128;

/// Longest name of a person or its pseudonym, and longest street, in characters (X.520 annex C: `ub-pseudonym`,
/// `ub-street-address`; `ub-name` is 32,768, which no name needs).
pub const NAME_PERSON_CHARS_MAX: usize = 128;

/// Longest mailbox in a distinguished name, in characters (RFC 5280 appendix A.1, `ub-emailaddress-length`).
pub const NAME_MAILBOX_CHARS_MAX: usize = 255;

/// Longest attribute of a kind that has no bound of its own, in characters. Origin: the largest of the others.
pub const NAME_OTHER_CHARS_MAX: usize = 256;

/// Longest host name in its text form, in octets (RFC 1034 §3.1: 255 with the length octets of first label and root).
pub const HOST_NAME_BYTES_MAX: usize = 253;

/// Longest label of a host name, in octets (RFC 1034 §3.1).
pub const HOST_LABEL_BYTES_MAX: usize = 63;

/// Longest mailbox, in octets (RFC 5321 §4.5.3.1.3: a path of 256 with its brackets).
pub const MAILBOX_BYTES_MAX: usize = 254;

/// Longest local part of a mailbox, in octets (RFC 5321 §4.5.3.1.1).
pub const MAILBOX_LOCAL_BYTES_MAX: usize = 64;

/// Longest alternative name, in octets. Origin: a DNS name has at most 253, a mailbox 254 (RFC 5321
/// §4.5.3.1); URIs of use stay far below 2 KiB.
pub const GENERAL_NAME_BYTES_MAX: usize = 2 * 1024;

/// Longest name of a certificate template, in characters. Origin: Active Directory's bound of a common name.
pub const TEMPLATE_NAME_CHARS_MAX: usize = 64;

/// Longest serial number, in octets (RFC 5280 §4.1.2.2).
pub const SERIAL_BYTES_MAX: usize = 20;

/// Largest RSA modulus read, in bits. Origin: the largest any verifier of use accepts; policy asks for less.
pub const RSA_MODULUS_BITS_MAX: u16 = 16_384;

const _: () = assert!(REQUEST_BYTES_MAX <= CERTIFICATE_BYTES_MAX, "a certificate repeats its request");
const _: () = assert!(REQUEST_NAMES_MAX * 253 < REQUEST_BYTES_MAX, "as many names as are read must fit");
const _: () =
    assert!(OCSP_CERT_IDS_MAX * 160 < OCSP_REQUEST_BYTES_MAX, "as many CertIDs as are read must fit");
