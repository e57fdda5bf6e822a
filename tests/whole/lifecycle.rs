//! The life of tokens, through the functions: issue, refresh, log out, introspect, change of keys.

mod all_sessions;
mod clocks;
mod everybody;
mod generations;
mod grace;
mod keys;
mod lone_tokens;
mod moving_clock;
mod revocation_list;
mod sessions;

use std::time::Duration;

use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::session::{
    IssuedTokens, RefreshError, RefreshKey, SigningKey, SigningKeys, Subject, TokenError, TokenIssuer,
    TokenService, key_set, readiness,
};
use auth_runtime::store::MemoryStore;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::flaky::FlakyStore;
use crate::support::people::{AUDIENCE, ISSUER, People, issuer, signing_key};
use crate::support::{base64url, request, send};

#[auth]
async fn who(user: Principal) -> String {
    let roles: Vec<_> = user.roles().collect();
    format!("{} {}", user.subject(), roles.join("+"))
}

/// A service with its people, its clock and its tokens.
pub(crate) struct Shop {
    pub(crate) auth: Auth,
    pub(crate) tokens: TokenService,
    pub(crate) clock: TestClock,
    pub(crate) people: People,
    pub(crate) app: axum::Router,
}

impl Shop {
    fn new() -> Self {
        Self::with(|issuer| issuer, |builder| builder)
    }

