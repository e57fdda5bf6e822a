//! The list of revocations: what, when, of whom; pages; what is left out.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::revocation::{RecordedRevocation, RevocationListError};
use auth_runtime::store::{LogEntry, RevocationLog};
use auth_runtime::testing::log_entry;
use auth_runtime::verify::Tenants;

use super::*;
use crate::captured_log::CapturedLog;
use crate::support::caller_of;

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn token(id: &str) -> Revocation {
    Revocation::Token { issuer: ISSUER.into(), token_id: id.into() }
}

async fn list(shop: &Shop) -> Vec<RecordedRevocation> {
    let list = shop.auth.revocations().list().await.unwrap();
    assert_eq!(list.next, None);
    list.revocations
}

/// All pages, and the sizes of each.
async fn pages(shop: &Shop) -> (Vec<RecordedRevocation>, Vec<usize>) {
    let mut page = shop.auth.revocations().list().await.unwrap();
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    loop {
        sizes.push(page.revocations.len());
        found.append(&mut page.revocations);
        let Some(next) = page.next else { return (found, sizes) };
        page = shop.auth.revocations().list_after(&next).await.unwrap();
    }
}

/// The id of a token or a session.
fn id(recorded: &RecordedRevocation) -> &str {
    match &recorded.revocation {
        Revocation::Token { token_id: id, .. } | Revocation::Session { session_id: id, .. } => id,
        other => panic!("{other:?}"),
    }
}

/// What a member of the staff asks: which token, when, of whom. The other instance says the same.
#[tokio::test]
async fn the_list_says_what_was_revoked_when_and_of_whom() {
    let other = TrustedIssuer::new("https://id.test").audience(AUDIENCE).key(signing_key(7).verifying_key());
    let store = MemoryStore::new();
    let shop = Shop::with(|issuer| issuer, |builder| builder.issuer(other).store(store.clone()));
    shop.auth.start().await.unwrap();
    let caller = async |token: &str| {
        let bearer = format!("Bearer {token}");
        caller_of(&shop.app, request("GET", "/who", &[("authorization", &bearer)])).await
    };
    let foreign = json!({
        "iss": "https://id.test", "aud": AUDIENCE, "sub": "carol", "sid": "s7", "jti": "t7", "iat": NOW, "exp": NOW + 600,
    });
    let foreign = caller(&signing_key(7).sign(&foreign).unwrap()).await;
    let (one, two, three) =
        (shop.log_in("alice").await, shop.log_in("bob").await, shop.log_in("alice").await);
    let jti = part(&one.access_token, 1)["jti"].as_str().unwrap().to_owned();

    shop.pass(10);
    shop.tokens.revoke(&one.access_token).await.unwrap();
    shop.pass(10);
    shop.tokens.end_session(&two.session_id).await.unwrap();
    shop.pass(10);
    shop.auth.revocations().revoke_session(&foreign).await.unwrap();
    shop.auth.revocations().revoke_token(&foreign).await.unwrap();
    shop.auth.revocations().forget(ISSUER, "alice").await.unwrap();
    shop.auth.revocations().revoke(token("of an administrator")).await.unwrap();
    shop.pass(10);
    shop.tokens.log_out_everywhere("alice").await.unwrap();

    let found = list(&shop).await;
    let facts: Vec<_> = found
        .iter()
        .map(|recorded| {
            let kind = match &recorded.revocation {
                Revocation::Token { token_id, .. } => format!("token {token_id}"),
                Revocation::Session { session_id, .. } => format!("session {session_id}"),
                Revocation::OtherGenerations { subject, .. } => format!("user {subject}"),
                other => panic!("{other:?}"),
            };
            let seconds = recorded.recorded_at.unwrap().duration_since(at(NOW)).unwrap().as_secs();
            (kind, seconds, recorded.subject.as_deref())
        })
        .collect();
    let mut everywhere = vec![
        (format!("session {}", one.session_id), 40, Some("alice")),
        (format!("session {}", three.session_id), 40, Some("alice")),
    ];
    everywhere.sort();
    let mut rest = facts[6..].to_vec();
    rest.sort();
    assert_eq!(
        facts[..6],
        [
            (format!("token {jti}"), 10, Some("alice")),
            (format!("session {}", two.session_id), 20, Some("bob")),
            ("session s7".to_owned(), 30, Some("carol")),
            ("token t7".to_owned(), 30, Some("carol")),
            ("token of an administrator".to_owned(), 30, None),
            ("user alice".to_owned(), 40, Some("alice")),
        ]
    );
    assert_eq!(rest, everywhere);
    for recorded in &found {
        assert!(recorded.kept_until > at(NOW + 900), "as long as a token of it is valid: {recorded:?}");
        for secret in [&one.access_token, &one.refresh_token, &two.refresh_token] {
            assert!(!format!("{recorded:?}").contains(&**secret));
        }
    }
    assert_eq!(list(&Shop::over(&store).await).await.len(), 6, "another instance, which accepts one issuer");
}

