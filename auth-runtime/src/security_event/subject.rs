//! The subject of an event → a user, a session or a token of an issuer (RFC 9493; Shared Signals Framework 1.0 §3).
//!
//! | format | names |
//! |---|---|
//! | `iss_sub` | the user |
//! | `opaque` | the session of a session event, the user of another, where the transmitter speaks of one issuer alone |
//! | `jwt_id` | the token of a session event |
//! | `aliases` | what those of its identifiers name that are in one of these formats |
//! | `complex` | its `session` in a session event, and otherwise its `user` |
//!
//! Other formats, such as `email`, can't be compared with what is in a token. The other members of a complex subject, such as `device`, are
//! properties that tokens do not have: all sessions of its user end then, and not those of the device alone.

use serde_json::{Map, Value};

use super::transmitter::{SubjectIssuer, Transmitter};
use super::{EventError, EventErrorCode};
use crate::verify::{Excerpt, SessionIds};

/// What a subject names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    User { issuer: String, subject: String },
    Session { issuer: String, session_id: String },
    Token { issuer: String, token_id: String },
}

/// What an `opaque` identifier is the id of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opaque {
    User,
    Session,
}

type Identifier = Map<String, Value>;

/// What an event about a session names: one session or token, or else all sessions of its user.
pub(super) fn session_of(subject: &Identifier, of: &Transmitter) -> Result<Vec<Named>, EventError> {
    if format(subject) != Some("complex") {
        return names(subject, Opaque::Session, of);
    }
    let (session, user) = (member(subject, "session")?, member(subject, "user")?);
    match (session, user) {
        (Some(session), user) => {
            let issuer = user.and_then(|user| user.get("iss")).and_then(Value::as_str);
            match (session_member(session, of, issuer), user) {
                (Err(error), Some(user)) if error.code == EventErrorCode::InvalidRequest => {
                    all_of_user(user, of, error)
                }
                (named, _) => named.map(|named| vec![named]),
            }
        }
        (None, Some(user)) => names(user, Opaque::User, of),
        (None, None) => Err(EventError::invalid(
            "its complex subject has neither `session` nor `user`, and tokens have no other property of it",
        )),
    }
}

/// What the `session` of a complex subject names. `issuer` is that of its `user`, where that is known.
fn session_member(session: &Identifier, of: &Transmitter, issuer: Option<&str>) -> Result<Named, EventError> {
    match format(session) {
        // Of a session, and not of a user: drafts of CAEP wrote it so.
        Some("iss_sub") => {
            of_opaque(text(session, "sub")?, Opaque::Session, allowed(of, text(session, "iss")?)?)
        }
        _ => name(session, Opaque::Session, of, issuer),
    }
}

/// The user in place of its session, if the issuer of the user is configured so.
fn all_of_user(user: &Identifier, of: &Transmitter, error: EventError) -> Result<Vec<Named>, EventError> {
    let users = names(user, Opaque::User, of)?;
    let is_configured = users.iter().all(|named| match named {
        Named::User { issuer, .. } => {
            of.subjects_of(issuer).is_some_and(|known| known.session_ids == SessionIds::AllOfUser)
        }
        _ => false,
    });
    if is_configured { Ok(users) } else { Err(error) }
}

/// The user that an event names.
pub(super) fn user_of(subject: &Identifier, of: &Transmitter) -> Result<Vec<Named>, EventError> {
    let user = if format(subject) == Some("complex") { member(subject, "user")? } else { Some(subject) };
    let user = user.ok_or_else(|| EventError::invalid("its complex subject has no `user`"))?;
    let mut named = names(user, Opaque::User, of)?;
    named.retain(|named| matches!(named, Named::User { .. }));
    if named.is_empty() {
        return Err(EventError::invalid("its subject is a token, and the event is about a user"));
    }
    Ok(named)
}

