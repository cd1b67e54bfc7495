//! `POST /api/v1/cluster/proof`: what a node can do is shown by doing it.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca_authority::Ports;
use ca_authority::ports::Log as _;

use crate::answer::json;
use crate::doors::Doors;
use crate::problem::Problem;
use crate::wire::{ProofAnswer, SignatureProof, WriteProof};

/// Commits an entry that does nothing, and has the token sign once with the key of each CA that issues. What fails is
/// part of the answer: half a proof says more than none.
pub(crate) async fn prove<P: Ports>(State(doors): State<Doors<P>>) -> Result<Response, Problem> {
    let authority = doors.authority.clone();
    let begun = Instant::now();
    let written = doors.act(async move { authority.tick().await }).await;
    let took_us = elapsed_us(begun);
    let (write, no_write) = match written {
        Ok(index) => (Some(WriteProof { index: index.0, took_us }), None),
        Err(problem) => (None, Some(problem.into_unproven())),
    };
    let answer =
        ProofAnswer { node: doors.log().node().0, write, no_write, signatures: signatures(&doors).await? };
    json(StatusCode::OK, &answer)
}

async fn signatures<P: Ports>(doors: &Doors<P>) -> Result<Vec<SignatureProof>, Problem> {
    let mut signatures = Vec::new();
    for (ca, issuer) in doors.register().issuers()? {
        // One that waits for its certificate or has retired signs nothing new.
        if issuer.certificate.is_none() || issuer.retired_at.is_some() {
            continue;
        }
        let begun = Instant::now();
        let signed = doors.keys.try_sign(&issuer.public_key).await;
        let took_us = elapsed_us(begun);
        signatures.push(SignatureProof {
            ca: ca.to_string(),
            took_us: signed.is_ok().then_some(took_us),
            no_signature: signed.err().map(|error| Problem::from(error).into_unproven()),
        });
    }
    Ok(signatures)
}

fn elapsed_us(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}
