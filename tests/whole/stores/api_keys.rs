//! What a store of API keys must keep.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::log::at;
use super::odd_strings;

pub(super) fn key(id: &str, owner: &str) -> ApiKeyRecord {
    ApiKeyRecord {
        id: id.into(),
        prefix: "acme".into(),
        hash: [7; 32],
        owner: owner.into(),
        label: None,
        roles: Vec::new(),
        scopes: Vec::new(),
        permissions: Vec::new(),
        created_at: 10,
        expires_at: None,
        overlap_ends_at: None,
        revoked_at: None,
        last_used_at: None,
        version: 1,
    }
}

pub(super) fn used(id: &str, at: i64) -> Vec<ApiKeyUse> {
    vec![ApiKeyUse { id: id.into(), at }]
}

async fn ids_of(
    keys: &impl ApiKeyStore,
    prefix: &str,
    owner: &str,
    after: &str,
    limit: usize,
) -> Vec<String> {
    let found = keys.find_by_owner(prefix, owner, after, limit).await.unwrap();
    for key in &found {
        assert_eq!(keys.find(&key.id).await.unwrap().as_ref(), Some(key));
    }
    found.into_iter().map(|key| key.id).collect()
}

pub(super) async fn a_key_comes_back_as_it_was<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    let mut all = Vec::new();
    for (number, text) in (0..).zip(odd_strings()) {
        all.push(ApiKeyRecord {
            prefix: text.clone(),
            hash: [u8::try_from(number).unwrap(); 32],
            label: Some(text.clone()),
            roles: odd_strings(),
            scopes: vec![text.clone()],
            permissions: vec![text.clone(), text.clone()],
            created_at: 4_000_000_000,
            expires_at: Some(i64::MAX),
            overlap_ends_at: Some(4_000_000_003),
            revoked_at: Some(4_000_000_001),
            last_used_at: Some(4_000_000_002),
            version: u64::try_from(i64::MAX).unwrap(),
            ..key(&format!("key {number}"), &text)
        });
        all.push(key(&format!("plain {number}"), &text));
    }
    for key in &all {
        keys.insert(key.clone()).await.unwrap();
    }
    for key in all {
        assert_eq!(keys.find(&key.id).await.unwrap(), Some(key));
    }
    for missing in ["", "KEY 0", "key 0 ", "key"] {
        assert_eq!(keys.find(missing).await.unwrap(), None, "{missing}");
    }
}

pub(super) async fn an_owner_has_exactly_its_own_keys<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    let mut owners = odd_strings();
    owners.extend(["alice".into(), "Alice".into(), "alic".into(), "alicee".into()]);
    for (prefix_number, prefix) in ["acme", "acme_", "other"].into_iter().enumerate() {
        for (number, owner) in owners.iter().enumerate() {
            let id = format!("{prefix_number} {number}");
            keys.insert(ApiKeyRecord { prefix: prefix.into(), ..key(&id, owner) }).await.unwrap();
        }
    }
    for (number, owner) in owners.iter().enumerate() {
        assert_eq!(ids_of(&keys, "acme", owner, "", 10).await, [format!("0 {number}")], "{owner:?}");
        assert_eq!(ids_of(&keys, "acme_", owner, "", 10).await, [format!("1 {number}")], "{owner:?}");
    }
    assert!(ids_of(&keys, "acm", "alice", "", 10).await.is_empty());
    assert!(ids_of(&keys, "acme", "bob", "", 10).await.is_empty());
}

pub(super) async fn keys_of_an_owner_come_in_pages_by_id<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    // In the order of their bytes.
    let ids = ["0", "00", "9", "A", "Z", "ZZ", "a", "aZ", "z"];
    for id in ids.iter().rev() {
        keys.insert(key(id, "alice")).await.unwrap();
        keys.insert(key(&format!("{id}b"), "bob")).await.unwrap();
    }
    for limit in [1, 2, 4, 9, 100] {
        let mut after = String::new();
        let mut all = Vec::new();
        loop {
            let page = ids_of(&keys, "acme", "alice", &after, limit).await;
            assert!(page.len() <= limit);
            let Some(last) = page.last().cloned() else { break };
            all.extend(page);
            after = last;
        }
        assert_eq!(all, ids, "in pages of {limit}");
    }
    assert!(ids_of(&keys, "acme", "alice", "", 0).await.is_empty());
}

