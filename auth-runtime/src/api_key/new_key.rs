//! A new key.

use std::fmt;

use zeroize::Zeroizing;

use super::error::ApiKeyError;
use super::text::{KeyFormat, hash};
use crate::jose::SignError;

/// A new API key. Its text is here and nowhere else: show it to its owner once. It is erased from memory when this is dropped, and
/// `Debug` does not print it.
#[must_use = "its text can't be had again"]
pub struct NewApiKey {
    text: Zeroizing<String>,
    id: String,
}

impl NewApiKey {
    /// Returns a new key that is stored nowhere, for [`ApiKeys::static_key`](super::ApiKeys::static_key). The prefix is that of the
    /// engine: [`ApiKeys::prefix`](super::ApiKeys::prefix).
    ///
    /// This program prints a key for its owner, and what the configuration of the service has of it:
    ///
    /// ```
    /// use auth_runtime::api_key::NewApiKey;
    ///
    /// let key = NewApiKey::generate("acme_live")?;
    /// println!("for the owner: {}", key.text());
    /// println!("for the configuration: {}", key.hash());
    /// # Ok::<(), auth_runtime::api_key::ApiKeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`ApiKeyError::Invalid`] if it can't be a prefix; [`ApiKeyError::Random`].
    pub fn generate(prefix: &str) -> Result<Self, ApiKeyError> {
        Ok(Self::draw(&KeyFormat::new(prefix).map_err(ApiKeyError::Invalid)?)?)
    }

    pub(super) fn draw(format: &KeyFormat) -> Result<Self, SignError> {
        let text = format.draw()?;
        let id = format.id(&text).unwrap_or_default().to_owned();
        Ok(Self { text, id })
    }

    /// Returns the text of the key: what a client sends.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the id of the key, which is a part of its text and no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id and the SHA-256 of the text in hexadecimal digits, such as `6Yq..:1f0a..`: what a configuration may hold. It is no
    /// secret.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut text = format!("{}:", self.id);
        for byte in self.hash_bytes() {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
        text
    }

    pub(super) fn hash_bytes(&self) -> [u8; 32] {
        hash(&self.text)
    }
}

/// Redacts the text.
impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Reads what [`NewApiKey::hash`] returns.
///
/// # Errors
/// What is wrong.
pub(super) fn parse_hash(text: &str) -> Result<(&str, [u8; 32]), &'static str> {
    let (id, digits) = text.split_once(':').ok_or("it has no `:`")?;
    if !super::text::is_id(id) {
        return Err("what is before the `:` is not the id of a key");
    }
    let digits: Option<Vec<u8>> =
        digits.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() == 64);
    let digits = digits.ok_or("what is after the `:` is not 64 hexadecimal digits")?;
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    }
    Ok((id, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_was_printed() {
        for _ in 0..50 {
            let key = NewApiKey::generate("acme").unwrap();
            let printed = key.hash();
            assert_eq!(parse_hash(&printed), Ok((key.id(), key.hash_bytes())));
            assert!(parse_hash(&printed.to_uppercase()).is_ok(), "digits have no case");
            let secret = &key.text()[key.text().len() - 33..];
            assert!(!printed.contains(secret) && !format!("{key:?}").contains(secret));
        }
    }

    #[test]
    fn what_is_no_hash_is_named() {
        let key = NewApiKey::generate("acme").unwrap();
        let (printed, id) = (key.hash(), key.id());
        let digits = printed.split_once(':').unwrap().1;
        for (text, why) in [
            (key.text(), "no `:`"),
            ("", "no `:`"),
            (digits, "no `:`"),
            (&format!(":{digits}"), "not the id"),
            (&format!("{id}x:{digits}"), "not the id"),
            (&format!("{}-:{digits}", &id[1..]), "not the id"),
            (&format!("{id}:{digits}0"), "64"),
            (&format!("{id}:{}", &digits[1..]), "64"),
            (&format!("{id}:+{}", &digits[1..]), "64"),
            (&format!("{id}: {}", &digits[1..]), "64"),
            (&format!("{id}:{}", "é".repeat(32)), "64"),
        ] {
            assert!(parse_hash(text).unwrap_err().contains(why), "{text}");
        }
    }
}
