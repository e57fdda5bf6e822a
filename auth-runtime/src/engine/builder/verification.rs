//! What verifies tokens, and what issues them.

use std::sync::Arc;
use std::time::Duration;

use super::AuthBuilder;
use crate::clock::LONGEST_LIFETIME;
#[cfg(feature = "introspection")]
use crate::engine::IntrospectedTokens;
use crate::error::ConfigErrors;
use crate::issue::{IssuerState, TokenIssuer};
use crate::verify::{JwtVerifier, Limits};

const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// The verifier of tokens, and the engine's own token issuer.
pub(super) fn assemble(
    builder: &mut AuthBuilder,
    errors: &mut ConfigErrors,
) -> (Arc<JwtVerifier>, Option<IssuerState>) {
    check_limits(builder, errors);
    if let Some(own) = &builder.token_issuer {
        builder.issuers.push(own.as_trusted());
    }
    if builder.issuers.is_empty() && builder.authenticators.is_empty() {
        errors.push(
            "no issuer, so no token could be verified: call `.issuer(TrustedIssuer::new(..).audience(..).key(..))`, or \
             `.token_issuer(TokenIssuer::new(..))` for tokens of this service's own, or `.authenticator(..)` for other credentials",
        );
    }
    let jwt = Arc::new(JwtVerifier::new(&builder.issuers, builder.max_token_bytes, errors));
    let limits = Limits::new(builder.leeway, builder.max_token_lifetime);
    let renews = builder.renew_transparently;
    let issuer = builder.token_issuer.take();
    let issuer = token_issuer(issuer, &jwt, &limits, renews, errors);
    (jwt, issuer)
}

/// What is remembered of tokens that their issuer is asked about; `None` if no issuer is.
#[cfg(feature = "introspection")]
pub(super) fn introspected(jwt: &JwtVerifier, errors: &mut ConfigErrors) -> Option<Arc<IntrospectedTokens>> {
    let made = IntrospectedTokens::new(jwt.introspection_cache()?);
    made.map_err(|error| errors.push(error)).ok().map(Arc::new)
}

fn check_limits(builder: &AuthBuilder, errors: &mut ConfigErrors) {
    if builder.leeway > MAX_LEEWAY {
        errors.push(format!(
            "`leeway` is {} s, and must be {} s at most: synchronize the clocks instead",
            builder.leeway.as_secs(),
            MAX_LEEWAY.as_secs()
        ));
    }
    if builder.max_token_lifetime.as_secs() == 0 {
        errors.push("`max_token_lifetime` is less than a second, so no token would be accepted");
    }
    if builder.max_token_lifetime > LONGEST_LIFETIME {
        errors.push(format!(
            "`max_token_lifetime` is {} s, and must be {} s (100 years) at most: revocations are kept for as long",
            builder.max_token_lifetime.as_secs(),
            LONGEST_LIFETIME.as_secs()
        ));
    }
}

fn token_issuer(
    issuer: Option<TokenIssuer>,
    jwt: &Arc<JwtVerifier>,
    limits: &Limits,
    renews: bool,
    errors: &mut ConfigErrors,
) -> Option<IssuerState> {
    let state =
        issuer.map(|issuer| issuer.prepare(Arc::clone(jwt), limits.longest_lifetime(), renews, errors));
    if renews && !state.as_ref().is_some_and(IssuerState::has_grace) {
        errors.push(
            "`renew_transparently()` needs `.token_issuer(..)` with a grace period: a browser sends several requests at once, \
             and all but the first would end the session",
        );
    }
    state
}
