//! Whether a revocation was new: what `Revocations` returns, and that what was revoked before is not reported again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::audit::AuditAction;
use auth_runtime::revocation::{Revocation, RevokeError};
use auth_runtime::session::Subject;
use auth_runtime::store::MemoryStore;
use auth_runtime::testing::{TestAuth, TestClock, TestUser};
use auth_runtime::{Auth, Principal};

use crate::support::flaky::FlakyStore;
use crate::support::people::{ISSUER, People, issuer};

const OTHER: &str = "https://issuer.test";

fn token(issuer: &str, id: &str) -> Revocation {
    Revocation::Token { issuer: issuer.into(), token_id: id.into() }
}

fn session(issuer: &str, id: &str) -> Revocation {
    Revocation::Session { issuer: issuer.into(), session_id: id.into() }
}

fn user(issuer: &str, subject: &str, up_to: SystemTime) -> Revocation {
    Revocation::User { issuer: issuer.into(), subject: subject.into(), issued_at_or_before: up_to }
}

fn alice() -> Principal {
    TestUser::new("alice").claim("jti", "t").claim("sid", "s").principal()
}

#[tokio::test]
async fn what_another_issuer_issued_is_revoked_for_the_first_time_once() {
    let reported = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reported);
    let test = TestAuth::with(|builder| {
        builder.audit(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
    });
    let (revocations, alice) = (test.auth().revocations(), alice());
    for is_new in [true, false] {
        assert_eq!(revocations.revoke_token(&alice).await.unwrap(), is_new);
        assert!(!revocations.revoke(token(OTHER, "t")).await.unwrap(), "by its name it is the same");
        assert_eq!(revocations.revoke_session(&alice).await.unwrap(), is_new);
        assert!(!revocations.revoke(session(OTHER, "s")).await.unwrap());
        assert_eq!(revocations.revoke_user(&alice).await.unwrap(), is_new);
    }
    assert_eq!(reported.load(Ordering::Relaxed), 3, "what was revoked before is not reported");
    // A bound that is later ends more, and an earlier one less.
    test.clock().advance(Duration::from_secs(1));
    assert!(revocations.revoke_user(&alice).await.unwrap());
    let earlier = test.auth().now() - Duration::from_secs(3600);
    assert!(!revocations.revoke(user(OTHER, "alice", earlier)).await.unwrap());
    assert!(revocations.revoke(user(OTHER, "bob", earlier)).await.unwrap());
    assert!(!revocations.revoke(user(OTHER, "bob", earlier)).await.unwrap());
    // Another issuer's names are others.
    assert!(revocations.revoke(token("https://third.test", "t")).await.unwrap());
    // To forget is to revoke nothing.
    let forgotten = Revocation::Forgotten { issuer: OTHER.into(), subject: "alice".into() };
    assert!(!revocations.revoke(forgotten).await.unwrap());
}

#[tokio::test]
async fn a_session_of_ones_own_ends_once_and_a_user_is_logged_out_again() {
    let clock = TestClock::new();
    let auth = Auth::builder().clock(clock.clone()).token_issuer(issuer(&People::default())).build().unwrap();
    let (tokens, revocations) = (auth.tokens().unwrap(), auth.revocations());
    let issue = async || tokens.issue(&Subject::new("alice")).await.unwrap();
    let first = issue().await;
    assert!(revocations.revoke(session(ISSUER, &first.session_id)).await.unwrap());
    assert!(!revocations.revoke(session(ISSUER, &first.session_id)).await.unwrap());
    let second = issue().await;
    tokens.end_session(&second.session_id).await.unwrap();
    assert!(!revocations.revoke(session(ISSUER, &second.session_id)).await.unwrap(), "it has ended already");
    for _ in 0..2 {
        assert!(revocations.revoke(user(ISSUER, "alice", auth.now())).await.unwrap());
    }
    // Up to an earlier time, with a session that began by then, and without.
    let third = issue().await;
    assert!(auth.verify(&third.access_token).await.is_ok());
    clock.advance(Duration::from_secs(10));
    let earlier = auth.now() - Duration::from_secs(5);
    for is_new in [true, false] {
        assert_eq!(revocations.revoke(user(ISSUER, "alice", earlier)).await.unwrap(), is_new);
        assert!(auth.verify(&third.access_token).await.is_err());
    }
}

/// The log says that it has ended, and its row is still there: the next attempt does what is left, and is the first that is reported.
#[tokio::test]
async fn an_attempt_after_one_that_failed_halfway_is_new_and_reported_once() {
    let (store, reported) = (FlakyStore::default(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&reported);
    let auth = Auth::builder()
        .token_issuer(issuer(&People::default()))
        .store(store.clone())
        .audit(move |event| {
            counted.fetch_add(usize::from(event.action == AuditAction::SessionEnd), Ordering::Relaxed);
        })
        .build()
        .unwrap();
    auth.start().await.unwrap();
    let (tokens, revocations) = (auth.tokens().unwrap(), auth.revocations());
    let issued = tokens.issue(&Subject::new("alice")).await.unwrap();
    let ended = || session(ISSUER, &issued.session_id);
    store.set_removes_no_family(true);
    for _ in 0..2 {
        assert!(matches!(revocations.revoke(ended()).await, Err(RevokeError::Unavailable(_))));
        assert!(auth.verify(&issued.access_token).await.is_err(), "what the log has is enforced");
    }
    assert_eq!(reported.load(Ordering::Relaxed), 0, "its caller has the error");
    store.set_removes_no_family(false);
    store.clear_calls();
    for is_new in [true, false, false] {
        assert_eq!(revocations.revoke(ended()).await.unwrap(), is_new);
    }
    assert_eq!(reported.load(Ordering::Relaxed), 1);
    assert_eq!(store.calls(), [("remove", 1)], "the log has it already");
}

/// Another instance knows once it has read the log.
#[tokio::test]
async fn it_is_as_far_as_this_instance_knows() {
    let store = MemoryStore::new();
    let open = || TestAuth::with(|builder| builder.store(store.clone()));
    let (one, other) = (open(), open());
    one.auth().start().await.unwrap();
    other.auth().start().await.unwrap();
    assert!(one.auth().revocations().revoke(token(OTHER, "t")).await.unwrap());
    other.auth().start().await.unwrap();
    assert!(!other.auth().revocations().revoke(token(OTHER, "t")).await.unwrap());
    assert!(other.auth().revocations().revoke(token(OTHER, "u")).await.unwrap());
}
