//! Random values of everything that is written, for the tests of codec, keys and stores.

use std::sync::Arc;

use ca_core::command::{Command, Envelope, Idempotency, Intent};
use ca_core::enrolment::{Enrolment, EnrolmentNames, EnrolmentTerms};
use ca_core::history::{About, Act, HistoryPlace, HistoryRow};
use ca_core::ids::{
    BootId, CaId, ClusterId, Digest, Epoch, LogIndex, NodeId, ProfileName, RequestId, UnixMillis,
};
use ca_core::outcome::{Outcome, Refusal};
use ca_core::profile::PerMinute;
use ca_core::register::{
    Attempt, CaRequest, CertificateEntry, CertificateState, CertifiedBy, Cluster, CrlBase, CrlCut, CrlScope,
    Expiring, Issuer, IssuerPurpose, JoinToken, Key, KeyProof, KeyUse, Member, MemberState, OwnCertificate,
    PublicUrls, Revocation, SignedCrl, StatusChange, StatusEvent, Value,
};
use ca_core::roles::{Grant, Granted, Identity, Reach, Role, Scope};
use ca_core::shards::{ListId, ListKind, Part, Shards};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::crl::{CrlNumber, RevocationReason};
use ca_x509::key::{KeyIdentifier, PublicKey};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) use self::profile::profile;

mod profile;

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 .:/-]{0,24}"
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

/// Few, so that commands meet each other's rows.
pub(crate) fn ca() -> impl Strategy<Value = CaId> {
    "[a-c][a-c0-1-]{0,3}".prop_map(|text| text.parse().unwrap())
}

fn profile_name() -> impl Strategy<Value = ProfileName> {
    "[a-c][a-c0-1-]{0,3}".prop_map(|text| text.parse().unwrap())
}

