//! What can be wrong with a profile before anything is issued from it.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use ca_x509::certificate::Extensions;

use super::{Allow, Audience, KeyRule, Profile, StatusRule};
use crate::limits::{
    BACKDATE_MAX_S, LIFE_MAX_S, PROFILE_RULES_MAX, RATE_PER_MINUTE_MAX, RSA_BITS_MAX, RSA_BITS_MIN,
};

mod names;
mod subject;
mod usage;

/// What makes a profile one that nothing, or nothing right, can be issued from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct ProfileFault {
    /// Where, in the words of the profile's document: `validity.max`, `keys[1]`.
    pub field: String,
    /// What is wrong, with both sides.
    pub why: String,
}

impl Profile {
    /// What is wrong with this profile in itself; empty if nothing is. Whether its CAs exist, the register knows.
    #[must_use]
    pub fn faults(&self) -> Vec<ProfileFault> {
        let rules = [RULES, subject::RULES, names::RULES, usage::RULES].into_iter().flatten();
        rules
            .filter_map(|(field, fault)| Some(ProfileFault { field: (*field).into(), why: fault(self)? }))
            .collect()
    }
}

/// The field; what is wrong with it, if anything is.
type Rule = (&'static str, fn(&Profile) -> Option<String>);

const RULES: &[Rule] = &[
    ("issuers", |p| found(p.issuers.is_empty(), "no CA issues it")),
    ("keys", |p| found(p.keys.is_empty(), "no key is taken")),
    ("keys", |p| {
        let bits = RSA_BITS_MIN..=RSA_BITS_MAX;
        let wrong = |rule: &KeyRule| matches!(rule, KeyRule::Rsa { bits_min } if !bits.contains(bits_min));
        found(p.keys.iter().any(wrong), alloc::format!("RSA keys have {RSA_BITS_MIN} to {RSA_BITS_MAX} bits"))
    }),
    ("validity.default", |p| found(p.validity.default_s == 0, "it is 0")),
    ("validity.default", |p| {
        let (default_s, max_s) = (p.validity.default_s, p.validity.max_s);
        found(default_s > max_s, alloc::format!("{} are more than max, {}", life(default_s), life(max_s)))
    }),
    ("validity.max", |p| {
        let max_s = p.validity.max_s;
        found(max_s > LIFE_MAX_S, alloc::format!("{} are more than {}", life(max_s), life(LIFE_MAX_S)))
    }),
    ("validity.backdate", |p| {
        let backdate_s = p.validity.backdate_s;
        found(
            backdate_s > BACKDATE_MAX_S,
            alloc::format!("{} are more than {}", life(backdate_s), life(BACKDATE_MAX_S)),
        )
    }),
    ("audience", |p| {
        let ca = p.basic_constraints.ca && p.audience == Audience::Requesters;
        found(ca, "only the cluster itself makes CAs")
    }),
    ("rate_per_minute", |p| {
        let wrong = p.rate.filter(|rate| !(1..=RATE_PER_MINUTE_MAX).contains(&rate.0))?;
        Some(alloc::format!("{} is not 1 to {RATE_PER_MINUTE_MAX}", wrong.0))
    }),
    // RFC 5280 §5.3.1: a hold stands in a CRL; nobody looks for a certificate without pointers in one.
    ("hold", |p| {
        let unseen = p.hold == Allow::Yes && p.status != StatusRule::Pointers;
        found(unseen, "nobody would see it: the certificate has no pointers to its status")
    }),
    ("policies", |p| {
        let count = p.policies.len();
        found(count > PROFILE_RULES_MAX, alloc::format!("{count} are more than {PROFILE_RULES_MAX}"))
    }),
    ("policies", |p| unwritable(&Extensions { policies: p.policies.clone(), ..Extensions::default() })),
    ("template.name", |p| {
        unwritable(&Extensions { template_name: p.template_name.clone(), ..Extensions::default() })
    }),
    ("ca", |p| {
        let leaf = !p.basic_constraints.ca;
        let constrains = p.name_constraints.is_some()
            || p.policy_constraints.is_some()
            || p.inhibit_any_policy.is_some()
            || p.basic_constraints.path_len.is_some();
        found(leaf && constrains, "constraints are a CA's (RFC 5280 §4.2.1.9 to §4.2.1.11, §4.2.1.14)")
    }),
    ("ca.permit", |p| {
        unwritable(&Extensions { name_constraints: p.name_constraints.clone(), ..Extensions::default() })
    }),
    ("ca", |p| unwritable(&Extensions { policy_constraints: p.policy_constraints, ..Extensions::default() })),
];

fn found(wrong: bool, why: impl Into<String>) -> Option<String> {
    wrong.then(|| why.into())
}

/// Seconds as people count them.
fn life(seconds: u64) -> String {
    let whole =
        |unit: u64| seconds.checked_rem(unit).filter(|rest| *rest == 0).and(seconds.checked_div(unit));
    match (whole(24 * 3600), whole(3600)) {
        (Some(days), _) => alloc::format!("{days}d"),
        (None, Some(hours)) => alloc::format!("{hours}h"),
        (None, None) => alloc::format!("{seconds}s"),
    }
}

/// Why an extension cannot be written, if it cannot.
fn unwritable(extensions: &Extensions) -> Option<String> {
    extensions.check().err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests;
