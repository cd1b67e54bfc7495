//! One suite, run on SoftHSM2 and on the embedded token: what is portable is what both do.
//!
//! A PKCS#11 library is one state a process, and reads its configuration from the environment: so each case runs in
//! a process of its own, this test binary again, with `as_process` as its only test.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ca_authority::ports::{SignError, Signer as _, Verifier as _};
use ca_core::ids::{ClusterId, Digest, NodeId};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyKind, PublicKey};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::{Session, UserType};
use secrecy::SecretString;

use crate::pool::Job;
use crate::token::Signable;
use crate::*;

const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
const CASE: &str = "CA_HSM_TEST_CASE";
const KIND: &str = "CA_HSM_TEST_TOKEN";
const DIRECTORY: &str = "CA_HSM_TEST_DIRECTORY";
const PIN: &str = "1234-user";
const SO_PIN: &str = "5678-officer";
/// How long a loop may wait for another thread before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

macro_rules! suite {
    ($($case:ident),+ $(,)?) => {
        mod softhsm { $(#[test] fn $case() { super::run_as_process(stringify!($case), "softhsm"); })+ }
        mod embedded { $(#[test] fn $case() { super::run_as_process(stringify!($case), "embedded"); })+ }

        fn case(name: &str) -> fn(&World) {
            match name { $(stringify!($case) => $case,)+ other => panic!("no case {other}") }
        }
    };
}

suite![
    every_kind_of_key_signs_what_the_verifier_accepts,
    ed25519_signs_or_is_said_to_be_missing,
    keys_are_found_again_and_never_readable,
    a_key_is_found_by_its_label_alone,
    a_wrong_pin_is_shown_once,
    a_pin_that_changed_is_not_tried_twice,
    a_missing_label_names_the_others,
    nothing_is_initialised_twice,
    r11_a_proof_binds_cluster_key_node_and_entry,
    a_missing_key_is_named,
    a_key_goes_from_token_to_token_to_token,
    a_bound_key_is_not_wrapped,
    a_damaged_wrapped_key_leaves_nothing,
    another_key_than_the_expected_one_is_deleted,
    a_lost_log_in_heals,
    a_library_that_was_finalised_heals,
    stale_handles_heal,
    i28_a_wrong_private_key_signs_nothing,
    i28_a_distrusted_key_proves_itself_before_it_signs,
    a_probe_shows_that_the_token_holds_a_key,
    a_full_queue_says_so,
    a_hanging_call_costs_one_worker,
    a_closed_token_says_so,
];

fn every_kind_of_key_signs_what_the_verifier_accepts(world: &World) {
    use SignatureAlgorithm as A;
    let token = world.token("ca-node");
    let kinds = [
        (KeyKind::EcP256, vec![A::EcdsaSha256, A::EcdsaSha384]),
        (KeyKind::EcP384, vec![A::EcdsaSha384, A::EcdsaSha256]),
        (KeyKind::EcP521, vec![A::EcdsaSha512]),
        (KeyKind::Rsa { bits: 3072 }, vec![A::RsaPkcs1Sha256, A::RsaPkcs1Sha384, A::RsaPkcs1Sha512]),
        (KeyKind::Rsa { bits: 2048 }, vec![A::RsaPssSha256, A::RsaPssSha384, A::RsaPssSha512]),
    ];
    for (kind, algorithms) in kinds {
        let key = run(token.generate(kind, "signs")).unwrap();
        assert_eq!(key.kind(), kind);
        for algorithm in algorithms {
            assert_signs(&token, &key, algorithm);
        }
    }
    assert_eq!(run(token.keys()).unwrap().len(), 5);
}

fn ed25519_signs_or_is_said_to_be_missing(world: &World) {
    let token = world.token("ca-node");
    match run(token.generate(KeyKind::Ed25519, "signs")) {
        Ok(key) => assert_signs(&token, &key, SignatureAlgorithm::Ed25519),
        Err(error) => assert_eq!(error.slug(), "token-mechanism-missing", "{error}"),
    }
}

fn keys_are_found_again_and_never_readable(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    token.close();
    let token = world.open("ca-node");
    assert_eq!(run(token.public_keys()).unwrap(), vec![key.clone()]);
    assert_signs(&token, &key, SignatureAlgorithm::EcdsaSha256);

    let session = world.intruder("ca-node");
    let template =
        [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(key.key_identifier().0.to_vec())];
    for private in session.find_objects(&template).unwrap() {
        let read =
            session.get_attributes(private, &[AttributeType::Value, AttributeType::Sensitive]).unwrap();
        assert!(read.contains(&Attribute::Sensitive(true)), "{read:?}");
        assert!(
            !read.iter().any(|attribute| matches!(attribute, Attribute::Value(_))),
            "the key can be read"
        );
    }
}

fn a_key_is_found_by_its_label_alone(world: &World) {
    let token = world.token("ca-node");
    assert_eq!(run(token.key_labelled("responder")).unwrap(), None);
    let others = ["issuing-1", "responder-old", "respond"];
    let others = others.map(|label| run(token.generate(KeyKind::EcP256, label)).unwrap());
    assert_eq!(run(token.key_labelled("responder")).unwrap(), None, "other labels, other keys");
    let key = run(token.generate_bound(KeyKind::EcP256, "responder")).unwrap();
    assert!(!others.contains(&key));
    token.close();
    let token = world.open("ca-node");
    assert_eq!(run(token.key_labelled("responder")).unwrap(), Some(key.clone()));
    // A second one of the label changes the answer at most once, and not from call to call.
    let second = run(token.generate_bound(KeyKind::EcP256, "responder")).unwrap();
    let first = if key.key_identifier() < second.key_identifier() { key } else { second };
    for _ in 0..3 {
        assert_eq!(run(token.key_labelled("responder")).unwrap(), Some(first.clone()));
    }
    assert_eq!(run(token.key_labelled("")).unwrap_err().slug(), "token-value-out-of-bounds");
}

fn a_wrong_pin_is_shown_once(world: &World) {
    world.token("ca-node").close();
    let config = TokenConfig::new(world.module.clone(), "ca-node");
    let error = Token::open(config.clone(), SecretString::from("not the PIN")).unwrap_err();
    assert_eq!(error, TokenError::WrongPin { label: "ca-node".into() });
    let unavailable = || Err(PinUnavailable("no such file".into()));
    assert_eq!(Token::open(config, unavailable).unwrap_err().slug(), "token-pin-unavailable");
    let token = world.open("ca-node");
    run(token.keys()).unwrap();
}

fn a_pin_that_changed_is_not_tried_twice(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    let session = world.intruder("ca-node");
    log_out(&token, || {
        session.set_pin(&SecretString::from(PIN), &SecretString::from("another-pin")).unwrap();
        session.logout().unwrap();
    });
    for _ in 0..5 {
        let error = sign(&token, &key).unwrap_err();
        let SignError::Down { why } = &error else { panic!("{error}") };
        assert!(why.contains("one try was spent and nothing will be retried"), "{why}");
    }
    assert_eq!(token.shared().log_in().tries, 2, "once at the start, once after the log-in was lost");
}

fn a_missing_label_names_the_others(world: &World) {
    world.token("ca-node").close();
    let config = TokenConfig::new(world.module.clone(), "another");
    let error = Token::open(config, SecretString::from(PIN)).unwrap_err();
    assert_eq!(error, TokenError::LabelMissing { label: "another".into(), found: vec!["ca-node".into()] });
    let missing = TokenConfig::new(Module::Library(PathBuf::from("/nowhere/module.so")), "ca-node");
    assert_eq!(Token::open(missing, SecretString::from(PIN)).unwrap_err().slug(), "token-module-missing");
}

fn nothing_is_initialised_twice(world: &World) {
    let config = TokenConfig::new(world.module.clone(), "ca-node");
    assert_eq!(Token::open(config, SecretString::from(PIN)).unwrap_err().slug(), "token-not-initialised");
    world.provision("ca-node").unwrap();
    let error = world.provision("ca-node").unwrap_err();
    assert_eq!(error, TokenError::AlreadyInitialised { label: "ca-node".into() });
    world.open("ca-node");
}

fn r11_a_proof_binds_cluster_key_node_and_entry(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP384, "issuing-1")).unwrap();
    let other = run(token.generate(KeyKind::EcP384, "issuing-2")).unwrap();
    let statement = ProofStatement { cluster: ClusterId([1; 16]), node: NodeId(2), asking: Digest([3; 32]) };
    let proof = run(token.prove(&key, &statement)).unwrap();
    verify_proof(&key, &statement, &proof).unwrap();
    for wrong in [
        ProofStatement { cluster: ClusterId([9; 16]), ..statement },
        ProofStatement { node: NodeId(9), ..statement },
        ProofStatement { asking: Digest([9; 32]), ..statement },
    ] {
        verify_proof(&key, &wrong, &proof).unwrap_err();
    }
    verify_proof(&other, &statement, &proof).unwrap_err();
}

fn a_missing_key_is_named(world: &World) {
    let token = world.token("ca-node");
    let other = PublicKey::from_rsa(&[0xC5; 256], &[1, 0, 1]).unwrap();
    assert_eq!(sign(&token, &other), Err(SignError::NoKey { key: other.key_identifier() }));
    assert!(!token.holds(other.key_identifier()));
}

fn a_key_goes_from_token_to_token_to_token(world: &World) {
    let first = world.token("first");
    let second = world.token("second");
    // The third is of the other make, where both are there: the blobs are portable.
    let third = World::other_make(world).map_or_else(|| world.token("third"), |other| other.token("third"));
    for kind in [KeyKind::EcP256, KeyKind::EcP384, KeyKind::Rsa { bits: 3072 }] {
        let key = run(first.generate(kind, "issuing-1")).unwrap();
        for (from, to) in [(&first, &second), (&second, &third), (&third, &first)] {
            supply(from, to, &key).unwrap();
            assert_signs(to, &key, SignatureAlgorithm::default_for(kind));
            assert!(run(to.keys()).unwrap().contains(&key.key_identifier()));
        }
    }
}

fn a_bound_key_is_not_wrapped(world: &World) {
    let (first, second) = (world.token("first"), world.token("second"));
    let key = run(first.generate_bound(KeyKind::EcP256, "responder")).unwrap();
    assert_signs(&first, &key, SignatureAlgorithm::EcdsaSha256);
    let error = supply(&first, &second, &key).unwrap_err();
    assert_eq!(error.slug(), "token-key-not-wrappable", "{error}");
}

fn a_damaged_wrapped_key_leaves_nothing(world: &World) {
    let (first, second) = (world.token("first"), world.token("second"));
    let key = run(first.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    let transport = run(second.transport_key()).unwrap();
    let good = run(first.wrap_for(key.key_identifier(), &transport)).unwrap().to_bytes();
    // In the last octet the wrapped key itself, in the middle the key encryption key.
    for from_the_end in [0, 300] {
        let mut bad = good.clone();
        *bad.iter_mut().rev().nth(from_the_end).unwrap() ^= 1;
        let bad = WrappedKey::from_bytes(&bad).unwrap();
        run(second.unwrap(&bad, &key, "issuing-1")).unwrap_err();
        assert_eq!(run(second.keys()).unwrap(), vec![]);
    }
    // It is not the transport key's fault: the undamaged one still arrives. Once; then the transport key is gone.
    run(second.unwrap(&WrappedKey::from_bytes(&good).unwrap(), &key, "issuing-1")).unwrap();
    let third = world.token("third");
    let error = run(third.unwrap(&WrappedKey::from_bytes(&good).unwrap(), &key, "issuing-1")).unwrap_err();
    assert_eq!(error.slug(), "token-wrapped-key-invalid", "{error}");
}

fn another_key_than_the_expected_one_is_deleted(world: &World) {
    let (first, second) = (world.token("first"), world.token("second"));
    let key = run(first.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    let expected = run(first.generate(KeyKind::EcP256, "issuing-2")).unwrap();
    let transport = run(second.transport_key()).unwrap();
    let transport = TransportPublicKey::from_bytes(&transport.to_bytes()).unwrap();
    let wrapped = run(first.wrap_for(key.key_identifier(), &transport)).unwrap();
    let error = run(second.unwrap(&wrapped, &expected, "issuing-2")).unwrap_err();
    assert_eq!(error.slug(), "token-wrapped-key-invalid", "{error}");
    // A giver that lies about which key it is.
    let mut lie = wrapped.to_bytes();
    lie[2..22].copy_from_slice(&expected.key_identifier().0);
    let error =
        run(second.unwrap(&WrappedKey::from_bytes(&lie).unwrap(), &expected, "issuing-2")).unwrap_err();
    assert_eq!(error, TokenError::KeyMismatch { label: "second".into(), key: expected.key_identifier() });
    assert_eq!(sign(&second, &expected), Err(SignError::NoKey { key: expected.key_identifier() }));
}

fn a_lost_log_in_heals(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    for _ in 0..3 {
        let session = world.intruder("ca-node");
        log_out(&token, || session.logout().unwrap());
        assert_signs(&token, &key, SignatureAlgorithm::EcdsaSha256);
        let session = world.intruder("ca-node");
        log_out(&token, || session.logout().unwrap());
        run(token.generate(KeyKind::EcP256, "issuing-2")).unwrap();
    }
}

fn a_library_that_was_finalised_heals(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    for _ in 0..3 {
        world.library().finalize().unwrap();
        assert_signs_at_last(&token, &key);
    }
}

fn stale_handles_heal(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    for _ in 0..3 {
        // All sessions and all handles of the workers are gone; some numbers come back with another meaning.
        world.library().finalize().unwrap();
        let _ = world.library().initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        assert_signs_at_last(&token, &key);
    }
}

fn i28_a_wrong_private_key_signs_nothing(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    let other = run(token.generate(KeyKind::EcP256, "issuing-2")).unwrap();
    token.close();
    let token = world.open("ca-node");
    let session = world.intruder("ca-node");
    let private = |key: &PublicKey| {
        let id = Attribute::Id(key.key_identifier().0.to_vec());
        let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true), id];
        session.find_objects(&template).unwrap()[0]
    };
    session.destroy_object(private(&key)).unwrap();
    let disguise = [Attribute::Id(key.key_identifier().0.to_vec())];
    session.update_attributes(private(&other), &disguise).unwrap();
    token.distrust(&key);
    let error = sign(&token, &key).unwrap_err();
    let SignError::Down { why } = &error else { panic!("{error}") };
    assert!(why.contains("does not belong to the public key"), "{why}");
    assert!(!token.holds(key.key_identifier()));
}

fn i28_a_distrusted_key_proves_itself_before_it_signs(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    sign(&token, &key).unwrap();
    let before = token.shared().watch.doubts(key.key_identifier());
    token.distrust(&key);
    assert_ne!(token.shared().watch.doubts(key.key_identifier()), before);
    sign(&token, &key).unwrap();
    assert!(token.holds(key.key_identifier()));
}

fn a_probe_shows_that_the_token_holds_a_key(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    token.close();
    let token = world.open("ca-node");
    // Nobody signs: what makes it held is a probe.
    assert!(comes_true(|| token.holds(key.key_identifier())), "{:?}", token.health());
    let health = token.health();
    assert_eq!((health.keys, health.fault, health.hanging), (vec![(key.key_identifier(), true)], None, 0));
}

fn a_full_queue_says_so(world: &World) {
    world.provision("ca-node").unwrap();
    let config = TokenConfig { sessions: 1, queue: 2, ..TokenConfig::new(world.module.clone(), "ca-node") };
    let token = world.open_with(config);
    let release = occupy(&token, Duration::from_secs(60));
    for _ in 0..2 {
        token.shared().queue.put(Job { limit: Duration::ZERO, run: Box::new(|_| ()) }).unwrap();
    }
    let key = PublicKey::from_rsa(&[0xC5; 256], &[1, 0, 1]).unwrap();
    assert_eq!(sign(&token, &key), Err(SignError::Busy { queued: 2 }));
    drop(release);
}

fn a_hanging_call_costs_one_worker(world: &World) {
    world.provision("ca-node").unwrap();
    let deadline = Duration::from_millis(300);
    let config = TokenConfig { sessions: 1, deadline, ..TokenConfig::new(world.module.clone(), "ca-node") };
    let token = world.open_with(config);
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    let release = occupy(&token, Duration::from_millis(900));
    assert_eq!(sign(&token, &key), Err(SignError::TimedOut { limit_ms: 300 }));
    // Another worker takes its place, and the first still hangs.
    assert_signs_at_last(&token, &key);
    assert_eq!(token.health().hanging, 1);
    drop(release);
    assert!(comes_true(|| token.health().hanging == 0));
    assert_signs_at_last(&token, &key);
}

fn a_closed_token_says_so(world: &World) {
    let token = world.token("ca-node");
    let key = run(token.generate(KeyKind::EcP256, "issuing-1")).unwrap();
    token.close();
    let SignError::Down { why } = sign(&token, &key).unwrap_err() else { panic!() };
    assert_eq!(why, "the token is closed");
    assert!(!format!("{token:?}").contains(PIN));
}

/// The process of one case; as a test of its own it does nothing.
#[test]
fn as_process() {
    let Ok(name) = std::env::var(CASE) else { return };
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).unwrap());
    let world = World::new(&std::env::var(KIND).unwrap(), &directory);
    case(&name)(&world);
    // SoftHSM takes itself apart when the process ends: nobody may be inside by then.
    world.opened.take().iter().for_each(Token::close);
}

