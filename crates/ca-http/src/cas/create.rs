//! `POST /api/v1/cas`: key → definition → proofs → certificate. The same request again goes on where one was
//! interrupted, on any node.
//!
//! | a crash after | leaves | and the same request |
//! |---|---|---|
//! | the key | a key in this node's token, under the CA's name | finds it there; another node makes its own, and this one is never used |
//! | the definition | a CA that waits: name, subject and key are taken for ever | takes the key that is defined; every token proves it by itself |
//! | some proofs | the same | waits for the others |
//! | the intent of its certificate | an open intent | issues anew; the first is abandoned |
//! | the record | an active CA | answers with it |

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use ca_authority::ports::{Clock, Log};
use ca_authority::{ActError, NewIssuer, Ports};
use ca_core::ids::{CaId, ProfileName};
use ca_core::mandate::{CaLimits, Mandate, may_not_issue};
use ca_core::outcome::Refusal;
use ca_core::plan::{CertificateRequest, NamesFrom, validity};
use ca_core::register::{Issuer, IssuerPurpose};
use ca_core::roles::Identity;
use ca_core::shards::Shards;
use ca_x509::key::{KeyKind, PublicKey};
use ca_x509::name::DistinguishedName;

use super::{CaKeys, ELSEWHERE, answer, unproven};
use crate::body;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::guard::Caller;
use crate::issue::idempotency_key;
use crate::join::DeskError;
use crate::limits::{ADMIN_BODY_OCTETS_MAX, CA_POLL_MS, CA_WAIT_MS};
use crate::problem::Problem;
use crate::wire::{CreateCaRequest, Life, ca_limits, key_kind};

/// A CA to be made, as it was asked for.
struct NewCa {
    ca: CaId,
    /// `None`: elsewhere.
    parent: Option<CaId>,
    subject: DistinguishedName,
    kind: KeyKind,
    life: Option<Life>,
    limits: CaLimits,
    shards: Shards,
    profile: ProfileName,
}

/// How far it came.
enum Progress {
    /// It waits for proofs, or for its certificate from elsewhere.
    Waiting,
    Made,
    WasThere,
}

/// 201 with the CA; 200 if it was there already; 202 while it waits for other members' tokens, or for its certificate
/// from elsewhere: the same request asks again.
pub(crate) async fn create<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // The name ties retries together: the key needs no memory here.
    idempotency_key(&headers)?;
    let asked: CreateCaRequest = body::json(&body::read(body, ADMIN_BODY_OCTETS_MAX).await?)?;
    let new = NewCa::read(&asked)?;
    let (ca, making) = (new.ca.clone(), doors.clone());
    let progress = doors.act(async move { make(&making, identity, new).await }).await?;
    let status = match progress {
        Progress::Waiting => StatusCode::ACCEPTED,
        Progress::Made => StatusCode::CREATED,
        Progress::WasThere => StatusCode::OK,
    };
    let mut response = answer(&doors, status, &ca)?;
    let location = HeaderValue::try_from(format!("/api/v1/cas/{ca}"))
        .map_err(|error| DoorError::Internal { why: error.to_string() })?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

impl NewCa {
    fn read(asked: &CreateCaRequest) -> Result<Self, DoorError> {
        let bad = |field: &'static str| move |why: String| DoorError::BadRequest { field, why };
        let name = |field, text: &str| text.parse::<CaId>().map_err(|e| bad(field)(e.to_string()));
        if asked.name == ELSEWHERE {
            return Err(bad("name")(format!("`{ELSEWHERE}` stands for CAs that are none of this cluster's")));
        }
        let ca = name("name", &asked.name)?;
        let parent = match asked.parent.as_str() {
            ELSEWHERE => None,
            parent => Some(name("parent", parent)?),
        };
        let root = parent.as_ref() == Some(&ca);
        let subject: DistinguishedName =
            asked.subject.parse().map_err(|e| bad("subject")(format!("`{}`: {e}", asked.subject)))?;
        if subject.is_empty() {
            return Err(bad("subject")("a CA has a name (RFC 5280 §4.1.2.4)".to_owned()));
        }
        // The CA below which nothing was said: it certifies no other.
        let path_len = asked.path_len.or(if root { None } else { Some(0) });
        let limits = ca_limits(path_len, asked.permit.as_ref(), asked.exclude.as_ref())
            .map_err(|(field, why)| bad(field)(why))?;
        let by_custom = if root { Shards::ONE } else { Shards::DEFAULT };
        let shards = asked.crl_shards.map_or(Some(by_custom), Shards::new);
        let shards = shards.ok_or_else(|| bad("crl_shards")(format!("1 to {} may be", Shards::MAX)))?;
        let profile = asked.profile.as_deref().unwrap_or(if root { "root" } else { "sub-ca" });
        Ok(Self {
            kind: key_kind(asked.key.as_deref().unwrap_or("ec-p256")).map_err(bad("key"))?,
            profile: profile.parse().map_err(|e: ca_core::ids::InvalidName| bad("profile")(e.to_string()))?,
            life: asked.life,
            ca,
            parent,
            subject,
            limits,
            shards,
        })
    }

    /// Whether a CA that is there is the one that is asked for: an earlier try made it, or somebody else.
    fn is(&self, issuer: &Issuer) -> bool {
        let kind = issuer.public_key.kind();
        issuer.subject == self.subject && issuer.parent == self.parent && kind == self.kind
    }

