//! What a person writes who has no library for it: an extractor on `jsonwebtoken` with a cache of what it has verified, and a middleware
//! without one.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a service reads of a token.
pub trait Claims: DeserializeOwned + Send + Sync + 'static {
    /// `exp`
    fn expires(&self) -> u64;
    fn roles(&self) -> &[String];
}

/// Roles where this library has them by default.
#[derive(Deserialize)]
pub struct FlatClaims {
    pub sub: String,
    exp: u64,
    roles: Vec<String>,
}

impl Claims for FlatClaims {
    fn expires(&self) -> u64 {
        self.exp
    }

    fn roles(&self) -> &[String] {
        &self.roles
    }
}

pub struct Verifier<C> {
    key: DecodingKey,
    validation: Validation,
    known: RwLock<HashMap<Box<str>, Arc<C>>>,
}

impl<C: Claims> Verifier<C> {
    pub fn new(algorithm: Algorithm, key: DecodingKey, issuer: &str, audience: &str) -> Arc<Self> {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        Arc::new(Self { key, validation, known: RwLock::default() })
    }

    fn decode(&self, token: &str) -> Option<C> {
        Some(jsonwebtoken::decode::<C>(token, &self.key, &self.validation).ok()?.claims)
    }

    fn claims(&self, token: &str) -> Option<Arc<C>> {
        let known = self.known.read().ok()?.get(token).cloned();
        let claims = match known {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.decode(token)?);
                self.known.write().ok()?.insert(token.into(), Arc::clone(&claims));
                claims
            }
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        (claims.expires() > now && is_admin(&*claims)).then_some(claims)
    }
}

fn is_admin(claims: &impl Claims) -> bool {
    claims.roles().iter().any(|role| role == "admin")
}

/// The caller, by `Authorization: Bearer`.
pub struct ByBearer<C>(pub Arc<C>);

/// The caller, by a cookie.
pub struct ByCookie<C>(pub Arc<C>);

impl<C: Claims> FromRequestParts<Arc<Verifier<C>>> for ByBearer<C> {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, verifier: &Arc<Verifier<C>>) -> Result<Self, StatusCode> {
        let token = bearer(&head.headers);
        token.and_then(|token| verifier.claims(token)).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl<C: Claims> FromRequestParts<Arc<Verifier<C>>> for ByCookie<C> {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, verifier: &Arc<Verifier<C>>) -> Result<Self, StatusCode> {
        let header = head.headers.get(COOKIE).and_then(|value| value.to_str().ok());
        let mut cookies = header.into_iter().flat_map(|value| value.split("; "));
        let token = cookies.find_map(|cookie| cookie.strip_prefix("__Host-access_token="));
        token.and_then(|token| verifier.claims(token)).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// A middleware without a cache, for `axum::middleware::from_fn_with_state`: the claims are an extension of the request.
pub async fn guard<C: Claims + Clone>(
    State(verifier): State<Arc<Verifier<C>>>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let claims = bearer(request.headers())
        .and_then(|token| verifier.decode(token))
        .filter(is_admin)
        .ok_or(StatusCode::UNAUTHORIZED)?;
    request.extensions_mut().insert(claims);
    Ok(next.run(request).await)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bearer "))
}
