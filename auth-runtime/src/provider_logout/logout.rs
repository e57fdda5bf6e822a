//! The route for logout tokens.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::body::{BodyError, BodyReader, logout_token};
use super::failure::{self, Failure};
use super::{OTHER_ENGINE, answer, is_of_engine, report};
use crate::clock::unix_seconds;
use crate::engine::{Engine, KeysOf};
use crate::media_type::is_form;
use crate::rejection::RejectionKind;
use crate::revocation::EndedByProvider;
use crate::security_event::{Logout, read_logout_token};
use crate::verify::{JwtVerifier, TextKind, VerifyError};

const BY: &str = "the identity provider sent a logout token";

/// A request → what its token says has ended is recorded.
pub(super) async fn receive(engine: Arc<Engine>, bodies: Arc<BodyReader>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let ended = end(&engine, &bodies, &head, body);
    failure::answer(&engine, &head, "a logout token", StatusCode::OK, ended).await
}

fn invalid(reason: impl Into<Cow<'static, str>>, signer: Option<String>) -> Failure {
    Failure::new(RejectionKind::InvalidToken, reason, answer::invalid_logout(), signer)
}

async fn end(engine: &Arc<Engine>, bodies: &BodyReader, head: &Parts, body: Body) -> Result<(), Failure> {
    if !is_of_engine(head, engine) {
        return Err(Failure::Misconfigured(OTHER_ENGINE.to_owned()));
    }
    if !is_form(&head.headers) {
        return Err(invalid("the content type is not `application/x-www-form-urlencoded`", None));
    }
    let body = bodies.read(body).await.map_err(|error| match error {
        BodyError::GivenUp => Failure::crowded(error.reason()),
        BodyError::TooLong | BodyError::TooSlow => invalid(error.reason(), None),
    })?;
    let token = logout_token(&body).map_err(|why| invalid(why, None))?;
    let Logout { revocation, subject, issued_at } = verified(engine, &token).await?;
    engine.ensure_background();
    let ended = vec![EndedByProvider { revocation, said_at: issued_at }];
    let new = engine.revocations.end_for_provider(ended).await;
    let mut reported = Ok(());
    for revocation in new.map_err(|error| Failure::unavailable(&error))? {
        reported = reported.and(report(engine, head, &revocation, subject.as_deref(), BY));
    }
    reported.map_err(|panic| Failure::Misconfigured(format!("the audit hook {panic}")))
}

async fn verified(engine: &Arc<Engine>, token: &str) -> Result<Logout, Failure> {
    let verify = |verifier: &JwtVerifier| verifier.verify_logout_token(token);
    let signed = engine.with_keys_of(KeysOf::Issuers, TextKind::Logout, token, verify).await;
    let signed = signed.map_err(|error| Failure::undecided(&error))?.map_err(|error| {
        let jwt = &engine.authentication.jwt;
        // It is found out after the signature was verified.
        let is_signed = matches!(error, VerifyError::WrongLogoutAudience(_));
        let signer = is_signed.then(|| jwt.unverified_issuer(token).ok()).flatten();
        invalid(format!("{error}{}", jwt.origin_of(token, &error)), signer.map(String::from))
    })?;
    let (limits, now) = (&engine.authentication.limits, unix_seconds(engine.now()));
    let signer = || signed.claims.issuer().map(str::to_owned);
    read_logout_token(&signed, limits, now).map_err(|why| invalid(why, signer()))
}
