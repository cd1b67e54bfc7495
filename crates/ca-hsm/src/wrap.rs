//! A key goes from one token to another, wrapped; nobody outside the two can read it.
//!
//! ```text
//!  receiving token                        giving token
//!  RSA-3072 transport pair ── public ──►  AES-256 key (KEK), made for this one time
//!                                         KEK under RSA-OAEP with the transport key
//!  KEK ◄──────── both blobs ────────────  CA key under RFC 5649 with the KEK
//!  CA key, which must sign a probe before it counts
//! ```
//!
//! Tokens differ in which OAEP hash they take, so the receiving one says which it can undo, having tried it.
//! RFC 5649 has two numbers in PKCS#11 (PAD, KWP) and one result.

use ca_x509::key::{KeyIdentifier, KeyKind, PublicKey};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::vendor_defined::VendorDefinedMechanism;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use crate::error::{During as _, Fault, TokenError, said};
use crate::generate::{Mobility, private_attributes};
use crate::heal::Connection;
use crate::limits::{KEY_LABEL_LENGTH_MAX, WRAPPED_LENGTH_MAX};
use crate::pool::Shared;
use crate::token::{Token, check_label};
use crate::{object, raw};

mod blob;

pub(crate) use blob::Oaep;
pub use blob::{TransportPublicKey, WrappedKey};

const TRANSPORT_LABEL: &[u8] = b"ca-node transport";

/// RSA-3072 is as strong as the P-256 keys that it mostly carries (NIST SP 800-57 part 1, table 2).
const TRANSPORT_KIND: KeyKind = KeyKind::Rsa { bits: 3072 };

const KEK_LENGTH: u64 = 32;

impl Token {
    /// Makes the transport key that a key for this token is wrapped for. A token has one at a time: an older one, for
    /// which nothing can be unwrapped any more, is deleted.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Unsupported`] if the token cannot receive keys in this way.
    pub async fn transport_key(&self) -> Result<TransportPublicKey, TokenError> {
        self.ask(|seat| seat.once(make_transport_key)).await
    }

    /// Wraps a key for the token that made the transport key. The caller vouches that the transport key is that
    /// token's: whoever has its private half can have the key.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::NotWrappable`] if the key or the token does not allow it.
    pub async fn wrap_for(
        &self,
        key: KeyIdentifier,
        transport: &TransportPublicKey,
    ) -> Result<WrappedKey, TokenError> {
        let transport = transport.clone();
        self.ask(move |seat| seat.once(|shared, connection| wrap(shared, connection, key, &transport))).await
    }

    /// Takes in a key that was wrapped for this token's transport key, which is then deleted. When this returns, the
    /// key has signed a probe that verified with `expected`; a key that does not is deleted. A key that the token
    /// already holds is left as it is.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::WrappedKeyInvalid`] if it was made for another transport key or is damaged,
    /// [`TokenError::KeyMismatch`] if it is another key than `expected`.
    pub async fn unwrap(
        &self,
        wrapped: &WrappedKey,
        expected: &PublicKey,
        label: &str,
    ) -> Result<(), TokenError> {
        check_label("a key's label", label, KEY_LABEL_LENGTH_MAX)?;
        let (wrapped, expected, label) = (wrapped.clone(), expected.clone(), label.to_owned());
        self.ask(move |seat| {
            seat.once(|shared, connection| unwrap(shared, connection, &wrapped, &expected, &label))
        })
        .await
    }
}

fn make_transport_key(shared: &Shared, connection: &mut Connection) -> Result<TransportPublicKey, Fault> {
    let session = &connection.session;
    delete_transport_keys(session)?;
    let KeyKind::Rsa { bits } = TRANSPORT_KIND else { return Err(cannot_receive(shared)) };
    let public_template = [
        Attribute::Token(false),
        Attribute::Wrap(true),
        Attribute::ModulusBits(u64::from(bits).into()),
        Attribute::PublicExponent(object::RSA_EXPONENT.to_vec()),
    ];
    // A token object: it must last from here until the wrapped key arrives, through lost sessions and a restart.
    let private_template = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Unwrap(true),
        Attribute::Sign(false),
        Attribute::Decrypt(false),
        Attribute::Label(TRANSPORT_LABEL.to_vec()),
    ];
    let (public, private) = session
        .generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public_template, &private_template)
        .during("generate a transport key")?;
    let described = describe_transport_key(shared, session, public, private);
    let _ = session.destroy_object(public);
    if described.is_err() {
        let _ = session.destroy_object(private);
    }
    described
}