pub(crate) fn serial() -> impl Strategy<Value = SerialNumber> {
    prop_oneof![
        vec(any::<u8>(), 1..=19).prop_filter_map("zero", |octets| SerialNumber::from_be_bytes(&octets).ok()),
        (1_u8..6).prop_map(|small| SerialNumber::from_be_bytes(&[small]).unwrap()),
        any::<[u8; 16]>().prop_map(SerialNumber::from_random),
    ]
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn key_identifier() -> impl Strategy<Value = KeyIdentifier> {
    any::<[u8; 20]>().prop_map(KeyIdentifier)
}

fn node() -> impl Strategy<Value = NodeId> {
    prop_oneof![0_u64..5, any::<u64>()].prop_map(NodeId)
}

fn millis() -> impl Strategy<Value = UnixMillis> {
    any::<u64>().prop_map(UnixMillis)
}

fn seconds() -> impl Strategy<Value = UnixSeconds> {
    any::<u64>().prop_map(UnixSeconds)
}

fn index() -> impl Strategy<Value = LogIndex> {
    any::<u64>().prop_map(LogIndex)
}

pub(crate) fn request() -> impl Strategy<Value = RequestId> {
    (node(), any::<u64>(), any::<u64>()).prop_map(|(node, boot, counter)| RequestId {
        node,
        boot: BootId(boot),
        counter,
    })
}

fn identity() -> impl Strategy<Value = Identity> {
    prop_oneof![
        Just(Identity::Ceremony),
        node().prop_map(Identity::Node),
        digest().prop_map(Identity::Client),
        digest().prop_map(Identity::Enrolment),
    ]
}

fn number() -> impl Strategy<Value = CrlNumber> {
    any::<u128>().prop_map(CrlNumber)
}

fn reason() -> impl Strategy<Value = RevocationReason> {
    let known: Vec<_> = (0..=u8::MAX).filter_map(RevocationReason::from_code).collect();
    select(known)
}

fn purpose() -> impl Strategy<Value = IssuerPurpose> {
    select(vec![IssuerPurpose::Public, IssuerPurpose::Peers])
}

fn shards() -> impl Strategy<Value = Shards> {
    (1..=Shards::MAX).prop_map(|count| Shards::new(count).unwrap())
}

fn list() -> impl Strategy<Value = ListId> {
    let part = prop_oneof![Just(Part::Whole), any::<u8>().prop_map(Part::Shard)];
    (ca(), part).prop_map(|(ca, part)| ListId { ca, part })
}

fn algorithm() -> impl Strategy<Value = SignatureAlgorithm> {
    select(SignatureAlgorithm::ALL.to_vec())
}

fn public_key() -> impl Strategy<Value = PublicKey> {
    any::<[u8; 32]>().prop_map(PublicKey::from_ed25519)
}

fn subject() -> impl Strategy<Value = DistinguishedName> {
    "[A-Za-z]{1,20}".prop_map(|name| DistinguishedName::new().common_name(name).build().unwrap())
}

fn urls() -> impl Strategy<Value = PublicUrls> {
    (text(), text(), text()).prop_map(|(crl, ocsp, aia)| PublicUrls { crl, ocsp, aia })
}

fn grant() -> impl Strategy<Value = Grant> {
    let scope = (reach(ca()), reach(profile_name()), reach(text())).prop_map(|(cas, profiles, dns)| Scope {
        cas,
        profiles,
        dns,
    });
    let rate = option::of(any::<u32>().prop_map(PerMinute));
    (digest(), vec(select(Role::ALL.to_vec()), 0..4), scope, rate, text())
        .prop_map(|(key, roles, scope, rate, label)| Grant { key, roles, scope, rate, label })
}

fn reach<T: Clone + std::fmt::Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Reach<T>> {
    option::of(vec(one, 0..3)).prop_map(|only| only.map_or(Reach::All, Reach::Only))
}

fn intent() -> impl Strategy<Value = Intent> {
    let from = (ca(), key_identifier(), profile_name(), any::<u32>(), option::of(index()), identity());
    let what = (serial(), octets(), seconds());
    let ties = (
        option::of((digest(), digest()).prop_map(|(key, body)| Idempotency { key, body })),
        option::of(serial()),
        option::of(ca()),
        option::of(node()),
    );
    (from, what, ties).prop_map(|(from, what, ties)| {
        let (ca, issuer_key, profile, profile_version, grant_index, requester) = from;
        let (serial, tbs, not_after) = what;
        let (idempotency, supersedes, certifies, responder) = ties;
        Intent {
            ca,
            issuer_key,
            profile,
            profile_version,
            grant_index,
            requester,
            serial,
            tbs,
            not_after,
            idempotency,
            supersedes,
            certifies,
            responder,
        }
    })
}

#[expect(clippy::too_many_lines, reason = "one arm a command")]
pub(crate) fn command() -> impl Strategy<Value = Command> {
    let ca_serial = || (ca(), serial());
    prop_oneof![
        (any::<[u8; 16]>(), text(), urls()).prop_map(|(id, name, urls)| Command::InitCluster {
            id: ClusterId(id),
            name,
            urls,
        }),
        (ca(), subject(), public_key(), algorithm(), option::of(ca()), purpose(), shards(), identity())
            .prop_map(|(ca, subject, public_key, algorithm, parent, purpose, shards, requester)| {
                Command::DefineIssuer {
                    ca,
                    subject,
                    public_key,
                    algorithm,
                    parent,
                    purpose,
                    requester,
                    shards,
                }
            }),
        (profile(), identity()).prop_map(|(profile, requester)| Command::DefineProfile {
            profile: Box::new(profile),
            requester
        }),
        (grant(), identity()).prop_map(|(grant, requester)| Command::SetGrant { grant, requester }),
        intent().prop_map(Command::Intent),
        (ca_serial(), octets()).prop_map(|((ca, serial), signature)| Command::Record {
            ca,
            serial,
            signature
        }),
        ca_serial().prop_map(|(ca, serial)| Command::Abandon { ca, serial }),
        (ca_serial(), reason(), identity()).prop_map(|((ca, serial), reason, requester)| Command::Revoke {
            ca,
            serial,
            reason,
            requester,
        }),
        (ca_serial(), identity()).prop_map(|((ca, serial), requester)| Command::Release {
            ca,
            serial,
            requester
        }),
        (list(), select(vec![ListKind::Complete, ListKind::Delta]))
            .prop_map(|(list, kind)| Command::CutCrl { list, kind }),
        (list(), number(), digest(), octets()).prop_map(|(list, number, tbs_digest, signature)| {
            Command::RecordCrl { list, number, tbs_digest, signature }
        }),
        (digest(), millis(), identity()).prop_map(|(secret, expires_at, requester)| {
            Command::MintJoinToken { secret, expires_at, requester }
        }),
        (option::of(digest()), text(), text(), text(), text()).prop_map(
            |(token, name, peer_address, api_address, va_address)| Command::AdmitMember {
                token,
                name,
                peer_address,
                api_address,
                va_address,
            }
        ),
        (key_identifier(), octets()).prop_map(|(key, signature)| Command::ProveKey { key, signature }),
        (digest(), terms(), millis(), identity()).prop_map(|(token, terms, expires_at, requester)| {
            Command::MintEnrolment { token, terms, expires_at, requester }
        }),
        (digest(), identity()).prop_map(|(token, requester)| Command::RevokeEnrolment { token, requester }),
        (identity(), text(), any::<u64>()).prop_map(|(by, slug, count)| Command::RecordRefusals {
            by,
            slug,
            count
        }),
        (ca(), identity()).prop_map(|(ca, requester)| Command::RequestCaCertificate { ca, requester }),
        (ca(), octets(), identity()).prop_map(|(ca, signature, requester)| Command::RecordCaRequest {
            ca,
            signature,
            requester
        }),
        (ca(), vec(octets(), 0..3), identity())
            .prop_map(|(ca, chain, requester)| Command::ImportCaCertificate { ca, chain, requester }),
        (ca(), identity()).prop_map(|(ca, requester)| Command::RetireCa { ca, requester }),
        option::of((index(), digest())).prop_map(|digest| Command::Tick { digest }),
    ]
}

pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    (request(), millis(), command()).prop_map(|(id, expires_at, command)| Envelope {
        id,
        expires_at,
        command,
    })
}