    fn with(
        configure: impl FnOnce(TokenIssuer) -> TokenIssuer,
        build: impl FnOnce(AuthBuilder) -> AuthBuilder,
    ) -> Self {
        let (people, clock) = (People::default(), TestClock::new());
        let builder = Auth::builder().clock(clock.clone()).token_issuer(configure(issuer(&people)));
        let auth = build(builder).build().unwrap();
        let app = Router::new()
            .route("/who", get(who))
            .route("/keys", get(key_set))
            .route("/ready", get(readiness))
            .finish(&auth)
            .unwrap();
        Self { tokens: auth.tokens().unwrap(), auth, clock, people, app }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn log_in(&self, name: &str) -> IssuedTokens {
        let subject = self.people.find(name).unwrap().unwrap();
        self.tokens.issue(&subject).await.unwrap()
    }

    async fn refused(&self, refresh_token: &str) -> RefreshError {
        match self.tokens.refresh(refresh_token).await {
            Err(TokenError::Refresh(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    /// The answer to a request with this access token: the body, or the status.
    async fn who(&self, access_token: &str) -> Result<String, u16> {
        let bearer = format!("Bearer {access_token}");
        let reply = send(&self.app, request("GET", "/who", &[("authorization", &bearer)])).await;
        if reply.status == 200 { Ok(reply.body) } else { Err(reply.status.as_u16()) }
    }
}

fn part(token: &str, index: usize) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(index).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn an_access_token_is_what_rfc_9068_says() {
    let shop = Shop::with(
        |issuer| issuer.also_for("billing").client_id("web").header("x-region", "eu"),
        |builder| builder,
    );
    let alice = Subject::new("alice")
        .roles(["admin", "editor"])
        .scopes(["a", "b"])
        .permissions(["p"])
        .acr("mfa")
        .claim("tenant", "acme")
        .claims(json!({ "seats": 5 }));
    let tokens = shop.tokens.issue(&alice).await.unwrap();
    let header = part(&tokens.access_token, 0);
    assert_eq!(header, json!({ "typ": "at+jwt", "alg": "HS256", "kid": "s1", "x-region": "eu" }));
    let claims = part(&tokens.access_token, 1);
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(jti.len(), 22, "128 bits in base64url");
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "aud": [AUDIENCE, "billing"], "sub": "alice", "client_id": "web", "jti": jti,
            "iat": 1_800_000_000, "exp": 1_800_000_900, "auth_time": 1_800_000_000, "acr": "mfa",
            "sid": tokens.session_id, "roles": ["admin", "editor"], "scope": "a b", "permissions": ["p"],
            "tenant": "acme", "seats": 5,
        })
    );
    assert_eq!((tokens.expires_in.as_secs(), tokens.refresh_expires_in.as_secs()), (900, 14 * 86_400));
    assert_eq!(shop.who(&tokens.access_token).await.unwrap(), "alice admin+editor");
    assert!(!format!("{tokens:?}").contains(&tokens.access_token));
    let alone = shop.tokens.issue_access(&alice).unwrap();
    assert!(part(&alone, 1).get("sid").is_none());
    assert_eq!(shop.who(&alone).await.unwrap(), "alice admin+editor");
}

#[tokio::test]
async fn what_can_not_be_put_into_a_token_is_said() {
    let shop = Shop::new();
    for (subject, expected) in [
        (Subject::new("alice").claim("exp", 1), "`exp`"),
        (Subject::new("alice").claims(json!({ "cnf": {} })), "`cnf`"),
        (Subject::new("alice").claims(json!({ "scp": "admin:write" })), "`scp`"),
        (Subject::new("alice").claims(5), "is not a JSON object"),
        (Subject::new("alice").scopes(["a b"]), "\"a b\" can't be a scope"),
        (Subject::new(""), "empty"),
    ] {
        let error = shop.tokens.issue(&subject).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Own tokens are of the type `at+jwt` alone, whatever else the key signed.
#[tokio::test]
async fn another_type_of_the_same_key_is_no_access_token() {
    let shop = Shop::new();
    let mut claims = part(&shop.log_in("alice").await.access_token, 1);
    claims["jti"] = "other".into();
    let signed = signing_key(1).sign(&claims).unwrap();
    assert!(shop.who(&signed).await.is_ok());
    let untyped = jws(r#"{"alg":"HS256","kid":"s1"}"#, &claims);
    let id_token = jws(r#"{"alg":"HS256","kid":"s1","typ":"JWT"}"#, &claims);
    for token in [untyped, id_token] {
        assert_eq!(shop.who(&token).await, Err(401));
    }
}

fn jws(header: &str, claims: &Value) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.to_string().as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[1; 32]);
    format!("{message}.{}", base64url(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref()))
}

#[tokio::test]
async fn a_refresh_asks_the_application_again() {
    let shop = Shop::new();
    let first = shop.log_in("alice").await;
    assert_eq!(shop.who(&first.access_token).await.unwrap(), "alice admin");

    shop.people.set("alice", &["viewer"]);
    shop.pass(100);
    let second = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(shop.who(&second.access_token).await.unwrap(), "alice viewer");
    assert_eq!(second.session_id, first.session_id);
    let claims = part(&second.access_token, 1);
    assert_eq!((&claims["auth_time"], &claims["iat"]), (&json!(1_800_000_000), &json!(1_800_000_100)));

    shop.people.set_unreachable(true);
    let error = shop.tokens.refresh(&second.refresh_token).await.unwrap_err();
    assert!(matches!(error, TokenError::SubjectStore(_)), "{error}");
    shop.people.set_unreachable(false);
    let third = shop.tokens.refresh(&second.refresh_token).await.unwrap();

    shop.people.remove("alice");
    assert_eq!(shop.refused(&third.refresh_token).await, RefreshError::SubjectGone);
    assert_eq!(shop.who(&third.access_token).await, Err(401), "and with it her access tokens");
    shop.people.set("alice", &["admin"]);
    assert_eq!(shop.refused(&third.refresh_token).await, RefreshError::Ended);
}

#[tokio::test]
async fn within_the_grace_period_the_same_successor_comes_again() {
    let shop = Shop::new();
    let first = shop.log_in("alice").await;
    let second = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    shop.pass(10);
    let again = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
    assert_ne!(again.access_token, second.access_token);

    shop.pass(1);
    assert_eq!(shop.refused(&first.refresh_token).await, RefreshError::Reused);
    for token in [&second, &again] {
        assert_eq!(shop.who(&token.access_token).await, Err(401));
        assert_eq!(shop.refused(&token.refresh_token).await, RefreshError::Ended);
    }
}

#[tokio::test]
async fn a_used_successor_ends_the_grace_period() {
    let shop = Shop::new();
    let first = shop.log_in("alice").await;
    let second = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    let third = shop.tokens.refresh(&second.refresh_token).await.unwrap();
    assert_eq!(shop.refused(&first.refresh_token).await, RefreshError::Reused);
    assert_eq!(shop.refused(&third.refresh_token).await, RefreshError::Ended);
    assert_eq!(shop.who(&third.access_token).await, Err(401));
    // It is this login that has ended, not the user's others.
    assert_eq!(shop.who(&shop.log_in("alice").await.access_token).await.unwrap(), "alice admin");
}

#[tokio::test]
async fn a_grace_period_of_nothing_is_none() {
    let shop = Shop::with(|issuer| issuer.grace_period(Duration::ZERO), |builder| builder);
    let first = shop.log_in("alice").await;
    let second = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(shop.refused(&first.refresh_token).await, RefreshError::Reused);
    assert_eq!(shop.refused(&second.refresh_token).await, RefreshError::Ended);
}

#[tokio::test]
async fn a_log_in_ends_by_not_being_used_and_by_its_age() {
    let day = 86_400;
    let shop = Shop::new();
    let first = shop.log_in("alice").await;
    shop.pass(14 * day);
    assert_eq!(shop.refused(&first.refresh_token).await, RefreshError::Ended);

    let mut tokens = shop.log_in("alice").await;
    for _ in 0..6 {
        shop.pass(13 * day);
        tokens = shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
    }
    shop.pass(11 * day); // 89 in all
    tokens = shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(tokens.refresh_expires_in.as_secs(), day, "no longer than to the 90th");
    shop.pass(day - 60);
    tokens = shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(tokens.expires_in.as_secs(), 60, "the access token ends with it");
    shop.pass(60);
    assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
}

#[tokio::test]
async fn log_out_ends_this_log_in_and_log_out_everywhere_all() {
    let shop = Shop::new();
    let (phone, desk, bob) =
        (shop.log_in("alice").await, shop.log_in("alice").await, shop.log_in("bob").await);
    let older = phone.refresh_token.clone();
    let phone = shop.tokens.refresh(&older).await.unwrap();
    // Also with a token that was used before: its holder wants the login to end.
    assert!(shop.tokens.log_out(&older).await.unwrap());
    assert!(!shop.tokens.log_out("what is this").await.unwrap());
    assert_eq!(shop.who(&phone.access_token).await, Err(401));
    assert_eq!(shop.refused(&phone.refresh_token).await, RefreshError::Ended);
    assert!(shop.who(&desk.access_token).await.is_ok());

    shop.tokens.log_out_everywhere("alice").await.unwrap();
    assert_eq!(shop.who(&desk.access_token).await, Err(401));
    assert_eq!(shop.refused(&desk.refresh_token).await, RefreshError::Ended);
    assert!(shop.who(&bob.access_token).await.is_ok());

    // A user that logs in again in the same second is in.
    let new = shop.log_in("alice").await;
    assert_eq!(shop.who(&new.access_token).await.unwrap(), "alice admin");
    let new = shop.tokens.refresh(&new.refresh_token).await.unwrap();
    assert_eq!(shop.who(&new.access_token).await.unwrap(), "alice admin");
    assert!(shop.tokens.refresh(&bob.refresh_token).await.is_ok());
}

/// However they are dated: the clock of the instance that issued them may be ahead.
#[tokio::test]
async fn log_out_everywhere_ends_what_is_dated_ahead() {
    let store = MemoryStore::new();
    let ahead = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    ahead.pass(30);
    for shop in [&ahead, &shop] {
        shop.auth.start().await.unwrap();
    }
    let tokens = ahead.log_in("alice").await;
    assert!(shop.who(&tokens.access_token).await.is_ok());
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    assert_eq!(shop.who(&tokens.access_token).await, Err(401));
    assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
}

/// What failed can be asked again, and then all of it holds: also for tokens that are dated in the future.
#[tokio::test]
async fn a_log_out_that_failed_holds_when_it_is_asked_again() {
    let store = FlakyStore::default();
    let ahead = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    ahead.pass(30);
    for shop in [&ahead, &shop] {
        shop.auth.start().await.unwrap();
    }
    let (everywhere, here) = (ahead.log_in("alice").await, ahead.log_in("bob").await);
    store.set_takes_no_revocation(true);
    shop.tokens.log_out_everywhere("alice").await.unwrap_err();
    shop.tokens.log_out(&here.refresh_token).await.unwrap_err();
    assert!(shop.auth.revocations().status().failure.unwrap().contains("full"));
    assert!(shop.who(&everywhere.access_token).await.is_ok(), "nothing was acknowledged");
    store.set_takes_no_revocation(false);
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    shop.tokens.log_out(&here.refresh_token).await.unwrap();
    for tokens in [everywhere, here] {
        assert_eq!(shop.who(&tokens.access_token).await, Err(401));
        assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
    }
    assert_eq!(shop.auth.revocations().status().failure, None);
}

/// An engine that issues no tokens, over the same store, ends logins all the same.
#[tokio::test]
async fn an_engine_that_only_verifies_ends_log_ins_too() {
    let store = MemoryStore::new();
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    shop.auth.start().await.unwrap();
    let trusted = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(signing_key(1).verifying_key());
    let other = Auth::builder().clock(shop.clock.clone()).issuer(trusted).store(store).build().unwrap();
    let tokens = shop.log_in("alice").await;
    let (issuer, session_id) = (ISSUER.to_owned(), tokens.session_id.clone());
    other.revocations().revoke(Revocation::Session { issuer, session_id }).await.unwrap();
    // Long after the entry of the log has gone.
    shop.pass(3 * 86_400);
    shop.auth.revocations().drop_expired().await.unwrap();
    shop.auth.start().await.unwrap();
    assert_eq!(shop.auth.revocations().status().entries, 0);
    assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
}

/// A logout whose client does not wait for the answer is done all the same.
#[tokio::test]
async fn a_log_out_that_nobody_waits_for_is_done() {
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(MemoryStore::new()));
    shop.auth.start().await.unwrap();
    let tokens = shop.log_in("alice").await;
    {
        let mut logging_out = std::pin::pin!(shop.tokens.log_out(&tokens.refresh_token));
        let waker = std::task::Waker::noop();
        let begun = logging_out.as_mut().poll(&mut std::task::Context::from_waker(waker));
        assert!(begun.is_pending(), "it waits for its task");
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(shop.who(&tokens.access_token).await, Err(401));
    assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
}

/// What takes access tokens back takes the refresh tokens with them.
#[tokio::test]
async fn the_functions_of_revocation_end_log_ins_too() {
    let shop = Shop::new();
    let mut ended = Vec::new();
    for everything in [false, true] {
        let tokens = shop.log_in("alice").await;
        let claims = part(&tokens.access_token, 1);
        let session_id = claims["sid"].as_str().unwrap().to_owned();
        let revocation = if everything {
            Revocation::User {
                issuer: ISSUER.into(),
                subject: "alice".into(),
                issued_at_or_before: shop.auth.now(),
            }
        } else {
            Revocation::Session { issuer: ISSUER.into(), session_id }
        };
        shop.auth.revocations().revoke(revocation).await.unwrap();
        assert_eq!(shop.who(&tokens.access_token).await, Err(401));
        assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
        ended.push(tokens);
    }
    // They stay ended when the revocations have gone, long before the refresh tokens would have expired.
    shop.pass(3 * 86_400);
    shop.auth.revocations().drop_expired().await.unwrap();
    assert_eq!(shop.auth.revocations().status().entries, 2, "the generation that is valid");
    for tokens in ended {
        assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::Ended);
    }
}

#[tokio::test]
async fn one_access_token_can_be_taken_back_alone() {
    let shop = Shop::new();
    let tokens = shop.log_in("alice").await;
    shop.tokens.revoke(&tokens.access_token).await.unwrap();
    assert_eq!(shop.who(&tokens.access_token).await, Err(401));
    let next = shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
    assert!(shop.who(&next.access_token).await.is_ok());
    // RFC 7009 §2.1: with a refresh token goes all that came of it.
    shop.tokens.revoke(&next.refresh_token).await.unwrap();
    assert_eq!(shop.who(&next.access_token).await, Err(401));
    shop.tokens.revoke("no token at all").await.unwrap();
}

#[tokio::test]
async fn introspection_tells_what_is_good_now() {
    let shop = Shop::new();
    let dead = json!({ "active": false });
    let tokens = shop.log_in("alice").await;
    let access = shop.tokens.introspect(&tokens.access_token).await.unwrap();
    assert_eq!(
        (&access["active"], &access["sub"], &access["token_type"], &access["client_id"], &access["exp"]),
        (&json!(true), &json!("alice"), &json!("Bearer"), &json!(AUDIENCE), &json!(1_800_000_900))
    );
    let refresh = shop.tokens.introspect(&tokens.refresh_token).await.unwrap();
    assert_eq!((&refresh["active"], &refresh["sid"]), (&json!(true), &json!(tokens.session_id)));

    let next = shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(shop.tokens.introspect(&tokens.refresh_token).await.unwrap(), dead, "it was used");
    assert_eq!(shop.tokens.introspect("x.y.z").await.unwrap(), dead);
    shop.pass(900 + 60);
    assert_eq!(shop.tokens.introspect(&next.access_token).await.unwrap(), dead, "it has expired");
    shop.tokens.log_out(&next.refresh_token).await.unwrap();
    assert_eq!(shop.tokens.introspect(&next.refresh_token).await.unwrap(), dead);
}

#[tokio::test]
async fn what_is_wrong_with_an_issuer_is_said_at_start() {
    let build = |issuer: TokenIssuer| Auth::builder().token_issuer(issuer).build().unwrap_err().to_string();
    let people = People::default();
    let bare = || TokenIssuer::new(ISSUER, AUDIENCE, signing_key(1), people.clone());
    let hour = Duration::from_secs(3600);
    for (issuer, expected) in [
        (bare(), "no refresh key"),
        (bare().refresh_key(RefreshKey::new("k", [1; 8])), "has 8 bytes"),
        (
            bare().refresh_key(RefreshKey::new("k", SigningKey::generate_pem(Algorithm::ES256).unwrap())),
            "is a PEM",
        ),
        (issuer(&people).access_lifetime(48 * hour), "172800 s"),
        (issuer(&people).access_lifetime(Duration::ZERO), "is 0 s"),
        (issuer(&people).refresh_lifetime(Duration::from_secs(60)), "none may be shorter"),
        (issuer(&people).session_lifetime(hour), "none may be shorter"),
        (issuer(&people).session_lifetime(Duration::MAX), "(100 years) at most: a session must end"),
        (issuer(&people).grace_period(hour), "the maximum is 60 s"),
        (issuer(&people).header("alg", "none"), "`alg`"),
        (issuer(&people).also_for(""), "an audience of the token issuer is empty"),
    ] {
        let error = build(issuer);
        assert!(error.contains(expected), "{error}");
    }
    let error = Auth::builder()
        .token_issuer(issuer(&people).grace_period(Duration::ZERO))
        .renew_transparently()
        .build();
    assert!(error.unwrap_err().to_string().contains("grace period"));
    let without = auth_runtime::testing::TestAuth::new();
    assert!(without.auth().tokens().unwrap_err().to_string().contains(".token_issuer("));
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_then_refuses() {
    let store = FlakyStore::default();
    store.set_broken(true);
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    let ready = async || send(&shop.app, request("GET", "/ready", &[])).await.status;
    let status = || shop.auth.revocations().status();

    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE, "the log was not read yet");
    assert_eq!(status().confirmed_at, None);
    store.set_broken(false);
    shop.auth.start().await.unwrap();
    assert_eq!(ready().await, StatusCode::NO_CONTENT);
    let (tokens, other) = (shop.log_in("alice").await, shop.log_in("bob").await);
    shop.tokens.log_out(&other.refresh_token).await.unwrap();
    shop.auth.start().await.unwrap();
    assert_eq!((status().entries, status().cursor, status().ready), (1, 1, true));

    store.set_broken(true);
    let error = shop.tokens.log_out(&tokens.refresh_token).await.unwrap_err();
    assert!(matches!(&error, TokenError::Store(why) if why.to_string().contains("on fire")), "{error}");
    assert!(shop.auth.start().await.is_err());
    assert!(status().failure.unwrap().contains("on fire"));
    shop.pass(30);
    assert_eq!(
        shop.who(&tokens.access_token).await.unwrap(),
        "alice admin",
        "what was not revoked is served"
    );
    assert_eq!(shop.who(&other.access_token).await, Err(401));
    shop.pass(1);
    assert_eq!(shop.who(&tokens.access_token).await, Err(503), "the view is older than 30 s");
    assert_eq!(ready().await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(shop.tokens.refresh(&tokens.refresh_token).await.is_err());

    store.set_broken(false);
    shop.auth.start().await.unwrap();
    assert_eq!(shop.who(&tokens.access_token).await.unwrap(), "alice admin");
    shop.tokens.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!((ready().await, status().failure), (StatusCode::NO_CONTENT, None));
}

/// Two engines over one store are two instances of a service.
#[tokio::test]
async fn another_instance_follows() {
    let store = MemoryStore::new();
    let one = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    let two = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    for shop in [&one, &two] {
        shop.auth.start().await.unwrap();
    }
    let tokens = one.log_in("alice").await;
    assert_eq!(two.who(&tokens.access_token).await.unwrap(), "alice admin");
    let next = two.tokens.refresh(&tokens.refresh_token).await.unwrap();
    one.tokens.log_out(&next.refresh_token).await.unwrap();
    assert_eq!(one.who(&next.access_token).await, Err(401));
    two.auth.start().await.unwrap();
    assert_eq!(two.who(&next.access_token).await, Err(401));
    assert_eq!(two.refused(&next.refresh_token).await, RefreshError::Ended);
}
