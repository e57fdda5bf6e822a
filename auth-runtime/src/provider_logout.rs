//! Logout that comes from outside: ready routes for the logout tokens of identity providers (OpenID Connect Back-Channel Logout 1.0), and
//! for security events (RFC 8417, RFC 8935; Shared Signals Framework 1.0, CAEP 1.0, RISC 1.0). Feature `provider-logout`.
//!
//! | item | purpose |
//! |---|---|
//! | [`back_channel_logout`] | a route for logout tokens |
//! | [`security_events`] | a route for security event tokens |
//! | [`SecurityEventTransmitter`] | who may send security events, and about whose subjects |
//!
//! ```
//! use auth_runtime::provider_logout::back_channel_logout;
//! use auth_runtime::verify::providers;
//! use auth_runtime::{Auth, Router};
//! # use auth_runtime::session::SigningKey;
//! # use auth_runtime::verify::Algorithm;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let pair = SigningKey::generate(Algorithm::RS256)?;
//! # let key = pair.verifying_key();
//! let keycloak = providers::keycloak("https://id.example.com/realms/shop", "orders")
//!     .key(key) // without it they are fetched (feature `jwks`)
//!     .logout_audience("shop-web"); // the client that users log in to
//! let auth = Auth::builder().issuer(keycloak).build()?;
//! let app: Router = Router::new().route("/backchannel-logout", back_channel_logout(&auth)?);
//! # app.finish(&auth)?;
//! # Ok(())
//! # }
//! ```
//!
//! What is said becomes an entry of the log of revocations before it is acknowledged, so it is enforced by every instance and every socket
//! as [`Revocations`](crate::revocation::Revocations) are. [A page of the guide](crate::guide::provider_logout) says more.

mod answer;
mod body;
#[cfg(feature = "openapi")]
mod documented;
mod error;
mod failure;
mod logout;
mod push;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::routing::post;

use self::body::BodyReader;
pub use self::error::{NoLogoutAudience, NoSecurityEventTransmitter};
use crate::audit::{AuditAction, AuditEvent};
use crate::catch_panic::Panic;
use crate::engine::{Auth, Engine};
use crate::pipeline::RequestAuth;
use crate::policy::{HandlerInfo, Rule};
use crate::router::{MethodRouter, beside};
pub use crate::security_event::SecurityEventTransmitter;
use crate::store::Revocation;

/// Returns a route for the logout tokens of identity providers: `POST`, with `logout_token` as a form (OpenID Connect Back-Channel Logout
/// 1.0 §2.5). Its address is the `backchannel_logout_uri` of this service at the provider. It is public, since the token is the proof.
///
/// | status | when |
/// |---|---|
/// | 200 | what the token says has ended is in the log of revocations |
/// | 400 `invalid_request` | the token is invalid, or its body is longer than 64 KiB or takes longer than 10 seconds, or it names a session by a `sid` that the access tokens of its issuer are not known to have; the log says why |
/// | 503 | the log can't be written, or 256 bodies are read at the time, or the keys of the issuer can't be fetched, or were fetched too lately to look for a new one: the provider may try again |
///
/// A token counts if an issuer of the engine has signed it, for one of its [logout audiences](crate::verify::TrustedIssuer::logout_audience),
/// as §2.6 says. Its `typ` is `logout+jwt`; `JWT` and none are accepted from providers that predate that.
///
/// A `sid` ends the access tokens that have it. Without one, all tokens of the user end that were issued up to the `iat` of the logout
/// token: by the provider's clock, so that the same token, sent again, ends no login that came after.
///
/// # Errors
/// [`NoLogoutAudience`] if no issuer of the engine has one: then every logout token would be rejected.
pub fn back_channel_logout<S>(auth: &Auth) -> Result<MethodRouter<S>, NoLogoutAudience>
where
    S: Clone + Send + Sync + 'static,
{
    if !auth.engine().authentication.jwt.accepts_logout_tokens() {
        return Err(NoLogoutAudience);
    }
    let (engine, bodies) = (Arc::clone(auth.engine()), Arc::new(BodyReader::default()));
    let handler =
        post(move |request: Request| logout::receive(Arc::clone(&engine), Arc::clone(&bodies), request));
    let info = HandlerInfo::new("auth_runtime::provider_logout::back_channel_logout", file!(), line!());
    let mounted = beside(handler, vec!["POST"], Rule::public(), info);
    #[cfg(feature = "openapi")]
    let mounted = mounted.with_docs(&Arc::new(documented::back_channel_logout()));
    Ok(mounted)
}

