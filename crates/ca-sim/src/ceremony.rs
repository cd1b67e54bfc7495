//! How a cluster comes to life: the same commands, in the same order, as on real machines.

use ca_core::command::Command;
use ca_core::ids::{ClusterId, Digest, NodeId};
use ca_core::mandate::CaLimits;
use ca_core::outcome::Outcome;
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::profile::{Allow, DnsRule, KeyRule, built_in};
use ca_core::register::{IssuerPurpose, PublicUrls};
use ca_core::roles::{Grant, Identity, Role, Scope};
use ca_core::shards::Shards;
use ca_hsm::{ProofStatement, verify_proof};
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::name::DistinguishedName;

use crate::token::{SoftKey, proof_statement};
use crate::world::{World, ca, profile};

/// The CAs of every cluster: name, parent, profile of its own certificate, purpose.
pub const AUTHORITIES: [(&str, &str, &str, IssuerPurpose); 3] = [
    ("root", "root", "root", IssuerPurpose::Public),
    ("issuing", "root", "sub-ca", IssuerPurpose::Public),
    ("peers", "peers", "root", IssuerPurpose::Peers),
];

pub(crate) const CLUSTER: ClusterId = ClusterId([7; 16]);

impl World {
    /// A cluster of `count` nodes that issues, revokes and answers.
    ///
    /// # Panics
    /// If any step of the ceremony is refused.
    #[must_use]
    pub fn bootstrapped(count: u64) -> Self {
        Self::empty(count).brought_to_life()
    }

    /// The same over openraft.
    ///
    /// # Panics
    /// As [`Self::bootstrapped`].
    #[must_use]
    pub fn bootstrapped_over_raft(count: u64, seed: u64) -> Self {
        let world = Self::empty_over_raft(count, seed);
        // 0. The first node begins a log of its own; the others follow it, and vote.
        world.gather_voters();
        world.brought_to_life()
    }

    fn brought_to_life(self) -> Self {
        let world = self;
        // 1. The first node writes the first entry: who this cluster is, and where its status service will be.
        world.init_cluster();
        // 2. The first node enters uninvited, for there is nobody to invite it. Each other one has a join token.
        world.admit_members();
        // 3. The keys of the CAs are generated in one token and copied, wrapped, into the others. Their public
        //    halves enter the register: from now on every signature is verified with what stands there.
        world.define_authorities();
        // 4. Each node shows that its token holds each key. Only then it may sign: with the last proof it does.
        world.prove_keys();
        // 5. What may be issued.
        world.define_profiles();
        // 6. The CAs' own certificates, by the same cycle as any other: intent, signature, record. With its record
        //    a CA is active. A root comes first, for it signs its children.
        world.certify_authorities();
        // 7. Each node has its own responder key for each CA, certified for 14 days.
        world.certify_responders();
        // 8. The first caller: it may request and revoke.
        world.grant_client();
        world.refresh_all();
        world
    }

    fn init_cluster(&self) {
        let urls = PublicUrls::all_at("http://pki.example.test");
        let command = Command::InitCluster { id: CLUSTER, name: "simulated".to_owned(), urls };
        assert_eq!(self.command(1, command), Outcome::Done);
    }

    fn admit_members(&self) {
        for node in self.nodes() {
            let token = (node > 1).then(|| self.mint_join_token(node));
            let address = |port: u16| format!("node-{node}.example.test:{port}");
            let command = Command::AdmitMember {
                token,
                name: format!("node-{node}"),
                peer_address: address(7000),
                api_address: address(8443),
                va_address: address(8080),
            };
            assert_eq!(self.command(node, command), Outcome::Admitted(NodeId(node)));
        }
    }

    fn mint_join_token(&self, node: u64) -> Digest {
        let secret = Digest::over(&[b"join token", &node.to_be_bytes()]);
        let expires_at = self.now().plus(3_600_000);
        assert_eq!(
            self.command(1, Command::MintJoinToken { secret, expires_at, requester: Identity::Ceremony }),
            Outcome::Done
        );
        secret
    }

