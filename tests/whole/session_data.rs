//! What the application keeps with a session: requests that read and change it, and when it ends.

mod ends;
mod errors;
mod life;
mod moments;

use std::net::SocketAddr;
use std::time::Duration;

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys};
use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{get, post};
use auth_runtime::session::routes::TokenRoutes;
use auth_runtime::session::{
    IssuedTokens, SessionData, SessionDataError, SessionValue, Subject, TokenError, TokenIssuer, TokenService,
};
use auth_runtime::store::MemoryStore;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth, check};
use axum::body::Body;
use axum::extract::Path;
use axum::extract::connect_info::MockConnectInfo;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::captured_log::CapturedLog;
use crate::support::flaky::FlakyStore;
use crate::support::people::{AUDIENCE, ISSUER, People, issuer, signing_key};
use crate::support::{Reply, request, send};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

impl SessionValue for Cart {
    const NAME: &str = "cart";
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Theme(String);

impl SessionValue for Theme {
    const NAME: &str = "theme";
}

/// The cart of a later version of the service.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct LaterCart {
    items: Vec<u32>,
}

impl SessionValue for LaterCart {
    const NAME: &str = "cart";
}

/// A value that can't be written, and whose error says what is in it.
#[derive(Debug, Deserialize)]
struct Card(String);

impl Serialize for Card {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!("bad card {}", self.0)))
    }
}

impl SessionValue for Card {
    const NAME: &str = "card";
}

fn shown(cart: Option<Cart>) -> String {
    cart.map_or("none".to_owned(), |cart| cart.items.join("+"))
}

#[auth(source = ["bearer", "cookie", "api_key"])]
async fn cart(session: SessionData) -> Result<String, Rejection> {
    Ok(shown(session.get().await?))
}

#[auth(source = ["bearer", "cookie"])]
async fn add(session: SessionData, Path(item): Path<String>) -> Result<String, Rejection> {
    let cart = session
        .update(|cart: &mut Option<Cart>| {
            cart.get_or_insert_default().items.push(item.clone());
            cart.clone()
        })
        .await?;
    Ok(shown(cart))
}

#[auth(source = ["bearer", "cookie"])]
async fn clear(session: SessionData) -> Result<(), Rejection> {
    Ok(session.remove::<Cart>().await?)
}

#[auth(source = ["bearer", "cookie"])]
async fn set_theme(session: SessionData, Path(theme): Path<String>) -> Result<(), Rejection> {
    Ok(session.set(&Theme(theme)).await?)
}

#[auth(source = ["bearer", "cookie"])]
async fn set_card(session: SessionData) -> Result<(), Rejection> {
    Ok(session.set(&Card("hunter2".into())).await?)
}

#[auth(source = ["bearer", "cookie"])]
async fn later_cart(session: SessionData) -> Result<String, Rejection> {
    Ok(format!("{:?}", session.get::<LaterCart>().await?))
}

#[auth(optional, source = ["bearer", "cookie", "api_key"])]
async fn page(session: Option<SessionData>) -> Result<String, Rejection> {
    match session {
        Some(session) => Ok(shown(session.get().await?)),
        None => Ok("no session".to_owned()),
    }
}

#[auth(optional, source = ["bearer", "cookie"])]
async fn own_page(session: SessionData) -> Result<String, Rejection> {
    Ok(shown(session.get().await?))
}

#[auth(public)]
async fn public(session: SessionData) -> Result<String, Rejection> {
    Ok(shown(session.get().await?))
}

#[check]
async fn has_a_cart(_: &Principal, session: SessionData) -> Result<bool, Rejection> {
    Ok(session.get::<Cart>().await?.is_some())
}

#[auth(source = ["bearer", "cookie"], check = has_a_cart)]
async fn pay() {}

fn routes() -> Router {
    Router::new()
        .route("/cart", get(cart).delete(clear))
        .route("/cart/{item}", post(add))
        .route("/theme/{theme}", post(set_theme))
        .route("/card", post(set_card))
        .route("/later", get(later_cart))
        .route("/page", get(page))
        .route("/own", get(own_page))
        .route("/public", get(public))
        .route("/pay", post(pay))
}

/// An instance of a service. Instances with one store share the sessions.
struct Shop {
    auth: Auth,
    tokens: TokenService,
    clock: TestClock,
    store: FlakyStore,
    app: axum::Router,
}

impl Shop {
    async fn new() -> Self {
        Self::of(FlakyStore::default(), |issuer| issuer, |builder| builder).await
    }

    async fn of(
        store: FlakyStore,
        configure: impl FnOnce(TokenIssuer) -> TokenIssuer,
        build: impl FnOnce(AuthBuilder) -> AuthBuilder,
    ) -> Self {
        let (people, clock) = (People::default(), TestClock::new());
        let builder = Auth::builder()
            .clock(clock.clone())
            .token_issuer(configure(issuer(&people)))
            .api_keys(ApiKeys::in_header("X-API-Key").store(MemoryStore::new()))
            .issuer(TrustedIssuer::new(OTHER).audience(AUDIENCE).key(signing_key(7).verifying_key()))
            .renew_transparently()
            // The clock of the test stands still or jumps, so the view is never read too long ago.
            .max_staleness(Duration::MAX)
            .store(store.clone());
        let auth = build(builder).build().unwrap();
        auth.start().await.unwrap();
        let tokens = auth.tokens().unwrap();
        let login = TokenRoutes::cookies(tokens.clone(), people);
        let app = routes().nest("/auth", login.router()).finish(&auth).unwrap();
        let app = app.layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        Self { auth, tokens, clock, store, app }
    }

    async fn log_in(&self) -> IssuedTokens {
        self.tokens.issue(&Subject::new("alice")).await.unwrap()
    }

    async fn ask(&self, method: &str, path: &str, session: &IssuedTokens) -> Reply {
        let bearer = format!("Bearer {}", session.access_token);
        send(&self.app, request(method, path, &[("authorization", &bearer)])).await
    }

    async fn cart(&self, session: &IssuedTokens) -> String {
        let reply = self.ask("GET", "/cart", session).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    async fn add(&self, session: &IssuedTokens, item: &str) -> String {
        let reply = self.ask("POST", &format!("/cart/{item}"), session).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    fn data(&self, session: &IssuedTokens) -> SessionData {
        self.tokens.session_data_of(&session.session_id).unwrap()
    }
}

/// Another issuer that the service trusts.
const OTHER: &str = "https://id.test";
