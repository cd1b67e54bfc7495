//! New keys, made in the token.

use ca_x509::key::{KeyKind, PublicKey};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectHandle};

use crate::error::{During as _, Fault, TokenError};
use crate::heal::Connection;
use crate::limits::KEY_LABEL_LENGTH_MAX;
use crate::object;
use crate::pool::Shared;
use crate::token::{Token, check_label};

/// Whether a key may ever leave the token, wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mobility {
    /// To another token of the cluster, wrapped; never readable.
    Wrapped,
    Bound,
}

impl Token {
    /// Makes a key pair that may be given to the other nodes' tokens, wrapped: an issuer's key. Its `CKA_ID` is the
    /// key identifier of the public key, its `CKA_LABEL` the label (1 to 128 octets).
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Unsupported`] if the token makes no such keys.
    pub async fn generate(&self, kind: KeyKind, label: &str) -> Result<PublicKey, TokenError> {
        self.generate_as(kind, label, Mobility::Wrapped).await
    }

    /// Makes a key pair that never leaves this token: a node's own OCSP responder key.
    ///
    /// # Errors
    /// As [`Token::generate`].
    pub async fn generate_bound(&self, kind: KeyKind, label: &str) -> Result<PublicKey, TokenError> {
        self.generate_as(kind, label, Mobility::Bound).await
    }

    async fn generate_as(
        &self,
        kind: KeyKind,
        label: &str,
        mobility: Mobility,
    ) -> Result<PublicKey, TokenError> {
        check_label("a key's label", label, KEY_LABEL_LENGTH_MAX)?;
        let label = label.to_owned();
        self.ask(move |seat| {
            seat.once(|shared, connection| generate(shared, connection, kind, &label, mobility))
        })
        .await
    }
}

fn generate(
    shared: &Shared,
    connection: &mut Connection,
    kind: KeyKind,
    label: &str,
    mobility: Mobility,
) -> Result<PublicKey, Fault> {
    let session = &connection.session;
    if !shared.mechanisms().contains(&object::generation(kind)) {
        return Err(TokenError::no_generation(&shared.config.label, kind).into());
    }
    let mechanism = match kind {
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => Mechanism::EccKeyPairGen,
        KeyKind::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
        KeyKind::Rsa { .. } => Mechanism::RsaPkcsKeyPairGen,
    };
    let mut public_template =
        vec![Attribute::Token(true), Attribute::Verify(true), Attribute::Label(label.as_bytes().to_vec())];
    match (kind, object::curve(kind)) {
        (KeyKind::Rsa { bits }, _) => public_template.extend([
            Attribute::ModulusBits(u64::from(bits).into()),
            Attribute::PublicExponent(object::RSA_EXPONENT.to_vec()),
        ]),
        (_, Some(curve)) => public_template.push(Attribute::EcParams(curve.to_vec())),
        (_, None) => return Err(TokenError::no_generation(&shared.config.label, kind).into()),
    }
    let private_template = private_attributes(label, mobility);
    let (public, private) = session
        .generate_key_pair(&mechanism, &public_template, &private_template)
        .during("generate a key pair")?;
    match adopt(shared, connection, public, private) {
        Ok(key) => Ok(key),
        Err(fault) => {
            // A key without its identifier serves nobody. A crash here leaves it behind, unused: it is never found.
            let _ = connection.session.destroy_object(private);
            let _ = connection.session.destroy_object(public);
            Err(fault)
        }
    }
}

/// Gives the pair its identifier, and has it prove itself.
fn adopt(
    shared: &Shared,
    connection: &Connection,
    public: ObjectHandle,
    private: ObjectHandle,
) -> Result<PublicKey, Fault> {
    let session = &connection.session;
    let key = object::read_public(session, public)?.ok_or_else(|| TokenError::Call {
        step: "read a public key",
        why: "it is not of the kind that was asked for".to_owned(),
    })?;
    let identifier = [Attribute::Id(key.key_identifier().0.to_vec())];
    connection.probe(shared, &key, private)?;
    session.update_attributes(public, &identifier).during("name a public key")?;
    // COMMIT: after this line the key is found by its identifier, and is the node's.
    session.update_attributes(private, &identifier).during("name a private key")?;
    shared.watch.add(&key);
    Ok(key)
}

/// What every private key of ours is.
pub(crate) fn private_attributes(label: &str, mobility: Mobility) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(mobility == Mobility::Wrapped),
        Attribute::Sign(true),
        Attribute::Label(label.as_bytes().to_vec()),
    ]
}