    fn request(&self, by: &CaId, public_key: PublicKey) -> CertificateRequest {
        CertificateRequest {
            profile: self.profile.clone(),
            ca: Some(by.clone()),
            public_key,
            subject: self.subject.clone(),
            names: Vec::new(),
            names_from: NamesFrom::Caller,
            ttl_s: self.life.map(|Life(seconds)| seconds),
            certifies: Some(self.ca.clone()),
            limits: Some(self.limits.clone()),
            responder: None,
        }
    }
}

async fn make<P: Ports>(doors: &Doors<P>, identity: Identity, new: NewCa) -> Result<Progress, DeskError> {
    let issuer = match doors.register().issuer(&new.ca).map_err(ActError::from)? {
        Some(issuer) => issuer,
        None => define(doors, identity, &new).await?,
    };
    if !new.is(&issuer) {
        return Err(ActError::from(Refusal::CaExists { ca: new.ca }).into());
    }
    if issuer.certificate.is_some() {
        return Ok(Progress::WasThere);
    }
    if !proven_by_all(doors, &issuer).await? {
        return Ok(Progress::Waiting);
    }
    let Some(parent) = &new.parent else { return Ok(Progress::Waiting) };
    doors.authority.issue(identity, new.request(parent, issuer.public_key.clone()), None).await?;
    // COMMIT: its certificate is recorded. From here on every node issues by the CA.
    Ok(Progress::Made)
}

/// Makes the key and takes the name. What the issuance would refuse is refused before there is a key.
async fn define<P: Ports>(
    doors: &Doors<P>,
    identity: Identity,
    new: &NewCa,
) -> Result<Arc<Issuer>, DeskError> {
    // What another node has defined a moment ago is found, and no second key made.
    doors.log().read_index().await.map_err(ActError::from)?;
    if let Some(issuer) = doors.register().issuer(&new.ca).map_err(ActError::from)? {
        return Ok(issuer);
    }
    may_be(doors, new)?;
    let keys: Arc<dyn CaKeys> = Arc::clone(&doors.keys);
    let public_key = keys.key_for(&new.ca, new.kind).await?;
    let issuer = NewIssuer {
        ca: new.ca.clone(),
        subject: new.subject.clone(),
        public_key: public_key.clone(),
        parent: new.parent.clone(),
        shards: new.shards,
    };
    doors.authority.define_ca(identity, issuer).await?;
    // COMMIT: name, subject and key belong together for ever. A crash before leaves a key in this token that nothing
    // was signed with.
    keys.prove(&public_key).await?;
    let lost = || DeskError::Internal { why: format!("the CA {} was defined and is not there", new.ca) };
    doors.register().issuer(&new.ca).map_err(ActError::from)?.ok_or_else(lost)
}

fn may_be<P: Ports>(doors: &Doors<P>, new: &NewCa) -> Result<(), ActError> {
    let register = doors.register();
    let unknown = || Refusal::UnknownProfile { profile: new.profile.clone() };
    let profile = register.profile(&new.profile)?.ok_or_else(unknown)?;
    let outside = |field: &str, why: String| Refusal::OutsideProfile { field: field.to_owned(), why };
    if !profile.basic_constraints.ca {
        return Err(outside("profile", format!("`{}` makes no CAs", new.profile)).into());
    }
    if !profile.keys.iter().any(|rule| rule.takes(new.kind)) {
        return Err(outside("key", format!("`{}` takes no {} keys", new.profile, new.kind)).into());
    }
    if let Some((ca, _)) = register.issuers()?.into_iter().find(|(_, other)| other.subject == new.subject) {
        return Err(Refusal::CaExists { ca }.into());
    }
    let (now, life_s) = (doors.authority.ports().clock().now(), new.life.map(|Life(seconds)| seconds));
    let Some(parent) = new.parent.as_ref().filter(|parent| **parent != new.ca) else {
        validity(&profile, None, life_s, now)?;
        return Ok(());
    };
    let above = register.issuer(parent)?.ok_or_else(|| Refusal::UnknownCa { ca: parent.clone() })?;
    if above.purpose == IssuerPurpose::Peers {
        let why = format!("`{parent}` certifies the cluster's own nodes and nobody else");
        return Err(outside("parent", why).into());
    }
    if let Some(refusal) = may_not_issue(register, parent, &above)? {
        return Err(refusal.into());
    }
    let mandate = Mandate::of(register, parent, &above)?;
    validity(&profile, mandate.as_ref(), life_s, now)?;
    if let Some(mandate) = mandate {
        mandate.admits(&new.subject, &[])?;
        mandate.admits_ca(&new.limits)?;
    }
    Ok(())
}

/// Waits a while for the other members: their tokens are given the key, wrapped, and prove it by themselves.
async fn proven_by_all<P: Ports>(doors: &Doors<P>, issuer: &Issuer) -> Result<bool, DeskError> {
    for _ in 0..CA_WAIT_MS / CA_POLL_MS {
        if unproven(doors, issuer).map_err(ActError::from)?.is_empty() {
            return Ok(true);
        }
        doors.authority.ports().clock().sleep(CA_POLL_MS).await;
    }
    Ok(false)
}
