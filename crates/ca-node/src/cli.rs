//! The command line's grammar.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::choices::CaFlags;
use crate::client::Connection;

/// A distributed, quorum-based certificate authority.
#[derive(Debug, Parser)]
#[command(name = "ca-node", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How answers are printed
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// The API's body, unchanged.
    Json,
    /// The certificate or list.
    Pem,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A throw-away cluster of real processes, ready in seconds; Ctrl-C deletes it
    Dev(Dev),
    /// Runs a node that init or join has set up
    Server(Server),
    /// Sets up something new
    Init {
        #[command(subcommand)]
        what: Init,
    },
    /// Makes this machine a node of an existing cluster, and runs it
    Join(Join),
    /// The cluster's nodes
    Member {
        #[command(subcommand)]
        what: Member,
    },
    /// How the cluster is, proven: exit 0 healthy, 1 degraded, 2 no quorum, 3 not initialised, 4 unreachable, 5 nodes
    /// differ
    Status {
        /// Asks again until it is healthy, for two minutes
        #[arg(long)]
        wait: bool,
        /// Looks again and again, until Ctrl-C
        #[arg(short, long, conflicts_with = "wait")]
        watch: bool,
    },
    /// Issues a certificate for a CSR
    Issue(Issue),
    /// Revokes certificates
    Revoke(Revoke),
    /// Releases certificates from their hold
    Release(Release),
    /// Certificates that were issued
    Cert {
        #[command(subcommand)]
        what: Cert,
    },
    /// Lists of revocations
    Crl {
        #[command(subcommand)]
        what: Crl,
    },
    /// Online status
    Ocsp {
        #[command(subcommand)]
        what: Ocsp,
    },
    /// Certification authorities
    Ca {
        #[command(subcommand)]
        what: Ca,
    },
    /// What certificates of each kind are like
    Profile {
        #[command(subcommand)]
        what: Profile,
    },
    /// Who may do what
    Grant {
        #[command(subcommand)]
        what: Grant,
    },
    /// Tokens by which devices without a certificate get their first one
    Enrolment {
        #[command(subcommand)]
        what: Enrolment,
    },
    /// What was done, by whom: the history
    Log {
        #[command(subcommand)]
        what: Log,
    },
    /// Who you are to the cluster, and your roles
    Whoami,
    /// What an error means and what to do
    Explain {
        /// The word in brackets behind an error; every word if none is given
        slug: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Dev {
    /// How many nodes: 1, 3 or 5
    #[arg(long, default_value_t = 3)]
    pub(crate) nodes: usize,
    /// Where; a new temporary directory if not given
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Leave the directory when it ends
    #[arg(long)]
    pub(crate) keep: bool,
    /// A loopback address of its own and any ports there, instead of 8443, 8080, 8444, then 10 more for each node
    #[arg(long)]
    pub(crate) any_port: bool,
    /// A PKCS#11 library with a free slot for each node, instead of the embedded token
    #[arg(long)]
    pub(crate) module: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Server {
    /// The configuration
    #[arg(short, long)]
    pub(crate) config: PathBuf,
    /// section.key=value, stronger than file and environment
    #[arg(long)]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Init {
    /// The first node of a new cluster: identity, keys, CAs, an admin certificate, join tokens; then runs it
    Cluster(Box<InitCluster>),
}

#[derive(Args, Debug)]
pub(crate) struct InitCluster {
    /// The cluster's name, and the organisation in its CAs' subjects
    #[arg(long)]
    pub(crate) name: String,
    /// Keys in this node's token without a ceremony: for tests and for those who accept it
    #[arg(long, required = true)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) cas: CaFlags,
    /// DNS suffixes that `tls-server` certifies, comma-separated; all if not given
    #[arg(long, value_delimiter = ',')]
    pub(crate) dns: Vec<String>,
    /// How many join tokens to print
    #[arg(long, default_value_t = 2)]
    pub(crate) tokens: usize,
    /// Write the join tokens here (0600) instead of printing them
    #[arg(long)]
    pub(crate) tokens_to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct Join {
    /// What `init` printed, or `@FILE`
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where a new node lives.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The node's name; the machine's host name if not given
    #[arg(long)]
    pub(crate) node_name: Option<String>,
    /// Its log, register, keys and configuration
    #[arg(long, default_value = "/var/lib/ca-node")]
    pub(crate) data_dir: PathBuf,
    /// The address that it listens on
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) bind: IpAddr,
    /// The host that others dial, if it is not that address
    #[arg(long)]
    pub(crate) advertise: Option<String>,
    /// Port of the API
    #[arg(long, default_value_t = 8443)]
    pub(crate) api_port: u16,
    /// Port of the status service
    #[arg(long, default_value_t = 8080)]
    pub(crate) va_port: u16,
    /// Port for the other members
    #[arg(long, default_value_t = 8444)]
    pub(crate) peer_port: u16,
    /// A PKCS#11 library instead of the embedded token
    #[arg(long)]
    pub(crate) module: Option<PathBuf>,
    /// The token's label
    #[arg(long, default_value = "ca-node")]
    pub(crate) token_label: String,
    /// A file with the PIN of a token that is initialised already
    #[arg(long)]
    pub(crate) pin_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    /// Prints a join line for one more node, good for 15 minutes
    Token,
}

#[derive(Args, Debug)]
pub(crate) struct Issue {
    /// Names instead of those in the CSR
    pub(crate) names: Vec<String>,
    /// The CSR, PEM
    #[arg(long)]
    pub(crate) csr: PathBuf,
    /// The profile
    #[arg(short, long, default_value = "tls-server")]
    pub(crate) profile: String,
    /// 90d, 24h, 3600s
    #[arg(long)]
    pub(crate) ttl: Option<String>,
    /// Ties retries together; drawn if not given
    #[arg(long)]
    pub(crate) idempotency_key: Option<String>,
    /// An enrolment token, or `@FILE` with one, instead of a client certificate
    #[arg(long, env = "CA_ENROLMENT_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Release {
    /// Serials (hex), or certificate files
    #[arg(required = true)]
    pub(crate) serials: Vec<String>,
    /// The CA
    #[arg(long, default_value = "issuing")]
    pub(crate) ca: String,
}

#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// Serials (hex), or certificate files
    #[arg(required_unless_present = "filter")]
    pub(crate) serials: Vec<String>,
    /// Every certificate that this finds, as in `cert list`; goes on where it was interrupted
    #[arg(long, conflicts_with = "serials")]
    pub(crate) filter: Option<String>,
    /// Says what the filter finds, and revokes nothing
    #[arg(long, requires = "filter")]
    pub(crate) dry_run: bool,
    /// keyCompromise, superseded, cessationOfOperation, …
    #[arg(short, long, default_value = "unspecified")]
    pub(crate) reason: String,
    /// The CA
    #[arg(long, default_value = "issuing")]
    pub(crate) ca: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cert {
    /// Certificates that a filter finds: ca= serial= profile= status= requester= key= name= subject~ expires< expires>
    List {
        /// `profile=tls-server name=*.example.com expires<2027-01-31`; all if not given
        #[arg(default_value = "")]
        filter: String,
    },
    /// How many a filter finds
    Count {
        /// As in `list`
        #[arg(default_value = "")]
        filter: String,
    },
    /// Writes every certificate that a filter finds to standard output, PEM
    Export {
        /// As in `list`
        #[arg(default_value = "")]
        filter: String,
    },
    /// One certificate and its status
    Show {
        /// Its serial, hex
        serial: String,
        /// The CA
        #[arg(long, default_value = "issuing")]
        ca: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ca {
    /// Every CA and how it stands
    List,
    /// One CA: what it may issue, and all of its certificates
    Show {
        /// Its name
        name: String,
    },
    /// From the CA up to its root, PEM
    Chain {
        /// Its name
        name: String,
        /// 0 is its own certificate's; those after it are over cross-certificates
        #[arg(long, default_value_t = 0)]
        alternative: usize,
    },
    /// Makes a CA: its key in this node's token and the others', its certificate from its parent
    ///
    /// It issues once every signing member's token has proven the key. Interrupted, the same command goes on.
    Create(CreateCa),
    /// A new certificate for the same name and key, with the limits of the last one
    Renew {
        /// Its name
        name: String,
        /// 5y, 90d; the profile's default if not given
        #[arg(long)]
        life: Option<String>,
    },
    /// A further certificate for a CA of this cluster, or one for the request of a CA elsewhere
    CrossSign(CrossSign),
    /// The request of a CA, PEM, for a root elsewhere to sign
    Csr {
        /// Its name
        name: String,
    },
    /// Takes the certificate that a CA was issued elsewhere
    Import {
        /// Its name
        name: String,
        /// Its certificate and those above it up to the root, PEM
        file: PathBuf,
    },
    /// Ends the issuing of a CA for ever; its CRLs and OCSP answers go on
    Retire {
        /// Its name
        name: String,
        /// Says what depends on it, and changes nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateCa {
    /// Its name for ever
    pub(crate) name: String,
    /// The CA that issues its certificate; its own name for a root, `elsewhere` for one outside the cluster
    #[arg(long)]
    pub(crate) parent: String,
    /// RFC 4514: "CN=Team CA,O=Corp"
    #[arg(long)]
    pub(crate) subject: String,
    /// ec-p256, ec-p384, ec-p521, ed25519, rsa-2048, rsa-3072, rsa-4096
    #[arg(long, default_value = "ec-p256")]
    pub(crate) key_type: String,
    /// 5y, 90d; the profile's default if not given
    #[arg(long)]
    pub(crate) life: Option<String>,
    /// How many CAs may follow below it; 0 if not given, any number below a root
    #[arg(long)]
    pub(crate) path_len: Option<u8>,
    #[command(flatten)]
    pub(crate) names: Names,
    /// Into how many lists its revocations are divided; 16 if not given, 1 for a root
    #[arg(long)]
    pub(crate) crl_shards: Option<u16>,
    /// The profile of its certificate, if not sub-ca or root
    #[arg(long)]
    pub(crate) profile: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CrossSign {
    /// The CA of this cluster that is certified
    #[arg(required_unless_present = "csr")]
    pub(crate) name: Option<String>,
    /// The CA that certifies it
    #[arg(long)]
    pub(crate) by: String,
    /// The request of a CA elsewhere, PEM, instead
    #[arg(long, conflicts_with = "name")]
    pub(crate) csr: Option<PathBuf>,
    /// 5y, 90d; the profile's default if not given
    #[arg(long)]
    pub(crate) life: Option<String>,
    /// How many CAs may follow below it; any number if not given
    #[arg(long)]
    pub(crate) path_len: Option<u8>,
    #[command(flatten)]
    pub(crate) names: Names,
    /// The profile, if not sub-ca
    #[arg(long)]
    pub(crate) profile: Option<String>,
}

/// The names that a CA may certify; all that its issuer may if none are given.
#[derive(Args, Debug)]
pub(crate) struct Names {
    /// Only these domains and what lies below them; comma-separated
    #[arg(long, value_delimiter = ',')]
    pub(crate) permit_dns: Vec<String>,
    /// Only these blocks of addresses: 10.0.0.0/8
    #[arg(long, value_delimiter = ',')]
    pub(crate) permit_ip: Vec<String>,
    /// Only these mailboxes, hosts, or with a dot before them hosts below
    #[arg(long, value_delimiter = ',')]
    pub(crate) permit_email: Vec<String>,
    /// None of these domains
    #[arg(long, value_delimiter = ',')]
    pub(crate) exclude_dns: Vec<String>,
    /// None of these blocks
    #[arg(long, value_delimiter = ',')]
    pub(crate) exclude_ip: Vec<String>,
    /// None of these mailboxes or hosts
    #[arg(long, value_delimiter = ',')]
    pub(crate) exclude_email: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// Every profile
    List,
    /// One profile as TOML, ready to be changed and applied
    Show {
        /// Its name
        name: String,
    },
    /// Checks a profile's file without applying it
    Lint {
        /// TOML
        file: PathBuf,
    },
    /// What applying a file would change
    Diff {
        /// TOML
        file: PathBuf,
    },
    /// Makes a profile, or replaces it by its next version, on all nodes at once
    Apply {
        /// TOML
        file: PathBuf,
        /// Only if the cluster has this version; 0 for none yet
        #[arg(long)]
        if_version: Option<u32>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Grant {
    /// Every grant
    List,
    /// Gives a caller exactly these roles
    Set(SetGrant),
    /// Takes a caller's grant away, also on connections that are open
    Remove {
        /// The caller: a certificate file (PEM), or SHA-256 of its public key in hex
        caller: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct SetGrant {
    /// The caller: a certificate file (PEM), or SHA-256 of its public key in hex
    pub(crate) caller: String,
    /// requester, ra, officer, operator, auditor, admin; comma-separated
    #[arg(short, long, required = true, value_delimiter = ',')]
    pub(crate) roles: Vec<String>,
    /// Only for certificates of these CAs
    #[arg(long, value_delimiter = ',')]
    pub(crate) cas: Option<Vec<String>>,
    /// Only for certificates of these profiles
    #[arg(long, value_delimiter = ',')]
    pub(crate) profiles: Option<Vec<String>>,
    /// Only for these domains and what lies below them
    #[arg(long, value_delimiter = ',')]
    pub(crate) dns: Option<Vec<String>>,
    /// The most requests that one node takes from it in a minute; 120,000 if not given
    #[arg(long)]
    pub(crate) rate: Option<u32>,
    /// For people
    #[arg(short, long, default_value = "")]
    pub(crate) label: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Enrolment {
    /// Makes a token for one certificate and prints it; it is shown this once
    Mint(MintEnrolment),
    /// Tokens, by their digests; of a registration authority its own
    List,
    /// Takes a token back that was not used
    Revoke {
        /// Its digest, as `list` shows it
        id: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct MintEnrolment {
    /// The profile of the certificate
    #[arg(short, long)]
    pub(crate) profile: String,
    /// The names that may stand in it, comma-separated
    #[arg(long, value_delimiter = ',', required_unless_present = "dns", conflicts_with = "dns")]
    pub(crate) names: Option<Vec<String>>,
    /// Domains: these and what lies below them may stand in it
    #[arg(long, value_delimiter = ',')]
    pub(crate) dns: Option<Vec<String>>,
    /// How long it is good: 90m, 24h, 30d at most
    #[arg(long, default_value = "24h")]
    pub(crate) ttl: String,
    /// The CA; the profile's first one if not given
    #[arg(long)]
    pub(crate) ca: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// How far the log is applied on the node that answers, and the digest of its register there
    Head,
    /// Acts that a filter finds: act= by= node= ca= serial= at< at>
    List {
        /// `act=certificate-revoked ca=issuing at>2027-01-31`; all if not given
        #[arg(default_value = "")]
        filter: String,
        /// The first log entry to look at
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// The acts of one log entry
    Entry {
        /// Its number
        index: u64,
    },
    /// The latest acts
    Tail {
        /// As in `list`
        #[arg(default_value = "")]
        filter: String,
        /// How many
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: usize,
        /// And those to come, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Crl {
    /// Every list that is served: number, times, entries, size, address
    List {
        /// The CA; all of them if none is named
        ca: Option<String>,
    },
    /// Makes every list of a CA anew, at once
    Now {
        /// The CA
        #[arg(default_value = "issuing")]
        ca: String,
    },
    /// A list, PEM
    Get {
        /// Its name, as in its address: a CA, perhaps with a shard, perhaps with -delta
        #[arg(default_value = "issuing")]
        list: String,
    },
    /// Fetches every list from every node and checks octets, signature, place, number and age
    Verify {
        /// The CA; all of them if none is named
        ca: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ocsp {
    /// Asks and verifies
    Ask {
        /// The serial, hex
        serial: String,
        /// The CA
        #[arg(long, default_value = "issuing")]
        ca: String,
        /// Ask every node
        #[arg(long)]
        all_nodes: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Two flags of one name, as one command's `--key` and that of the connection, are a panic at the first use.
    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
