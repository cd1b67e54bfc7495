//! The octets of a TBSCertificate, split once into what the rules look at.

use alloc::vec::Vec;

use ca_x509::certificate::KeyUsage;
use ca_x509::time::UnixSeconds;

use super::der::{BIT_STRING, BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Value};
use super::oids;

/// A TBSCertificate in its parts (RFC 5280 §4.1.2), as they stand.
///
/// What a method cannot read it gives as absent or empty: such octets do not pass the strict reader afterwards.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    /// Every value at any depth, those inside extensions too.
    pub(super) values: Vec<Value<'a>>,
    pub(super) version: Option<Value<'a>>,
    pub(super) serial: Value<'a>,
    pub(super) algorithm: Value<'a>,
    pub(super) issuer: Value<'a>,
    pub(super) validity: Value<'a>,
    pub(super) subject: Value<'a>,
    /// The attributes of the subject, in their order.
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) key: Option<Key<'a>>,
    pub(super) unique_ids: Vec<Value<'a>>,
    pub(super) extensions: Vec<Extension<'a>>,
}

/// One extension (RFC 5280 §4.2).
#[derive(Clone, Debug)]
pub(super) struct Extension<'a> {
    /// Content octets of the object identifier.
    pub(super) oid: &'a [u8],
    /// The flag, if it is written.
    pub(super) flag: Option<Value<'a>>,
    /// The one value that the octets inside the OCTET STRING are.
    pub(super) value: Option<Value<'a>>,
    /// The values in that one.
    pub(super) list: Vec<Value<'a>>,
}

/// A public key (RFC 5280 §4.1.2.7).
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) algorithm: &'a [u8],
    pub(super) parameters: Option<Value<'a>>,
    /// The octets of the BIT STRING.
    pub(super) bits: &'a [u8],
}

/// One attribute of a distinguished name (RFC 5280 §4.1.2.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) oid: &'a [u8],
    pub(super) value: Value<'a>,
}

impl<'a> Reading<'a> {
    /// Splits the octets. `None` if they are not the fields of a TBSCertificate in their order.
    pub(super) fn of(octets: &'a [u8]) -> Option<Self> {
        let whole = Value::one(octets)?;
        let mut fields = whole.parts().into_iter().peekable();
        let version = fields.next_if(|field| field.tag == 0xa0);
        let serial = fields.next_if(|field| field.tag == INTEGER)?;
        let (algorithm, issuer, validity) = (fields.next()?, fields.next()?, fields.next()?);
        let (subject, key) = (fields.next()?, fields.next()?);
        let mut unique_ids = Vec::new();
        while let Some(id) = fields.next_if(|field| matches!(field.tag & 0xdf, 0x81 | 0x82)) {
            unique_ids.push(id);
        }
        let extensions = match fields.next_if(|field| field.tag == 0xa3) {
            Some(field) => {
                field.inner()?.parts().into_iter().map(Extension::of).collect::<Option<Vec<_>>>()?
            }
            None => Vec::new(),
        };
        if fields.next().is_some() {
            return None;
        }
        let mut values = whole.within();
        values.extend(extensions.iter().filter_map(|extension| extension.value).flat_map(Value::within));
        Some(Self {
            values,
            version,
            serial,
            algorithm,
            issuer,
            validity,
            subject,
            attributes: subject
                .parts()
                .into_iter()
                .flat_map(Value::parts)
                .filter_map(Attribute::of)
                .collect(),
            key: Key::of(key),
            unique_ids,
            extensions,
        })
    }

