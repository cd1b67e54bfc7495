//! What the cluster is: its members, and who the caller is to it.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca_authority::Ports;
use ca_authority::ports::Log;
use ca_core::ids::NodeId;
use ca_core::outcome::Refusal;
use ca_core::register::{Member, MemberState, PublicUrls};

use crate::answer::json;
use crate::doors::Doors;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::wire::{ClusterAnswer, MemberAnswer, StandingAnswer, UrlsAnswer, WhoamiAnswer};

/// `GET /api/v1/cluster`
pub(crate) async fn cluster<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let cluster = doors.register().cluster()?.ok_or(Refusal::NotInitialised)?;
    let standing = doors.log().standing();
    let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect();
    let PublicUrls { crl, ocsp, aia } = cluster.urls.clone();
    let answer = ClusterAnswer {
        id: cluster.id.to_string(),
        name: cluster.name.clone(),
        epoch: cluster.epoch.0,
        urls: UrlsAnswer { crl, ocsp, aia },
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
    let granted = doors.register().grant_of(identity)?;
    let grant = granted.as_ref().map(|granted| &granted.grant);
    let roles = grant.into_iter().flat_map(|grant| &grant.roles).map(|role| role.as_str().to_owned());
    let answer = WhoamiAnswer {
        identity: identity.to_string(),
        roles: roles.collect(),
        label: grant.map(|grant| grant.label.clone()),
    };
    json(StatusCode::OK, &answer)
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
