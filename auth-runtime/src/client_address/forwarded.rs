//! The syntax of `Forwarded` and `X-Forwarded-For`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The pieces of a list, from the right, trimmed. A separator within quotes does not separate.
///
/// Quotes are paired from the right. Paired from the left, one quote of a client would hide what a proxy appends to its list.
pub(super) struct Pieces<'h> {
    rest: Option<&'h [u8]>,
    separator: u8,
}

impl<'h> Pieces<'h> {
    pub(super) fn new(list: &'h [u8], separator: u8) -> Self {
        Self { rest: Some(list), separator }
    }
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

/// Whether an odd number of backslashes precedes the byte.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The address in the one parameter `for` of an element (RFC 7239 §4).
pub(super) fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    for pair in Pieces::new(element, b';') {
        let equals = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = pair.split_at_checked(equals?)?;
        if name.trim_ascii_end().eq_ignore_ascii_case(b"for") && found.replace(value.get(1..)?).is_some() {
            return None;
        }
    }
    node(&unquoted(found?.trim_ascii())?)
}

/// The value of a token or a quoted string (RFC 9110 §5.6.4).
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
pub(super) fn node(text: &[u8]) -> Option<IpAddr> {
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

/// A port, or the name that a proxy writes in its place (RFC 7239 §6).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()),
        None => text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok(),
    }
}