#[tokio::test]
async fn each_revocation_is_on_one_page_in_the_order_of_the_log() {
    let shop = Shop::over(&MemoryStore::new()).await;
    for count in [0, 99, 100, 101, 200, 250] {
        let before = list_of_all(&shop).await.len();
        for number in before..count {
            shop.auth.revocations().revoke(token(&format!("{number}"))).await.unwrap();
        }
        let (found, sizes) = pages(&shop).await;
        let expected: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        assert_eq!(found.iter().map(id).collect::<Vec<_>>(), expected);
        assert_eq!(sizes.len(), count.div_ceil(100).max(1), "no page is empty: {sizes:?}");
    }
}

async fn list_of_all(shop: &Shop) -> Vec<RecordedRevocation> {
    pages(shop).await.0
}

/// What is not listed is read over, a bounded part at a time.
#[tokio::test]
async fn hints_are_left_out_and_a_page_reads_a_bounded_part_of_the_log() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let hint = |number: u64| {
        let forgotten = Revocation::Forgotten { issuer: ISSUER.into(), subject: number.to_string() };
        log_entry(forgotten, at(NOW + 9_000), number)
    };
    store.append((1..=50).map(hint).collect()).await.unwrap();
    shop.auth.revocations().revoke(token("first")).await.unwrap();
    store.append((100..12_600).map(hint).collect()).await.unwrap();
    shop.auth.revocations().revoke(token("last")).await.unwrap();
    let (found, sizes) = pages(&shop).await;
    assert_eq!(found.iter().map(id).collect::<Vec<_>>(), ["first", "last"]);
    assert_eq!(sizes, [1, 1]);
}

/// The staff looks for one user, in a long log.
#[tokio::test]
async fn the_list_of_a_user_has_its_own_revocations() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let tokens = shop.log_in("alice").await;
    shop.tokens.revoke(&tokens.access_token).await.unwrap();
    let others = (1..=10_500).map(|number: u64| log_entry(token("other"), at(NOW + 9_000), number));
    store.append(others.collect()).await.unwrap();
    shop.tokens.end_session(&tokens.session_id).await.unwrap();
    for number in 0..150 {
        let bound = at(NOW - 1000 - number);
        for subject in ["alice", "bob"] {
            let user = Revocation::User {
                issuer: ISSUER.into(),
                subject: subject.into(),
                issued_at_or_before: bound,
            };
            shop.auth.revocations().revoke(user).await.unwrap();
        }
    }
    let by_sub = Revocation::UserBySub {
        issuer: ISSUER.into(),
        sub: "alice".into(),
        issued_at_or_before: at(NOW - 500),
    };
    shop.auth.revocations().revoke(by_sub).await.unwrap();

    let revocations = shop.auth.revocations();
    let mut page = revocations.list_of("alice").await.unwrap();
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    loop {
        sizes.push(page.revocations.len());
        found.append(&mut page.revocations);
        let Some(next) = page.next else { break };
        page = revocations.list_of_after("alice", &next).await.unwrap();
    }
    assert_eq!(found.len(), 1 + 1 + 150 + 1);
    assert_eq!(sizes, [1, 100, 52], "a page reads a part of the log");
    assert_eq!(id(&found[1]), tokens.session_id);
    assert!(found.iter().all(|one| one.subject.as_deref() == Some("alice")
        || matches!(&one.revocation, Revocation::UserBySub { sub, .. } if sub == "alice")));
    for nobody in ["", "Alice", "alic", "alice "] {
        let mut page = revocations.list_of(nobody).await.unwrap();
        while let Some(next) = page.next {
            assert!(page.revocations.is_empty());
            page = revocations.list_of_after(nobody, &next).await.unwrap();
        }
        assert!(page.revocations.is_empty());
    }
    let failed = revocations.list_of_after("alice", "x").await;
    assert!(matches!(failed, Err(RevocationListError::InvalidCursor)), "{failed:?}");
}