    pub(super) fn extension(&self, oid: &[u8]) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// The value of an extension.
    pub(super) fn value(&self, oid: &[u8]) -> Option<Value<'a>> {
        self.extension(oid).and_then(|extension| extension.value)
    }

    /// The values in the value of an extension.
    pub(super) fn list(&self, oid: &[u8]) -> &[Value<'a>] {
        self.extension(oid).map(|extension| extension.list.as_slice()).unwrap_or_default()
    }

    /// Whether the basic constraints say that it is a CA (RFC 5280 §4.2.1.9).
    pub(super) fn is_ca(&self) -> bool {
        self.list(oids::BASIC_CONSTRAINTS)
            .first()
            .is_some_and(|flag| flag.tag == BOOLEAN && flag.content != [0])
    }

    /// The usages that are set (RFC 5280 §4.2.1.3), without what lies in the unused bits.
    pub(super) fn key_usage(&self) -> KeyUsage {
        let content =
            self.value(oids::KEY_USAGE).filter(|usage| usage.tag == BIT_STRING).map(|usage| usage.content);
        let bits = match content {
            Some([unused @ 0..=7, first]) => u16::from_be_bytes([cleared(*first, *unused), 0]),
            Some([unused @ 0..=7, first, second]) => u16::from_be_bytes([*first, cleared(*second, *unused)]),
            _ => 0,
        };
        let masks = core::iter::successors(Some(0x8000_u16), |mask| Some(mask >> 1));
        let set = KeyUsage::ALL.into_iter().zip(masks).filter(|(_, mask)| bits & mask != 0);
        set.map(|((usage, _), _)| usage).collect()
    }

    /// The purposes (RFC 5280 §4.2.1.12): content octets of their identifiers.
    pub(super) fn purposes(&self) -> impl Iterator<Item = &'a [u8]> {
        let purposes = self.list(oids::EXTENDED_KEY_USAGE).iter();
        purposes.filter(|purpose| purpose.tag == OBJECT_IDENTIFIER).map(|purpose| purpose.content)
    }

    pub(super) fn has_purpose(&self, oid: &[u8]) -> bool {
        self.purposes().any(|purpose| purpose == oid)
    }

    /// The policies (RFC 5280 §4.2.1.4): content octets of the identifier, and the qualifiers.
    pub(super) fn policies(&self) -> impl Iterator<Item = (&'a [u8], Vec<Value<'a>>)> {
        self.list(oids::CERTIFICATE_POLICIES).iter().filter_map(|policy| {
            let parts = policy.parts();
            let qualifiers = parts.get(1).map(|list| list.parts()).unwrap_or_default();
            parts.first().map(|oid| (oid.content, qualifiers))
        })
    }

    /// The subject alternative names: the tag says the form (RFC 5280 §4.2.1.6).
    pub(super) fn names(&self) -> &[Value<'a>] {
        self.list(oids::SUBJECT_ALT_NAME)
    }

    /// The alternative names of one text form.
    pub(super) fn texts(&self, form: u8) -> impl Iterator<Item = &'a str> {
        let names = self.names().iter().filter(move |name| name.tag == form);
        names.filter_map(|name| core::str::from_utf8(name.content).ok())
    }

    /// notBefore and notAfter, if both are written as they must be.
    pub(super) fn times(&self) -> Option<(UnixSeconds, UnixSeconds)> {
        let [from, to] = <[Value<'_>; 2]>::try_from(self.validity.parts()).ok()?;
        Some((UnixSeconds::from_time_der(from.raw).ok()?, UnixSeconds::from_time_der(to.raw).ok()?))
    }
}

impl<'a> Extension<'a> {
    fn of(value: Value<'a>) -> Option<Self> {
        let parts = value.parts();
        let (oid, flag, content) = match parts.as_slice() {
            [oid, content] => (oid, None, content),
            [oid, flag, content] if flag.tag == BOOLEAN => (oid, Some(*flag), content),
            _ => return None,
        };
        if content.tag != OCTET_STRING {
            return None;
        }
        let value = Value::one(content.content);
        let list = value.map(Value::parts).unwrap_or_default();
        Some(Self { oid: oid.content, flag, value, list })
    }

    pub(super) fn is_critical(&self) -> bool {
        self.flag.is_some_and(|flag| flag.content != [0])
    }
}

impl<'a> Attribute<'a> {
    fn of(pair: Value<'a>) -> Option<Self> {
        match pair.parts().as_slice() {
            [oid, value] => Some(Self { oid: oid.content, value: *value }),
            _ => None,
        }
    }
}

impl<'a> Key<'a> {
    fn of(value: Value<'a>) -> Option<Self> {
        let [algorithm, bits] = <[Value<'_>; 2]>::try_from(value.parts()).ok()?;
        let algorithm = algorithm.parts();
        match bits.content {
            [0, bits @ ..] => Some(Self {
                algorithm: algorithm.first()?.content,
                parameters: algorithm.get(1).copied(),
                bits,
            }),
            _ => None,
        }
    }

    /// Modulus and exponent of an RSA key, big-endian without the zero octet that keeps them positive.
    pub(super) fn rsa(self) -> Option<(&'a [u8], &'a [u8])> {
        if self.algorithm != oids::RSA_ENCRYPTION {
            return None;
        }
        match Value::one(self.bits)?.parts().as_slice() {
            [modulus, exponent] => Some((modulus.magnitude(), exponent.magnitude())),
            _ => None,
        }
    }
}

/// The octet without its last `unused` bits.
fn cleared(octet: u8, unused: u8) -> u8 {
    octet & u8::MAX.checked_shl(unused.into()).unwrap_or_default()
}
