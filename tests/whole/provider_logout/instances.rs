//! What one instance receives, every instance and every socket enforces; and what can't be recorded is not acknowledged.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::Principal;
use auth_runtime::audit::AuditEvent;
use auth_runtime::session::{BoxError, Subject};
use auth_runtime::store::{LogCursor, LogRead, MemoryStore, RedbStore, RefreshTokenStore, RevocationLog};
use auth_runtime::users::UserStore;
use auth_runtime::verify::TrustedIssuer;
use serde_json::{Value, json};

use super::{CAEP, NOW, RISC, Service, another, form, is_let_in, logout_claims, pushed, user};
use crate::captured_log::CapturedLog;
use crate::support::flaky::FlakyStore;
use crate::support::people::{ISSUER, People, issuer};
use crate::support::send;

fn disabled(subject: Value) -> (Value, Value) {
    (subject, json!({format!("{RISC}account-disabled"): {}}))
}

async fn each_enforces_what_one_receives(store: impl RevocationLog + RefreshTokenStore + Clone) {
    let service =
        Service::with(TrustedIssuer::access_tokens_have_sid, |builder| builder.store(store.clone()));
    let (other, other_app) =
        another(&service, TrustedIssuer::access_tokens_have_sid, |builder| builder.store(store));
    service.auth.start().await.unwrap();
    other.start().await.unwrap();
    let of = |sub: &str, sid: &str| service.access_token(NOW, json!({"sub": sub, "sid": sid}));
    let (one, two, three, bob) = (of("a", "1"), of("a", "2"), of("b", "3"), of("bob", "4"));
    for app in [&service.app, &other_app] {
        for token in [&one, &two, &three, &bob] {
            assert!(is_let_in(app, token).await);
        }
    }
    let logout = |more| format!("logout_token={}", service.logout_token(NOW, more));
    let (subject, events) = disabled(user("b"));
    let event = service.event_token(NOW, subject, events);
    assert_eq!(send(&service.app, form(&logout(json!({"sid": "1"})))).await.status, 200);
    assert_eq!(send(&other_app, form(&logout(json!({"sub": "a"})))).await.status, 200);
    assert_eq!(send(&other_app, pushed(&event, &[])).await.status, 202);
    assert!(!is_let_in(&service.app, &one).await, "at once, where it was received");
    service.auth.start().await.unwrap();
    other.start().await.unwrap();
    for app in [&service.app, &other_app] {
        for token in [&one, &two, &three] {
            assert!(!is_let_in(app, token).await);
        }
        assert!(is_let_in(app, &bob).await);
    }
}

#[tokio::test]
async fn two_instances_on_one_store_enforce_the_same() {
    each_enforces_what_one_receives(MemoryStore::new()).await;
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(directory.path().join("auth.redb")).unwrap();
    each_enforces_what_one_receives(store).await;
}

#[tokio::test]
async fn what_can_not_be_recorded_is_503_and_not_acknowledged() {
    for only_the_log in [false, true] {
        let store = FlakyStore::default();
        let set_broken = |broken| {
            if only_the_log { store.set_takes_no_revocation(broken) } else { store.set_broken(broken) }
        };
        let service =
            Service::with(TrustedIssuer::access_tokens_have_sid, |builder| builder.store(store.clone()));
        service.auth.start().await.unwrap();
        let of = |sub: &str| service.access_token(NOW, json!({"sub": sub, "sid": sub}));
        let (alice, bob) = (of("alice"), of("bob"));
        let logout = service.logout_token(NOW, json!({"sub": "alice"}));
        let (subject, events) = disabled(user("bob"));
        let event = service.event_token(NOW, subject, events);
        set_broken(true);
        for reply in [service.log_out(&logout).await, service.push(&event).await] {
            assert_eq!((reply.status.as_u16(), &*reply.body), (503, ""));
            assert_eq!((reply.header("retry-after"), reply.header("cache-control")), ("5", "no-store"));
        }
        assert!(service.is_let_in(&alice).await && service.is_let_in(&bob).await);
        set_broken(false);
        // The provider tries again.
        assert_eq!(service.log_out(&logout).await.status, 200);
        assert_eq!(service.push(&event).await.status, 202);
        assert!(!service.is_let_in(&alice).await && !service.is_let_in(&bob).await);
    }
}

