//! The address of the client behind proxies.
//!
//! Anybody can write `X-Forwarded-For`. Only what a proxy of this service wrote into it counts: the right end of the list.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName};
use ipnet::{IpNet, Ipv4Net};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How many elements of the list are looked at. No request comes through so many proxies, but anybody can write them.
const MAX_ELEMENTS: usize = 100;

/// How many leading bits of an IPv6 address say that it stands for an IPv4 address (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// The header in which the proxies of a service pass on the address of the client.
///
/// Name the one that your proxies write. One that they leave as it came is the client's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `Forwarded`, and in it the parameter `for` (RFC 7239 §4).
    Forwarded,
    /// `X-Forwarded-For`: in no standard, and what most proxies write.
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

/// The proxies whose word on the client's address counts.
#[derive(Clone, Debug)]
pub(crate) struct TrustedProxies {
    header: ForwardedHeader,
    networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// Reads addresses (`10.0.0.7`, `2001:db8::7`) and networks (`10.0.0.0/8`, `2001:db8::/32`); `None` with a mistake
    /// for each text that is neither.
    pub(crate) fn parse(
        header: ForwardedHeader,
        texts: &[String],
        mistakes: &mut Vec<String>,
    ) -> Option<Self> {
        let mut networks = Vec::with_capacity(texts.len());
        for text in texts {
            match network(text.trim()) {
                // With every address trusted, the leftmost would count: the one that the client writes.
                Some(every) if every.prefix_len() == 0 => mistakes.push(format!(
                    "the trusted proxies {text:?} are all there is, so everybody could write the address that he \
                     is counted by: name the networks of the proxies alone, as in `10.0.0.0/8`"
                )),
                Some(network) => networks.push(network),
                None => mistakes.push(format!(
                    "the trusted proxy {text:?} is neither an address nor a network: write one as in `10.0.0.7`, \
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
        let elements = lines.flat_map(|line| Pieces { rest: Some(line.as_bytes()), separator: b',' });
        // An element with nothing in it counts as none (RFC 9110 §5.6.1.2), but it is work too.
        elements
            .take(MAX_ELEMENTS)
            .filter(|element| !element.is_empty())
            .map(move |element| header.address(element))
    }
}

/// The address of the client of a connection from `peer`, in its one form: IPv4 is never written as IPv6.
///
/// Each address in the header was written by the host to the right of it, so the walk goes on only while that one is a
/// trusted proxy. What is no address ends it: the nearest proxy counts then, and nobody escapes a limit by writing garbage.
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

/// The pieces of a list, from the right, without the blanks around them. A separator within quotes divides nothing.
///
/// Quotes are paired from the right: with one quote, a client could else hide what a proxy appends to its list.
struct Pieces<'h> {
    rest: Option<&'h [u8]>,
    separator: u8,
}

impl<'h> Iterator for Pieces<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let rest = self.rest?;
        let mut quoted = false;
        for (at, byte) in rest.iter().enumerate().rev() {
            match *byte {
                b'"' if !is_escaped(rest, at) => quoted = !quoted,
                byte if byte == self.separator && !quoted => {
                    let (before, piece) = rest.split_at_checked(at)?;
                    self.rest = Some(before);
                    return piece.get(1..).map(<[u8]>::trim_ascii);
                }
                _ => {}
            }
        }
        self.rest = None;
        Some(rest.trim_ascii())
    }
}

/// Whether an odd number of backslashes stands before.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The address in the one parameter `for` of an element (RFC 7239 §4).
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    for pair in (Pieces { rest: Some(element), separator: b';' }) {
        let equals = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = pair.split_at_checked(equals?)?;
        if name.trim_ascii_end().eq_ignore_ascii_case(b"for") && found.replace(value.get(1..)?).is_some() {
            return None;
        }
    }
    node(&unquoted(found?.trim_ascii())?)
}

/// What a token or a quoted string says (RFC 9110 §5.6.4).
fn unquoted(value: &[u8]) -> Option<Vec<u8>> {
    let Some(inner) = value.strip_prefix(b"\"") else { return Some(value.to_vec()) };
    let mut escaped = false;
    let mut text = inner.strip_suffix(b"\"")?.to_vec();
    text.retain(|byte| {
        escaped = *byte == b'\\' && !escaped;
        !escaped
    });
    Some(text)
}

