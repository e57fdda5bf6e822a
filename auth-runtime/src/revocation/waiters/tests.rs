use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, UNIX_EPOCH};

use super::Registration;
use crate::principal::TokenIdentity;
use crate::revocation::RevocationView;
use crate::store::{LoggedRevocation, Note, Revocation};

const ISSUER: &str = "https://id.example";

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn view() -> RevocationView {
    RevocationView::new(Duration::from_secs(86_400), None)
}

fn identity<'a>(subject: &'a str, session: Option<&'a str>, token: Option<&'a str>) -> TokenIdentity<'a> {
    TokenIdentity {
        issuer: ISSUER,
        subject,
        sub: None,
        token_id: token,
        session_id: session,
        issued_at: Some(1000),
        user_generation: 0,
        issuer_generation: 0,
    }
}

fn logged(revocation: Revocation) -> LoggedRevocation {
    let keep_until = UNIX_EPOCH + Duration::from_secs(100_000);
    LoggedRevocation { revocation, keep_until, tag: 0, note: Note::default() }
}

fn token(id: &str) -> Revocation {
    Revocation::Token { issuer: ISSUER.into(), token_id: id.into() }
}

fn session(id: &str) -> Revocation {
    Revocation::Session { issuer: ISSUER.into(), session_id: id.into() }
}

fn user(issuer: &str, subject: &str) -> Revocation {
    let issued_at_or_before = UNIX_EPOCH + Duration::from_secs(2000);
    Revocation::User { issuer: issuer.into(), subject: subject.into(), issued_at_or_before }
}

fn generations(subject: &str) -> Revocation {
    Revocation::OtherGenerations { issuer: ISSUER.into(), subject: subject.into(), generation: 7 }
}

/// Polls a waiter once, with a waker that counts.
fn poll(registration: &Registration, wakes: &Arc<Wakes>) -> Poll<()> {
    let waker = Waker::from(Arc::clone(wakes));
    std::pin::pin!(registration.woken()).as_mut().poll(&mut Context::from_waker(&waker))
}

#[test]
fn a_revocation_wakes_its_own_waiters_and_no_others() {
    const USERS: usize = 300;
    let view = view();
    // Of each user four tokens in two sessions.
    let names: Vec<[String; 3]> = (0..USERS * 4)
        .map(|n| [format!("user {}", n / 4), format!("session {}", n / 2), format!("token {n}")])
        .collect();
    let waiters: Vec<_> = names
        .iter()
        .map(|[subject, session, token]| {
            let waiter = view.register_waiter(&identity(subject, Some(session), Some(token)));
            let wakes = Arc::new(Wakes::default());
            assert_eq!(poll(&waiter, &wakes), Poll::Pending);
            (waiter, wakes)
        })
        .collect();
    for (revocation, expected) in [
        (token("token 17"), 17..18),
        (session("session 100"), 200..202),
        (user(ISSUER, "user 250"), 1000..1004),
        (generations("user 251"), 1004..1008),
        (token("session 3"), 0..0),
        (user("https://other.example", "user 3"), 0..0),
        (user(ISSUER, "unknown"), 0..0),
    ] {
        view.apply(&[logged(revocation.clone())]);
        for (n, (waiter, wakes)) in waiters.iter().enumerate() {
            let expected = usize::from(expected.contains(&n));
            assert_eq!(wakes.0.swap(0, Ordering::SeqCst), expected, "{revocation:?} {n}");
            assert_eq!(poll(waiter, wakes).is_ready(), expected == 1, "{revocation:?} {n}");
            assert_eq!(poll(waiter, wakes), Poll::Pending, "once");
        }
    }
    let issued_at_or_before = UNIX_EPOCH + Duration::from_secs(2000);
    for of_all in [
        Revocation::Issuer { issuer: ISSUER.into(), issued_at_or_before },
        Revocation::OtherIssuerGenerations { issuer: ISSUER.into(), generation: 7 },
    ] {
        view.apply(&[logged(of_all)]);
        for (waiter, wakes) in &waiters {
            assert_eq!(wakes.0.swap(0, Ordering::SeqCst), 1);
            assert!(poll(waiter, wakes).is_ready() && poll(waiter, wakes).is_pending());
        }
    }
    view.wake_all();
    assert!(waiters.iter().all(|(_, wakes)| wakes.0.load(Ordering::SeqCst) == 1));
}

