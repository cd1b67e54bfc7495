//! How a cluster comes to life: the commands that its first node writes before any door opens.
//!
//! Each CA key is generated in this node's token and proven; each CA certificate, the root's included, goes through
//! the same cycle as any other: intent, signature, record. Where the root is elsewhere, the issuing CA waits with its
//! request, and a small CA of the cluster's own certifies its doors and its first admin.

use ca_authority::issue::Issued;
use ca_authority::ports::Entropy as _;
use ca_core::command::Command;
use ca_core::ids::{CaId, ClusterId, NodeId};
use ca_core::mandate::CaLimits;
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::profile::{Profile, built_in};
use ca_core::register::{IssuerPurpose, PublicUrls};
use ca_core::roles::{Grant, Identity, Role, Scope};
use ca_core::shards::Shards;
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyKind, PublicKey};
use ca_x509::name::DistinguishedName;

use crate::choices::{Choices, RootChoice};
use crate::failure::Failure;
use crate::limits::LEAF_LIFE_S;
use crate::ports::NodeAuthority;
use crate::{keys, log};

/// One CA to be made.
struct NewCa {
    ca: &'static str,
    title: &'static str,
    /// `None`: elsewhere.
    parent: Option<&'static str>,
    subject: DistinguishedName,
    kind: KeyKind,
    life_s: u64,
    purpose: IssuerPurpose,
    shards: Shards,
}

impl NewCa {
    fn is_root(&self) -> bool {
        self.parent == Some(self.ca)
    }
}

/// What a CA came to.
#[derive(Debug)]
pub(crate) enum Made {
    /// Its certificate.
    Certified(Issued),
    /// Its request, for who issues the certificate elsewhere; DER.
    Waiting(Vec<u8>),
}

/// Draws a cluster's identity.
pub(crate) fn draw_cluster_id() -> Result<ClusterId, Failure> {
    let mut id = [0; 16];
    ca_hsm::SystemEntropy.fill(&mut id).map_err(Failure::internal)?;
    Ok(ClusterId(id))
}

/// Writes the cluster's first commands. `said` hears of each thing that was made. Answers the node's number, and the
/// request of the issuing CA if its root is elsewhere.
pub(crate) async fn found(
    authority: &NodeAuthority,
    id: ClusterId,
    choices: &Choices,
    urls: PublicUrls,
    member: Command,
    said: &mut dyn FnMut(&str, String),
) -> Result<(NodeId, Option<Vec<u8>>), Failure> {
    log::enact(authority, Command::InitCluster { id, name: choices.name.clone(), urls }).await?;
    let node = log::admit(authority, member).await?;
    for profile in profiles(choices)? {
        log::enact(
            authority,
            Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony },
        )
        .await?;
    }
    let mut request = None;
    for new in cas(choices)? {
        let key = define_ca(authority, &new).await?;
        let came_to = match certify_ca(authority, &new, key).await? {
            Made::Certified(issued) => format!("until {}, serial {}", issued.not_after, issued.serial),
            Made::Waiting(der) => {
                request = Some(der);
                "waits for its certificate".to_owned()
            }
        };
        said(new.title, format!("{} ({}), {came_to}", new.subject, new.kind));
    }
    Ok((node, request))
}

/// The CAs of a new cluster, each after its parent.
fn cas(choices: &Choices) -> Result<Vec<NewCa>, Failure> {
    let own = |ca, title, life_s, purpose| -> Result<NewCa, Failure> {
        let subject = choices.subject(title)?;
        Ok(NewCa {
            ca,
            title,
            parent: Some(ca),
            subject,
            kind: KeyKind::EcP256,
            life_s,
            purpose,
            shards: Shards::ONE,
        })
    };
    let issuing = |parent| NewCa {
        ca: "issuing",
        title: "Issuing CA",
        parent,
        subject: choices.issuing.subject.clone(),
        kind: choices.issuing.kind,
        life_s: choices.issuing.life_s,
        purpose: IssuerPurpose::Public,
        shards: Shards::DEFAULT,
    };
    let peers = own("peers", "Peers CA", PEERS_LIFE_S, IssuerPurpose::Peers)?;
    Ok(match &choices.root {
        RootChoice::Here(root) => {
            let root = NewCa {
                subject: root.subject.clone(),
                kind: root.kind,
                ..own("root", "Root CA", root.life_s, IssuerPurpose::Public)?
            };
            vec![root, issuing(Some("root")), peers]
        }
        RootChoice::Elsewhere => {
            vec![own(DOORS_CA, "Doors CA", PEERS_LIFE_S, IssuerPurpose::Public)?, issuing(None), peers]
        }
    })
}