/// An address, with or without brackets and port (RFC 7239 §6).
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let (address, port) = if let Some(inner) = text.strip_prefix('[') {
        let (address, rest) = inner.split_once(']')?;
        let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
        (IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), port)
    } else if let Ok(address) = text.parse::<IpAddr>() {
        (address, None)
    } else {
        let (address, port) = text.split_once(':')?;
        (IpAddr::V4(address.parse::<Ipv4Addr>().ok()?), Some(port))
    };
    port.is_none_or(is_port).then(|| address.to_canonical())
}

/// A port, or the name that a proxy hides it behind (RFC 7239 §6).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()),
        None => text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok(),
    }
}

/// An address or a network, in IPv4 where it can be.
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

#[cfg(test)]
mod tests {
    use super::ForwardedHeader::{Forwarded, XForwardedFor};
    use super::{ForwardedHeader, MAX_ELEMENTS, TrustedProxies, client_address, network, node};
    use axum::http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;
    use std::net::IpAddr;

    fn proxies(header: ForwardedHeader, texts: &[&str]) -> Result<TrustedProxies, Vec<String>> {
        let mut mistakes = Vec::new();
        let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
        TrustedProxies::parse(header, &texts, &mut mistakes).ok_or(mistakes)
    }

    fn ours(header: ForwardedHeader) -> TrustedProxies {
        proxies(header, &["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"]).unwrap()
    }

    fn lines(name: &'static str, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_trusted_peer_no_header_counts() {
        let mut headers = lines("x-forwarded-for", &[b"203.0.113.9"]);
        headers.insert("forwarded", HeaderValue::from_static("for=203.0.113.9"));
        let ours = ours(XForwardedFor);
        let none = proxies(XForwardedFor, &[]).unwrap();
        for (peer, proxies, expected) in [
            ("10.1.2.3", None, "10.1.2.3"),
            ("10.1.2.3", Some(&none), "10.1.2.3"),
            ("198.51.100.7", Some(&ours), "198.51.100.7"),
            ("::ffff:198.51.100.7", None, "198.51.100.7"),
            ("::ffff:198.51.100.7", Some(&ours), "198.51.100.7"),
            ("2001:db8:2::1", Some(&ours), "2001:db8:2::1"),
            ("10.1.2.3", Some(&ours), "203.0.113.9"),
            ("::ffff:10.1.2.3", Some(&ours), "203.0.113.9"),
            ("2001:db8:1::1", Some(&ours), "203.0.113.9"),
        ] {
            assert_eq!(client_address(address(peer), proxies, &headers), address(expected), "{peer}");
        }
    }

