//! A file that is new, or that is not in its place any more.

use std::fs;
use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::session::{Subject, readiness};
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, Router, auth};
use tracing::Level;

use super::new_store;
use crate::captured_log::CapturedLog;
use crate::support::people::{People, issuer};
use crate::support::{request, send};

#[auth]
async fn guarded() {}

/// What the engine's own work in the background leads to, within some seconds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .unwrap_or_else(|_| panic!("{what}: not yet"));
}

/// What was acknowledged is enforced, requests are served, nothing is acknowledged, and a load balancer is told.
#[tokio::test]
async fn a_file_that_is_gone_is_reported_and_nothing_is_acknowledged() {
    let (directory, path) = new_store();
    let elsewhere = directory.path().join("elsewhere");
    let auth = Auth::builder()
        .token_issuer(issuer(&People::default()))
        .store(RedbStore::open(&path).unwrap())
        .build()
        .unwrap();
    auth.catch_up().await.unwrap();
    let tokens = auth.tokens().unwrap();
    let app = Router::new().route("/", get(guarded)).route("/ready", get(readiness)).finish(&auth).unwrap();
    let ready = async || send(&app, request("GET", "/ready", &[])).await.status.as_u16();
    let status = async |token: &str| {
        let bearer = format!("Bearer {token}");
        send(&app, request("GET", "/", &[("authorization", &bearer)])).await.status.as_u16()
    };
    let (alice, bob) = (Subject::new("alice"), Subject::new("bob"));
    let (ended, stays) = (tokens.issue(&alice).await.unwrap(), tokens.issue(&bob).await.unwrap());
    tokens.log_out(&ended.refresh_token).await.unwrap();
    assert_eq!(ready().await, 204);

    for replaced in [false, true] {
        fs::rename(&path, &elsewhere).unwrap();
        if replaced {
            fs::write(&path, fs::read(&elsewhere).unwrap()).unwrap();
        }
        let error = tokens.log_out(&stays.refresh_token).await.unwrap_err();
        assert!(error.is_temporary(), "{error}");
        let expected = if replaced { "was replaced" } else { "was deleted or moved" };
        assert!(error.to_string().contains(expected), "{error}");
        assert!(tokens.issue(&alice).await.is_err());
        until("it is noticed", async || ready().await == 503).await;
        let found = auth.revocations().status();
        assert!(!found.writable && !found.ready && found.failure.unwrap().contains(expected));
        assert_eq!((status(&ended.access_token).await, status(&stays.access_token).await), (401, 200));

        fs::rename(&elsewhere, &path).unwrap();
        until("it is in its place again", async || ready().await == 204).await;
    }
    tokens.log_out(&stays.refresh_token).await.unwrap();
    assert_eq!(status(&stays.access_token).await, 401);
}

#[test]
fn a_new_store_is_announced_and_an_existing_one_is_not() {
    let (_directory, path) = new_store();
    let log = CapturedLog::start(Level::WARN);
    drop(RedbStore::open(&path).unwrap());
    let text = log.take();
    assert!(text.contains("WARN") && text.contains("the store is new: nobody is logged in"), "{text}");
    assert!(text.contains(&path.display().to_string()) && text.contains("require_existing"), "{text}");
    drop(RedbStore::open(&path).unwrap());
    drop(RedbStore::options().require_existing().open(&path).unwrap());
    assert_eq!(log.take(), "");
}
