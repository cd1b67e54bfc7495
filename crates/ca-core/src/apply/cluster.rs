//! The cluster itself: its profiles, grants and members.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use ca_x509::key::KeyIdentifier;

use super::{Halt, Step};
use crate::ids::{ClusterId, Digest, Epoch, NodeId, UnixMillis};
use crate::outcome::{Outcome, Refusal};
use crate::profile::Profile;
use crate::register::{Cluster, JoinToken, Key, KeyProof, Member, MemberState, PublicUrls, Value};
use crate::roles::{Grant, Granted, Identity};

pub(super) fn new_member(
    name: String,
    peer_address: String,
    api_address: String,
    va_address: String,
) -> Member {
    Member { name, peer_address, api_address, va_address, state: MemberState::Joining }
}

impl Step<'_> {
    pub(super) fn init_cluster(
        &mut self,
        id: ClusterId,
        name: String,
        urls: PublicUrls,
    ) -> Result<Outcome, Halt> {
        if self.register.cluster()?.is_some() {
            return Err(Refusal::AlreadyInitialised.into());
        }
        let cluster = Cluster { id, name, epoch: Epoch(0), next_node: NodeId(1), urls };
        self.set(Key::Cluster, Value::Cluster(Arc::new(cluster)));
        Ok(Outcome::Done)
    }

    pub(super) fn define_profile(&mut self, profile: Profile) -> Result<Outcome, Halt> {
        let current = self.register.profile(&profile.name)?.map_or(0, |profile| profile.version);
        let expected = current.saturating_add(1);
        if profile.version != expected {
            let Profile { name, version, .. } = profile;
            return Err(Refusal::ProfileVersion { profile: name, expected, got: version }.into());
        }
        self.set(Key::Profile(profile.name.clone()), Value::Profile(Arc::new(profile)));
        Ok(Outcome::Done)
    }

    pub(super) fn set_grant(&mut self, grant: Grant) -> Outcome {
        let key = Key::Grant(grant.key);
        if grant.roles.is_empty() {
            self.remove(key);
        } else {
            self.set(key, Value::Grant(Arc::new(Granted { grant, index: self.index })));
        }
        Outcome::Done
    }

    pub(super) fn mint_join_token(
        &mut self,
        secret: Digest,
        expires_at: UnixMillis,
        minted_by: Identity,
    ) -> Result<Outcome, Halt> {
        let token = JoinToken { expires_at, spent_by: None, minted_by };
        self.set(Key::JoinToken(secret), Value::JoinToken(token));
        Ok(Outcome::Done)
    }

    /// The number comes from here and is never given twice, whatever becomes of the node.
    pub(super) fn admit_member(
        &mut self,
        cluster: &Cluster,
        token: Option<Digest>,
        member: Member,
    ) -> Result<Outcome, Halt> {
        let members = self.register.members()?;
        let node = cluster.next_node;
        match token {
            // The first member has nobody who could have invited it.
            None if members.is_empty() => {}
            None => return Err(Refusal::JoinTokenUnknown.into()),
            Some(secret) => self.spend_join_token(secret, node)?,
        }
        if members.iter().any(|(_, other)| other.name == member.name) {
            return Err(Refusal::NameTaken { name: member.name }.into());
        }
        let cluster = Cluster { next_node: NodeId(node.0.saturating_add(1)), ..cluster.clone() };
        self.set(Key::Cluster, Value::Cluster(Arc::new(cluster)));
        self.set(Key::Member(node), Value::Member(member));
        Ok(Outcome::Admitted(node))
    }

    fn spend_join_token(&mut self, secret: Digest, node: NodeId) -> Result<(), Halt> {
        let token = self.register.join_token(secret)?.ok_or(Refusal::JoinTokenUnknown)?;
        if let Some(by) = token.spent_by {
            return Err(Refusal::JoinTokenSpent { by }.into());
        }
        if self.now > token.expires_at {
            return Err(Refusal::JoinTokenExpired.into());
        }
        self.set(Key::JoinToken(secret), Value::JoinToken(JoinToken { spent_by: Some(node), ..token }));
        Ok(())
    }

    /// The proposer has verified the proof with the register's public key. A member whose token holds every CA
    /// key signs (R11).
    pub(super) fn prove_key(&mut self, key: KeyIdentifier, signature: Vec<u8>) -> Result<Outcome, Halt> {
        let node = self.id.node;
        let mut member = self.register.member(node)?.ok_or(Refusal::NotSigning { node })?;
        let issuers = self.register.issuers()?;
        if !issuers.iter().any(|(_, issuer)| issuer.public_key.key_identifier() == key) {
            return Err(Refusal::UnknownKey.into());
        }
        let proof = KeyProof { index: self.index, boot: self.id.boot, signature };
        self.set(Key::KeyProof(key, node), Value::KeyProof(proof));
        for (_, issuer) in &issuers {
            let other = issuer.public_key.key_identifier();
            if other != key && self.register.key_proof(other, node)?.is_none() {
                return Ok(Outcome::Done);
            }
        }
        if member.state == MemberState::Joining {
            member.state = MemberState::Signing;
            self.set(Key::Member(node), Value::Member(member));
        }
        Ok(Outcome::Done)
    }
}