/// The CA of the cluster's own doors, where the root is elsewhere: nodes and admins must be certified before the root's
/// owner has answered.
const DOORS_CA: &str = "doors";

/// Ten years: what the cluster needs for itself is renewed by `ca renew`.
const PEERS_LIFE_S: u64 = 10 * 365 * 24 * 3600;

fn profiles(choices: &Choices) -> Result<Vec<Profile>, Failure> {
    let mut profiles = built_in(&choices.dns).map_err(Failure::internal)?;
    if matches!(choices.root, RootChoice::Elsewhere) {
        for profile in &mut profiles {
            if matches!(profile.name.as_str(), "node-tls" | "client") {
                profile.issuers = vec![id(DOORS_CA)?];
            }
        }
    }
    Ok(profiles)
}

async fn define_ca(authority: &NodeAuthority, new: &NewCa) -> Result<PublicKey, Failure> {
    let ca = id(new.ca)?;
    let label = keys::ca_label(authority, &ca)?;
    let public_key = authority.ports().token.generate(new.kind, &label).await?;
    let define = Command::DefineIssuer {
        ca,
        subject: new.subject.clone(),
        public_key: public_key.clone(),
        algorithm: SignatureAlgorithm::default_for(new.kind),
        parent: new.parent.map(id).transpose()?,
        purpose: new.purpose,
        requester: Identity::Ceremony,
        shards: new.shards,
    };
    log::enact(authority, define).await?;
    keys::prove(authority, &public_key).await?;
    Ok(public_key)
}

async fn certify_ca(authority: &NodeAuthority, new: &NewCa, public_key: PublicKey) -> Result<Made, Failure> {
    let ca = id(new.ca)?;
    let Some(parent) = new.parent else {
        return Ok(Made::Waiting(authority.request_ca_certificate(Identity::Ceremony, &ca).await?));
    };
    let (profile, path_len) = if new.is_root() { ("root", None) } else { ("sub-ca", Some(0)) };
    let request = CertificateRequest {
        profile: profile.parse().map_err(Failure::internal)?,
        ca: Some(id(parent)?),
        public_key,
        subject: new.subject.clone(),
        names: Vec::new(),
        names_from: NamesFrom::Caller,
        ttl_s: Some(new.life_s),
        certifies: Some(ca),
        limits: Some(CaLimits { path_len, names: None }),
        responder: None,
    };
    Ok(Made::Certified(authority.issue(Identity::Ceremony, request, None).await?))
}

/// Issues the first client certificate and grants it everything: who sets a cluster up can use it.
pub(crate) async fn first_client(
    authority: &NodeAuthority,
    name: &str,
    csr_pem: &str,
) -> Result<Issued, Failure> {
    let public_key = crate::tls::requested_key(csr_pem)?;
    let grant = Grant {
        key: ca_core::ids::Digest::of(public_key.spki_der()),
        roles: Role::ALL.to_vec(),
        scope: Scope::default(),
        rate: None,
        label: name.to_owned(),
    };
    log::enact(authority, Command::SetGrant { grant, requester: Identity::Ceremony }).await?;
    let request = CertificateRequest {
        profile: "client".parse().map_err(Failure::internal)?,
        ca: None,
        public_key,
        subject: DistinguishedName::new().common_name(name).build().map_err(Failure::internal)?,
        names: Vec::new(),
        names_from: NamesFrom::Caller,
        ttl_s: Some(LEAF_LIFE_S),
        certifies: None,
        limits: None,
        responder: None,
    };
    Ok(authority.issue(Identity::Ceremony, request, None).await?)
}

fn id(ca: &str) -> Result<CaId, Failure> {
    ca.parse().map_err(Failure::internal)
}