/// Returns a route for security event tokens that are pushed: `POST`, with the content type `application/secevent+jwt` (RFC 8935 §2.1).
/// Its address is the `endpoint_url` of the stream. It is public, since the token is the proof, and the header of
/// [`authorization_header`](SecurityEventTransmitter::authorization_header) where it is set.
///
/// | status | when |
/// |---|---|
/// | 202 | what the token says has ended is in the log of revocations, or it ends nothing |
/// | 400 with a code of RFC 8935 §2.4 | the token, its transmitter or its subject is not accepted; the log says why |
/// | 408, 413, 415 | the body takes longer than 10 seconds, is longer than 64 KiB, or of another content type |
/// | 503 | the log can't be written, or 256 bodies are read at the time, or the keys of the transmitter can't be fetched, or were fetched too lately to look for a new one: the transmitter may try again |
///
/// | event | ends |
/// |---|---|
/// | `session-revoked` (CAEP) | the session that the subject names, or else all sessions of its user |
/// | `credential-change` (CAEP), if a credential is revoked, deleted or updated | all sessions of the user |
/// | `account-disabled`, `account-purged`, `sessions-revoked` (RISC) | all sessions of the user |
/// | `verification`, `stream-updated` (SSF), and every other event | nothing; there is a line in the log |
///
/// All sessions means all tokens that were issued up to the `event_timestamp` of the event, or else up to the `iat` of the token. The
/// sub_id (RFC 9493) has the format `iss_sub`, or `opaque`, `jwt_id`, `aliases` or `complex`, as
/// [the guide](crate::guide::provider_logout) says. One in another format, such as `email`, can't be compared with a token, and is answered
/// 400 `invalid_request`.
///
/// # Errors
/// [`NoSecurityEventTransmitter`] if the builder was given none: then every push would be rejected.
pub fn security_events<S>(auth: &Auth) -> Result<MethodRouter<S>, NoSecurityEventTransmitter>
where
    S: Clone + Send + Sync + 'static,
{
    if auth.engine().transmitters.is_empty() {
        return Err(NoSecurityEventTransmitter);
    }
    let (engine, bodies) = (Arc::clone(auth.engine()), Arc::new(BodyReader::default()));
    let handler =
        post(move |request: Request| push::receive(Arc::clone(&engine), Arc::clone(&bodies), request));
    let info = HandlerInfo::new("auth_runtime::provider_logout::security_events", file!(), line!());
    let mounted = beside(handler, vec!["POST"], Rule::public(), info);
    #[cfg(feature = "openapi")]
    let mounted = mounted.with_docs(&Arc::new(documented::security_events()));
    Ok(mounted)
}

/// Whether the router of a request belongs to this engine, since only its gates enforce the revocations.
fn is_of_engine(head: &Parts, engine: &Arc<Engine>) -> bool {
    RequestAuth::of(head).is_some_and(|auth| Arc::ptr_eq(auth.engine(), engine))
}

const OTHER_ENGINE: &str = "a route for logouts from outside is on a router that was not finished, or was finished with another engine than \
                            the one that it was made with: use the same `Auth` for both";

/// Reports what has ended, to tracing and to the audit hook.
fn report(
    engine: &Engine,
    head: &Parts,
    revocation: &Revocation,
    user: Option<&str>,
    reason: &str,
) -> Result<(), Panic> {
    let (issuer, subject, session_id) = match revocation {
        Revocation::Session { issuer, session_id } => (issuer, user, Some(&**session_id)),
        Revocation::UserBySub { issuer, sub: subject, .. }
        | Revocation::User { issuer, subject, .. }
        | Revocation::OtherGenerations { issuer, subject, .. } => (issuer, Some(&**subject), None),
        Revocation::Token { issuer, .. } => (issuer, user, None),
        Revocation::Issuer { issuer, .. } | Revocation::OtherIssuerGenerations { issuer, .. } => {
            (issuer, None, None)
        }
        Revocation::Forgotten { .. } => return Ok(()),
    };
    let event = AuditEvent {
        issuer: Some(issuer),
        subject,
        session_id,
        client_address: engine.client_address(head),
        reason,
        ..AuditEvent::new(AuditAction::ProviderLogout)
    };
    engine.responses.audit_log.report(&event)
}
