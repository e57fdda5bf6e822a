use std::hint::black_box;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::get;
use huskarl_axum::extractors::ValidatedToken;
use huskarl_axum::layers::ValidatorLayer;
use huskarl_axum::resource_server::DefaultJwsVerifierPlatform;
use huskarl_axum::resource_server::core::crypto::verifier::{
    JwsVerifier, JwsVerifierPlatform, MultiKeyVerifier,
};
use huskarl_axum::resource_server::core::jwk::{Jwk, PublicJwk, SymmetricJwk};
use huskarl_axum::resource_server::core::jwt::validator::ClaimCheck;
use huskarl_axum::resource_server::validator::custom::CustomValidator;
use huskarl_crypto_native::symmetric::SymmetricKey;
use tokio::runtime::Runtime;

use crate::app::{App, Axum};
use crate::claims::OtherClaims;
use crate::key::{Algorithm, Key};
use crate::{AUDIENCE, ISSUER};

async fn guarded(token: ValidatedToken<OtherClaims>) -> Result<&'static str, StatusCode> {
    black_box(&token.sub);
    if token.claims.is_admin() { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
}

async fn verifier(key: &Key) -> Arc<dyn JwsVerifier> {
    match key.algorithm {
        Algorithm::Hs256 => {
            let jwk: Jwk = serde_json::from_value(key.jwk.clone()).expect("a key");
            let jwk = SymmetricJwk::try_from(jwk.private_jwk().expect("a secret")).expect("a secret");
            Arc::new(SymmetricKey::from_jwk(jwk).expect("a key"))
        }
        _ => {
            let jwk: PublicJwk = serde_json::from_value(key.jwk.clone()).expect("a key");
            let platform: Arc<dyn JwsVerifierPlatform> = DefaultJwsVerifierPlatform::default().into();
            platform.create_verifier_from_jwk(jwk).await.expect("a verifier")
        }
    }
}

pub(super) fn make(key: &Key, runtime: &Runtime) -> Result<Box<dyn App>, &'static str> {
    let validator = runtime.block_on(async {
        let verifier: Arc<dyn JwsVerifier> = Arc::new(MultiKeyVerifier::new(vec![verifier(key).await]));
        CustomValidator::builder()
            .with_claims::<OtherClaims>()
            .iss(ClaimCheck::required_value(ISSUER))
            .aud(ClaimCheck::required_value(AUDIENCE))
            .require_exp(true)
            .sub(ClaimCheck::present())
            .typ(ClaimCheck::required_value("at+jwt"))
            .jws_verifier_factory(move |_: Option<&_>, _: Arc<dyn JwsVerifierPlatform>| {
                let verifier = Arc::clone(&verifier);
                Box::pin(async move { Ok(verifier) }) as _
            })
            .build()
            .await
            .expect("a validator")
    });
    let layer = ValidatorLayer::builder().validator(validator).build();
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).layer(layer.authenticated())))
}
