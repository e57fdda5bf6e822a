//! One event → what has ended: the events of CAEP 1.0, RISC 1.0 and the Shared Signals Framework 1.0 that end sessions.

use serde_json::{Map, Value};

use super::subject::{Named, session_of, user_of};
use super::transmitter::Transmitter;
use super::{EventError, EventErrorCode};
use crate::clock::from_unix_seconds;
use crate::store::Revocation;
use crate::verify::{Excerpt, Limits};

/// What an event says.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// Something has ended.
    Ended {
        /// The name of the event, such as `session-revoked`.
        name: &'static str,
        revocations: Vec<Revocation>,
    },
    /// A credential was added, which ends nothing.
    CredentialAdded,
    /// The transmitter verifies the stream. Holds `state`, which is absent if it does so by itself.
    Verification(Option<Excerpt>),
    /// The transmitter has paused, disabled or enabled the stream. Holds `status` and `reason`.
    StreamUpdated(Excerpt, Excerpt),
    /// Another event, which ends nothing here. Holds its URI.
    Other(Excerpt),
}

/// The events that end something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Session,
    CredentialsOfUser,
    User,
}

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";

/// Reads one event. `subject` is `sub_id` of the token, `issued_at` its `iat`.
pub(super) fn read_event(
    uri: &str,
    payload: &Value,
    subject: Option<&Value>,
    issued_at: i64,
    transmitter: &Transmitter,
    limits: &Limits,
    now: i64,
) -> Result<Event, EventError> {
    let Value::Object(payload) = payload else {
        return Err(EventError::invalid("the payload of an event is not an object"));
    };
    let text = |name| Excerpt::new(payload.get(name).and_then(Value::as_str).unwrap_or_default());
    if let Some(name) = uri.strip_prefix(SSF) {
        return Ok(match name {
            "verification" => read_verification(payload.get("state"), transmitter)?,
            "stream-updated" => Event::StreamUpdated(text("status"), text("reason")),
            _ => Event::Other(Excerpt::new(uri)),
        });
    }
    let Some((name, ends)) = what_ends(uri) else { return Ok(Event::Other(Excerpt::new(uri))) };
    if ends == Ends::CredentialsOfUser && is_credential_added(payload)? {
        return Ok(Event::CredentialAdded);
    }
    let Some(Value::Object(subject)) = subject else {
        return Err(EventError::invalid("its `sub_id` is missing, or not an object (RFC 9493 §3)"));
    };
    let named = match ends {
        Ends::Session => session_of(subject, transmitter)?,
        Ends::CredentialsOfUser | Ends::User => user_of(subject, transmitter)?,
    };
    let bound = bound(payload, issued_at, limits, now)?;
    Ok(Event::Ended { name, revocations: named.into_iter().map(|named| revocation(named, bound)).collect() })
}

/// A verification event with this `state` (Shared Signals Framework 1.0 §8.1.4.1).
fn read_verification(state: Option<&Value>, transmitter: &Transmitter) -> Result<Event, EventError> {
    match state {
        None => Ok(Event::Verification(None)),
        Some(Value::String(state)) if transmitter.expects_state(state) => {
            Ok(Event::Verification(Some(Excerpt::new(state))))
        }
        Some(Value::String(state)) => {
            let reason = format!(
                "the `state` of a verification is {}, which the function of `verification_state` does not expect",
                Excerpt::new(state)
            );
            Err(EventError::new(EventErrorCode::InvalidState, reason))
        }
        Some(_) => Err(EventError::invalid("the `state` of a verification is not a string")),
    }
}

/// The name of an event that ends something, and what.
fn what_ends(uri: &str) -> Option<(&'static str, Ends)> {
    if let Some(name) = uri.strip_prefix(CAEP) {
        return match name {
            "session-revoked" => Some(("session-revoked", Ends::Session)),
            "credential-change" => Some(("credential-change", Ends::CredentialsOfUser)),
            _ => None,
        };
    }
    match uri.strip_prefix(RISC)? {
        "account-disabled" => Some(("account-disabled", Ends::User)),
        "account-purged" => Some(("account-purged", Ends::User)),
        "sessions-revoked" => Some(("sessions-revoked", Ends::User)),
        _ => None,
    }
}

/// Whether a credential was added. One that was changed, revoked or deleted may be that of a thief who is logged in.
fn is_credential_added(payload: &Map<String, Value>) -> Result<bool, EventError> {
    match payload.get("change_type").and_then(Value::as_str) {
        Some("create") => Ok(true),
        Some("revoke" | "update" | "delete") => Ok(false),
        _ => Err(EventError::invalid(
            "the `change_type` of a credential change is none of `create`, `revoke`, `update`, `delete` (CAEP 1.0 §3.3.1)",
        )),
    }
}

/// The time up to which tokens are revoked: that of the event, or else `iat`. It is never now: the same text that arrives again, or late,
/// ends nothing that began since.
fn bound(payload: &Map<String, Value>, issued_at: i64, limits: &Limits, now: i64) -> Result<i64, EventError> {
    let Some(timestamp) = payload.get("event_timestamp") else { return Ok(issued_at) };
    let seconds = timestamp.as_i64().or_else(|| whole_seconds(timestamp.as_f64()?));
    match seconds {
        Some(seconds) if seconds <= now.saturating_add(limits.leeway) => Ok(seconds),
        Some(_) => Err(EventError::invalid(
            "its `event_timestamp` is in the future: it is in seconds since the epoch (CAEP 1.0 §2)",
        )),
        None => Err(EventError::invalid("its `event_timestamp` is not a number of seconds (CAEP 1.0 §2)")),
    }
}

fn whole_seconds(seconds: f64) -> Option<i64> {
    /// The largest range in which every whole second is a double.
    const RANGE: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "whole, and within the range of i64")]
    (seconds.abs() <= RANGE).then_some(seconds.floor() as i64)
}

fn revocation(named: Named, bound: i64) -> Revocation {
    match named {
        Named::User { issuer, subject } => {
            Revocation::UserBySub { issuer, sub: subject, issued_at_or_before: from_unix_seconds(bound) }
        }
        Named::Session { issuer, session_id } => Revocation::Session { issuer, session_id },
        Named::Token { issuer, token_id } => Revocation::Token { issuer, token_id },
    }
}
