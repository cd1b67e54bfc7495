//! Who asks, and whether the route is open to them. Deny by default.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ca_authority::Ports;
use ca_authority::ports::{Clock, Log};
use ca_core::ids::{Digest, LogIndex};
use ca_core::outcome::Refusal;
use ca_core::roles::{Identity, Role};
use ca_core::status::{Status, status};
use ca_x509::certificate::Certificate;
use ca_x509::name::DistinguishedName;
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;

use crate::bearer;
use crate::doors::Doors;
use crate::error::DoorError;
use crate::limits::{REQUESTS_PER_MINUTE_DEFAULT, STALENESS_MS_MAX};
use crate::problem::Problem;
use crate::rates::Bucket;

/// How much of the log a request wants to have been seen. Only for those who are admitted: it may ask a quorum.
const CA_MIN_INDEX: HeaderName = HeaderName::from_static("ca-min-index");

/// The client's leaf certificate, which the accept loop has verified, or that there is none. Read once a connection; the
/// accept loop puts it into the extensions of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate(Option<Arc<Result<Peer, String>>>);

/// What the doors want to know of a client's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Peer {
    identity: Identity,
    issuer: DistinguishedName,
    serial: SerialNumber,
    not_after: UnixSeconds,
}

impl PeerCertificate {
    /// The client showed none.
    pub const NONE: Self = Self(None);

    /// The client showed this one, in DER. What cannot be read is told to whoever asks with it.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        let read = Certificate::parse(der).map_err(|error| error.to_string()).map(|certificate| Peer {
            identity: Identity::Client(Digest::of(certificate.public_key().spki_der())),
            issuer: certificate.issuer().clone(),
            serial: certificate.serial(),
            not_after: certificate.not_after(),
        });
        Self(Some(Arc::new(read)))
    }
}

/// Who asks, once the guard knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller(pub(crate) Identity);