#[test]
fn a_waiter_leaves_nothing_behind() {
    let view = view();
    let waiters: Vec<_> = (0..1000)
        .map(|n| view.register_waiter(&identity("alice", Some(&format!("s{}", n / 2)), None)))
        .collect();
    assert_eq!(view.waiters().entries(), 2000);
    drop(waiters);
    assert_eq!(view.waiters().entries(), 0);
    view.apply(&[logged(user(ISSUER, "alice"))]);
}

#[test]
fn a_waiter_that_is_dropped_by_its_own_waker_does_not_lock_up() {
    struct Dropper(std::sync::Mutex<Option<Registration>>);
    impl Wake for Dropper {
        fn wake(self: Arc<Self>) {
            let registration = self.0.lock().unwrap().take();
            drop(registration);
        }
    }
    let view = view();
    let registration = view.register_waiter(&identity("alice", None, None));
    let dropper = Arc::new(Dropper(std::sync::Mutex::new(None)));
    let waker = Waker::from(Arc::clone(&dropper));
    assert!(std::pin::pin!(registration.woken()).poll(&mut Context::from_waker(&waker)).is_pending());
    *dropper.0.lock().unwrap() = Some(registration);
    view.apply(&[logged(user(ISSUER, "alice"))]);
    assert_eq!(view.waiters().entries(), 0);
}

/// Each waiter subscribes and looks while another task revokes what it waits for: it is seen, or it wakes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_revocation_is_lost_between_the_subscription_and_the_look() {
    let view = Arc::new(view());
    for round in 0..40 {
        let revocations = move |n: usize| match n % 3 {
            0 => token(&format!("token {round} {n}")),
            1 => session(&format!("session {round} {n}")),
            _ => generations(&format!("user {round} {n}")),
        };
        let waiting: Vec<_> = (0..64)
            .map(|n| {
                let view = Arc::clone(&view);
                tokio::spawn(async move {
                    let [subject, session, token] =
                        ["user", "session", "token"].map(|kind| format!("{kind} {round} {n}"));
                    let identity = identity(&subject, Some(&session), Some(&token));
                    let registration = view.register_waiter(&identity);
                    while !view.is_revoked(&identity) {
                        registration.woken().await;
                    }
                })
            })
            .collect();
        let revoking = Arc::clone(&view);
        let revoked = tokio::spawn(async move {
            for n in 0..64 {
                revoking.apply(&[logged(revocations(n))]);
                if n % 8 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
        for task in waiting {
            tokio::time::timeout(Duration::from_secs(60), task).await.expect("woken").unwrap();
        }
        revoked.await.unwrap();
    }
    assert_eq!(view.waiters().entries(), 0);
}

/// The issuer names its users by `sub`, where the subject here is another claim.
#[test]
fn a_revocation_by_sub_wakes_the_waiters_of_a_subject_that_is_another_claim() {
    let view = view();
    let of = |sub| TokenIdentity { sub, ..identity("alice", Some("s"), Some("t")) };
    for (sub, expected) in [(Some("pairwise"), 1), (None, 0), (Some("other"), 0)] {
        let waiter = view.register_waiter(&of(sub));
        let wakes = Arc::new(Wakes::default());
        assert_eq!(poll(&waiter, &wakes), Poll::Pending);
        view.apply(&[logged(user(ISSUER, "pairwise"))]);
        assert_eq!(wakes.0.load(Ordering::SeqCst), expected, "{sub:?}");
        drop(waiter);
        assert_eq!(view.waiters().entries(), 0, "{sub:?}");
    }
}
