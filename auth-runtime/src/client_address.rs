//! The address of the client behind proxies.
//!
//! Every client can send `X-Forwarded-For`. Only what a proxy of this service wrote into it counts: the right end of the list.

mod forwarded;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName};
use ipnet::{IpNet, Ipv4Net};

use self::forwarded::{Pieces, forwarded_for, node};
use crate::error::ConfigErrors;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How many elements of the list are read. No request passes through so many proxies, but every client can write more.
const MAX_ELEMENTS: usize = 100;

/// How many leading bits of an IPv6 address mark it as IPv4-mapped (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// Why the address of a client is unknown, and what to do.
pub(crate) const UNKNOWN_ADDRESS: &str = "the client's address is unknown: serve the app with \
    `app.into_make_service_with_connect_info::<SocketAddr>()`, and in a test add the layer \
    `MockConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)))`";

/// The header in which the proxies of a service pass on the address of the client.
///
/// Name the header that your proxies write. A header that they do not write has whatever the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `Forwarded`, and in it the parameter `for` (RFC 7239 §4).
    Forwarded,
    /// `X-Forwarded-For`: not standardized, and what most proxies write.
    XForwardedFor,
}

impl ForwardedHeader {
    fn name(self) -> HeaderName {
        match self {
            Self::Forwarded => FORWARDED,
            Self::XForwardedFor => X_FORWARDED_FOR,
        }
    }

    fn address(self, element: &[u8]) -> Option<IpAddr> {
        match self {
            Self::Forwarded => forwarded_for(element),
            Self::XForwardedFor => node(element),
        }
    }
}

/// The proxies that are trusted to report the client's address.
#[derive(Clone, Debug)]
pub(crate) struct TrustedProxies {
    header: ForwardedHeader,
    networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// Parses addresses (`10.0.0.7`, `2001:db8::7`) and networks (`10.0.0.0/8`, `2001:db8::/32`). `None` if a text is neither,
    /// with an error for each such text.
    pub(crate) fn parse(
        header: ForwardedHeader,
        texts: &[String],
        errors: &mut ConfigErrors,
    ) -> Option<Self> {
        let mut networks = Vec::with_capacity(texts.len());
        for text in texts {
            match network(text.trim()) {
                // With every address trusted, the leftmost would count, which the client writes.
                Some(every) if every.prefix_len() == 0 => errors.push(format!(
                    "the trusted proxies {text:?} are all addresses, so every client could choose the address that it is counted \
                     by: name the networks of the proxies alone, as in `10.0.0.0/8`"
                )),
                Some(network) => networks.push(network),
                None => errors.push(format!(
                    "the trusted proxy {text:?} is neither an address nor a network: write it as in `10.0.0.7`, \
                     `10.0.0.0/8` or `2001:db8::/32`, without a port"
                )),
            }
        }
        (networks.len() == texts.len()).then_some(Self { header, networks })
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The addresses in the header, from the right; `None` for an element that has none.
    fn forwarded<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = Option<IpAddr>> + use<'h> {
        let header = self.header;
        let lines = headers.get_all(self.header.name()).iter().rev();
        let elements = lines.flat_map(|line| Pieces::new(line.as_bytes(), b','));
        // Empty elements are skipped (RFC 9110 §5.6.1.2), and count towards the maximum, since they take time too.
        elements
            .take(MAX_ELEMENTS)
            .filter(|element| !element.is_empty())
            .map(move |element| header.address(element))
    }
}

/// The address of the client of a connection from `peer`. An IPv4-mapped address is converted to IPv4.
///
/// Each address in the header was written by the host to the right of it, so it counts only if that host is a trusted proxy. An
/// element that is not an address ends the search, and the last address counts: a client can't avoid a limit by sending such an
/// element.
pub(crate) fn client_address(peer: IpAddr, proxies: Option<&TrustedProxies>, headers: &HeaderMap) -> IpAddr {
    let mut known = peer.to_canonical();
    let Some(proxies) = proxies else { return known };
    let mut forwarded = proxies.forwarded(headers);
    while proxies.contains(known) {
        let Some(Some(next)) = forwarded.next() else { break };
        known = next;
    }
    known
}

/// An address or a network. An IPv4-mapped one is converted to IPv4.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    if let IpNet::V6(wide) = network
        && let Some(address) = wide.addr().to_ipv4_mapped()
        && let Some(prefix) = wide.prefix_len().checked_sub(MAPPED_BITS)
    {
        return Ipv4Net::new(address, prefix).ok().map(IpNet::V4);
    }
    Some(network)
}
