//! Host and port, as `Origin` and `Host` write them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Host and port. It is read strictly: a browser writes each in one form, and what is read otherwise here than by a proxy could
/// pass for another origin.
///
/// The crate `url` is not used: it accepts far more (and with it a table of all characters of Unicode), to make an URL of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// In lower case.
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Authority {
    /// Parses a host, and a port from 1 to 65535 that is preceded by `:` and has no leading zero.
    pub(super) fn parse(text: &str, default_port: u16) -> Option<Self> {
        let colon =
            text.rfind(':').filter(|colon| !text.get(*colon..).is_some_and(|rest| rest.contains(']')));
        let (host, port) = match colon.and_then(|colon| text.split_at_checked(colon)) {
            Some((host, port)) => (host, parse_port(port.strip_prefix(':')?)?),
            None => (text, default_port),
        };
        Some(Self { host: Host::parse(host)?, port })
    }

    pub(super) fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost",
            Host::V4(address) => address.is_loopback(),
            Host::V6(address) => address.is_loopback(),
        }
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[') {
            return address.strip_suffix(']')?.parse().ok().map(Self::V6);
        }
        let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if text.trim_matches('.').is_empty() || !text.bytes().all(is_of_names) {
            return None;
        }
        // What ends in a number is an address to a browser, also `1` and `0x7f.1`, which it writes as four numbers.
        let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
            || last.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x"));
        if is_number { text.parse().ok().map(Self::V4) } else { Some(Self::Name(text.to_ascii_lowercase())) }
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let is_written_by_browsers = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    // An empty text is no number.
    text.parse().ok().filter(|_| is_written_by_browsers)
}

#[cfg(test)]
mod tests {
    use super::Authority;

    #[test]
    fn hosts() {
        for text in [
            "h",
            "example.com",
            "example.com.",
            "xn--bcher-kva.example",
            "my_host",
            "a--b",
            "127.0.0.1",
            "1.example",
            "0x.example",
            "[::1]",
            "[2001:db8::ff]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(Authority::parse(text, 80).is_some(), "{text}");
        }
        for text in [
            "",
            ".",
            "..",
            "[]",
            "[::1",
            "::1]",
            "::1",
            "[1]",
            "[::1]x",
            "[fe80::1%25eth0]",
            "a b",
            "a@b",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "bücher.example",
            "a%41",
            "*",
            "*.example.com",
            "1",
            "127.1",
            "127.0.0.1.",
            "127.0.0.256",
            "127.0.0.01",
            "0x7f.1",
            "a.0x1",
            "a.1",
            "a,b",
            "a\tb",
            "a\0",
        ] {
            assert!(Authority::parse(text, 80).is_none(), "{text:?}");
        }
    }

    #[test]
    fn ports() {
        let of = |port: &str| Authority::parse(&format!("h{port}"), 80).map(|authority| authority.port);
        let cases = [("", 80), (":80", 80), (":1", 1), (":8080", 8080), (":65535", 65535)]
            .map(|(text, port)| (text, Some(port)));
        let invalid = [
            ":",
            ":0",
            ":00",
            ":080",
            ":00080",
            ":+80",
            ":-1",
            ":65536",
            ":65616",
            ":99999",
            ":4294967376",
            ": 80",
            ":80 ",
            ":8 0",
            ":80:80",
            "::80",
            ":x",
            ":0x50",
            ":\u{ff18}\u{ff10}",
            ":80/",
            ":80]",
        ];
        for (text, expected) in cases.into_iter().chain(invalid.map(|text| (text, None))) {
            assert_eq!(of(text), expected, "{text:?}");
        }
    }
}
