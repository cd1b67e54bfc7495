//! The load under which things are broken: 60 % issue, 20 % revoke, 15 % status, 5 % lists, every answer kept.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, anyhow, bail};
use benches::connection::{self, Connection, body, tls};
use benches::ocsp::path;
use ca_x509::certificate::Certificate;
use ca_x509::crl::CertificateList;
use ca_x509::ocsp::{CertId, CertStatus, OcspResponse};
use ca_x509::serial::SerialNumber;
use ca_x509::time::UnixSeconds;
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use scripts::cluster::Cluster;
use sha2::{Digest as _, Sha256};
use tokio::task::LocalSet;

use crate::dice::Dice;
use crate::history::{Asked, Operation, Said, Status};
use crate::limits::{CLIENTS, GIVEN_UP_AFTER, NEWEST, REQUESTS, RETRY_AFTER};

/// Clients at work, on a thread of their own.
#[derive(Debug)]
pub struct Workload {
    told: Arc<Told>,
    thread: JoinHandle<Result<()>>,
}

/// What the clients and their watcher share.
#[derive(Debug)]
struct Told {
    started: Instant,
    stop: AtomicBool,
    /// Nodes that no client reaches.
    hidden: Mutex<Vec<usize>>,
    history: Mutex<Vec<Operation>>,
}

impl Workload {
    /// Starts them.
    ///
    /// # Errors
    /// The cluster's files.
    pub fn start(cluster: &Cluster, seed: u64) -> Result<Self> {
        let told = Arc::new(Told {
            started: Instant::now(),
            stop: AtomicBool::new(false),
            hidden: Mutex::default(),
            history: Mutex::new(Vec::new()),
        });
        // Made here, for they name the cluster's files.
        let clients = (0..CLIENTS).map(|number| Client::new(cluster, &told, seed, number));
        let mut clients = clients.collect::<Result<Vec<_>>>()?;
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(LocalSet::new().run_until(async move {
                let known = Rc::new(RefCell::new(Known::default()));
                let at_work =
                    clients.drain(..).map(|client| tokio::task::spawn_local(client.work(Rc::clone(&known))));
                for client in at_work.collect::<Vec<_>>() {
                    client.await??;
                }
                Ok(())
            }))
        });
        Ok(Self { told, thread })
    }

    /// Since the beginning of the run.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.told.started.elapsed()
    }

    /// How many operations were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.told.history().iter().filter(|operation| operation.is_acknowledged()).count()
    }

    /// Whether the clients still work.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !self.thread.is_finished()
    }

    /// From here on no client reaches these nodes, and every client all others.
    pub fn hide(&self, nodes: &[usize]) {
        *self.told.hidden.lock().unwrap_or_else(PoisonError::into_inner) = nodes.to_vec();
    }

    /// Tells the clients to stop, and waits for none of them.
    pub fn abandon(self) {
        self.told.stop.store(true, Ordering::SeqCst);
    }

    /// Lets each client end what it has begun; everything that was asked and answered.
    ///
    /// # Errors
    /// A client gave an operation up.
    pub fn stop(self) -> Result<Vec<Operation>> {
        self.told.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow!("a client panicked"))??;
        Ok(std::mem::take(&mut *self.told.history()))
    }
}

