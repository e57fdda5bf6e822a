//! What a store of API keys must do.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{Broken, Checked, add, all, at, before_the_epoch, ensure, equal, odd_strings};
use crate::store::{ApiKeyRecord, ApiKeyStore, ApiKeyUse};

/// As large as a signed number of 64 bits can be.
const LARGE: u64 = u64::MAX >> 1;

fn key(id: &str, owner: &str) -> ApiKeyRecord {
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

fn used(id: &str, at: i64) -> Vec<ApiKeyUse> {
    vec![ApiKeyUse { id: id.into(), at }]
}

/// The ids of a page of an owner's keys. Each is found by its id too, as the same row.
async fn ids_of(
    store: &impl ApiKeyStore,
    prefix: &str,
    owner: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, Broken> {
    let found = store.find_by_owner(prefix, owner, after, limit).await?;
    for key in &found {
        equal(store.find(&key.id).await?.as_ref(), Some(key), "`find` of what `find_by_owner` returned")?;
    }
    Ok(found.into_iter().map(|key| key.id).collect())
}

pub async fn a_key_comes_back_as_it_was<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    let mut keys = Vec::new();
    for (number, text) in (0_u8..).zip(odd_strings()) {
        keys.push(ApiKeyRecord {
            prefix: text.clone(),
            hash: [number; 32],
            label: Some(text.clone()),
            roles: odd_strings(),
            scopes: vec![text.clone()],
            permissions: vec![text.clone(), text.clone()],
            created_at: 4_000_000_000,
            expires_at: Some(i64::MAX),
            overlap_ends_at: Some(4_000_000_003),
            revoked_at: Some(4_000_000_001),
            last_used_at: Some(4_000_000_002),
            version: LARGE,
            ..key(&format!("key {number}"), &text)
        });
        keys.push(key(&format!("plain {number}"), &text));
    }
    for key in &keys {
        store.insert(key.clone()).await?;
    }
    for key in keys {
        equal(store.find(&key.id).await?, Some(key), "a key that was inserted")?;
    }
    for missing in ["", "KEY 0", "key 0 ", "key"] {
        equal(store.find(missing).await?, None, format_args!("a key {missing:?}, which was not inserted"))?;
    }
    Ok(())
}

pub async fn an_owner_has_exactly_its_own_keys<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    let mut owners = odd_strings();
    owners.extend(["alice".into(), "Alice".into(), "alic".into(), "alicee".into()]);
    for (prefix_number, prefix) in ["acme", "acme_", "other"].into_iter().enumerate() {
        for (number, owner) in owners.iter().enumerate() {
            let id = format!("{prefix_number} {number}");
            store.insert(ApiKeyRecord { prefix: prefix.into(), ..key(&id, owner) }).await?;
        }
    }
    for (number, owner) in owners.iter().enumerate() {
        for (prefix, expected) in [("acme", format!("0 {number}")), ("acme_", format!("1 {number}"))] {
            let found = ids_of(&store, prefix, owner, "", 10).await?;
            equal(found, [expected], format_args!("the keys of {owner:?} with the prefix {prefix:?}"))?;
        }
    }
    for (prefix, owner) in [("acm", "alice"), ("acme", "bob")] {
        let found = ids_of(&store, prefix, owner, "", 10).await?;
        equal(found, Vec::<String>::new(), format_args!("the keys of {owner:?} with the prefix {prefix:?}"))?;
    }
    Ok(())
}

pub async fn keys_of_an_owner_come_in_pages_by_id<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    // In the order of their bytes.
    let ids = ["0", "00", "9", "A", "Z", "ZZ", "a", "aZ", "z"];
    for id in ids.iter().rev() {
        store.insert(key(id, "alice")).await?;
        store.insert(key(&format!("{id}b"), "bob")).await?;
    }
    for limit in [1, 2, 4, 9, 100] {
        let (mut after, mut read) = (String::new(), Vec::new());
        loop {
            let page = ids_of(&store, "acme", "alice", &after, limit).await?;
            ensure(
                page.len() <= limit,
                format_args!("a page of {} keys with the limit {limit}", page.len()),
            )?;
            let Some(last) = page.last().cloned() else { break };
            ensure(last > after, format_args!("the page after {after:?} ends at {last:?}"))?;
            read.extend(page);
            after = last;
        }
        equal(read, ids, format_args!("the keys in pages of {limit}"))?;
    }
    equal(ids_of(&store, "acme", "alice", "", 0).await?, Vec::<String>::new(), "a page of 0 keys")
}

