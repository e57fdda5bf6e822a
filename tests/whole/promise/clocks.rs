//! Clocks that differ: of two instances, and of their store.

use std::time::Duration;

use auth_runtime::revocation::Revocation;

use super::store::Fault;
use super::world::{Answer, ISSUER, MAX_STALENESS, World};

const HOUR: i64 = 3600;

/// What lies before the earlier clock is dropped.
#[tokio::test(start_paused = true)]
async fn an_instance_that_is_ahead_deletes_nothing_that_the_others_need() {
    for (ahead, store_ahead) in [(26 * HOUR, 0), (0, 26 * HOUR), (0, 0)] {
        let world = World::new(2).await;
        assert!(world.instances[0].revoke("t").await);
        world.pass(Duration::from_secs(2)).await;
        world.instances[1].clock.set_ahead(ahead);
        world.store_clock.set_ahead(store_ahead);
        world.pass(Duration::from_secs(5)).await;
        assert!(world.store.has("\"t\""), "{ahead} and {store_ahead}");
        assert_eq!(world.instances[0].ask(&world.token("t")).await, Answer::Revoked);
        for (at, ahead) in [(0, 0), (1, ahead)] {
            let shown = world.instances[at].status().store_ahead_ms.unwrap();
            assert!(shown.abs_diff((store_ahead - ahead) * 1000) < 1000, "instance {at}: {shown}");
        }
    }
}

/// Tokens are issued by clocks that are right: a logout by an instance that is behind concerns them too.
#[tokio::test(start_paused = true)]
async fn a_logout_by_an_instance_that_is_behind_counts_up_to_the_store_s_time() {
    let world = World::new(2).await;
    world.instances[0].clock.set_ahead(-3 * HOUR);
    world.pass(Duration::from_secs(2)).await;
    // By its clock, the token was issued an hour from now.
    let now = auth_runtime::clock::Clock::now(&world.instances[0].clock);
    let user = Revocation::User {
        issuer: ISSUER.to_owned(),
        subject: "user-t".to_owned(),
        issued_at_or_before: now,
    };
    world.instances[0].try_revoke(user).await.unwrap().unwrap();
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.instances[1].ask(&world.token("t")).await, Answer::Revoked);
    assert_eq!(world.instances[1].ask(&world.token("other")).await, Answer::Accepted);
}

/// A view is as old as the clock says that shows more; setting a clock back makes none young.
#[tokio::test(start_paused = true)]
async fn a_step_of_the_clock_makes_no_view_young() {
    for step in [0, -HOUR, -20, -5] {
        let world = World::new(1).await;
        let token = world.token("t");
        world.instances[0].connection.set_fault(Fault::Cut);
        world.pass(MAX_STALENESS - Duration::from_millis(1250)).await;
        assert_eq!(world.instances[0].ask(&token).await, Answer::Accepted, "{step}");
        world.instances[0].clock.set_ahead(step);
        world.pass(Duration::from_millis(1500)).await;
        assert_eq!(world.instances[0].ask(&token).await, Answer::Unavailable, "{step}");
        let age = world.instances[0].status().age.unwrap();
        assert!(age > MAX_STALENESS && age < MAX_STALENESS + Duration::from_secs(2), "{step}: {age:?}");
    }
}

/// To the millisecond, and not in whole seconds.
#[tokio::test(start_paused = true)]
async fn a_view_is_too_old_a_moment_after_its_time() {
    let world = World::new(1).await;
    let token = world.token("t");
    world.instances[0].connection.set_fault(Fault::Cut);
    let confirmed = world.instances[0].status().age.unwrap();
    world.pass(MAX_STALENESS - confirmed).await;
    assert_eq!(world.instances[0].ask(&token).await, Answer::Accepted);
    world.pass(Duration::from_millis(1)).await;
    assert_eq!(world.instances[0].ask(&token).await, Answer::Unavailable);
}
