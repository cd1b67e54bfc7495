//! The forms of alternative names in use.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::asn1::ObjectIdentifier;

use super::{DistinguishedName, HostName, NameError, is_shown, mailbox, uri};
use crate::asn1::{self, Element};
use crate::error::DecodeError;
use crate::limits::GENERAL_NAME_BYTES_MAX;
use crate::oids;

/// A name of a certificate's or request's subject alternative name extension, or the place of a CRL.
/// Text forms in ASCII hold visible characters (0x21–0x7e) only, 1 to [`GENERAL_NAME_BYTES_MAX`] octets, so
/// that no NUL, space or line break hides in one; whether the text is what its form wants, [`Self::check`] says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GeneralName {
    /// `dNSName`, an international one in its ASCII form; perhaps with `*.` before it.
    Dns(String),
    /// `iPAddress` of 4 or 16 octets.
    Ip(IpAddr),
    /// `rfc822Name`.
    Email(String),
    /// `uniformResourceIdentifier`.
    Uri(String),
    /// `directoryName`.
    Directory(Box<DistinguishedName>),
    /// `otherName` of type SmtpUTF8Mailbox (RFC 9598 §3): a mailbox whose local part is not ASCII.
    SmtpUtf8Mailbox(String),
    /// `otherName` of type userPrincipalName, by which Windows finds an account: `user@domain`.
    UserPrincipalName(String),
}

impl GeneralName {
    /// Checks the text by what RFC 5280 §4.2.1.6 says of its form.
    ///
    /// - `Dns`: a [`HostName`]; one `*.` may stand before it (RFC 9525 §6.3), in place of its leftmost label.
    /// - `Email`: a mailbox of RFC 5321 §4.1.2 with a Dot-string and a host name.
    /// - `Uri`: absolute, in the characters of RFC 3986; an authority names its host or address.
    /// - `Directory`: not empty, and [`DistinguishedName::check`].
    /// - `SmtpUtf8Mailbox`: RFC 9598 §3. `UserPrincipalName`: one `@` between two parts.
    /// - `Ip`: always good; which addresses are certified is policy.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), NameError> {
        match self {
            Self::Dns(text) => {
                HostName::parse(text.strip_prefix("*.").unwrap_or(text))?;
                Ok(())
            }
            Self::Ip(_) => Ok(()),
            Self::Email(text) => mailbox::check(text),
            Self::Uri(text) => uri::check(text),
            Self::Directory(name) if name.is_empty() => Err(NameError::Syntax {
                form: form_name(DIRECTORY),
                rule: "it has an attribute (RFC 5280 §4.2.1.6)",
            }),
            Self::Directory(name) => name.check(),
            Self::SmtpUtf8Mailbox(text) => mailbox::check_utf8(text),
            Self::UserPrincipalName(text) => match text.split_once('@') {
                Some((user, domain)) if !user.is_empty() && !domain.is_empty() && !domain.contains('@') => {
                    Ok(())
                }
                _ => Err(NameError::Syntax { form: UPN_FORM, rule: "one @ stands between its parts" }),
            },
        }
    }

    /// The name in DER, as it stands in a GeneralNames.
    ///
    /// # Errors
    /// Text that is not of its form's characters.
    pub fn to_der(&self) -> Result<Vec<u8>, NameError> {
        let (tag, text) = match self {
            Self::Email(text) => (EMAIL, text),
            Self::Dns(text) => (DNS, text),
            Self::Uri(text) => (URI, text),
            Self::Ip(IpAddr::V4(address)) => return Ok(asn1::tlv(asn1::primitive(IP), &[&address.octets()])),
            Self::Ip(IpAddr::V6(address)) => return Ok(asn1::tlv(asn1::primitive(IP), &[&address.octets()])),
            // Name is a CHOICE, so its own tag is explicit (X.680 §31.2.7).
            Self::Directory(name) => return Ok(asn1::explicit(DIRECTORY, &[name.as_der()])),
            Self::SmtpUtf8Mailbox(text) => return other_name(oids::SMTP_UTF8_MAILBOX, text),
            Self::UserPrincipalName(text) => return other_name(oids::USER_PRINCIPAL_NAME, text),
        };
        visible_ascii(tag, text.as_bytes())?;
        Ok(asn1::tlv(asn1::primitive(tag), &[text.as_bytes()]))
    }

    /// Reads what [`Self::to_der`] writes.
    ///
    /// # Errors
    /// What is no DER of one name in a form of this enum.
    pub fn from_der(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(asn1::read_one("a general name", bytes)?)
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, DecodeError> {
        let number = element.tag & 0x1f;
        if element.tag & 0xc0 != 0x80 {
            return Err(element.rule("a general name has a context-specific tag (RFC 5280 §4.2.1.6)"));
        }
        let is_primitive = element.tag == asn1::primitive(number);
        match number {
            EMAIL if is_primitive => Ok(Self::Email(visible_ascii(number, element.value)?)),
            DNS if is_primitive => Ok(Self::Dns(visible_ascii(number, element.value)?)),
            URI if is_primitive => Ok(Self::Uri(visible_ascii(number, element.value)?)),
            IP if is_primitive => Ok(Self::Ip(address(element.value)?)),
            OTHER if !is_primitive => Self::read_other(element),
            DIRECTORY if !is_primitive => {
                Ok(Self::Directory(Box::new(DistinguishedName::from_der(element.inner()?.raw)?)))
            }
            _ => Err(unsupported(number).into()),
        }
    }

    fn read_other(element: Element<'_>) -> Result<Self, DecodeError> {
        let mut fields = element.open(asn1::constructed(OTHER))?;
        let oid = fields.any()?.oid()?;
        let value = fields.expect(asn1::constructed(0))?.inner()?;
        fields.finish()?;
        if oid == oids::SMTP_UTF8_MAILBOX.as_bytes() {
            Ok(Self::SmtpUtf8Mailbox(shown_utf8(MAILBOX_FORM, value.tagged(asn1::UTF8_STRING)?.value)?))
        } else if oid == oids::USER_PRINCIPAL_NAME.as_bytes() {
            Ok(Self::UserPrincipalName(shown_utf8(UPN_FORM, value.tagged(asn1::UTF8_STRING)?.value)?))
        } else {
            Err(unsupported(OTHER).into())
        }
    }
}

