//! A used refresh token that is sent again: for how long, how often, and by whom.

use std::sync::{Arc, Mutex};

use auth_runtime::audit::AuditAction;
use auth_runtime::routing::get;
use auth_runtime::session::routes::TokenRoutes;
use axum::extract::connect_info::MockConnectInfo;

use super::*;

const FIVE_MINUTES: Duration = Duration::from_secs(300);

fn extended() -> Shop {
    Shop::with(|issuer| issuer.dangerously_extend_grace_period(FIVE_MINUTES), |builder| builder)
}

/// The uses of one token at these ages, each of which is answered by the successor or not; after the first that is not the session
/// has ended.
#[tokio::test]
async fn a_successor_is_issued_again_any_number_of_times_for_a_minute_and_then_once() {
    for (is_extended, uses) in [
        (false, &[(0, true), (10, true), (10, true), (11, false)][..]),
        (true, &[(0, true), (11, true), (60, true), (60, true), (61, true), (61, false)]),
        (true, &[(60, true), (300, true), (300, false)]),
        (true, &[(61, true), (62, false)]),
        (true, &[(301, false)]),
    ] {
        let shop = if is_extended { extended() } else { Shop::new() };
        let first = shop.log_in("alice").await;
        let successor = shop.tokens.refresh(&first.refresh_token).await.unwrap();
        let mut age = 0;
        for &(at, is_answered) in uses {
            shop.pass(at - age);
            age = at;
            match shop.tokens.refresh(&first.refresh_token).await {
                Ok(again) => {
                    assert!(is_answered, "{uses:?} at {at}");
                    assert_eq!(again.refresh_token, successor.refresh_token);
                    assert_eq!(shop.who(&again.access_token).await.unwrap(), "alice admin");
                }
                Err(TokenError::Refresh(RefreshError::Reused)) => {
                    assert!(!is_answered, "{uses:?} at {at}");
                    assert_eq!(shop.refused(&successor.refresh_token).await, RefreshError::Ended);
                    assert_eq!(shop.who(&successor.access_token).await, Err(401));
                }
                Err(error) => panic!("{uses:?} at {at}: {error}"),
            }
        }
    }
}

/// The second issue is about one token, and not about the session.
#[tokio::test]
async fn each_token_of_a_session_can_be_lost_once() {
    let shop = extended();
    let mut used = shop.log_in("alice").await;
    for _ in 0..3 {
        let successor = shop.tokens.refresh(&used.refresh_token).await.unwrap();
        shop.pass(120);
        let again = shop.tokens.refresh(&used.refresh_token).await.unwrap();
        assert_eq!(again.refresh_token, successor.refresh_token);
        used = successor;
    }
    // The owner goes on with the successor, so a caller that sends the one before has a copy.
    let before = used.clone();
    shop.tokens.refresh(&used.refresh_token).await.unwrap();
    shop.tokens.refresh(&before.refresh_token).await.unwrap();
    shop.pass(120);
    shop.tokens.refresh(&before.refresh_token).await.unwrap();
    assert_eq!(shop.refused(&before.refresh_token).await, RefreshError::Reused);
}

