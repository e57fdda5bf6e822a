//! A store that was set back: what was acknowledged stays revoked where it is known, and is appended again.

use std::time::Duration;

use super::store::{Data, Fault};
use super::world::{Answer, MAX_STALENESS, World};
use crate::captured_log::CapturedLog;

const A_SECOND: Duration = Duration::from_secs(1);

/// A service of two instances, in which the first has revoked `early` and, after a dump, `late`.
async fn world_with_dump() -> (World, Data) {
    let world = World::new(2).await;
    assert!(world.instances[0].revoke("early").await);
    world.pass(2 * A_SECOND).await;
    let dump = world.store.data().clone();
    assert!(world.instances[0].revoke("late").await);
    (world, dump)
}

async fn answers(world: &World, at: usize) -> [Answer; 3] {
    let mut answers = [Answer::Unavailable; 3];
    for (answer, id) in answers.iter_mut().zip(["early", "late", "never"]) {
        *answer = world.instances[at].ask(&world.token(id)).await;
    }
    answers
}

const ALL_KNOWN: [Answer; 3] = [Answer::Revoked, Answer::Revoked, Answer::Accepted];

/// Whether both readers have read what is lost or neither, and also if the store is written on past their cursors.
#[tokio::test(start_paused = true)]
async fn what_the_store_has_lost_is_appended_again_by_the_process_that_recorded_it() {
    for is_read_before in [true, false] {
        for writes_on in [0, 1, 2, 10] {
            for is_wiped in [true, false] {
                let case =
                    format!("read before: {is_read_before}, writes on: {writes_on}, wiped: {is_wiped}");
                let (world, dump) = world_with_dump().await;
                if is_read_before {
                    world.pass(2 * A_SECOND).await;
                }
                world.store.restore(if is_wiped { Data::default() } else { dump });
                for number in 0..writes_on {
                    assert!(world.instances[1].revoke(&format!("after {number}")).await, "{case}");
                }
                world.pass(3 * A_SECOND).await;
                for id in ["early", "late"] {
                    assert!(world.store.has(&format!("\"{id}\"")), "{id}: {case}");
                }
                for at in 0..2 {
                    assert_eq!(answers(&world, at).await, ALL_KNOWN, "instance {at}: {case}");
                    let status = world.instances[at].status();
                    assert!(status.ready && status.failure.is_none(), "{case}: {status:?}");
                }
                // One that has not read what was lost sees a log that goes on.
                let first = world.instances[0].status().other_histories;
                assert_eq!(first > 0, is_read_before || is_wiped, "{case}");
                let entries = world.store.data().entries().count();
                world.pass(5 * A_SECOND).await;
                assert_eq!(world.store.data().entries().count(), entries, "they are appended once: {case}");
            }
        }
    }
}

/// What is appended again is at the position at which it was before, and an entry that a reader does not know is before it.
#[tokio::test(start_paused = true)]
async fn a_position_of_the_former_log_is_not_taken_for_one_in_the_new_log() {
    let world = World::new(2).await;
    for id in ["a", "b"] {
        assert!(world.instances[0].revoke(id).await);
    }
    world.pass(2 * A_SECOND).await;
    world.instances[1].connection.set_fault(Fault::Cut);
    world.store.restore(Data::default());
    assert!(world.instances[0].revoke("new").await);
    world.pass(3 * A_SECOND).await;
    assert_eq!(world.store.data().entries().count(), 3, "they were appended again");
    world.instances[1].connection.set_fault(Fault::None);
    world.pass(3 * A_SECOND).await;
    for id in ["a", "b", "new"] {
        assert_eq!(world.instances[1].ask(&world.token(id)).await, Answer::Revoked, "{id}");
    }
}

/// Only those that have read it know of it any more.
#[tokio::test(start_paused = true)]
async fn what_a_process_recorded_that_has_ended_stays_revoked_where_it_was_read() {
    let (mut world, dump) = world_with_dump().await;
    world.pass(2 * A_SECOND).await;
    world.instances[0].restart().await;
    world.store.restore(dump);
    world.pass(3 * A_SECOND).await;
    assert_eq!(answers(&world, 1).await, ALL_KNOWN);
    assert!(!world.store.has("\"late\""));
    for at in 0..2 {
        assert_eq!(
            world.instances[at].status().other_histories,
            1,
            "it is said, since it may be lost elsewhere"
        );
    }
}

