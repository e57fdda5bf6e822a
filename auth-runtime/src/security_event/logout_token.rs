//! A logout token → the session or the user that has ended (OpenID Connect Back-Channel Logout 1.0 §2.6 and §2.7).

use std::time::SystemTime;

use super::{check_token_id, issued_at};
use crate::clock::from_unix_seconds;
use crate::store::Revocation;
use crate::verify::{Json, LOGOUT_EVENT, Limits, SessionIds, SignedLogout, TokenClaims};

/// What a logout token has ended.
#[derive(Debug)]
pub(crate) struct Logout {
    pub(crate) revocation: Revocation,
    /// `sub`, if the token has it.
    pub(crate) subject: Option<String>,
    /// Its `iat`.
    pub(crate) issued_at: SystemTime,
}

/// Reads a logout token whose signature, issuer and audience are verified.
///
/// # Errors
/// Why it counts for nothing, for the log.
pub(crate) fn read_logout_token(
    signed: &SignedLogout,
    limits: &Limits,
    now: i64,
) -> Result<Logout, &'static str> {
    let claims = &signed.claims;
    let bound = check_times(claims, signed.accepts_missing_expiry, limits, now)?;
    check_token_id(claims)?;
    let event = claims.find("events").and_then(|events| events.get(LOGOUT_EVENT));
    if !event.is_some_and(Json::is_object) {
        return Err("its `events` has no object for the back-channel logout");
    }
    if claims.find("nonce").is_some() {
        return Err("it has a `nonce`, which no logout token has: it may be an ID token");
    }
    let (sub, sid) = (claims.sub(), claims.session_id());
    if sub == Some("") || sid == Some("") {
        return Err("its `sub` or its `sid` is empty");
    }
    let issuer = || claims.issuer().unwrap_or_default().to_owned();
    let user = |sub: &str| Revocation::UserBySub {
        issuer: issuer(),
        sub: sub.to_owned(),
        issued_at_or_before: from_unix_seconds(bound),
    };
    let revocation = match (sid, signed.session_ids, sub) {
        (Some(sid), SessionIds::InAccessTokens, _) => {
            Revocation::Session { issuer: issuer(), session_id: sid.to_owned() }
        }
        // Without `sid`, all sessions of the user are meant.
        (None, _, Some(sub)) | (Some(_), SessionIds::AllOfUser, Some(sub)) => user(sub),
        (Some(_), SessionIds::AllOfUser, None) => {
            return Err(
                "it ends a session by its `sid` alone, which access tokens of this issuer do not have, and it has no `sub`: have \
                        the issuer send `sub`",
            );
        }
        (Some(_), SessionIds::Unknown, _) => {
            return Err(
                "it ends a session by its `sid`, and whether access tokens of this issuer have it is not known: call \
                        `access_tokens_have_sid()` of the `TrustedIssuer` if they have, or `logout_ends_all_sessions()` if they have not",
            );
        }
        (None, _, None) => return Err("it has neither `sub` nor `sid`"),
    };
    Ok(Logout { revocation, subject: sub.map(str::to_owned), issued_at: from_unix_seconds(bound) })
}

/// Checks `iat`, `exp` and `nbf`. Returns the time up to which tokens are revoked.
fn check_times(
    claims: &TokenClaims,
    accepts_missing_expiry: bool,
    limits: &Limits,
    now: i64,
) -> Result<i64, &'static str> {
    /// For how long a token counts that does not say so: as §2.4 recommends for `exp`.
    const LIFETIME: i64 = 2 * 60;
    let issued_at = issued_at(claims, limits, now)?;
    let expires_at = match claims.expires_at {
        Some(expires_at) => expires_at,
        None if accepts_missing_expiry => issued_at.saturating_add(LIFETIME),
        None => {
            return Err(
                "it has no `exp`: have the issuer send it, or call `accept_logout_tokens_without_exp()` of the `TrustedIssuer`",
            );
        }
    };
    if now >= expires_at.saturating_add(limits.leeway) {
        return Err("it has expired");
    }
    if claims.not_before.is_some_and(|not_before| not_before > now.saturating_add(limits.leeway)) {
        return Err("its `nbf` is in the future");
    }
    Ok(issued_at)
}
