//! A socket across every end of its credential, on each store.

use std::time::Duration;

use auth_runtime::revocation::Revocation;
use auth_runtime::session::{IssuedTokens, Subject};
use auth_runtime::store::{MemoryStore, RedbStore, RefreshTokenStore, RevocationLog};
use auth_runtime::streams::{EndReason, GuardedWebSocket};
use auth_runtime::testing::TestClock;
use auth_runtime::{Principal, auth};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{POLICY, Service, Shared, assert_closed, closed, is_echoed};
use crate::support::flaky::FlakyStore;
use crate::support::people::{ISSUER, signing_key};

/// Sends a hundred messages without flushing them, revokes its own token, and sends one more.
#[auth]
pub(super) async fn burst(
    user: Principal,
    State(shared): State<Shared>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let mut socket = GuardedWebSocket::new(socket, &user);
        for number in 0..100 {
            socket.feed(Message::text(number.to_string())).await.unwrap();
        }
        shared.auth.revocations().revoke_token(&user).await.unwrap();
        let error = socket.send(Message::text("too late")).await.unwrap_err();
        let source = error.into_inner().downcast::<EndReason>().unwrap();
        assert_eq!(socket.end_reason(), Some(*source));
        assert!(socket.send(Message::text("later")).await.is_err());
        assert!(socket.recv().await.is_none());
        let _ = shared.ends.send(socket.end_reason());
    })
}

#[derive(Clone, Copy, Debug)]
enum End {
    Logout,
    LogoutEverywhere,
    EndedSession,
    RevokedToken,
    RevokedSession,
    RevokedUser,
}

impl End {
    const ALL: [Self; 6] = [
        Self::Logout,
        Self::LogoutEverywhere,
        Self::EndedSession,
        Self::RevokedToken,
        Self::RevokedSession,
        Self::RevokedUser,
    ];

    async fn bring_about(self, service: &Service, subject: &str, tokens: &IssuedTokens) {
        let (issuer, session_id) = (ISSUER.to_owned(), tokens.session_id.clone());
        let revocation = match self {
            Self::Logout => {
                assert!(service.tokens.log_out(&tokens.refresh_token).await.unwrap());
                return;
            }
            Self::LogoutEverywhere => return service.tokens.log_out_everywhere(subject).await.unwrap(),
            Self::EndedSession => return service.tokens.end_session(&session_id).await.unwrap(),
            Self::RevokedToken => return service.tokens.revoke(&tokens.access_token).await.unwrap(),
            Self::RevokedSession => Revocation::Session { issuer, session_id },
            Self::RevokedUser => {
                Revocation::User { issuer, subject: subject.into(), issued_at_or_before: service.auth.now() }
            }
        };
        service.auth.revocations().revoke(revocation).await.unwrap();
    }
}

/// Time passes for these services, which read the log at once: their views are never old.
async fn advance(services: &[&Service], seconds: u64) {
    services[0].clock.advance(Duration::from_secs(seconds));
    for service in services {
        service.auth.start().await.unwrap();
    }
}

/// The socket of one is closed, and those of others stay open.
async fn it_closes_when_its_credential_is_revoked(store: impl RevocationLog + RefreshTokenStore + Clone) {
    let mut service = Service::with(store, TestClock::new()).await;
    let bob = service.log_in("bob").await;
    let mut of_bob = service.connect("/echo", &bob).await;
    for end in End::ALL {
        let tokens = service.log_in("alice").await;
        let mut socket = service.connect("/echo", &tokens).await;
        assert!(is_echoed(&mut socket).await);
        end.bring_about(&service, "alice", &tokens).await;
        assert_closed(&mut socket, &format!("{end:?}")).await;
        assert_eq!(service.next_end().await, Some(EndReason::Revoked), "{end:?}");
        assert!(is_echoed(&mut of_bob).await, "{end:?}");
        service.tokens.log_out_everywhere("alice").await.unwrap();
    }
}