/// `DNS:a.example`, `IP:192.0.2.1`, `email:a@b.example`, `URI:https://a.example/`, `dirName:CN=a`,
/// `SmtpUTF8Mailbox:ü@b.example`, `UPN:a@b.example`.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) => write!(f, "DNS:{text}"),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Email(text) => write!(f, "email:{text}"),
            Self::Uri(text) => write!(f, "URI:{text}"),
            Self::Directory(name) => write!(f, "dirName:{name}"),
            Self::SmtpUtf8Mailbox(text) => write!(f, "SmtpUTF8Mailbox:{text}"),
            Self::UserPrincipalName(text) => write!(f, "UPN:{text}"),
        }
    }
}

// Numbers of the forms of GeneralName (RFC 5280 §4.2.1.6).
const OTHER: u8 = 0;
pub(crate) const EMAIL: u8 = 1;
pub(crate) const DNS: u8 = 2;
pub(crate) const DIRECTORY: u8 = 4;
pub(crate) const URI: u8 = 6;
pub(crate) const IP: u8 = 7;

const MAILBOX_FORM: &str = "SmtpUTF8Mailbox";
const UPN_FORM: &str = "userPrincipalName";

const fn form_name(tag: u8) -> &'static str {
    match tag {
        OTHER => "otherName",
        EMAIL => "rfc822Name",
        DNS => "dNSName",
        3 => "x400Address",
        DIRECTORY => "directoryName",
        5 => "ediPartyName",
        URI => "uniformResourceIdentifier",
        IP => "iPAddress",
        8 => "registeredID",
        _ => "unknown",
    }
}

const fn unsupported(tag: u8) -> NameError {
    NameError::UnsupportedForm { tag, form: form_name(tag) }
}

fn visible_ascii(tag: u8, text: &[u8]) -> Result<String, NameError> {
    let refused = NameError::Text { form: form_name(tag), max: GENERAL_NAME_BYTES_MAX };
    let is_good = !text.is_empty()
        && text.len() <= GENERAL_NAME_BYTES_MAX
        && text.iter().all(|octet| octet.is_ascii_graphic());
    match core::str::from_utf8(text) {
        Ok(text) if is_good => Ok(text.into()),
        _ => Err(refused),
    }
}

/// `[0] { type, [0] UTF8String }`.
fn other_name(oid: ObjectIdentifier, text: &str) -> Result<Vec<u8>, NameError> {
    let form = if oid == oids::USER_PRINCIPAL_NAME { UPN_FORM } else { MAILBOX_FORM };
    let text = shown_utf8(form, text.as_bytes())?;
    let value = asn1::explicit(0, &[&asn1::tlv(asn1::UTF8_STRING, &[text.as_bytes()])]);
    Ok(asn1::tlv(asn1::constructed(OTHER), &[&asn1::oid(oid), &value]))
}

fn shown_utf8(form: &'static str, text: &[u8]) -> Result<String, NameError> {
    match core::str::from_utf8(text) {
        Ok(text)
            if !text.is_empty()
                && text.len() <= GENERAL_NAME_BYTES_MAX
                && text.chars().all(|character| is_shown(character) && !character.is_whitespace()) =>
        {
            Ok(text.into())
        }
        _ => Err(NameError::Syntax { form, rule: "1 to 2048 octets of utf-8, shown, without blanks" }),
    }
}

fn address(octets: &[u8]) -> Result<IpAddr, NameError> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Ok(IpAddr::V4(Ipv4Addr::from(octets)));
    }
    <[u8; 16]>::try_from(octets)
        .map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))
        .map_err(|_| NameError::AddressLength { got: octets.len() })
}
