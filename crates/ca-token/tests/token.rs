//! The token as a program meets it: through cryptoki, from its own executable.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

const SLOT_COUNT: u8 = 6;
const KEY_ID: &[u8] = b"issuing-1";
/// secp256r1, RFC 5480 §2.1.1.1.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
const MESSAGE: &[u8] = b"ca-node";
/// Tells a test that it runs as the second process, and where.
const DIRECTORY_VARIABLE: &str = "CA_TOKEN_TEST_DIRECTORY";

#[test]
fn a_key_outlives_its_process() {
    let directory = tempfile::tempdir().unwrap();
    run_as_process("as_process_generate", directory.path());
    run_as_process("as_process_find_again", directory.path());
}

#[test]
fn a_process_that_ends_before_init_token_leaves_no_trap() {
    let directory = tempfile::tempdir().unwrap();
    run_as_process("as_process_abandon", directory.path());
    assert_eq!(directory.path().join("token/slot-0.sql").metadata().unwrap().len(), 0, "the trap is gone?");
    run_as_process("as_process_generate", directory.path());
    run_as_process("as_process_find_again", directory.path());
}

#[test]
fn the_files_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    run_as_process("as_process_generate", directory.path());
    let mode = |path: &str| directory.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("token"), 0o700);
    assert_eq!(mode("token/token.conf"), 0o600);
}

#[test]
fn a_key_moves_between_tokens_unread() {
    let pkcs11 = shared_token();
    let (from, to) = (open(pkcs11, 0), open(pkcs11, 1));
    let (public, private) = generate(&from, P256, Extractable::Yes);
    let point = ec_point(&from, public);

    let moved = move_key(&from, private, &to);
    assert_signs(&to, moved, &point);
    let attributes = to.get_attributes(moved, &[AttributeType::Sensitive, AttributeType::Value]).unwrap();
    assert!(attributes.contains(&Attribute::Sensitive(true)), "{attributes:?}");
    assert!(!attributes.iter().any(|a| matches!(a, Attribute::Value(_))), "the key can be read");

    // The token that received it can supply the next one.
    let third = open(pkcs11, 2);
    let moved_again = move_key(&to, moved, &third);
    assert_signs(&third, moved_again, &point);
}

#[test]
fn signs_with_all_curves_and_rsa() {
    let session = open(shared_token(), 3);
    for (curve, digest, signature) in [(P256, 32, 64), (P384, 48, 96), (P521, 64, 132)] {
        let (_, private) = generate(&session, curve, Extractable::No);
        let made = session.sign(&Mechanism::Ecdsa, private, &vec![7; digest]).unwrap();
        assert_eq!(made.len(), signature);
    }
    let (public, private) = session
        .generate_key_pair(
            &Mechanism::RsaPkcsKeyPairGen,
            &[
                Attribute::Token(false),
                Attribute::Verify(true),
                Attribute::ModulusBits(3072.into()),
                Attribute::PublicExponent(vec![1, 0, 1]),
            ],
            &[Attribute::Token(false), Attribute::Sign(true), Attribute::Sensitive(true)],
        )
        .unwrap();
    let made = session.sign(&Mechanism::Sha256RsaPkcs, private, MESSAGE).unwrap();
    session.verify(&Mechanism::Sha256RsaPkcs, public, MESSAGE, &made).unwrap();
}

#[test]
fn offers_what_the_signer_needs() {
    let pkcs11 = shared_token();
    let _session = open(pkcs11, 4);
    let slot = pkcs11.get_slots_with_token().unwrap()[4];
    let offered = pkcs11.get_mechanism_list(slot).unwrap();
    for needed in [
        MechanismType::ECC_KEY_PAIR_GEN,
        MechanismType::ECDSA,
        MechanismType::RSA_PKCS_KEY_PAIR_GEN,
        MechanismType::RSA_PKCS,
        MechanismType::SHA256_RSA_PKCS,
        MechanismType::RSA_PKCS_PSS,
        MechanismType::RSA_PKCS_OAEP,
        MechanismType::AES_KEY_GEN,
        MechanismType::AES_KEY_WRAP,
        MechanismType::AES_KEY_WRAP_PAD,
    ] {
        assert!(offered.contains(&needed), "no {needed}");
        pkcs11.get_mechanism_info(slot, needed).unwrap();
    }
    assert!(!offered.contains(&MechanismType::EDDSA), "OpenSSL 3.0 has none through this token");
}