fn describe_transport_key(
    shared: &Shared,
    session: &Session,
    public: ObjectHandle,
    private: ObjectHandle,
) -> Result<TransportPublicKey, Fault> {
    let key = object::read_public(session, public)?.ok_or_else(|| cannot_receive(shared))?;
    let identifier = Attribute::Id(key.key_identifier().0.to_vec());
    session.update_attributes(private, &[identifier]).during("name a transport key")?;
    let mut usable = Vec::new();
    for oaep in Oaep::ALL {
        if undoes(session, public, private, oaep)? {
            usable.push(oaep);
        }
    }
    if usable.is_empty() {
        return Err(cannot_receive(shared));
    }
    Ok(TransportPublicKey::new(&usable, key))
}

/// Whether the token unwraps what was wrapped with this hash: no mechanism list tells.
fn undoes(session: &Session, public: ObjectHandle, private: ObjectHandle, oaep: Oaep) -> Result<bool, Fault> {
    let kek = make_kek(session)?;
    let there_and_back = session.wrap_key(&mechanism(oaep), public, kek).and_then(|wrapped| {
        let back = session.unwrap_key(&mechanism(oaep), private, &wrapped, &received_kek())?;
        session.destroy_object(back)
    });
    session.destroy_object(kek).during("delete a trial key")?;
    Ok(there_and_back.is_ok())
}

fn wrap(
    shared: &Shared,
    connection: &mut Connection,
    key: KeyIdentifier,
    transport: &TransportPublicKey,
) -> Result<WrappedKey, Fault> {
    let session = &connection.session;
    let wrapping = key_wrap(shared)?;
    let private = connection.private(shared, key)?;
    let mut template = object::public_template(transport.key());
    template.extend([Attribute::Token(false), Attribute::Wrap(true)]);
    let public = session.create_object(&template).during("take in a transport key")?;
    let outcome = make_kek(session).and_then(|kek| {
        let not_wrapped = |error: &Error| not_wrappable(shared, key, error);
        let outcome = wrap_kek(session, transport, public, kek).and_then(|(oaep, wrapped_kek)| {
            let wrapped = session.wrap_key(&wrapping, kek, private).map_err(|e| not_wrapped(&e))?;
            Ok(WrappedKey::new(oaep, key, transport.key().key_identifier(), wrapped_kek, wrapped))
        });
        let _ = session.destroy_object(kek);
        outcome
    });
    let _ = session.destroy_object(public);
    outcome
}

/// Under the best hash that both tokens take.
fn wrap_kek(
    session: &Session,
    transport: &TransportPublicKey,
    public: ObjectHandle,
    kek: ObjectHandle,
) -> Result<(Oaep, Vec<u8>), Fault> {
    let mut refused =
        TokenError::WrappedKeyInvalid { why: "the transport key names no OAEP hash".to_owned() };
    for oaep in transport.usable() {
        match session.wrap_key(&mechanism(oaep), public, kek) {
            Ok(wrapped) => return Ok((oaep, wrapped)),
            Err(error) => match Fault::of("wrap a key encryption key", &error) {
                Fault::Lost(lost) => return Err(Fault::Lost(lost)),
                Fault::Final(error) => refused = error,
            },
        }
    }
    Err(refused.into())
}

fn unwrap(
    shared: &Shared,
    connection: &mut Connection,
    wrapped: &WrappedKey,
    expected: &PublicKey,
    label: &str,
) -> Result<(), Fault> {
    let key = expected.key_identifier();
    if wrapped.key() != key {
        let why = format!("it is said to be key {}, not {key}", wrapped.key());
        return Err(TokenError::WrappedKeyInvalid { why }.into());
    }
    let session = &connection.session;
    let private = match object::find(session, ObjectClass::PRIVATE_KEY, key)? {
        Some(private) => private,
        None => take_in(shared, session, wrapped, expected, label)?,
    };
    // A crash here leaves a key that no session serves before it signed a probe.
    if let Err(fault) = connection.probe(shared, expected, private) {
        if matches!(fault, Fault::Final(TokenError::KeyMismatch { .. })) {
            let _ = session.destroy_object(private);
        }
        return Err(fault);
    }
    if object::find(session, ObjectClass::PUBLIC_KEY, key)?.is_none() {
        let mut template = object::public_template(expected);
        template.extend([
            Attribute::Token(true),
            Attribute::Verify(true),
            Attribute::Id(key.0.to_vec()),
            Attribute::Label(label.as_bytes().to_vec()),
        ]);
        session.create_object(&template).during("store a public key")?;
    }
    // COMMIT: after this line the key is the node's; only then may the way it came be destroyed.
    shared.watch.add(expected);
    delete_transport_keys(session)
}