pub(super) async fn a_key_is_rotated_only_at_the_expected_version<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    keys.insert(key("a", "alice")).await.unwrap();
    keys.record_uses(used("a", 50)).await.unwrap();
    for expected in [0, 2, u64::try_from(i64::MAX).unwrap()] {
        assert!(!keys.rotate("a", expected, 100, key("b", "alice")).await.unwrap());
    }
    assert!(!keys.rotate("missing", 1, 100, key("b", "alice")).await.unwrap());
    assert_eq!(ids_of(&keys, "acme", "alice", "", 10).await, ["a"], "nothing was added");
    assert!(keys.rotate("a", 1, 100, key("b", "alice")).await.unwrap());
    let former =
        ApiKeyRecord { overlap_ends_at: Some(100), version: 2, last_used_at: Some(50), ..key("a", "alice") };
    assert_eq!(keys.find("a").await.unwrap(), Some(former));
    assert_eq!(keys.find("b").await.unwrap(), Some(key("b", "alice")));
    assert!(!keys.rotate("a", 1, 200, key("c", "alice")).await.unwrap(), "its version is 2 now");
    // A revocation is a change too.
    assert!(keys.revoke("b", 60).await.unwrap());
    assert!(!keys.rotate("b", 1, 200, key("c", "alice")).await.unwrap());
    assert_eq!(ids_of(&keys, "acme", "alice", "", 10).await, ["a", "b"]);
}

pub(super) async fn of_many_simultaneous_rotations_one_is_true<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    const CALLERS: usize = 50;
    let keys = Arc::new(open().await);
    keys.insert(key("a", "alice")).await.unwrap();
    let barrier = Arc::new(Barrier::new(CALLERS));
    let mut tasks = JoinSet::new();
    for number in 0..CALLERS {
        let (keys, barrier) = (keys.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            keys.rotate("a", 1, 100, key(&format!("next {number}"), "alice")).await.unwrap()
        });
    }
    let rotated = tasks.join_all().await.into_iter().filter(|rotated| *rotated).count();
    assert_eq!(rotated, 1);
    assert_eq!(ids_of(&*keys, "acme", "alice", "", 100).await.len(), 2, "and one key was added");
}

pub(super) async fn a_revoked_key_stays_revoked<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    keys.insert(ApiKeyRecord { expires_at: Some(500), ..key("a", "alice") }).await.unwrap();
    assert!(!keys.revoke("missing", 100).await.unwrap());
    assert_eq!(keys.find("missing").await.unwrap(), None);
    assert!(keys.revoke("a", 100).await.unwrap());
    for at in [50, 100, 1000] {
        assert!(!keys.revoke("a", at).await.unwrap(), "it is already");
    }
    let revoked =
        ApiKeyRecord { expires_at: Some(500), revoked_at: Some(100), version: 2, ..key("a", "alice") };
    assert_eq!(keys.find("a").await.unwrap(), Some(revoked.clone()));
    keys.record_uses(used("a", 120)).await.unwrap();
    assert_eq!(keys.find("a").await.unwrap(), Some(ApiKeyRecord { last_used_at: Some(120), ..revoked }));
}

pub(super) async fn the_last_use_is_the_latest<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    for id in ["a", "b"] {
        keys.insert(key(id, "alice")).await.unwrap();
    }
    keys.record_uses(Vec::new()).await.unwrap();
    let uses = [("a", 100), ("missing", 100), ("b", 300), ("b", 200)];
    let uses = uses.map(|(id, at)| ApiKeyUse { id: id.into(), at });
    keys.record_uses(uses.to_vec()).await.unwrap();
    keys.record_uses(used("a", 50)).await.unwrap();
    for (id, at) in [("a", 100), ("b", 300)] {
        let expected = ApiKeyRecord { last_used_at: Some(at), ..key(id, "alice") };
        assert_eq!(keys.find(id).await.unwrap(), Some(expected));
    }
    assert_eq!(keys.find("missing").await.unwrap(), None, "it is not added");
}

