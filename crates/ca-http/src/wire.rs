//! The shapes of the API's JSON, for the server and for its clients. Times are RFC 3339 in UTC, serials and digests
//! lower-case hex, certificates PEM. Requests refuse unknown fields; answers may grow.

mod ca;
mod enrolment;
mod grant;
mod history;
mod life;
mod profile;

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroize;

pub use self::ca::{
    CaAnswer, CaCertificateAnswer, CaCsrAnswer, CreateCaRequest, CrossCertificateRequest, ImportCaRequest,
    NameSpaces, NamesLimit, RenewCaRequest, RetireCaAnswer, RetireCaRequest, key_kind, limits as ca_limits,
};
pub use self::enrolment::{EnrolmentAnswer, EnrolmentMintRequest, EnrolmentMinted};
pub use self::grant::GrantDocument;
pub(crate) use self::grant::domain;
pub use self::history::{ActAnswer, HistoryAnswer};
pub use self::life::{Life, NotALife};
pub use self::profile::{
    CaDocument, KindDocument, NamesDocument, PolicyDocument, ProfileDocument, SubjectDocument,
    SubtreesDocument, TemplateDocument, UsageDocument, ValidityDocument,
};

/// `POST /api/v1/certificates`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueRequest {
    /// The profile's name.
    pub profile: String,
    /// The CA; the profile's first one if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The PKCS #10 request: PEM, or DER in base64.
    pub csr: String,
    /// Names instead of those in the CSR: `web.test`, `*.web.test`, `10.0.0.1`, `spiffe://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// The life: `90d`, `24h`, `30m`, `3600s`; the profile's default if none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
}

/// The answer to an [`IssueRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssueAnswer {
    /// The serial.
    pub serial: String,
    /// Who issued it.
    pub ca: String,
    /// The certificate.
    pub certificate: String,
    /// From the CA that issued it up to the root, the root included.
    pub chain: Vec<String>,
    /// When it stops being valid.
    pub not_after: String,
    /// Where it stands in the log.
    pub log: LogPlace,
}

/// A place in the issuance log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogPlace {
    /// The entry.
    pub index: u64,
}

/// `GET /api/v1/certificates/{serial}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateAnswer {
    /// The serial.
    pub serial: String,
    /// Who issued it.
    pub ca: String,
    /// `good`, `revoked`.
    pub status: String,
    /// Since when it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Why, if a reason was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The profile that it was planned from.
    pub profile: String,
    /// The certificate; none if the issuance was abandoned, which makes the serial a revoked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// When it stops being valid.
    pub not_after: String,
}

/// `POST /api/v1/certificates/{serial}/revoke`; an empty body is one without fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// RFC 5280 §5.3.1, as `keyCompromise` or `key-compromise`; `unspecified` if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The CA; found by the serial if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// The answer to a [`RevokeRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevokeAnswer {
    /// The serial.
    pub serial: String,
    /// The CA.
    pub ca: String,
    /// The date of the first revocation, as status answers give it.
    pub revoked_at: String,
    /// Where this stands in the log.
    pub log: LogPlace,
}

/// `POST /api/v1/certificates/{serial}/release`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The CA, if the serial is known under more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// The answer to a [`ReleaseRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseAnswer {
    /// The serial.
    pub serial: String,
    /// The CA.
    pub ca: String,
    /// Where this stands in the log.
    pub log: LogPlace,
}

/// `GET /api/v1/certificates?filter=&limit=&cursor=`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificatesAnswer {
    /// By CA and serial.
    pub certificates: Vec<CertificateSummary>,
    /// For the next page; none if this was the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One certificate that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateSummary {
    /// The serial.
    pub serial: String,
    /// Who issued it.
    pub ca: String,
    /// The profile that it was planned from.
    pub profile: String,
    /// `good`, `revoked`, `abandoned`.
    pub status: String,
    /// Since when it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Why, if a reason was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its distinguished name, perhaps empty.
    pub subject: String,
    /// Its alternative names: `DNS:web.test`, `IP:10.0.0.1`.
    pub names: Vec<String>,
    /// Who asked for it.
    pub requester: String,
    /// From when it is valid.
    pub not_before: String,
    /// When it stops being valid.
    pub not_after: String,
}

/// `POST /api/v1/revocations`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationsRequest {
    /// Which certificates, as in `GET /api/v1/certificates`; not empty. Either this or `certificate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The certificate itself, PEM, or DER in base64: it must be the one of its serial, octet for octet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// As in [`RevokeRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Says what would be revoked, and does nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Where an earlier call ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The answer to a [`RevocationsRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevocationsAnswer {
    /// What this call has revoked, or would.
    pub revoked: Vec<RevokedSerial>,
    /// There may be more: call again with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
}

/// One certificate that is revoked now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevokedSerial {
    /// The serial.
    pub serial: String,
    /// The CA.
    pub ca: String,
    /// Since when; none in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// One of `GET /api/v1/cas/{ca}/crl`: a list of revocations that is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListAnswer {
    /// `issuing` for everything that the CA issued, `issuing-3` for a shard.
    pub list: String,
    /// `complete`, or `delta`: what changed since the list `base`.
    pub kind: String,
    /// Where it is for everybody.
    pub url: String,
    /// Its number (RFC 5280 §5.2.3), in hex. A list's numbers rise; deltas are counted along, gaps may be.
    pub number: String,
    /// The number of the complete list that a delta is read on top of (RFC 5280 §5.2.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// When it was true.
    pub this_update: String,
    /// When it ends. The next one comes in the first half of its life.
    pub next_update: String,
    /// How many certificates it tells of.
    pub entries: usize,
    /// How long it is.
    pub octets: usize,
    /// SHA-256 of its octets, the same on every node.
    pub sha256: String,
}

