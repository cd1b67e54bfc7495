//! Key proofs (R11): a signature over a statement that is built here, so that a challenge is never a signing oracle.

use ca_authority::ports::{BadSignature, Entropy as _, SignError, Verifier as _};
use ca_core::ids::{ClusterId, Digest, NodeId};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyIdentifier, PublicKey};

use crate::entropy::SystemEntropy;
use crate::error::TokenError;
use crate::token::{Signable, Token};
use crate::verify::SignatureVerifier;

/// 64 spaces: no DER value begins with 0x20, so a proof is never a TBSCertificate, TBSCertList or ResponseData.
const PADDING: [u8; 64] = [0x20; 64];

const LABEL: &[u8] = b"ca-node key proof";

/// That this node's token holds a key of this cluster, asked for by one entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofStatement {
    /// The cluster.
    pub cluster: ClusterId,
    /// The node whose token signs.
    pub node: NodeId,
    /// The digest of the entry that asks for the proof: makes it fresh.
    pub asking: Digest,
}

impl ProofStatement {
    /// What is signed: `64 × 0x20 ‖ "ca-node key proof" ‖ cluster (16) ‖ key (20) ‖ node (8) ‖ asking (32)`.
    /// Every part has a fixed length, so no two statements have the same octets.
    fn octets(&self, key: KeyIdentifier) -> Vec<u8> {
        [&PADDING, LABEL, &self.cluster.0, &key.0, &self.node.0.to_be_bytes(), &self.asking.0].concat()
    }
}

/// Checks a key proof.
///
/// # Errors
/// [`BadSignature`] if it is not by this key, or over another statement.
pub fn verify_proof(
    key: &PublicKey,
    statement: &ProofStatement,
    signature: &[u8],
) -> Result<(), BadSignature> {
    let algorithm = SignatureAlgorithm::default_for(key.kind());
    SignatureVerifier.verify(key, algorithm, &statement.octets(key.key_identifier()), signature)
}

impl Token {
    /// Proves that the token holds the private half of `key`.
    ///
    /// # Errors
    /// [`SignError`]
    pub async fn prove(&self, key: &PublicKey, statement: &ProofStatement) -> Result<Vec<u8>, SignError> {
        self.sign_what(Statement::new(key, statement)).await
    }
}

/// A statement and the key that is to sign it. Besides a signing order the only thing that reaches a private key.
pub(crate) struct Statement {
    key: PublicKey,
    octets: Vec<u8>,
}

impl Statement {
    pub(crate) fn new(key: &PublicKey, statement: &ProofStatement) -> Self {
        Self { key: key.clone(), octets: statement.octets(key.key_identifier()) }
    }

    /// A proof for nobody: of no cluster and no node, over something random. Shows that a key signs.
    pub(crate) fn random_probe(key: &PublicKey) -> Result<Self, TokenError> {
        let mut random = [0; 32];
        SystemEntropy
            .fill(&mut random)
            .map_err(|e| TokenError::Call { step: "draw a probe", why: e.to_string() })?;
        let asking = Digest::over(&[b"probe", &random]);
        Ok(Self::new(key, &ProofStatement { cluster: ClusterId([0; 16]), node: NodeId(0), asking }))
    }

    pub(crate) fn verify(&self, signature: &[u8]) -> Result<(), BadSignature> {
        SignatureVerifier.verify(&self.key, self.algorithm(), &self.octets, signature)
    }
}

impl Signable for Statement {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::default_for(self.key.kind())
    }

    fn message(&self) -> &[u8] {
        &self.octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r11_the_statement_has_the_fixed_form() {
        let statement =
            ProofStatement { cluster: ClusterId([7; 16]), node: NodeId(3), asking: Digest([9; 32]) };
        let octets = statement.octets(KeyIdentifier([5; 20]));
        assert_eq!(octets.len(), 64 + 17 + 16 + 20 + 8 + 32);
        assert!(octets.starts_with(&[0x20; 64]));
        assert_eq!(&octets[64..81], b"ca-node key proof");
        assert_eq!(octets[81..97], [7; 16]);
        assert_eq!(octets[97..117], [5; 20]);
        assert_eq!(octets[117..125], [0, 0, 0, 0, 0, 0, 0, 3]);
        assert_eq!(octets[125..], [9; 32]);
    }
}
