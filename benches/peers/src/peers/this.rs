use std::hint::black_box;

use auth_runtime::routing::get;
use auth_runtime::verify::{ClaimName, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth};
use tokio::runtime::Runtime;

use super::SMALL_CACHE;
use crate::app::{App, Axum};
use crate::key::Key;
use crate::{AUDIENCE, ISSUER};

#[auth(roles = ["admin"])]
async fn guarded(caller: Principal) -> &'static str {
    black_box(caller.subject());
    "ok"
}

pub(super) fn make(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    Ok(app(key, |builder| builder))
}

/// A new token takes the place of another, and its memory: until a cache is full, it takes memory that the process has to get of the system.
pub(super) fn with_a_small_cache(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    Ok(app(key, |builder| builder.token_cache(SMALL_CACHE, SMALL_CACHE)))
}

/// It verifies each token, as most peers do.
pub(super) fn without_a_cache(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    Ok(app(key, |builder| builder.token_cache(0, 0)))
}

fn app(key: &Key, configure: fn(AuthBuilder) -> AuthBuilder) -> Box<dyn App> {
    let issuer =
        TrustedIssuer::new(ISSUER).audience(AUDIENCE).roles_at(ClaimName::path(["realm_access", "roles"]));
    // A key set has no secret of HS256.
    let issuer = match key.algorithm {
        crate::key::Algorithm::Hs256 => {
            let secret =
                auth_runtime::verify::Key::secret(auth_runtime::verify::Algorithm::HS256, &*key.material);
            issuer.key(secret.with_id(crate::key::KEY_ID))
        }
        _ => issuer.jwks(key.jwks()),
    };
    let engine = configure(Auth::builder().issuer(issuer)).build().expect("an engine");
    Axum::of(Router::new().route("/", get(guarded)).finish(&engine).expect("routes"))
}