fn run_as_process(case: &str, kind: &str) {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let configuration = directory.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&configuration, text).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::as_process", "--nocapture"])
        .env(CASE, case)
        .env(KIND, kind)
        .env(DIRECTORY, directory.path())
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", output.status);
}

/// One make of token, in this process.
struct World {
    module: Module,
    opened: Rc<RefCell<Vec<Token>>>,
}

impl World {
    fn new(kind: &str, directory: &Path) -> Self {
        ca_token::install_slots(&directory.join("embedded"), 4).unwrap();
        let module = if kind == "softhsm" { Module::Library(SOFTHSM.into()) } else { Module::Embedded };
        Self { module, opened: Rc::default() }
    }

    fn other_make(&self) -> Option<Self> {
        let module = match self.module {
            Module::Library(_) => Module::Embedded,
            Module::Embedded => Module::Library(SOFTHSM.into()),
        };
        Path::new(SOFTHSM).exists().then_some(Self { module, opened: Rc::clone(&self.opened) })
    }

    fn provision(&self, label: &str) -> Result<(), TokenError> {
        Token::provision(&self.module, label, &SecretString::from(SO_PIN), &SecretString::from(PIN))
    }

    fn token(&self, label: &str) -> Token {
        self.provision(label).unwrap();
        self.open(label)
    }