/// A transmitter may speak of the engine's own issuer: sessions that began by then end with their refresh tokens.
#[tokio::test]
async fn the_sessions_of_the_own_issuer_end_with_their_refresh_tokens() {
    let service = Service::configured(
        |issuer| issuer,
        |transmitter| transmitter.subjects_of(ISSUER),
        |builder| builder.token_issuer(issuer(&People::default())),
    );
    let tokens = service.auth.tokens().unwrap();
    let log_in = async |name: &str| tokens.issue(&Subject::new(name)).await.unwrap();
    let alice = [log_in("alice").await, log_in("alice").await];
    let bob = log_in("bob").await;
    service.clock.advance(Duration::from_secs(60));
    let later = log_in("alice").await;
    let revoked = json!({format!("{CAEP}session-revoked"): {}});
    let of_alice = json!({"format": "iss_sub", "iss": ISSUER, "sub": "alice"});
    for (subject, is_first_alive, is_second_alive) in [
        (json!({"format": "opaque", "id": alice[0].session_id}), false, true),
        (of_alice.clone(), false, false),
    ] {
        let event = service.event_token(NOW, subject, revoked.clone());
        assert_eq!(service.push(&event).await.status, 202);
        for (session, is_alive) in
            [(&alice[0], is_first_alive), (&alice[1], is_second_alive), (&bob, true), (&later, true)]
        {
            assert_eq!(service.is_let_in(&session.access_token).await, is_alive);
            let lives =
                tokens.sessions(if std::ptr::eq(session, &bob) { "bob" } else { "alice" }).await.unwrap();
            assert_eq!(lives.sessions.iter().any(|known| known.id == session.session_id), is_alive);
        }
    }
    assert!(tokens.refresh(&alice[1].refresh_token).await.is_err());
    assert!(tokens.refresh(&later.refresh_token).await.is_ok());
}

/// Loads users, and counts how often.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<Vec<String>>>);

impl UserStore for Counted {
    type User = String;

    async fn load(&self, principal: &Principal) -> Result<Option<String>, BoxError> {
        self.0.lock().unwrap().push(principal.subject().to_owned());
        Ok(Some(principal.subject().to_owned()))
    }
}

#[tokio::test]
async fn the_user_is_loaded_again_by_either_of_its_names() {
    let users = Counted::default();
    let service = Service::with(
        |issuer| issuer.subject_at("oid").access_tokens_have_sid(),
        |builder| builder.users(users.clone()),
    );
    let of = |oid: &str, sub: &str| service.access_token(NOW, json!({"oid": oid, "sub": sub}));
    let (alice, bob) = (of("alice", "pairwise 1"), of("bob", "pairwise 2"));
    for _ in 0..2 {
        assert!(service.is_let_in(&alice).await && service.is_let_in(&bob).await);
    }
    assert_eq!(*users.0.lock().unwrap(), ["alice", "bob"]);
    for name in ["pairwise 1", "alice"] {
        let (subject, events) = disabled(user(name));
        assert_eq!(service.push(&service.event_token(NOW - 1, subject, events)).await.status, 202);
        for _ in 0..2 {
            assert!(service.is_let_in(&alice).await && service.is_let_in(&bob).await, "of a later login");
        }
    }
    assert_eq!(*users.0.lock().unwrap(), ["alice", "bob", "alice", "alice"]);
}

/// `action issuer subject session: outcome`.
fn noted(event: &AuditEvent<'_>) -> String {
    let outcome = event.rejection.map_or(200, |kind| kind.status().as_u16());
    let [issuer, subject, session] =
        [event.issuer, event.subject, event.session_id].map(|part| part.unwrap_or("-"));
    format!("{} {issuer} {subject} {session}: {outcome} {}", event.action.as_str(), event.reason)
}

#[tokio::test]
async fn each_is_one_audit_event_and_nothing_of_a_token_is_logged() {
    let events = Arc::<Mutex<Vec<String>>>::default();
    let store = FlakyStore::default();
    let hook = Arc::clone(&events);
    let service = Service::with(TrustedIssuer::access_tokens_have_sid, |builder| {
        let builder = builder.store(store.clone());
        builder.audit(move |event| hook.lock().unwrap().push(noted(event)))
    });
    service.auth.start().await.unwrap();
    let log = CapturedLog::start(tracing::Level::TRACE);
    let (subject, disabled) = disabled(user("carol"));
    let logout = |more| service.logout_token(NOW, more);
    let forged = super::Signer::new("p").sign(None, &logout_claims(NOW, json!({"sub": "eve"})));
    let good = service.event_token(NOW, subject, disabled.clone());
    let of_stranger =
        service.event_token(NOW, json!({"format": "iss_sub", "iss": "x", "sub": "y"}), disabled);
    for token in [&logout(json!({"sid": "s", "sub": "alice"})), &logout(json!({"sub": "bob"})), &forged] {
        service.log_out(token).await;
    }
    for token in [&good, &of_stranger] {
        service.push(token).await;
    }
    store.set_broken(true);
    service.log_out(&logout(json!({"sub": "dave"}))).await;
    let events = std::mem::take(&mut *events.lock().unwrap());
    let beginnings = [
        "provider_logout https://id.test alice s: 200 the identity provider sent a logout token",
        "provider_logout https://id.test bob -: 200 the identity provider sent a logout token",
        "provider_logout - - -: 401 no key of the issuer verifies",
        "provider_logout https://id.test carol -: 200 a transmitter sent the security event `account-disabled`",
        "provider_logout https://events.test - -: 403 its subject is of the issuer \"x\"",
        "provider_logout - - -: 503 ",
    ];
    assert_eq!(events.len(), beginnings.len(), "{events:#?}");
    for (event, beginning) in events.iter().zip(beginnings) {
        assert!(event.starts_with(beginning), "{event}");
    }
    for token in [forged, good, of_stranger] {
        for part in token.split('.') {
            assert!(!log.text().contains(part), "{part}");
        }
    }
}