pub async fn a_key_is_rotated_only_at_the_expected_version<S: ApiKeyStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    store.insert(key("a", "alice")).await?;
    store.record_uses(used("a", 50)).await?;
    for expected in [0, 2, LARGE] {
        let rotated = store.rotate("a", expected, 100, key("b", "alice")).await?;
        equal(rotated, false, format_args!("`rotate` of version 1 with {expected}"))?;
    }
    let rotated = store.rotate("missing", 1, 100, key("b", "alice")).await?;
    equal(rotated, false, "`rotate` of a key that is not there")?;
    equal(ids_of(&store, "acme", "alice", "", 10).await?, ["a"], "the keys after `rotate` was false")?;
    equal(store.rotate("a", 1, 100, key("b", "alice")).await?, true, "`rotate` of version 1 with 1")?;
    let former =
        ApiKeyRecord { overlap_ends_at: Some(100), version: 2, last_used_at: Some(50), ..key("a", "alice") };
    equal(store.find("a").await?, Some(former), "the rotated key")?;
    equal(store.find("b").await?, Some(key("b", "alice")), "the next key")?;
    equal(store.rotate("a", 1, 200, key("c", "alice")).await?, false, "`rotate` of version 2 with 1")?;
    equal(store.revoke("b", 60).await?, true, "`revoke` of a key that is not revoked")?;
    let rotated = store.rotate("b", 1, 200, key("c", "alice")).await?;
    equal(rotated, false, "`rotate` with 1 of a key that was revoked since, which is a new version")?;
    equal(ids_of(&store, "acme", "alice", "", 10).await?, ["a", "b"], "the keys at the end")
}

pub async fn of_many_simultaneous_rotations_one_is_true<S: ApiKeyStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    const CALLERS: usize = 50;
    let store = Arc::new(open().await);
    store.insert(key("a", "alice")).await?;
    let barrier = Arc::new(Barrier::new(CALLERS));
    let mut tasks = JoinSet::new();
    for number in 0..CALLERS {
        let (store, barrier) = (Arc::clone(&store), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            store.rotate("a", 1, 100, key(&format!("next {number}"), "alice")).await
        });
    }
    let rotated = all(tasks).await?.into_iter().filter(|rotated| *rotated).count();
    equal(rotated, 1, format_args!("rotations of {CALLERS} of one version that were true"))?;
    equal(ids_of(&*store, "acme", "alice", "", 100).await?.len(), 2, "keys after one was rotated once")
}

pub async fn a_revoked_key_stays_revoked<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    store.insert(ApiKeyRecord { expires_at: Some(500), ..key("a", "alice") }).await?;
    equal(store.revoke("missing", 100).await?, false, "`revoke` of a key that is not there")?;
    equal(store.find("missing").await?, None, "a key that is not there, after `revoke`")?;
    equal(store.revoke("a", 100).await?, true, "`revoke` of a key that is not revoked")?;
    for at in [50, 100, 1000] {
        equal(
            store.revoke("a", at).await?,
            false,
            format_args!("`revoke` at {at} of a key that was revoked at 100"),
        )?;
    }
    let revoked =
        ApiKeyRecord { expires_at: Some(500), revoked_at: Some(100), version: 2, ..key("a", "alice") };
    equal(store.find("a").await?, Some(revoked.clone()), "the revoked key")?;
    store.record_uses(used("a", 120)).await?;
    let revoked = ApiKeyRecord { last_used_at: Some(120), ..revoked };
    equal(store.find("a").await?, Some(revoked), "the revoked key after a use")
}

pub async fn the_last_use_is_the_latest<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    for id in ["a", "b"] {
        store.insert(key(id, "alice")).await?;
    }
    store.record_uses(Vec::new()).await?;
    let uses = [("a", 100), ("missing", 100), ("b", 300), ("b", 200)];
    store.record_uses(uses.map(|(id, at)| ApiKeyUse { id: id.into(), at }).to_vec()).await?;
    store.record_uses(used("a", 50)).await?;
    for (id, at) in [("a", 100), ("b", 300)] {
        let expected = ApiKeyRecord { last_used_at: Some(at), ..key(id, "alice") };
        equal(store.find(id).await?, Some(expected), format_args!("the key {id:?}, last used at {at}"))?;
    }
    equal(store.find("missing").await?, None, "a key that is not there, after a use")
}

