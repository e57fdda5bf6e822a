//! Clocks that are wrong for a while, and sessions that are many. `model/clocks.rs` has clocks that jump at random.

use std::time::{Duration, SystemTime};

use auth_runtime::Auth;
use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::session::{RefreshError, Subject, TokenError};
use auth_runtime::store::{MemoryStore, RefreshTokenStore, RevocationLog};
use auth_runtime::testing::{TestAuth, TestUser};

use super::{Shop, part};
use crate::support::flaky::FlakyStore;
use crate::support::get_as;
use crate::support::people::{ISSUER, issuer};

const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

impl Shop {
    /// With a store, as an engine that is stopped and started has it.
    pub(super) async fn over(store: &(impl RevocationLog + RefreshTokenStore + Clone)) -> Self {
        let shop = Self::with(|issuer| issuer, |builder| builder.store(store.clone()));
        shop.auth.start().await.unwrap();
        shop
    }

    /// Sets the clock to so many seconds ahead of where it is.
    pub(super) fn set_ahead(&self, seconds: u64) {
        self.clock.set(self.clock.now() + Duration::from_secs(seconds));
    }

    pub(super) fn set_back(&self, seconds: u64) {
        self.clock.set(self.clock.now() - Duration::from_secs(seconds));
    }

    /// What the engine does every second.
    pub(super) async fn tick(&self) {
        self.auth.start().await.unwrap();
        self.auth.revocations().drop_expired().await.unwrap();
    }

    /// Lets days pass as a service sees them.
    pub(super) async fn live_on(&self, days: u64) {
        for _ in 0..days {
            self.pass(DAY);
            self.tick().await;
        }
    }
}

/// The tokens of a login while the clock was ahead have an `iat` that comes later: they are revoked until then, and as long as
/// they would be accepted.
#[tokio::test]
async fn a_token_that_is_dated_in_the_future_stays_revoked_when_its_time_has_come() {
    for way in 0..5 {
        let shop = Shop::over(&MemoryStore::new()).await;
        // A month, which it has shown for ten minutes.
        shop.set_ahead(30 * DAY);
        assert!(matches!(
            shop.tokens.issue(&Subject::new("alice")).await,
            Err(TokenError::ClockAhead { .. })
        ));
        shop.pass(10 * MINUTE);
        shop.tick().await;
        let first = shop.log_in("alice").await;
        let alone = shop.tokens.issue_access(&Subject::new("alice")).unwrap();
        assert!(shop.who(&first.access_token).await.is_ok() && shop.who(&alone).await.is_ok());
        shop.set_back(30 * DAY);
        shop.tick().await;
        assert_eq!(shop.who(&first.access_token).await, Err(401), "issued in the future");

        // It goes on, and its row is of now: what was issued before is not forgotten.
        let next = shop.tokens.refresh(&first.refresh_token).await.unwrap();
        assert!(shop.who(&next.access_token).await.is_ok(), "a refresh gives a token that is accepted");
        match way {
            0 => assert!(shop.tokens.log_out(&next.refresh_token).await.unwrap()),
            1 => shop.tokens.end_session(&next.session_id).await.unwrap(),
            2 => shop.tokens.log_out_everywhere("alice").await.unwrap(),
            // RFC 7009, also of tokens that are "issued in the future"
            3 => {
                shop.tokens.revoke(&first.access_token).await.unwrap();
                shop.tokens.revoke(&alone).await.unwrap();
            }
            _ => {
                // A token was used again, which ends the session.
                shop.pass(MINUTE);
                shop.tick().await;
                assert_eq!(shop.refused(&first.refresh_token).await, RefreshError::Reused);
            }
        }
        assert_eq!(shop.who(&first.access_token).await, Err(401));
        shop.live_on(29).await;
        for _ in 0..60 {
            shop.pass(HOUR);
            shop.tick().await;
            assert_eq!(shop.who(&first.access_token).await, Err(401), "way {way}, at {:?}", shop.clock.now());
            if way == 2 || way == 3 {
                assert_eq!(shop.who(&alone).await, Err(401), "way {way}, without a session");
            }
        }
        shop.live_on(30).await;
        assert_eq!(shop.auth.revocations().status().entries, 0);
    }
}