#[test]
fn one_process_has_one_home() {
    let _ = shared_token();
    let refused = ca_token::install_slots(&shared_directory().join("other"), 1).unwrap_err();
    assert!(matches!(refused, ca_token::InstallError::Elsewhere { .. }), "{refused}");
    assert!(!shared_directory().join("other").exists());
    let refused = ca_token::install(Path::new("/it's")).unwrap_err();
    assert!(matches!(refused, ca_token::InstallError::Path { .. }), "{refused}");
    let refused = ca_token::install_slots(&shared_directory(), 0).unwrap_err();
    assert!(matches!(refused, ca_token::InstallError::Slots { .. }), "{refused}");
}

/// Run in a process of its own by the tests above; alone it does nothing.
#[test]
fn as_process_generate() {
    let Some(directory) = std::env::var_os(DIRECTORY_VARIABLE) else { return };
    ca_token::install(&Path::new(&directory).join("token")).unwrap();
    let session = open(&initialized(), 0);
    let (public, private) = generate(&session, P256, Extractable::No);
    assert_signs(&session, private, &ec_point(&session, public));
    // A token object is read from its file at each use; the copy is what signs at speed.
    let copy = session.copy_object(private, &[Attribute::Token(false)]).unwrap();
    assert_signs(&session, copy, &ec_point(&session, public));
}

/// As above.
#[test]
fn as_process_find_again() {
    let Some(directory) = std::env::var_os(DIRECTORY_VARIABLE) else { return };
    ca_token::install(&Path::new(&directory).join("token")).unwrap();
    let find = |pkcs11: &Pkcs11| {
        let slot = pkcs11.get_slots_with_initialized_token().unwrap()[0];
        let session = pkcs11.open_rw_session(slot).unwrap();
        session.login(UserType::User, Some(&user_pin())).unwrap();
        let of_class = |class| {
            let found = session.find_objects(&[Attribute::Class(class), Attribute::Id(KEY_ID.to_vec())]);
            <[ObjectHandle; 1]>::try_from(found.unwrap()).expect("one key of the class")[0]
        };
        let public = of_class(ObjectClass::PUBLIC_KEY);
        assert_signs(&session, of_class(ObjectClass::PRIVATE_KEY), &ec_point(&session, public));
    };
    // Finalized and initialized again, as a signer that heals does.
    let pkcs11 = initialized();
    find(&pkcs11);
    pkcs11.clone().finalize().unwrap();
    initialize(&pkcs11);
    find(&pkcs11);
}

/// As above: ends without `C_InitToken`.
#[test]
fn as_process_abandon() {
    let Some(directory) = std::env::var_os(DIRECTORY_VARIABLE) else { return };
    ca_token::install(&Path::new(&directory).join("token")).unwrap();
    assert_eq!(initialized().get_slots_with_token().unwrap().len(), 1);
}

fn run_as_process(test: &str, directory: &Path) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DIRECTORY_VARIABLE, directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// One token state a process, a slot a test.
fn shared_token() -> &'static Pkcs11 {
    static SHARED: OnceLock<Pkcs11> = OnceLock::new();
    SHARED.get_or_init(|| {
        ca_token::install_slots(&shared_directory(), SLOT_COUNT).unwrap();
        initialized()
    })
}

fn shared_directory() -> std::path::PathBuf {
    static SHARED: OnceLock<tempfile::TempDir> = OnceLock::new();
    SHARED.get_or_init(|| tempfile::tempdir().unwrap()).path().join("token")
}

fn initialized() -> Pkcs11 {
    let pkcs11 = Pkcs11::new_from_self().unwrap();
    initialize(&pkcs11);
    pkcs11
}

fn initialize(pkcs11: &Pkcs11) {
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
}

fn user_pin() -> AuthPin {
    AuthPin::new("12345678".into())
}

