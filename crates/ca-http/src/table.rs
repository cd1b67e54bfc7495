//! Every route of the API: its rule, its handler, and what callers are told of it. A new route is a new entry here:
//! `get`, `post`, `put` or `delete` with path, rule and handler; `about`; what it takes, gives and refuses. Then
//! `UPDATE_EXPECT=1 cargo test -p ca-http openapi` writes `docs/openapi.json` anew.

use ca_authority::Ports;
use ca_core::roles::Role;

use crate::answer::{PEM_CHAIN, PKIX_CERT};
use crate::cas::Way;
use crate::certificates::WhichCa;
use crate::guard::Rule::{AnyCertificate, AnyRole, Anyone, Has, HasOrEnrols};
use crate::health::Readiness;
use crate::profiles::Manner;
use crate::route::{Route, delete, get, post, put};
use crate::search::Asked;
use crate::wire::{
    CaAnswer, CaCsrAnswer, CertificateAnswer, CertificatesAnswer, ClusterAnswer, CreateCaRequest,
    CrossCertificateRequest, EnrolmentAnswer, EnrolmentMintRequest, EnrolmentMinted, GrantDocument,
    HistoryAnswer, ImportCaRequest, IssueAnswer, IssueRequest, JoinAnswer, JoinRequest, JoinTokenAnswer,
    ListAnswer, MemberAnswer, ProfileChanged, ProfileDocument, ProofAnswer, ReleaseAnswer, ReleaseRequest,
    RenewCaRequest, RetireCaAnswer, RetireCaRequest, RevocationsAnswer, RevocationsRequest, RevokeAnswer,
    RevokeRequest, WhoamiAnswer,
};
use crate::{
    cas, certificates, cluster, enrolment, grants, health, history, issue, join, lists, openapi, profiles,
    proof, revocations, search,
};