impl Told {
    fn history(&self) -> MutexGuard<'_, Vec<Operation>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the clients know of each other's doings.
#[derive(Debug, Default)]
struct Known {
    /// The CA's certificate, once one of its was issued.
    issuer: Option<Certificate>,
    /// Issued, in their order.
    issued: Vec<SerialNumber>,
    /// Issued, and nobody has asked to revoke them.
    unrevoked: Vec<SerialNumber>,
    /// Somebody has asked to revoke them.
    revoked: Vec<SerialNumber>,
}

/// One client, which may ask every node.
struct Client {
    number: u64,
    issued_count: u64,
    dice: Dice,
    /// What this client has issued or revoked last, on which node.
    last: Option<(SerialNumber, usize)>,
    api: Vec<Connection>,
    status: Vec<Connection>,
    bodies: Vec<Bytes>,
    told: Arc<Told>,
}

impl Client {
    fn new(cluster: &Cluster, told: &Arc<Told>, seed: u64, number: usize) -> Result<Self> {
        let tls = tls(cluster)?;
        let number = u64::try_from(number)?;
        Ok(Self {
            number,
            issued_count: 0,
            dice: Dice::new(seed, number),
            last: None,
            api: cluster.nodes.iter().map(|node| Connection::api(node, &tls)).collect::<Result<_>>()?,
            status: cluster.nodes.iter().map(Connection::status).collect::<Result<_>>()?,
            bodies: (0..REQUESTS).map(body).collect::<Result<_>>()?,
            told: Arc::clone(told),
        })
    }

    async fn work(mut self, known: Rc<RefCell<Known>>) -> Result<()> {
        while !self.told.stop.load(Ordering::SeqCst) {
            match self.dice.below(100) {
                0..60 => self.issue(&known).await?,
                60..80 => self.revoke(&known).await?,
                80..88 => self.read(&known).await,
                88..95 => self.ocsp(&known).await?,
                _ => self.crl().await,
            }
        }
        Ok(())
    }

    /// A certificate under a new key, asked for until it is there; one in twenty once more, elsewhere.
    async fn issue(&mut self, known: &RefCell<Known>) -> Result<()> {
        let key = self.number << 32 | self.issued_count;
        self.issued_count = self.issued_count.saturating_add(1);
        let body = self.bodies.get(self.dice.below(REQUESTS)).cloned().unwrap_or_default();
        let mut request = connection::Asked::new(Method::POST, "/api/v1/certificates".to_owned(), body);
        request.idempotency_key = Some(format!("chaos-{key}"));
        let serial = self.until_done(Asked::Issue(key), &request, known).await?;
        if self.dice.below(20) == 0 {
            self.until_done(Asked::Issue(key), &request, known).await?;
        }
        if let Some(serial) = serial {
            let mut known = known.borrow_mut();
            known.issued.push(serial);
            known.unrevoked.push(serial);
        }
        Ok(())
    }

    async fn revoke(&mut self, known: &RefCell<Known>) -> Result<()> {
        let serial = {
            let mut known = known.borrow_mut();
            if known.unrevoked.is_empty() {
                return Ok(());
            }
            let place = self.dice.below(known.unrevoked.len());
            let serial = known.unrevoked.swap_remove(place);
            known.revoked.push(serial);
            serial
        };
        let body = Bytes::from_static(b"{\"ca\":\"issuing\",\"reason\":\"superseded\"}");
        let path = format!("/api/v1/certificates/{serial}/revoke");
        let request = connection::Asked::new(Method::POST, path, body);
        self.until_done(Asked::Revoke(serial), &request, known).await.map(drop)
    }

    async fn read(&mut self, known: &RefCell<Known>) {
        // What was acknowledged a moment ago, on another node: there a stale answer is likeliest.
        let elsewhere = self.last.take().filter(|_| self.dice.below(2) == 0).map(|(serial, node)| {
            let step = self.dice.below(self.api.len().saturating_sub(1)).saturating_add(1);
            (serial, node.saturating_add(step).checked_rem(self.api.len()).unwrap_or(0))
        });
        let anywhere =
            self.some_serial(&known.borrow()).map(|serial| (serial, self.dice.below(self.api.len())));
        let Some((serial, node)) = elsewhere.or(anywhere) else { return };
        let path = format!("/api/v1/certificates/{serial}?ca=issuing&consistency=linearizable");
        let request = connection::Asked::new(Method::GET, path, Bytes::new());
        self.ask(node, Asked::Read(serial), &request, read).await;
    }

