//! The public addresses that stand in every certificate for as long as it lives: chosen before the first one.

use std::net::IpAddr;

use ca_core::register::PublicUrls;
use ca_x509::name::HostName;
use clap::Args;

use crate::failure::Failure;
use crate::output;

/// The flags of `init cluster` that choose them.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct UrlFlags {
    /// Public address of CRL, OCSP and CA certificates in every certificate: `http://pki.example.com`
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// That of CRLs, if it is another
    #[arg(long)]
    pub(crate) crl_url: Option<String>,
    /// That of OCSP, if it is another
    #[arg(long)]
    pub(crate) ocsp_url: Option<String>,
    /// That of CA certificates, if it is another
    #[arg(long)]
    pub(crate) aia_url: Option<String>,
    /// Certificates name this node's own address: for `dev`, whose certificates end with it
    #[arg(long, hide = true, conflicts_with_all = ["url", "crl_url", "ocsp_url", "aia_url"])]
    pub(crate) node_url: bool,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Urls {
    /// Host names of the cluster.
    Public(PublicUrls),
    /// The address of the one node, once it is bound: throw-away clusters only.
    OfThisNode,
}

impl UrlFlags {
    /// The choice; at a terminal what no flag says is asked for.
    ///
    /// # Errors
    /// `urls-missing`, `bad-url`.
    pub(crate) fn chosen(&self) -> Result<Urls, Failure> {
        if self.node_url {
            return Ok(Urls::OfThisNode);
        }
        let complete = self.crl_url.is_some() && self.ocsp_url.is_some() && self.aia_url.is_some();
        let url = match &self.url {
            None if !complete => {
                output::ask("Public address of CRL, OCSP and CA certificates, like http://pki.example.com")
            }
            url => url.clone(),
        };
        let one = |flag: &str, given: &Option<String>| match given.as_ref().or(url.as_ref()) {
            Some(given) => public_url(flag, given),
            None => Err(missing(flag)),
        };
        Ok(Urls::Public(PublicUrls {
            crl: one("--crl-url", &self.crl_url)?,
            ocsp: one("--ocsp-url", &self.ocsp_url)?,
            aia: one("--aia-url", &self.aia_url)?,
        }))
    }
}

impl Urls {
    /// The addresses, where the node's own status service is at `va`, `host:port`.
    pub(crate) fn at(&self, va: &str) -> PublicUrls {
        match self {
            Self::Public(urls) => urls.clone(),
            Self::OfThisNode => PublicUrls::all_at(&format!("http://{va}")),
        }
    }
}

fn missing(flag: &str) -> Failure {
    let what = format!(
        "no public address for CRL, OCSP and CA certificates: neither --url nor {flag} is given. It stands in every \
         certificate for as long as that lives, so it must not be the address of a node"
    );
    Failure::new("urls-missing", what)
        .next("add --url http://HOST, a name that leads to any node's status service")
}

/// A scheme and a host that relying parties can use, without a slash at its end.
fn public_url(flag: &str, given: &str) -> Result<String, Failure> {
    let bad = |why: &str| Failure::new("bad-url", format!("{flag} {given}: {why}"));
    let place = match given.split_once("://") {
        Some(("http", place)) => place,
        Some(("https", _)) => {
            return Err(bad(
                "https is circular: to check a certificate one would have to check that of the \
                            status service first (RFC 5280 §8); what it serves is signed, so http is right",
            ));
        }
        _ => return Err(bad("it does not begin with http://")),
    };
    let place = place.strip_suffix('/').unwrap_or(place);
    if place.contains(['/', '?', '#', '@']) {
        return Err(bad(
            "a scheme and a host only: the paths /crl, /ocsp and /ca are the status service's own",
        ));
    }
    let (host, port) = place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
    if place.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    {
        return Err(bad("an IP address is that of a machine: a host name can be moved"));
    }
    if port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..))) {
        return Err(bad("the port is not a number from 1 to 65535"));
    }
    let host = HostName::parse(host).map_err(|error| bad(&error.to_string()))?;
    if host.as_str() == "localhost" || host.as_str().ends_with(".localhost") {
        return Err(bad("localhost is another machine to everybody who checks a certificate"));
    }
    Ok(port.map_or_else(
        || format!("http://{}", host.as_str()),
        |port| format!("http://{}:{port}", host.as_str()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(url: &str) -> UrlFlags {
        UrlFlags { url: Some(url.to_owned()), ..UrlFlags::default() }
    }

    #[test]
    fn an_address_is_a_scheme_and_a_host_name() {
        for (given, taken) in [
            ("http://pki.example.com", "http://pki.example.com"),
            ("http://PKI.Example.com/", "http://pki.example.com"),
            ("http://pki.example.com:8080", "http://pki.example.com:8080"),
        ] {
            assert_eq!(flags(given).chosen(), Ok(Urls::Public(PublicUrls::all_at(taken))), "{given}");
        }
        for (given, why) in [
            ("https://pki.example.com", "circular"),
            ("pki.example.com", "begin with http://"),
            ("ftp://pki.example.com", "begin with http://"),
            ("ldap://pki.example.com", "begin with http://"),
            ("http://pki.example.com/pki", "paths"),
            ("http://pki.example.com//", "paths"),
            ("http://pki.example.com?x", "paths"),
            ("http://user@pki.example.com", "paths"),
            ("http://10.0.0.1", "IP address"),
            ("http://10.0.0.1:8080", "IP address"),
            ("http://[::1]:8080", "IP address"),
            ("http://[2001:db8::1]", "IP address"),
            ("http://localhost", "localhost"),
            ("http://ca.localhost:8080", "localhost"),
            ("http://pki.example.com:0", "port"),
            ("http://pki.example.com:99999", "port"),
            ("http://", "characters"),
            ("http://under_score.test", "characters"),
        ] {
            let failure = flags(given).chosen().unwrap_err();
            assert_eq!(failure.slug, "bad-url", "{given}");
            assert!(failure.what.contains(why) && failure.what.contains(given), "{given}: {}", failure.what);
        }
    }

    #[test]
    fn each_address_can_be_its_own() {
        let mut flags = flags("http://pki.test");
        flags.crl_url = Some("http://crl.test".to_owned());
        let urls = PublicUrls { crl: "http://crl.test".to_owned(), ..PublicUrls::all_at("http://pki.test") };
        assert_eq!(flags.chosen(), Ok(Urls::Public(urls)));
        // Not at a terminal: nobody is asked, and nothing is guessed.
        let only_one = UrlFlags { ocsp_url: Some("http://ocsp.test".to_owned()), ..UrlFlags::default() };
        let failure = only_one.chosen().unwrap_err();
        assert!(failure.slug == "urls-missing" && failure.what.contains("--url"), "{}", failure.what);
        let all = |text: &str| Some(text.to_owned());
        let three = UrlFlags { crl_url: all("http://a.test"), aia_url: all("http://c.test"), ..only_one };
        assert!(three.chosen().is_ok());
        let dev = UrlFlags { node_url: true, ..UrlFlags::default() }.chosen().unwrap();
        assert_eq!(dev.at("127.0.0.1:8080"), PublicUrls::all_at("http://127.0.0.1:8080"));
    }
}
