//! The sessions of all users, through the functions: pages, what is on them, and what is not.

use std::collections::{BTreeMap, BTreeSet};

use auth_runtime::session::{AllSessions, UserSession};
use auth_runtime::store::RefreshTokenStore as _;

use super::*;

impl Shop {
    /// All pages, and between them whatever `between` does.
    async fn pages(&self, mut between: impl AsyncFnMut(&[UserSession])) -> Vec<UserSession> {
        let mut page = self.tokens.all_sessions().await.unwrap();
        let mut found = Vec::new();
        loop {
            assert!(page.sessions.len() <= 100, "{}", page.sessions.len());
            found.append(&mut page.sessions);
            let Some(next) = page.next else { return found };
            between(&found).await;
            page = self.tokens.all_sessions_after(&next).await.unwrap();
        }
    }

    async fn all_ids(&self) -> BTreeSet<String> {
        self.pages(async |_| ()).await.into_iter().map(|of_user| of_user.session.id).collect()
    }
}

/// While sessions are refreshed, and one that has not been reached ends.
#[tokio::test]
async fn each_session_is_on_one_page_with_its_user() {
    let shop = Shop::over(&MemoryStore::new()).await;
    let mut expected = BTreeMap::new();
    let mut issued = BTreeMap::new();
    for number in 0..330 {
        // Users of one, two and three sessions; one whose name is odd.
        let user = if number == 7 { "\0Ω \u{10ffff}".to_owned() } else { format!("user {}", number % 150) };
        shop.people.set(&user, &[]);
        let tokens = shop.log_in(&user).await;
        expected.insert(tokens.session_id.clone(), user);
        issued.insert(tokens.session_id.clone(), tokens.refresh_token);
    }
    let mut ended = BTreeSet::new();
    let found = shop
        .pages(async |found| {
            shop.pass(5);
            let found: BTreeSet<_> = found.iter().map(|of_user| of_user.session.id.clone()).collect();
            for (_, token) in issued.iter_mut().step_by(3) {
                if let Ok(next) = shop.tokens.refresh(token).await {
                    *token = next.refresh_token;
                }
            }
            let next = issued.keys().rev().find(|id| !found.contains(*id) && !ended.contains(*id)).unwrap();
            shop.tokens.end_session(next).await.unwrap();
            ended.insert(next.clone());
        })
        .await;
    let mut seen = BTreeMap::new();
    for of_user in &found {
        let before = seen.insert(of_user.session.id.clone(), of_user.subject.clone());
        assert_eq!(before, None, "{of_user:?} is there twice");
        assert!(!of_user.session.is_current);
    }
    assert_eq!(ended.len(), 3);
    expected.retain(|id, _| !ended.contains(id));
    assert_eq!(seen, expected);
    let mut users: Vec<_> = found.iter().map(|of_user| &of_user.subject).collect();
    users.dedup();
    assert_eq!(users.len(), expected.values().collect::<BTreeSet<_>>().len(), "those of a user are together");
    // Each is what the list of its user says.
    let of_user = found.last().unwrap();
    let own = shop.tokens.sessions(&of_user.subject).await.unwrap().sessions;
    assert!(own.contains(&of_user.session), "{own:?}");
}

#[tokio::test]
async fn what_has_ended_is_on_no_page() {
    let store = MemoryStore::new();
    let (shop, other) = (Shop::over(&store).await, Shop::over(&store).await);
    assert_eq!(shop.tokens.all_sessions().await.unwrap(), AllSessions::default());
    let (first, out) = (shop.log_in("alice").await, shop.log_in("bob").await);
    shop.tokens.log_out(&out.refresh_token).await.unwrap();
    assert_eq!(shop.all_ids().await, BTreeSet::from([first.session_id.clone()]));

    // On another instance, with a row that is still there.
    let two = shop.log_in("alice").await;
    let rows = store.list(ISSUER, None, 10).await.unwrap();
    other.tokens.end_session(&two.session_id).await.unwrap();
    for row in rows {
        if row.id != base64_id(&first.session_id) {
            store.insert(row).await.unwrap();
        }
    }
    shop.auth.start().await.unwrap();
    assert_eq!(store.families(), 2);
    assert_eq!(shop.all_ids().await, BTreeSet::from([first.session_id.clone()]));

    shop.pass(14 * 86_400 - 1);
    shop.auth.start().await.unwrap();
    assert_eq!(shop.all_ids().await, BTreeSet::from([first.session_id]));
    shop.pass(1);
    assert_eq!(shop.all_ids().await, BTreeSet::new());
}

fn base64_id(session_id: &str) -> [u8; 16] {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(session_id).unwrap();
    bytes.try_into().unwrap()
}

/// Two services that share a store do not see each other's users.
#[tokio::test]
async fn an_issuer_lists_its_own_users_alone() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let people = People::default();
    let other = TokenIssuer::new(format!("{ISSUER}/2"), AUDIENCE, signing_key(2), people)
        .refresh_key(RefreshKey::new("k2", [2; 32]));
    let builder = Auth::builder().clock(shop.clock.clone()).token_issuer(other);
    let other = builder.store(store.clone()).build().unwrap();
    other.start().await.unwrap();
    let other = other.tokens().unwrap();
    let (alice, bob) = (shop.log_in("alice").await, other.issue(&Subject::new("bob")).await.unwrap());
    for (tokens, own) in [(&shop.tokens, &alice), (&other, &bob)] {
        let list = tokens.all_sessions().await.unwrap();
        let ids: Vec<_> = list.sessions.iter().map(|of_user| &of_user.session.id).collect();
        assert_eq!((ids, &list.next), (vec![&own.session_id], &None));
    }
}

#[tokio::test]
async fn another_text_is_no_page_and_a_store_that_fails_shows_none() {
    let store = FlakyStore::default();
    let shop =
        Shop::with(|issuer| issuer, |builder| builder.store(store.clone()).max_staleness(Duration::MAX));
    shop.auth.start().await.unwrap();
    let tokens = shop.log_in("alice").await;
    for text in ["", "alice", &tokens.session_id[1..], &tokens.refresh_token, "\0", &"%".repeat(5000)] {
        let failed = shop.tokens.all_sessions_after(text).await;
        assert!(matches!(failed, Err(TokenError::InvalidCursor)), "{text:?}: {failed:?}");
    }
    let error = TokenError::InvalidCursor;
    assert!(!error.is_temporary() && error.to_string().contains("the first page"), "{error}");
    store.set_broken(true);
    let cursor = &shop.tokens.all_sessions().await;
    assert!(matches!(cursor, Err(TokenError::Store(_))), "{cursor:?}");
    store.set_broken(false);
    assert_eq!(shop.all_ids().await.len(), 1);
}