/// Who has seen one can send it as often as it likes.
#[tokio::test]
async fn a_text_that_can_not_be_applied_is_reported_once_a_minute() {
    let events = Arc::<Mutex<Vec<String>>>::default();
    let hook = Arc::clone(&events);
    let service = Service::with(TrustedIssuer::access_tokens_have_sid, |builder| {
        builder.audit(move |event| hook.lock().unwrap().push(noted(event)))
    });
    let log = CapturedLog::start(tracing::Level::WARN);
    let of_stranger = |name: &str| {
        let (subject, disabled) = disabled(json!({"format": "iss_sub", "iss": name, "sub": "y"}));
        service.event_token(NOW, subject, disabled)
    };
    let [one, other] = ["one", "other"].map(of_stranger);
    for _ in 0..100 {
        for token in [&one, &other] {
            assert_eq!(service.push(token).await.status, 400);
        }
    }
    assert_eq!(events.lock().unwrap().len(), 2, "{events:#?}");
    assert_eq!(log.take().matches("though its signature is valid").count(), 2);
    service.clock.advance(Duration::from_secs(60));
    assert_eq!(service.push(&one).await.status, 400);
    assert_eq!(events.lock().unwrap().len(), 3, "{events:#?}");
    assert!(log.text().contains("count=100"), "{}", log.text());
}

#[tokio::test]
async fn a_hook_that_panics_is_500_and_what_has_ended_stays_so() {
    let service = Service::with(TrustedIssuer::access_tokens_have_sid, |builder| {
        builder.audit(|event| assert!(event.action.as_str() != "provider_logout", "no"))
    });
    let access = service.access_token(NOW, json!({"sub": "alice", "sid": "s"}));
    for token in [service.logout_token(NOW, json!({"sub": "alice"})), "garbage".into()] {
        assert_eq!(service.log_out(&token).await.status, 500);
    }
    assert!(!service.is_let_in(&access).await);
    let (subject, events) = disabled(user("bob"));
    for token in [service.event_token(NOW, subject, events), "garbage".into()] {
        assert_eq!(service.push(&token).await.status, 500);
    }
}

/// Everyone may have kept a text that was sent once.
#[tokio::test]
async fn a_text_that_is_sent_again_adds_nothing_to_the_log_and_is_no_event() {
    let (store, events) = (MemoryStore::new(), Arc::<Mutex<Vec<String>>>::default());
    let hook = Arc::clone(&events);
    let service = Service::with(TrustedIssuer::access_tokens_have_sid, |builder| {
        builder.store(store.clone()).audit(move |event| hook.lock().unwrap().push(noted(event)))
    });
    service.auth.start().await.unwrap();
    let entries = async || {
        let read = RevocationLog::read(&store, LogCursor::START, 10_000).await.unwrap();
        let LogRead::Page(page) = read else { panic!("{read:?}") };
        page.entries.len()
    };
    let (subject, disabled) = disabled(user("carol"));
    let event = |issued_at| service.event_token(issued_at, subject.clone(), disabled.clone());
    let logout = |more| service.logout_token(NOW, more);
    let logouts = [logout(json!({"sid": "s", "sub": "alice"})), logout(json!({"sub": "bob"}))];
    let new = event(NOW);
    // Of a time whose tokens have all expired.
    let old = event(NOW - 365 * 24 * 3600);
    assert_eq!(service.push(&old).await.status, 202);
    assert_eq!(entries().await, 0);
    for round in 0..300 {
        for logout in &logouts {
            assert_eq!(service.log_out(logout).await.status, 200);
        }
        for event in [&new, &old] {
            assert_eq!(service.push(event).await.status, 202);
        }
        // The session, and both users with what evicts them.
        assert_eq!(entries().await, 5, "{round}");
    }
    assert_eq!(events.lock().unwrap().len(), 3, "{events:?}");
}
