//! What a store of refresh families must keep.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::store::{FamilyId, RefreshTokenFamily, RefreshTokenStore};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::log::at;
use super::odd_strings;

pub(super) fn id(number: u128) -> FamilyId {
    number.to_be_bytes()
}

pub(super) fn family(number: u128, issuer: &str, subject: &str, expires_at: i64) -> RefreshTokenFamily {
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
        acr: None,
        reissued: false,
        ends_with_browser: false,
        label: None,
    }
}

pub(super) async fn find_by_subject(
    families: &impl RefreshTokenStore,
    issuer: &str,
    subject: &str,
) -> BTreeSet<FamilyId> {
    let found = families.find_by_subject(issuer, subject).await.unwrap();
    for family in &found {
        assert_eq!(families.find(family.id).await.unwrap().as_ref(), Some(family));
    }
    let ids: BTreeSet<_> = found.iter().map(|family| family.id).collect();
    assert_eq!(ids.len(), found.len(), "one is listed twice");
    ids
}

fn ids(numbers: impl IntoIterator<Item = u128>) -> BTreeSet<FamilyId> {
    numbers.into_iter().map(id).collect()
}

pub(super) async fn a_family_comes_back_as_it_was<F: RefreshTokenStore>(open: impl AsyncFn() -> F) {
    let families = open().await;
    let mut all = Vec::new();
    for (number, text) in (1..).zip(odd_strings()) {
        all.push(RefreshTokenFamily {
            key_id: text.clone(),
            generation: u64::try_from(i64::MAX).unwrap(),
            version: u64::try_from(i64::MAX).unwrap() - 1,
            started_at: 4_000_000_000,
            rotated_at: 4_000_000_001,
            last_issued_at: 4_000_000_003,
            user_generation: u32::MAX,
            acr: Some(text.clone()),
            reissued: number % 2 == 0,
            ends_with_browser: number % 3 == 0,
            label: Some(text.clone()),
            ..family(number, &text, &text, 4_000_000_002)
        });
    }
    all.push(family(0, "i", "s", i64::MAX));
    all.push(family(u128::MAX, "i", "s", 0));
    for family in &all {
        families.insert(family.clone()).await.unwrap();
    }
    for family in all {
        assert_eq!(families.find(family.id).await.unwrap().as_ref(), Some(&family));
    }
    assert_eq!(families.find(id(99)).await.unwrap(), None);
}

pub(super) async fn a_family_is_replaced_only_at_the_expected_version<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    let families = open().await;
    let first = RefreshTokenFamily { version: 7, ..family(1, "i", "s", 100) };
    let other = family(2, "i", "s", 100);
    families.insert(first.clone()).await.unwrap();
    families.insert(other.clone()).await.unwrap();
    // All of it is new, so that nothing of the old row may stay.
    let next = RefreshTokenFamily {
        key_id: "k2".into(),
        generation: 9,
        version: 8,
        started_at: 11,
        rotated_at: 21,
        last_issued_at: 26,
        user_generation: 8,
        acr: Some("mfa".into()),
        reissued: true,
        ends_with_browser: true,
        label: Some("a phone".into()),
        ..family(1, "j", "t", 101)
    };
    for wrong in [0, 6, 8, u64::MAX >> 1] {
        assert!(!families.replace(wrong, next.clone()).await.unwrap(), "{wrong} was not expected");
        assert_eq!(families.find(id(1)).await.unwrap().as_ref(), Some(&first));
    }
    assert!(families.replace(7, next.clone()).await.unwrap());
    assert_eq!(families.find(id(1)).await.unwrap().as_ref(), Some(&next));
    assert!(!families.replace(7, first).await.unwrap(), "a second time");
    assert_eq!(families.find(id(1)).await.unwrap(), Some(next));
    assert_eq!(families.find(id(2)).await.unwrap(), Some(other));
}

pub(super) async fn a_missing_family_is_not_replaced_and_not_made<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    let families = open().await;
    families.insert(family(2, "i", "s", 100)).await.unwrap();
    families.remove(vec![id(2)]).await.unwrap();
    for number in [1, 2] {
        for expected in [0, 1] {
            assert!(!families.replace(expected, family(number, "i", "s", 100)).await.unwrap());
        }
        assert_eq!(families.find(id(number)).await.unwrap(), None);
    }
    assert_eq!(find_by_subject(&families, "i", "s").await, ids([]));
}