/// A process that is started with a clock that is ahead goes on from where the one before was.
#[tokio::test]
async fn a_clock_that_is_ahead_at_a_start_makes_nothing_forgotten() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    shop.live_on(1).await;
    let tokens = shop.log_in("alice").await;
    shop.tokens.log_out(&tokens.refresh_token).await.unwrap();
    let right = shop.clock.now();

    let restarted =
        Shop::with(|issuer| issuer, |builder| builder.store(store.clone()).clock(shop.clock.clone()));
    shop.clock.set(right + Duration::from_secs(30 * DAY));
    restarted.auth.start().await.unwrap();
    for _ in 0..6 {
        shop.pass(HOUR);
        restarted.auth.revocations().drop_expired().await.unwrap();
    }
    shop.clock.set(right + Duration::from_secs(10 * MINUTE));
    restarted.auth.start().await.unwrap();
    assert_eq!(restarted.who(&tokens.access_token).await, Err(401));
    assert_eq!(store.confirmed_time().await.unwrap().unwrap(), right + Duration::from_secs(6 * HOUR));
}

#[tokio::test]
async fn a_logout_everywhere_while_the_clock_is_ahead_keeps_nobody_out() {
    let shop = Shop::over(&MemoryStore::new()).await;
    shop.set_ahead(2 * HOUR);
    let old = shop.log_in("alice").await;
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    shop.set_back(2 * HOUR);
    shop.tick().await;
    let new = shop.log_in("alice").await;
    let alone = shop.tokens.issue_access(&Subject::new("alice")).unwrap();
    assert!(shop.who(&new.access_token).await.is_ok() && shop.who(&alone).await.is_ok());
    assert_eq!(shop.who(&old.access_token).await, Err(401));
    let next = shop.tokens.refresh(&new.refresh_token).await.unwrap();
    assert!(shop.who(&next.access_token).await.is_ok());
}

/// Also where no gate has a leeway, and where another library verifies: what is issued is dated now.
#[tokio::test]
async fn many_logouts_everywhere_in_one_second() {
    let shop = Shop::with(|issuer| issuer, |builder| builder.leeway(Duration::ZERO));
    let mut ended = Vec::new();
    for _ in 0..20 {
        let tokens = shop.log_in("alice").await;
        let alone = shop.tokens.issue_access(&Subject::new("alice")).unwrap();
        assert_eq!(part(&tokens.access_token, 1)["iat"], 1_800_000_000);
        assert!(shop.who(&tokens.access_token).await.is_ok() && shop.who(&alone).await.is_ok());
        let next = shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
        shop.tokens.log_out_everywhere("alice").await.unwrap();
        ended.extend([tokens.access_token, next.access_token, alone]);
        for token in &ended {
            assert_eq!(shop.who(token).await, Err(401));
        }
        assert_eq!(shop.refused(&next.refresh_token).await, RefreshError::Ended);
    }
}

/// The clock of another issuer may be ahead by the leeway.
#[tokio::test]
async fn revoking_a_user_of_another_issuer_concerns_tokens_of_a_clock_that_is_ahead() {
    let test = TestAuth::new();
    let app = super::super::tokens::app(test.auth());
    let now = test.clock().now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let status = async |iat: u64| {
        let user = TestUser::new("alice").claim("iat", iat).claim("exp", now + 900);
        get_as(&app, &test, &user, "/").await.status.as_u16()
    };
    let before = [now - 5, now, now + 59, now + 60];
    for iat in before {
        assert_eq!(status(iat).await, 200, "{iat}");
    }
    test.auth().revocations().revoke_user(&TestUser::new("alice").principal()).await.unwrap();
    for iat in before {
        assert_eq!(status(iat).await, 401, "{iat}");
    }
    test.clock().advance(Duration::from_secs(1));
    assert_eq!(status(now + 60).await, 401);
    assert_eq!(status(now + 61).await, 200);
}

