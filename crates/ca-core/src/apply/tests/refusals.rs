//! Every refusal that a command can meet.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::crl::RevocationReason::{CertificateHold, Superseded};
use ca_x509::key::KeyIdentifier;
use ca_x509::serial::SerialNumber;

use crate::apply::*;
use crate::command::Intent;
use crate::ids::{BootId, ClusterId, Digest};
use crate::limits::{COMMAND_LIFE_MS, CUT_OPEN_MAX_MS, INTENT_OPEN_MAX_MS, TBS_OCTETS_MAX};
use crate::register::{IssuerPurpose, PublicUrls};
use crate::roles::{Identity, Role, Scope};
use crate::shards::{ListId, ListKind, Part};

use super::bench::*;

const UNUSED: SerialNumber = SerialNumber::MIN;

/// Every refusal that apply can give: what leads to it, and its slug. `UnknownProfile` and `Lint` are the plan's and
/// the draft's: a profile that is gone makes an intent stale.
type Case = (&'static str, fn(&mut Bench) -> Outcome);

const REFUSALS: &[Case] = &[
    ("command-expired", |bench| {
        let late = bench.envelope(1, Command::Tick { digest: None });
        bench.wait(COMMAND_LIFE_MS + 1);
        bench.log(late).into_outcome()
    }),
    ("already-initialised", |bench| {
        let urls = PublicUrls::all_at("");
        bench.apply(1, Command::InitCluster { id: ClusterId([8; 16]), name: String::new(), urls })
    }),
    ("not-initialised", |bench| {
        *bench = Bench::empty();
        bench.apply(1, Command::Tick { digest: None })
    }),
    ("unknown-ca", |bench| bench.apply(1, define("new", "nobody", 50))),
    ("unknown-ca", |bench| bench.apply(1, cut("nobody"))),
    ("unknown-ca", |bench| bench.apply(1, record("nobody", UNUSED))),
    ("unknown-ca", |bench| {
        let intent = Intent { ca: ca("nobody"), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("unknown-ca", |bench| {
        let intent = Intent { certifies: Some(ca("nobody")), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("ca-exists", |bench| bench.apply(1, define("root", "root", 50))),
    ("ca-exists", |bench| bench.apply(1, define("another", "root", 10))),
    ("ca-exists", |bench| {
        let Command::DefineIssuer {
            ca: _,
            subject: _,
            public_key,
            algorithm,
            parent,
            purpose,
            shards,
            requester,
        } = define("another", "root", 50)
        else {
            panic!("it defines")
        };
        let subject = subject("root");
        bench.apply(
            1,
            Command::DefineIssuer {
                ca: ca("another"),
                subject,
                public_key,
                algorithm,
                parent,
                purpose,
                requester,
                shards,
            },
        )
    }),
    ("ca-inactive", |bench| bench.apply(1, cut("peers"))),
    ("ca-inactive", |bench| {
        let intent = Intent { ca: ca("peers"), issuer_key: key(12).key_identifier(), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("profile-version", |bench| {
        let profile = bench.profile("client");
        bench.apply(1, Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony })
    }),
    ("forbidden", |bench| {
        let serial = bench.issued(60);
        let (ca, reason, requester) = (ca("issuing"), Superseded, OTHER_CLIENT);
        bench.apply(1, Command::Revoke { ca, serial, reason, requester })
    }),
    ("forbidden", |bench| {
        // R12 for revocations: the grant was taken away after the node had looked.
        let serial = bench.issued(60);
        bench.grant(1, &[], Scope::default());
        bench.revoke(serial, Superseded)
    }),
    ("stale-draft", |bench| {
        let intent = Intent { issuer_key: KeyIdentifier([0; 20]), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("stale-draft", |bench| {
        let intent = bench.intent(60);
        let mut profile = bench.profile(intent.profile.as_str());
        profile.version += 1;
        bench.done(Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony });
        bench.apply(1, Command::Intent(intent))
    }),
    ("stale-draft", |bench| {
        let intent = bench.intent(60);
        bench.grant(1, &[Role::Requester], Scope::default());
        bench.apply(1, Command::Intent(intent))
    }),
    ("stale-draft", |bench| {
        let intent = Intent { profile: "nobodys".parse().unwrap(), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("outside-profile", |bench| {
        let intent = Intent { tbs: vec![0; TBS_OCTETS_MAX + 1], ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("outside-profile", |bench| {
        // Another key than the CA's.
        let intent = Intent { certifies: Some(ca("issuing")), ..bench.intent(60) };
        bench.apply(1, Command::Intent(intent))
    }),
    ("outside-profile", |bench| {
        let serial = bench.issued(60);
        bench.revoke(serial, CertificateHold)
    }),
    ("outside-profile", |bench| {
        let mut command = define("another", "root", 50);
        if let Command::DefineIssuer { algorithm, .. } = &mut command {
            *algorithm = SignatureAlgorithm::EcdsaSha256;
        }
        bench.apply(1, command)
    }),
    ("serial-taken", |bench| {
        bench.issued(60);
        let intent = bench.intent(60);
        bench.apply(1, Command::Intent(intent))
    }),
    ("unknown-serial", |bench| bench.apply(1, record("issuing", UNUSED))),
    ("unknown-serial", |bench| bench.apply(1, abandon(UNUSED))),
    ("unknown-serial", |bench| bench.revoke(UNUSED, Superseded)),
    ("intent-abandoned", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.wait(INTENT_OPEN_MAX_MS + 1);
        assert_eq!(bench.apply(2, abandon(serial)), Outcome::Done);
        bench.apply(1, record("issuing", serial))
    }),
    ("already-recorded", |bench| {
        let serial = bench.issued(60);
        bench.apply(1, record("issuing", serial))
    }),
    ("already-recorded", |bench| {
        let serial = bench.issued(60);
        bench.wait(INTENT_OPEN_MAX_MS + 1);
        bench.apply(1, abandon(serial))
    }),
    ("not-recorded", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.revoke(serial, Superseded)
    }),
    ("still-open", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.wait(INTENT_OPEN_MAX_MS);
        bench.apply(2, abandon(serial))
    }),
    ("still-open", |bench| {
        // Its own node, in the same boot: the permit may still be in use.
        let serial = bench.commit(bench.intent(60));
        bench.apply(1, abandon(serial))
    }),
    ("not-owner", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.apply(2, record("issuing", serial))
    }),
    ("not-owner", |bench| {
        let serial = bench.commit(bench.intent(60));
        bench.boot = BootId(2);
        bench.apply(1, record("issuing", serial))
    }),
    ("idempotency-mismatch", |bench| {
        bench.commit(bench.keyed(60, 1, None));
        let intent = bench.keyed(61, 2, None);
        bench.apply(1, Command::Intent(intent))
    }),
    ("attempt-open", |bench| {
        bench.commit(bench.keyed(60, 1, None));
        let intent = bench.keyed(61, 1, Some(UNUSED));
        bench.apply(1, Command::Intent(intent))
    }),
    ("outside-profile", |bench| bench.apply(1, define("issuing-15", "root", 50))),
    ("outside-profile", |bench| bench.apply(1, define("root-delta", "root", 50))),
    ("not-on-hold", |bench| {
        let serial = bench.issued(60);
        bench.release(serial)
    }),
    ("not-on-hold", |bench| {
        let serial = bench.issued(60);
        bench.revoke(serial, Superseded);
        bench.release(serial)
    }),
    ("unknown-list", |bench| {
        let list = ListId { ca: ca("issuing"), part: Part::Shard(16) };
        bench.apply(1, Command::CutCrl { list, kind: ListKind::Complete })
    }),
    ("unknown-list", |bench| {
        let list = ListId { ca: ca("root"), part: Part::Shard(0) };
        bench.apply(1, Command::CutCrl { list, kind: ListKind::Complete })
    }),
    ("no-base", |bench| bench.apply(1, Command::CutCrl { list: whole("issuing"), kind: ListKind::Delta })),
    ("cut-open", |bench| {
        bench.apply(1, cut("issuing"));
        bench.wait(CUT_OPEN_MAX_MS);
        bench.apply(1, cut("issuing"))
    }),
    ("cut-closed", |bench| bench.apply(1, sign_cut(1))),
    ("cut-closed", |bench| {
        bench.apply(1, cut("issuing"));
        bench.apply(2, sign_cut(1))
    }),
    ("cut-closed", |bench| {
        bench.apply(1, cut("issuing"));
        bench.boot = BootId(2);
        bench.apply(1, sign_cut(1))
    }),
    ("cut-closed", |bench| {
        bench.apply(1, cut("issuing"));
        bench.wait(CUT_OPEN_MAX_MS + 1);
        bench.apply(1, cut("issuing"));
        bench.apply(1, sign_cut(1))
    }),
    ("join-token-unknown", |bench| bench.apply(3, admit(None, "three"))),
    ("join-token-unknown", |bench| bench.apply(3, admit(Some(Digest([6; 32])), "three"))),
    ("join-token-spent", |bench| bench.apply(3, admit(Some(Digest([5; 32])), "three"))),
    ("join-token-expired", |bench| {
        let secret = Digest([6; 32]);
        bench.done(Command::MintJoinToken { secret, expires_at: bench.now, requester: Identity::Ceremony });
        bench.wait(1);
        bench.apply(3, admit(Some(secret), "three"))
    }),
    ("name-taken", |bench| {
        let secret = Digest([6; 32]);
        bench.done(Command::MintJoinToken { secret, expires_at: bench.now, requester: Identity::Ceremony });
        bench.apply(3, admit(Some(secret), "two"))
    }),
    ("not-signing", |bench| {
        let intent = bench.intent(60);
        bench.apply(2, Command::Intent(intent))
    }),
    ("not-signing", |bench| bench.apply(2, cut("issuing"))),
    ("not-signing", |bench| bench.apply(3, prove(10))),
    ("unknown-key", |bench| bench.apply(2, prove(50))),
    ("unknown-ca", |bench| bench.apply(1, Command::RetireCa { ca: ca("nobody"), requester: CLIENT })),
    ("unknown-ca", |bench| {
        bench.apply(1, Command::RequestCaCertificate { ca: ca("nobody"), requester: CLIENT })
    }),
    ("unknown-ca", |bench| {
        bench.apply(1, Command::RecordCaRequest { ca: ca("root"), signature: vec![], requester: CLIENT })
    }),
    ("unknown-ca", |bench| {
        bench.apply(1, Command::ImportCaCertificate { ca: ca("nobody"), chain: vec![], requester: CLIENT })
    }),
    ("ca-needed", |bench| bench.apply(1, Command::RetireCa { ca: ca("issuing"), requester: CLIENT })),
    ("ca-needed", |bench| bench.apply(1, Command::RetireCa { ca: ca("peers"), requester: CLIENT })),
    ("not-signing", |bench| {
        bench.apply(2, Command::RequestCaCertificate { ca: ca("issuing"), requester: CLIENT })
    }),
    ("import-unfit", |bench| {
        bench.apply(
            1,
            Command::ImportCaCertificate { ca: ca("issuing"), chain: vec![vec![0]; 2], requester: CLIENT },
        )
    }),
    // The peers' CA under a public one.
    ("outside-profile", |bench| {
        let mut command = define("more-peers", "root", 50);
        if let Command::DefineIssuer { purpose, .. } = &mut command {
            *purpose = IssuerPurpose::Peers;
        }
        bench.apply(1, command)
    }),
];

#[test]
fn every_refusal_has_its_cause_and_changes_nothing() {
    for (place, (slug, case)) in REFUSALS.iter().enumerate() {
        let mut bench = Bench::ready();
        let Outcome::Refused(refusal) = case(&mut bench) else { panic!("case {place}, {slug}: not refused") };
        assert_eq!(refusal.slug(), *slug, "case {place}: {refusal}");
    }
}
