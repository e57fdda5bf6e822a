//! The service that is killed and started again.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::api_key::ApiKeys;
use auth_runtime::routing::get;
use auth_runtime::store::{RedbStore, StoreError};
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, Router, auth};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::support::people::{AUDIENCE, People, issuer, signing_key};
use crate::support::{request, send, status};

/// The issuer of the tokens that are revoked by their ids.
pub const PARTNER: &str = "https://partner.test";

#[auth]
async fn guarded() {}

#[auth(source = "api_key")]
async fn guarded_by_key() {}

pub struct Service {
    pub auth: Auth,
    app: axum::Router,
}

impl Service {
    pub async fn start(store: &Path) -> Result<Self, StoreError> {
        let store = RedbStore::open(store)?;
        let partner = TrustedIssuer::new(PARTNER).audience(AUDIENCE).key(signing_key(9).verifying_key());
        let auth = Auth::builder()
            .issuer(partner)
            .token_issuer(issuer(&People::default()).max_sessions_per_user(usize::MAX))
            .api_keys(ApiKeys::default().store(store.clone()))
            .store(store)
            .build()
            .unwrap();
        auth.start().await.map_err(|error| error.store().unwrap().clone())?;
        let app =
            Router::new().route("/", get(guarded)).route("/key", get(guarded_by_key)).finish(&auth).unwrap();
        Ok(Self { auth, app })
    }

    /// Starts it on a runtime that ends with `work`: the file is not held afterwards.
    pub fn run(store: &Path, work: impl AsyncFnOnce(Self)) {
        Runtime::new().unwrap().block_on(async { work(Self::start(store).await.unwrap()).await });
    }

    /// How a request with this token is answered.
    pub async fn status(&self, token: &str) -> u16 {
        status(&self.app, "GET", "/", Some(token)).await
    }

    /// How a request with this API key is answered.
    pub async fn status_of_key(&self, key: &str) -> u16 {
        send(&self.app, request("GET", "/key", &[("x-api-key", key)])).await.status.as_u16()
    }
}

/// A token of the partner's with this `jti`.
pub fn token(id: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": PARTNER, "aud": AUDIENCE, "sub": "alice", "jti": id, "iat": now, "exp": now + 900,
    });
    signing_key(9).sign(&claims).unwrap()
}