pub(crate) fn table<P: Ports>() -> Vec<Route<P>> {
    [
        certificates(),
        revocations(),
        cas(),
        authorities(),
        elsewhere_and_retired(),
        profiles(),
        grants(),
        enrolment(),
        audit(),
        cluster(),
        itself(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const REVOKERS: &[Role] = &[Role::Officer, Role::Ra, Role::Requester];

fn certificates<P: Ports>() -> Vec<Route<P>> {
    vec![
        post("/api/v1/certificates", HasOrEnrols(&[Role::Requester, Role::Ra]), issue::issue::<P>)
            .about(
                "certificates",
                "Issue a certificate",
                "With `Accept: application/pem-certificate-chain` the answer is the certificate and what leads to its \
                 root, as a server sends them. Who has no certificate yet shows an enrolment token: \
                 `Authorization: Bearer …`.",
            )
            .idempotent()
            .takes::<IssueRequest>()
            .gives::<IssueAnswer>(201, "issued, and in the log")
            .gives_raw(201, "issued, and in the log", PEM_CHAIN)
            .tells("Location")
            .signs()
            .refuses(&[
                "attempt-open",
                "ca-inactive",
                "ca-retired",
                "ca-revoked",
                "cluster-key",
                "csr-malformed",
                "csr-signature",
                "enrolment-token-expired",
                "enrolment-token-spent",
                "enrolment-token-unknown",
                "idempotency-mismatch",
                "intent-abandoned",
                "lint",
                "outside-ca",
                "outside-profile",
                "profile-version",
                "serial-taken",
                "stale-draft",
                "too-many-wrong-tokens",
                "unknown-ca",
                "unknown-profile",
            ]),
        get("/api/v1/certificates", AnyRole, search::list::<P>)
            .about(
                "certificates",
                "Find certificates",
                "A page may be short, even empty, and have a cursor all the same: ask until there is none. Who only \
                 requests certificates finds its own.",
            )
            .query::<Asked>()
            .gives::<CertificatesAnswer>(200, "one page"),
        get("/api/v1/certificates/{serial}", AnyRole, certificates::show::<P>)
            .about(
                "certificates",
                "Show a certificate",
                "`.pem` or `.der` after the serial, or `Accept: application/pem-certificate-chain`, gives the bare \
                 certificate.",
            )
            .query::<WhichCa>()
            .gives::<CertificateAnswer>(200, "the certificate and its status")
            .gives_raw(200, "the certificate", PEM_CHAIN)
            .gives_raw(200, "the certificate", PKIX_CERT)
            .tagged()
            .asks_a_quorum()
            .refuses(&["intent-abandoned", "not-recorded", "unknown-ca", "unknown-serial"]),
    ]
}

fn revocations<P: Ports>() -> Vec<Route<P>> {
    vec![
        post("/api/v1/certificates/{serial}/revoke", Has(REVOKERS), certificates::revoke::<P>)
            .about(
                "certificates",
                "Revoke a certificate",
                "What is revoked already stays as it is: the answer has the first date. Requesters revoke their own.",
            )
            .idempotent()
            .may_take::<RevokeRequest>()
            .gives::<RevokeAnswer>(200, "revoked, and in the log")
            .acts()
            .refuses(&["intent-abandoned", "not-recorded", "outside-profile", "unknown-ca", "unknown-serial"]),
        post("/api/v1/certificates/{serial}/release", Has(REVOKERS), certificates::release::<P>)
            .about(
                "certificates",
                "Release a certificate from its hold",
                "What was revoked with the reason `certificateHold`, and with no other, is good again from here on.",
            )
            .idempotent()
            .may_take::<ReleaseRequest>()
            .gives::<ReleaseAnswer>(200, "good again, and in the log")
            .acts()
            .refuses(&["not-on-hold", "not-recorded", "unknown-ca", "unknown-serial"]),
        post("/api/v1/revocations", Has(REVOKERS), revocations::revoke::<P>)
            .about(
                "certificates",
                "Revoke all that a filter finds, or a certificate that you show",
                "A page a call, each certificate in the log by itself. After a failure call again with the same \
                 cursor.",
            )
            .idempotent()
            .takes::<RevocationsRequest>()
            .gives::<RevocationsAnswer>(200, "what this call has revoked, or would")
            .acts()
            .refuses(&["not-recorded", "outside-profile", "unknown-ca", "unknown-serial"]),
    ]
}

/// What CAs say of themselves is public: it stands in the certificates that they issue.
fn cas<P: Ports>() -> Vec<Route<P>> {
    vec![
        get("/api/v1/cas", Anyone, cas::list::<P>)
            .about("CAs", "List the CAs", "")
            .gives_each::<CaAnswer>(200, "every CA")
            .tagged(),
        get("/api/v1/cas/{ca}", Anyone, cas::show::<P>)
            .about("CAs", "Show a CA", "What it may issue, and all of its certificates.")
            .gives::<CaAnswer>(200, "the CA")
            .tagged()
            .refuses(&["not-found", "unknown-ca"]),
        get("/api/v1/cas/{ca}/chain", Anyone, cas::chain::<P>)
            .about(
                "CAs",
                "From a CA up to its root",
                "The root included: what a client trusts comes from here once.",
            )
            .query::<Way>()
            .gives_raw(200, "the chain", PEM_CHAIN)
            .tagged()
            .refuses(&["ca-inactive", "not-found", "unknown-ca"]),
        get("/api/v1/cas/{ca}/crl", Anyone, lists::show::<P>)
            .about(
                "CAs",
                "Show a CA's lists of revocations",
                "Those that this node serves now, each with its address at the status service.",
            )
            .gives_each::<ListAnswer>(200, "every list, a complete one before its delta")
            .refuses(&["not-found", "not-initialised", "unknown-ca"]),
        post("/api/v1/cas/{ca}/crl", Has(&[Role::Officer, Role::Operator]), lists::renew::<P>)
            .about(
                "CAs",
                "Make a CA's lists of revocations anew",
                "They come by themselves, at 45 % of their life and within seconds of a revocation: this is for who \
                 does not want to wait.",
            )
            .idempotent()
            .gives_each::<ListAnswer>(200, "every list, signed a moment ago")
            .signs()
            .refuses(&["ca-inactive", "cut-closed", "cut-open", "no-base", "not-found", "unknown-ca", "unknown-list"]),
    ]
}

/// What an admin makes of the CAs.
fn authorities<P: Ports>() -> Vec<Route<P>> {
    vec![
        post("/api/v1/cas", Has(ADMIN), cas::create::<P>)
            .about(
                "CAs",
                "Make a CA",
                "Its key is made in this node's token and given to the others', its certificate issued by its parent \
                 once every signing member has proven the key. The same request again goes on where one was \
                 interrupted.",
            )
            .idempotent()
            .takes::<CreateCaRequest>()
            .gives::<CaAnswer>(200, "it was there already")
            .gives::<CaAnswer>(201, "made")
            .gives::<CaAnswer>(202, "it waits for other members' tokens, or for its certificate from elsewhere")
            .tells("Location")
            .tells("ETag")
            .signs()
            .refuses(CERTIFIES)
            .refuses(&["bad-request", "ca-exists"]),
        post("/api/v1/cas/{ca}/renew", Has(ADMIN), cas::renew::<P>)
            .about("CAs", "Renew a CA's certificate", "The same name and key, and the limits of the last one.")
            .idempotent()
            .if_match(SEEN)
            .may_take::<RenewCaRequest>()
            .gives::<CaAnswer>(200, "the CA, with its new certificate")
            .tells("ETag")
            .signs()
            .refuses(CERTIFIES)
            .refuses(&["changed-meanwhile", "not-found"]),
        post("/api/v1/cross-certificates", Has(ADMIN), cas::cross_certify::<P>)
            .about(
                "CAs",
                "Certify a CA once more",
                "One of this cluster by another of it, or one elsewhere by its CSR.",
            )
            .idempotent()
            .takes::<CrossCertificateRequest>()
            .gives::<IssueAnswer>(201, "issued, and in the log")
            .gives_raw(201, "issued, and in the log", PEM_CHAIN)
            .tells("Location")
            .signs()
            .refuses(CERTIFIES)
            .refuses(&["csr-malformed", "csr-signature", "not-found"]),
    ]
}

/// How a CA gets its certificate from elsewhere, and how it ends.
fn elsewhere_and_retired<P: Ports>() -> Vec<Route<P>> {
    vec![
        post("/api/v1/cas/{ca}/csr", Has(ADMIN), cas::csr::<P>)
            .about(
                "CAs",
                "The request of a CA",
                "For a root elsewhere. Signed once: the same octets each time.",
            )
            .idempotent()
            .gives::<CaCsrAnswer>(200, "the request")
            .signs()
            .refuses(&["ca-retired", "not-found", "stale-draft", "unknown-ca"]),
        put("/api/v1/cas/{ca}/certificate", Has(ADMIN), cas::import::<P>)
            .about("CAs", "Take a CA's certificate from elsewhere", "With those above it up to the root.")
            .if_match(SEEN)
            .takes::<ImportCaRequest>()
            .gives::<CaAnswer>(200, "the CA, which issues under it")
            .tells("ETag")
            .acts()
            .refuses(&[
                "ca-retired",
                "changed-meanwhile",
                "import-unfit",
                "key-unproven",
                "not-found",
                "outside-profile",
                "unknown-ca",
            ]),
        post("/api/v1/cas/{ca}/retire", Has(ADMIN), cas::retire::<P>)
            .about("CAs", "Retire a CA", "It issues no more, for ever. Its lists and OCSP answers go on.")
            .idempotent()
            .if_match(SEEN)
            .may_take::<RetireCaRequest>()
            .gives::<RetireCaAnswer>(200, "retired, or what would depend on it")
            .acts()
            .refuses(&["ca-needed", "ca-retired", "changed-meanwhile", "not-found", "unknown-ca"]),
    ]
}

const ADMIN: &[Role] = &[Role::Admin];

const SEEN: &str = "the ETag of the CA as you have seen it";

/// What can stand against the certificate of a CA.
const CERTIFIES: &[&str] = &[
    "attempt-open",
    "ca-inactive",
    "ca-retired",
    "ca-revoked",
    "cluster-key",
    "idempotency-mismatch",
    "intent-abandoned",
    "key-unproven",
    "lint",
    "outside-ca",
    "outside-profile",
    "profile-version",
    "serial-taken",
    "stale-draft",
    "unknown-ca",
    "unknown-profile",
];

fn profiles<P: Ports>() -> Vec<Route<P>> {
    vec![
        get("/api/v1/profiles", AnyRole, profiles::list::<P>)
            .about("profiles", "List the profiles", "")
            .gives_each::<ProfileDocument>(200, "every profile")
            .tagged(),
        get("/api/v1/profiles/{name}", AnyRole, profiles::show::<P>)
            .about("profiles", "Show a profile", "")
            .gives::<ProfileDocument>(200, "the profile; its version is the entity tag")
            .tagged()
            .refuses(&["unknown-profile"]),
        put("/api/v1/profiles/{name}", Has(&[Role::Admin]), profiles::put::<P>)
            .about(
                "profiles",
                "Make or replace a profile",
                "The same document again changes nothing. Without `If-Match` the last writer wins.",
            )
            .if_match("the version that you have seen, as ETag had it; `\"0\"` if there must be none yet")
            .query::<Manner>()
            .takes::<ProfileDocument>()
            .gives::<ProfileChanged>(200, "replaced, or unchanged, or a dry run")
            .gives::<ProfileChanged>(201, "made")
            .tells("ETag")
            .acts()
            .refuses(&["changed-meanwhile", "profile-invalid", "profile-version", "unknown-ca"]),
    ]
}

fn grants<P: Ports>() -> Vec<Route<P>> {
    vec![
        get("/api/v1/grants", Has(&[Role::Admin, Role::Auditor]), grants::list::<P>)
            .about("grants", "List who may do what", "")
            .gives_each::<GrantDocument>(200, "every grant")
            .tagged(),
        put("/api/v1/grants/{key}", Has(&[Role::Admin]), grants::put::<P>)
            .about("grants", "Grant exactly this from now on", "Nobody changes the own grant.")
            .takes::<GrantDocument>()
            .gives::<GrantDocument>(200, "the grant as it stands in the log")
            .acts(),
        delete("/api/v1/grants/{key}", Has(&[Role::Admin]), grants::delete::<P>)
            .about("grants", "Take a grant away", "Also on connections that are open.")
            .gives::<GrantDocument>(200, "a grant of nothing")
            .acts(),
    ]
}

fn enrolment<P: Ports>() -> Vec<Route<P>> {
    const PATH: &str = "/api/v1/enrolment-tokens";
    vec![
        post(PATH, Has(&[Role::Ra, Role::Admin]), enrolment::mint::<P>)
            .about(
                "enrolment tokens",
                "Make a token for one certificate",
                "For a device that has none yet. It gives away no more than its maker's own grant covers, and is \
                 worth nothing without that grant. The answer is the only time that the token is shown.",
            )
            .idempotent()
            .takes::<EnrolmentMintRequest>()
            .gives::<EnrolmentMinted>(201, "made")
            .acts()
            .refuses(&["outside-profile", "unknown-profile"]),
        get(PATH, Has(&[Role::Ra, Role::Admin, Role::Auditor]), enrolment::list::<P>)
            .about("enrolment tokens", "List the tokens", "Until a week after their end. Who is only `ra` sees its own.")
            .gives_each::<EnrolmentAnswer>(200, "every token, by the digest of its secret"),
        delete("/api/v1/enrolment-tokens/{id}", Has(&[Role::Ra, Role::Admin]), enrolment::delete::<P>)
            .about("enrolment tokens", "Take a token back", "That was not used. Who is only `ra` takes back its own.")
            .gives::<EnrolmentAnswer>(200, "what it was good for")
            .acts()
            .refuses(&["enrolment-token-spent", "enrolment-token-unknown", "not-found"]),
    ]
}

fn audit<P: Ports>() -> Vec<Route<P>> {
    vec![
        get("/api/v1/history", Has(&[Role::Auditor, Role::Admin]), history::list::<P>)
            .about(
                "history",
                "Read what was done, and by whom",
                "Every act has one row, refusals of known callers one for each caller and slug in ten seconds. The \
                 cursor of the last page is good for what is done later.",
            )
            .query::<history::Asked>()
            .gives::<HistoryAnswer>(200, "one page"),
    ]
}

/// Who looks after a cluster, or issues through it.
const WATCHERS: &[Role] = &[Role::Operator, Role::Admin, Role::Officer, Role::Auditor, Role::Ra];

fn cluster<P: Ports>() -> Vec<Route<P>> {
    vec![
        get("/api/v1/cluster", AnyRole, cluster::cluster::<P>)
            .about("cluster", "Show the cluster", "With how the node that answers stands in it.")
            .gives::<ClusterAnswer>(200, "the cluster")
            .refuses(&["not-initialised"]),
        get("/api/v1/cluster/members", AnyRole, cluster::members::<P>)
            .about("cluster", "List the members", "")
            .gives_each::<MemberAnswer>(200, "every member")
            .tagged(),
        post("/api/v1/cluster/proof", Has(WATCHERS), proof::prove::<P>)
            .about(
                "cluster",
                "Have the node prove itself",
                "It commits an entry that does nothing, and its token signs once with the key of each CA that issues. \
                 What fails is part of the answer.",
            )
            .gives::<ProofAnswer>(200, "what the node could do, and how long it took"),
        get("/api/v1/whoami", AnyCertificate, cluster::whoami::<P>)
            .about("cluster", "Show who you are to the cluster", "Also to those without a grant.")
            .gives::<WhoamiAnswer>(200, "identity and roles"),
        // A node without a certificate yet: the secret in the body is its proof.
        post("/api/v1/join", Anyone, join::join::<P>)
            .about(
                "cluster",
                "Join as a node",
                "For `ca-node join`: the secret of a join token admits a node.",
            )
            .takes::<JoinRequest>()
            .gives::<JoinAnswer>(200, "admitted, with its certificates")
            .signs()
            .refuses(&[
                "csr-malformed",
                "csr-signature",
                "join-token-expired",
                "join-token-spent",
                "join-token-unknown",
                "lint",
                "name-taken",
                "outside-profile",
            ]),
        post("/api/v1/join-tokens", Has(&[Role::Operator]), join::mint::<P>)
            .about("cluster", "Make a join token", "One node, 15 minutes.")
            .idempotent()
            .gives::<JoinTokenAnswer>(201, "made")
            .acts(),
    ]
}

/// The door itself: whether it is up, and what it takes.
fn itself<P: Ports>() -> Vec<Route<P>> {
    const OK: &str = "`ok`";
    vec![
        get("/api/v1/openapi.json", Anyone, openapi::show)
            .about("this node", "This document", "")
            .gives_raw(200, "OpenAPI 3.1", "application/json")
            .tagged(),
        get("/api/docs", Anyone, openapi::page).about("this node", "This document as a page", "").gives_raw(
            200,
            "the page",
            "text/html",
        ),
        get("/api/docs/{file}", Anyone, openapi::page_file)
            .about("this node", "A file of the page", "")
            .gives_raw(200, "the file", "text/css")
            .gives_raw(200, "the file", "text/javascript")
            .refuses(&["not-found"]),
        get("/livez", Anyone, health::live)
            .about("this node", "Whether the node lives", "Depends on no quorum and no token.")
            .gives_raw(200, OK, "text/plain"),
        get("/readyz", Anyone, health::ready::<P>)
            .about("this node", "Whether the node is ready for a role", "For balancers.")
            .query::<Readiness>()
            .gives_raw(200, OK, "text/plain")
            .gives_raw(503, "why not", "text/plain"),
    ]
}