/// Whom a route is open to. Every route names one, in `api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// What it serves is public, or its body bears the proof.
    Anyone,
    /// Whoever holds a certificate that the accept loop takes.
    AnyCertificate,
    /// Whoever has any grant.
    AnyRole,
    /// Whoever has one of these roles.
    Has(&'static [Role]),
    /// Whoever has one of these roles, or shows an enrolment token.
    HasOrEnrols(&'static [Role]),
}

/// Lets a request through, or answers in its stead; before one octet of its body is read.
pub(crate) async fn guard<P: Ports>(
    State((doors, rule)): State<(Doors<P>, Rule)>,
    mut request: Request,
    next: Next,
) -> Response {
    if rule == Rule::Anyone {
        return next.run(request).await;
    }
    let token = matches!(rule, Rule::HasOrEnrols(_)).then(|| bearer::shown(request.headers())).flatten();
    let identified = match token {
        Some(token) => {
            let from = request.extensions().get().copied();
            bearer::enrolled(&doors, token, from).await.map(Caller)
        }
        None => identify(&doors, &request),
    };
    let caller = match identified {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(caller);
    let (reads, wanted) = (request.method().is_safe(), request.headers().get(CA_MIN_INDEX).cloned());
    let query = request.uri().query().map(str::to_owned);
    let admitted = match admit(&doors, rule, caller.0) {
        Ok(()) if reads => match Consistency::asked(query.as_deref()) {
            Ok(consistency) => current(&doors, consistency, wanted).await,
            Err(bad) => Err(bad.into()),
        },
        Ok(()) => caught_up(&doors, wanted).await,
        refused => refused,
    };
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(caller);
    response
}

fn identify<P: Ports>(doors: &Doors<P>, request: &Request) -> Result<Caller, Problem> {
    let shown = request.extensions().get::<PeerCertificate>().and_then(|peer| peer.0.as_deref());
    let peer = shown.ok_or(DoorError::NoClientCertificate)?.as_ref().map_err(|why| invalid(why.clone()))?;
    still_good(doors, peer)?;
    Ok(Caller(peer.identity))
}

/// TLS looks at a certificate once, when the connection begins, and at no revocation. A connection may live for
/// days; and what this cluster itself has revoked must open no door of it.
fn still_good<P: Ports>(doors: &Doors<P>, peer: &Peer) -> Result<(), Problem> {
    let now = doors.authority.ports().clock().now().seconds();
    if peer.not_after < now {
        return Err(invalid(format!("it expired at {}", peer.not_after)).into());
    }
    let register = doors.register();
    for (ca, issuer) in register.issuers()? {
        if issuer.subject == peer.issuer
            && let Status::Revoked { at, .. } = status(register, &ca, peer.serial)?
        {
            return Err(invalid(format!("it was revoked at {at}")).into());
        }
    }
    Ok(())
}

fn admit<P: Ports>(doors: &Doors<P>, rule: Rule, identity: Identity) -> Result<(), Problem> {
    let granted = doors.register().grant_of(identity)?;
    let grant = granted.as_ref().map(|granted| &granted.grant);
    // What is refused below counts too: who loops with the wrong role loops all the same.
    let rate = grant.and_then(|grant| grant.rate).unwrap_or(REQUESTS_PER_MINUTE_DEFAULT);
    doors.rates.take(Bucket::Requests(identity), rate, doors.authority.ports().clock().now())?;
    let forbidden = |needs: String| Problem::from(Refusal::Forbidden { caller: identity.to_string(), needs });
    match rule {
        Rule::Anyone | Rule::AnyCertificate => Ok(()),
        Rule::AnyRole => match grant {
            Some(grant) if !grant.roles.is_empty() => Ok(()),
            _ => Err(forbidden("a grant of any role".to_owned())),
        },
        Rule::Has(roles) | Rule::HasOrEnrols(roles) => match grant {
            Some(grant) if grant.roles.iter().any(|role| roles.contains(role)) => Ok(()),
            _ => {
                let words: Vec<String> = roles.iter().map(|role| format!("`{}`", role.as_str())).collect();
                Err(forbidden(format!("the role {}", words.join(" or "))))
            }
        },
    }
}

/// How current what a request reads must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// As of the request, as a quorum knows it.
    Linearizable,
    /// At most [`STALENESS_MS_MAX`] old.
    Bounded,
    /// Whatever this node has.
    Local,
}

impl Consistency {
    /// The parameter of the address, which every reading route takes.
    pub(crate) const PARAMETER: &str = "consistency";
    pub(crate) const ALL: [(&str, Self); 3] =
        [("linearizable", Self::Linearizable), ("bounded", Self::Bounded), ("local", Self::Local)];

    fn asked(query: Option<&str>) -> Result<Self, DoorError> {
        let pairs =
            query.into_iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.split_once('='));
        let mut asked = pairs.filter(|(name, _)| *name == Self::PARAMETER).map(|(_, value)| value);
        let Some(word) = asked.next() else { return Ok(Self::Bounded) };
        let known = Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, known)| *known);
        match (known, asked.next()) {
            (Some(known), None) => Ok(known),
            _ => Err(DoorError::BadRequest {
                field: Self::PARAMETER,
                why: "one of linearizable, bounded, local, once".to_owned(),
            }),
        }
    }
}

/// Asks a quorum where what this node has is not current enough.
async fn current<P: Ports>(
    doors: &Doors<P>,
    consistency: Consistency,
    wanted: Option<HeaderValue>,
) -> Result<(), Problem> {
    let oldest = doors.authority.ports().clock().now().0.saturating_sub(STALENESS_MS_MAX);
    let fresh = doors.authority.as_of().is_some_and(|as_of| as_of.0 >= oldest);
    let enough = match consistency {
        Consistency::Linearizable => false,
        Consistency::Bounded => fresh,
        Consistency::Local => true,
    };
    if !enough {
        doors.authority.refresh().await?;
    }
    caught_up(doors, wanted).await
}

/// Read your writes on another node: `Ca-Min-Index` waits for what the caller has seen elsewhere.
async fn caught_up<P: Ports>(doors: &Doors<P>, wanted: Option<HeaderValue>) -> Result<(), Problem> {
    let Some(wanted) = wanted else { return Ok(()) };
    let wanted = wanted.to_str().ok().and_then(|text| text.parse().ok()).map(LogIndex);
    let wanted = wanted.ok_or_else(|| DoorError::BadRequest {
        field: "Ca-Min-Index",
        why: "not the number of a log entry".to_owned(),
    })?;
    if doors.log().standing().applied >= wanted {
        return Ok(());
    }
    // What the caller has seen is committed, so a quorum knows of it.
    doors.log().read_index().await.map_err(ca_authority::ActError::from)?;
    let applied = doors.log().standing().applied;
    if applied >= wanted { Ok(()) } else { Err(DoorError::Behind { wanted, applied }.into()) }
}

fn invalid(why: String) -> DoorError {
    DoorError::ClientCertificateInvalid { why }
}
