use ca_sim::log::Kept;
use ca_sim::{Act, Link, Said, World};
use ca_x509::key::PublicKey;
use ca_x509::ocsp::{CertId, OcspError, OcspRequest, OcspResponse};
use ca_x509::serial::SerialNumber;

fn neighbours(serial: SerialNumber) -> Vec<SerialNumber> {
    let octets: [u8; 16] = serial.as_be_bytes().try_into().unwrap();
    let value = u128::from_be_bytes(octets);
    let near = [value.wrapping_sub(1), value.wrapping_add(1), value ^ (1 << 64), value >> 8, 1];
    near.iter().map(|value| SerialNumber::from_be_bytes(&value.to_be_bytes()).unwrap()).collect()
}

/// Mechanism: `ca_core::status::status`, which says `Good` of a recorded row only.
#[test]
fn i8_random_serials_and_neighbours_are_never_good() {
    let world = World::bootstrapped(3);
    for turn in 0..20_u8 {
        let issued = world.issue(1, &format!("h{turn}.example.test")).unwrap();
        assert_eq!(world.status(2, &issued), Said::Good);
        let random = SerialNumber::from_random(ca_core::ids::Digest::of(&[turn]).0[..16].try_into().unwrap());
        for serial in neighbours(issued.serial).into_iter().chain([random]) {
            assert_eq!(world.status_of(3, "issuing", serial), Said::Unknown);
        }
        assert_eq!(world.status_of(3, "root", issued.serial), Said::Unknown, "of another CA");
    }
    world.settle_and_check();
}

/// Mechanism: `ca_authority::ocsp::told` asks a quorum before it says `unknown` (R9), and says nothing of an intent.
#[test]
fn i8_a_node_that_cannot_know_says_try_later() {
    let world = World::bootstrapped(3);
    world.link(3, Link::CutOff);
    let issued = world.issue(1, "a.example.test").unwrap();
    assert_eq!(
        world.status(3, &issued),
        Said::Error(OcspError::TryLater),
        "not unknown: it was issued elsewhere"
    );
    for serial in neighbours(issued.serial) {
        assert_eq!(world.status_of(3, "issuing", serial), Said::Error(OcspError::TryLater));
    }
    world.link(3, Link::Lagging);
    let authority = world.node(3);
    let request = world.status_request("issuing", issued.serial);
    let asking = Act::until_it_waits(async move { authority.answer_ocsp(&request).await });
    world.link(3, Link::Up);
    assert!(asking.finish().cacheable.is_some(), "I9: it waited for what it lacked, and knows now");
    assert_eq!(world.status(3, &issued), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_authority::freshness::as_of` and `ca_core::permit::ResponderKey::of`: with neither there is no
/// answer.
#[test]
fn i8_a_restored_node_says_nothing_before_it_has_caught_up() {
    let world = World::bootstrapped(3);
    let issued = world.issue(1, "a.example.test").unwrap();
    world.link(2, Link::Lagging);
    world.restart(2, Kept::Nothing);
    assert_eq!(world.status(2, &issued), Said::Error(OcspError::TryLater));
    assert_eq!(world.status_of(2, "issuing", SerialNumber::MIN), Said::Error(OcspError::TryLater));
    world.link(2, Link::Up);
    assert_eq!(world.status(2, &issued), Said::Error(OcspError::TryLater), "not confirmed by a quorum yet");
    world.refresh_all();
    assert_eq!(world.status(2, &issued), Said::Good);
    world.settle_and_check();
}

/// Mechanism: `ca_core::status::IssuerHashes::are_in`, which compares name and key.
#[test]
fn i8_a_foreign_issuer_is_unauthorized() {
    let world = World::bootstrapped(1);
    let issued = world.issue(1, "a.example.test").unwrap();
    let issuing = world.issuer("issuing");
    let foreign_key = PublicKey::from_ed25519([9; 32]);
    for id in [
        CertId::sha1(&issuing.subject, &foreign_key, &issued.serial),
        CertId::sha1(&world.issuer("root").subject, &issuing.public_key, &issued.serial),
    ] {
        let request = OcspRequest { cert_ids: vec![id], nonce: None }.encode().unwrap();
        let answer = ca_sim::drive(world.node(1).answer_ocsp(&request));
        let expected = OcspResponse::Error(OcspError::Unauthorized);
        assert_eq!(OcspResponse::parse(&answer.der), Ok(expected));
        assert_eq!(answer.cacheable, None);
    }
    world.settle_and_check();
}
