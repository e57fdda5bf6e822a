//! Tokens renewed on the way: an expired access cookie, and a good refresh cookie beside it.

use axum::http::request::Parts;

use super::refused::{Fate, Refused};
use super::steps::{Credential, Step};
use crate::principal::Principal;
use crate::rejection::RejectionKind;
use crate::session::{RefreshError, TokenError, TokenService};
use crate::source::{Carrier, Extracted};

/// The caller that a renewed token tells of; `None` where nothing can be renewed, and what was `found` counts.
pub(super) async fn renewed(
    step: &Step<'_>,
    head: &Parts,
    credential: Option<&Credential<'_>>,
    found: &Result<Option<Principal>, Refused>,
) -> Result<Option<Principal>, Refused> {
    let engine = step.auth.engine();
    if !engine.refresh_cookie().is_for_all_paths() || !step.takes_access_cookie() {
        return Ok(None);
    }
    let (Extracted::Present(refresh_token), Some(tokens)) =
        (engine.refresh_cookie().find(head), TokenService::of(engine.clone()))
    else {
        return Ok(None);
    };
    let renewable = match (credential, found) {
        (None, _) => true,
        // It must be of the same login: nobody becomes somebody else on the way.
        (Some(credential), Err(refused)) => {
            refused.fate == Fate::Expired && engine.is_access_cookie(credential.source) && {
                let expired = tokens.genuine(&credential.text);
                let session = expired.as_ref().and_then(Principal::session_id);
                session.is_some() && session == tokens.session_of(&refresh_token).as_deref()
            }
        }
        _ => false,
    };
    if !renewable {
        return Ok(None);
    }
    step.origin(head, Carrier::Ambient)?;
    match tokens.refresh(&refresh_token).await {
        Ok(tokens) => {
            tracing::debug!(session = tokens.session_id, "auth: tokens were renewed on the way");
            engine.token_cookies(&tokens, "/").into_iter().for_each(|cookie| step.auth.set_cookie(cookie));
            let renewed = Credential { source: engine.access_cookie(), text: tokens.access_token.into() };
            // The tokens are younger than the request.
            let step = Step { auth: step.auth, policy: step.policy, now: engine.now() };
            super::known(&step, head, &renewed).map(Some)
        }
        // Another instance may know the key.
        Err(TokenError::Refresh(RefreshError::Forged)) => Ok(None),
        Err(TokenError::Refresh(why)) => {
            tracing::info!(%why, "auth: a refresh cookie is not good, and is cleared");
            engine.clearing_cookies("/").into_iter().for_each(|cookie| step.auth.set_cookie(cookie));
            Ok(None)
        }
        Err(error) => Err(Refused::new(RejectionKind::Unavailable, error.to_string())),
    }
}
