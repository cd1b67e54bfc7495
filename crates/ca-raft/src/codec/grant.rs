//! Grants ⇄ protobuf.

use ca_core::command::Command;
use ca_core::profile::PerMinute;
use ca_core::roles::{Grant, Identity, Reach, Role, Scope};

use super::CodecError;
use super::fields::{self, known, octets, required};
use crate::wire::log as wire;

pub(super) fn set_to_wire(grant: &Grant, requester: Identity) -> wire::SetGrant {
    let requester = Some(fields::identity_to_wire(requester));
    wire::SetGrant { grant: Some(to_wire(grant)), requester }
}

pub(super) fn set_from_wire(set: wire::SetGrant) -> Result<Command, CodecError> {
    let grant = from_wire(required("grant", set.grant)?)?;
    Ok(Command::SetGrant { grant, requester: fields::identity(set.requester)? })
}

pub(super) fn to_wire(grant: &Grant) -> wire::Grant {
    wire::Grant {
        key: octets(&grant.key.0),
        roles: grant.roles.iter().map(|role| role_to_wire(*role).into()).collect(),
        label: grant.label.clone(),
        cas: reach_to_wire(&grant.scope.cas),
        profiles: reach_to_wire(&grant.scope.profiles),
        dns: reach_to_wire(&grant.scope.dns),
        rate_per_minute: grant.rate.map(|rate| rate.0),
    }
}

pub(super) fn from_wire(grant: wire::Grant) -> Result<Grant, CodecError> {
    Ok(Grant {
        key: fields::digest(&grant.key)?,
        roles: grant.roles.into_iter().map(|code| role(known("role", code)?)).collect::<Result<_, _>>()?,
        label: grant.label,
        rate: grant.rate_per_minute.map(PerMinute),
        scope: Scope {
            cas: reach(grant.cas, |ca| fields::ca(&ca))?,
            profiles: reach(grant.profiles, |name| fields::profile_name(&name))?,
            dns: reach(grant.dns, Ok)?,
        },
    })
}

fn role_to_wire(role: Role) -> wire::Role {
    match role {
        Role::Requester => wire::Role::Requester,
        Role::Officer => wire::Role::Officer,
        Role::Operator => wire::Role::Operator,
        Role::Auditor => wire::Role::Auditor,
        Role::Ra => wire::Role::Ra,
        Role::Admin => wire::Role::Admin,
    }
}

fn role(role: wire::Role) -> Result<Role, CodecError> {
    Ok(match role {
        wire::Role::Unset => return Err(CodecError::Unknown { what: "role" }),
        wire::Role::Requester => Role::Requester,
        wire::Role::Officer => Role::Officer,
        wire::Role::Operator => Role::Operator,
        wire::Role::Auditor => Role::Auditor,
        wire::Role::Ra => Role::Ra,
        wire::Role::Admin => Role::Admin,
    })
}

/// An empty list is nothing, and everything is no list.
fn reach_to_wire(reach: &Reach<impl ToString>) -> Option<wire::Texts> {
    match reach {
        Reach::All => None,
        Reach::Only(some) => Some(wire::Texts { texts: some.iter().map(ToString::to_string).collect() }),
    }
}

fn reach<T>(
    texts: Option<wire::Texts>,
    read: impl Fn(String) -> Result<T, CodecError>,
) -> Result<Reach<T>, CodecError> {
    Ok(match texts {
        None => Reach::All,
        Some(only) => Reach::Only(only.texts.into_iter().map(read).collect::<Result<_, _>>()?),
    })
}
