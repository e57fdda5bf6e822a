//! The sessions of a user, through the functions: the list, and ending one or all others.

use std::slice::from_ref;
use std::time::UNIX_EPOCH;

use auth_runtime::session::{Session, SessionList};
use auth_runtime::store::{RefreshTokenFamily, RefreshTokenStore as _};

use super::*;
use crate::support::caller_of;

const NOW: u64 = 1_800_000_000;

impl Shop {
    async fn log_in_with(&self, name: &str, label: &str) -> IssuedTokens {
        let subject = self.people.find(name).unwrap().unwrap().session_label(label);
        self.tokens.issue(&subject).await.unwrap()
    }

    /// The caller with this access token.
    async fn caller(&self, access_token: &str) -> Principal {
        let bearer = format!("Bearer {access_token}");
        caller_of(&self.app, request("GET", "/who", &[("authorization", &bearer)])).await
    }

    async fn ids(&self, subject: &str) -> Vec<String> {
        ids(&self.tokens.sessions(subject).await.unwrap())
    }

    async fn refreshes(&self, tokens: &IssuedTokens) -> bool {
        self.tokens.refresh(&tokens.refresh_token).await.is_ok()
    }
}

fn ids(list: &SessionList) -> Vec<String> {
    list.sessions.iter().map(|session| session.id.clone()).collect()
}

/// Seconds after the beginning of the test: the login, the last refresh, the end.
fn times(session: &Session) -> [u64; 3] {
    [session.started_at, session.last_refreshed_at, session.expires_at]
        .map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs() - NOW)
}

fn no_session(result: Result<usize, TokenError>) -> bool {
    matches!(result, Err(TokenError::NoSession))
}

#[tokio::test]
async fn a_user_recognizes_its_sessions() {
    let day = 86_400;
    let shop = Shop::new();
    let phone = shop.log_in_with("alice", " Phone\r\n\u{202e}7\0 ").await;
    shop.log_in("bob").await;
    shop.pass(100);
    let desk = shop.log_in_with("alice", &"x".repeat(5000)).await;
    shop.pass(100);
    let plain = shop.log_in("alice").await;
    shop.pass(100);
    let phone = shop.tokens.refresh(&phone.refresh_token).await.unwrap();

    let alice = shop.caller(&desk.access_token).await;
    let list = shop.tokens.own_sessions(&alice).await.unwrap();
    assert_eq!(
        ids(&list),
        [&phone, &plain, &desk].map(|tokens| tokens.session_id.clone()),
        "by their last use"
    );
    assert_eq!(list.not_listed, 0);
    let [on_phone, without, at_desk] = &list.sessions[..] else { panic!("{list:?}") };
    assert_eq!(times(on_phone), [0, 300, 300 + 14 * day]);
    assert_eq!(times(at_desk), [100, 100, 100 + 14 * day]);
    assert_eq!(on_phone.label.as_deref(), Some("Phone 7"));
    assert_eq!(at_desk.label.as_deref().map(str::len), Some(200));
    assert_eq!(without.label, None);
    assert_eq!(
        list.sessions.iter().map(|session| session.is_current).collect::<Vec<_>>(),
        [false, false, true]
    );

    // An administrator sees the same, and none is its own.
    let seen = shop.tokens.sessions("alice").await.unwrap();
    assert_eq!(ids(&seen), ids(&list));
    assert!(!seen.sessions.iter().any(|session| session.is_current));
    assert_eq!(shop.tokens.sessions("mallory").await.unwrap(), SessionList::default());
}