fn take_in(
    shared: &Shared,
    session: &Session,
    wrapped: &WrappedKey,
    expected: &PublicKey,
    label: &str,
) -> Result<ObjectHandle, Fault> {
    let unwrapping = key_wrap(shared)?;
    let transport =
        object::find(session, ObjectClass::PRIVATE_KEY, wrapped.transport())?.ok_or_else(|| {
            let why = format!("the token has no transport key {}", wrapped.transport());
            Fault::Final(TokenError::WrappedKeyInvalid { why })
        })?;
    let kek = session
        .unwrap_key(&mechanism(wrapped.oaep()), transport, wrapped.wrapped_kek(), &received_kek())
        .map_err(|e| not_unwrapped(&e))?;
    let mut template = private_attributes(label, Mobility::Wrapped);
    template.extend([
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::KeyType(object::key_type(expected.kind())),
        Attribute::Id(expected.key_identifier().0.to_vec()),
    ]);
    let unwrapped =
        session.unwrap_key(&unwrapping, kek, wrapped.wrapped_key(), &template).map_err(|e| not_unwrapped(&e));
    let _ = session.destroy_object(kek);
    unwrapped
}

fn delete_transport_keys(session: &Session) -> Result<(), Fault> {
    let template = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Token(true),
        Attribute::Unwrap(true),
        Attribute::Label(TRANSPORT_LABEL.to_vec()),
    ];
    for old in session.find_objects(&template).during("find old transport keys")? {
        session.destroy_object(old).during("delete an old transport key")?;
    }
    Ok(())
}

fn make_kek(session: &Session) -> Result<ObjectHandle, Fault> {
    let template = [
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Wrap(true),
        Attribute::ValueLen(KEK_LENGTH.into()),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).during("generate a key encryption key")
}

fn received_kek() -> [Attribute; 7] {
    [
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Unwrap(true),
    ]
}

fn mechanism(oaep: Oaep) -> Mechanism<'static> {
    let (hash, mgf) = match oaep {
        Oaep::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        Oaep::Sha1 => (MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
    };
    Mechanism::RsaPkcsOaep(PkcsOaepParams::new(hash, mgf, PkcsOaepSource::empty()))
}

/// RFC 5649 under the number that this token knows it by.
fn key_wrap(shared: &Shared) -> Result<Mechanism<'static>, Fault> {
    let padded = raw::key_wrap_with_padding();
    if shared.mechanisms().contains(&padded) {
        return Ok(Mechanism::VendorDefined(VendorDefinedMechanism::new(padded, None::<&()>)));
    }
    if shared.mechanisms().contains(&MechanismType::AES_KEY_WRAP_PAD) {
        return Ok(Mechanism::AesKeyWrapPad);
    }
    let what = "wrap and unwrap keys".to_owned();
    Err(TokenError::Unsupported { label: shared.config.label.clone(), what }.into())
}

fn cannot_receive(shared: &Shared) -> Fault {
    let what = "receive wrapped keys".to_owned();
    TokenError::Unsupported { label: shared.config.label.clone(), what }.into()
}

fn not_wrappable(shared: &Shared, key: KeyIdentifier, error: &Error) -> Fault {
    match error {
        Error::Pkcs11(
            RvError::KeyUnextractable | RvError::KeyNotWrappable | RvError::KeyFunctionNotPermitted,
            _,
        ) => TokenError::NotWrappable { label: shared.config.label.clone(), key, why: said(error) }.into(),
        _ => Fault::of("wrap a key", error),
    }
}

fn not_unwrapped(error: &Error) -> Fault {
    match Fault::of("unwrap a key", error) {
        Fault::Final(_) => TokenError::WrappedKeyInvalid { why: said(error) }.into(),
        lost @ Fault::Lost(_) => lost,
    }
}

/// Refuses what no token would have made.
fn check_length(octets: &[u8]) -> Result<(), TokenError> {
    if octets.len() > WRAPPED_LENGTH_MAX {
        let why = format!("it is {} octets long, more than {WRAPPED_LENGTH_MAX}", octets.len());
        return Err(TokenError::WrappedKeyInvalid { why });
    }
    Ok(())
}