/// A user of the own issuer, up to a time in the past: the sessions that began by then end, and no other.
#[tokio::test]
async fn sessions_that_began_by_a_time_in_the_past_end() {
    let shop = Shop::over(&MemoryStore::new()).await;
    let old = shop.log_in("alice").await;
    shop.pass(100);
    let bound = shop.clock.now();
    let old_alone = shop.tokens.issue_access(&Subject::new("alice")).unwrap();
    shop.pass(100);
    shop.tick().await;
    let renewed = shop.tokens.refresh(&old.refresh_token).await.unwrap();
    let new = shop.log_in("alice").await;
    let user =
        Revocation::User { issuer: ISSUER.into(), subject: "alice".into(), issued_at_or_before: bound };
    shop.auth.revocations().revoke(user).await.unwrap();
    for token in [&old.access_token, &renewed.access_token, &old_alone] {
        assert_eq!(shop.who(token).await, Err(401));
    }
    assert_eq!(shop.refused(&renewed.refresh_token).await, RefreshError::Ended);
    assert!(shop.who(&new.access_token).await.is_ok());
    assert!(shop.tokens.refresh(&new.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_clock_that_has_jumped_too_far_ahead_issues_nothing() {
    let shop = Shop::over(&MemoryStore::new()).await;
    let tokens = shop.log_in("alice").await;
    shop.set_ahead(2 * DAY);
    let alice = Subject::new("alice");
    for refused in [
        shop.tokens.issue(&alice).await.map(drop),
        shop.tokens.issue_access(&alice).map(drop),
        shop.tokens.refresh(&tokens.refresh_token).await.map(drop),
    ] {
        let error = refused.unwrap_err();
        assert!(error.is_temporary() && error.to_string().contains("172800 s"), "{error}");
    }
    // A logout is not prevented.
    assert!(shop.tokens.log_out(&tokens.refresh_token).await.unwrap());
    shop.set_back(2 * DAY);
    shop.log_in("alice").await;
}

#[tokio::test]
async fn the_oldest_sessions_of_a_user_end_when_there_are_too_many() {
    let shop =
        Shop::with(|issuer| issuer.max_sessions_per_user(3), |builder| builder.store(MemoryStore::new()));
    shop.auth.start().await.unwrap();
    let bob = shop.log_in("bob").await;
    let mut alice = Vec::new();
    for _ in 0..5 {
        alice.push(shop.log_in("alice").await);
        shop.pass(1);
    }
    for (number, tokens) in alice.iter().enumerate() {
        assert_eq!(shop.who(&tokens.access_token).await.is_ok(), number >= 2, "{number}");
        if number < 2 {
            assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
        }
    }
    assert!(shop.who(&bob.access_token).await.is_ok());
    // A session that has ended makes room.
    shop.tokens.log_out(&alice[4].refresh_token).await.unwrap();
    shop.log_in("alice").await;
    assert!(shop.who(&alice[2].access_token).await.is_ok());
}

/// A logout everywhere removes the rows after it has written the entries, and may be interrupted between the two.
#[tokio::test]
async fn sessions_that_have_ended_but_have_a_row_do_not_count() {
    let store = MemoryStore::new();
    let shop = Shop::with(|issuer| issuer.max_sessions_per_user(3), |builder| builder.store(store.clone()));
    shop.auth.start().await.unwrap();
    for _ in 0..3 {
        shop.log_in("alice").await;
    }
    let rows = store.find_by_subject(ISSUER, "alice").await.unwrap();
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    for row in rows {
        store.insert(row).await.unwrap();
    }
    let mut alice = Vec::new();
    for _ in 0..3 {
        alice.push(shop.log_in("alice").await);
    }
    for tokens in alice {
        assert!(shop.who(&tokens.access_token).await.is_ok());
    }
}

#[tokio::test]
async fn a_user_has_a_hundred_sessions() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    for _ in 0..103 {
        shop.log_in("alice").await;
    }
    assert_eq!(store.families(), 100);
    assert_eq!(store.revocations(), 3);
    let none = Auth::builder().token_issuer(issuer(&shop.people).max_sessions_per_user(0)).build();
    assert!(none.unwrap_err().to_string().contains("`max_sessions_per_user` is 0"));
}

/// From before there was a maximum, or where there is none: the log names all in one transaction, and the rows go in parts.
#[tokio::test]
async fn a_logout_everywhere_of_many_sessions() {
    let store = FlakyStore::default();
    let shop =
        Shop::with(|issuer| issuer.max_sessions_per_user(usize::MAX), |builder| builder.store(store.clone()));
    shop.auth.start().await.unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2500 {
        tokens.push(shop.log_in("alice").await);
    }
    store.clear_calls();
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    assert_eq!(store.calls(), [("append", 2501), ("remove", 1000), ("remove", 1000), ("remove", 500)]);
    for tokens in tokens.iter().step_by(100) {
        assert_eq!(shop.who(&tokens.access_token).await, Err(401));
    }
}