pub(super) async fn of_a_hundred_simultaneous_replaces_one_is_true<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    let families = Arc::new(open().await);
    families.insert(family(1, "i", "s", 100)).await.unwrap();
    for version in 1..=10 {
        let start = Arc::new(Barrier::new(100));
        let mut tasks = JoinSet::new();
        for number in 0..100 {
            let (families, start) = (families.clone(), start.clone());
            let next =
                RefreshTokenFamily { version: version + 1, rotated_at: number, ..family(1, "i", "s", 100) };
            tasks.spawn(async move {
                start.wait().await;
                families.replace(version, next).await.unwrap().then_some(number)
            });
        }
        let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let row = families.find(id(1)).await.unwrap().unwrap();
        assert_eq!((winners, row.version), (vec![row.rotated_at], version + 1));
    }
}

/// The same without end: what a store does between looking and writing is short.
pub(super) async fn every_replace_that_is_true_is_a_version<F: RefreshTokenStore>(open: impl AsyncFn() -> F) {
    let families = Arc::new(open().await);
    families.insert(family(1, "i", "s", 100)).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let families = families.clone();
        tasks.spawn(async move {
            let mut replaced = Vec::new();
            for _ in 0..500 {
                let row = families.find(id(1)).await.unwrap().unwrap();
                let next = RefreshTokenFamily { version: row.version + 1, ..row.clone() };
                if families.replace(row.version, next).await.unwrap() {
                    replaced.push(row.version);
                }
            }
            replaced
        });
    }
    let mut replaced = tasks.join_all().await.concat();
    replaced.sort_unstable();
    let row = families.find(id(1)).await.unwrap().unwrap();
    assert_eq!(replaced, (1..row.version).collect::<Vec<_>>());
}

pub(super) async fn removed_families_are_gone_and_missing_ones_are_no_error<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    let families = open().await;
    for number in 1..=4 {
        families.insert(family(number, "i", "s", 100)).await.unwrap();
    }
    families.remove(vec![]).await.unwrap();
    families.remove(vec![id(9)]).await.unwrap();
    assert_eq!(find_by_subject(&families, "i", "s").await, ids(1..=4));
    families.remove(vec![id(1), id(9), id(3), id(3)]).await.unwrap();
    for number in 1..=4 {
        let is_there = families.find(id(number)).await.unwrap().is_some();
        assert_eq!(is_there, [2, 4].contains(&number), "{number}");
    }
    assert_eq!(find_by_subject(&families, "i", "s").await, ids([2, 4]));
    families.remove(vec![id(1)]).await.unwrap();
    families.insert(family(1, "i", "s", 100)).await.unwrap();
    assert_eq!(find_by_subject(&families, "i", "s").await, ids([1, 2, 4]));
}