/// What a simple subject names.
fn names(identifier: &Identifier, opaque: Opaque, of: &Transmitter) -> Result<Vec<Named>, EventError> {
    if format(identifier) != Some("aliases") {
        return name(identifier, opaque, of, None).map(|named| vec![named]);
    }
    let Some(Value::Array(aliases)) = identifier.get("identifiers") else {
        return Err(EventError::invalid("the `identifiers` of its subject are not a list (RFC 9493 §3.2.8)"));
    };
    let mut named = Vec::new();
    let mut first_error = None;
    for alias in aliases {
        // They do not nest.
        let alias = alias.as_object().filter(|alias| format(alias) != Some("aliases"));
        match alias.map(|alias| name(alias, opaque, of, None)) {
            Some(Ok(one)) => named.push(one),
            Some(Err(error)) => drop(first_error.get_or_insert(error)),
            None => return Err(EventError::invalid("one of the `identifiers` of its subject is none")),
        }
    }
    match first_error {
        _ if !named.is_empty() => Ok(named),
        Some(error) => Err(error),
        None => Err(EventError::invalid("the `identifiers` of its subject are empty (RFC 9493 §3.2.8)")),
    }
}

/// What an identifier names. `issuer` is that of an opaque id, where it is known.
fn name(
    identifier: &Identifier,
    opaque: Opaque,
    of: &Transmitter,
    issuer: Option<&str>,
) -> Result<Named, EventError> {
    match format(identifier) {
        Some("iss_sub") => Ok(Named::User {
            issuer: allowed(of, text(identifier, "iss")?)?.name.to_string(),
            subject: text(identifier, "sub")?.to_owned(),
        }),
        Some("jwt_id") => Ok(Named::Token {
            issuer: allowed(of, text(identifier, "iss")?)?.name.to_string(),
            token_id: text(identifier, "jti")?.to_owned(),
        }),
        Some("opaque") => {
            let issuer = match issuer {
                Some(issuer) => allowed(of, issuer)?,
                None => of.only_issuer().ok_or_else(|| {
                    EventError::invalid(
                        "its subject is opaque, and the transmitter speaks of several issuers: have it send `iss_sub`",
                    )
                })?,
            };
            of_opaque(text(identifier, "id")?, opaque, issuer)
        }
        Some(other) => Err(EventError::invalid(format!(
            "its subject has the format {}, which can't be compared with what is in a token: have the transmitter send `iss_sub`",
            Excerpt::new(other)
        ))),
        None => Err(EventError::invalid("its subject has no `format` (RFC 9493 §3)")),
    }
}

fn of_opaque(id: &str, opaque: Opaque, issuer: &SubjectIssuer) -> Result<Named, EventError> {
    let (id, name) = (id.to_owned(), issuer.name.to_string());
    match (opaque, issuer.session_ids) {
        (Opaque::User, _) => Ok(Named::User { issuer: name, subject: id }),
        (Opaque::Session, SessionIds::InAccessTokens) => Ok(Named::Session { issuer: name, session_id: id }),
        (Opaque::Session, _) => Err(EventError::invalid(
            "it ends a session by its id, and it is not known that access tokens of the issuer have it: call `access_tokens_have_sid()` of \
             the `TrustedIssuer` if they have, or have the transmitter send the user as `iss_sub`",
        )),
    }
}

/// The issuer, if the transmitter may speak of its subjects.
fn allowed<'t>(of: &'t Transmitter, issuer: &str) -> Result<&'t SubjectIssuer, EventError> {
    of.subjects_of(issuer).ok_or_else(|| {
        let reason = format!(
            "its subject is of the issuer {}, which the transmitter may not speak of: call `subjects_of` of its \
             `SecurityEventTransmitter` if it may",
            Excerpt::new(issuer)
        );
        EventError::new(EventErrorCode::AccessDenied, reason)
    })
}

fn format(identifier: &Identifier) -> Option<&str> {
    identifier.get("format").and_then(Value::as_str)
}

/// A member of a complex subject, which is a simple subject.
fn member<'s>(subject: &'s Identifier, name: &str) -> Result<Option<&'s Identifier>, EventError> {
    match subject.get(name) {
        None => Ok(None),
        Some(Value::Object(member)) => Ok(Some(member)),
        Some(_) => Err(EventError::invalid("a member of its complex subject is not an object")),
    }
}

/// A member that identifies. None may be empty (RFC 9493 §3).
fn text<'i>(identifier: &'i Identifier, name: &'static str) -> Result<&'i str, EventError> {
    let text = identifier.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| EventError::invalid(format!("its subject has no `{name}`, or one that is no text")))
}