    fn define_authorities(&self) {
        for (name, parent, _, purpose) in AUTHORITIES {
            let key = SoftKey::named(name);
            self.nodes().for_each(|node| self.token(node).import(key.clone()));
            let command = Command::DefineIssuer {
                ca: ca(name),
                subject: common_name(&format!("Example {name} CA")),
                public_key: key.public().clone(),
                algorithm: SignatureAlgorithm::default_for(key.public().kind()),
                parent: Some(ca(parent)),
                purpose,
                requester: Identity::Ceremony,
                shards: shards_of(name),
            };
            assert_eq!(self.command(1, command), Outcome::Done);
        }
    }

    fn prove_keys(&self) {
        for node in self.nodes() {
            for (name, ..) in AUTHORITIES {
                self.prove_key(node, name);
            }
        }
    }

    /// A node proves that its token holds the key of a CA; it verifies the proof before it proposes it (R11).
    ///
    /// # Panics
    /// If the proof is wrong or refused.
    pub fn prove_key(&self, node: u64, of: &str) {
        let authority = self.node(node);
        let register = authority.register();
        let issuer = register.issuer(&ca(of)).expect("memory has no faults").expect("the CA is defined");
        let key = issuer.public_key.clone();
        let asking = Digest::of(of.as_bytes());
        let octets = proof_statement(CLUSTER, key.key_identifier(), NodeId(node), asking);
        let signature = self.token(node).prove(&key, &octets);
        let statement = ProofStatement { cluster: CLUSTER, node: NodeId(node), asking };
        assert_eq!(verify_proof(&key, &statement, &signature), Ok(()), "the statement has the fixed form");
        let command = Command::ProveKey { key: key.key_identifier(), signature };
        assert_eq!(self.command(node, command), Outcome::Done);
    }

    fn define_profiles(&self) {
        let dns = DnsRule::Under(vec!["example.test".to_owned()]);
        for mut profile in built_in(&dns).expect("the names are literals") {
            // Keys here are Ed25519, for its signatures are the same in every run.
            profile.keys = KeyRule::all();
            // Servers may be revoked for a while: holds are among what can happen here.
            profile.hold = if profile.name.as_str() == "tls-server" { Allow::Yes } else { Allow::No };
            assert_eq!(
                self.command(
                    1,
                    Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony }
                ),
                Outcome::Done
            );
        }
    }

    fn certify_authorities(&self) {
        for (name, parent, of, _) in AUTHORITIES {
            let request = CertificateRequest {
                profile: profile(of),
                ca: Some(ca(parent)),
                public_key: SoftKey::named(name).public().clone(),
                subject: common_name(&format!("Example {name} CA")),
                names: vec![],
                names_from: NamesFrom::Caller,
                ttl_s: None,
                certifies: Some(ca(name)),
                limits: Some(CaLimits::default()),
                responder: None,
            };
            let issued = self.drive(1, self.issuing_for(1, Identity::Ceremony, request, None));
            assert!(issued.is_ok(), "the certificate of {name}: {issued:?}");
        }
    }

    /// Certifies the responder keys that need it: all at first, later those in the second half of their life.
    ///
    /// # Panics
    /// If one is refused.
    pub fn certify_responders(&self) {
        for node in self.nodes() {
            let authority = self.node(node);
            let identity = Identity::Node(NodeId(node));
            for (name, ..) in AUTHORITIES {
                let key = SoftKey::named(&format!("responder of {node} for {name}"));
                self.token(node).import(key.clone());
                let request = authority.responder_request(&ca(name), key.public());
                if let Some(request) = request.expect("memory has no faults") {
                    let issued = self.drive(node, self.issuing_for(node, identity, request, None));
                    assert!(issued.is_ok(), "the responder of {name} on {node}: {issued:?}");
                }
            }
        }
    }

    fn grant_client(&self) {
        let grant = Grant {
            key: Digest::of(self.client.public().spki_der()),
            roles: vec![Role::Requester, Role::Officer],
            scope: Scope::default(),
            rate: None,
            label: "the one caller".to_owned(),
        };
        assert_eq!(
            self.command(1, Command::SetGrant { grant, requester: Identity::Ceremony }),
            Outcome::Done
        );
    }
}

/// Few enough for all of them to be looked at.
fn shards_of(name: &str) -> Shards {
    if name == "issuing" { Shards::new(4).expect("from 1 to 256") } else { Shards::ONE }
}

fn common_name(text: &str) -> DistinguishedName {
    DistinguishedName::new().common_name(text).build().expect("a short name")
}
