//! The route for security event tokens that are pushed.

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
use crate::media_type::is_security_event_token;
use crate::rejection::RejectionKind;
use crate::security_event::{Event, EventError, EventErrorCode, Transmitter, read_event_token};
use crate::store::{Revocation, StoreError};
use crate::verify::{Excerpt, JwtVerifier, TextKind};

/// Why a security event token ended nothing.
enum Failure {
    /// It is not accepted.
    Rejected(EventError),
    /// The body has this status, since it is none.
    NoToken(StatusCode, &'static str),
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
        Ok(()) => answer::status(StatusCode::ACCEPTED),
        Err(failure) => failed(&engine, &head, &failure),
    }
}

async fn end(engine: &Arc<Engine>, head: &Parts, body: Body) -> Result<(), Failure> {
    if !is_of_engine(head, engine) {
        return Err(Failure::Misconfigured(OTHER_ENGINE.to_owned()));
    }
    if !is_security_event_token(&head.headers) {
        let why = "the content type is not `application/secevent+jwt`";
        return Err(Failure::NoToken(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let body = body::read(body).await;
    let body =
        body.ok_or(Failure::NoToken(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB"))?;
    let token = body::text(&body).ok_or(Failure::NoToken(StatusCode::BAD_REQUEST, "the body is not text"))?;
    let events = verified(engine, head, token).await?;
    let ended: Vec<(&str, Vec<Revocation>)> = events.into_iter().filter_map(ended).collect();
    let revocations: Vec<Revocation> =
        ended.iter().flat_map(|(_, revocations)| revocations.iter().cloned()).collect();
    engine.ensure_background();
    engine.revocations.end_for_provider(revocations).await.map_err(unavailable)?;
    let mut reported = Ok(());
    for (name, revocations) in &ended {
        let reason = format!("a transmitter sent the security event `{name}`");
        for revocation in revocations {
            reported = reported.and(report(engine, head, revocation, None, &reason));
        }
    }
    reported.map_err(|panic| Failure::Misconfigured(format!("the audit hook {panic}")))
}

async fn verified(engine: &Arc<Engine>, head: &Parts, token: &str) -> Result<Vec<Event>, Failure> {
    let transmitter = transmitter(engine, head, token).map_err(Failure::Rejected)?;
    let verify = |verifier: &JwtVerifier| verifier.verify_event_token(token);
    let claims = engine.with_keys_of(KeysOf::Transmitters, TextKind::SecurityEvent, token, verify).await;
    let claims = claims.map_err(|error| Failure::Unavailable(error.to_string(), error.seconds_to_wait()))?;
    let claims = claims.map_err(|error| Failure::Rejected(error.into()))?;
    let now = unix_seconds(engine.now());
    read_event_token(&claims, transmitter, &engine.authentication.limits, now).map_err(Failure::Rejected)
}

/// The transmitter that a token names, before it is verified, and whose header the request has.
fn transmitter<'e>(engine: &'e Engine, head: &Parts, token: &str) -> Result<&'e Transmitter, EventError> {
    let transmitters = &engine.transmitters;
    let name = transmitters.verifier.unverified_issuer(token)?;
    let transmitter = transmitters.named(&name).ok_or_else(|| {
        let reason = format!("its `iss` is {}, which is that of no transmitter", Excerpt::new(&name));
        EventError::new(EventErrorCode::InvalidIssuer, reason)
    })?;
    // Before a signature is verified, which takes longer.
    if !transmitter.admits(&head.headers) {
        let reason = "the header `Authorization` is not that of the transmitter's `authorization_header`";
        return Err(EventError::new(EventErrorCode::AuthenticationFailed, reason));
    }
    Ok(transmitter)
}

fn unavailable(error: StoreError) -> Failure {
    Failure::Unavailable(error.to_string(), None)
}

/// What an event has ended. One that ends nothing is logged.
fn ended(event: Event) -> Option<(&'static str, Vec<Revocation>)> {
    match event {
        Event::Ended { name, revocations } => return Some((name, revocations)),
        Event::CredentialAdded => {
            tracing::debug!("auth: a transmitter says that a credential was added, which ends nothing");
        }
        Event::Verification(state) => {
            let state = state.map(tracing::field::display);
            tracing::info!(state, "auth: a transmitter has verified its stream of security events");
        }
        Event::StreamUpdated(status, reason) => {
            tracing::warn!(%status, %reason, "auth: a transmitter has changed the status of its stream of security events");
        }
        Event::Other(uri) => {
            tracing::info!(%uri, "auth: a security event of a kind that ends nothing here was acknowledged");
        }
    }
    None
}

fn failed(engine: &Engine, head: &Parts, failure: &Failure) -> Response {
    let (kind, reason, response) = match failure {
        Failure::Rejected(error) => {
            let reason = error.reason.to_string();
            let code = error.code.as_str();
            if error.is_genuine {
                tracing::warn!(reason, code, "auth: a security event of a transmitter was not applied");
            }
            let kind = match error.code {
                EventErrorCode::AccessDenied => RejectionKind::InsufficientScope,
                _ => RejectionKind::InvalidToken,
            };
            (kind, reason, answer::event_error(StatusCode::BAD_REQUEST, error.code))
        }
        Failure::NoToken(status, reason) => {
            let response = answer::event_error(*status, EventErrorCode::InvalidRequest);
            (RejectionKind::InvalidRequest, (*reason).to_owned(), response)
        }
        Failure::Unavailable(reason, seconds) => {
            (RejectionKind::Unavailable, reason.clone(), answer::unavailable(*seconds))
        }
        Failure::Misconfigured(reason) => {
            tracing::error!(reason, "auth: the answer to a security event token is 500");
            return answer::status(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    let event = AuditEvent {
        client_address: engine.client_address(head),
        ..AuditEvent::new(AuditAction::ProviderLogout).failed(kind, &reason)
    };
    let log = &engine.responses.audit_log;
    let is_logged = matches!(failure, Failure::Rejected(error) if error.is_genuine);
    let reported = if is_logged { log.call_hook(&event) } else { log.report(&event) };
    if reported.is_ok() { response } else { answer::status(StatusCode::INTERNAL_SERVER_ERROR) }
}