    fn open(&self, label: &str) -> Token {
        self.open_with(TokenConfig { sessions: 2, ..TokenConfig::new(self.module.clone(), label) })
    }

    fn open_with(&self, config: TokenConfig) -> Token {
        let token = Token::open(config, SecretString::from(PIN)).unwrap();
        self.opened.borrow_mut().push(token.clone());
        token
    }

    /// The library as another part of the process sees it: the same state.
    fn library(&self) -> Pkcs11 {
        match &self.module {
            Module::Library(path) => Pkcs11::new(path).unwrap(),
            Module::Embedded => Pkcs11::new_from_self().unwrap(),
        }
    }

    /// A session that somebody else has at the same token, logged in.
    fn intruder(&self, label: &str) -> Session {
        let library = self.library();
        let slot = library
            .get_slots_with_initialized_token()
            .unwrap()
            .into_iter()
            .find(|slot| library.get_token_info(*slot).unwrap().label() == label)
            .unwrap();
        let session = library.open_rw_session(slot).unwrap();
        let _ = session.login(UserType::User, Some(&SecretString::from(PIN)));
        session
    }
}

/// What a permit would have become.
struct Order {
    key: PublicKey,
    algorithm: SignatureAlgorithm,
}

const MESSAGE: &[u8] = b"to be signed";