#[tokio::test]
async fn what_has_ended_is_not_listed() {
    let store = MemoryStore::new();
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    let other = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    for shop in [&shop, &other] {
        shop.auth.start().await.unwrap();
    }
    let (expired, out) = (shop.log_in("alice").await, shop.log_in("alice").await);
    shop.tokens.log_out(&out.refresh_token).await.unwrap();
    assert_eq!(shop.ids("alice").await, from_ref(&expired.session_id));

    // On another instance, which removed the row; and with a row that is still there.
    let (one, two) = (shop.log_in("alice").await, shop.log_in("alice").await);
    other.tokens.end_session(&one.session_id).await.unwrap();
    let id = base64_id(&two.session_id);
    let row = store.find(id).await.unwrap().unwrap();
    other.tokens.end_session(&two.session_id).await.unwrap();
    store.insert(row).await.unwrap();
    shop.auth.start().await.unwrap();
    assert_eq!(shop.ids("alice").await, from_ref(&expired.session_id));

    shop.pass(14 * 86_400 - 1);
    shop.auth.start().await.unwrap();
    assert_eq!(shop.ids("alice").await, [expired.session_id]);
    shop.pass(1);
    assert!(shop.ids("alice").await.is_empty());

    let new = shop.log_in("alice").await;
    assert_eq!(shop.ids("alice").await, [new.session_id]);
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    assert!(shop.ids("alice").await.is_empty());
}

fn base64_id(session_id: &str) -> [u8; 16] {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(session_id).unwrap();
    bytes.try_into().unwrap()
}

#[tokio::test]
async fn a_user_ends_one_of_its_sessions_and_no_other() {
    let shop = Shop::new();
    let (desk, phone) = (shop.log_in("alice").await, shop.log_in("alice").await);
    let bob = shop.log_in("bob").await;
    let alice = shop.caller(&desk.access_token).await;

    let mut wrong =
        vec![String::new(), "x".into(), "\0".into(), "ü".repeat(22), "A".repeat(22), "A".repeat(5000)];
    wrong.push(bob.session_id.clone());
    wrong.push(bob.refresh_token.clone());
    wrong.push(phone.refresh_token.clone());
    wrong.push(format!("{}=", phone.session_id));
    wrong.push(format!(" {}", phone.session_id));
    wrong.push(phone.session_id[1..].to_owned());
    for id in &wrong {
        assert!(!shop.tokens.end_own_session(&alice, id).await.unwrap(), "{id:?}");
        assert!(!shop.tokens.end_user_session("alice", id).await.unwrap(), "{id:?}");
    }
    assert!(!shop.tokens.end_user_session("bob", &phone.session_id).await.unwrap());
    for tokens in [&desk, &phone, &bob] {
        assert!(shop.who(&tokens.access_token).await.is_ok());
    }

    assert!(shop.tokens.end_own_session(&alice, &phone.session_id).await.unwrap());
    assert_eq!(shop.who(&phone.access_token).await, Err(401));
    assert_eq!(shop.refused(&phone.refresh_token).await, RefreshError::Ended);
    assert!(!shop.tokens.end_own_session(&alice, &phone.session_id).await.unwrap(), "it has ended");
    assert!(shop.who(&desk.access_token).await.is_ok());
    // The current one too.
    assert!(shop.tokens.end_own_session(&alice, &desk.session_id).await.unwrap());
    assert_eq!(shop.who(&desk.access_token).await, Err(401));
    assert!(shop.tokens.end_user_session("bob", &bob.session_id).await.unwrap(), "an administrator ends any");
    assert_eq!(shop.who(&bob.access_token).await, Err(401));
}

#[tokio::test]
async fn all_other_sessions_end_and_the_current_one_stays() {
    let shop = Shop::new();
    let (first, phone, bob) =
        (shop.log_in("alice").await, shop.log_in("alice").await, shop.log_in("bob").await);
    let current = shop.tokens.refresh(&first.refresh_token).await.unwrap();
    let alice = shop.caller(&first.access_token).await;
    for ended in [1, 0] {
        assert_eq!(shop.tokens.end_other_sessions(&alice).await.unwrap(), ended);
        assert_eq!(shop.ids("alice").await, from_ref(&current.session_id));
        assert_eq!(shop.who(&phone.access_token).await, Err(401));
        assert_eq!(shop.refused(&phone.refresh_token).await, RefreshError::Ended);
        for tokens in [&first, &current, &bob] {
            assert!(shop.who(&tokens.access_token).await.is_ok());
        }
    }
    assert!(shop.refreshes(&current).await);
    assert!(shop.refreshes(&bob).await);
    // A login afterwards is another session again.
    assert!(shop.who(&shop.log_in("alice").await.access_token).await.is_ok());
}

