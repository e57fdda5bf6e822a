//! A rolling deployment: instances of this version and of a newer one, which writes kinds that this one does not know, share a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::Clock as _;
use auth_runtime::routing::get;
use auth_runtime::store::{LogCursor, LogEntry, MemoryStore, RevocationLog as _};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::users::UserStore;
use auth_runtime::{Principal, Router, User, auth};
use axum::BoxError;

use super::world::{Answer, World};
use crate::support::get_as;

/// What a newer version appends.
fn newer(world: &World, tag: u64, text: &str, seconds: u64) -> LogEntry {
    let keep_until = world.instances[0].clock.now() + Duration::from_secs(seconds);
    LogEntry { tag, keep_until, bytes: text.into() }
}

#[tokio::test(start_paused = true)]
async fn an_older_instance_answers_503_while_a_newer_one_revokes_what_it_does_not_understand() {
    for text in [
        r#"{"version":1,"revoke":{"device":{"issuer":"https://id.example.com","device_id":"d"}}}"#,
        r#"{"version":2,"revoke":{"token":{"issuer":"https://id.example.com","token_id":"t"}}}"#,
        "garbage",
    ] {
        let mut world = World::new(2).await;
        let token = world.token("t");
        assert!(world.instances[0].revoke("old").await);
        world.store.append_now(vec![newer(&world, 1, text, 60)]);
        assert!(world.instances[1].revoke("new").await);
        world.pass(Duration::from_secs(2)).await;
        for _ in ["running", "restarted"] {
            for instance in &world.instances {
                assert_eq!(instance.ask(&token).await, Answer::Unavailable, "{text}");
                let status = instance.status();
                let failure = status.failure.unwrap();
                assert!(!status.ready && failure.contains("upgrade this instance"), "{failure}");
                assert_eq!(status.cursor, 3, "it reads on");
            }
            world.instances[1].restart().await;
        }
        // When no token can be concerned any more, it serves again. What it knows is enforced.
        world.pass(Duration::from_secs(60)).await;
        for instance in &world.instances {
            assert_eq!(instance.ask(&token).await, Answer::Accepted, "{text}");
            assert!(instance.status().ready);
            for id in ["old", "new"] {
                assert_eq!(instance.ask(&world.token(id)).await, Answer::Revoked);
            }
        }
    }
}

/// A newer instance reads what an older one writes, and writes the kinds that both know in the same form.
#[tokio::test(start_paused = true)]
async fn what_both_know_has_one_form() {
    let world = World::new(1).await;
    assert!(world.instances[0].revoke("t1").await);
    let revoked = r#""version":1,"revoke":{"token":{"issuer":"https://id.example.com","token_id":"t1"}}"#;
    let at = world.instances[0].clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(world.store.has(&format!(r#"{{{revoked},"note":{{"at":{at}}}}}"#)));
    // Without the note, as before there was one, and with a note that says what this version does not know.
    for (tag, id, note) in
        [(9, "t2", ""), (10, "t3", r#","note":{"device":["d"]}"#), (11, "t4", r#","note":7"#)]
    {
        let text = format!("{{{}{note}}}", revoked.replace("t1", id));
        world.store.append_now(vec![newer(&world, tag, &text, 60)]);
        world.pass(Duration::from_secs(2)).await;
        assert_eq!(world.instances[0].ask(&world.token(id)).await, Answer::Revoked, "{text}");
        assert!(world.instances[0].status().ready, "{text}");
    }
}

#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl UserStore for Counted {
    type User = String;

    async fn load(&self, principal: &Principal) -> Result<Option<String>, BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Some(principal.subject().to_owned()))
    }
}

#[auth]
async fn who(User(user): User<String>) -> String {
    user.to_string()
}

/// A hint evicts. An instance that does not know whom it concerns evicts everything.
#[tokio::test]
async fn a_hint_that_is_not_known_empties_the_caches() {
    let loads = Arc::new(AtomicUsize::new(0));
    let store = MemoryStore::new();
    let test = TestAuth::with(|builder| builder.store(store.clone()).users(Counted(Arc::clone(&loads))));
    let app = Router::new().route("/", get(who)).finish(test.auth()).unwrap();
    test.auth().start().await.unwrap();
    let ask = async |expected: usize| {
        for name in ["alice", "bob"] {
            assert_eq!(get_as(&app, &test, &TestUser::new(name), "/").await.status, 200);
        }
        assert_eq!(loads.load(Ordering::SeqCst), expected);
    };
    ask(2).await;
    ask(2).await;
    let keep_until = test.clock().now() + Duration::from_secs(60);
    let bytes = br#"{"version":1,"hint":{"moved":{"tenant":"acme"}}}"#.to_vec();
    store.append(vec![LogEntry { tag: 5, keep_until, bytes }]).await.unwrap();
    test.auth().start().await.unwrap();
    ask(4).await;
    assert!(test.auth().revocations().status().ready, "it is no reason to answer 503");
    ask(4).await;
    let page = store.read(LogCursor::START, 10).await.unwrap().page().unwrap();
    assert_eq!(page.entries.len(), 1);
}