pub(super) async fn only_keys_that_have_ended_are_dropped<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    assert!(!keys.drop_ended(at(1000)).await.unwrap(), "nothing to drop");
    let ends = [("a", None), ("b", Some(100)), ("c", Some(101)), ("d", Some(300)), ("e", Some(400))];
    for (id, expires_at) in ends {
        keys.insert(ApiKeyRecord { expires_at, ..key(id, "alice") }).await.unwrap();
    }
    // Revoked before it expires, and after.
    assert!(keys.revoke("e", 100).await.unwrap());
    assert!(keys.revoke("c", 900).await.unwrap());
    // Rotated: it ends earlier.
    assert!(keys.rotate("d", 1, 200, key("f", "alice")).await.unwrap());
    for (now, left) in [
        (100, &["a", "b", "c", "d", "e", "f"][..]),
        (101, &["a", "c", "d", "f"]),
        (50, &["a", "c", "d", "f"]),
        (102, &["a", "d", "f"]),
        (201, &["a", "f"]),
        (5_000_000_000, &["a", "f"]),
    ] {
        assert!(!keys.drop_ended(at(now)).await.unwrap());
        assert_eq!(ids_of(&keys, "acme", "alice", "", 10).await, left, "at {now}");
    }
    assert_eq!(keys.find("b").await.unwrap(), None);
    assert!(keys.revoke("a", 50).await.unwrap());
    assert!(!keys.drop_ended(at(51)).await.unwrap());
    assert_eq!(ids_of(&keys, "acme", "alice", "", 10).await, ["f"]);
}

pub(super) async fn dropping_keys_says_whether_more_are_left_and_ends<K: ApiKeyStore>(
    open: impl AsyncFn() -> K,
) {
    // More than a batch of the stores here.
    const ENDED: usize = 2500;
    let keys = Arc::new(open().await);
    let mut tasks = JoinSet::new();
    for number in 0..ENDED {
        let keys = keys.clone();
        let ended = ApiKeyRecord { expires_at: Some(100), ..key(&format!("{number:05}"), "alice") };
        tasks.spawn(async move { keys.insert(ended).await.unwrap() });
    }
    tasks.join_all().await;
    keys.insert(key("z", "alice")).await.unwrap();
    for _ in 0..ENDED {
        let more = keys.drop_ended(at(101)).await.unwrap();
        let first = ids_of(&*keys, "acme", "alice", "", 1).await;
        assert_eq!(more, first != ["z"], "more are left: {more}, and the first is {first:?}");
        if !more {
            return;
        }
    }
    panic!("as many calls as keys, and some are left");
}

pub(super) async fn a_clock_before_the_epoch_drops_no_key<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    for (id, expires_at) in [("a", 0), ("b", 100)] {
        keys.insert(ApiKeyRecord { expires_at: Some(expires_at), ..key(id, "alice") }).await.unwrap();
    }
    for now in [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH] {
        assert!(!keys.drop_ended(now).await.unwrap());
        assert_eq!(ids_of(&keys, "acme", "alice", "", 10).await.len(), 2, "at {now:?}");
    }
}

pub(super) async fn keys_are_there_when_it_is_opened_again<K: ApiKeyStore>(open: impl AsyncFn() -> K) {
    let keys = open().await;
    for id in ["a", "b", "c"] {
        keys.insert(key(id, "alice")).await.unwrap();
    }
    assert!(keys.revoke("a", 100).await.unwrap());
    assert!(keys.rotate("b", 1, 200, key("d", "alice")).await.unwrap());
    keys.record_uses(used("c", 150)).await.unwrap();
    drop(keys);

    let keys = open().await;
    let rows = [
        ApiKeyRecord { revoked_at: Some(100), version: 2, ..key("a", "alice") },
        ApiKeyRecord { overlap_ends_at: Some(200), version: 2, ..key("b", "alice") },
        ApiKeyRecord { last_used_at: Some(150), ..key("c", "alice") },
        key("d", "alice"),
    ];
    assert_eq!(keys.find_by_owner("acme", "alice", "", 10).await.unwrap(), rows);
    assert!(!keys.revoke("a", 300).await.unwrap());
    assert!(!keys.drop_ended(at(201)).await.unwrap());
    assert_eq!(ids_of(&keys, "acme", "alice", "", 10).await, ["c", "d"]);
}
