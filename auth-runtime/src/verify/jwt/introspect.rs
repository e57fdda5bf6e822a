//! Tokens that an issuer is asked about, in place of being verified with its keys.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{JwtVerifier, PreparedIssuer};
use crate::error::ConfigErrors;
use crate::verify::claims::{Payload, TokenClaims};
use crate::verify::introspection::{IntrospectionError, Introspector};
use crate::verify::issuer::TrustedIssuer;
use crate::verify::json::Document;
use crate::verify::jws::{self, Compact, Form};
use crate::verify::{VerifiedToken, VerifyError};

/// The issuer that is to be asked about a token.
pub(crate) struct Inquiry<'v> {
    issuer: &'v PreparedIssuer,
    introspector: &'v Introspector,
}

impl JwtVerifier {
    /// The issuer that is to be asked about this token; `None`: it is verified here.
    ///
    /// A JWT is for the keys of its issuer, and everything else for the one issuer that is introspected. With `include_jwts` the
    /// unverified `iss` chooses, as it chooses the keys: an answer about another issuer is rejected, as a signature by another key is. Also
    /// what is encrypted, or would be a JWT but for its padding, is not sent to an issuer without `include_jwts`: it may be another issuer's.
    pub(crate) fn inquiry(&self, token: &str) -> Option<Inquiry<'_>> {
        let mut issuers = self.issuers.iter();
        let (asked, introspector) =
            issuers.find_map(|issuer| Some((issuer, issuer.introspector.as_ref()?)))?;
        if token.len() > self.max_token_bytes {
            return None;
        }
        let is_asked_about = match jws::form(token) {
            Form::Opaque => true,
            // It does not say whose it is.
            Form::Encrypted => introspector.includes_jwts,
            Form::Signed => {
                let is_its_own = || {
                    let payload = Compact::parse(token, self.max_token_bytes).ok()?.payload().ok()?;
                    let (issuer, _) = self.issuer_of(payload).ok()?;
                    Some(std::ptr::eq(issuer, asked))
                };
                introspector.includes_jwts && is_its_own() == Some(true)
            }
        };
        if !is_asked_about {
            return None;
        }
        Some(Inquiry { issuer: asked, introspector })
    }

    /// For how long what an issuer says of its tokens is remembered; `None` if no issuer is asked.
    pub(crate) fn introspection_cache(&self) -> Option<Duration> {
        self.issuers.iter().find_map(|issuer| Some(issuer.introspector.as_ref()?.cache_for))
    }
}

impl PreparedIssuer {
    /// Whether its JWTs are introspected, and never verified with keys.
    pub(super) fn introspects_jwts(&self) -> bool {
        self.introspector.as_ref().is_some_and(|introspector| introspector.includes_jwts)
    }
}

impl Inquiry<'_> {
    /// For how long what the issuer says of an active token is remembered.
    pub(crate) fn cache_for(&self) -> Duration {
        self.introspector.cache_for
    }

    /// What the issuer says of this token, if it is one for this service: its times are checked for each request. `None` if it is not
    /// active.
    ///
    /// # Errors
    /// If it can't be asked, or the token is not accepted here.
    pub(crate) async fn ask(
        &self,
        token: &str,
        now: SystemTime,
        monotonic: Duration,
    ) -> Result<Option<VerifiedToken>, IntrospectionError> {
        let Some(answer) = self.introspector.ask(token, now, monotonic).await? else { return Ok(None) };
        self.read(answer).map(Some).map_err(IntrospectionError::Rejected)
    }

    /// The error of a token that it is not asked about.
    pub(crate) fn not_asked(&self, why: &str) -> IntrospectionError {
        IntrospectionError::Unavailable(format!("of {}, {why}", self.introspector.shown()))
    }

    /// Whether the same answer means the same for each request.
    pub(crate) fn may_be_remembered(&self) -> bool {
        self.issuer.may_be_remembered
    }

    fn read(&self, answer: Document) -> Result<VerifiedToken, VerifyError> {
        let issuer = self.issuer;
        let mut claims = TokenClaims::read(Payload::Read(answer), issuer.mapping.forms)?;
        if claims.issuer().is_none() && self.introspector.accepts_missing_issuer {
            claims.set_missing_issuer(&self.introspector.issuer);
        }
        issuer.check_names(&claims)?;
        check_is_access_token(&claims)?;
        Ok(VerifiedToken {
            claims,
            mapping: Arc::clone(&issuer.mapping),
            may_be_remembered: issuer.may_be_remembered,
            key: None,
            restricts_grants: false,
        })
    }
}

/// An issuer also answers about refresh tokens (RFC 7662 §2.1), and says so with these, if at all.
fn check_is_access_token(claims: &TokenClaims) -> Result<(), VerifyError> {
    let is_one_of = |name: &'static str, accepted: &[&str]| match claims.find(name) {
        Some(value) => {
            let is_accepted =
                |text: &str| accepted.iter().any(|accepted| accepted.eq_ignore_ascii_case(text));
            if value.as_str().is_some_and(is_accepted) {
                Ok(())
            } else {
                Err(VerifyError::InvalidClaim(name))
            }
        }
        None => Ok(()),
    };
    // RFC 6749 §5.1: compared without case.
    is_one_of("token_type", &["Bearer"])?;
    // Of Ory Hydra and Amazon Cognito.
    is_one_of("token_use", &["access_token", "access"])
}

/// What asks this issuer; `None` if nothing does, or after an error.
pub(super) fn prepare(
    issuer: &TrustedIssuer,
    label: &str,
    errors: &mut ConfigErrors,
) -> Option<Introspector> {
    let introspection = issuer.introspection.as_ref()?;
    if introspection.includes_jwts() && issuer.has_keys() && !issuer.needs_keys() {
        errors.push(format!(
            "{label}: it has keys, and `Introspection::include_jwts()` is called, so they would verify nothing: leave out the keys or the call. \
             Keys are for logout tokens alone then: call `.logout_audience(..)` if it sends them"
        ));
    }
    Introspector::new(issuer.name.exact(), label, introspection, errors)
}

/// Reports issuers between which a token could not choose that says nothing.
pub(super) fn check(issuers: &[TrustedIssuer], errors: &mut ConfigErrors) {
    let mut asked = issuers.iter().filter(|issuer| issuer.introspection.is_some());
    if let (Some(one), Some(other)) = (asked.next(), asked.next()) {
        errors.push(format!(
            "{} and {} both have an `introspection`, and an opaque token does not say which of them to ask: keep one, and add an \
             `.authenticator(..)` in another place for the tokens of the other",
            one.name.label(),
            other.name.label()
        ));
    }
}
