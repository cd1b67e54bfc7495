//! What it all means.

use ca_http::wire::ProofAnswer;

use super::asked::{Asked, Looked};

/// In the order of their gravity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every member has proven all it should be able to do.
    Healthy,
    /// It issues, and something is missing.
    Degraded,
    /// Nothing can be written.
    NoQuorum,
    /// Two nodes hold different registers: a fault of the program or of a disk (I23).
    NodesDiffer,
}

impl Verdict {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "HEALTHY",
            Self::Degraded => "DEGRADED",
            Self::NoQuorum => "NO QUORUM",
            Self::NodesDiffer => "NODES DIFFER",
        }
    }

    /// What the process ends with.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::NoQuorum => 2,
            Self::NodesDiffer => 5,
        }
    }
}

pub(super) fn verdict(looked: &Looked) -> Verdict {
    let Looked { members, equal, .. } = looked;
    if *equal == Some(false) {
        return Verdict::NodesDiffer;
    }
    if !members.iter().any(writes) {
        return Verdict::NoQuorum;
    }
    let does_all = |asked: &Asked| {
        asked.unready.is_none() && votes(asked) && writes(asked) && signs(asked) && tells(asked)
    };
    if members.iter().all(does_all) { Verdict::Healthy } else { Verdict::Degraded }
}

/// It counts for a quorum.
fn votes(asked: &Asked) -> bool {
    asked.told.as_ref().is_ok_and(|told| told.votes)
}

/// It has committed an entry. Who may not ask for that believes what a balancer hears.
pub(super) fn writes(asked: &Asked) -> bool {
    match &asked.proof {
        Ok(proof) => proof.write.is_some(),
        Err(failure) => failure.slug == "forbidden" && asked.told.is_ok() && asked.unready.is_none(),
    }
}

/// Its token has signed for every CA.
pub(super) fn signs(asked: &Asked) -> bool {
    let all = |proof: &ProofAnswer| proof.signatures.iter().all(|signed| signed.took_us.is_some());
    match &asked.proof {
        Ok(proof) => all(proof),
        Err(failure) => failure.slug == "forbidden",
    }
}

/// Its status service has answered.
pub(super) fn tells(asked: &Asked) -> bool {
    asked.status.is_ok()
}

/// How many more nodes may go, and how many more tokens, before nothing is issued.
pub(super) fn spare(looked: &Looked) -> (usize, usize) {
    let voters = looked.members.iter().filter_map(|asked| asked.told.as_ref().ok());
    let voters = voters.map(|told| told.voters.len()).max().unwrap_or_default();
    let needed = (voters / 2).saturating_add(1);
    let voting = |asked: &&Asked| writes(asked) && votes(asked);
    let alive = looked.members.iter().filter(voting).count();
    let signing = looked.members.iter().filter(|asked| writes(asked) && signs(asked)).count();
    (alive.saturating_sub(needed), signing.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use ca_http::wire::{MemberAnswer, SignatureProof, StandingAnswer, WriteProof};
    use ca_x509::time::UnixSeconds;

    use super::super::asked::equal_at_one_index;
    use super::*;
    use crate::failure::Failure;

    fn node(applied: u64, digest: &str) -> Asked {
        let told = StandingAnswer {
            node: 1,
            term: 1,
            leader: Some(1),
            applied,
            digest: digest.to_owned(),
            voters: vec![1, 2, 3],
            reachable: Vec::new(),
            votes: true,
            as_of: None,
            confirmed: true,
        };
        let proof = ProofAnswer {
            node: 1,
            write: Some(WriteProof { index: applied, took_us: 1 }),
            no_write: None,
            signatures: vec![SignatureProof {
                ca: "issuing".to_owned(),
                took_us: Some(1),
                no_signature: None,
            }],
        };
        let member = MemberAnswer {
            node: 1,
            name: String::new(),
            peer_address: String::new(),
            api_address: String::new(),
            va_address: String::new(),
            state: "signing".to_owned(),
        };
        Asked { member, told: Ok(told), unready: None, proof: Ok(proof), status: Ok(UnixSeconds(0)) }
    }

    fn silent() -> Asked {
        let refused = || Failure::new("unreachable", "refused");
        Asked { told: Err(refused()), proof: Err(refused()), status: Err(refused()), ..node(0, "") }
    }

    fn learner() -> Asked {
        let mut asked = node(7, "a");
        asked.told.as_mut().unwrap().votes = false;
        asked
    }

    fn changed(change: impl FnOnce(&mut ProofAnswer)) -> Asked {
        let mut asked = node(7, "a");
        change(asked.proof.as_mut().unwrap());
        asked
    }

    fn no_write() -> Asked {
        changed(|proof| proof.write = None)
    }

    fn no_signature() -> Asked {
        changed(|proof| proof.signatures[0].took_us = None)
    }

    #[test]
    fn healthy_is_said_of_nodes_that_have_all_proven_everything() {
        let unready = || Asked { unready: Some("stopping".to_owned()), ..node(7, "a") };
        let untold = || Asked { status: Err(Failure::internal("x")), ..node(7, "a") };
        let may_not = || Asked { proof: Err(Failure::new("forbidden", "x")), ..node(7, "a") };
        for (members, word, may_lose) in [
            (vec![node(7, "a"), node(7, "a"), node(7, "a")], "HEALTHY", (1, 2)),
            (vec![may_not(), may_not(), may_not()], "HEALTHY", (1, 2)),
            (vec![node(7, "a"), node(7, "a"), unready()], "DEGRADED", (1, 2)),
            (vec![node(7, "a"), node(7, "a"), learner()], "DEGRADED", (0, 2)),
            (vec![node(7, "a"), node(7, "a"), untold()], "DEGRADED", (1, 2)),
            (vec![node(7, "a"), node(7, "a"), no_signature()], "DEGRADED", (1, 1)),
            (vec![node(7, "a"), node(7, "a"), no_write()], "DEGRADED", (0, 1)),
            (vec![node(7, "a"), node(7, "a"), silent()], "DEGRADED", (0, 1)),
            (vec![no_write(), silent(), silent()], "NO QUORUM", (0, 0)),
            (vec![node(7, "a"), node(7, "b"), node(7, "a")], "NODES DIFFER", (1, 2)),
            (vec![node(7, "a"), node(8, "b"), node(7, "a")], "HEALTHY", (1, 2)),
        ] {
            let equal = equal_at_one_index(members.iter().map(|asked| &asked.told));
            let looked = Looked { name: String::new(), id: String::new(), members, equal };
            assert_eq!((verdict(&looked).word(), spare(&looked)), (word, may_lose), "{looked:?}");
        }
    }
}
