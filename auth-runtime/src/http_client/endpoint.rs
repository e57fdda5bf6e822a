//! The addresses that may be asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use crate::excerpt::Excerpt;
use crate::origin::Origin;

/// How long an address may be, in bytes: it is in the log, and metadata may name any.
const MAX_BYTES: usize = 2048;

/// An address that may be asked: https, or http on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    /// Reads an address. Without `allow_http`, http is for this machine alone.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self, String> {
        let or = "replace the keys: write `https://..`, or call `TrustedIssuer::dangerously_allow_http()`";
        Self::read(text, allow_http, or)
    }

    /// Reads an address that secrets are sent to: http is for this machine alone.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    #[cfg(feature = "introspection")]
    pub(crate) fn parse_for_secrets(text: &str) -> Result<Self, String> {
        Self::read(text, false, "read the tokens, and what proves who this service is: write `https://..`")
    }

    /// `danger` is what everyone could do without https, and what to write instead.
    fn read(text: &str, allow_http: bool, danger: &str) -> Result<Self, String> {
        let shown = Excerpt::new(text);
        if text.len() > MAX_BYTES {
            return Err(format!("{shown} has {} bytes, and an address has {MAX_BYTES} at most", text.len()));
        }
        let url = Url::parse(text).map_err(|error| format!("{shown} is no URL: {error}"))?;
        let endpoint = Self(url);
        let is_secure = match endpoint.0.scheme() {
            "https" => true,
            "http" => allow_http || endpoint.is_on_this_machine(),
            _ => false,
        };
        if !is_secure {
            return Err(format!("{shown} is not https, so everyone on the network could {danger}"));
        }
        if !endpoint.0.username().is_empty() || endpoint.0.password().is_some() {
            return Err("a URL of a provider contains a user name or a password, which would be logged: leave them out".into());
        }
        if endpoint.0.fragment().is_some() {
            return Err(format!("{shown} has a fragment (`#..`), which is never sent: leave it out"));
        }
        Ok(endpoint)
    }

    /// The address, as what another one names: a server elsewhere must not have this service ask its own machine, nor what answers on its
    /// link alone, as the metadata service of most clouds does.
    ///
    /// # Errors
    /// If it is so near, and what names it is not.
    pub(crate) fn named_by(self, other: &Self) -> Result<Self, String> {
        if self.is_near() && !other.is_near() {
            return Err(format!(
                "{} is an address of this machine or of its link, and that of the server that names it is not: have the provider publish its public address",
                Excerpt::new(self.0.as_str())
            ));
        }
        Ok(self)
    }

    /// Whether only processes of this machine can answer.
    pub(super) fn is_on_this_machine(&self) -> bool {
        Origin::parse(&self.0.origin().ascii_serialization()).is_some_and(|origin| origin.is_loopback())
    }

    /// Whether it is an address of this machine, or one that is answered on its link alone. The name of an address is not looked up.
    fn is_near(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => host.parse::<Ipv6Addr>().map(IpAddr::V6),
            None => host.parse(),
        };
        // A name may end with a dot (RFC 1034 §3.1), and those below `localhost` are this machine (RFC 6761 §6.3).
        let last_label = || host.strip_suffix('.').unwrap_or(host).rsplit('.').next();
        address.map_or_else(|_| last_label() == Some("localhost"), is_near)
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

/// Where clouds answer each of their machines as on its link, with addresses that are not link-local: Azure, Alibaba and Oracle.
const CLOUD_IPV4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];