fn key_use() -> impl Strategy<Value = KeyUse> {
    prop_oneof![
        ca().prop_map(KeyUse::Authority),
        node().prop_map(KeyUse::Responder),
        Just(KeyUse::Connections),
    ]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let texts = || (text(), text());
    let plain = select(vec![
        Refusal::AlreadyInitialised,
        Refusal::NotInitialised,
        Refusal::IdempotencyMismatch,
        Refusal::JoinTokenUnknown,
        Refusal::JoinTokenExpired,
        Refusal::EnrolmentTokenUnknown,
        Refusal::EnrolmentTokenExpired,
        Refusal::UnknownKey,
    ]);
    let of_list = (list(), 0_u8..4).prop_map(|(list, which)| match which {
        0 => Refusal::CutOpen { list },
        1 => Refusal::CutClosed { list },
        2 => Refusal::UnknownList { list },
        _ => Refusal::NoBase { list },
    });
    let of_ca = (ca(), serial(), 0_u8..5).prop_map(|(ca, serial, which)| match which {
        0 => Refusal::UnknownCa { ca },
        1 => Refusal::CaExists { ca },
        2 => Refusal::CaInactive { ca },
        3 => Refusal::UnknownSerial { ca, serial },
        _ => Refusal::AttemptOpen { ca, serial },
    });
    let of_serial = (serial(), any::<u64>(), 0_u8..7).prop_map(|(serial, open_ms, which)| match which {
        0 => Refusal::SerialTaken { serial },
        1 => Refusal::IntentAbandoned { serial },
        2 => Refusal::AlreadyRecorded { serial },
        3 => Refusal::NotRecorded { serial },
        4 => Refusal::NotOwner { serial },
        5 => Refusal::NotOnHold { serial },
        6 => Refusal::EnrolmentTokenSpent { serial },
        _ => Refusal::StillOpen { serial, open_ms },
    });
    let of_cas = (ca(), ca(), text(), text(), vec(node(), 0..3), profile_name(), 0_u8..6).prop_map(
        |(ca, revoked, field, why, nodes, profile, which)| match which {
            0 => Refusal::CaRetired { ca },
            1 => Refusal::CaRevoked { ca, revoked },
            2 => Refusal::OutsideCa { ca, field, why },
            3 => Refusal::KeyUnproven { ca, nodes },
            4 => Refusal::ImportUnfit { ca, why },
            _ => Refusal::CaNeeded { ca, profile },
        },
    );
    prop_oneof![
        plain,
        of_ca,
        of_list,
        of_cas,
        of_serial,
        (millis(), millis()).prop_map(|(expired_at, now)| Refusal::Expired { expired_at, now }),
        profile_name().prop_map(|profile| Refusal::UnknownProfile { profile }),
        (profile_name(), any::<u32>(), any::<u32>())
            .prop_map(|(profile, expected, got)| Refusal::ProfileVersion { profile, expected, got }),
        texts().prop_map(|(caller, needs)| Refusal::Forbidden { caller, needs }),
        text().prop_map(|what| Refusal::StaleDraft { what }),
        texts().prop_map(|(field, why)| Refusal::OutsideProfile { field, why }),
        texts().prop_map(|(rule, why)| Refusal::Lint { rule, why }),
        node().prop_map(|by| Refusal::JoinTokenSpent { by }),
        text().prop_map(|name| Refusal::NameTaken { name }),
        node().prop_map(|node| Refusal::NotSigning { node }),
        key_use().prop_map(|usage| Refusal::ClusterKey { usage }),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Done),
        (ca(), serial(), digest()).prop_map(|(ca, serial, tbs_digest)| Outcome::IntentCommitted {
            ca,
            serial,
            tbs_digest
        }),
        (ca(), serial()).prop_map(|(ca, serial)| Outcome::AlreadyIssued { ca, serial }),
        (ca(), digest()).prop_map(|(ca, info_digest)| Outcome::CaRequestCommitted { ca, info_digest }),
        index().prop_map(|index| Outcome::Recorded { index }),
        seconds().prop_map(|revoked_at| Outcome::Revoked { revoked_at }),
        cut().prop_map(|cut| Outcome::CrlCut(Box::new(cut))),
        node().prop_map(Outcome::Admitted),
        refusal().prop_map(Outcome::Refused),
    ]
}

