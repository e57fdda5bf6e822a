use std::hint::black_box;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::get;
use oauth_resource_server::axum::AuthLayer;
use oauth_resource_server::{AuthorizedToken, KeyNaming, OAuthConfig, OAuthValidator};
use tokio::runtime::Runtime;

use super::key_server;
use crate::app::{App, Axum};
use crate::key::{Algorithm, Key};
use crate::{AUDIENCE, ISSUER};

async fn guarded(token: AuthorizedToken) -> Result<&'static str, StatusCode> {
    black_box(&token.principal);
    let is_admin = token.has_claim_value_at(&["realm_access", "roles"], "admin");
    if is_admin { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
}

pub(super) fn make(key: &Key, runtime: &Runtime) -> Result<Box<dyn App>, &'static str> {
    if key.algorithm == Algorithm::Hs256 {
        return Err("takes no secrets, on purpose");
    }
    let config = OAuthConfig {
        enabled: true,
        issuer: ISSUER.to_owned(),
        jwks_uri: Some(key_server::serve(key.jwks())),
        audience: AUDIENCE.to_owned(),
        resource: "https://shop.example.com/".to_owned(),
        allow_unscoped_tokens: true,
        ..OAuthConfig::default()
    };
    let config = config.resolve(KeyNaming::Dotted("oauth")).expect("a configuration").expect("it is enabled");
    let validator = Arc::new(OAuthValidator::new(&config).expect("a validator"));
    runtime.block_on(validator.refresh_now()).expect("keys");
    let layer = AuthLayer::builder().oauth(validator).build().expect("a layer");
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).route_layer(layer)))
}
