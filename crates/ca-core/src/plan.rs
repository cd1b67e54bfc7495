//! Step 1 of an issuance: what a certificate will be, before any serial or key is touched.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use ca_x509::algorithm::SignatureAlgorithm;
use ca_x509::certificate::{
    BasicConstraints, Extensions, NameConstraints, NameSubtree, TbsCertificate, TlsFeature,
};
use ca_x509::key::{KeyIdentifier, KeyKind, PublicKey};
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::time::UnixSeconds;

use crate::cluster_key;
use crate::ids::{CaId, Digest, LogIndex, NodeId, ProfileName, UnixMillis};
use crate::mandate::{CaLimits, Mandate, may_not_issue};
use crate::names::{NameSpace, certified, subtree};
use crate::outcome::Refusal;
use crate::profile::{Audience, Criticality, NameSource, Profile, Stapling, StatusRule};
use crate::register::{Cluster, Issuer, IssuerPurpose, PublicUrls, Register, StorageFault};
use crate::roles::{Granted, Identity, Role};
use crate::shards::{ListId, ListKind, Shards};
use crate::subject::subject;
use crate::weak_key;

/// What somebody asks for. Nothing else of a CSR is looked at (I18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// The profile.
    pub profile: ProfileName,
    /// The CA; the profile's first one if none is named.
    pub ca: Option<CaId>,
    /// The key, whose possession the caller has proven.
    pub public_key: PublicKey,
    /// The subject; what becomes of it is the profile's affair.
    pub subject: DistinguishedName,
    /// The names.
    pub names: Vec<GeneralName>,
    /// Who wrote them.
    pub names_from: NamesFrom,
    /// The life in seconds; the profile's default if none is asked for.
    pub ttl_s: Option<u64>,
    /// The CA of this cluster that the certificate is for.
    pub certifies: Option<CaId>,
    /// What the certificate of a CA, of this cluster or another, will let it do; `None` for all others.
    pub limits: Option<CaLimits>,
    /// The node whose OCSP responder key it is.
    pub responder: Option<NodeId>,
}

/// Who wrote the names of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamesFrom {
    /// The holder of the key: they stand in the CSR.
    Csr,
    /// The caller, beside the key.
    Caller,
}

/// What the certificate will be: everything but its serial.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a plan is there to be drafted"]
pub struct Plan {
    pub(crate) ca: CaId,
    pub(crate) issuer: DistinguishedName,
    pub(crate) issuer_key: KeyIdentifier,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) profile: Arc<Profile>,
    pub(crate) grant_index: Option<LogIndex>,
    pub(crate) requester: Identity,
    pub(crate) not_before: UnixSeconds,
    pub(crate) not_after: UnixSeconds,
    pub(crate) subject: DistinguishedName,
    pub(crate) public_key: PublicKey,
    /// All but the place of the CRL, which the serial decides.
    pub(crate) extensions: Extensions,
    /// Where the CA's lists are and how many; `None` if none of them is named.
    pub(crate) shards: Option<(PublicUrls, Shards)>,
    pub(crate) certifies: Option<CaId>,
    pub(crate) responder: Option<NodeId>,
}

