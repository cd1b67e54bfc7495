//! How a cluster comes to life: the commands that its first node writes before any door opens.
//!
//! Each CA key is generated in this node's token and proven; each CA certificate, the root's included, goes through
//! the same cycle as any other: intent, signature, record.

use ca_authority::issue::Issued;
use ca_authority::ports::Entropy as _;
use ca_core::command::Command;
use ca_core::ids::{CaId, ClusterId, NodeId};
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::profile::{DnsRule, built_in};
use ca_core::register::{IssuerPurpose, PublicUrls};
use ca_core::roles::{Grant, Identity, Role, Scope};
use ca_core::shards::Shards;
use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::key::{KeyKind, PublicKey};
use ca_x509::name::DistinguishedName;

use crate::failure::Failure;
use crate::limits::LEAF_LIFE_S;
use crate::ports::NodeAuthority;
use crate::urls::Urls;
use crate::{keys, log};

/// What is chosen before the first certificate.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// The cluster's name, and the organisation in its CAs' subjects.
    pub(crate) name: String,
    /// What stands in certificates.
    pub(crate) urls: Urls,
    /// DNS names that `tls-server` certifies.
    pub(crate) dns: DnsRule,
}

/// One CA to be made.
struct NewCa {
    ca: &'static str,
    parent: &'static str,
    profile: &'static str,
    title: &'static str,
    kind: KeyKind,
    purpose: IssuerPurpose,
    shards: Shards,
}

const CAS: [NewCa; 3] = [
    NewCa {
        ca: "root",
        parent: "root",
        profile: "root",
        title: "Root CA",
        kind: KeyKind::EcP384,
        purpose: IssuerPurpose::Public,
        shards: Shards::ONE,
    },
    NewCa {
        ca: "issuing",
        parent: "root",
        profile: "sub-ca",
        title: "Issuing CA",
        kind: KeyKind::EcP256,
        purpose: IssuerPurpose::Public,
        shards: Shards::DEFAULT,
    },
    NewCa {
        ca: "peers",
        parent: "peers",
        profile: "root",
        title: "Peers CA",
        kind: KeyKind::EcP256,
        purpose: IssuerPurpose::Peers,
        shards: Shards::ONE,
    },
];

/// Draws a cluster's identity.
pub(crate) fn draw_cluster_id() -> Result<ClusterId, Failure> {
    let mut id = [0; 16];
    ca_hsm::SystemEntropy.fill(&mut id).map_err(Failure::internal)?;
    Ok(ClusterId(id))
}

/// Writes the cluster's first commands. `said` hears of each thing that was made.
pub(crate) async fn found(
    authority: &NodeAuthority,
    id: ClusterId,
    choices: &Choices,
    urls: PublicUrls,
    member: Command,
    said: &mut dyn FnMut(&str, String),
) -> Result<NodeId, Failure> {
    log::enact(authority, Command::InitCluster { id, name: choices.name.clone(), urls }).await?;
    let node = log::admit(authority, member).await?;
    for profile in built_in(&choices.dns).map_err(Failure::internal)? {
        log::enact(
            authority,
            Command::DefineProfile { profile: Box::new(profile), requester: Identity::Ceremony },
        )
        .await?;
    }
    for new in &CAS {
        let key = define_ca(authority, choices, new).await?;
        let issued = certify_ca(authority, choices, new, key).await?;
        said(new.title, format!("{} ({:?}), serial {}", subject(choices, new)?, new.kind, issued.serial));
    }
    Ok(node)
}

async fn define_ca(authority: &NodeAuthority, choices: &Choices, new: &NewCa) -> Result<PublicKey, Failure> {
    let label = format!("{}-{}", choices.name, new.ca);
    let public_key = authority.ports().token.generate(new.kind, &label).await?;
    let define = Command::DefineIssuer {
        ca: id(new.ca)?,
        subject: subject(choices, new)?,
        public_key: public_key.clone(),
        algorithm: SignatureAlgorithm::default_for(new.kind),
        parent: id(new.parent)?,
        purpose: new.purpose,
        requester: Identity::Ceremony,
        shards: new.shards,
    };
    log::enact(authority, define).await?;
    keys::prove(authority, &public_key).await?;
    Ok(public_key)
}

async fn certify_ca(
    authority: &NodeAuthority,
    choices: &Choices,
    new: &NewCa,
    public_key: PublicKey,
) -> Result<Issued, Failure> {
    let request = CertificateRequest {
        profile: new.profile.parse().map_err(Failure::internal)?,
        ca: Some(id(new.parent)?),
        public_key,
        subject: subject(choices, new)?,
        names: Vec::new(),
        names_from: NamesFrom::Caller,
        ttl_s: None,
        certifies: Some(id(new.ca)?),
        responder: None,
    };
    Ok(authority.issue(Identity::Ceremony, request, None).await?)
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
        responder: None,
    };
    Ok(authority.issue(Identity::Ceremony, request, None).await?)
}

fn subject(choices: &Choices, new: &NewCa) -> Result<DistinguishedName, Failure> {
    let name = DistinguishedName::new().organization(&choices.name);
    name.common_name(format!("{} {}", choices.name, new.title)).build().map_err(|e| {
        Failure::new("bad-name", format!("`{}` cannot be a CA's name: {e}", choices.name))
            .next("choose a --name of 1 to 50 printable characters")
    })
}

fn id(ca: &str) -> Result<CaId, Failure> {
    ca.parse().map_err(Failure::internal)
}
