//! What a command leaves in the history (I20), and how the history ends.

use super::Step;
use crate::command::Command;
use crate::history::{About, Act, HistoryRow};
use crate::limits::{HISTORY_KEPT_MS, HISTORY_ROWS_PER_TICK};
use crate::register::{CertificateState, Change, Key, StatusChange, StorageFault, Value};
use crate::roles::Identity;

/// What a command that is not refused leaves.
pub(super) enum Deed {
    /// Nothing: it leads up to an act, or is none.
    None,
    /// This act.
    Act(Act, About, Identity),
    /// The act that its changed rows tell of; none if they tell of none.
    Rows,
}

impl Deed {
    /// Every command is here, so that a new one does not compile before somebody has said what it leaves.
    pub(super) fn of(command: &Command, own: Identity) -> Self {
        match command {
            Command::InitCluster { .. } => {
                Self::Act(Act::ClusterInitialised, About::Cluster, Identity::Ceremony)
            }
            Command::DefineIssuer { ca, requester, .. } => {
                Self::Act(Act::CaDefined, About::Ca(ca.clone()), *requester)
            }
            Command::RecordCaRequest { ca, requester, .. } => {
                Self::Act(Act::CaRequestSigned, About::Ca(ca.clone()), *requester)
            }
            Command::ImportCaCertificate { ca, requester, .. } => {
                Self::Act(Act::CaCertificateImported, About::Ca(ca.clone()), *requester)
            }
            Command::RetireCa { ca, requester } => {
                Self::Act(Act::CaRetired, About::Ca(ca.clone()), *requester)
            }
            Command::DefineProfile { profile, requester } => {
                let about = About::Profile(profile.name.clone(), profile.version);
                Self::Act(Act::ProfileDefined, about, *requester)
            }
            Command::SetGrant { grant, requester } => {
                let act = if grant.roles.is_empty() { Act::GrantRemoved } else { Act::GrantSet };
                Self::Act(act, About::Caller(grant.key), *requester)
            }
            Command::RecordCrl { list, number, .. } => {
                Self::Act(Act::CrlPublished, About::Crl(list.clone(), *number), own)
            }
            Command::MintJoinToken { secret, requester, .. } => {
                Self::Act(Act::JoinTokenMinted, About::Token(*secret), *requester)
            }
            Command::MintEnrolment { token, requester, .. } => {
                Self::Act(Act::EnrolmentMinted, About::Token(*token), *requester)
            }
            Command::RevokeEnrolment { token, requester } => {
                Self::Act(Act::EnrolmentRevoked, About::Token(*token), *requester)
            }
            Command::ProveKey { key, .. } => Self::Act(Act::KeyProven, About::Key(*key), own),
            Command::RecordRefusals { by, slug, count } => {
                Self::Act(Act::Refused, About::Refusals(slug.clone(), *count), *by)
            }
            // An intent is no act, but may abandon the attempt before it; what is revoked again may change nothing.
            Command::Intent(_)
            | Command::Record { .. }
            | Command::Abandon { .. }
            | Command::Revoke { .. }
            | Command::Release { .. }
            | Command::AdmitMember { .. } => Self::Rows,
            // A cut fixes a list that nobody has signed yet, and so does a request.
            Command::CutCrl { .. } | Command::RequestCaCertificate { .. } | Command::Tick { .. } => {
                Self::None
            }
        }
    }
}

impl Step<'_> {
    /// Adds the row of a command that was not refused to its changes.
    pub(super) fn write_history(&mut self, deed: Deed) {
        let (act, about, by) = match deed {
            Deed::None => return,
            Deed::Act(act, about, by) => (act, about, by),
            Deed::Rows => {
                let (own, node) = (&self.changes, Identity::Node(self.id.node));
                let Some(told) = own.iter().find_map(|change| told_by(change, own, node)) else { return };
                told
            }
        };
        let row = HistoryRow { at: self.now, node: self.id.node, by, act, about };
        self.set(Key::History(self.place), Value::History(row));
    }

    /// Takes away some of what has been kept for its time. Register time rises with the log, so the oldest stand first.
    pub(super) fn sweep_history(&mut self) -> Result<(), StorageFault> {
        let first = Key::History(crate::history::HistoryPlace::default());
        let over =
            |value: &Value| matches!(value, Value::History(row) if self.now.since(row.at) > HISTORY_KEPT_MS);
        // Mostly there is nothing to take: one row says so.
        if !self.register.scan(&first, 1)?.iter().any(|(_, value)| over(value)) {
            return Ok(());
        }
        let oldest = self.register.scan(&first, HISTORY_ROWS_PER_TICK)?;
        let gone = oldest.into_iter().take_while(|(_, value)| over(value)).map(|(key, _)| key);
        self.changes.extend(gone.map(|key| Change { key, value: None }));
        Ok(())
    }
}

/// The act that a changed row tells of. `all` are the changes of one command, `node` the node that sent it.
fn told_by(change: &Change, all: &[Change], node: Identity) -> Option<(Act, About, Identity)> {
    match (&change.key, change.value.as_ref()?) {
        (Key::Certificate(ca, serial), Value::Certificate(entry)) => {
            let about = About::Certificate(ca.clone(), *serial);
            match entry.state {
                CertificateState::Open => None,
                CertificateState::Recorded { .. } => Some((Act::CertificateIssued, about, entry.requester)),
                CertificateState::Abandoned { .. } => Some((Act::IntentAbandoned, about, node)),
            }
        }
        (Key::Revocation(ca, serial), Value::Revocation(revocation)) => {
            let event = revocation.latest()?;
            match event.change {
                StatusChange::Revoked(reason) => {
                    Some((Act::CertificateRevoked, About::Revocation(ca.clone(), *serial, reason), event.by))
                }
                StatusChange::Released => {
                    Some((Act::CertificateReleased, About::Certificate(ca.clone(), *serial), event.by))
                }
                // Its certificate's row says so.
                StatusChange::Abandoned => None,
            }
        }
        (Key::Member(member), Value::Member(_)) => {
            let invited = all.iter().find_map(|change| match &change.value {
                Some(Value::JoinToken(token)) => Some(token.minted_by),
                _ => None,
            });
            // The first member needs no invitation.
            Some((Act::MemberAdmitted, About::Member(*member), invited.unwrap_or(Identity::Ceremony)))
        }
        _ => None,
    }
}
