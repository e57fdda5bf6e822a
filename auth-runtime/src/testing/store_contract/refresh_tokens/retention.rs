//! What has expired is dropped, and what a durable store has when it is opened again.

use std::sync::Arc;

use super::*;
use crate::testing::store_contract::{add, before_the_epoch, ensure};

pub async fn only_families_that_have_expired_are_dropped<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    equal(store.drop_expired(at(1000)).await?, false, "`drop_expired` of an empty store")?;
    let times = [101, 99, 100, 300, 1, 99];
    for (number, time) in (0..).zip(times) {
        store.insert(family(number, "i", "s", time)).await?;
    }
    for (now, left) in [
        (1, [0, 1, 2, 3, 4, 5].as_slice()),
        (99, &[0, 1, 2, 3, 5]),
        (100, &[0, 2, 3]),
        (50, &[0, 2, 3]),
        (101, &[0, 3]),
        (301, &[]),
    ] {
        equal(store.drop_expired(at(now)).await?, false, "whether there is more to drop")?;
        for number in 0..6 {
            let is_there = store.find(id(number)).await?.is_some();
            equal(
                is_there,
                left.contains(&number),
                format_args!("whether family {number} of {times:?} is there at {now}"),
            )?;
        }
        let found = find_by_subject(&store, "i", "s").await?;
        equal(found, ids(left.iter().copied()), format_args!("the families of the user at {now}"))?;
    }
    Ok(())
}

pub async fn a_replaced_family_expires_when_its_new_row_says<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    for (number, old, new) in [(1, 100, 300), (2, 300, 100)] {
        store.insert(family(number, "i", "s", old)).await?;
        let next = RefreshTokenFamily { version: 2, ..family(number, "i", "s", new) };
        equal(store.replace(1, next).await?, true, "`replace` of version 1 with 1")?;
    }
    // A row that was removed leaves no time behind, at which one of the same id would be dropped.
    store.insert(family(3, "i", "s", 100)).await?;
    store.remove(vec![id(3)]).await?;
    store.insert(family(3, "i", "s", 300)).await?;
    for (now, left) in [(101, [1, 3].as_slice()), (300, &[1, 3]), (301, &[])] {
        equal(store.drop_expired(at(now)).await?, false, "whether there is more to drop")?;
        let found = find_by_subject(&store, "i", "s").await?;
        equal(
            found,
            ids(left.iter().copied()),
            format_args!("the families at {now}, of which 1 and 3 expire at 300"),
        )?;
    }
    Ok(())
}

pub async fn dropping_families_says_whether_more_are_left_and_ends<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    // Whole batches of some stores.
    const EXPIRED: usize = 10_000;
    let store = Arc::new(open().await);
    let added = Arc::clone(&store);
    add(EXPIRED, move |number| {
        let store = Arc::clone(&added);
        async move { store.insert(family(number as u128, "i", "s", 100)).await }
    })
    .await?;
    let living = family(EXPIRED as u128, "i", "s", 200);
    store.insert(living.clone()).await?;
    for _ in 0..EXPIRED {
        let more = store.drop_expired(at(101)).await?;
        let left = store.find_by_subject("i", "s").await?;
        let is_last = left == std::slice::from_ref(&living);
        equal(more, !is_last, format_args!("whether more can be dropped, with {} left", left.len()))?;
        if !more {
            return Ok(());
        }
    }
    ensure(false, format_args!("after {EXPIRED} calls of `drop_expired`, one for each family, some are left"))
}

pub async fn a_clock_before_the_epoch_drops_no_family<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    for number in 0..6 {
        store.insert(family(number, "i", "s", if number < 3 { 0 } else { 100 })).await?;
    }
    for now in before_the_epoch() {
        equal(
            store.drop_expired(now).await?,
            false,
            format_args!("whether there is more to drop at {now:?}"),
        )?;
        equal(find_by_subject(&store, "i", "s").await?, ids(0..6), format_args!("the families at {now:?}"))?;
    }
    Ok(())
}

pub async fn families_are_there_when_it_is_opened_again<S: RefreshTokenStore>(
    open: impl AsyncFn() -> S,
) -> Checked {
    let store = open().await;
    for (number, expires_at) in [(1, 100), (2, 200), (3, 300), (4, 400)] {
        store.insert(family(number, "i", "s", expires_at)).await?;
    }
    let next = RefreshTokenFamily { version: 2, ..family(2, "i", "s", 500) };
    equal(store.replace(1, next.clone()).await?, true, "`replace` of version 1 with 1")?;
    store.remove(vec![id(3)]).await?;
    equal(store.drop_expired(at(101)).await?, false, "whether there is more to drop")?;
    drop(store);

    let store = open().await;
    let rows = [None, Some(next.clone()), None, Some(family(4, "i", "s", 400))];
    for (number, row) in (1..).zip(rows) {
        equal(
            store.find(id(number)).await?,
            row,
            format_args!("family {number} after the store was opened again"),
        )?;
    }
    equal(
        find_by_subject(&store, "i", "s").await?,
        ids([2, 4]),
        "the families after the store was opened again",
    )?;
    let listed = store.list("i", None, 10).await?;
    equal(
        listed.iter().map(|family| family.id).collect::<BTreeSet<_>>(),
        ids([2, 4]),
        "the list after the store was opened again",
    )?;
    equal(store.replace(1, next.clone()).await?, false, "`replace` of version 2 with 1")?;
    let after = RefreshTokenFamily { version: 3, ..next };
    equal(store.replace(2, after).await?, true, "`replace` of version 2 with 2")?;
    equal(store.drop_expired(at(401)).await?, false, "whether there is more to drop")?;
    equal(find_by_subject(&store, "i", "s").await?, ids([2]), "the families at 401")
}
