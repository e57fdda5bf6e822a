//! The lists for administrators: the sessions of all users, and what is revoked.

use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::sessions::session_to_value;
use super::{TokenEndpoints, caught};
use crate::clock::unix_seconds;
use crate::revocation::{RecordedRevocation, Revocation, RevocationList, RevocationListError};
use crate::session::routes::{LoginVerifier, TokenFailure, TokenRoute};
use crate::session::{AllSessions, TokenError};

/// The parameters of the query: `next` of the page before, and the user that a revocation is about.
const AFTER: &str = "after";
const USER: &str = "user";

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// Returns the active sessions of all users, 100 at a time: those after the query's `after`, which is `next` of the page before. Its
    /// route needs a rule that names the administrators.
    pub async fn all_sessions(&self, request: Request) -> Response {
        let (mut head, _) = request.into_parts();
        let listed = caught(self.try_all_sessions(&mut head)).await;
        self.list_or_failure(listed.map(|page| sessions_to_value(&page)), &head, TokenRoute::AllSessions)
    }

    async fn try_all_sessions(&self, head: &mut Parts) -> Result<AllSessions, TokenFailure> {
        let caller = self.reader(head).await?;
        let after = parameter(head, AFTER)?;
        let page = self.tokens().page_of_sessions(after.as_deref(), Some(&caller)).await;
        page.map_err(|error| match error {
            TokenError::InvalidCursor => TokenFailure::InvalidRequest,
            error => {
                tracing::error!(%error, "auth: the sessions of all users can't be listed");
                super::failure(&error)
            }
        })
    }

    /// Returns the revocations that are recorded, 100 at a time: those after the query's `after`, which is `next` of the page before, and of
    /// its `user` alone, if it has one. Its route needs a rule that names the administrators.
    pub async fn revocations(&self, request: Request) -> Response {
        let (mut head, _) = request.into_parts();
        let listed = caught(self.try_revocations(&mut head)).await;
        self.list_or_failure(listed.map(|page| revocations_to_value(&page)), &head, TokenRoute::Revocations)
    }

    async fn try_revocations(&self, head: &mut Parts) -> Result<RevocationList, TokenFailure> {
        self.reader(head).await?;
        let (user, after) = (parameter(head, USER)?, parameter(head, AFTER)?);
        let page = self.engine().revocation_methods().page_of(user.as_deref(), after.as_deref()).await;
        page.map_err(|error| {
            let failure = match error {
                RevocationListError::InvalidCursor => return TokenFailure::InvalidRequest,
                RevocationListError::Unavailable(_) => TokenFailure::Unavailable,
                RevocationListError::NoStore => TokenFailure::Misconfigured,
            };
            tracing::error!(%error, "auth: the revocations can't be listed");
            failure
        })
    }
}

/// The only value that the query has for a name.
fn parameter(head: &Parts, name: &str) -> Result<Option<String>, TokenFailure> {
    let query = head.uri.query().unwrap_or_default();
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() { Err(TokenFailure::InvalidRequest) } else { Ok(value) }
}

fn sessions_to_value(page: &AllSessions) -> Value {
    let sessions = page.sessions.iter().map(|of_user| {
        let mut value = session_to_value(&of_user.session);
        if let Some(value) = value.as_object_mut() {
            value.insert("user".into(), of_user.subject.as_str().into());
        }
        value
    });
    with_next("sessions", sessions.collect(), page.next.as_deref())
}

fn revocations_to_value(page: &RevocationList) -> Value {
    let revocations = page.revocations.iter().map(revocation_to_value).collect();
    with_next("revocations", revocations, page.next.as_deref())
}

fn with_next(name: &str, listed: Vec<Value>, next: Option<&str>) -> Value {
    let mut page = Map::from_iter([(name.to_owned(), Value::Array(listed))]);
    page.extend(next.map(|next| ("next".to_owned(), next.into())));
    Value::Object(page)
}

fn revocation_to_value(recorded: &RecordedRevocation) -> Value {
    let mut value = match &recorded.revocation {
        Revocation::Token { issuer, token_id } => {
            json!({ "kind": "token", "issuer": issuer, "token_id": token_id })
        }
        Revocation::Session { issuer, session_id } => {
            json!({ "kind": "session", "issuer": issuer, "session_id": session_id })
        }
        Revocation::User { issuer, issued_at_or_before, .. } => {
            json!({ "kind": "user", "issuer": issuer, "issued_at_or_before": unix_seconds(*issued_at_or_before) })
        }
        Revocation::UserBySub { issuer, sub, issued_at_or_before } => {
            let bound = unix_seconds(*issued_at_or_before);
            json!({ "kind": "user", "issuer": issuer, "sub": sub, "issued_at_or_before": bound })
        }
        Revocation::Issuer { issuer, issued_at_or_before } => {
            json!({ "kind": "issuer", "issuer": issuer, "issued_at_or_before": unix_seconds(*issued_at_or_before) })
        }
        Revocation::OtherIssuerGenerations { issuer, .. } => json!({ "kind": "issuer", "issuer": issuer }),
        // The number of the generation says nothing to people.
        Revocation::OtherGenerations { issuer, .. } | Revocation::Forgotten { issuer, .. } => {
            json!({ "kind": "user", "issuer": issuer })
        }
    };
    if let Some(value) = value.as_object_mut() {
        value.extend(recorded.subject.as_deref().map(|subject| ("user".to_owned(), subject.into())));
        value.extend(recorded.recorded_at.map(|time| ("recorded_at".to_owned(), unix_seconds(time).into())));
        value.insert("kept_until".into(), unix_seconds(recorded.kept_until).into());
    }
    value
}
