//! Clients: what they want, and how they retry with their keys on other nodes.

use ca_authority::issue::Issued;
use ca_core::shards::ListKind;
use ca_x509::serial::SerialNumber;

use super::chores::all_lists;
use super::plan::{Life, Operation, Plan};
use super::{Errand, Running};
use crate::world::{Said, idempotency};

/// All clients so far, by number.
#[derive(Debug, Default)]
pub(super) struct Clients {
    all: Vec<Client>,
}

/// One client with one wish.
#[derive(Debug)]
struct Client {
    operation: Operation,
    tries_left: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asks this node in this round.
    Retries {
        node: u64,
        round: u64,
    },
    /// Is being answered, by this round or not at all.
    Waits {
        until: u64,
    },
    Done,
}

const TRIES: u64 = 4;

impl Clients {
    pub(super) fn are_done(&self) -> bool {
        self.all.iter().all(|client| client.stage == Stage::Done)
    }
}

impl Running {
    pub(super) fn begin_operations(&mut self, plan: &Plan) {
        let round = self.round;
        for (_, operation) in plan.operations.iter().filter(|(at, _)| *at == round) {
            let stage = Stage::Retries { node: operation.node(), round };
            let client = Client { operation: operation.clone(), tries_left: TRIES, stage };
            self.clients.all.push(client);
        }
    }

    pub(super) fn ask_again(&mut self) {
        let round = self.round;
        let due: Vec<(usize, u64)> = (0..)
            .zip(&self.clients.all)
            .filter_map(|(number, client)| match client.stage {
                Stage::Retries { node, round: at } if at <= round => Some((number, node)),
                _ => None,
            })
            .collect();
        for (number, node) in due {
            self.ask(number, node);
        }
    }

    fn ask(&mut self, number: usize, node: u64) {
        let Some(client) = self.clients.all.get_mut(number) else { return };
        client.stage = Stage::Waits { until: self.round.saturating_add(client.operation.patience()) };
        client.tries_left = client.tries_left.saturating_sub(1);
        let operation = client.operation.clone();
        if !self.is_up(node) {
            self.answered(number, node, "connection refused");
            return;
        }
        let errand = Errand::Client(number);
        match operation {
            Operation::Issue { key, host, life, .. } => {
                let host = format!("h{host}.example.test");
                let key = key.map(|key| idempotency(&key.to_string(), &format!("{host} {life:?}")));
                let mut request = self.world.server_request(&host);
                request.ttl_s = (life == Life::OneHour).then_some(3_600);
                let issuing = self.world.issuing_for(node, self.world.client(), request, key);
                self.begin(node, errand, async move { told(issuing.await.map(|issued| issued.serial)) });
            }
            Operation::Revoke { which, reason, .. } => {
                let Some(issued) = self.known(which) else { return self.give_up(number) };
                let revoking = self.world.revoking(node, &issued, reason);
                self.begin(
                    node,
                    errand,
                    async move { told(revoking.await.map(|revoked| revoked.revoked_at)) },
                );
            }
            Operation::Ask { which, .. } => {
                let Some(issued) = self.known(which) else { return self.give_up(number) };
                let asking = self.world.asking(node, issued.ca.as_str(), issued.serial);
                self.begin(node, errand, async move { said(asking.await) });
            }
            Operation::AskStrange { serial, .. } => {
                let mut octets = [0x5a; 16];
                octets.iter_mut().zip(serial.to_be_bytes()).for_each(|(octet, strange)| *octet = strange);
                let asking = self.world.asking(node, "issuing", SerialNumber::from_random(octets));
                self.begin(node, errand, async move { said(asking.await) });
            }
            Operation::Release { which, .. } => {
                let Some(issued) = self.known(which) else { return self.give_up(number) };
                let releasing = self.world.releasing(node, &issued);
                self.begin(node, errand, async move { told(releasing.await) });
            }
            Operation::Fetch { which, kind, .. } => self.fetch(number, node, which, kind),
        }
    }

    fn fetch(&mut self, number: usize, node: u64, which: u64, kind: ListKind) {
        let lists = all_lists(&self.world.node(node));
        let place = usize::try_from(which).unwrap_or_default().checked_rem(lists.len());
        let Some(of) = place.and_then(|place| lists.get(place)) else { return self.give_up(number) };
        let served = self.world.list(node, of, kind).map(|(served, _)| served.cut.number);
        self.end(node, Errand::Client(number), &format!("ok {kind:?} {served:?} of {of}"));
    }

    /// Whoever has waited long enough hangs up; the node does not know and goes on.
    pub(super) fn hang_up(&mut self) {
        let round = self.round;
        let waits = |client: &Client| matches!(client.stage, Stage::Waits { until } if until <= round);
        let impatient = (0..).zip(&self.clients.all).filter(|(_, client)| waits(client));
        let impatient: Vec<usize> = impatient.map(|(number, _)| number).collect();
        for number in impatient {
            let at_it = self.acts.iter_mut().filter(|task| task.errand == Errand::Client(number));
            at_it.for_each(|task| task.errand = Errand::Nobodys);
            self.answered(number, 1, "the client hung up");
        }
    }

    /// Of what clients were given, the one at this place.
    fn known(&self, which: u64) -> Option<Issued> {
        let released = self.world.all_released();
        let client = released.iter().filter(|released| released.issued.ca.as_str() == "issuing");
        let client: Vec<&Issued> = client.map(|released| &released.issued).collect();
        let place = usize::try_from(which).unwrap_or_default().checked_rem(client.len())?;
        client.get(place).map(|issued| (*issued).clone())
    }

    /// What a client hears; whoever did not get what it wanted asks another node.
    pub(super) fn answered(&mut self, number: usize, node: u64, came_to: &str) {
        let pause = self.dice.between(1, 40);
        let next = self.dice.between(1, u64::try_from(self.world.nodes().count()).unwrap_or(node));
        let round = self.round.saturating_add(pause);
        let Some(client) = self.clients.all.get_mut(number) else { return };
        let again = client.operation.may_repeat() && client.tries_left > 0 && !came_to.starts_with("ok");
        client.stage = if again { Stage::Retries { node: next, round } } else { Stage::Done };
    }

    fn give_up(&mut self, number: usize) {
        if let Some(client) = self.clients.all.get_mut(number) {
            client.stage = Stage::Done;
        }
    }
}

impl Operation {
    fn node(&self) -> u64 {
        match self {
            Self::Issue { node, .. }
            | Self::Revoke { node, .. }
            | Self::Release { node, .. }
            | Self::Ask { node, .. }
            | Self::AskStrange { node, .. }
            | Self::Fetch { node, .. } => *node,
        }
    }

    fn patience(&self) -> u64 {
        match self {
            Self::Issue { patience: Some(rounds), .. } => *rounds,
            _ => u64::MAX,
        }
    }

    /// Without its key an issuance that is asked for again is another one.
    fn may_repeat(&self) -> bool {
        !matches!(self, Self::Issue { key: None, .. })
    }
}

fn told<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(done) => format!("ok {done:?}"),
        Err(error) => format!("{error}"),
    }
}

fn said(said: Said) -> String {
    match said {
        Said::Error(error) => format!("{error:?}"),
        status => format!("ok {status:?}"),
    }
}
