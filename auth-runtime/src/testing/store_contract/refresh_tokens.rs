//! What a store of refresh-token families must do.

mod list;
mod retention;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

pub use self::list::*;
pub use self::retention::*;
use super::{Broken, Checked, all, at, equal, odd_strings};
use crate::store::{FamilyId, RefreshTokenFamily, RefreshTokenStore, StoredSessionData};

/// As large as a signed number of 64 bits can be.
const LARGE: u64 = u64::MAX >> 1;

fn id(number: u128) -> FamilyId {
    number.to_be_bytes()
}

fn ids(numbers: impl IntoIterator<Item = u128>) -> BTreeSet<FamilyId> {
    numbers.into_iter().map(id).collect()
}

fn family(number: u128, issuer: &str, subject: &str, expires_at: i64) -> RefreshTokenFamily {
    RefreshTokenFamily {
        id: id(number),
        issuer: issuer.into(),
        subject: subject.into(),
        key_id: "k1".into(),
        generation: 1,
        version: 1,
        started_at: 10,
        rotated_at: 20,
        expires_at,
        last_issued_at: 25,
        user_generation: 7,
        issuer_generation: 5,
        acr: None,
        reissued: false,
        ends_with_browser: false,
        label: None,
        data: session_data("cart", "[1]"),
    }
}

fn session_data(name: &str, value: &str) -> StoredSessionData {
    let mut data = StoredSessionData::default();
    data.set(name, Some(value.into()));
    data
}

/// The ids of a user's families. Each is found by its id too, as the same row.
async fn find_by_subject(
    store: &impl RefreshTokenStore,
    issuer: &str,
    subject: &str,
) -> Result<BTreeSet<FamilyId>, Broken> {
    let found = store.find_by_subject(issuer, subject).await?;
    for family in &found {
        equal(
            store.find(family.id).await?.as_ref(),
            Some(family),
            "`find` of what `find_by_subject` returned",
        )?;
    }
    let ids: BTreeSet<_> = found.iter().map(|family| family.id).collect();
    equal(ids.len(), found.len(), format_args!("different families of {issuer:?} {subject:?}"))?;
    Ok(ids)
}

pub async fn a_family_comes_back_as_it_was<S: RefreshTokenStore>(open: impl AsyncFn() -> S) -> Checked {
    let store = open().await;
    let mut families = Vec::new();
    for (number, text) in (1..).zip(odd_strings()) {
        families.push(RefreshTokenFamily {
            key_id: text.clone(),
            generation: LARGE,
            version: LARGE - 1,
            started_at: 4_000_000_000,
            rotated_at: 4_000_000_001,
            last_issued_at: 4_000_000_003,
            user_generation: u32::MAX,
            issuer_generation: u32::MAX - 1,
            acr: Some(text.clone()),
            reissued: number % 2 == 0,
            ends_with_browser: number % 3 == 0,
            label: Some(text.clone()),
            data: session_data(&text, &text),
            ..family(number, &text, &text, 4_000_000_002)
        });
    }
    families.push(family(0, "i", "s", i64::MAX));
    families.push(family(u128::MAX, "i", "s", 0));
    // As much as a service may allow. In JSON it is twice as long.
    let most = session_data("", &"\"".repeat(64 * 1024));
    families.push(RefreshTokenFamily { data: most, ..family(1 << 64, "i", "s", 100) });
    families
        .push(RefreshTokenFamily { data: StoredSessionData::default(), ..family(2 << 64, "i", "s", 100) });
    for family in &families {
        store.insert(family.clone()).await?;
    }
    for family in families {
        equal(store.find(family.id).await?.as_ref(), Some(&family), "a family that was inserted")?;
    }
    equal(store.find(id(99)).await?, None, "a family that was not inserted")
}