#[tokio::test]
async fn what_has_expired_is_left_out() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let entry = |id: &str, seconds, tag| log_entry(token(id), at(NOW + seconds), tag);
    let entries = vec![entry("first", 10, 1), entry("second", 30, 2), entry("third", 20, 3)];
    store.append(entries).await.unwrap();
    for (pass, left) in
        [(10, vec!["first", "second", "third"]), (1, vec!["second", "third"]), (10, vec!["second"])]
    {
        shop.pass(pass);
        let found = list(&shop).await;
        assert_eq!(found.iter().map(id).collect::<Vec<_>>(), left);
    }
    shop.pass(10);
    assert_eq!(list(&shop).await, []);
}

/// Of a version before this one, which wrote no note, and of a later one, whose note says more.
#[tokio::test]
async fn entries_of_other_versions_are_listed_as_far_as_they_are_known() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let raw = |tag, text: &str| LogEntry { tag, keep_until: at(NOW + 900), bytes: text.as_bytes().to_vec() };
    let with_note = |note: &str| {
        format!(
            r#"{{"version":1,"revoke":{{"token":{{"issuer":"{ISSUER}","token_id":"t"}}}},"note":{note}}}"#
        )
    };
    let entries = vec![
        log_entry(token("t"), at(NOW + 900), 1),
        raw(2, &with_note(r#"{"at":1800000005,"of":"alice","by":{"actor":"eve"}}"#)),
        raw(3, &with_note("7")),
        raw(4, r#"{"version":1,"hint":{"moved":{}}}"#),
        raw(5, r#"{"version":1,"revoke":{"device":{"issuer":"i"}}}"#),
        raw(6, "\0"),
    ];
    store.append(entries).await.unwrap();
    let found = list(&shop).await;
    assert!(found.iter().all(|recorded| recorded.revocation == token("t")), "{found:?}");
    let notes: Vec<_> =
        found.iter().map(|recorded| (recorded.recorded_at, recorded.subject.as_deref())).collect();
    assert_eq!(notes, [(None, None), (Some(at(NOW + 5)), Some("alice")), (None, None)]);
    // A note changes nothing that is enforced.
    let store = MemoryStore::new();
    store.append(vec![raw(1, &with_note(r#"{"later":[1]}"#))]).await.unwrap();
    let shop = Shop::over(&store).await;
    assert!(shop.auth.revocations().status().ready);
    let subject = Subject::new("alice");
    let token = shop.tokens.access_token(&subject).token_id("t").issue().unwrap();
    assert_eq!(shop.who(&token).await, Err(401));
}

/// A position that is gone is said to be, so that nobody takes the rest for all there is.
#[tokio::test]
async fn a_position_that_the_log_does_not_have_is_said_to_be_none() {
    let store = FlakyStore::default();
    let shop =
        Shop::with(|issuer| issuer, |builder| builder.store(store.clone()).max_staleness(Duration::MAX));
    shop.auth.start().await.unwrap();
    for number in 0..101 {
        shop.auth.revocations().revoke(token(&format!("{number}"))).await.unwrap();
    }
    let next = shop.auth.revocations().list().await.unwrap().next.unwrap();
    let after = shop.auth.revocations().list_after(&next).await.unwrap();
    assert_eq!(after.revocations.iter().map(id).collect::<Vec<_>>(), ["100"]);
    let restored = Shop::over(&MemoryStore::new()).await;
    for (shop, text) in [(&shop, ""), (&shop, "x"), (&shop, &*next.to_lowercase()), (&restored, &*next)] {
        let failed = shop.auth.revocations().list_after(text).await;
        assert!(matches!(failed, Err(RevocationListError::InvalidCursor)), "{text:?}: {failed:?}");
    }
    store.set_broken(true);
    for failed in [shop.auth.revocations().list().await, shop.auth.revocations().list_after(&next).await] {
        let Err(error @ RevocationListError::Unavailable(_)) = failed else { panic!("{failed:?}") };
        assert!(error.to_string().contains("the disk is on fire"), "{error}");
    }
}

/// It is in memory, as hashes.
#[tokio::test]
async fn without_a_store_there_is_no_list() {
    let shop = Shop::new();
    shop.auth.revocations().revoke(token("t")).await.unwrap();
    let error = shop.auth.revocations().list().await.unwrap_err();
    assert!(matches!(error, RevocationListError::NoStore), "{error:?}");
    assert!(error.to_string().contains(".store(..)"), "{error}");
}

/// Two services that share a store see revocations of the issuers that they accept.
#[tokio::test]
async fn revocations_of_an_issuer_that_is_not_accepted_are_left_out() {
    let store = MemoryStore::new();
    let shop = Shop::over(&store).await;
    let other = TrustedIssuer::new("https://id.test").audience(AUDIENCE).key(signing_key(7).verifying_key());
    let both = Shop::with(|issuer| issuer, |builder| builder.issuer(other).store(store.clone()));
    both.auth.start().await.unwrap();
    shop.auth.revocations().revoke(token("own")).await.unwrap();
    let foreign = Revocation::User {
        issuer: "https://id.test".into(),
        subject: "mallory".into(),
        issued_at_or_before: at(NOW),
    };
    both.auth.revocations().revoke(foreign).await.unwrap();
    let of = |found: Vec<RecordedRevocation>| -> BTreeSet<Option<String>> {
        found.into_iter().map(|recorded| recorded.subject).collect()
    };
    assert_eq!(of(list(&shop).await), BTreeSet::from([None]));
    assert_eq!(of(list(&both).await), BTreeSet::from([None, Some("mallory".to_owned())]));
}

/// Of a provider of many tenants, two services on one store have tenants of their own.
#[tokio::test]
async fn revocations_of_a_tenant_that_the_predicate_does_not_accept_are_left_out() {
    const PATTERN: &str = "https://id.test/{tenant}/v2.0";
    let store = MemoryStore::new();
    let service = async |tenants: Tenants| {
        let tenants = TrustedIssuer::of_tenants(PATTERN, tenants);
        let tenants = tenants.audience(AUDIENCE).key(signing_key(7).verifying_key());
        let shop = Shop::with(|issuer| issuer, |builder| builder.issuer(tenants).store(store.clone()));
        shop.auth.start().await.unwrap();
        shop
    };
    let all = service(Tenants::dangerously_accept_any()).await;
    for tenant in ["acme", "globex", "eve", "acme"] {
        let issuer = PATTERN.replace("{tenant}", tenant);
        let subject = format!("of {tenant}");
        let user = Revocation::User { issuer, subject, issued_at_or_before: at(NOW) };
        all.auth.revocations().revoke(user).await.unwrap();
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let one = service(Tenants::accepted_by(move |tenant| {
        seen.lock().unwrap().push(tenant.to_owned());
        assert_ne!(tenant, "eve");
        tenant == "acme"
    }))
    .await;
    let subjects = |found: Vec<RecordedRevocation>| -> BTreeSet<String> {
        found.into_iter().map(|recorded| recorded.subject.unwrap()).collect()
    };
    let expected = ["of acme", "of eve", "of globex"].map(str::to_owned);
    assert_eq!(subjects(list(&all).await), BTreeSet::from(expected));
    let log = CapturedLog::start(tracing::Level::ERROR);
    assert_eq!(subjects(list(&one).await), BTreeSet::from(["of acme".to_owned()]));
    assert!(log.text().contains("`Tenants::accepted_by` panicked"), "{}", log.text());
    asked.lock().unwrap().sort();
    assert_eq!(*asked.lock().unwrap(), ["acme", "eve", "globex"], "each once for a page");
    for subject in ["of globex", "of eve"] {
        assert!(one.auth.revocations().list_of(subject).await.unwrap().revocations.is_empty());
    }
}

/// All users of an issuer at once: of no subject, and of the issuer up to a time, or by the generation of its sessions.
#[tokio::test]
async fn what_was_revoked_of_a_whole_issuer_is_listed() {
    let other = TrustedIssuer::new("https://id.test").audience(AUDIENCE).key(signing_key(7).verifying_key());
    let shop = Shop::with(|issuer| issuer, |builder| builder.issuer(other).store(MemoryStore::new()));
    shop.auth.start().await.unwrap();
    shop.tokens.log_out_all_users().await.unwrap();
    let of_other =
        |seconds| Revocation::Issuer { issuer: "https://id.test".into(), issued_at_or_before: at(seconds) };
    shop.auth.revocations().revoke(of_other(NOW)).await.unwrap();
    let found = list(&shop).await;
    let [own, foreign] = &found[..] else { panic!("{found:?}") };
    assert!(matches!(&own.revocation, Revocation::OtherIssuerGenerations { issuer, .. } if issuer == ISSUER));
    assert_eq!(foreign.revocation, of_other(NOW + 60), "and the leeway");
    for recorded in &found {
        assert_eq!((recorded.recorded_at, &recorded.subject), (Some(at(NOW)), &None));
    }
    assert!(shop.auth.revocations().list_of("alice").await.unwrap().revocations.is_empty());
}