    #[test]
    fn x_forwarded_for() {
        let ours = ours(XForwardedFor);
        type Row<'a> = (&'a [&'a [u8]], &'a str);
        let table: &[Row<'_>] = &[
            (&[], "10.0.0.1"),
            (&[b""], "10.0.0.1"),
            (&[b"203.0.113.9"], "203.0.113.9"),
            // what the client wrote stands left of what the proxy wrote
            (&[b"1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (&[b"1.1.1.1,203.0.113.9,10.0.0.2,\t192.0.2.1 "], "203.0.113.9"),
            (&[b"1.1.1.1", b"203.0.113.9", b"10.0.0.2"], "203.0.113.9"),
            (&[b"203.0.113.9, 10.0.0.3", b"10.0.0.2"], "203.0.113.9"),
            // all are trusted
            (&[b"10.0.0.4, 10.0.0.3, 10.0.0.2"], "10.0.0.4"),
            // empty elements
            (&[b"203.0.113.9, , 10.0.0.2,", b"", b","], "203.0.113.9"),
            // garbage
            (&[b"203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
            (&[b"203.0.113.9, \xff, 10.0.0.2"], "10.0.0.2"),
            (&[b"\xff, 203.0.113.9"], "203.0.113.9"),
            (&[b"unknown"], "10.0.0.1"),
            (&[b"203.0.113.9 10.0.0.2"], "10.0.0.1"),
            (&[b"for=203.0.113.9"], "10.0.0.1"),
            // ports, brackets, both families
            (&[b"203.0.113.9:4711"], "203.0.113.9"),
            (&[b"[2001:db8::9]:4711, [2001:db8:1::2]"], "2001:db8::9"),
            (&[b"2001:db8::9, 2001:db8:1::2"], "2001:db8::9"),
            (&[b"::ffff:203.0.113.9, ::ffff:10.0.0.2"], "203.0.113.9"),
            (&[b"[::ffff:203.0.113.9]:1"], "203.0.113.9"),
            // a quote hides nothing
            (&[b"\"1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ];
        for (values, expected) in table {
            let client = client_address(address("10.0.0.1"), Some(&ours), &lines("x-forwarded-for", values));
            assert_eq!(client, address(expected), "{values:?}");
        }
    }

    #[test]
    fn forwarded() {
        let ours = ours(Forwarded);
        type Row<'a> = (&'a [&'a [u8]], &'a str);
        let table: &[Row<'_>] = &[
            (&[], "10.0.0.1"),
            (&[b"for=203.0.113.9"], "203.0.113.9"),
            (&[b"For=203.0.113.9;Proto=http;By=10.0.0.1"], "203.0.113.9"),
            (&[b"proto=http ; by=10.0.0.1 ; FOR=203.0.113.9"], "203.0.113.9"),
            (&[b"for=1.1.1.1, for=203.0.113.9, for=10.0.0.2;by=10.0.0.1"], "203.0.113.9"),
            (&[b"for=203.0.113.9", b"for=10.0.0.3, for=10.0.0.2"], "203.0.113.9"),
            // quoted strings (RFC 7239 §6)
            (&[br#"for="203.0.113.9:4711""#], "203.0.113.9"),
            (&[br#"for="[2001:db8:cafe::17]:4711""#], "2001:db8:cafe::17"),
            (&[br#"For="[2001:db8:cafe::17]", for=10.0.0.2"#], "2001:db8:cafe::17"),
            (&[br#"for="203.0.113.9:_gate""#], "203.0.113.9"),
            (&[br#"for="203\.0.113\.9""#], "203.0.113.9"),
            // what is within quotes divides nothing
            (&[br#"for=203.0.113.9;host="a,for=1.1.1.1", for=10.0.0.2"#], "203.0.113.9"),
            (&[br#"for=203.0.113.9;host="a;for=1.1.1.1""#], "203.0.113.9"),
            (&[br#"for=203.0.113.9;host="a\",for=1.1.1.1""#], "203.0.113.9"),
            (&[br#"for=203.0.113.9;host="a\\", for=10.0.0.2"#], "203.0.113.9"),
            // a quote that the client leaves open does not hide what the proxy appends
            (&[br#"for=", for=203.0.113.9"#], "203.0.113.9"),
            (&[br#"for=1.1.1.1, for=", for="[2001:db8:cafe::17]""#], "2001:db8:cafe::17"),
            (&[br#"for=1.1.1.1, for="\, for="203.0.113.9""#], "203.0.113.9"),
            (&[br#"for=""#, b"for=203.0.113.9"], "203.0.113.9"),
            (&[br#"for=1.1.1.1, x", for=10.0.0.2"#], "10.0.0.2"),
            // no address
            (&[b"for=203.0.113.9, for=unknown, for=10.0.0.2"], "10.0.0.2"),
            (&[b"for=203.0.113.9, for=_hidden, for=10.0.0.2"], "10.0.0.2"),
            (&[br#"for=203.0.113.9, for="_hidden:_port", for=10.0.0.2"#], "10.0.0.2"),
            (&[b"for=203.0.113.9, by=10.0.0.1;proto=https, for=10.0.0.2"], "10.0.0.2"),
            (&[b"for=203.0.113.9;for=1.1.1.1"], "10.0.0.1"),
            (&[b"for=203.0.113.9;secure"], "10.0.0.1"),
            (&[b"for=203.0.113.9;"], "10.0.0.1"),
            (&[b"203.0.113.9"], "10.0.0.1"),
            (&[br#"for="203.0.113.9"#], "10.0.0.1"),
            (&[br#"for=""#], "10.0.0.1"),
            (&[br#"for="""#], "10.0.0.1"),
            (&[b"for="], "10.0.0.1"),
            (&[b"=203.0.113.9"], "10.0.0.1"),
            (&[b"for=\xff"], "10.0.0.1"),
        ];
        for (values, expected) in table {
            let client = client_address(address("10.0.0.1"), Some(&ours), &lines("forwarded", values));
            assert_eq!(client, address(expected), "{values:?}");
        }
    }

    #[test]
    fn the_other_header_does_not_count() {
        for (named, other) in [(Forwarded, "x-forwarded-for"), (XForwardedFor, "forwarded")] {
            let headers = lines(other, &[b"203.0.113.9", b"for=203.0.113.9"]);
            let client = client_address(address("10.0.0.1"), Some(&ours(named)), &headers);
            assert_eq!(client, address("10.0.0.1"), "{named:?}");
        }
    }

    #[test]
    fn a_long_list_is_looked_at_in_part() {
        let ours = ours(XForwardedFor);
        for (proxies, expected) in [(MAX_ELEMENTS - 1, "203.0.113.9"), (MAX_ELEMENTS, "10.0.0.2")] {
            let mut elements = vec!["203.0.113.9"];
            elements.resize(1 + proxies, "10.0.0.2");
            let in_one_line = lines("x-forwarded-for", &[elements.join(", ").as_bytes()]);
            let elements: Vec<_> = elements.iter().map(|element| element.as_bytes()).collect();
            for headers in [in_one_line, lines("x-forwarded-for", &elements)] {
                assert_eq!(client_address(address("10.0.0.1"), Some(&ours), &headers), address(expected));
            }
        }
        let empty = lines("x-forwarded-for", &[format!("203.0.113.9{}", ",".repeat(10_000)).as_bytes()]);
        assert_eq!(client_address(address("10.0.0.1"), Some(&ours), &empty), address("10.0.0.1"));
    }

    #[test]
    fn nodes() {
        for (text, expected) in [
            ("1.2.3.4", Some("1.2.3.4")),
            ("1.2.3.4:5", Some("1.2.3.4")),
            ("1.2.3.4:65535", Some("1.2.3.4")),
            ("1.2.3.4:65536", None),
            ("1.2.3.4:+5", None),
            ("1.2.3.4:", None),
            ("1.2.3.4:_", None),
            ("1.2.3.4:5:6", None),
            ("1.2.3", None),
            ("1.2.3.04", None),
            ("[1.2.3.4]", None),
            ("::1", Some("::1")),
            ("[::1]", Some("::1")),
            ("[::1]:5", Some("::1")),
            ("[::1]5", None),
            ("[::1]:", None),
            ("[::1", None),
            ("::1]", None),
            ("[fe80::1%eth0]", None),
            ("::ffff:1.2.3.4", Some("1.2.3.4")),
            ("[::ffff:102:304]", Some("1.2.3.4")),
            (" 1.2.3.4", None),
            ("", None),
        ] {
            assert_eq!(node(text.as_bytes()), expected.map(address), "{text:?}");
        }
    }

    #[test]
    fn networks_have_one_form() {
        for (text, expected) in [
            ("10.0.0.7", Some("10.0.0.7/32")),
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("2001:db8::7", Some("2001:db8::7/128")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("::ffff:10.0.0.7", Some("10.0.0.7/32")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("::ffff:0:0/96", Some("0.0.0.0/0")),
            ("::/64", Some("::/64")),
            ("10.0.0.0/33", None),
            ("10.0.0/8", None),
            ("10.0.0.7:80", None),
            ("proxy.example", None),
            ("", None),
        ] {
            assert_eq!(network(text).map(|network| network.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn mistakes_are_found_all_at_once() {
        let mistakes = proxies(XForwardedFor, &["10.0.0.0/33", " 10.0.0.7 ", "proxy", "::/0", "0.0.0.0/0"]);
        let mistakes = mistakes.unwrap_err();
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        assert!(mistakes[0].contains("\"10.0.0.0/33\"") && mistakes[0].contains("write one as in"));
        assert!(mistakes[1].contains("\"proxy\""));
        assert!(mistakes[2].contains("\"::/0\"") && mistakes[2].contains("name the networks"));
        assert!(mistakes[3].contains("\"0.0.0.0/0\""));
    }

    proptest! {
        #![proptest_config(auth_tests_random::config(26))]

        // Whatever the client writes: the proxy appends its address, and that is the one that counts.
        #[test]
        fn nobody_hides_behind_what_he_writes(
            garbage in "([\\t -~]|[\",;\\\\=]|for=|1\\.1\\.1\\.1|10\\.0\\.0\\.9){0,40}", own_line: bool, which in 0..4_usize,
        ) {
            let (header, name, appended) = [
                (XForwardedFor, "x-forwarded-for", "203.0.113.9"),
                (Forwarded, "forwarded", "for=203.0.113.9"),
                (Forwarded, "forwarded", "for=\"203.0.113.9:80\";proto=https"),
                (Forwarded, "forwarded", "host=\"a,b\\\"\";for=\"203.0.113.9\""),
            ][which];
            let joined = format!("{garbage}, {appended}");
            let values: &[&[u8]] =
                if own_line { &[garbage.as_bytes(), appended.as_bytes()] } else { &[joined.as_bytes()] };
            let client = client_address(address("10.0.0.1"), Some(&ours(header)), &lines(name, values));
            prop_assert_eq!(client, address("203.0.113.9"));
        }
    }
}