fn cut() -> impl Strategy<Value = CrlCut> {
    let base = option::of((number(), index()).prop_map(|(number, index)| CrlBase { number, index }));
    let times = (millis(), seconds(), seconds(), seconds());
    (number(), index(), request(), base, times).prop_map(
        |(number, index, owner, base, (cut_at, this_update, next_update, ended_before))| CrlCut {
            number,
            index,
            base,
            ended_before,
            owner,
            cut_at,
            this_update,
            next_update,
        },
    )
}

fn certificate() -> impl Strategy<Value = CertificateEntry> {
    let state = prop_oneof![
        Just(CertificateState::Open),
        (octets(), index(), millis()).prop_map(|(signature, index, at)| CertificateState::Recorded {
            signature,
            index,
            at
        }),
        index().prop_map(|index| CertificateState::Abandoned { index }),
    ];
    let what = (octets(), profile_name(), any::<u32>(), identity(), request(), index(), seconds());
    let ties = (option::of(ca()), option::of(node()));
    (what, ties, state).prop_map(|(what, (certifies, responder), state)| {
        let (tbs, profile, profile_version, requester, owner, intent_index, not_after) = what;
        CertificateEntry {
            tbs,
            profile,
            profile_version,
            requester,
            owner,
            intent_index,
            not_after,
            certifies,
            responder,
            state,
        }
    })
}

fn revocation() -> impl Strategy<Value = Revocation> {
    let change = prop_oneof![
        reason().prop_map(StatusChange::Revoked),
        Just(StatusChange::Abandoned),
        Just(StatusChange::Released),
    ];
    let event = (index(), seconds(), change, identity()).prop_map(|(index, since, change, by)| StatusEvent {
        index,
        since,
        change,
        by,
    });
    (seconds(), vec(event, 1..4)).prop_map(|(not_after, events)| Revocation { not_after, events })
}

