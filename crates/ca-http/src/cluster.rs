//! What the cluster is: its CAs and members, and who the caller is to it.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca_authority::Ports;
use ca_authority::ports::Log;
use ca_core::certificate;
use ca_core::ids::{CaId, NodeId};
use ca_core::outcome::Refusal;
use ca_core::register::{Issuer, IssuerPurpose, Member, MemberState};
use ca_core::roles::Role;
use ca_core::shards::ListId;

use crate::answer::{PEM_CHAIN, certificate_pem, json, typed};
use crate::doors::Doors;
use crate::error::DoorError;
use crate::extract::Path;
use crate::guard::{Caller, grant_of};
use crate::problem::Problem;
use crate::wire::{CaAnswer, ClusterAnswer, MemberAnswer, StandingAnswer, UrlsAnswer, WhoamiAnswer};

/// `GET /api/v1/cas`
pub(crate) async fn cas<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let issuers = doors.register().issuers()?;
    let all: Vec<CaAnswer> =
        issuers.into_iter().map(|(ca, issuer)| about(&doors, &ca, &issuer)).collect::<Result<_, _>>()?;
    json(StatusCode::OK, &all)
}

/// `GET /api/v1/cas/{ca}`
pub(crate) async fn ca<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (ca, issuer) = issuer(&doors, &name)?;
    json(StatusCode::OK, &about(&doors, &ca, &issuer)?)
}

/// `GET /api/v1/cas/{ca}/chain`: from the CA up to its root, the root included: what a client trusts comes from
/// here once, what a server sends comes with its certificate.
pub(crate) async fn chain<P: Ports>(
    State(doors): State<Doors<P>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (ca, _) = issuer(&doors, &name)?;
    let chain = certificate::chain(doors.register(), &ca)?;
    if chain.is_empty() {
        return Err(Refusal::CaInactive { ca }.into());
    }
    let text: String = chain.iter().map(|der| certificate_pem(der)).collect();
    Ok(typed(StatusCode::OK, PEM_CHAIN, text))
}

/// `GET /api/v1/cluster`
pub(crate) async fn cluster<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let cluster = doors.register().cluster()?.ok_or(Refusal::NotInitialised)?;
    let standing = doors.log().standing();
    let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect();
    let answer = ClusterAnswer {
        id: cluster.id.to_string(),
        name: cluster.name,
        epoch: cluster.epoch.0,
        urls: UrlsAnswer { crl: cluster.urls.crl, ocsp: cluster.urls.ocsp, aia: cluster.urls.aia },
        standing: StandingAnswer {
            node: doors.log().node().0,
            term: standing.term,
            leader: standing.leader.map(|node| node.0),
            applied: standing.applied.0,
            digest: standing.digest.to_string(),
            voters: numbers(&standing.voters),
            reachable: numbers(&standing.reachable),
            votes: standing.votes,
            as_of: doors.authority.as_of().map(|as_of| as_of.seconds().to_string()),
            confirmed: doors.authority.confirmed(),
        },
        members: doors.register().members()?.into_iter().map(described).collect(),
    };
    json(StatusCode::OK, &answer)
}

/// `GET /api/v1/cluster/members`
pub(crate) async fn members<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let members: Vec<MemberAnswer> = doors.register().members()?.into_iter().map(described).collect();
    json(StatusCode::OK, &members)
}

/// `GET /api/v1/whoami`: open to those without a grant, for it tells them what to ask one for.
pub(crate) async fn whoami<P: Ports>(
    State(doors): State<Doors<P>>,
    Extension(Caller(identity)): Extension<Caller>,
) -> Result<Response, Problem> {
    let grant = grant_of(&doors, identity)?;
    let roles =
        grant.iter().flat_map(|grant| &grant.roles).map(|role: &Role| role.as_str().to_owned()).collect();
    let answer =
        WhoamiAnswer { identity: identity.to_string(), roles, label: grant.map(|grant| grant.label) };
    json(StatusCode::OK, &answer)
}

pub(crate) fn issuer<P: Ports>(doors: &Doors<P>, name: &str) -> Result<(CaId, Issuer), Problem> {
    let ca: CaId = name.parse().map_err(|_| DoorError::NotFound)?;
    match doors.register().issuer(&ca)? {
        Some(issuer) => Ok((ca, issuer)),
        None => Err(Refusal::UnknownCa { ca }.into()),
    }
}

fn about<P: Ports>(doors: &Doors<P>, ca: &CaId, issuer: &Issuer) -> Result<CaAnswer, Problem> {
    let register = doors.register();
    let own = match issuer.certificate {
        Some(serial) => certificate::der(register, &issuer.parent, serial)?,
        None => None,
    };
    let entry = match issuer.certificate {
        Some(serial) => register.certificate(&issuer.parent, serial)?,
        None => None,
    };
    let list = register.crl_scope(&ListId::whole(ca))?.and_then(|scope| scope.current);
    Ok(CaAnswer {
        name: ca.to_string(),
        subject: issuer.subject.to_string(),
        parent: issuer.parent.to_string(),
        purpose: match issuer.purpose {
            IssuerPurpose::Public => "public",
            IssuerPurpose::Peers => "peers",
        }
        .to_owned(),
        algorithm: issuer.algorithm.as_str().to_owned(),
        key: issuer.public_key.key_identifier().to_string(),
        serial: issuer.certificate.map(|serial| serial.to_string()),
        certificate: own.as_deref().map(certificate_pem),
        not_after: entry.map(|entry| entry.not_after.to_string()),
        crl_next_update: list.map(|list| list.cut.next_update.to_string()),
    })
}

fn described((node, member): (NodeId, Member)) -> MemberAnswer {
    MemberAnswer {
        node: node.0,
        name: member.name,
        peer_address: member.peer_address,
        api_address: member.api_address,
        va_address: member.va_address,
        state: match member.state {
            MemberState::Joining => "joining",
            MemberState::Signing => "signing",
        }
        .to_owned(),
    }
}
