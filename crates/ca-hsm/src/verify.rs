//! Checks signatures, without a token.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use ca_authority::ports::{BadSignature, Verifier};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyKind, PublicKey};

/// Verifies with aws-lc: P-256, P-384 and P-521 with SHA-256, -384 and -512; RSA of 2048 to 8192 bits, PKCS #1 and PSS; Ed25519.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignatureVerifier;

impl Verifier for SignatureVerifier {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let with = parameters(key.kind(), algorithm).ok_or(BadSignature)?;
        // The BIT STRING of the key is what aws-lc takes for every kind: the point, the RSAPublicKey, the 32 octets.
        UnparsedPublicKey::new(with, key.key_bits()).verify(message, signature).map_err(|_| BadSignature)
    }
}

/// `None` if the algorithm is not for such keys.
fn parameters(kind: KeyKind, algorithm: SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use KeyKind as K;
    use SignatureAlgorithm as A;
    Some(match (kind, algorithm) {
        (K::EcP256, A::EcdsaSha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (K::EcP256, A::EcdsaSha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (K::EcP256, A::EcdsaSha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (K::EcP384, A::EcdsaSha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (K::EcP384, A::EcdsaSha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (K::EcP384, A::EcdsaSha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (K::EcP521, A::EcdsaSha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (K::EcP521, A::EcdsaSha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (K::EcP521, A::EcdsaSha512) => &signature::ECDSA_P521_SHA512_ASN1,
        (K::Rsa { .. }, A::RsaPkcs1Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (K::Rsa { .. }, A::RsaPkcs1Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (K::Rsa { .. }, A::RsaPkcs1Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (K::Rsa { .. }, A::RsaPssSha256) => &signature::RSA_PSS_2048_8192_SHA256,
        (K::Rsa { .. }, A::RsaPssSha384) => &signature::RSA_PSS_2048_8192_SHA384,
        (K::Rsa { .. }, A::RsaPssSha512) => &signature::RSA_PSS_2048_8192_SHA512,
        (K::Ed25519, A::Ed25519) => &signature::ED25519,
        (K::EcP256 | K::EcP384 | K::EcP521 | K::Rsa { .. } | K::Ed25519, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use SignatureAlgorithm as A;

    use super::*;

    fn openssl(directory: &Path, arguments: &str) -> Vec<u8> {
        let output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Makes a key, signs with it, and has the verifier check that and every kind of damage.
    fn check(generate: &str, cases: &[(&str, A)]) {
        let directory = tempfile::tempdir().unwrap();
        let message = b"what openssl signed";
        fs::write(directory.path().join("message"), message).unwrap();
        openssl(directory.path(), &format!("genpkey {generate} -out key.pem"));
        let spki = openssl(directory.path(), "pkey -in key.pem -pubout -outform DER");
        let key = PublicKey::from_spki_der(&spki).unwrap();
        for (sign, algorithm) in cases {
            let signature = openssl(directory.path(), sign);
            SignatureVerifier.verify(&key, *algorithm, message, &signature).unwrap();
            for place in 0..signature.len() {
                let mut flipped = signature.clone();
                flipped[place] ^= 0x10;
                assert_eq!(SignatureVerifier.verify(&key, *algorithm, message, &flipped), Err(BadSignature));
            }
            let other = b"what openssl did not sign";
            assert_eq!(SignatureVerifier.verify(&key, *algorithm, other, &signature), Err(BadSignature));
            for wrong in A::ALL.into_iter().filter(|other| other != algorithm) {
                assert_eq!(SignatureVerifier.verify(&key, wrong, message, &signature), Err(BadSignature));
            }
        }
    }

    const SHA2: [&str; 3] = [
        "dgst -sha256 -sign key.pem message",
        "dgst -sha384 -sign key.pem message",
        "dgst -sha512 -sign key.pem message",
    ];

    #[test]
    fn ecdsa_by_openssl_verifies() {
        for curve in ["P-256", "P-384", "P-521"] {
            let cases = [(SHA2[0], A::EcdsaSha256), (SHA2[1], A::EcdsaSha384), (SHA2[2], A::EcdsaSha512)];
            check(&format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}"), &cases);
        }
    }

    #[test]
    fn rsa_by_openssl_verifies() {
        let cases =
            [(SHA2[0], A::RsaPkcs1Sha256), (SHA2[1], A::RsaPkcs1Sha384), (SHA2[2], A::RsaPkcs1Sha512)];
        for bits in [2048, 3072] {
            check(&format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}"), &cases);
        }
    }

    #[test]
    fn rsa_pss_by_openssl_verifies() {
        let [sha256, sha384, sha512] = ["sha256", "sha384", "sha512"].map(|hash| {
            format!(
                "dgst -{hash} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign key.pem message"
            )
        });
        let cases: [(&str, A); 3] =
            [(&sha256, A::RsaPssSha256), (&sha384, A::RsaPssSha384), (&sha512, A::RsaPssSha512)];
        check("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", &cases);
    }

    #[test]
    fn ed25519_by_openssl_verifies() {
        check("-algorithm ED25519", &[("pkeyutl -sign -rawin -inkey key.pem -in message", A::Ed25519)]);
    }

    #[test]
    fn rsa_keys_under_2048_bits_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("message"), b"m").unwrap();
        openssl(directory.path(), "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key.pem");
        let spki = openssl(directory.path(), "pkey -in key.pem -pubout -outform DER");
        let signature = openssl(directory.path(), SHA2[0]);
        // The parser has no policy; the verifier's floor is here.
        if let Ok(key) = PublicKey::from_spki_der(&spki) {
            assert_eq!(
                SignatureVerifier.verify(&key, A::RsaPkcs1Sha256, b"m", &signature),
                Err(BadSignature)
            );
        }
    }
}
