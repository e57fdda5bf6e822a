use std::hint::black_box;

use axum::Extension;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::runtime::Runtime;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use super::decoding;
use crate::app::{App, Axum};
use crate::claims::Claims;
use crate::key::Key;
use crate::{AUDIENCE, ISSUER};

async fn guarded(Extension(claims): Extension<Claims>) -> Result<&'static str, StatusCode> {
    black_box(&claims.sub);
    if claims.is_admin() { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
}

pub(super) fn make(key: &Key, runtime: &Runtime) -> Result<Box<dyn App>, &'static str> {
    let rules = ClaimsValidationSpec::new().exp(true).iss(ISSUER).aud(&vec![AUDIENCE.to_owned()]);
    let (_, validation) = decoding!(jsonwebtoken, key);
    let tenant = TenantConfiguration::static_builder(key.jwks())
        .claims_validation(rules)
        .allowed_algorithms(&validation.algorithms)
        .build()
        .expect("a tenant");
    let server = OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant);
    let server = runtime.block_on(server.build()).expect("a server");
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).layer(server.into_layer())))
}