impl Signable for Order {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn message(&self) -> &[u8] {
        MESSAGE
    }
}

fn sign(token: &Token, key: &PublicKey) -> Result<Vec<u8>, SignError> {
    let algorithm = SignatureAlgorithm::default_for(key.kind());
    run(token.sign_what(Order { key: key.clone(), algorithm }))
}

fn assert_signs(token: &Token, key: &PublicKey, algorithm: SignatureAlgorithm) {
    let signature = run(token.sign_what(Order { key: key.clone(), algorithm })).unwrap();
    SignatureVerifier.verify(key, algorithm, MESSAGE, &signature).unwrap();
    assert!(token.holds(key.key_identifier()));
}

/// While workers find out that their sessions are gone, their handles may mean each other's: a signature may fail, or
/// be wrong (the authority drops those, R13). It must not stay so.
fn assert_signs_at_last(token: &Token, key: &PublicKey) {
    let algorithm = SignatureAlgorithm::default_for(key.kind());
    let mut last = None;
    let healed = comes_true(|| {
        let signed = sign(token, key);
        let good = signed
            .as_ref()
            .is_ok_and(|signature| SignatureVerifier.verify(key, algorithm, MESSAGE, signature).is_ok());
        last = Some(signed);
        good
    });
    assert!(healed, "{last:?}");
}

fn comes_true(mut what: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if what() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

/// With nobody else inside: kryoptic's `C_Logout` may hang otherwise (see `Library::alone`).
fn log_out(token: &Token, how: impl FnOnce()) {
    let library = &token.shared().library;
    let generation = *library.enter();
    let _alone = library.alone(generation).unwrap();
    how();
}

/// Keeps a worker busy until the answer is dropped.
fn occupy(token: &Token, limit: Duration) -> mpsc::Sender<()> {
    let (release, wait) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let run = Box::new(move |_: &mut crate::heal::Seat| {
        begin.send(()).unwrap();
        let _ = wait.recv();
    });
    token.shared().queue.put(Job { limit, run }).unwrap();
    begun.recv().unwrap();
    release
}

/// As two nodes do it: only octets travel.
fn supply(from: &Token, to: &Token, key: &PublicKey) -> Result<(), TokenError> {
    let transport = run(to.transport_key())?.to_bytes();
    let transport = TransportPublicKey::from_bytes(&transport)?;
    let wrapped = run(from.wrap_for(key.key_identifier(), &transport))?.to_bytes();
    run(to.unwrap(&WrappedKey::from_bytes(&wrapped)?, key, "issuing-1"))
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}