/// The sockets of all users, on the instance that was asked and on another.
async fn all_close_when_everybody_is_logged_out(store: impl RevocationLog + RefreshTokenStore + Clone) {
    let clock = TestClock::new();
    let mut one = Service::with(store.clone(), clock.clone()).await;
    let mut other = Service::with(store, clock).await;
    for by_name in [false, true] {
        let (alice, bob) = (one.log_in("alice").await, other.log_in("bob").await);
        let (mut of_alice, mut of_bob) =
            (one.connect("/echo", &alice).await, other.connect("/session", &bob).await);
        assert!(is_echoed(&mut of_alice).await && is_echoed(&mut of_bob).await);
        if by_name {
            let all = Revocation::Issuer { issuer: ISSUER.to_owned(), issued_at_or_before: one.auth.now() };
            assert!(one.auth.revocations().revoke(all).await.unwrap());
        } else {
            one.tokens.log_out_all_users().await.unwrap();
        }
        assert_closed(&mut of_alice, "logged out here").await;
        assert_closed(&mut of_bob, "logged out there").await;
        assert_eq!(one.next_end().await, Some(EndReason::Revoked));
        assert_eq!(other.next_end().await, Some(EndReason::Revoked));
    }
}

async fn it_closes_when_another_instance_revokes(store: impl RevocationLog + RefreshTokenStore + Clone) {
    let clock = TestClock::new();
    let mut one = Service::with(store.clone(), clock.clone()).await;
    let other = Service::with(store, clock).await;
    let (alice, bob) = (one.log_in("alice").await, one.log_in("bob").await);
    let (mut of_alice, mut of_bob) =
        (one.connect("/echo", &alice).await, one.connect("/session", &bob).await);
    assert!(is_echoed(&mut of_alice).await && is_echoed(&mut of_bob).await);
    other.tokens.log_out_everywhere("alice").await.unwrap();
    assert_closed(&mut of_alice, "logged out there").await;
    assert_eq!(one.next_end().await, Some(EndReason::Revoked));
    assert!(is_echoed(&mut of_bob).await);
    assert!(other.tokens.log_out(&bob.refresh_token).await.unwrap());
    assert_closed(&mut of_bob, "logged out there").await;
}

async fn it_closes_at_its_expiry_unless_the_session_was_refreshed(
    store: impl RevocationLog + RefreshTokenStore + Clone,
) {
    let clock = TestClock::new();
    let mut one = Service::with(store.clone(), clock.clone()).await;
    let other = Service::with(store, clock.clone()).await;
    let alice = one.log_in("alice").await;
    let mut by_token = one.connect("/echo", &alice).await;
    let mut by_session = one.connect("/session", &alice).await;
    // Within its lifetime and the leeway of a minute.
    advance(&[&one, &other], 900 + 30).await;
    assert!(is_echoed(&mut by_token).await && is_echoed(&mut by_session).await);
    // On another instance: what is issued now lives until 930 + 900 + 60.
    let refreshed = other.tokens.refresh(&alice.refresh_token).await.unwrap();
    advance(&[&one, &other], 30).await;
    assert_closed(&mut by_token, "expired").await;
    assert_eq!(one.next_end().await, Some(EndReason::Expired));
    assert!(is_echoed(&mut by_session).await);
    advance(&[&one, &other], 900 + 29).await;
    assert!(is_echoed(&mut by_session).await);
    advance(&[&one, &other], 1).await;
    assert_closed(&mut by_session, "the newest token has expired").await;
    assert_eq!(one.next_end().await, Some(EndReason::Expired));
    // The session is there all the same.
    assert!(other.tokens.refresh(&refreshed.refresh_token).await.is_ok());
}

async fn it_closes_when_the_session_of_a_prolonged_one_ends(
    store: impl RevocationLog + RefreshTokenStore + Clone,
) {
    let service = Service::with(store, TestClock::new()).await;
    let alice = service.log_in("alice").await;
    let mut socket = service.connect("/session", &alice).await;
    let alice = service.tokens.refresh(&alice.refresh_token).await.unwrap();
    advance(&[&service], 600).await;
    let alice = service.tokens.refresh(&alice.refresh_token).await.unwrap();
    advance(&[&service], 600).await;
    assert!(is_echoed(&mut socket).await);
    assert!(service.tokens.log_out(&alice.refresh_token).await.unwrap());
    assert_closed(&mut socket, "logged out").await;
}

