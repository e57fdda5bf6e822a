//! The size above which browsers drop a cookie.

use std::error::Error;
use std::fmt;

/// A cookie that no browser would store: its name and its value have more than 4,096 bytes together (RFC 6265bis §5.6).
///
/// A browser drops such a cookie without a word and keeps the one of that name that it had before, which may be of another user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CookieTooLarge {
    /// The name of the cookie.
    pub name: String,
    /// The length of the name and the value together, in bytes.
    pub bytes: usize,
}

impl CookieTooLarge {
    /// How many bytes the name and the value of a cookie may have together.
    pub const LIMIT: usize = 4096;

    /// # Errors
    /// If browsers would drop the cookie.
    pub(super) fn check(name: &str, value: &str) -> Result<(), Self> {
        let bytes = name.len().saturating_add(value.len());
        if bytes <= Self::LIMIT { Ok(()) } else { Err(Self { name: name.to_owned(), bytes }) }
    }
}

impl fmt::Display for CookieTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, bytes } = self;
        let limit = Self::LIMIT;
        write!(
            f,
            "the cookie `{name}` would have {bytes} bytes (its name and its value), and browsers drop one of more than {limit} \
             bytes (RFC 6265bis §5.6): put fewer roles, permissions and claims into the token. A role that another one implies \
             by `auth.toml` need not be in it, and what one route alone asks for can be read from your database in a `#[check]`"
        )
    }
}

impl Error for CookieTooLarge {}