/// The same, of AWS.
const CLOUD_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether it is an address of this machine, or one that is answered on its link alone.
fn is_near(address: IpAddr) -> bool {
    // An IPv4 address in an IPv6 one is the same machine (RFC 4291 §2.5.5.2).
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let is_on_link = address.is_link_local() || CLOUD_IPV4.contains(&address);
            address.is_loopback() || address.is_unspecified() || is_on_link
        }
        IpAddr::V6(address) => {
            let is_on_link = address.is_unicast_link_local() || address == CLOUD_IPV6;
            address.is_loopback() || address.is_unspecified() || is_on_link
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, MAX_BYTES};

    #[test]
    fn an_endpoint_is_https_or_on_this_machine() {
        let longest = format!("https://id.example.com/{}", "x".repeat(MAX_BYTES - 23));
        let too_long = format!("{longest}x");
        for (url, allow_http, expected) in [
            ("https://id.example.com/jwks", false, true),
            ("http://id.example.com/jwks", false, false),
            ("http://id.example.com/jwks", true, true),
            ("http://127.0.0.1:80/", false, true),
            ("http://127.8.8.8/", false, true),
            ("http://[::1]:9/", false, true),
            ("http://localhost:9/", false, true),
            ("http://LOCALHOST:9/", false, true),
            ("http://localhost.example.com/", false, false),
            ("http://127.0.0.1.example.com/", false, false),
            ("http://10.0.0.1/", false, false),
            ("http://0.0.0.0/", false, false),
            ("ftp://127.0.0.1/", true, false),
            ("file:///etc/passwd", true, false),
            ("https://user:secret@id.example.com/", false, false),
            ("https://user@id.example.com/", false, false),
            ("https://id.example.com/#keys", false, false),
            ("id.example.com", false, false),
            ("", false, false),
            (&longest, false, true),
            (&too_long, false, false),
        ] {
            let parsed = Endpoint::parse(url, allow_http);
            assert_eq!(parsed.is_ok(), expected, "{url} {parsed:?}");
            assert!(!format!("{parsed:?}").contains("secret"), "{parsed:?}");
            assert!(parsed.map_or_else(|error| error.len(), |_| 0) < 600, "{url}");
        }
    }

    #[test]
    fn a_server_elsewhere_names_no_address_of_this_machine_or_its_link() {
        let (own, elsewhere) = ("http://127.0.0.1:9/", "https://id.example.com/");
        for (named, by, expected) in [
            ("https://keys.example.com/", elsewhere, true),
            ("https://keys.example.com/", own, true),
            ("http://127.0.0.1:8080/admin", own, true),
            ("http://127.0.0.1:8080/admin", elsewhere, false),
            ("https://127.0.0.1/admin", elsewhere, false),
            ("http://127.1/", elsewhere, false),
            ("http://2130706433/", elsewhere, false),
            ("http://[::1]/", elsewhere, false),
            ("http://localhost/", elsewhere, false),
            ("http://localhost./", elsewhere, false),
            ("http://LOCALHOST./", elsewhere, false),
            ("http://a.localhost/", elsewhere, false),
            ("http://127.0.0.1./", elsewhere, false),
            ("http://[::ffff:127.0.0.1]/", elsewhere, false),
            ("http://[::ffff:7f00:1]/", elsewhere, false),
            ("http://0.0.0.0/", elsewhere, false),
            ("http://[::]/", elsewhere, false),
            ("http://[::ffff:0.0.0.0]/", elsewhere, false),
            ("http://169.254.169.254/latest/meta-data", elsewhere, false),
            ("http://[::ffff:169.254.169.254]/", elsewhere, false),
            ("http://168.63.129.16/", elsewhere, false),
            ("http://100.100.100.200/", elsewhere, false),
            ("http://192.0.0.192/", elsewhere, false),
            ("http://[fd00:ec2::254]/", elsewhere, false),
            ("http://[fe80::1]/", elsewhere, false),
            ("http://[febf::1]/", elsewhere, false),
            ("http://169.254.169.254/", own, true),
            // What is near the one that names it, and what is no such address.
            ("http://127.0.0.1/", "http://[::ffff:127.0.0.1]/", true),
            ("http://localhost.example.com/", elsewhere, true),
            ("http://notlocalhost/", elsewhere, true),
            ("http://169.255.0.1/", elsewhere, true),
            ("http://10.0.0.1/", elsewhere, true),
            ("http://[fec0::1]/", elsewhere, true),
        ] {
            let [named_by, by] = [named, by].map(|url| Endpoint::parse(url, true).unwrap());
            assert_eq!(named_by.named_by(&by).is_ok(), expected, "{named}");
        }
    }
}
