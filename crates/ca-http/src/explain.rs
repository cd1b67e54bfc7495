//! Every slug in plain words: what it means and what to do. For `ca-node explain`, for the API's problems, and for
//! `docs/errors.md`, which is made from this table.

/// What a slug means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The stable word.
    pub slug: &'static str,
    /// What happened, in a few words; the title of the problem.
    pub title: &'static str,
    /// What is behind it, and whether anything was done.
    pub meaning: &'static str,
    /// The next step.
    pub next: &'static str,
}

/// Explanations that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// What they are about.
    pub title: &'static str,
    /// The explanations.
    pub explanations: &'static [Explanation],
}

/// The explanation of a slug, if it is one of ours.
#[must_use]
pub fn explain(slug: &str) -> Option<&'static Explanation> {
    explanations().find(|explanation| explanation.slug == slug)
}

/// Every explanation.
pub fn explanations() -> impl Iterator<Item = &'static Explanation> {
    CHAPTERS.iter().flat_map(|chapter| chapter.explanations)
}

/// The whole table as `docs/errors.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Errors\n\nEvery error has a slug: a stable word, in the API the end of the problem's `type` \
         (`urn:ca-node:problem:<slug>`).\n`ca-node explain SLUG` prints the same text offline.\n\
         This file is made from `crates/ca-http/src/explain.rs`; a test compares them.\n",
    );
    for chapter in CHAPTERS {
        text.push_str(&format!("\n## {}\n", chapter.title));
        for Explanation { slug, title, meaning, next } in chapter.explanations {
            let meaning = meaning.replace(". ", ".\n");
            text.push_str(&format!("\n### `{slug}`\n\n{title}.\n{meaning}\n\nNext: {next}.\n"));
        }
    }
    text
}

const fn entry(
    slug: &'static str,
    title: &'static str,
    meaning: &'static str,
    next: &'static str,
) -> Explanation {
    Explanation { slug, title, meaning, next }
}

