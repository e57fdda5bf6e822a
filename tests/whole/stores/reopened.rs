//! What a store that is durable has kept when it is opened again.

use auth_runtime::store::{LogCursor, RefreshTokenFamily, RefreshTokenStore, RevocationLog};

use super::families::{family, find_by_subject, id};
use super::log::{at, entries, page, read_on};

pub(super) async fn entries_are_there_when_it_is_opened_again<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    log.append(entries(0..10, 100)).await.unwrap();
    log.append(entries(10..20, 200)).await.unwrap();
    let before = read_on(&log, LogCursor::START, 7).await;
    let half = page(&log, LogCursor::START, 10).await.cursor;
    drop(log);

    let log = open().await;
    assert_eq!(read_on(&log, LogCursor::START, 7).await, before);
    assert_eq!(read_on(&log, half, 7).await.0, entries(10..20, 200));
    assert!(!log.drop_expired(at(101)).await.unwrap());
    drop(log);

    assert_eq!(read_on(&open().await, LogCursor::START, 7).await.0, entries(10..20, 200));
}

pub(super) async fn the_confirmed_time_is_there_when_it_is_opened_again<L: RevocationLog>(
    open: impl AsyncFn() -> L,
) {
    let log = open().await;
    log.set_confirmed_time(at(100)).await.unwrap();
    drop(log);
    assert_eq!(open().await.confirmed_time().await.unwrap(), Some(at(100)));
}

pub(super) async fn cursors_go_on_when_it_is_opened_again<L: RevocationLog>(open: impl AsyncFn() -> L) {
    let log = open().await;
    log.append(entries(0..3, 100)).await.unwrap();
    let (_, cursor) = read_on(&log, LogCursor::START, 7).await;
    assert!(!log.drop_expired(at(101)).await.unwrap());
    drop(log);

    let log = open().await;
    assert_eq!(read_on(&log, LogCursor::START, 7).await, (vec![], LogCursor::START));
    log.append(entries(3..6, 200)).await.unwrap();
    assert_eq!(read_on(&log, cursor, 7).await.0, entries(3..6, 200), "behind a cursor of before");
}

pub(super) async fn families_are_there_when_it_is_opened_again<F: RefreshTokenStore>(
    open: impl AsyncFn() -> F,
) {
    let families = open().await;
    for (number, expires_at) in [(1, 100), (2, 200), (3, 300), (4, 400)] {
        families.insert(family(number, "i", "s", expires_at)).await.unwrap();
    }
    let next = RefreshTokenFamily { version: 2, ..family(2, "i", "s", 500) };
    assert!(families.replace(1, next.clone()).await.unwrap());
    families.remove(vec![id(3)]).await.unwrap();
    assert!(!families.drop_expired(at(101)).await.unwrap());
    drop(families);

    let families = open().await;
    let rows = [None, Some(next.clone()), None, Some(family(4, "i", "s", 400))];
    for (number, row) in (1..).zip(rows) {
        assert_eq!(families.find(id(number)).await.unwrap(), row, "{number}");
    }
    assert_eq!(find_by_subject(&families, "i", "s").await, [id(2), id(4)].into());
    assert!(!families.replace(1, next.clone()).await.unwrap());
    assert!(families.replace(2, RefreshTokenFamily { version: 3, ..next }).await.unwrap());
    assert!(!families.drop_expired(at(401)).await.unwrap());
    assert_eq!(find_by_subject(&families, "i", "s").await, [id(2)].into());
}