    /// Own ones, revoked ones, those just issued, and some that nobody issued.
    async fn ocsp(&mut self, known: &RefCell<Known>) -> Result<()> {
        let Some(issuer) = known.borrow().issuer.clone() else { return Ok(()) };
        let serial = match self.dice.below(5) {
            0 => {
                let mut half = || self.dice.throw().to_be_bytes();
                let octets = [half(), half()].concat();
                SerialNumber::from_random(octets.try_into().map_err(|_| anyhow!("16 octets are 16"))?)
            }
            _ => match self.some_serial(&known.borrow()) {
                Some(serial) => serial,
                None => return Ok(()),
            },
        };
        let id = CertId::sha1(issuer.subject(), issuer.public_key(), &serial);
        let request = connection::Asked::new(Method::GET, path(id)?, Bytes::new());
        let node = self.dice.below(self.status.len());
        self.ask(node, Asked::Ocsp(serial), &request, ocsp).await;
        Ok(())
    }

    async fn crl(&mut self) {
        let request = connection::Asked::new(Method::GET, "/crl/issuing.crl".to_owned(), Bytes::new());
        let node = self.dice.below(self.status.len());
        self.ask(node, Asked::Crl, &request, list).await;
    }

    /// Mostly one of the newest: there a stale answer is likeliest.
    fn some_serial(&mut self, known: &Known) -> Option<SerialNumber> {
        let among = if self.dice.below(2) == 0 { &known.revoked } else { &known.issued };
        let newest = if self.dice.below(4) == 0 { among.len() } else { among.len().min(NEWEST) };
        let back = self.dice.below(newest).saturating_add(1);
        among.len().checked_sub(back).and_then(|place| among.get(place)).copied()
    }

    /// Asks one node after another with the same key; the serial of what was issued.
    async fn until_done(
        &mut self,
        asked: Asked,
        request: &connection::Asked,
        known: &RefCell<Known>,
    ) -> Result<Option<SerialNumber>> {
        let begun = Instant::now();
        let mut node = self.dice.below(self.api.len());
        loop {
            let (said, issuer) = match asked {
                Asked::Issue(_) => self.ask(node, asked, request, issued).await,
                _ => self.ask(node, asked, request, revoked).await,
            };
            match said {
                Said::Issued(serial, _) => {
                    if issuer.is_some() {
                        known.borrow_mut().issuer = issuer;
                    }
                    self.last = Some((serial, node));
                    return Ok(Some(serial));
                }
                Said::Revoked => {
                    self.last = serial_of(asked).map(|serial| (serial, node));
                    return Ok(None);
                }
                said if begun.elapsed() > GIVEN_UP_AFTER => bail!("{asked:?} given up: {said:?}"),
                _ => tokio::time::sleep(RETRY_AFTER).await,
            }
            node = node.saturating_add(1).checked_rem(self.api.len()).unwrap_or(0);
        }
    }