/// Initialises the slot's token, sets both PINs and logs the user in.
fn open(pkcs11: &Pkcs11, slot: usize) -> Session {
    let slot: Slot = pkcs11.get_slots_with_token().unwrap()[slot];
    let so_pin = AuthPin::new("87654321".into());
    pkcs11.init_token(slot, &so_pin, "ca-node").unwrap();
    {
        let session = pkcs11.open_rw_session(slot).unwrap();
        session.login(UserType::So, Some(&so_pin)).unwrap();
        session.init_pin(&user_pin()).unwrap();
    }
    let session = pkcs11.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&user_pin())).unwrap();
    session
}

#[derive(Clone, Copy)]
enum Extractable {
    Yes,
    No,
}

fn generate(session: &Session, curve: &[u8], extractable: Extractable) -> (ObjectHandle, ObjectHandle) {
    session
        .generate_key_pair(
            &Mechanism::EccKeyPairGen,
            &[
                Attribute::Token(true),
                Attribute::Id(KEY_ID.to_vec()),
                Attribute::Verify(true),
                Attribute::EcParams(curve.to_vec()),
            ],
            &[
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Id(KEY_ID.to_vec()),
                Attribute::Sign(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(matches!(extractable, Extractable::Yes)),
            ],
        )
        .unwrap()
}

fn generate_transport_pair(session: &Session) -> (ObjectHandle, ObjectHandle) {
    session
        .generate_key_pair(
            &Mechanism::RsaPkcsKeyPairGen,
            &[
                Attribute::Token(false),
                Attribute::Wrap(true),
                Attribute::ModulusBits(3072.into()),
                Attribute::PublicExponent(vec![1, 0, 1]),
            ],
            &[
                Attribute::Token(false),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Unwrap(true),
            ],
        )
        .unwrap()
}

/// B's transport pair, A's key encryption key under it, the key under that.
fn move_key(from: &Session, key: ObjectHandle, to: &Session) -> ObjectHandle {
    // SHA-1 is the one hash for OAEP that all tokens have; its collisions do not matter there.
    let oaep = Mechanism::RsaPkcsOaep(PkcsOaepParams::new(
        MechanismType::SHA1,
        PkcsMgfType::MGF1_SHA1,
        PkcsOaepSource::empty(),
    ));
    let (transport_public, transport_private) = generate_transport_pair(to);
    let public = to
        .get_attributes(transport_public, &[AttributeType::Modulus, AttributeType::PublicExponent])
        .unwrap();

    let mut imported = vec![
        Attribute::Token(false),
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::KeyType(KeyType::RSA),
        Attribute::Wrap(true),
    ];
    imported.extend(public);
    let transport = from.create_object(&imported).unwrap();
    let kek = from
        .generate_key(
            &Mechanism::AesKeyGen,
            &[
                Attribute::Token(false),
                Attribute::Sensitive(true),
                Attribute::Extractable(true),
                Attribute::Wrap(true),
                Attribute::ValueLen(32.into()),
            ],
        )
        .unwrap();
    let wrapped_kek = from.wrap_key(&oaep, transport, kek).unwrap();
    let wrapped_key = from.wrap_key(&Mechanism::AesKeyWrapPad, kek, key).unwrap();

    let kek = to
        .unwrap_key(
            &oaep,
            transport_private,
            &wrapped_kek,
            &[
                Attribute::Token(false),
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Unwrap(true),
            ],
        )
        .unwrap();
    to.unwrap_key(
        &Mechanism::AesKeyWrapPad,
        kek,
        &wrapped_key,
        &[
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(KeyType::EC),
            Attribute::Id(KEY_ID.to_vec()),
            Attribute::Sign(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(true),
        ],
    )
    .unwrap()
}

/// The uncompressed point, 65 octets: kryoptic gives it bare, others inside a DER OCTET STRING.
fn ec_point(session: &Session, public: ObjectHandle) -> Vec<u8> {
    let attributes = session.get_attributes(public, &[AttributeType::EcPoint]).unwrap();
    let Some(Attribute::EcPoint(point)) = attributes.into_iter().next() else { panic!("no point") };
    point[point.len() - 65..].to_vec()
}

fn assert_signs(session: &Session, private: ObjectHandle, point: &[u8]) {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, MESSAGE);
    let signature = session.sign(&Mechanism::Ecdsa, private, digest.as_ref()).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(MESSAGE, &signature).unwrap();
}
