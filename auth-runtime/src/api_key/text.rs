//! The text of an API key: `PREFIX_ID_SECRETCHECKSUM`.
//!
//! | part | characters | what |
//! |---|---|---|
//! | prefix | 1 to 32 | letters, digits and `_`: what the service is recognized by |
//! | id | 22 | letters and digits at random: what the store finds the key by |
//! | secret | 27 | letters and digits at random: 160.7 bits |
//! | checksum | 6 | CRC-32 (that of IEEE 802.3) of all before it, in base62 |
//!
//! Id and secret are drawn as letters and digits, so a key has one text and no other. The checksum finds each wrong character, each pair of
//! neighbors that is swapped, and all but one of four billion other texts, before a store is asked; a scanner for leaked secrets has few
//! false alarms for the same reason. It needs no secret, so it is no protection against anybody.

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::jose::{NO_RANDOM_NUMBERS, SignError};

const MAX_PREFIX: usize = 32;
const ID: usize = 22;
const SECRET: usize = 27;
const CHECKSUM: usize = 6;

/// The number of letters and digits.
const BASE: u32 = 62;

/// The form of an engine's keys.
#[derive(Clone, Debug)]
pub(super) struct KeyFormat {
    prefix: String,
}

impl KeyFormat {
    /// # Errors
    /// If it can't be a prefix, with what to write instead.
    pub(super) fn new(prefix: &str) -> Result<Self, String> {
        Self::check(prefix).map(|()| Self { prefix: prefix.to_owned() })
    }

    /// With a prefix that may be invalid, which its caller has reported.
    pub(super) fn unchecked(prefix: String) -> Self {
        Self { prefix }
    }

    /// # Errors
    /// As for [`new`](Self::new).
    pub(super) fn check(prefix: &str) -> Result<(), String> {
        let is_of_prefixes = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if prefix.is_empty() || prefix.len() > MAX_PREFIX || !prefix.bytes().all(is_of_prefixes) {
            return Err(format!(
                "the prefix {prefix:?} of API keys must have 1 to {MAX_PREFIX} letters, digits and `_`: write the name of the service, \
                 such as `acme_live`"
            ));
        }
        Ok(())
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Draws a new key.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub(super) fn draw(&self) -> Result<Zeroizing<String>, SignError> {
        // At its full length at once: a string that grows leaves copies.
        let mut text = Zeroizing::new(String::with_capacity(self.prefix.len() + ID + SECRET + CHECKSUM + 2));
        text.push_str(&self.prefix);
        text.push('_');
        push_random(&mut text, ID)?;
        text.push('_');
        push_random(&mut text, SECRET)?;
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        Ok(text)
    }

    /// Returns the id of a key of this form. It does not ask the store whether there is such a key.
    ///
    /// # Errors
    /// If it is no key of this form, why: a text for the log.
    pub(super) fn id<'t>(&self, text: &'t str) -> Result<&'t str, &'static str> {
        const NOT_A_KEY: &str = "the text is not an API key";
        let (head, tail) = text
            .split_at_checked(text.len().wrapping_sub(SECRET + CHECKSUM))
            .filter(|_| text.len() <= MAX_PREFIX + ID + SECRET + CHECKSUM + 2)
            .ok_or(NOT_A_KEY)?;
        let head = head.strip_suffix('_').ok_or(NOT_A_KEY)?;
        let (prefix, id) = head.rsplit_once('_').ok_or(NOT_A_KEY)?;
        if !is_id(id) || !is_base62(tail) {
            return Err(NOT_A_KEY);
        }
        let (body, sent) = text.split_at_checked(text.len() - CHECKSUM).ok_or(NOT_A_KEY)?;
        if checksum(body) != sent.as_bytes() {
            return Err("the checksum of the API key is wrong: it was not copied as a whole");
        }
        if prefix != self.prefix { Err("the API key has the prefix of another service") } else { Ok(id) }
    }
}

/// Returns SHA-256 of a key's text: what is stored of it.
///
/// A hash that takes long, such as argon2id, is for what people choose: it makes each guess cost more. A secret of 160 random bits
/// can't be guessed, whatever a guess costs, and a key is verified with each request. The text has the prefix and the id in it, so
/// the hash of a key is of no use under another id or for another service.
pub(super) fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
        *to = *from;
    }
    hash
}

/// Whether it can be the id of a key.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID && is_base62(text)
}

fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn checksum(text: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut checksum = [0; CHECKSUM];
    for byte in checksum.iter_mut().rev() {
        *byte = letter(rest % BASE);
        rest /= BASE;
    }
    checksum
}

/// Appends letters and digits, each with the same probability.
fn push_random(text: &mut String, count: usize) -> Result<(), SignError> {
    let end = text.len() + count;
    let mut bytes = Zeroizing::new([0; 64]);
    while text.len() < end {
        aws_lc_rs::rand::fill(&mut *bytes)
            .map_err(|error| SignError::with_source(NO_RANDOM_NUMBERS, error))?;
        // Of 64 values, two are none.
        let values = bytes.iter().map(|byte| u32::from(byte & 63)).filter(|value| *value < BASE);
        text.extend(values.take(end - text.len()).map(|value| char::from(letter(value))));
    }
    Ok(())
}

/// The digit of this value, in the order of ASCII.
fn letter(value: u32) -> u8 {
    let value = u8::try_from(value).unwrap_or(0);
    match value {
        0..=9 => b'0' + value,
        10..=35 => b'A' + (value - 10),
        _ => b'a' + (value - 36),
    }
}

#[cfg(test)]
mod tests;
