//! Where CA keys are made: the doors know no token.

use ca_core::ids::CaId;
use ca_x509::key::{KeyKind, PublicKey};

use crate::join::{BoxFuture, DeskError};

/// Makes CA keys in this node's token, and lets it prove that it has them.
pub trait CaKeys: Send + Sync + 'static {
    /// The key of a CA that is to be: the one that an interrupted try made in this token, or a new one. It can be
    /// given to the other members' tokens, wrapped.
    ///
    /// # Errors
    /// [`DeskError`]; [`DeskError::Refused`] if the interrupted try made a key of another kind.
    fn key_for<'a>(&'a self, ca: &'a CaId, kind: KeyKind) -> BoxFuture<'a, Result<PublicKey, DeskError>>;

    /// Has the token prove the key of a CA that is defined, and writes the proof to the log (R11).
    ///
    /// # Errors
    /// [`DeskError`]
    fn prove<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Result<(), DeskError>>;

    /// Has the token sign a statement that nobody needs, and checks the signature. Writes nothing.
    ///
    /// # Errors
    /// [`DeskError`]
    fn try_sign<'a>(&'a self, key: &'a PublicKey) -> BoxFuture<'a, Result<(), DeskError>>;
}