async fn it_closes_when_its_key_is_withdrawn(store: impl RevocationLog + RefreshTokenStore + Clone) {
    use auth_runtime::session::SigningKeys;
    let mut service = Service::with(store, TestClock::new()).await;
    let alice = service.log_in("alice").await;
    let mut socket = service.connect("/echo", &alice).await;
    let (old, new) = (signing_key(1), signing_key(2));
    service.tokens.rotate_keys(SigningKeys::new(new.clone()).also_accept(old.verifying_key())).unwrap();
    let bob = service.tokens.issue(&Subject::new("bob")).await.unwrap();
    let mut of_bob = service.connect("/echo", &bob).await;
    assert!(is_echoed(&mut socket).await && is_echoed(&mut of_bob).await);
    service.tokens.rotate_keys(new).unwrap();
    assert_closed(&mut socket, "its key is gone").await;
    assert_eq!(service.next_end().await, Some(EndReason::KeyWithdrawn));
    assert!(is_echoed(&mut of_bob).await);
}

macro_rules! on_each_store {
    ($($test:ident)*) => {
        mod memory {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                super::$test(MemoryStore::new()).await;
            })*
        }
        mod redb {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let folder = tempfile::tempdir().unwrap();
                super::$test(RedbStore::open(folder.path().join("store")).unwrap()).await;
            })*
        }
    };
}

on_each_store! {
    it_closes_when_its_credential_is_revoked
    it_closes_when_another_instance_revokes
    all_close_when_everybody_is_logged_out
    it_closes_at_its_expiry_unless_the_session_was_refreshed
    it_closes_when_the_session_of_a_prolonged_one_ends
    it_closes_when_its_key_is_withdrawn
}

#[tokio::test]
async fn it_closes_when_the_view_is_too_old_and_says_to_try_again() {
    let (store, clock) = (FlakyStore::default(), TestClock::new());
    let mut service = Service::with(store.clone(), clock.clone()).await;
    let alice = service.log_in("alice").await;
    let mut sockets = [service.connect("/echo", &alice).await, service.connect("/session", &alice).await];
    store.set_broken(true);
    assert!(is_echoed(&mut sockets[0]).await && is_echoed(&mut sockets[1]).await);
    clock.advance(Duration::from_secs(31));
    for socket in &mut sockets {
        assert_eq!(closed(socket).await, (0, 1008, "temporarily_unavailable".into()));
        assert_eq!(service.next_end().await, Some(EndReason::Unavailable));
    }
}

#[tokio::test]
async fn what_was_sent_before_the_end_arrives_before_the_close_frame_and_nothing_after_it() {
    let mut service = Service::new().await;
    let alice = service.log_in("alice").await;
    let mut socket = service.connect("/burst", &alice).await;
    assert_eq!(closed(&mut socket).await, (100, 1008, POLICY.2.into()));
    assert_eq!(service.next_end().await, Some(EndReason::Revoked));
}

#[tokio::test]
async fn what_the_client_closes_has_no_end_reason() {
    let mut service = Service::new().await;
    let alice = service.log_in("alice").await;
    let mut socket = service.connect("/echo", &alice).await;
    socket.close(None).await.unwrap();
    while socket.next().await.is_some_and(|next| next.is_ok()) {}
    assert_eq!(service.next_end().await, None);
}

/// The clock of the timers goes on by itself while nothing else happens: what waits for five seconds is done at once.
#[tokio::test(start_paused = true)]
async fn a_client_that_neither_reads_nor_answers_does_not_hold_the_socket() {
    let mut service = Service::new().await;
    let alice = service.log_in("alice").await;
    let mut connection = TcpStream::connect(service.address).await.unwrap();
    let request = format!(
        "GET /echo HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        service.address, alice.access_token
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    service.tokens.log_out_everywhere("alice").await.unwrap();
    assert_eq!(service.ends.recv().await.unwrap(), Some(EndReason::Revoked));
}
