//! Credentials that an authenticator judges.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::request::Parts;

use super::extract::Credential;
use super::failure::Failure;
use super::{Pipeline, Principal};
use crate::engine::{CredentialHash, Engine, Judgement, Scheme, check_expiry};
use crate::rejection::{CallerError, CallerErrorKind};

/// The longest credential that an authenticator is asked about, in bytes.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

impl Pipeline<'_> {
    /// What is remembered, or else the authenticator → the caller; `None` if there is no credential.
    pub(super) async fn judge(
        &self,
        scheme: &Scheme,
        head: &Parts,
        credential: &Credential<'_>,
    ) -> Result<Option<Principal>, Failure> {
        let Credential { source, text, now, .. } = credential;
        let is_remembered = || scheme.remembered(&scheme.hash(text), self.engine().monotonic()).is_some();
        if !self.authenticators.include(source.name()) && !is_remembered() {
            return Err(Failure::not_judged(*source));
        }
        let judged = Judged { scheme, name: source.name(), text, now: *now };
        Ok(judged.caller(self.auth.engine(), head).await?)
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
        let invalid = |why| CallerError::new(CallerErrorKind::Invalid, why);
        if self.text.len() > MAX_CREDENTIAL_BYTES {
            return Err(invalid("the credential is longer than 16 KiB".into()));
        }
        engine.check_view(self.now)?;
        let hash = self.scheme.hash(self.text);
        let judgement = match self.scheme.remembered(&hash, engine.monotonic()) {
            Some(judgement) => judgement,
            // In a box, so that the future of a request with a token is not larger for it.
            None => Box::pin(self.ask(hash, engine, head)).await?,
        };
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

    async fn ask(
        &self,
        hash: CredentialHash,
        engine: &Arc<Engine>,
        head: &Parts,
    ) -> Result<Judgement, CallerError> {
        let vocabulary = &engine.authorization.vocabulary;
        // Before the authenticator is asked: what is forgotten from now on may concern its answer.
        let watch = engine.watch();
        let identify = |token| Principal::identify(token, vocabulary, Some(watch.clone()));
        self.scheme.ask(self.text, hash, head, engine.monotonic(), identify).await.map_err(|error| {
            let reason = format!("the authenticator `{}` failed: {error}", self.name);
            CallerError::new(CallerErrorKind::Unavailable, reason)
        })
    }
}
