use std::hint::black_box;

use axum_07::Router;
use axum_07::routing::get;
use jwt_authorizer::{IntoLayer as _, JwtAuthorizer, JwtClaims, Validation};
use tokio::runtime::Runtime;

use crate::app::{App, Axum07};
use crate::claims::Claims;
use crate::key::{Algorithm, Key, SECRET};
use crate::{AUDIENCE, ISSUER};

async fn guarded(JwtClaims(claims): JwtClaims<Claims>) -> &'static str {
    black_box(&claims.sub);
    "ok"
}

pub(super) fn make(key: &Key, runtime: &Runtime) -> Result<Box<dyn App>, &'static str> {
    let builder = match key.algorithm {
        Algorithm::Hs256 => JwtAuthorizer::<Claims>::from_secret(SECRET),
        Algorithm::Rs256 => JwtAuthorizer::from_rsa_pem_text(&key.pem),
        Algorithm::Es256 => JwtAuthorizer::from_ec_pem_text(&key.pem),
        Algorithm::EdDsa => JwtAuthorizer::from_ed_pem_text(&key.pem),
    };
    let builder =
        builder.validation(Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE])).check(Claims::is_admin);
    let authorizer = runtime.block_on(builder.build()).expect("an authorizer");
    Ok(Axum07::of(Router::new().route("/", get(guarded)).layer(authorizer.into_layer())))
}
