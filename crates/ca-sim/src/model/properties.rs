//! What must hold in every state, and what must be reached in some: a model in which nothing happens proves nothing.

use stateright::Property;

use super::register::Fate;
use super::{Cycle, Node, Rule, State};

pub(super) const I1: &str = "I1: no serial has two TBSCertificates";
pub(super) const I3: &str = "I3: what is released is recorded";
pub(super) const I4: &str = "I4: what is signed is a committed intent";
pub(super) const I5: &str = "I5: nothing is abandoned and recorded";
pub(super) const I7: &str = "I7: one key, one certificate";
pub(super) const I10: &str = "I10: no good after a revoked";
pub(super) const R7: &str = "R7: one signature a permit";

pub(super) fn all() -> Vec<Property<Cycle>> {
    vec![
        Property::always(I1, |model: &Cycle, state: &State| {
            let (_, events) = model.register(state, state.log.len());
            let octets = events.intents.iter().chain(&state.signed);
            let clash = |(serial, tbs): &(u8, super::Id)| {
                events.intents.iter().any(|(other, octets)| other == serial && octets != tbs)
            };
            !octets.into_iter().any(clash)
        }),
        Property::always(I3, |model: &Cycle, state: &State| {
            let (_, events) = model.register(state, state.log.len());
            let recorded = |serial: u8| events.recorded.iter().any(|(known, _)| *known == serial);
            state.released.iter().all(|(_, serial)| recorded(*serial))
        }),
        Property::always(I4, |model: &Cycle, state: &State| {
            let (_, events) = model.register(state, state.log.len());
            state.signed.iter().all(|signed| events.intents.contains(signed))
        }),
        Property::always(I5, |model: &Cycle, state: &State| {
            let (_, events) = model.register(state, state.log.len());
            events.recorded.iter().all(|(serial, _)| !events.abandoned.contains(serial))
        }),
        Property::always(I7, |model: &Cycle, state: &State| {
            let (_, events) = model.register(state, state.log.len());
            let keyed = events.recorded.iter().filter_map(|(serial, key)| key.map(|key| (key, *serial)));
            let keyed: Vec<(u8, u8)> = keyed.collect();
            let told = state.released.iter().filter_map(|(key, serial)| key.map(|key| (key, *serial)));
            let pairs = keyed.iter().copied().chain(told);
            pairs
                .into_iter()
                .all(|(key, serial)| keyed.iter().all(|(of, other)| *of != key || *other == serial))
        }),
        Property::always(R7, |_, state: &State| {
            state.signed.windows(2).all(|pair| pair.first() != pair.last())
        }),
        Property::always(I10, |model: &Cycle, state: &State| {
            let told = answers(model, state);
            let revoked = |(serial, as_of): (u8, u8)| {
                told.revoked.iter().any(|(other, earlier)| *other == serial && *earlier <= as_of)
            };
            !told.good.into_iter().any(revoked)
        }),
        Property::sometimes("a certificate is released on two nodes", |_, state: &State| {
            state.released.len() > 1
        }),
        Property::sometimes("an attempt is superseded", |model: &Cycle, state: &State| {
            model.register(state, state.log.len()).1.superseded
        }),
        Property::sometimes("an entry is a duplicate", |model: &Cycle, state: &State| {
            model.register(state, state.log.len()).1.duplicated
        }),
        Property::sometimes("one is abandoned and another recorded", |model: &Cycle, state: &State| {
            let (_, events) = model.register(state, state.log.len());
            !events.abandoned.is_empty() && !events.recorded.is_empty()
        }),
        Property::sometimes("one node says good, another revoked", |model: &Cycle, state: &State| {
            let told = answers(model, state);
            !told.good.is_empty() && !told.revoked.is_empty()
        }),
    ]
}

/// What the nodes can say now: each serial with the answer's thisUpdate. What a node said earlier, it can still say
/// in another state, in which it has done nothing since.
struct Answers {
    good: Vec<(u8, u8)>,
    revoked: Vec<(u8, u8)>,
}

fn answers(model: &Cycle, state: &State) -> Answers {
    let mut told = Answers { good: Vec::new(), revoked: Vec::new() };
    let answers = |node: &&Node| node.applied >= node.replays_to || !model.keeps(Rule::AnswersAfterReplay);
    for node in state.nodes.iter().filter(answers) {
        for row in model.register(state, usize::from(node.applied)).0.rows {
            match (row.fate, row.revoked) {
                // An answer that tells of a revocation is not dated before it.
                (_, Some(at)) if usize::from(node.as_of) > at => told.revoked.push((row.serial, node.as_of)),
                (Fate::Recorded, None) => told.good.push((row.serial, node.as_of)),
                _ => {}
            }
        }
    }
    told
}
