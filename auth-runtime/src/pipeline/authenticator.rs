//! Credentials that an authenticator judges.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::request::Parts;
use futures_util::future::{Either, Ready, ready};

use super::extract::Credential;
use super::failure::Failure;
use super::{BoxFuture, Pipeline, Principal};
use crate::engine::{Engine, Judgement, Scheme, check_expiry};
use crate::rejection::{CallerError, CallerErrorKind};

/// The longest credential that an authenticator is asked about, in bytes.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

/// Who sent a credential; `None` if it is none.
type Found = Result<Option<Principal>, Failure>;

impl Pipeline<'_> {
    /// What is remembered, or else the authenticator → the caller; `None` if there is no credential.
    pub(super) fn judge<'r>(
        &'r self,
        scheme: &'r Scheme,
        head: &'r Parts,
        credential: &'r Credential<'_>,
    ) -> Either<Ready<Found>, BoxFuture<'r, Found>> {
        let Credential { source, text, now, .. } = credential;
        let judged = Judged { scheme, name: source.name(), text, now: *now };
        let is_included = self.authenticators.include(source.name());
        let at_once = match judged.known_caller(self.auth.engine()) {
            Some(known) => known.map_err(Failure::from),
            None if !is_included => Err(Failure::not_judged(*source)),
            None => match self.wait() {
                Ok(()) => {
                    return Either::Right(Box::pin(async move {
                        Ok(judged.ask(self.auth.engine(), head).await?)
                    }));
                }
                Err(failure) => Err(failure),
            },
        };
        Either::Left(ready(at_once))
    }
}

/// A credential that an authenticator judges, in a request or outside of one.
pub(super) struct Judged<'c> {
    pub(super) scheme: &'c Scheme,
    pub(super) name: &'c str,
    pub(super) text: &'c str,
    /// The time by which it is judged.
    pub(super) now: SystemTime,
}

impl Judged<'_> {
    /// Size, revocation view, what is remembered or else the authenticator, expiry → the caller; `None` if there is no credential.
    pub(super) async fn caller(
        &self,
        engine: &Arc<Engine>,
        head: &Parts,
    ) -> Result<Option<Principal>, CallerError> {
        if let Some(known) = self.known_caller(engine) {
            return known;
        }
        self.ask(engine, head).await
    }

    /// The same, as far as it is known without the authenticator.
    fn known_caller(&self, engine: &Arc<Engine>) -> Option<Result<Option<Principal>, CallerError>> {
        if self.text.len() > MAX_CREDENTIAL_BYTES {
            let reason = "the credential is longer than 16 KiB";
            return Some(Err(CallerError::new(CallerErrorKind::Invalid, reason)));
        }
        if let Err(error) = engine.check_view(self.now) {
            return Some(Err(error));
        }
        let remembered = self.scheme.remembered(&self.scheme.hash(self.text), engine.monotonic())?;
        Some(self.accept(remembered))
    }

    fn accept(&self, judgement: Judgement) -> Result<Option<Principal>, CallerError> {
        let invalid = |why| CallerError::new(CallerErrorKind::Invalid, why);
        match judgement {
            Judgement::Caller(principal) => {
                check_expiry(&principal, self.now)?;
                Ok(Some(principal))
            }
            Judgement::Absent => Ok(None),
            Judgement::Invalid(why) => Err(invalid(why)),
            Judgement::Rejected(kind, why) => {
                let reason = format!("the authenticator `{}` rejected the request: {why}", self.name);
                Err(CallerError::of_authenticator(kind, reason))
            }
            Judgement::Impossible(why) => {
                let name = self.name;
                let reason = format!("the authenticator `{name}` returned a caller that can't be one: {why}");
                Err(CallerError::new(CallerErrorKind::Misconfigured, reason))
            }
        }
    }

    /// The authenticator, or who has asked it already → the caller.
    async fn ask(&self, engine: &Arc<Engine>, head: &Parts) -> Result<Option<Principal>, CallerError> {
        let hash = self.scheme.hash(self.text);
        let vocabulary = &engine.authorization.vocabulary;
        // Before the authenticator is asked: what is forgotten from now on may concern its answer.
        let watch = engine.watch();
        let identify = |token| Principal::identify(token, vocabulary, Some(watch.clone()));
        let judgement = self.scheme.ask(self.text, hash, head, engine.monotonic(), identify).await;
        self.accept(judgement.map_err(|error| {
            let reason = format!("the authenticator `{}` failed: {error}", self.name);
            CallerError::new(CallerErrorKind::Unavailable, reason)
        })?)
    }
}