#[tokio::test]
async fn what_one_instance_ends_the_others_enforce() {
    let store = MemoryStore::new();
    let (one, two) = (Shop::over(&store).await, Shop::over(&store).await);
    let (current, phone, desk) =
        (one.log_in("alice").await, two.log_in("alice").await, two.log_in("alice").await);
    let alice = one.caller(&current.access_token).await;
    assert!(one.tokens.end_own_session(&alice, &desk.session_id).await.unwrap());
    assert_eq!(one.tokens.end_other_sessions(&alice).await.unwrap(), 1);
    two.auth.start().await.unwrap();
    for ended in [&phone, &desk] {
        assert_eq!(two.who(&ended.access_token).await, Err(401));
        assert_eq!(two.refused(&ended.refresh_token).await, RefreshError::Ended);
    }
    assert!(two.who(&current.access_token).await.is_ok());
    assert_eq!(two.ids("alice").await, from_ref(&current.session_id));
}

/// A caller with a token of another issuer, or with one without a session, has no session here: also if it names one.
#[tokio::test]
async fn a_caller_without_a_session_here_reaches_nobodys() {
    let other = TrustedIssuer::new("https://id.test").audience(AUDIENCE).key(signing_key(7).verifying_key());
    let shop = Shop::with(|issuer| issuer, |builder| builder.issuer(other));
    let tokens = shop.log_in("alice").await;
    let claims = json!({
        "iss": "https://id.test", "aud": AUDIENCE, "sub": "alice", "sid": tokens.session_id, "iat": NOW, "exp": NOW + 600,
    });
    let foreign = shop.caller(&signing_key(7).sign(&claims).unwrap()).await;
    assert_eq!(foreign.subject(), "alice");
    assert_eq!(shop.tokens.own_sessions(&foreign).await.unwrap(), SessionList::default());
    assert!(!shop.tokens.end_own_session(&foreign, &tokens.session_id).await.unwrap());
    assert!(no_session(shop.tokens.end_other_sessions(&foreign).await));

    let alone = shop.tokens.issue_access(&Subject::new("alice")).unwrap();
    let alone = shop.caller(&alone).await;
    let list = shop.tokens.own_sessions(&alone).await.unwrap();
    assert_eq!(ids(&list), from_ref(&tokens.session_id));
    assert!(!list.sessions[0].is_current);
    assert!(no_session(shop.tokens.end_other_sessions(&alone).await), "which would be the others?");
    assert!(shop.who(&tokens.access_token).await.is_ok());
}

/// Nothing is half done, and what failed holds when it is called again.
#[tokio::test]
async fn while_the_store_fails_nothing_ends_and_nothing_is_claimed() {
    let store = FlakyStore::default();
    let shop =
        Shop::with(|issuer| issuer, |builder| builder.store(store.clone()).max_staleness(Duration::MAX));
    shop.auth.start().await.unwrap();
    let (current, one, two) =
        (shop.log_in("alice").await, shop.log_in("alice").await, shop.log_in("alice").await);
    let alice = shop.caller(&current.access_token).await;
    for break_it in [FlakyStore::set_broken, FlakyStore::set_takes_no_revocation] {
        break_it(&store, true);
        for failed in [
            shop.tokens.end_other_sessions(&alice).await.map(drop),
            shop.tokens.end_own_session(&alice, &one.session_id).await.map(drop),
            shop.tokens.end_user_session("alice", &one.session_id).await.map(drop),
        ] {
            assert!(matches!(failed, Err(TokenError::Store(_))), "{failed:?}");
        }
        break_it(&store, false);
        assert_eq!(shop.ids("alice").await.len(), 3);
        for tokens in [&current, &one, &two] {
            assert!(shop.who(&tokens.access_token).await.is_ok());
        }
    }
    store.set_broken(true);
    assert!(matches!(shop.tokens.sessions("alice").await, Err(TokenError::Store(_))));
    assert!(matches!(shop.tokens.own_sessions(&alice).await, Err(TokenError::Store(_))));
    store.set_broken(false);
    assert_eq!(shop.tokens.end_other_sessions(&alice).await.unwrap(), 2);
    assert_eq!(shop.ids("alice").await, [current.session_id]);
}