/// What was issued late is revoked for as long as it is accepted.
#[tokio::test]
async fn a_logout_concerns_what_was_issued_again() {
    let shop = extended();
    let first = shop.log_in("alice").await;
    shop.tokens.refresh(&first.refresh_token).await.unwrap();
    shop.pass(300);
    let late = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    // By a clock that is wrong.
    shop.clock.set(std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    assert!(shop.tokens.log_out(&late.refresh_token).await.unwrap());
    shop.pass(300 + 900);
    shop.auth.revocations().drop_expired().await.unwrap();
    assert_eq!(shop.who(&late.access_token).await, Err(401));
}

#[tokio::test]
async fn the_extended_grace_period_has_bounds() {
    let usual = || issuer(&People::default());
    let extended = |seconds| usual().dangerously_extend_grace_period(Duration::from_secs(seconds));
    let build = |issuer: TokenIssuer| Auth::builder().token_issuer(issuer).build();
    for issuer in [
        usual().grace_period(Duration::from_secs(60)),
        extended(61),
        extended(300),
        // The last call counts.
        extended(301).grace_period(Duration::from_secs(5)),
    ] {
        build(issuer).unwrap();
    }
    for (issuer, expected) in [
        (usual().grace_period(Duration::from_secs(61)), "call `dangerously_extend_grace_period` instead"),
        (extended(60), "call `grace_period` instead"),
        (extended(301), "a third of `access_lifetime`, which is 300 s"),
        (extended(100).access_lifetime(Duration::from_secs(299)), "which is 99 s"),
    ] {
        let error = build(issuer).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[auth(source = "cookie")]
async fn page(user: Principal) -> String {
    user.subject().to_owned()
}

/// Who sends a used token again, after how many seconds, and whether the session goes on. A renewal has its own minute, and gives it to
/// no client but the browser whose cookie it may have used.
#[tokio::test]
async fn a_renewal_has_a_minute_of_its_own() {
    let usual: fn(TokenIssuer) -> TokenIssuer = |issuer| issuer;
    let long: fn(TokenIssuer) -> TokenIssuer = |issuer| issuer.dangerously_extend_grace_period(FIVE_MINUTES);
    for (configure, renews, by, age, goes_on) in [
        (usual, true, "page", 60, true),
        (usual, true, "page", 61, false),
        (usual, true, "/refresh", 60, true),
        (usual, true, "/refresh", 61, false),
        (usual, true, "function", 10, true),
        (usual, true, "function", 11, false),
        (usual, false, "/refresh", 10, true),
        (usual, false, "/refresh", 11, false),
        (long, true, "page", 60, true),
        (long, true, "page", 61, false),
        (long, true, "/refresh", 61, true),
        (long, true, "function", 61, true),
        (long, false, "/refresh", 300, true),
    ] {
        let shop =
            Shop::with(configure, |builder| if renews { builder.renew_transparently() } else { builder });
        let routes = TokenRoutes::cookies(shop.tokens.clone(), shop.people.clone());
        let app = Router::new()
            .route("/page", get(page))
            .nest("/auth", routes.router())
            .finish(&shop.auth)
            .unwrap()
            .layer(MockConnectInfo(std::net::SocketAddr::from(([192, 0, 2, 1], 4711))));
        let first = shop.log_in("alice").await;
        let successor = shop.tokens.refresh(&first.refresh_token).await.unwrap();
        shop.pass(age);
        let name = if renews { "__Host-refresh_token" } else { "__Secure-refresh_token" };
        let cookie = format!("{name}={}", first.refresh_token);
        let status = match by {
            "function" => shop.tokens.refresh(&first.refresh_token).await.map_or(400, |_| 200),
            "page" => send(&app, request("GET", "/page", &[("cookie", &cookie)])).await.status.as_u16(),
            _ => send(&app, request("POST", "/auth/refresh", &[("cookie", &cookie)])).await.status.as_u16(),
        };
        assert_eq!(status == 200, goes_on, "{by} after {age} s, renews: {renews}: {status}");
        let next = shop.tokens.refresh(&successor.refresh_token).await;
        assert_eq!(next.is_ok(), goes_on, "{by} after {age} s, renews: {renews}");
    }
}

#[tokio::test]
async fn every_repeated_use_is_an_audit_event_with_the_address() {
    let events: Arc<Mutex<Vec<_>>> = Arc::default();
    let noted = Arc::clone(&events);
    let shop = Shop::with(
        |issuer| issuer.dangerously_extend_grace_period(FIVE_MINUTES),
        |builder| {
            builder.audit(move |event| {
                let session = event.session_id.map(str::to_owned);
                noted.lock().unwrap().push((
                    event.action,
                    event.client_address,
                    session,
                    event.rejection.is_some(),
                ));
            })
        },
    );
    let first = shop.log_in("alice").await;
    let address = std::net::IpAddr::from([203, 0, 113, 9]);
    let tokens = shop.tokens.for_client(address);
    tokens.refresh(&first.refresh_token).await.unwrap();
    events.lock().unwrap().clear();
    for (wait, action, is_rejected) in [
        (0, AuditAction::RefreshRepeat, false),
        (60, AuditAction::RefreshRepeat, false),
        (1, AuditAction::RefreshRepeat, false),
        (0, AuditAction::RefreshTokenReuse, true),
        (0, AuditAction::Refresh, true),
    ] {
        shop.pass(wait);
        assert_eq!(tokens.refresh(&first.refresh_token).await.is_err(), is_rejected);
        let event = (action, Some(address), Some(first.session_id.clone()), is_rejected);
        assert_eq!(std::mem::take(&mut *events.lock().unwrap()), [event]);
    }
}
