//! The route for logout tokens.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::{OTHER_ENGINE, answer, body, is_of_engine, report};
use crate::audit::{AuditAction, AuditEvent};
use crate::catch_panic::catch_panic_of;
use crate::clock::unix_seconds;
use crate::engine::{Engine, KeysOf};
use crate::media_type::is_form;
use crate::rejection::RejectionKind;
use crate::security_event::{Logout, read_logout_token};
use crate::store::StoreError;
use crate::verify::{JwtVerifier, TextKind};

const BY: &str = "the identity provider sent a logout token";

/// Why a logout token ended nothing.
enum Failure {
    /// It is invalid. It may be a stranger's text.
    Invalid(Cow<'static, str>),
    /// The issuer has signed it, and it can't be applied.
    NotApplied(&'static str),
    /// It can't be verified or recorded now, for this reason; in how many seconds perhaps.
    Unavailable(String, Option<u16>),
    /// The service is misconfigured, or code of the application's panicked.
    Misconfigured(String),
}

/// A request → what its token says has ended is recorded.
pub(super) async fn receive(engine: Arc<Engine>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let received = catch_panic_of(end(&engine, &head, body)).await;
    match received.unwrap_or_else(|panic| Err(Failure::Misconfigured(panic.to_string()))) {
        Ok(()) => answer::status(StatusCode::OK),
        Err(failure) => failed(&engine, &head, &failure),
    }
}

async fn end(engine: &Arc<Engine>, head: &Parts, body: Body) -> Result<(), Failure> {
    if !is_of_engine(head, engine) {
        return Err(Failure::Misconfigured(OTHER_ENGINE.to_owned()));
    }
    if !is_form(&head.headers) {
        return Err(Failure::Invalid("the content type is not `application/x-www-form-urlencoded`".into()));
    }
    let body = body::read(body).await.ok_or(Failure::Invalid("the body is longer than 64 KiB".into()))?;
    let token = body::logout_token(&body).map_err(|why| Failure::Invalid(why.into()))?;
    let Logout { revocation, subject } = verified(engine, &token).await?;
    engine.ensure_background();
    engine.revocations.end_for_provider(vec![revocation.clone()]).await.map_err(unavailable)?;
    let reported = report(engine, head, &revocation, subject.as_deref(), BY);
    reported.map_err(|panic| Failure::Misconfigured(format!("the audit hook {panic}")))
}

async fn verified(engine: &Arc<Engine>, token: &str) -> Result<Logout, Failure> {
    let verify = |verifier: &JwtVerifier| verifier.verify_logout_token(token);
    let signed = engine.with_keys_of(KeysOf::Issuers, TextKind::Logout, token, verify).await;
    let signed = signed.map_err(|error| Failure::Unavailable(error.to_string(), error.seconds_to_wait()))?;
    let signed = signed.map_err(|error| Failure::Invalid(error.to_string().into()))?;
    let now = unix_seconds(engine.now());
    read_logout_token(&signed, &engine.authentication.limits, now).map_err(Failure::NotApplied)
}

fn unavailable(error: StoreError) -> Failure {
    Failure::Unavailable(error.to_string(), None)
}

fn failed(engine: &Engine, head: &Parts, failure: &Failure) -> Response {
    let (kind, reason) = match failure {
        Failure::Invalid(reason) => (RejectionKind::InvalidToken, reason.clone()),
        Failure::NotApplied(reason) => {
            tracing::warn!(reason, "auth: a logout token that an issuer has signed was not applied");
            (RejectionKind::InvalidToken, Cow::Borrowed(*reason))
        }
        Failure::Unavailable(reason, _) => (RejectionKind::Unavailable, reason.into()),
        Failure::Misconfigured(reason) => {
            tracing::error!(reason, "auth: the answer to a logout token is 500");
            return answer::status(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    let event = AuditEvent {
        client_address: engine.client_address(head),
        ..AuditEvent::new(AuditAction::ProviderLogout).failed(kind, &reason)
    };
    let log = &engine.responses.audit_log;
    let is_logged = matches!(failure, Failure::NotApplied(_));
    let reported = if is_logged { log.call_hook(&event) } else { log.report(&event) };
    match (reported, failure) {
        (Err(_), _) => answer::status(StatusCode::INTERNAL_SERVER_ERROR),
        (Ok(()), Failure::Unavailable(_, seconds)) => answer::unavailable(*seconds),
        (Ok(()), _) => answer::invalid_logout(),
    }
}