/// A view that is too old does not say which sessions have ended.
#[tokio::test]
async fn a_list_is_of_a_view_that_is_fresh() {
    let store = FlakyStore::default();
    let shop = Shop::with(|issuer| issuer, |builder| builder.store(store.clone()));
    assert!(matches!(shop.tokens.sessions("alice").await, Err(TokenError::Store(_))), "it was not read yet");
    shop.auth.start().await.unwrap();
    assert!(shop.ids("alice").await.is_empty());
}

/// From before there was a maximum.
#[tokio::test]
async fn a_list_is_bounded_and_all_others_end() {
    const COUNT: u32 = 5000;
    let store = MemoryStore::new();
    let shop =
        Shop::with(|issuer| issuer.max_sessions_per_user(usize::MAX), |builder| builder.store(store.clone()));
    shop.auth.start().await.unwrap();
    shop.pass(10_000);
    let current = shop.log_in("alice").await;
    let pattern = store.find(base64_id(&current.session_id)).await.unwrap().unwrap();
    for number in 0..COUNT {
        let mut id = [7; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let started_at = pattern.started_at - 1 - i64::from(number);
        let row = RefreshTokenFamily { id, started_at, rotated_at: started_at, ..pattern.clone() };
        store.insert(row).await.unwrap();
    }
    let alice = shop.caller(&current.access_token).await;
    let list = shop.tokens.own_sessions(&alice).await.unwrap();
    assert_eq!((list.sessions.len(), list.not_listed), (1000, 4001));
    assert!(list.sessions[0].is_current);
    assert!(list.sessions.is_sorted_by(|one, next| one.last_refreshed_at >= next.last_refreshed_at));
    assert_eq!(shop.tokens.end_other_sessions(&alice).await.unwrap(), 5000);
    assert_eq!(shop.ids("alice").await, [current.session_id]);
    assert_eq!(store.families(), 1);
}

/// OWASP ASVS 5, 7.4.2: within the lifetime of an access token by itself, and at once where the application says so.
#[tokio::test]
async fn the_sessions_of_a_disabled_user_end() {
    let shop = Shop::new();
    let (one, two) = (shop.log_in("bob").await, shop.log_in("bob").await);
    shop.people.remove("bob");
    shop.pass(900 + 60);
    for tokens in [&one, &two] {
        assert_eq!(shop.who(&tokens.access_token).await, Err(401));
        assert_eq!(shop.refused(&tokens.refresh_token).await, RefreshError::SubjectGone);
    }
    assert!(shop.ids("bob").await.is_empty());

    let (one, two) = (shop.log_in("alice").await, shop.log_in("alice").await);
    let alone = shop.tokens.issue_access(&Subject::new("alice")).unwrap();
    shop.people.remove("alice");
    shop.tokens.log_out_everywhere("alice").await.unwrap();
    for token in [&one.access_token, &two.access_token, &alone] {
        assert_eq!(shop.who(token).await, Err(401));
    }
    assert!(shop.ids("alice").await.is_empty());
    assert_eq!(shop.refused(&one.refresh_token).await, RefreshError::Ended);
}