/// The table, in the order of `docs/errors.md`.
pub const CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "The request",
        explanations: &[
            entry(
                "forbidden",
                "The caller may not do this",
                "The caller is known, but its grant does not cover what it asked for. Nothing was done.",
                "`ca-node whoami`, or GET /api/v1/whoami, shows who you are and your roles",
            ),
            entry(
                "no-client-certificate",
                "There is no client certificate",
                "This route needs to know who asks, and the TLS connection came without a client \
                 certificate.",
                "give a certificate and its key: --cert FILE --key FILE",
            ),
            entry(
                "client-certificate-invalid",
                "The client certificate is not accepted",
                "It was revoked by this cluster, has expired since the connection began, or cannot be \
                 read.",
                "get a new certificate and connect anew",
            ),
            entry(
                "not-found",
                "There is nothing here",
                "The path is none of this door's. The API begins with /api/v1; status is served on \
                 another port.",
                "check the path and the port",
            ),
            entry(
                "method-not-allowed",
                "Not with this method",
                "The path exists but takes other methods; the header Allow names them.",
                "use one of the methods in Allow",
            ),
            entry(
                "bad-request",
                "A part of the request cannot be read",
                "The detail names the part and what may stand there. Nothing was done.",
                "mend the part that the detail names",
            ),
            entry(
                "bad-json",
                "The body is not what this route takes",
                "It is not JSON, has an unknown or repeated field, lacks one, or nests too deep; the \
                 detail has line and column.",
                "compare the body with the fields that the detail lists",
            ),
            entry(
                "body-too-large",
                "The body is too long",
                "A CSR route reads 64 KiB, an OCSP request may have 4 KiB, other routes read 1 MiB.",
                "send less",
            ),
            entry(
                "ocsp-wrong",
                "A status service does not tell what it ought to",
                "It was asked of a certificate that is good, with a nonce, and answered something else, or with a \
                 signature that does not verify.",
                "ca-node status, and the log of the node that is named",
            ),
            entry(
                "uri-too-long",
                "The path is too long",
                "An OCSP request in a path may have 2 KiB.",
                "send the OCSP request by POST",
            ),
            entry(
                "rate-limited",
                "Too often",
                "The caller's grant, or the profile, says how many there may be in a minute, and this node has \
                 seen that many. Nothing was done, and nothing stands in the log.",
                "wait as many seconds as Retry-After says; an admin can raise the rate",
            ),
            entry(
                "too-slow",
                "The body came too slowly",
                "It did not arrive within 30 s. Nothing was done.",
                "try again on a better connection",
            ),
            entry(
                "csr-malformed",
                "The certificate request cannot be read",
                "It is not a PKCS #10 request in PEM or base64, is damaged, or has a kind of key or name \
                 that is not supported.",
                "openssl req -in FILE -noout -text -verify shows what is in it",
            ),
            entry(
                "csr-signature",
                "The certificate request is not signed by its own key",
                "A CSR proves that its sender holds the private key. This one does not: it was changed \
                 after it was signed, or signed by another key.",
                "make the CSR anew with the key that it is for",
            ),
            entry(
                "outside-profile",
                "The request breaks a rule of the profile",
                "A name, key, life or CA is not among those that the profile allows. The detail names the \
                 field and both sides.",
                "`ca-node profile list`, or GET /api/v1/profiles, lists the profiles; change what the message names and ask again",
            ),
            entry(
                "lint",
                "The certificate would break a rule of the standards",
                "What the profile and the request come to together is not a certificate that others would \
                 accept, so it was not signed. No serial was used.",
                "mend the request, or have the profile mended: the detail names the rule",
            ),
            entry(
                "unknown-ca",
                "There is no such CA",
                "No certification authority of this cluster has this name.",
                "`ca-node ca list`, or GET /api/v1/cas, lists them",
            ),
            entry(
                "unknown-profile",
                "There is no such profile",
                "No profile of this cluster has this name.",
                "`ca-node profile list`, or GET /api/v1/profiles, lists them",
            ),
            entry(
                "unknown-serial",
                "There is no such certificate",
                "A quorum was asked: no certificate with this serial was ever issued here.",
                "check the serial, and the CA if you named one",
            ),
            entry(
                "idempotency-mismatch",
                "The idempotency key was used for another request",
                "A key stands for one request for 7 days. This one was used with other contents; nothing \
                 was done for the new ones.",
                "use a new key for a new request",
            ),
            entry(
                "attempt-open",
                "Another attempt under this idempotency key is under way",
                "A retry met its own first attempt. One certificate will come of both.",
                "repeat the same request with the same key in a second",
            ),
        ],
    },
    Chapter {
        title: "Issuing and revoking",
        explanations: &[
            entry(
                "no-quorum",
                "No quorum",
                "Too few of the voters can be reached from this node to write to the log. Nothing was \
                 written, nothing was signed.",
                "ca-node status on another node; retrying is safe",
            ),
            entry(
                "not-known",
                "It is not known whether this took effect",
                "The connection to the leader was lost between the request and its answer. It may be \
                 done, or will never be: within a minute this is settled.",
                "repeat the same request with the same idempotency key",
            ),
            entry(
                "deadline",
                "No answer in time",
                "The act goes on but took longer than anybody should wait. It may still take effect.",
                "repeat the same request with the same idempotency key",
            ),
            entry(
                "too-busy",
                "This node is busy",
                "As many acts are under way as the node allows. Nothing was done.",
                "retry, or ask another node",
            ),
            entry(
                "behind",
                "The log does not reach that far",
                "Ca-Min-Index names an entry that a quorum does not know of: no answer of this cluster can have had \
                 it.",
                "send the Ca-Index that an answer of this cluster had",
            ),
            entry(
                "token-busy",
                "The token's queue is full",
                "More signatures are asked for than the token makes. An intent that was written will be \
                 abandoned: its serial is not used again.",
                "retry, or ask another node",
            ),
            entry(
                "token-timeout",
                "The token did not answer",
                "The signature took longer than its deadline. If the token signed after all, the \
                 signature is dropped unseen.",
                "retry on another node; this one's log says what the token answered",
            ),
            entry(
                "token-down",
                "The token does not work",
                "It is away, locked or failing. The node heals its sessions by itself once the token is \
                 back.",
                "retry on another node; this one's log says what the token answered",
            ),
            entry(
                "key-missing",
                "The token lacks the CA's key",
                "This node's token has no private key for the CA. Other nodes may have it.",
                "retry on another node; this one asks the others for the key by itself, and its log says how that goes",
            ),
            entry(
                "wrong-signature",
                "The token signed with a wrong key",
                "The signature does not verify with the CA's key as the register has it. Nothing was \
                 released, and the node uses that key no more until a probe verifies.",
                "retry on another node; this one's log says what the token answered",
            ),
            entry(
                "overtaken",
                "The intent was settled by another node",
                "This node took so long to sign that the cluster gave the serial up. Nothing was \
                 released.",
                "retry",
            ),
            entry(
                "stopping",
                "This node is stopping",
                "It hands over and takes nothing new, or its storage failed. What it had begun may or may not be done.",
                "repeat the same request, with the same idempotency key, on another node",
            ),
            entry(
                "internal",
                "An internal error",
                "A bug of ours. The node's log has the details under the \
                 request's id, and no other place has.",
                "look for the request's id in the node's log",
            ),
            entry(
                "ca-inactive",
                "The CA is not active yet",
                "It has no certificate of its own, so it issues none.",
                "ca-node ca show NAME says what it waits for",
            ),
            entry(
                "ca-retired",
                "The CA is retired",
                "It issues no more certificates, and that is not undone. Its CRLs and OCSP answers go on until its \
                 certificate ends.",
                "ask another CA; an admin names it in the profile's issuers, or makes one: ca-node ca create",
            ),
            entry(
                "ca-revoked",
                "The certificate of the CA, or of one above it, is revoked",
                "Nobody would believe what it issues, so it issues nothing; its status goes on.",
                "ca-node ca renew NAME, if its key is good; else make another: ca-node ca create",
            ),
            entry(
                "outside-ca",
                "The CA's own certificate does not let it issue this",
                "Its path length or name constraints, or those of a CA above it, forbid it: whoever checks the \
                 certificate would refuse it. No serial was used.",
                "compare the request with `ca-node ca show NAME`, or ask another CA",
            ),
            entry(
                "stale-draft",
                "What the certificate depends on changed meanwhile",
                "Profile, issuer key or roles changed while the certificate was being planned, several \
                 times in a row.",
                "retry",
            ),
            entry(
                "command-expired",
                "The command came too late",
                "It was on its way for longer than a command lives, so the register refused it: it will \
                 never take effect.",
                "retry",
            ),
            entry(
                "serial-taken",
                "The drawn serial is taken",
                "Four random serials in a row were taken: this is no chance, the random source of the \
                 node is broken.",
                "stop the node and have its random source checked; ask another node",
            ),
            entry(
                "intent-abandoned",
                "The issuance was given up",
                "The intent was abandoned before its certificate was recorded. Its serial is assigned, \
                 and revoked for ever.",
                "ask for a new certificate",
            ),
            entry(
                "already-recorded",
                "The certificate exists",
                "It can be revoked, but not abandoned.",
                "ca-node revoke SERIAL",
            ),
            entry(
                "not-recorded",
                "The certificate does not exist yet",
                "It is being issued. Within a minute it is recorded or abandoned.",
                "retry in a second",
            ),
            entry(
                "still-open",
                "The intent is too young to be abandoned",
                "It belongs to another node, which may still be signing.",
                "retry in half a minute",
            ),
            entry(
                "not-owner",
                "The intent belongs to another node",
                "Only the node and run that wrote an intent records its signature.",
                "nothing: its owner settles it, or the leader does",
            ),
            entry(
                "crl-none",
                "There is no current CRL",
                "None was signed yet, or the last one has expired and must not pass for a fresh one.",
                "ca-node status shows whether there is a leader to make one; its log says why none was made",
            ),
            entry(
                "unknown-list",
                "The CA has no such list",
                "A CA has one list of everything and, if it has more than one shard, one for each. How many it \
                 has was fixed when it was made.",
                "ca-node crl list shows every list and its address",
            ),
            entry(
                "no-base",
                "There is no complete list for a delta to be read on top of",
                "A delta tells what changed since a complete list. The first complete list of a CA is made in \
                 its first seconds.",
                "retry in a moment",
            ),
            entry(
                "not-on-hold",
                "The certificate is not on hold",
                "Only certificateHold can be taken back (RFC 5280 §5.3.1). Every other revocation is for good.",
                "issue a new certificate",
            ),
            entry(
                "crl-wrong",
                "A list of revocations is not what it ought to be",
                "A node serves other octets than the rest, or a list that does not verify, names another place, or \
                 is too old. A node whose register makes another list than the one that was signed stops by itself.",
                "ca-node status, and the log of the node that is named",
            ),
            entry(
                "cut-open",
                "This list is being signed",
                "One at a time, so that one number never has two contents.",
                "nothing: the list comes in a moment",
            ),
            entry(
                "cut-closed",
                "This CRL is no longer awaited",
                "It was recorded or replaced meanwhile; the signature was dropped. Its number stays a \
                 gap.",
                "nothing: a newer list exists or is being made",
            ),
        ],
    },
    Chapter {
        title: "The cluster",
        explanations: &[
            entry(
                "not-initialised",
                "The cluster is not initialised",
                "The register is empty: this node is no member of a cluster yet.",
                "ca-node init cluster --quick --name NAME --url http://HOST, or ca-node join TOKEN",
            ),
            entry(
                "already-initialised",
                "The cluster is initialised already",
                "Its first command can be given only once.",
                "ca-node status",
            ),
            entry(
                "ca-exists",
                "The CA's name is taken",
                "A CA's name, subject and key stand in certificates and are never used twice.",
                "choose another name and subject; to go on with one that was interrupted, give the same command again",
            ),
            entry(
                "ca-needed",
                "The cluster's own certificates are issued by this CA",
                "A profile of the cluster itself names it first: without it nodes could not renew theirs.",
                "let another CA issue them first: ca-node profile show PROFILE, change issuers, apply",
            ),
            entry(
                "key-unproven",
                "Not every signing member has proven the CA's key",
                "A CA issues only once every member that signs has shown that its token holds the key, so that any \
                 node can take over.",
                "wait a moment and give the same command again; ca-node status shows who is silent",
            ),
            entry(
                "import-unfit",
                "This is no certificate for the CA",
                "Key, name, usage, validity, path length, chain or a signature is not as it must be; the detail says \
                 which. Nothing was changed.",
                "send the CA's request (ca-node ca csr NAME) to whoever issues, and import its answer with the \
                 certificates above it",
            ),
            entry(
                "profile-version",
                "The profile was changed meanwhile",
                "A profile's versions rise by one; somebody else applied one since you looked.",
                "`ca-node profile list`, or GET /api/v1/profiles, shows the current version; send the next one",
            ),
            entry(
                "changed-meanwhile",
                "It was changed since you looked",
                "If-Match named a version that is no longer the current one. Nothing was written.",
                "GET it again, look at what changed, and send your change with its new ETag",
            ),
            entry(
                "profile-invalid",
                "The profile has faults",
                "Nothing, or nothing right, could be issued from it; `errors` lists each fault with its field. \
                 Nothing was written.",
                "mend the fields that are named; `ca-node profile lint FILE` checks without writing",
            ),
            entry(
                "join-token-unknown",
                "The join token is not one of this cluster's",
                "It was made by another cluster, or mistyped.",
                "ca-node member token makes a new one",
            ),
            entry(
                "join-token-spent",
                "The join token was used",
                "A token admits one node.",
                "ca-node member token makes a new one",
            ),
            entry(
                "join-token-expired",
                "The join token has expired",
                "It is good for 15 minutes.",
                "ca-node member token makes a new one",
            ),
            entry(
                "enrolment-token-unknown",
                "The enrolment token is not one of this cluster's",
                "It was made by another cluster, mistyped, taken back, or ended more than a week ago. Nothing was done.",
                "ask who gave it to you for another; ca-node enrolment mint makes one",
            ),
            entry(
                "enrolment-token-spent",
                "The enrolment token was used",
                "A token is good for one certificate. With the same request it answers with that one for a week.",
                "if it was not you who used it, have the certificate revoked; ca-node enrolment mint makes a new token",
            ),
            entry(
                "enrolment-token-expired",
                "The enrolment token has expired",
                "Its time was set when it was made. Nothing was done.",
                "ca-node enrolment mint makes a new one",
            ),
            entry(
                "too-many-wrong-tokens",
                "Too many wrong enrolment tokens came from this address",
                "Ten a minute are looked at; after that every token from the address is refused for the rest of the \
                 minute, right ones too.",
                "wait a minute, and check the token",
            ),
            entry(
                "name-taken",
                "The node's name is taken",
                "A member's name is never used twice, so that logs stay true.",
                "choose another name",
            ),
            entry(
                "not-signing",
                "This node may not sign",
                "It is no member, or its token has not proven every CA key to the cluster.",
                "its log says which key is missing; it asks the others by itself",
            ),
            entry(
                "unknown-key",
                "No CA has this key",
                "The proof is for a key that no CA of this cluster has.",
                "`ca-node ca list`, or GET /api/v1/cas, lists the CAs",
            ),
            entry(
                "cluster-key",
                "The key is one of the cluster's own",
                "The request is for a key that a CA, an OCSP responder or a TLS listener of this cluster uses. A \
                 certificate of it for anything else would let its holder speak for the cluster.",
                "make a key of your own for the request; if you did not know whose key it was, find out how the \
                 request came by it",
            ),
        ],
    },
    Chapter {
        title: "The program",
        explanations: &[
            entry(
                "config-unknown-key",
                "The configuration has an unknown key",
                "A key is mistyped or stands in the wrong section. Unknown keys are refused, so that a \
                 typing error changes nothing in silence.",
                "mend the line that the message shows; ca-node init and join write a file with every section",
            ),
            entry(
                "config-invalid",
                "The configuration has an invalid value",
                "The value has the wrong type or does not go with another one; the message has file, line \
                 and what may stand there.",
                "mend the line that the message names, then start again",
            ),
            entry(
                "port-in-use",
                "The port is in use",
                "Another program, or another ca-node, listens at this address.",
                "ss -ltnp shows who listens; change [listen] or stop the other",
            ),
            entry(
                "wrong-pin",
                "The token refused the PIN",
                "It was tried once and will not be tried again by itself: tokens lock themselves after a \
                 few wrong PINs.",
                "set the right PIN in [token] pin, then restart the node",
            ),
            entry(
                "token-not-found",
                "There is no such token",
                "The PKCS#11 module has no token with this label or serial.",
                "compare [token] module and label with what the module's own tool lists, such as softhsm2-util --show-slots",
            ),
            entry(
                "token-failed",
                "The token failed",
                "The PKCS#11 module cannot be loaded or answers with an error.",
                "check [token] module and the module's own log",
            ),
            entry(
                "foreign-data-dir",
                "The data directory is another node's",
                "It holds the identity of another node or cluster. Starting on it would make two nodes of \
                 one.",
                "point [node] data_dir to this node's own directory",
            ),
            entry(
                "data-dir-locked",
                "The data directory is in use",
                "Another process has the databases open: a node is running on them.",
                "stop the other process first",
            ),
            entry(
                "log-failed",
                "The issuance log did not start",
                "The stores in the data directory cannot be opened, or hold less than was acknowledged. They are \
                 left as they are.",
                "if the disk lost data, set the directory aside and join again with a fresh token",
            ),
            entry(
                "node-stopped",
                "The node stopped itself",
                "Something happened after which it must not go on: the disk failed, its register differs from \
                 the leader's, or an entry is of a later version. Its data stay as they are.",
                "read the last lines of its log, mend the cause, then ca-node server -c FILE",
            ),
            entry(
                "data-dir-used",
                "The directory is not empty, or cannot be made",
                "A new node begins in a directory of its own.",
                "ca-node server -c FILE starts the node that is there; --data-dir names another place",
            ),
            entry(
                "peer-tls",
                "The peer certificate and key do not fit",
                "The files in tls/ of the data directory are incomplete, or were mixed up with another node's.",
                "put the right files back, or join again with a fresh token",
            ),
            entry(
                "membership",
                "The membership was not changed",
                "The leader could not add or promote a node; it tries again by itself.",
                "ca-node status shows who is silent",
            ),
            entry(
                "bad-name",
                "The name cannot stand in a certificate",
                "The cluster's name becomes the organisation and part of the common name of its CAs.",
                "choose a --name of 1 to 50 printable characters",
            ),
            entry(
                "bad-choice",
                "The CAs cannot be set up so",
                "Subject, key or life of a CA is not one that can be, or they do not go together; the message names the \
                 flag. Nothing was made.",
                "ca-node init cluster --help says what may be chosen",
            ),
            entry(
                "urls-missing",
                "There are no public addresses for the certificates",
                "Where CRLs, OCSP and CA certificates are found stands in every certificate for as long as that \
                 lives. It is chosen before the first one, and never the address of a node. Nothing was made.",
                "add --url http://HOST, a name that leads to any node's status service",
            ),
            entry(
                "bad-url",
                "The address cannot stand in certificates",
                "Relying parties everywhere must reach it for years, without TLS and at the paths that the status \
                 service has. Nothing was made.",
                "give http:// and a host name, like http://pki.example.com",
            ),
            entry(
                "bad-node-count",
                "This many nodes make no sensible quorum",
                "1, 3 or 5 nodes tolerate the loss of 0, 1 or 2.",
                "ca-node dev --nodes 3",
            ),
            entry(
                "file-unreadable",
                "A file cannot be read",
                "A file that the command line or the configuration names is not there, or not for you to read. \
                 Nothing was sent.",
                "check the path, and who may read it",
            ),
            entry(
                "unreachable",
                "The node cannot be reached",
                "No connection, or the TLS handshake failed; the message has the address and the cause. \
                 Whether a request took effect that broke off midway is not known.",
                "check --addr, and --cacert; ca-node status --addr OTHER asks another node",
            ),
        ],
    },
];

#[cfg(test)]
mod tests;
