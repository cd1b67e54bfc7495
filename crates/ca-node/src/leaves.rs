//! A node's two TLS leaves: who it is to its peers, and to the API's clients. Certified through the log, kept in
//! files, renewed by the node itself.
//!
//! ```text
//!  init ── certify (itself) ─┐
//!  join ── the desk certifies ┴─▶ store ─▶ tls/ ─▶ peers, API      two thirds of a life later:
//!                                           ▲                      renewal_due ─▶ certify (itself) ─▶ replace
//!                                           └──────────────────────────────────────────────────────────┘
//! ```

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use ca_authority::issue::Issued;
use ca_authority::ports::{Clock as _, Log as _};
use ca_authority::{ActError, Ports as _};
use ca_core::certificate::chain;
use ca_core::ids::{NodeId, ProfileName};
use ca_core::plan::{CertificateRequest, NamesFrom};
use ca_core::register::{Cluster, StorageFault};
use ca_core::roles::Identity;
use ca_http::DeskError;
use ca_raft::PeerIdentity;
use ca_x509::certificate::Certificate;
use ca_x509::key::PublicKey;
use ca_x509::name::{DistinguishedName, GeneralName};
use ca_x509::time::UnixSeconds;
use rustls::ServerConfig;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::files;
use crate::limits::LEAF_LIFE_S;
use crate::ports::NodeAuthority;
use crate::tls::{self, LeafKey, pem_chain};

/// What a node is certified for.
pub(crate) struct Papers {
    pub(crate) name: String,
    pub(crate) peer_key: PublicKey,
    pub(crate) tls_key: PublicKey,
    pub(crate) peer_host: GeneralName,
    pub(crate) tls_host: GeneralName,
    /// Seconds from now.
    pub(crate) life_s: u64,
}

impl Papers {
    /// The papers of a node that dials and is dialled at these addresses, `host:port`.
    ///
    /// # Errors
    /// [`DeskError::Refused`]: an address without a host or port.
    pub(crate) fn new(
        name: String,
        (peer_address, peer_key): (&str, PublicKey),
        (api_address, tls_key): (&str, PublicKey),
    ) -> Result<Self, DeskError> {
        let peer_host = host_name("peer_address", peer_address)?;
        let tls_host = host_name("api_address", api_address)?;
        Ok(Self { name, peer_key, tls_key, peer_host, tls_host, life_s: LEAF_LIFE_S })
    }
}

/// A node's TLS certificates and what they are verified with, in PEM.
pub(crate) struct Leaves {
    pub(crate) peer: String,
    pub(crate) peer_ca: String,
    pub(crate) tls: String,
    pub(crate) root: String,
}

impl Leaves {
    /// Puts a new node's leaves into its data directory.
    pub(crate) fn store(&self, data_dir: &Path, peer: &LeafKey, api: &LeafKey) -> Result<(), Failure> {
        files::write(&files::tls(data_dir, "peer.key"), peer.key_pem.as_bytes())?;
        files::write(&files::tls(data_dir, "peer-ca.pem"), self.peer_ca.as_bytes())?;
        files::write(&files::tls(data_dir, "api.key"), api.key_pem.as_bytes())?;
        files::write(&files::root(data_dir), self.root.as_bytes())?;
        self.replace(data_dir)
    }

    /// Puts certificates for the keys that are there in the place of earlier ones. A crash in between leaves a new
    /// one and an old one, both good: `OwnLeaves::renew` looks at both.
    fn replace(&self, data_dir: &Path) -> Result<(), Failure> {
        files::write(&files::tls(data_dir, "peer.pem"), self.peer.as_bytes())?;
        files::write(&files::tls(data_dir, "api.pem"), self.tls.as_bytes())
    }
}

/// Certifies a node's two TLS keys.
///
/// # Errors
/// [`DeskError`]
pub(crate) async fn certify(
    authority: &NodeAuthority,
    node: NodeId,
    papers: Papers,
) -> Result<Leaves, DeskError> {
    let Cluster { id, epoch, .. } = *cluster(authority)?;
    // Who a peer is: cluster, epoch, node. Checked in the handshake and in every call.
    let identity = PeerIdentity { cluster: id, epoch, node };
    let peer_names = vec![papers.peer_host, GeneralName::Uri(identity.to_string())];
    let me = Identity::Node(authority.ports().log().node());
    let subject = DistinguishedName::new().common_name(papers.name).build();
    let subject = subject.map_err(|e| DeskError::Refused { field: "name", why: e.to_string() })?;
    let request = |profile: &str, public_key, names| -> Result<CertificateRequest, DeskError> {
        Ok(CertificateRequest {
            profile: profile.parse::<ProfileName>().map_err(|e| internal(&e))?,
            ca: None,
            public_key,
            subject: subject.clone(),
            names,
            names_from: NamesFrom::Caller,
            ttl_s: Some(papers.life_s),
            certifies: None,
            limits: None,
            responder: None,
        })
    };
    let peer = authority.issue(me, request("node-peer", papers.peer_key, peer_names)?, None).await?;
    let tls = authority.issue(me, request("node-tls", papers.tls_key, vec![papers.tls_host])?, None).await?;
    let whole = |issued: &Issued| {
        pem_chain(std::iter::once(&issued.certificate).chain(&issued.chain).map(Vec::as_slice))
    };
    Ok(Leaves {
        peer: pem_chain([peer.certificate.as_slice()]),
        peer_ca: pem_chain(peer.chain.iter().map(Vec::as_slice)),
        // With the root: the joiner knows it by its digest.
        tls: whole(&tls),
        root: pem_chain([root(authority)?.as_slice()]),
    })
}

