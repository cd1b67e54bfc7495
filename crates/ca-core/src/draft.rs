//! Step 2 of an issuance: plan and serial become the exact TBSCertificate, which is linted as it will be signed.

use ca_x509::serial::SerialNumber;

use crate::command::{Idempotency, Intent};
use crate::lint::lint;
use crate::outcome::Refusal;
use crate::plan::Plan;

/// Drafts the intent of a certificate.
///
/// # Errors
/// [`Refusal::Lint`] if the octets would break a rule (I19); nothing was signed, no serial was used.
pub fn draft(
    plan: &Plan,
    serial: SerialNumber,
    idempotency: Option<Idempotency>,
    supersedes: Option<SerialNumber>,
) -> Result<Intent, Refusal> {
    let planned = plan.with_serial(serial);
    let tbs = planned.encode().map_err(|e| Refusal::Lint {
        rule: "RFC 5280 §4.1".into(),
        why: alloc::format!("it cannot be encoded: {e}"),
    })?;
    lint(&tbs, &planned)?;
    Ok(Intent {
        ca: plan.ca.clone(),
        issuer_key: plan.issuer_key,
        profile: plan.profile.name.clone(),
        profile_version: plan.profile.version,
        grant_index: plan.grant_index,
        requester: plan.requester,
        serial,
        tbs,
        not_after: plan.not_after,
        idempotency,
        supersedes,
        certifies: plan.certifies.clone(),
        responder: plan.responder,
    })
}
