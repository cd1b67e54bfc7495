//! The CAs: defined, certified by each other or from elsewhere, retired.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use ca_x509::certificate::{Certificate, KeyUsage, TbsCertificate};
use ca_x509::request::info_der;

use super::{Halt, Step};
use crate::command::Intent;
use crate::ids::{CaId, Digest};
use crate::limits::{CA_CERTIFICATES_MAX, IMPORTED_CHAIN_MAX};
use crate::mandate::shorter;
use crate::names::subtree;
use crate::outcome::{Outcome, Refusal};
use crate::profile::Audience;
use crate::register::{
    CaRequest, CertificateEntry, CertifiedBy, Issuer, Key, KeyUse, MemberState, OwnCertificate, StorageFault,
    Value,
};
use crate::roles::Role;
use crate::shards::ListId;

impl Step<'_> {
    pub(super) fn define_issuer(&mut self, ca: CaId, issuer: Issuer) -> Result<Outcome, Halt> {
        if self.register.issuer(&ca)?.is_some() {
            return Err(Refusal::CaExists { ca }.into());
        }
        let issuers = self.register.issuers()?;
        // One URL, one list (I15).
        let named_alike = |(other, its): &(CaId, Arc<Issuer>)| {
            ListId::is_taken(ca.as_str(), other, its.shards)
                || ListId::is_taken(other.as_str(), &ca, issuer.shards)
        };
        if let Some((other, _)) = issuers.iter().find(|one| named_alike(one)) {
            let why =
                alloc::format!("a list of revocations of `{ca}` and one of `{other}` would be one file");
            return Err(Refusal::OutsideProfile { field: "ca".into(), why }.into());
        }
        // Two CAs of one subject or one key would be one issuer to the world, with two sets of serials (I1), and no
        // CertID could tell them apart.
        let same = |(_, other): &(CaId, Arc<Issuer>)| {
            other.subject == issuer.subject || other.public_key == issuer.public_key
        };
        if let Some((other, _)) = issuers.into_iter().find(same) {
            return Err(Refusal::CaExists { ca: other }.into());
        }
        let Issuer { algorithm, public_key, .. } = &issuer;
        if !algorithm.fits(public_key.kind()) {
            let why = alloc::format!("{algorithm} is not for {} keys", public_key.kind());
            return Err(Refusal::OutsideProfile { field: "algorithm".into(), why }.into());
        }
        if let Some(parent) = issuer.parent.as_ref().filter(|parent| **parent != ca) {
            let above = self.register.issuer(parent)?;
            let above = above.ok_or_else(|| Refusal::UnknownCa { ca: parent.clone() })?;
            if above.purpose != issuer.purpose {
                let why = alloc::format!("`{parent}` serves others than `{ca}` would");
                return Err(Refusal::OutsideProfile { field: "parent".into(), why }.into());
            }
        }
        self.use_key(Digest::of(issuer.public_key.spki_der()), Some(KeyUse::Authority(ca.clone())))?;
        self.set(Key::Issuer(ca), Value::Issuer(Arc::new(issuer)));
        Ok(Outcome::Done)
    }

    /// A CA's own certificate is for its own name and key. The first comes from its parent, others from any CA that
    /// serves the same.
    pub(super) fn may_certify(&self, intent: &Intent, issuer: &Issuer, subject: &CaId) -> Result<(), Halt> {
        let certified = self.issuer_of(subject)?;
        let refused = |why: String| Refusal::OutsideProfile { field: "certifies".into(), why };
        let tbs = TbsCertificate::decode(&intent.tbs).ok();
        if !tbs.is_some_and(|tbs| tbs.public_key == certified.public_key && tbs.subject == certified.subject)
        {
            return Err(refused(alloc::format!("not the name and key of `{subject}`")).into());
        }
        let by_admin = self.register.grant_of(intent.requester)?.is_some_and(|grant| grant.has(Role::Admin));
        if intent.requester.is_outside() && !by_admin {
            return Err(refused("only the cluster itself and an admin have CAs certified".into()).into());
        }
        let by_parent = certified.parent.as_ref() == Some(&intent.ca);
        if issuer.purpose != certified.purpose || (*subject == intent.ca && !by_parent) {
            return Err(refused(alloc::format!("`{}` does not certify `{subject}`", intent.ca)).into());
        }
        if certified.retired_at.is_some() {
            return Err(Refusal::CaRetired { ca: subject.clone() }.into());
        }
        if certified.certificate.is_none() && !by_parent {
            return Err(Refusal::CaInactive { ca: subject.clone() }.into());
        }
        has_room(subject, &certified)?;
        self.proven_by_all(subject, &certified)
    }

    /// A CA has a certificate more. The latest from its parent is the one that it issues under.
    pub(super) fn certified(
        &mut self,
        subject: &CaId,
        by: CertifiedBy,
        entry: &CertificateEntry,
    ) -> Result<(), Halt> {
        let Some(issuer) = self.register.issuer(subject)? else { return Ok(()) };
        let mut issuer = Arc::unwrap_or_clone(issuer);
        let tbs = TbsCertificate::decode(&entry.tbs)
            .map_err(|e| StorageFault(alloc::format!("a certificate of the CA {subject}: {e}")))?;
        let by_parent = matches!(&by, CertifiedBy::Here { ca, .. } if issuer.parent.as_ref() == Some(ca));
        let own = OwnCertificate {
            by,
            index: self.index,
            not_after: tbs.not_after,
            path_len: tbs.extensions.basic_constraints.and_then(|constraints| constraints.path_len),
            names: tbs.extensions.name_constraints.into_iter().collect(),
        };
        // Two intents for one CA may have been open at once: the first record is its certificate, for the other
        // intent knew of none that it would renew.
        let news = issuer.certificate.as_ref().is_none_or(|current| current.index < entry.intent_index);
        if by_parent && news {
            issuer.others.extend(issuer.certificate.replace(own));
        } else {
            issuer.others.push(own);
        }
        self.set(Key::Issuer(subject.clone()), Value::Issuer(Arc::new(issuer)));
        Ok(())
    }

    /// Lets the key of a CA sign the request for its certificate from elsewhere, once (R1): the octets follow from its
    /// name and key, so that nobody can have it sign anything else.
    pub(super) fn request_ca_certificate(&mut self, ca: CaId) -> Result<Outcome, Halt> {
        let issuer = self.issuer_of(&ca)?;
        if issuer.retired_at.is_some() {
            return Err(Refusal::CaRetired { ca }.into());
        }
        if self.register.ca_request(&ca)?.is_some_and(|request| request.signature.is_some()) {
            return Ok(Outcome::Done);
        }
        if self.register.key_proof(issuer.public_key.key_identifier(), self.id.node)?.is_none() {
            return Err(Refusal::NotSigning { node: self.id.node }.into());
        }
        let info_digest = Digest::of(&info_der(&issuer.subject, &issuer.public_key));
        // One that was open gives way: its owner's late signature over the same octets is dropped.
        let request = CaRequest { owner: self.id, signature: None };
        self.set(Key::CaRequest(ca.clone()), Value::CaRequest(request));
        Ok(Outcome::CaRequestCommitted { ca, info_digest })
    }

    pub(super) fn record_ca_request(&mut self, ca: CaId, signature: Vec<u8>) -> Result<Outcome, Halt> {
        let Some(request) = self.register.ca_request(&ca)? else {
            return Err(Refusal::UnknownCa { ca }.into());
        };
        let CaRequest { owner, signature: recorded } = request;
        if recorded.is_some() || (owner.node, owner.boot) != (self.id.node, self.id.boot) {
            return Err(Refusal::StaleDraft { what: "who signs the request".into() }.into());
        }
        let request = CaRequest { owner, signature: Some(signature) };
        self.set(Key::CaRequest(ca), Value::CaRequest(request));
        Ok(Outcome::Done)
    }

    /// COMMIT: once this entry is on a majority's disks the CA issues under the certificate. Its signature and those
    /// above were verified by the proposer (R13); all that octets tell is checked here.
    pub(super) fn import_ca_certificate(&mut self, ca: CaId, chain: Vec<Vec<u8>>) -> Result<Outcome, Halt> {
        let mut issuer = self.issuer_of(&ca)?;
        if issuer.retired_at.is_some() {
            return Err(Refusal::CaRetired { ca }.into());
        }
        let own = match self.own_certificate(&issuer, &chain) {
            Ok(own) => own,
            Err(why) => return Err(Refusal::ImportUnfit { ca, why }.into()),
        };
        let known = issuer.certificate.iter().chain(&issuer.others).any(|known| known.by == own.by);
        if known {
            return Err(Refusal::ImportUnfit { ca, why: "it has this one already".into() }.into());
        }
        has_room(&ca, &issuer)?;
        self.proven_by_all(&ca, &issuer)?;
        if let CertifiedBy::Elsewhere { digest } = own.by {
            self.set(Key::Imported(digest), Value::Imported(chain));
        }
        if issuer.parent.is_none() {
            issuer.others.extend(issuer.certificate.replace(own));
        } else {
            issuer.others.push(own);
        }
        self.set(Key::Issuer(ca), Value::Issuer(Arc::new(issuer)));
        Ok(Outcome::Done)
    }

    /// What an imported certificate lets the CA do; or what is wrong with it (RFC 5280 §6.1).
    fn own_certificate(&self, issuer: &Issuer, chain: &[Vec<u8>]) -> Result<OwnCertificate, String> {
        let most = IMPORTED_CHAIN_MAX.saturating_add(1);
        if chain.len() < 2 || chain.len() > most {
            return Err(alloc::format!(
                "{} certificates, where 2 to {most} may be: its own and those above it up to the root",
                chain.len()
            ));
        }
        let parsed: Result<Vec<_>, _> = chain.iter().map(|der| Certificate::parse(der)).collect();
        let parsed = parsed.map_err(|e| e.to_string())?;
        let [own, .., root] = parsed.as_slice() else { return Err("it has no issuer".into()) };
        if own.public_key() != &issuer.public_key {
            let (expected, got) = (issuer.public_key.key_identifier(), own.public_key().key_identifier());
            return Err(alloc::format!("its key is {got}, the CA's is {expected}"));
        }
        if own.subject() != &issuer.subject {
            return Err(alloc::format!("its subject is {}, the CA's is {}", own.subject(), issuer.subject));
        }
        if !own.extensions().key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(
                "its key may not sign lists of revocations: cRLSign is missing (RFC 5280 §4.2.1.3)".into()
            );
        }
        if root.issuer() != root.subject() {
            return Err(alloc::format!("the last one is no root: {} issued it", root.issuer()));
        }
        let digest = Digest::of(own.as_der());
        let mut facts = OwnCertificate {
            by: CertifiedBy::Elsewhere { digest },
            index: self.index,
            not_after: own.not_after(),
            path_len: None,
            names: Vec::new(),
        };
        // From the bottom up: how many CAs stand below each.
        for (below, certificate) in (0_u8..).zip(&parsed) {
            let lower = parsed.get(..usize::from(below)).unwrap_or_default();
            self.one_above(certificate, below, lower, &mut facts)
                .map_err(|why| alloc::format!("{}: {why}", certificate.subject()))?;
        }
        Ok(facts)
    }

    /// Checks one certificate of an imported chain, with `lower` CAs below it, and adds what it says to the facts.
    fn one_above(
        &self,
        certificate: &Certificate,
        below: u8,
        lower: &[Certificate],
        facts: &mut OwnCertificate,
    ) -> Result<(), String> {
        let extensions = certificate.extensions();
        let constraints = extensions.basic_constraints.filter(|constraints| constraints.ca);
        let path_len = constraints.ok_or("it is no CA's (RFC 5280 §4.2.1.9)")?.path_len;
        if extensions.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN)) {
            return Err(
                "its key may not sign certificates: keyCertSign is missing (RFC 5280 §4.2.1.3)".into()
            );
        }
        if lower.last().is_some_and(|lower| lower.issuer() != certificate.subject()) {
            return Err("it did not issue the one before it: the names differ (RFC 5280 §6.1.3)".into());
        }
        let now = self.now.seconds();
        if certificate.not_before() > now || certificate.not_after() <= now {
            let (from, until) = (certificate.not_before(), certificate.not_after());
            return Err(alloc::format!("it is valid from {from} until {until}, and it is {now}"));
        }
        if path_len.is_some_and(|length| length < below) {
            return Err(alloc::format!(
                "its path length is {}, and {below} CAs stand below it (RFC 5280 §4.2.1.9)",
                path_len.unwrap_or_default()
            ));
        }
        if let Some(names) = &extensions.name_constraints {
            if let Some(outside) =
                lower.iter().find(|lower| !subtree::permits_directory(names, lower.subject()))
            {
                let outside = outside.subject();
                return Err(alloc::format!("{outside} is outside its name constraints (RFC 5280 §4.2.1.10)"));
            }
            facts.names.push(names.clone());
        }
        facts.not_after = facts.not_after.min(certificate.not_after());
        facts.path_len = shorter(facts.path_len, path_len.map(|length| length.saturating_sub(below)));
        Ok(())
    }

    /// Ends the issuing of a CA, not its status. Not undone: whoever wants to issue again makes another CA.
    pub(super) fn retire_ca(&mut self, ca: CaId) -> Result<Outcome, Halt> {
        let mut issuer = self.issuer_of(&ca)?;
        if issuer.retired_at.is_some() {
            return Err(Refusal::CaRetired { ca }.into());
        }
        for profile in self.register.profiles()? {
            // Responders and CAs are certified by the CA that is named, whatever comes first.
            let any_ca = profile.basic_constraints.ca || profile.is_for_responders();
            if profile.audience == Audience::Cluster && !any_ca && profile.issuers.first() == Some(&ca) {
                return Err(Refusal::CaNeeded { ca, profile: profile.name.clone() }.into());
            }
        }
        issuer.retired_at = Some(self.now);
        self.set(Key::Issuer(ca), Value::Issuer(Arc::new(issuer)));
        Ok(Outcome::Done)
    }

    fn issuer_of(&self, ca: &CaId) -> Result<Issuer, Halt> {
        let issuer = self.register.issuer(ca)?.ok_or_else(|| Refusal::UnknownCa { ca: ca.clone() })?;
        Ok(Arc::unwrap_or_clone(issuer))
    }

    /// R11: a key is active when every member that signs has proven it, so that no node is one that cannot issue.
    fn proven_by_all(&self, ca: &CaId, issuer: &Issuer) -> Result<(), Halt> {
        let key = issuer.public_key.key_identifier();
        let mut nodes = Vec::new();
        for (node, member) in self.register.members()? {
            if member.state == MemberState::Signing && self.register.key_proof(key, node)?.is_none() {
                nodes.push(node);
            }
        }
        if nodes.is_empty() { Ok(()) } else { Err(Refusal::KeyUnproven { ca: ca.clone(), nodes }.into()) }
    }
}

fn has_room(ca: &CaId, issuer: &Issuer) -> Result<(), Refusal> {
    if issuer.others.len() < CA_CERTIFICATES_MAX {
        return Ok(());
    }
    let why = alloc::format!("`{ca}` has {CA_CERTIFICATES_MAX} certificates, and may have no more");
    Err(Refusal::OutsideProfile { field: "certifies".into(), why })
}