impl Plan {
    /// The CA that will issue.
    #[must_use]
    pub fn ca(&self) -> &CaId {
        &self.ca
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The request is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The disk failed: the node must stop.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

/// Plans a certificate: profile × requester × request × now.
///
/// # Errors
/// [`PlanError::Refused`] names the field and both sides.
pub fn plan(
    register: &dyn Register,
    requester: Identity,
    request: CertificateRequest,
    now: UnixMillis,
) -> Result<Plan, PlanError> {
    let cluster = register.cluster()?.ok_or(Refusal::NotInitialised)?;
    let granted = register.grant_of(requester)?;
    let profile = register
        .profile(&request.profile)?
        .ok_or_else(|| Refusal::UnknownProfile { profile: request.profile.clone() })?;
    if let Some(asked) = &request.ca
        && register.issuer(asked)?.is_none()
    {
        return Err(Refusal::UnknownCa { ca: asked.clone() }.into());
    }
    // Every CA has its responders, and may certify CAs: no profile can list them all.
    let by_any = request.responder.is_some() || request.limits.is_some();
    let ca = match &request.ca {
        Some(ca) if by_any => ca.clone(),
        asked => chosen_ca(&profile, asked.clone())?,
    };
    may_ask(&profile, &ca, requester, granted.as_deref())?;
    for_whom(&profile, requester, &request)?;
    let issuer = register.issuer(&ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
    serves(&ca, &issuer, &profile, requester, &request)?;
    let mandate = mandate(register, &ca, &issuer, &request)?;
    key_allowed(&profile, request.public_key.kind())?;
    weak_key::check(&request.public_key).map_err(|weakness| outside("public_key", weakness.to_string()))?;
    let usage = cluster_key::usage(&profile, request.certifies.as_ref(), request.responder);
    if let Some(refusal) =
        cluster_key::taken(register, Digest::of(request.public_key.spki_der()), usage.as_ref())?
    {
        return Err(refusal.into());
    }
    from_where(profile.names.source, &request)?;
    let names = certified(&profile.names, &request.names)?;
    let enrolment = match requester {
        Identity::Enrolment(token) => register.enrolment(token)?,
        Identity::Ceremony | Identity::Node(_) | Identity::Client(_) => None,
    };
    let space = NameSpace::of(enrolment.as_ref(), granted.as_deref());
    space.admit(&names)?;
    let (not_before, not_after) = validity(&profile, mandate.as_ref(), request.ttl_s, now)?;
    let subject = subject(&profile.subject, request.subject, &names, &space)?;
    let limits = ca_limits(&profile, request.limits)?;
    if let Some(mandate) = &mandate {
        mandate.admits(&subject, &names)?;
        if profile.basic_constraints.ca {
            mandate.admits_ca(&limits)?;
        }
    }
    let extensions = extensions(&profile, (&ca, &issuer), &cluster, &request.public_key, (names, limits));
    let pointers = profile.status == StatusRule::Pointers;
    Ok(Plan {
        shards: pointers.then_some((cluster.urls.clone(), issuer.shards)),
        ca,
        issuer_key: issuer.public_key.key_identifier(),
        issuer: issuer.subject.clone(),
        algorithm: issuer.algorithm,
        profile,
        grant_index: granted.as_ref().map(|granted| granted.index),
        requester,
        not_before,
        not_after,
        subject,
        public_key: request.public_key,
        extensions,
        certifies: request.certifies,
        responder: request.responder,
    })
}

fn may_ask(
    profile: &Profile,
    ca: &CaId,
    requester: Identity,
    granted: Option<&Granted>,
) -> Result<(), Refusal> {
    let (allowed, needs) = match profile.audience {
        Audience::Requesters => (
            granted.is_some_and(|granted| granted.may_request(ca, &profile.name)),
            alloc::format!("the role `requester` or `ra` for profile `{}` of CA `{ca}`", profile.name),
        ),
        Audience::Cluster => {
            let member = matches!(requester, Identity::Ceremony | Identity::Node(_));
            let admin =
                profile.basic_constraints.ca && granted.is_some_and(|granted| granted.has(Role::Admin));
            let who = if profile.basic_constraints.ca { "the role `admin`" } else { "to be a member" };
            (member || admin, alloc::format!("{who}: `{}` is for the cluster itself", profile.name))
        }
    };
    if allowed { Ok(()) } else { Err(Refusal::Forbidden { caller: requester.to_string(), needs }) }
}

/// A CA's certificate has limits and may name a CA of this cluster, a responder's names the node, and nothing else does:
/// what the register hangs on a certificate follows from its profile.
fn for_whom(profile: &Profile, requester: Identity, request: &CertificateRequest) -> Result<(), Refusal> {
    let ca = profile.basic_constraints.ca;
    if request.limits.is_some() != ca || (request.certifies.is_some() && !ca) {
        return Err(outside(
            "certifies",
            alloc::format!("`{}` and a CA's own certificate do not go together", profile.name),
        ));
    }
    if request.responder.is_some() != profile.is_for_responders() {
        return Err(outside(
            "responder",
            alloc::format!("`{}` and an OCSP responder do not go together", profile.name),
        ));
    }
    match (requester, request.responder) {
        (Identity::Node(node), Some(other)) if node != other => {
            Err(outside("responder", alloc::format!("node {node} asks for the responder of node {other}")))
        }
        _ => Ok(()),
    }
}

/// Names that somebody else wrote than whom the profile believes are not dropped but refused: nobody shall get a
/// certificate with fewer names than it asked for.
fn from_where(source: NameSource, request: &CertificateRequest) -> Result<(), Refusal> {
    let believed = match (source, request.names_from) {
        (NameSource::Either, _)
        | (NameSource::Csr, NamesFrom::Csr)
        | (NameSource::Caller, NamesFrom::Caller) => {
            return Ok(());
        }
        (NameSource::Csr, NamesFrom::Caller) => "from the CSR alone: leave `names` out",
        (NameSource::Caller, NamesFrom::Csr) if request.names.is_empty() => return Ok(()),
        (NameSource::Caller, NamesFrom::Csr) => "from `names` alone, not from the CSR",
    };
    Err(outside("names", alloc::format!("the profile takes them {believed}")))
}

/// Who holds a certificate of the peers' CA, or of a CA below it, is a member to the others and is supplied with CA
/// keys: it certifies nodes, and for a client its own next certificate alone.
fn serves(
    ca: &CaId,
    issuer: &Issuer,
    profile: &Profile,
    requester: Identity,
    request: &CertificateRequest,
) -> Result<(), Refusal> {
    let renews_itself = request.certifies.as_ref() == Some(ca);
    let for_a_client = requester.is_outside() && !renews_itself;
    if issuer.purpose == IssuerPurpose::Peers && (profile.audience != Audience::Cluster || for_a_client) {
        let why = alloc::format!("`{ca}` certifies the cluster's own nodes and nobody else");
        return Err(outside("ca", why));
    }
    Ok(())
}

pub(crate) fn chosen_ca(profile: &Profile, asked: Option<CaId>) -> Result<CaId, Refusal> {
    match asked {
        Some(ca) if profile.issuers.contains(&ca) => Ok(ca),
        Some(ca) => {
            let issuers: Vec<&str> = profile.issuers.iter().map(CaId::as_str).collect();
            let why =
                alloc::format!("`{}` is not issued by `{ca}` but by {}", profile.name, issuers.join(", "));
            Err(outside("ca", why))
        }
        None => {
            profile.issuers.first().cloned().ok_or_else(|| outside("ca", "the profile names no CA".into()))
        }
    }
}

/// What the CA may issue; `None` for the certificate that a root issues to itself, which nothing stands above.
fn mandate(
    register: &dyn Register,
    ca: &CaId,
    issuer: &Issuer,
    request: &CertificateRequest,
) -> Result<Option<Mandate>, PlanError> {
    let to_itself = request.certifies.as_ref() == Some(ca);
    if to_itself && issuer.certificate.is_none() {
        return Ok(None);
    }
    // The responders of a retired or revoked CA go on to tell the status of what it issued.
    if (request.responder.is_none() || issuer.certificate.is_none())
        && let Some(refusal) = may_not_issue(register, ca, issuer)?
    {
        return Err(refusal.into());
    }
    if to_itself { Ok(None) } else { Ok(Mandate::of(register, ca, issuer)?) }
}

/// What the certificate will let a CA do: what was asked for, within the profile.
fn ca_limits(profile: &Profile, asked: Option<CaLimits>) -> Result<CaLimits, Refusal> {
    let CaLimits { path_len, names } = asked.unwrap_or_default();
    let most = profile.basic_constraints.path_len;
    if let (Some(asked), Some(most)) = (path_len, most)
        && asked > most
    {
        return Err(outside("path_len", alloc::format!("{asked}, where `{}` allows {most}", profile.name)));
    }
    let names = match (names, profile.name_constraints.clone()) {
        (Some(asked), Some(rule)) => Some(narrowed(&asked, rule)?),
        (asked, rule) => asked.or(rule),
    };
    let names = names.filter(|names| !names.permitted.is_empty() || !names.excluded.is_empty());
    Ok(CaLimits { path_len: path_len.or(most), names })
}

/// Name constraints that are within those of a profile, with what that excludes.
fn narrowed(asked: &NameConstraints, rule: NameConstraints) -> Result<NameConstraints, Refusal> {
    if let Some(wide) = asked.permitted.iter().find(|base| !subtree::encloses(&rule, base)) {
        let why = alloc::format!("{} is wider than what the profile permits", subtree::shown(wide));
        return Err(outside("names", why));
    }
    // Of a form that is not asked about the profile's rule stays.
    let form = |base: &NameSubtree| core::mem::discriminant(base);
    let kept =
        rule.permitted.into_iter().filter(|base| asked.permitted.iter().all(|one| form(one) != form(base)));
    let permitted = kept.chain(asked.permitted.iter().cloned()).collect();
    let excluded = [rule.excluded, asked.excluded.clone()].concat();
    Ok(NameConstraints { permitted, excluded })
}

fn key_allowed(profile: &Profile, kind: KeyKind) -> Result<(), Refusal> {
    if profile.keys.iter().any(|rule| rule.takes(kind)) {
        return Ok(());
    }
    let why =
        alloc::format!("{kind:?} is not among the keys that `{}` takes: {:?}", profile.name, profile.keys);
    Err(outside("public_key", why))
}

/// From when until when a certificate is valid: within the profile, and within the lives of the CA itself and those
/// above it.
///
/// # Errors
/// [`Refusal::OutsideProfile`] with both sides.
pub fn validity(
    profile: &Profile,
    mandate: Option<&Mandate>,
    ttl_s: Option<u64>,
    now: UnixMillis,
) -> Result<(UnixSeconds, UnixSeconds), Refusal> {
    let rule = profile.validity;
    let ttl = ttl_s.unwrap_or(rule.default_s);
    if ttl == 0 || ttl > rule.max_s {
        return Err(outside("ttl", alloc::format!("{ttl} s, where 1 to {} s may be", rule.max_s)));
    }
    let start = now.seconds().0;
    let not_before = UnixSeconds(start.saturating_sub(rule.backdate_s));
    let not_after = UnixSeconds(start.saturating_add(ttl));
    match mandate.map(|mandate| mandate.not_after) {
        Some(end) if end.0 <= start => Err(outside("ca", alloc::format!("the CA itself ended at {end}"))),
        Some(end) if end < not_after && ttl_s.is_some() => {
            let left = end.0.saturating_sub(start);
            Err(outside("ttl", alloc::format!("{ttl} s, but the CA itself ends in {left} s")))
        }
        Some(end) => Ok((not_before, not_after.min(end))),
        None => Ok((not_before, not_after)),
    }
}

fn extensions(
    profile: &Profile,
    (ca, issuer): (&CaId, &Issuer),
    cluster: &Cluster,
    public_key: &PublicKey,
    (names, limits): (Vec<GeneralName>, CaLimits),
) -> Extensions {
    let pointers = profile.status == StatusRule::Pointers;
    let staples = profile.stapling == Stapling::Required;
    Extensions {
        subject_key_identifier: Some(public_key.key_identifier()),
        authority_key_identifier: Some(issuer.public_key.key_identifier()),
        basic_constraints: Some(BasicConstraints { path_len: limits.path_len, ..profile.basic_constraints }),
        name_constraints: limits.names,
        key_usage: Some(profile.key_usage_of(public_key.kind())),
        extended_key_usage: profile.extended_key_usage.clone(),
        other_purposes: profile.other_purposes.clone(),
        purposes_are_critical: profile.has_purposes() && profile.purposes_marked == Criticality::Critical,
        policies: profile.policies.clone(),
        policy_constraints: profile.policy_constraints,
        inhibit_any_policy: profile.inhibit_any_policy,
        subject_alt_names: names,
        // The place of the CRL follows from the serial: `with_serial`.
        ocsp_urls: if pointers { vec![cluster.urls.ocsp(ca)] } else { vec![] },
        ca_issuers_urls: if pointers { vec![cluster.urls.ca_certificate(ca)] } else { vec![] },
        tls_features: if staples { vec![TlsFeature::STATUS_REQUEST] } else { vec![] },
        template_name: profile.template_name.clone(),
        template: profile.template,
        ocsp_no_check: profile.status == StatusRule::NoCheck,
        ..Extensions::default()
    }
}

fn outside(field: &str, why: String) -> Refusal {
    Refusal::OutsideProfile { field: field.into(), why }
}

impl Plan {
    /// The certificate as it will be under this serial.
    pub(crate) fn with_serial(&self, serial: ca_x509::serial::SerialNumber) -> TbsCertificate {
        let mut extensions = self.extensions.clone();
        if let Some((urls, shards)) = &self.shards {
            let list = ListId { ca: self.ca.clone(), part: shards.of(serial) };
            extensions.crl_distribution_points = vec![urls.crl(&list, ListKind::Complete)];
        }
        TbsCertificate {
            serial,
            signature_algorithm: self.algorithm,
            issuer: self.issuer.clone(),
            not_before: self.not_before,
            not_after: self.not_after,
            subject: self.subject.clone(),
            public_key: self.public_key.clone(),
            extensions,
        }
    }
}