/// The leaves of this node that runs, and who must hear of new ones.
#[derive(Clone)]
pub(crate) struct OwnLeaves {
    data_dir: Arc<Path>,
    api: Arc<watch::Sender<Arc<ServerConfig>>>,
}

impl OwnLeaves {
    /// The leaves that lie in this directory.
    pub(crate) fn load(data_dir: &Path) -> Result<Self, Failure> {
        let (api, _) = watch::channel(tls::api_server(data_dir)?);
        Ok(Self { data_dir: data_dir.into(), api: Arc::new(api) })
    }

    /// The API's TLS, now and after each renewal.
    pub(crate) fn api(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.api.subscribe()
    }

    /// Renews both leaves once two thirds of either life are over: the same keys, by this node's own hand, for the
    /// addresses that the register has. Connections that stand go on; new ones show the new certificates.
    ///
    /// KNOWN: a node that is down for the last third of their life (132 days) is refused by its peers and must join
    /// again.
    pub(crate) async fn renew(&self, authority: &NodeAuthority) -> Result<(), Failure> {
        let (peer, api) = (self.current("peer")?, self.current("api")?);
        let now = authority.ports().clock().now().seconds();
        let due = |leaf: &Certificate| renewal_due(leaf.not_before(), leaf.not_after(), now);
        if !due(&peer) && !due(&api) {
            return Ok(());
        }
        let node = authority.ports().log().node();
        let Some(member) = authority.register().member(node)? else { return Ok(()) };
        let papers = Papers::new(
            member.name,
            (&member.peer_address, peer.public_key().clone()),
            (&member.api_address, api.public_key().clone()),
        )?;
        certify(authority, node, papers).await?.replace(&self.data_dir)?;
        // A crash before these lines is a restart with the new files.
        authority.ports().log.renew_tls(tls::peer(&self.data_dir)?).map_err(Failure::internal)?;
        self.api.send_replace(tls::api_server(&self.data_dir)?);
        tracing::info!(was_good_until = %peer.not_after().min(api.not_after()), "TLS certificates renewed");
        Ok(())
    }

    fn current(&self, name: &str) -> Result<Certificate, Failure> {
        let chain =
            Certificate::parse_chain(&files::read(&files::tls(&self.data_dir, &format!("{name}.pem")))?);
        let leaf = chain.map_err(Failure::internal)?.into_iter().next();
        leaf.ok_or_else(|| Failure::internal(format!("{name}.pem holds no certificate")))
    }
}

/// Whether two thirds of a life are over: the last third is for the tries that fail.
fn renewal_due(not_before: UnixSeconds, not_after: UnixSeconds, now: UnixSeconds) -> bool {
    let life = not_after.0.saturating_sub(not_before.0);
    now.0 >= not_after.0.saturating_sub(life.div_euclid(3))
}

/// The host of `host:port`, as it stands in a certificate.
fn host_name(field: &'static str, address: &str) -> Result<GeneralName, DeskError> {
    let (host, _) = address.rsplit_once(':').ok_or_else(|| DeskError::Refused {
        field,
        why: format!("`{address}` is not of the form host:port"),
    })?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(bare.parse::<IpAddr>().map_or_else(|_| GeneralName::Dns(host.to_owned()), GeneralName::Ip))
}

/// The cluster, as the register has it.
pub(crate) fn cluster(authority: &NodeAuthority) -> Result<Arc<Cluster>, DeskError> {
    let cluster = authority.register().cluster().map_err(ActError::from)?;
    Ok(cluster.ok_or_else(|| ActError::Storage(StorageFault("a register without a cluster".to_owned())))?)
}

/// The DER of the root that the nodes' own doors are verified with: that of the CA which certifies them.
pub(crate) fn root(authority: &NodeAuthority) -> Result<Vec<u8>, DeskError> {
    let register = authority.register();
    let name = "node-tls".parse::<ProfileName>().map_err(|e| internal(&e))?;
    let profile = register.profile(&name).map_err(ActError::from)?;
    let ca = profile.and_then(|profile| profile.issuers.first().cloned());
    let ca = ca.ok_or_else(|| internal(&"no CA certifies the nodes' doors"))?;
    let chain = chain(register, &ca).map_err(ActError::from)?;
    chain.into_iter().next_back().ok_or_else(|| internal(&"the root has no certificate"))
}

