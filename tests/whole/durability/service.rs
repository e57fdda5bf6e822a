//! The service that is killed and started again, and what has to hold then.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::session::{RefreshError, TokenError};
use auth_runtime::store::{RedbStore, StoreError};
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, Router, auth};
use serde_json::json;
use tokio::runtime::Runtime;

use super::child::Line;
use crate::support::people::{AUDIENCE, People, issuer, signing_key};
use crate::support::{request, send};

/// The issuer of the tokens that are revoked by their ids.
pub(super) const PARTNER: &str = "https://partner.test";

#[auth]
async fn guarded() {}

pub(super) struct Service {
    pub(super) auth: Auth,
    app: axum::Router,
}

impl Service {
    pub(super) async fn start(store: &Path) -> Result<Self, StoreError> {
        let partner = TrustedIssuer::new(PARTNER).audience(AUDIENCE).key(signing_key(9).verifying_key());
        let auth = Auth::builder()
            .issuer(partner)
            .token_issuer(issuer(&People::default()))
            .store(RedbStore::open(store)?)
            .build()
            .unwrap();
        auth.catch_up().await?;
        let app = Router::new().route("/", get(guarded)).finish(&auth).unwrap();
        Ok(Self { auth, app })
    }

    /// Starts it on a runtime that ends with `work`: nobody holds the file afterwards.
    pub(super) fn run(store: &Path, work: impl AsyncFnOnce(Self)) {
        Runtime::new().unwrap().block_on(async { work(Self::start(store).await.unwrap()).await });
    }

    /// How a request with this token is answered.
    pub(super) async fn status(&self, token: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        send(&self.app, request("GET", "/", &[("authorization", &bearer)])).await.status.as_u16()
    }
}

/// A token of the partner's with this `jti`.
pub(super) fn token(id: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": PARTNER, "aud": AUDIENCE, "sub": "alice", "jti": id, "iat": now, "exp": now + 900,
    });
    signing_key(9).sign(&claims).unwrap()
}

/// What a child said that it had recorded.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    pub(super) revoked: Vec<String>,
    pub(super) logged_in: Vec<String>,
    pub(super) logged_out: Vec<(String, String)>,
}

impl Acknowledged {
    /// The reason, if the line is about a failure.
    pub(super) fn note(&mut self, line: Line) -> Option<String> {
        match line {
            Line::Opening => {}
            Line::Revoked(id) => self.revoked.push(id),
            Line::LoggedIn(refresh_token) => self.logged_in.push(refresh_token),
            Line::LoggedOut { refresh_token, access_token } => {
                self.logged_out.push((refresh_token, access_token));
            }
            Line::Served { good, revoked } => {
                assert_eq!((good, revoked.unwrap_or(401)), (200, 401));
            }
            Line::NotOpened(reason) => panic!("{reason}"),
            Line::Failed(reason) => return Some(reason),
        }
        None
    }

    /// Holds all of it against a service that was started after the child had ended. Logins go on with their next tokens.
    pub(super) async fn check(&mut self, service: &Service) {
        assert_eq!(service.status(&token("good")).await, 200);
        for id in &self.revoked {
            assert_eq!(service.status(&token(id)).await, 401, "{id} was revoked");
        }
        let tokens = service.auth.tokens().unwrap();
        for refresh_token in &mut self.logged_in {
            let next = tokens.refresh(refresh_token).await.unwrap();
            assert_eq!(service.status(&next.access_token).await, 200);
            *refresh_token = next.refresh_token;
        }
        for (refresh_token, access_token) in &self.logged_out {
            let refused = tokens.refresh(refresh_token).await.unwrap_err();
            assert!(matches!(refused, TokenError::InvalidRefreshToken(RefreshError::Ended)), "{refused}");
            assert_eq!(service.status(access_token).await, 401, "a logout takes access tokens too");
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.revoked.extend(other.revoked);
        self.logged_in.extend(other.logged_in);
        self.logged_out.extend(other.logged_out);
    }
}
