use ca_authority::ActError;
use ca_sim::{Said, TokenMode, World};
use ca_x509::ocsp::OcspError;

const WRONG: [TokenMode; 2] = [TokenMode::FlipsBits, TokenMode::SignsWithAnotherKey];

/// Mechanism: `ca_authority::signature::sign`, the verification with the order's key, which is the register's (R13).
#[test]
fn i28_a_wrong_signature_becomes_no_certificate() {
    for mode in WRONG {
        let world = World::bootstrapped(3);
        let recorded = world.check().records.len();
        world.token_mode(2, mode);
        assert_eq!(world.issue(2, "a.example.test"), Err(ActError::WrongSignature), "{mode:?}");
        assert!(
            matches!(world.issue(2, "b.example.test"), Err(ActError::Token(_))),
            "the key is not trusted"
        );
        assert_eq!(world.check().records.len(), recorded);
        world.issue(1, "a.example.test").unwrap();
        world.token_mode(2, TokenMode::Works);
        world.issue(2, "a.example.test").unwrap();
        world.settle_and_check();
    }
}

/// Mechanism: as above.
#[test]
fn i28_a_wrong_signature_becomes_no_list() {
    for mode in WRONG {
        let world = World::bootstrapped(3);
        world.token_mode(2, mode);
        assert_eq!(world.publish(2, "issuing"), Err(ActError::WrongSignature), "{mode:?}");
        for node in world.nodes() {
            assert!(world.crl(node, "issuing").is_none());
        }
        world.settle_and_check();
    }
}

/// Mechanism: as above; the responder's key is that of its recorded certificate (`ca_core::permit::ResponderKey::of`).
#[test]
fn i28_a_wrong_signature_becomes_no_answer() {
    for mode in WRONG {
        let world = World::bootstrapped(3);
        let issued = world.issue(1, "a.example.test").unwrap();
        world.token_mode(2, mode);
        assert_eq!(world.status(2, &issued), Said::Error(OcspError::InternalError), "{mode:?}");
        assert_eq!(world.status(2, &issued), Said::Error(OcspError::TryLater), "{mode:?}: not trusted");
        world.token_mode(2, TokenMode::Works);
        assert_eq!(world.status(2, &issued), Said::Good);
        world.settle_and_check();
    }
}
