//! A file that is new, or that is not in its place any more.

use std::fs;

use auth_runtime::routing::get;
use auth_runtime::session::{Subject, readiness};
use auth_runtime::store::RedbStore;
use auth_runtime::{Auth, Router, auth};
use tracing::Level;

use super::new_store;
use crate::captured_log::CapturedLog;
use crate::support::people::{People, issuer};
use crate::support::{status, until};

#[auth]
async fn guarded() {}

/// What was acknowledged is enforced, requests are served, nothing is acknowledged, and a load balancer learns of it.
#[tokio::test]
async fn a_file_that_is_gone_is_reported_and_nothing_is_acknowledged() {
    let (directory, path) = new_store();
    let elsewhere = directory.path().join("elsewhere");
    let auth = Auth::builder()
        .token_issuer(issuer(&People::default()))
        .store(RedbStore::open(&path).unwrap())
        .build()
        .unwrap();
    auth.start().await.unwrap();
    let tokens = auth.tokens().unwrap();
    let app = Router::new().route("/", get(guarded)).route("/ready", get(readiness)).finish(&auth).unwrap();
    let ready = async || status(&app, "GET", "/ready", None).await;
    let answer = async |token: &str| status(&app, "GET", "/", Some(token)).await;
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
        assert_eq!((answer(&ended.access_token).await, answer(&stays.access_token).await), (401, 200));

        fs::rename(&elsewhere, &path).unwrap();
        until("it is in its place again", async || ready().await == 204).await;
    }
    tokens.log_out(&stays.refresh_token).await.unwrap();
    assert_eq!(answer(&stays.access_token).await, 401);
}

#[test]
fn a_new_store_is_announced_and_an_existing_one_is_not() {
    let (_directory, path) = new_store();
    let log = CapturedLog::start(Level::WARN);
    drop(RedbStore::open(&path).unwrap());
    let text = log.take();
    assert!(text.contains("WARN") && text.contains("the store is new: no user is logged in"), "{text}");
    assert!(text.contains(&path.display().to_string()) && text.contains("require_existing"), "{text}");
    drop(RedbStore::open(&path).unwrap());
    drop(RedbStore::options().require_existing().open(&path).unwrap());
    assert_eq!(log.take(), "");
}