fn member() -> impl Strategy<Value = Member> {
    let state = select(vec![MemberState::Joining, MemberState::Signing]);
    (text(), text(), text(), text(), state).prop_map(
        |(name, peer_address, api_address, va_address, state)| Member {
            name,
            peer_address,
            api_address,
            va_address,
            state,
        },
    )
}

fn issuer() -> impl Strategy<Value = Issuer> {
    let who = (subject(), public_key(), algorithm(), option::of(ca()), purpose(), shards());
    let what = (option::of(own_certificate()), vec(own_certificate(), 0..3), option::of(millis()));
    (who, what).prop_map(|(who, (certificate, others, retired_at))| {
        let (subject, public_key, algorithm, parent, purpose, shards) = who;
        Issuer { subject, public_key, algorithm, parent, certificate, others, purpose, retired_at, shards }
    })
}

fn own_certificate() -> impl Strategy<Value = OwnCertificate> {
    let by = prop_oneof![
        (ca(), serial()).prop_map(|(ca, serial)| CertifiedBy::Here { ca, serial }),
        digest().prop_map(|digest| CertifiedBy::Elsewhere { digest }),
    ];
    (by, index(), seconds(), option::of(any::<u8>()), vec(profile::name_constraints(), 0..3)).prop_map(
        |(by, index, not_after, path_len, names)| OwnCertificate { by, index, not_after, path_len, names },
    )
}

fn scope() -> impl Strategy<Value = CrlScope> {
    let signed = || {
        (cut(), digest(), octets())
            .prop_map(|(cut, tbs_digest, signature)| Box::new(SignedCrl { cut, tbs_digest, signature }))
    };
    let lists = (option::of(cut()), option::of(signed()), option::of(signed()));
    (any::<u64>(), lists, seconds(), index()).prop_map(
        |(last_counter, (open, current, delta), scheduled, changed)| CrlScope {
            last_counter,
            open,
            current,
            delta,
            scheduled,
            changed,
        },
    )
}

fn expiring() -> impl Strategy<Value = Expiring> {
    prop_oneof![
        index().prop_map(Expiring::Outcomes),
        digest().prop_map(Expiring::Attempt),
        digest().prop_map(Expiring::Enrolment),
    ]
}

fn terms() -> impl Strategy<Value = EnrolmentTerms> {
    let name = prop_oneof![
        "[a-z]{1,8}[.]test".prop_map(GeneralName::Dns),
        any::<[u8; 4]>().prop_map(|octets| GeneralName::Ip(octets.into())),
    ];
    let names = prop_oneof![
        vec(name, 0..3).prop_map(EnrolmentNames::Among),
        vec(text(), 0..3).prop_map(EnrolmentNames::Below),
    ];
    (ca(), profile_name(), names).prop_map(|(ca, profile, names)| EnrolmentTerms { ca, profile, names })
}

fn enrolment() -> impl Strategy<Value = Enrolment> {
    (terms(), identity(), index(), millis(), option::of(serial())).prop_map(
        |(terms, minted_by, index, expires_at, spent)| Enrolment {
            terms,
            minted_by,
            index,
            expires_at,
            spent,
        },
    )
}

fn history() -> impl Strategy<Value = (HistoryPlace, HistoryRow)> {
    let about = prop_oneof![
        Just(About::Cluster),
        ca().prop_map(About::Ca),
        (profile_name(), any::<u32>()).prop_map(|(name, version)| About::Profile(name, version)),
        digest().prop_map(About::Caller),
        (ca(), serial()).prop_map(|(ca, serial)| About::Certificate(ca, serial)),
        (ca(), serial(), reason()).prop_map(|(ca, serial, reason)| About::Revocation(ca, serial, reason)),
        (list(), number()).prop_map(|(list, number)| About::Crl(list, number)),
        digest().prop_map(About::Token),
        node().prop_map(About::Member),
        key_identifier().prop_map(About::Key),
        (text(), any::<u64>()).prop_map(|(slug, count)| About::Refusals(slug, count)),
    ];
    let row = (millis(), node(), identity(), select(Act::ALL.to_vec()), about)
        .prop_map(|(at, node, by, act, about)| HistoryRow { at, node, by, act, about });
    let place = (index(), any::<u32>()).prop_map(|(index, ordinal)| HistoryPlace { index, ordinal });
    (place, row)
}

