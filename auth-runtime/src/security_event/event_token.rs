//! A security event token → its events (RFC 8417 §2.2, as the Shared Signals Framework 1.0 §4.1 profiles it).

use serde_json::Value;

use super::event::{Event, read_event};
use super::transmitter::Transmitter;
use super::{EventError, check_token_id, issued_at};
use crate::verify::{Limits, TokenClaims};

/// Reads a security event token whose signature, issuer and audience are verified.
///
/// # Errors
/// If one of its events can't be applied: then none counts.
pub(crate) fn read_event_token(
    claims: &TokenClaims,
    transmitter: &Transmitter,
    limits: &Limits,
    now: i64,
) -> Result<Vec<Event>, EventError> {
    read(claims, transmitter, limits, now).map_err(EventError::genuine)
}

fn read(
    claims: &TokenClaims,
    transmitter: &Transmitter,
    limits: &Limits,
    now: i64,
) -> Result<Vec<Event>, EventError> {
    check_token_id(claims).map_err(EventError::invalid)?;
    let issued_at = issued_at(claims, limits, now).map_err(EventError::invalid)?;
    // Neither is in a SET of the Shared Signals Framework, so that no other kind of JWT is taken for one.
    if claims.sub().is_some() {
        return Err(EventError::invalid("it has `sub`, which a security event token does not have"));
    }
    if claims.expires_at.is_some() {
        return Err(EventError::invalid("it has `exp`, which a security event token does not have"));
    }
    let Some(Value::Object(events)) = claims.get("events") else {
        return Err(EventError::invalid("its `events` is not an object"));
    };
    if events.is_empty() {
        return Err(EventError::invalid("its `events` is empty"));
    }
    let subject = claims.get("sub_id");
    events
        .iter()
        .map(|(uri, payload)| read_event(uri, payload, subject, issued_at, transmitter, limits, now))
        .collect()
}