/// The answer to a change of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProfileChanged {
    /// The profile.
    pub name: String,
    /// Its version now, or what it would be.
    pub version: u32,
    /// Whether there was anything to change.
    pub changed: bool,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
}

/// `GET /api/v1/cluster`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterAnswer {
    /// 16 octets in hex.
    pub id: String,
    /// For people.
    pub name: String,
    /// The count of promotions and recoveries.
    pub epoch: u64,
    /// Where the status service is, for the world.
    pub urls: UrlsAnswer,
    /// How the node that answers stands.
    pub standing: StandingAnswer,
    /// Every member.
    pub members: Vec<MemberAnswer>,
}

/// The public addresses in the certificates of a cluster, each a scheme and a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrlsAnswer {
    /// Of lists of revocations.
    pub crl: String,
    /// Of OCSP.
    pub ocsp: String,
    /// Of CA certificates.
    pub aia: String,
}

/// How one node stands in its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StandingAnswer {
    /// The node.
    pub node: u64,
    /// The Raft term.
    pub term: u64,
    /// The leader it knows.
    pub leader: Option<u64>,
    /// The last entry that it has applied.
    pub applied: u64,
    /// The digest of its register at that entry: equal on all nodes.
    pub digest: String,
    /// The voters.
    pub voters: Vec<u64>,
    /// The members that it hears from; complete on a leader only.
    pub reachable: Vec<u64>,
    /// Whether it votes.
    pub votes: bool,
    /// Up to when it knows its register to be current.
    pub as_of: Option<String>,
    /// Whether a quorum has confirmed its register since it started.
    pub confirmed: bool,
}

/// `POST /api/v1/cluster/proof`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofAnswer {
    /// The node.
    pub node: u64,
    /// An entry that was committed for this, and applied on the node.
    pub write: Option<WriteProof>,
    /// Why none was.
    pub no_write: Option<Unproven>,
    /// Signatures of the node's token, one for each CA that issues; verified.
    pub signatures: Vec<SignatureProof>,
}

/// An entry that does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WriteProof {
    /// Where it stands in the log.
    pub index: u64,
    /// From the request until it was applied, in microseconds.
    pub took_us: u64,
}

/// A signature that nobody needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignatureProof {
    /// Whose key.
    pub ca: String,
    /// How long the token took, in microseconds; none if it did not sign.
    pub took_us: Option<u64>,
    /// Why it did not.
    pub no_signature: Option<Unproven>,
}

/// Why a node could not do a thing: as a problem says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unproven {
    /// The stable word, for `ca-node explain`.
    pub slug: String,
    /// With numbers.
    pub detail: String,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberAnswer {
    /// Its number.
    pub node: u64,
    /// Its name.
    pub name: String,
    /// `host:port` of its peer listener.
    pub peer_address: String,
    /// `host:port` of its API.
    pub api_address: String,
    /// `host:port` of its status service.
    pub va_address: String,
    /// `joining`, `signing`.
    pub state: String,
}

/// `GET /api/v1/whoami`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoamiAnswer {
    /// As it stands in the log.
    pub identity: String,
    /// Its roles, perhaps none.
    pub roles: Vec<String>,
    /// What the grant says for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// `POST /api/v1/join`: what a new node shows and wants certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The secret of its invitation.
    pub secret: Secret,
    /// Its name.
    pub name: String,
    /// `host:port` of its peer listener.
    pub peer_address: String,
    /// `host:port` of its API.
    pub api_address: String,
    /// `host:port` of its status service.
    pub va_address: String,
    /// PEM, for its peer certificate.
    pub peer_csr: String,
    /// PEM, for its API certificate.
    pub tls_csr: String,
}

/// What a new node needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinAnswer {
    /// The cluster's id, in hex.
    pub cluster: String,
    /// The cluster's epoch.
    pub epoch: u64,
    /// Its number from now on.
    pub node: u64,
    /// The CA of the peers' connections, PEM.
    pub peer_ca: String,
    /// Its peer certificate with its chain, PEM.
    pub peer_certificate: String,
    /// Its API certificate with its chain, PEM.
    pub tls_certificate: String,
    /// The root of the public CAs, PEM.
    pub root: String,
    /// Whom to connect to.
    pub members: Vec<JoinMember>,
}

/// A member that a new node connects to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinMember {
    /// Its number.
    pub node: u64,
    /// Its name.
    pub name: String,
    /// `host:port` of its peer listener.
    pub peer_address: String,
    /// `host:port` of its API.
    pub api_address: String,
}

/// `POST /api/v1/join-tokens`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinTokenAnswer {
    /// The whole token, for `ca-node join`.
    pub token: Secret,
    /// When it stops being good.
    pub expires_at: String,
}

/// Text that is never shown and is wiped after its use (I26).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for who needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i26_secrets_are_not_shown() {
        let text = r#"{"secret":"canary","name":"ca2","peer_address":"a:1","api_address":"a:2","va_address":"a:3",
            "peer_csr":"p","tls_csr":"t"}"#;
        let request: JoinRequest = serde_json::from_str(text).unwrap();
        assert_eq!(request.secret.expose(), "canary");
        assert!(!format!("{request:?}").contains("canary"));
    }
}
