//! Two instances of a service on one server.

use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::session::TokenService;
use auth_runtime::store::RedisStore;
use auth_runtime::{Auth, Router, auth};
use auth_tests_servers::RedisServer;

use super::connect;
use crate::support::people::{People, issuer};
use crate::support::{status, until};

#[auth]
async fn guarded() {}

struct Instance {
    auth: Auth,
    tokens: TokenService,
    app: axum::Router,
}

impl Instance {
    async fn start(store: RedisStore) -> Self {
        let builder = Auth::builder().token_issuer(issuer(&People::default()));
        let auth = builder.max_staleness(Duration::from_secs(60)).store(store).build().unwrap();
        let app = Router::new().route("/", get(guarded)).finish(&auth).unwrap();
        auth.start().await.unwrap();
        Self { tokens: auth.tokens().unwrap(), auth, app }
    }

    async fn ask(&self, token: &str) -> u16 {
        status(&self.app, "GET", "/", Some(token)).await
    }
}

/// Also after the server was killed, and after it has lost everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_logout_reaches_the_other_instance() {
    let server = RedisServer::start();
    let first = Instance::start(connect(&server.url()).await).await;
    let second = Instance::start(connect(&server.url()).await).await;
    let alice = People::default().find("alice").unwrap().unwrap();
    for round in 0..4 {
        let mut given = None;
        until("a login is stored", async || {
            given = first.tokens.issue(&alice).await.ok();
            given.is_some()
        })
        .await;
        let given = given.unwrap();
        assert_eq!((first.ask(&given.access_token).await, second.ask(&given.access_token).await), (200, 200));
        second.tokens.log_out(&given.refresh_token).await.unwrap();
        assert_eq!(second.ask(&given.access_token).await, 401, "at once");
        until("the other instance refuses it", async || first.ask(&given.access_token).await == 401).await;
        assert!(first.tokens.refresh(&given.refresh_token).await.is_err());
        if round == 3 {
            continue;
        }
        server.kill();
        if round == 1 {
            server.delete_data();
        }
        server.start_again();
        until("both follow again", async || {
            first.auth.start().await.is_ok() && second.auth.start().await.is_ok()
        })
        .await;
        assert_eq!((first.ask(&given.access_token).await, second.ask(&given.access_token).await), (401, 401));
        // What the second one had acknowledged is in the log again, for an instance that starts now.
        let third = Instance::start(connect(&server.url()).await).await;
        until("it is refused", async || third.ask(&given.access_token).await == 401).await;
    }
}