pub async fn only_keys_that_have_ended_are_dropped<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    equal(store.drop_ended(at(1000)).await?, false, "`drop_ended` of an empty store")?;
    let ends = [("a", None), ("b", Some(100)), ("c", Some(101)), ("d", Some(300)), ("e", Some(400))];
    for (id, expires_at) in ends {
        store.insert(ApiKeyRecord { expires_at, ..key(id, "alice") }).await?;
    }
    // Revoked before it expires, and after.
    equal(store.revoke("e", 100).await?, true, "`revoke` of a key that is not revoked")?;
    equal(store.revoke("c", 900).await?, true, "`revoke` of a key that is not revoked")?;
    // Rotated: it ends earlier.
    equal(store.rotate("d", 1, 200, key("f", "alice")).await?, true, "`rotate` of version 1 with 1")?;
    for (now, left) in [
        (100, &["a", "b", "c", "d", "e", "f"][..]),
        (101, &["a", "c", "d", "f"]),
        (50, &["a", "c", "d", "f"]),
        (102, &["a", "d", "f"]),
        (201, &["a", "f"]),
        (5_000_000_000, &["a", "f"]),
    ] {
        equal(store.drop_ended(at(now)).await?, false, "whether there is more to drop")?;
        equal(ids_of(&store, "acme", "alice", "", 10).await?, left, format_args!("the keys at {now}"))?;
    }
    equal(store.find("b").await?, None, "a key that was dropped")?;
    equal(store.revoke("a", 50).await?, true, "`revoke` of a key that is not revoked")?;
    equal(store.drop_ended(at(51)).await?, false, "whether there is more to drop")?;
    equal(ids_of(&store, "acme", "alice", "", 10).await?, ["f"], "the keys after one was revoked")
}

pub async fn dropping_keys_says_whether_more_are_left_and_ends<S: ApiKeyStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    // More than a batch of some stores.
    const ENDED: usize = 2_500;
    let store = Arc::new(open().await);
    let added = Arc::clone(&store);
    add(ENDED, move |number| {
        let store = Arc::clone(&added);
        let ended = ApiKeyRecord { expires_at: Some(100), ..key(&format!("{number:05}"), "alice") };
        async move { store.insert(ended).await }
    })
    .await?;
    store.insert(key("z", "alice")).await?;
    for _ in 0..ENDED {
        let more = store.drop_ended(at(101)).await?;
        let first = ids_of(&*store, "acme", "alice", "", 1).await?;
        equal(
            more,
            first != ["z"],
            format_args!("whether more can be dropped, where the first is {first:?}"),
        )?;
        if !more {
            return Ok(());
        }
    }
    ensure(false, format_args!("after {ENDED} calls of `drop_ended`, one for each key, some are left"))
}

pub async fn a_clock_before_the_epoch_drops_no_key<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    for (id, expires_at) in [("a", 0), ("b", 100)] {
        store.insert(ApiKeyRecord { expires_at: Some(expires_at), ..key(id, "alice") }).await?;
    }
    for now in before_the_epoch() {
        equal(store.drop_ended(now).await?, false, format_args!("whether there is more to drop at {now:?}"))?;
        equal(
            ids_of(&store, "acme", "alice", "", 10).await?,
            ["a", "b"],
            format_args!("the keys at {now:?}"),
        )?;
    }
    Ok(())
}

pub async fn keys_are_there_when_it_is_opened_again<S: ApiKeyStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    for id in ["a", "b", "c"] {
        store.insert(key(id, "alice")).await?;
    }
    equal(store.revoke("a", 100).await?, true, "`revoke` of a key that is not revoked")?;
    equal(store.rotate("b", 1, 200, key("d", "alice")).await?, true, "`rotate` of version 1 with 1")?;
    store.record_uses(used("c", 150)).await?;
    drop(store);

    let store = open().await;
    let rows = [
        ApiKeyRecord { revoked_at: Some(100), version: 2, ..key("a", "alice") },
        ApiKeyRecord { overlap_ends_at: Some(200), version: 2, ..key("b", "alice") },
        ApiKeyRecord { last_used_at: Some(150), ..key("c", "alice") },
        key("d", "alice"),
    ];
    equal(
        store.find_by_owner("acme", "alice", "", 10).await?,
        rows,
        "the keys after the store was opened again",
    )?;
    equal(
        store.revoke("a", 300).await?,
        false,
        "`revoke` of a key that was revoked before it was opened again",
    )?;
    equal(store.drop_ended(at(201)).await?, false, "whether there is more to drop")?;
    equal(ids_of(&store, "acme", "alice", "", 10).await?, ["c", "d"], "the keys at 201")
}
