//! The route for security event tokens that are pushed.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::body::{self, BodyError, BodyReader};
use super::failure::{self, Failure};
use super::{OTHER_ENGINE, answer, is_of_engine, report};
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::engine::{Engine, KeysOf};
use crate::media_type::is_security_event_token;
use crate::rejection::RejectionKind;
use crate::revocation::EndedByProvider;
use crate::security_event::{Event, EventError, EventErrorCode, Transmitter, read_event_token};
use crate::store::Revocation;
use crate::verify::{Excerpt, JwtVerifier, TextKind};

/// A request → what its token says has ended is recorded.
pub(super) async fn receive(engine: Arc<Engine>, bodies: Arc<BodyReader>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let applied = end(&engine, &bodies, &head, body);
    failure::answer(&engine, &head, "a security event token", StatusCode::ACCEPTED, applied).await
}

/// The body has this status, since it is no token.
fn no_token(status: StatusCode, why: &'static str) -> Failure {
    let response = answer::event_error(status, EventErrorCode::InvalidRequest);
    Failure::new(RejectionKind::InvalidRequest, why, response, None)
}

/// It is not accepted. `from` says where it is from; the transmitter, where its signature was verified.
fn rejected(error: EventError, transmitter: Option<&Transmitter>, from: &str) -> Failure {
    let kind = match error.code {
        EventErrorCode::AccessDenied => RejectionKind::InsufficientScope,
        _ => RejectionKind::InvalidToken,
    };
    let signer = transmitter.filter(|_| error.is_genuine).map(|transmitter| transmitter.name().to_owned());
    let reason = format!("{}, so it is answered `{}`{from}", error.reason, error.code.as_str());
    Failure::new(kind, reason, answer::event_error(StatusCode::BAD_REQUEST, error.code), signer)
}

async fn end(engine: &Arc<Engine>, bodies: &BodyReader, head: &Parts, body: Body) -> Result<(), Failure> {
    if !is_of_engine(head, engine) {
        return Err(Failure::Misconfigured(OTHER_ENGINE.to_owned()));
    }
    if !is_security_event_token(&head.headers) {
        let why = "the content type is not `application/secevent+jwt`";
        return Err(no_token(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    // Strangers send no body then.
    if !engine.transmitters.admit(&head.headers) {
        return Err(rejected(unauthenticated(), None, ""));
    }
    let body = bodies.read(body).await.map_err(|error| match error {
        BodyError::TooLong => no_token(StatusCode::PAYLOAD_TOO_LARGE, error.reason()),
        BodyError::TooSlow => no_token(StatusCode::REQUEST_TIMEOUT, error.reason()),
        BodyError::GivenUp => Failure::crowded(error.reason()),
    })?;
    let token = body::text(&body).ok_or_else(|| no_token(StatusCode::BAD_REQUEST, "the body is not text"))?;
    let (events, said_at) = verified(engine, head, token).await?;
    let ended: Vec<(&str, Vec<Revocation>)> = events.into_iter().filter_map(ended).collect();
    let all = ended.iter().flat_map(|(_, revocations)| revocations.iter().cloned());
    let all = all.map(|revocation| EndedByProvider { revocation, said_at }).collect();
    engine.ensure_background();
    let new = engine.revocations.end_for_provider(all).await;
    let new = new.map_err(|error| Failure::unavailable(&error))?;
    let mut reported = Ok(());
    for (name, revocations) in &ended {
        let reason = format!("a transmitter sent the security event `{name}`");
        for revocation in revocations.iter().filter(|revocation| new.contains(revocation)) {
            reported = reported.and(report(engine, head, revocation, None, &reason));
        }
    }
    reported.map_err(|panic| Failure::Misconfigured(format!("the audit hook {panic}")))
}

/// The events of a token, and its `iat`.
async fn verified(
    engine: &Arc<Engine>,
    head: &Parts,
    token: &str,
) -> Result<(Vec<Event>, SystemTime), Failure> {
    let transmitter = transmitter(engine, head, token).map_err(|error| rejected(error, None, ""))?;
    let verify = |verifier: &JwtVerifier| verifier.verify_event_token(token);
    let claims = engine.with_keys_of(KeysOf::Transmitters, TextKind::SecurityEvent, token, verify).await;
    let claims = claims.map_err(|error| Failure::undecided(&error))?.map_err(|error| {
        let from = engine.transmitters.verifier.origin_of(token, &error);
        rejected(error.into(), None, &from)
    })?;
    let now = unix_seconds(engine.now());
    let events = read_event_token(&claims, transmitter, &engine.authentication.limits, now);
    let events = events.map_err(|error| rejected(error, Some(transmitter), ""))?;
    Ok((events, from_unix_seconds(claims.issued_at.unwrap_or(now))))
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
        return Err(unauthenticated());
    }
    Ok(transmitter)
}

fn unauthenticated() -> EventError {
    let reason = "the header `Authorization` is not that of the transmitter's `authorization_header`";
    EventError::new(EventErrorCode::AuthenticationFailed, reason)
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
