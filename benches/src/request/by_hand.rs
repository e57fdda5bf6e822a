//! What a person writes who has no library for it: an extractor on `jsonwebtoken`, with a cache of what it has verified.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Claims {
    pub sub: String,
    exp: u64,
    roles: Vec<String>,
}

pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
    known: RwLock<HashMap<Box<str>, Arc<Claims>>>,
}

impl Verifier {
    pub fn new(secret: &[u8]) -> Arc<Self> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&["https://id.example.com"]);
        validation.set_audience(&["shop"]);
        Arc::new(Self { key: DecodingKey::from_secret(secret), validation, known: RwLock::default() })
    }

    fn claims(&self, token: &str) -> Option<Arc<Claims>> {
        let known = self.known.read().ok()?.get(token).cloned();
        let claims = match known {
            Some(claims) => claims,
            None => {
                let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).ok()?.claims;
                let claims = Arc::new(claims);
                self.known.write().ok()?.insert(token.into(), Arc::clone(&claims));
                claims
            }
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        (claims.exp > now && claims.roles.iter().any(|role| role == "admin")).then_some(claims)
    }
}

/// The caller, by `Authorization: Bearer`.
pub struct ByBearer(pub Arc<Claims>);

/// The caller, by a cookie.
pub struct ByCookie(pub Arc<Claims>);

impl FromRequestParts<Arc<Verifier>> for ByBearer {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, verifier: &Arc<Verifier>) -> Result<Self, StatusCode> {
        let header = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        token.and_then(|token| verifier.claims(token)).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl FromRequestParts<Arc<Verifier>> for ByCookie {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, verifier: &Arc<Verifier>) -> Result<Self, StatusCode> {
        let header = head.headers.get(COOKIE).and_then(|value| value.to_str().ok());
        let mut cookies = header.into_iter().flat_map(|value| value.split("; "));
        let token = cookies.find_map(|cookie| cookie.strip_prefix("__Host-access_token="));
        token.and_then(|token| verifier.claims(token)).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}