pub async fn a_family_is_replaced_only_at_the_expected_version<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    let first = RefreshTokenFamily { version: 7, ..family(1, "i", "s", 100) };
    let other = family(2, "i", "s", 100);
    store.insert(first.clone()).await?;
    store.insert(other.clone()).await?;
    // All of it is new, so that nothing of the old row may stay.
    let next = RefreshTokenFamily {
        key_id: "k2".into(),
        generation: 9,
        version: 8,
        started_at: 11,
        rotated_at: 21,
        last_issued_at: 26,
        user_generation: 8,
        issuer_generation: 6,
        acr: Some("mfa".into()),
        reissued: true,
        ends_with_browser: true,
        label: Some("a phone".into()),
        data: session_data("theme", "\"dark\""),
        ..family(1, "j", "t", 101)
    };
    for wrong in [0, 6, 8, LARGE] {
        equal(
            store.replace(wrong, next.clone()).await?,
            false,
            format_args!("`replace` of version 7 with {wrong}"),
        )?;
        equal(
            store.find(id(1)).await?.as_ref(),
            Some(&first),
            "the family after a `replace` that was false",
        )?;
    }
    equal(store.replace(7, next.clone()).await?, true, "`replace` of version 7 with 7")?;
    equal(store.find(id(1)).await?.as_ref(), Some(&next), "the family after a `replace` that was true")?;
    equal(store.replace(7, first).await?, false, "the same `replace` a second time")?;
    equal(store.find(id(1)).await?, Some(next), "the family after that")?;
    equal(store.find(id(2)).await?, Some(other), "another family")
}

pub async fn a_missing_family_is_not_replaced_and_not_made<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    store.insert(family(2, "i", "s", 100)).await?;
    store.remove(vec![id(2)]).await?;
    for number in [1, 2] {
        for expected in [0, 1] {
            let replaced = store.replace(expected, family(number, "i", "s", 100)).await?;
            equal(replaced, false, "`replace` of a family that is not there")?;
        }
        equal(store.find(id(number)).await?, None, "a family that is not there, after `replace`")?;
    }
    equal(find_by_subject(&store, "i", "s").await?, ids([]), "the families of a user without any")
}

pub async fn of_many_simultaneous_replaces_one_is_true<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    const CALLERS: i64 = 100;
    let store = Arc::new(open().await);
    store.insert(family(1, "i", "s", 100)).await?;
    for version in 1..=10 {
        let start = Arc::new(Barrier::new(usize::try_from(CALLERS).unwrap_or(1)));
        let mut tasks = JoinSet::new();
        for number in 0..CALLERS {
            let (store, start) = (Arc::clone(&store), Arc::clone(&start));
            let next =
                RefreshTokenFamily { version: version + 1, rotated_at: number, ..family(1, "i", "s", 100) };
            tasks.spawn(async move {
                start.wait().await;
                Ok(store.replace(version, next).await?.then_some(number))
            });
        }
        let winners: Vec<_> = all(tasks).await?.into_iter().flatten().collect();
        let row = store.find(id(1)).await?.map(|row| (vec![row.rotated_at], row.version));
        equal(
            row,
            Some((winners, version + 1)),
            format_args!(
                "the row, and the callers of {CALLERS} whose `replace` of version {version} was true"
            ),
        )?;
    }
    Ok(())
}

/// The same without end: what a store does between looking and writing is short.
pub async fn every_replace_that_is_true_is_a_version<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = Arc::new(open().await);
    store.insert(family(1, "i", "s", 100)).await?;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut replaced = Vec::new();
            for _ in 0..200 {
                let Some(row) = store.find(id(1)).await? else { break };
                let next = RefreshTokenFamily { version: row.version + 1, ..row.clone() };
                if store.replace(row.version, next).await? {
                    replaced.push(row.version);
                }
            }
            Ok(replaced)
        });
    }
    let mut replaced = all(tasks).await?.concat();
    replaced.sort_unstable();
    let version = store.find(id(1)).await?.map(|row| row.version);
    equal(
        version.map(|version| (1..version).collect()),
        Some(replaced),
        "the versions, and those whose `replace` was true",
    )
}