/// Issuers and subjects that a store which joins, cuts, folds or trims strings would take for each other.
pub(super) async fn a_subject_has_exactly_its_own_families<F: RefreshTokenStore>(open: impl AsyncFn() -> F) {
    let families = open().await;
    let users = [
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
    let mut expected = Vec::new();
    for (number, (issuer, subject)) in (0..).zip(users) {
        // The lowest and the highest ids stand at the ends of a user's range.
        let own = [number, 1 << 64 | number, u128::MAX - number];
        for number in own {
            families.insert(family(number, issuer, subject, 100)).await.unwrap();
        }
        expected.push(own);
    }
    for ((issuer, subject), own) in users.iter().zip(&expected) {
        assert_eq!(find_by_subject(&families, issuer, subject).await, ids(*own), "{issuer:?} {subject:?}");
    }
    for (issuer, subject) in [("s", "i"), ("i", "t"), ("i", "s\u{1}"), ("i", "sss"), ("j", "s")] {
        assert_eq!(find_by_subject(&families, issuer, subject).await, ids([]), "{issuer:?} {subject:?}");
    }

    for ((issuer, subject), [first, second, third]) in users.into_iter().zip(expected) {
        families.remove(vec![id(first)]).await.unwrap();
        let next = RefreshTokenFamily { version: 2, ..family(second, issuer, subject, 200) };
        assert!(families.replace(1, next).await.unwrap());
        assert_eq!(find_by_subject(&families, issuer, subject).await, ids([second, third]));
        // Nothing does it today, but a row that is replaced is not found by what it was.
        let moved = RefreshTokenFamily { version: 3, ..family(second, "another", "user", 200) };
        assert!(families.replace(2, moved).await.unwrap());
        assert_eq!(find_by_subject(&families, issuer, subject).await, ids([third]));
    }
    assert_eq!(find_by_subject(&families, "another", "user").await.len(), users.len());
}

pub(super) async fn expired_families_are_dropped_everywhere<F: RefreshTokenStore>(open: impl AsyncFn() -> F) {
    let families = open().await;
    assert!(!families.drop_expired(at(1000)).await.unwrap(), "nothing to drop");
    let times = [101, 99, 100, 300, 1, 99];
    for (number, time) in (0..).zip(times) {
        families.insert(family(number, "i", "s", time)).await.unwrap();
    }
    for (now, left) in [
        (1, [0, 1, 2, 3, 4, 5].as_slice()),
        (99, &[0, 1, 2, 3, 5]),
        (100, &[0, 2, 3]),
        (50, &[0, 2, 3]),
        (101, &[0, 3]),
        (301, &[]),
    ] {
        assert!(!families.drop_expired(at(now)).await.unwrap());
        for number in 0..6 {
            let is_there = families.find(id(number)).await.unwrap().is_some();
            assert_eq!(is_there, left.contains(&number), "{number} at {now}");
        }
        assert_eq!(find_by_subject(&families, "i", "s").await, ids(left.iter().copied()), "at {now}");
    }
}

pub(super) async fn a_replaced_family_expires_when_its_new_row_says<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    let families = open().await;
    for (number, old, new) in [(1, 100, 300), (2, 300, 100)] {
        families.insert(family(number, "i", "s", old)).await.unwrap();
        let next = RefreshTokenFamily { version: 2, ..family(number, "i", "s", new) };
        assert!(families.replace(1, next).await.unwrap());
    }
    // A row that was removed leaves no time behind, at which one of the same id would be dropped.
    families.insert(family(3, "i", "s", 100)).await.unwrap();
    families.remove(vec![id(3)]).await.unwrap();
    families.insert(family(3, "i", "s", 300)).await.unwrap();
    for (now, left) in [(101, [1, 3].as_slice()), (300, &[1, 3]), (301, &[])] {
        assert!(!families.drop_expired(at(now)).await.unwrap());
        assert_eq!(find_by_subject(&families, "i", "s").await, ids(left.iter().copied()), "at {now}");
    }
}

pub(super) async fn dropping_families_says_whether_more_are_left_and_ends<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    // Whole batches of the stores here.
    const EXPIRED: u128 = 10_000;
    let families = Arc::new(open().await);
    let mut tasks = JoinSet::new();
    for number in 0..EXPIRED {
        let families = families.clone();
        tasks.spawn(async move { families.insert(family(number, "i", "s", 100)).await.unwrap() });
    }
    tasks.join_all().await;
    families.insert(family(EXPIRED, "i", "s", 200)).await.unwrap();
    for _ in 0..EXPIRED {
        let more = families.drop_expired(at(101)).await.unwrap();
        let left = find_by_subject(&*families, "i", "s").await;
        assert_eq!(more, left != ids([EXPIRED]), "more are left: {more}, and there are {}", left.len());
        if !more {
            return;
        }
    }
    panic!("as many calls as families, and some are left");
}

pub(super) async fn a_clock_before_the_epoch_drops_no_family<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    let families = open().await;
    for number in 0..6 {
        families.insert(family(number, "i", "s", if number < 3 { 0 } else { 100 })).await.unwrap();
    }
    for now in [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH - Duration::from_nanos(1), UNIX_EPOCH] {
        assert!(!families.drop_expired(now).await.unwrap());
        assert_eq!(find_by_subject(&families, "i", "s").await.len(), 6, "at {now:?}");
    }
}
