//! Its rules are scopes, and no roles: the handler asks for the scope `admin`.

use std::hint::black_box;

use aliri::jwt::{Audience, Audiences, CoreClaims, CoreValidator, Issuer, IssuerRef, Subject, SubjectRef};
use aliri::{Jwks, jwa};
use aliri_axum::scope_guards;
use aliri_clock::UnixTime;
use aliri_oauth2::{Authority, HasScope, Scope};
use aliri_tower::Oauth2Authorizer;
use axum::routing::get;
use serde::Deserialize;
use tokio::runtime::Runtime;

use crate::app::{App, Axum};
use crate::key::{Algorithm, Key};
use crate::{AUDIENCE, ISSUER};

#[derive(Debug, Clone, Deserialize)]
struct Claims {
    iss: Issuer,
    aud: Audiences,
    sub: Subject,
    exp: UnixTime,
    scope: Scope,
}

impl CoreClaims for Claims {
    fn nbf(&self) -> Option<UnixTime> {
        None
    }

    fn exp(&self) -> Option<UnixTime> {
        Some(self.exp)
    }

    fn aud(&self) -> &Audiences {
        &self.aud
    }

    fn iss(&self) -> Option<&IssuerRef> {
        Some(&self.iss)
    }

    fn sub(&self) -> Option<&SubjectRef> {
        Some(&self.sub)
    }
}

impl HasScope for Claims {
    fn scope(&self) -> &Scope {
        &self.scope
    }
}

scope_guards! {
    type Claims = Claims;

    scope Admin = "admin";
}

async fn guarded(Admin(claims): Admin) -> &'static str {
    black_box(&claims.sub);
    "ok"
}

pub(super) fn make(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    let algorithm = match key.algorithm {
        Algorithm::Hs256 => jwa::Algorithm::HS256,
        Algorithm::Rs256 => jwa::Algorithm::RS256,
        Algorithm::Es256 => jwa::Algorithm::ES256,
        Algorithm::EdDsa => return Err("has no EdDSA"),
    };
    let keys: Jwks = serde_json::from_str(&key.jwks()).expect("a key set");
    let validator = CoreValidator::default()
        .add_approved_algorithm(algorithm)
        .add_allowed_audience(Audience::from_static(AUDIENCE))
        .require_issuer(Issuer::from_static(ISSUER));
    let authorizer = Oauth2Authorizer::new().with_claims::<Claims>().with_terse_error_handler();
    let layer = authorizer.jwt_layer(Authority::new(keys, validator));
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).layer(layer)))
}

/// What makes it refuse a token that others accept.
#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::tokens::{Form, claims, credential};

    fn accepts(claims: &Value) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let key = Key::new(Algorithm::Hs256);
        let mut app = make(&key, &runtime).unwrap();
        app.ask(&runtime, &credential(&key, claims, 0)).is_ok()
    }

    #[test]
    fn a_token_without_scopes_is_refused() {
        let mut claims = claims(Form::Keycloak, 600);
        assert!(accepts(&claims));
        claims.as_object_mut().unwrap().remove("scope");
        assert!(!accepts(&claims));
    }
}