fn internal(why: &dyn std::fmt::Display) -> DeskError {
    DeskError::Internal { why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rustls::pki_types::ServerName;
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;
    use crate::choices::Choices;
    use crate::config::ConfigFile;
    use crate::setup::found_cluster;

    /// A whole node in this process, on the embedded token: its leaves are past two thirds of their life when it
    /// starts to serve. Soon peers and clients are shown new ones for the same keys, by the process that never stopped.
    ///
    /// Mechanism: `OwnLeaves::renew`, run by `tasks.rs`. Without its `renew_tls` the peers wait in vain for a new
    /// certificate, without its `send_replace` the API's clients do.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_node_renews_its_leaves_without_a_restart() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("node");
        let mut config: ConfigFile = toml::from_str(&format!(
            "[node]\nname = \"n\"\ndata_dir = {data_dir:?}\n\
             [listen]\napi = \"127.0.0.1:0\"\nva = \"127.0.0.1:0\"\npeer = \"127.0.0.1:0\"\n",
        ))
        .unwrap();
        let choices = Choices::by_custom("x");
        let node = found_cluster(&mut config, &choices, 0, &mut |_, _| {}).await.unwrap().node;

        let first = OwnLeaves::load(&data_dir).unwrap();
        let (peer, api) = (first.current("peer").unwrap(), first.current("api").unwrap());
        let addresses = config.addresses();
        let papers = Papers::new(
            "n".to_owned(),
            (&addresses.peer, peer.public_key().clone()),
            (&addresses.api, api.public_key().clone()),
        );
        // notBefore lies 300 s in the past: three quarters of this life are over, and it is good for 100 s.
        let papers = Papers { life_s: 100, ..papers.unwrap() };
        certify(&node.authority, NodeId(1), papers).await.unwrap().replace(&data_dir).unwrap();
        node.log().renew_tls(tls::peer(&data_dir).unwrap()).unwrap();
        let short = [first.current("peer").unwrap().serial(), first.current("api").unwrap().serial()];

        let (tell, told) = oneshot::channel::<()>();
        let running = tokio::spawn(node.run(async {
            told.await.unwrap();
            Ok(())
        }));
        let ca = |name: &str| files::tls(&data_dir, name);
        for (address, roots, earlier, name) in [
            (&addresses.peer, ca("peer-ca.pem"), peer, "peer"),
            (&addresses.api, files::root(&data_dir), api, "api"),
        ] {
            let begun = Instant::now();
            let renewed = loop {
                let shown = shown(address, &roots).await;
                if !short.contains(&shown.serial()) {
                    break shown;
                }
                assert!(begun.elapsed() < Duration::from_secs(60), "{name}: still the old certificate");
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            assert_eq!(renewed.public_key(), earlier.public_key(), "{name}: the same key");
            assert_eq!(renewed.extensions().subject_alt_names, earlier.extensions().subject_alt_names);
            assert!(renewed.not_after() >= earlier.not_after() && renewed.serial() != earlier.serial());
            assert_eq!(first.current(name).unwrap(), renewed, "{name}: the next start finds it too");
        }
        tell.send(()).unwrap();
        running.await.unwrap().unwrap();
    }

    /// The certificate that a new connection is shown, verified with the CA in this file.
    async fn shown(address: &str, roots: &Path) -> Certificate {
        let config = rustls::ClientConfig::builder().with_root_certificates(tls::roots(roots).unwrap());
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config.with_no_client_auth()));
        let stream = TcpStream::connect(address).await.unwrap();
        let stream = connector.connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await.unwrap();
        Certificate::parse(&stream.get_ref().1.peer_certificates().unwrap()[0]).unwrap()
    }

    #[test]
    fn a_leaf_is_renewed_once_two_thirds_of_its_life_are_over() {
        const DAY: u64 = 24 * 3600;
        let rows = [
            // (notBefore, notAfter, now, due)
            (0, 397 * DAY, 0, false),
            (0, 397 * DAY, 264 * DAY, false),
            (0, 397 * DAY, 265 * DAY, true),
            (0, 397 * DAY, 397 * DAY, true),
            (0, 397 * DAY, 500 * DAY, true),
            (1_000, 1_300, 999, false),
            (1_000, 1_300, 1_199, false),
            (1_000, 1_300, 1_200, true),
            // A clock before the certificate: not due, for the new one would lie in the future too.
            (1_000, 1_300, 0, false),
            // Nonsense is replaced.
            (1_300, 1_000, 1_000, true),
        ];
        for (not_before, not_after, now, due) in rows {
            let got = renewal_due(UnixSeconds(not_before), UnixSeconds(not_after), UnixSeconds(now));
            assert_eq!(got, due, "{not_before}..{not_after} at {now}");
        }
    }
}