pub async fn removed_families_are_gone_and_missing_ones_are_no_error<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    for number in 1..=4 {
        store.insert(family(number, "i", "s", 100)).await?;
    }
    store.remove(vec![]).await?;
    store.remove(vec![id(9)]).await?;
    equal(find_by_subject(&store, "i", "s").await?, ids(1..=4), "the families after others were removed")?;
    store.remove(vec![id(1), id(9), id(3), id(3)]).await?;
    for number in 1..=4 {
        let is_there = store.find(id(number)).await?.is_some();
        equal(
            is_there,
            [2, 4].contains(&number),
            format_args!("whether family {number} is there after 1 and 3 were removed"),
        )?;
    }
    equal(find_by_subject(&store, "i", "s").await?, ids([2, 4]), "the families after 1 and 3 were removed")?;
    store.remove(vec![id(1)]).await?;
    store.insert(family(1, "i", "s", 100)).await?;
    equal(find_by_subject(&store, "i", "s").await?, ids([1, 2, 4]), "the families after 1 was inserted again")
}

/// Issuers and subjects that a store which joins, cuts, folds or trims strings would take for each other.
const USERS: [(&str, &str); 21] = [
    ("i", "s"),
    ("i", ""),
    ("", "s"),
    ("", ""),
    ("is", ""),
    ("", "is"),
    ("i", "s\0"),
    ("i", "s\0\0"),
    ("i\0", "s"),
    ("i\0s", ""),
    ("i", "\0s"),
    ("i", "ss"),
    ("ii", "s"),
    ("i", "S"),
    ("i", "s "),
    ("i", " s"),
    ("i", "%"),
    ("i", "s\u{ff}"),
    ("i", "\u{10ffff}"),
    ("i", "é"),
    ("i", "e\u{301}"),
];

pub async fn a_subject_has_exactly_its_own_families<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    // The lowest and the highest ids are at the ends of a user's range.
    let own = |number: u128| [number, 1 << 64 | number, u128::MAX - number];
    for (number, (issuer, subject)) in (0..).zip(USERS) {
        for number in own(number) {
            store.insert(family(number, issuer, subject, 100)).await?;
        }
    }
    for (number, (issuer, subject)) in (0..).zip(USERS) {
        let found = find_by_subject(&store, issuer, subject).await?;
        equal(found, ids(own(number)), format_args!("the families of {issuer:?} {subject:?}"))?;
    }
    for (issuer, subject) in [("s", "i"), ("i", "t"), ("i", "s\u{1}"), ("i", "sss"), ("j", "s")] {
        let found = find_by_subject(&store, issuer, subject).await?;
        equal(found, ids([]), format_args!("the families of {issuer:?} {subject:?}"))?;
    }

    for (number, (issuer, subject)) in (0..).zip(USERS) {
        let [first, second, third] = own(number);
        store.remove(vec![id(first)]).await?;
        let next = RefreshTokenFamily { version: 2, ..family(second, issuer, subject, 200) };
        equal(store.replace(1, next).await?, true, "`replace` of version 1 with 1")?;
        let found = find_by_subject(&store, issuer, subject).await?;
        equal(
            found,
            ids([second, third]),
            format_args!("the families of {issuer:?} {subject:?}, one removed"),
        )?;
        // Nothing does it today, but a row that is replaced is not found by what it was.
        let moved = RefreshTokenFamily { version: 3, ..family(second, "another", "user", 200) };
        equal(store.replace(2, moved).await?, true, "`replace` of version 2 with 2")?;
        let found = find_by_subject(&store, issuer, subject).await?;
        equal(
            found,
            ids([third]),
            format_args!("the families of {issuer:?} {subject:?}, one of another user now"),
        )?;
    }
    let moved = find_by_subject(&store, "another", "user").await?.len();
    equal(moved, USERS.len(), "the families of the user that others were given to")
}
