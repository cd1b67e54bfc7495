//! I28: verified with the register's key.

use ca_authority::ports::Verifier as _;
use ca_hsm::SignatureVerifier;
use ca_x509::certificate::Certificate;

use crate::world::World;

impl World {
    /// Lists and OCSP answers are verified as they come (see [`World::crl`] and [`World::asking`]).
    pub(super) fn i28_by_the_registers_key(&self) {
        for released in self.all_released() {
            let issuer = self.issuer(released.issued.ca.as_str());
            let certificate =
                Certificate::parse(&released.issued.certificate).expect("a certificate is released");
            let verdict = SignatureVerifier.verify(
                &issuer.public_key,
                issuer.algorithm,
                certificate.tbs_der(),
                certificate.signature(),
            );
            assert_eq!(verdict, Ok(()), "I28: {} is not by its CA", released.issued.serial);
        }
    }
}