    /// Asks one node once, and writes down what came of it.
    async fn ask(&mut self, node: usize, asked: Asked, request: &connection::Asked, read: Reads) -> Answered {
        if self.told.hidden.lock().unwrap_or_else(PoisonError::into_inner).contains(&node) {
            // So that clients with nothing else to ask leave room for others.
            tokio::time::sleep(RETRY_AFTER).await;
            return (Said::Nothing("not reached".to_owned()), None);
        }
        let doors = match asked {
            Asked::Issue(_) | Asked::Revoke(_) | Asked::Read(_) => &mut self.api,
            Asked::Ocsp(_) | Asked::Crl => &mut self.status,
        };
        let Some(door) = doors.get_mut(node) else { return (Said::Nothing("no such node".to_owned()), None) };
        let begun = self.told.started.elapsed();
        let answer = door.ask(request).await;
        let ended = self.told.started.elapsed();
        let (said, issuer) = match answer {
            Err(error) => (Said::Nothing(format!("{error:#}")), None),
            // An answer that cannot be read is none, and is told at the end.
            Ok((status, octets)) => read(status, &octets)
                .unwrap_or_else(|error| (Said::Refused(status.as_u16(), format!("{error:#}")), None)),
        };
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let operation =
            Operation { node, begun, ended, at: UnixSeconds(at.as_secs()), asked, said: said.clone() };
        self.told.history().push(operation);
        (said, issuer)
    }
}

fn serial_of(asked: Asked) -> Option<SerialNumber> {
    match asked {
        Asked::Revoke(serial) | Asked::Read(serial) | Asked::Ocsp(serial) => Some(serial),
        Asked::Issue(_) | Asked::Crl => None,
    }
}

/// What was said; and the issuer's certificate, if one came along.
type Answered = (Said, Option<Certificate>);

type Reads = fn(StatusCode, &[u8]) -> Result<Answered>;

fn issued(status: StatusCode, octets: &[u8]) -> Result<Answered> {
    if !status.is_success() {
        return Ok((refused(status, octets), None));
    }
    let answer: serde_json::Value = serde_json::from_slice(octets)?;
    let pem = |at: &str| answer.pointer(at).and_then(|pem| pem.as_str()).unwrap_or_default().as_bytes();
    let mut certificate = Certificate::parse_chain(pem("/certificate"))?;
    let certificate = certificate.pop().context("no certificate")?;
    let issuer = Certificate::parse_chain(pem("/chain/0"))?.pop();
    Ok((Said::Issued(certificate.serial(), certificate.as_der().to_vec()), issuer))
}

fn revoked(status: StatusCode, octets: &[u8]) -> Result<Answered> {
    Ok((if status == StatusCode::OK { Said::Revoked } else { refused(status, octets) }, None))
}

pub(crate) fn read(status: StatusCode, octets: &[u8]) -> Result<Answered> {
    if status == StatusCode::NOT_FOUND {
        return Ok((Said::Status(Status::Unknown), None));
    }
    if status != StatusCode::OK {
        return Ok((
            match refused(status, octets) {
                // There is an intent, and no certificate yet.
                Said::Refused(_, slug) if slug == "not-recorded" => Said::Status(Status::Unknown),
                refused => refused,
            },
            None,
        ));
    }
    let answer: serde_json::Value = serde_json::from_slice(octets)?;
    let status = match answer.get("status").and_then(|status| status.as_str()) {
        Some("good") => Status::Good,
        Some("revoked") => Status::Revoked,
        other => bail!("a status of {other:?}"),
    };
    Ok((Said::Status(status), None))
}

fn ocsp(status: StatusCode, octets: &[u8]) -> Result<Answered> {
    if status != StatusCode::OK {
        return Ok((refused(status, octets), None));
    }
    let basic = match OcspResponse::parse(octets)? {
        OcspResponse::Error(error) => return Ok((Said::OcspError(format!("{error:?}")), None)),
        OcspResponse::Basic(basic) => basic,
    };
    let single = basic.data().responses.first().context("no status in an answer")?;
    let status = match single.status {
        CertStatus::Good => Status::Good,
        CertStatus::Revoked { .. } => Status::Revoked,
        CertStatus::Unknown => Status::Unknown,
    };
    Ok((Said::Ocsp(status, single.this_update), None))
}

fn list(status: StatusCode, octets: &[u8]) -> Result<Answered> {
    if status != StatusCode::OK {
        return Ok((refused(status, octets), None));
    }
    let list = CertificateList::parse(octets)?;
    let serials: BTreeSet<_> = list.entries().iter().map(|entry| entry.serial).collect();
    Ok((Said::List(list.tbs().number.0, Sha256::digest(octets).into(), serials), None))
}

fn refused(status: StatusCode, octets: &[u8]) -> Said {
    let problem: serde_json::Value = serde_json::from_slice(octets).unwrap_or_default();
    let kind = problem.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
    Said::Refused(status.as_u16(), kind.rsplit(['/', ':']).next().unwrap_or_default().to_owned())
}
