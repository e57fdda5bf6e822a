//! What verifies tokens: issuers, or a verifier of the application's own; and what issues them.

use std::sync::Arc;
use std::time::Duration;

use super::AuthBuilder;
use crate::engine::TokenVerifier;
use crate::error::ConfigErrors;
use crate::issue::{IssuerState, TokenIssuer};
use crate::verify::{JwtVerifier, Limits, TrustedIssuer, Verifier};

const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// The verifier, and the engine's own token issuer; `None` if there is nothing to verify with.
pub(super) fn assemble(
    builder: &mut AuthBuilder,
    errors: &mut ConfigErrors,
) -> Option<(TokenVerifier, Option<IssuerState>)> {
    check_limits(builder, errors);
    if let Some(own) = &builder.token_issuer {
        builder.issuers.push(own.as_trusted());
    }
    let verifier = verifier(builder.verifier.take(), &builder.issuers, builder.max_token_bytes, errors);
    let limits = Limits::new(builder.leeway, builder.max_token_lifetime);
    let renews = builder.renew_transparently;
    let issuer = token_issuer(builder.token_issuer.take(), verifier.as_ref(), &limits, renews, errors);
    Some((verifier?, issuer))
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
}

fn verifier(
    own: Option<Arc<dyn Verifier>>,
    issuers: &[TrustedIssuer],
    max_token_bytes: usize,
    errors: &mut ConfigErrors,
) -> Option<TokenVerifier> {
    match own {
        Some(own) => {
            if !issuers.is_empty() {
                errors.push(
                    "both `.verifier(..)` and `.issuer(..)` or `.token_issuer(..)` are given: keep one of the two",
                );
            }
            Some(TokenVerifier::Own(own))
        }
        None if issuers.is_empty() => {
            errors.push(
                "no issuer, so no token could be verified: call `.issuer(TrustedIssuer::new(..).audience(..).key(..))`, or \
                 `.token_issuer(TokenIssuer::new(..))` for tokens of this service's own",
            );
            None
        }
        None => Some(TokenVerifier::Jwt(Arc::new(JwtVerifier::new(issuers, max_token_bytes, errors)))),
    }
}

fn token_issuer(
    issuer: Option<TokenIssuer>,
    verifier: Option<&TokenVerifier>,
    limits: &Limits,
    renews: bool,
    errors: &mut ConfigErrors,
) -> Option<IssuerState> {
    let state = match (issuer, verifier) {
        (Some(issuer), Some(TokenVerifier::Jwt(jwt))) => {
            Some(issuer.prepare(Arc::clone(jwt), limits.longest_lifetime(), renews, errors))
        }
        _ => None,
    };
    if renews && !state.as_ref().is_some_and(IssuerState::has_grace) {
        errors.push(
            "`renew_transparently()` needs `.token_issuer(..)` with a grace period: a browser sends several requests at once, \
             and all but the first would end the session",
        );
    }
    state
}
