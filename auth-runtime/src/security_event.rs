//! What identity providers and transmitters of security events say: from a signed text to what has ended. The routes that receive the
//! texts are in `provider_logout`.
//!
//! | file | what |
//! |---|---|
//! | `logout_token` | a logout token → the session or the user that has ended |
//! | `event_token` | a security event token → its events |
//! | `event` | one event → what has ended |
//! | `subject` | the subject of an event → a user, a session or a token of an issuer |
//! | `transmitter` | who may send security events, and about whose subjects |
//! | `error` | why a text counts for nothing |

mod error;
mod event;
mod event_token;
mod logout_token;
mod subject;
mod transmitter;

pub(crate) use self::error::{EventError, EventErrorCode};
pub(crate) use self::event::Event;
pub(crate) use self::event_token::read_event_token;
pub(crate) use self::logout_token::{Logout, read_logout_token};
pub use self::transmitter::SecurityEventTransmitter;
pub(crate) use self::transmitter::{Transmitter, Transmitters};

use crate::verify::{Limits, TokenClaims};

/// The greatest length of a body with a logout token or a security event token, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// `iat`, which every such text has, and which is not in the future beyond the leeway.
fn issued_at(claims: &TokenClaims, limits: &Limits, now: i64) -> Result<i64, &'static str> {
    let issued_at = claims.issued_at.ok_or("it has no `iat`")?;
    if issued_at > now.saturating_add(limits.leeway) {
        return Err("its `iat` is in the future: synchronize the clocks of its issuer and of this service");
    }
    Ok(issued_at)
}

/// Checks `jti`, which every such text has. It is not remembered: the same text again ends nothing more.
fn check_token_id(claims: &TokenClaims) -> Result<(), &'static str> {
    let is_present = claims.token_id().is_some_and(|id| !id.is_empty());
    if is_present { Ok(()) } else { Err("it has no `jti`") }
}