/// A key of any table.
pub(crate) fn key() -> impl Strategy<Value = Key> {
    row().prop_map(|(key, _)| key)
}

/// A row of any table.
pub(crate) fn row() -> impl Strategy<Value = (Key, Value)> {
    let cluster = (any::<[u8; 16]>(), text(), any::<u64>(), node(), urls()).prop_map(
        |(id, name, epoch, next_node, urls)| Cluster {
            id: ClusterId(id),
            name,
            epoch: Epoch(epoch),
            next_node,
            urls,
        },
    );
    let token = (millis(), option::of(node()), identity())
        .prop_map(|(expires_at, spent_by, minted_by)| JoinToken { expires_at, spent_by, minted_by });
    let proof = (index(), any::<u64>(), octets()).prop_map(|(index, boot, signature)| KeyProof {
        index,
        boot: BootId(boot),
        signature,
    });
    let attempt = (digest(), ca(), serial(), millis()).prop_map(|(body, ca, serial, since)| Attempt {
        body,
        ca,
        serial,
        since,
    });
    prop_oneof![
        cluster.prop_map(|cluster| (Key::Cluster, Value::Cluster(Arc::new(cluster)))),
        millis().prop_map(|time| (Key::Time, Value::Time(time))),
        (grant(), index()).prop_map(|(grant, index)| (
            Key::Grant(grant.key),
            Value::Grant(Arc::new(Granted { grant, index }))
        )),
        (ca(), issuer()).prop_map(|(ca, issuer)| (Key::Issuer(ca), Value::Issuer(Arc::new(issuer)))),
        (profile_name(), profile())
            .prop_map(|(name, profile)| (Key::Profile(name), Value::Profile(Arc::new(profile)))),
        (node(), member()).prop_map(|(node, member)| (Key::Member(node), Value::Member(member))),
        (digest(), token).prop_map(|(secret, token)| (Key::JoinToken(secret), Value::JoinToken(token))),
        (key_identifier(), node(), proof)
            .prop_map(|(key, node, proof)| (Key::KeyProof(key, node), Value::KeyProof(proof))),
        (ca(), node(), serial())
            .prop_map(|(ca, node, serial)| (Key::Responder(ca, node), Value::Responder(serial))),
        (ca(), serial(), certificate()).prop_map(|(ca, serial, entry)| (
            Key::Certificate(ca, serial),
            Value::Certificate(Arc::new(entry))
        )),
        (ca(), serial(), millis(), request()).prop_map(|(ca, serial, since, owner)| (
            Key::OpenIntent(ca, serial),
            Value::OpenIntent(since, owner)
        )),
        (ca(), serial(), revocation()).prop_map(|(ca, serial, revocation)| (
            Key::Revocation(ca, serial),
            Value::Revocation(revocation)
        )),
        (list(), scope()).prop_map(|(list, scope)| (Key::CrlScope(list), Value::CrlScope(scope))),
        (digest(), attempt).prop_map(|(key, attempt)| (Key::Attempt(key), Value::Attempt(attempt))),
        history().prop_map(|(place, row)| (Key::History(place), Value::History(row))),
        (digest(), enrolment()).prop_map(|(token, row)| (Key::Enrolment(token), Value::Enrolment(row))),
        (digest(), vec(octets(), 0..3)).prop_map(|(key, chain)| (Key::Imported(key), Value::Imported(chain))),
        (ca(), request(), option::of(octets())).prop_map(|(ca, owner, signature)| {
            (Key::CaRequest(ca), Value::CaRequest(CaRequest { owner, signature }))
        }),
        (digest(), key_use()).prop_map(|(key, usage)| (Key::ClusterKey(key), Value::ClusterKey(usage))),
        (index(), vec((request(), outcome()), 1..4))
            .prop_map(|(index, outcomes)| (Key::Outcomes(index), Value::Outcomes(outcomes))),
        (millis(), index(), vec(expiring(), 1..4))
            .prop_map(|(at, index, leaving)| (Key::Expiry(at, index), Value::Expiry(leaving))),
    ]
}