/// While the log is read again, requests are served by what is known, and no longer than the view may be old.
#[tokio::test(start_paused = true)]
async fn requests_are_served_while_the_log_is_read_again_until_the_view_is_too_old() {
    let (world, dump) = world_with_dump().await;
    world.pass(2 * A_SECOND).await;
    world.store.restore(dump);
    world.instances[1].connection.set_fault(Fault::Silent);
    world.pass(MAX_STALENESS - 2 * A_SECOND).await;
    assert_eq!(answers(&world, 1).await, ALL_KNOWN);
    world.pass(4 * A_SECOND).await;
    assert_eq!(answers(&world, 1).await, [Answer::Unavailable; 3]);
    world.instances[1].connection.set_fault(Fault::None);
    world.pass(2 * A_SECOND).await;
    assert_eq!(answers(&world, 1).await, ALL_KNOWN);
}

/// If the store can't be written, it is tried again.
#[tokio::test(start_paused = true)]
async fn an_append_again_that_fails_is_repeated() {
    let (world, dump) = world_with_dump().await;
    world.pass(2 * A_SECOND).await;
    world.instances[0].connection.set_fault(Fault::Cut);
    world.store.restore(dump);
    world.pass(5 * A_SECOND).await;
    assert!(!world.store.has("\"late\""));
    world.instances[0].connection.set_fault(Fault::None);
    world.pass(3 * A_SECOND).await;
    assert!(world.store.has("\"late\""));
    assert_eq!(answers(&world, 1).await, ALL_KNOWN);
}

/// More than a page, so that a part of it is read while the rest is not.
#[tokio::test(start_paused = true)]
async fn a_long_log_is_read_again_in_pages() {
    let (world, dump) = world_with_dump().await;
    let keep_until = auth_runtime::clock::Clock::now(&world.store_clock) + Duration::from_secs(3600);
    let entry = |number: u64| {
        let revocation = auth_runtime::revocation::Revocation::Session {
            issuer: super::world::ISSUER.to_owned(),
            session_id: number.to_string(),
        };
        auth_runtime::testing::log_entry(revocation, keep_until, number)
    };
    world.store.append_now((0..5500).map(entry).collect());
    world.pass(2 * A_SECOND).await;
    let before = [0, 1].map(|at| world.instances[at].status());
    world.store.restore(dump);
    world.store.append_now((10_000..13_500).map(entry).collect());
    world.pass(3 * A_SECOND).await;
    for (at, before) in before.iter().enumerate() {
        assert_eq!(before.entries, 5502);
        let status = world.instances[at].status();
        assert_eq!((status.entries, status.other_histories), (5502 + 3500, 1), "what it knows is kept");
        assert_eq!(answers(&world, at).await, ALL_KNOWN);
    }
}

/// A start that takes long says how far it is, after each hundred pages of a thousand entries.
#[tokio::test(start_paused = true)]
async fn a_long_start_logs_its_progress() {
    let mut world = World::new(1).await;
    let keep_until = auth_runtime::clock::Clock::now(&world.store_clock) + Duration::from_secs(3600);
    let entry = |number: u64| {
        let revocation = auth_runtime::revocation::Revocation::Session {
            issuer: super::world::ISSUER.to_owned(),
            session_id: number.to_string(),
        };
        auth_runtime::testing::log_entry(revocation, keep_until, number)
    };
    let mut there = 0;
    for (entries, is_long) in [(99_999, false), (200_500, true)] {
        world.store.append_now((there..entries).map(entry).collect());
        there = entries;
        let log = CapturedLog::start(tracing::Level::INFO);
        world.instances[0].restart().await;
        let text = log.take();
        let mut said = text.lines().filter(|line| line.contains("the log of revocations is being read"));
        // The task in the background reads too, so how many lines there are depends on who reads which page.
        let first = said.next();
        assert_eq!(first.is_some(), is_long, "{entries}: {text}");
        assert!(first.is_none_or(|line| line.contains("INFO") && line.contains("entries=100000")), "{text}");
        let status = world.instances[0].status();
        assert_eq!((status.entries as u64, status.ready), (entries, true));
    }
}
