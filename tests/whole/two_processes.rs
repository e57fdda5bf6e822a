//! Two processes of one service under load, and a store that fails: the promise of `promise`, with a real store.
//!
//! | file | what |
//! |---|---|
//! | `faults` | what happens to the store |
//! | `data` | the same, where the store loses data |
//! | `load` | clients, which log in and out |
//! | `books` | what was acknowledged, and whether an answer breaks the promise |
//! | `process` | an instance in a process of its own |
//! | `world` | the store, its networks, and the instances |
//!
//! With `--nocapture` each test prints its figures.

mod books;
mod data;
mod faults;
mod load;
mod process;
mod world;

use std::time::Instant;

use self::faults::Fault;
use self::load::Load;
use self::world::{Kind, World};

/// A test for each fault, which is named by what happens to the store.
macro_rules! tests {
    (mod $store:ident, $kind:expr, $needs:literal: $($name:ident => $fault:ident,)*) => {
        mod $store {
            use super::{Fault, Kind, run};

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = $needs]
                async fn $name() {
                    run(concat!(stringify!($store), ", ", stringify!($name)), $kind, Fault::$fault).await;
                }
            )*
        }
    };
}

/// The faults of every store. `$older_data` is how this one comes to have older data.
macro_rules! faults {
    (mod $store:ident, $kind:expr, $needs:literal, $older_data:ident) => {
        tests! { mod $store, $kind, $needs:
            the_server_is_killed => Killed,
            the_server_is_shut_down_and_started_again => Restarted,
            the_server_hangs_for_a_moment => HangsShortly,
            the_server_hangs_for_longer_than_max_staleness => HangsLong,
            the_network_of_one_process_is_silent => SilentForOne,
            the_connections_of_one_process_are_closed => ClosedForOne,
            the_server_is_full => Full,
            the_server_is_read_only => ReadOnly,
            the_clock_of_one_process_is_an_hour_ahead => ClockAhead,
            the_clock_of_one_process_is_an_hour_behind => ClockBehind,
            $older_data => OlderData,
            a_replica_takes_over_that_lacks_the_last_writes => Failover,
        }
    };
}

faults! { mod postgres, Kind::Postgres, "needs PostgreSQL: bash tests/run", an_older_dump_is_restored_and_written_on }
faults! { mod redis, Kind::Redis, "needs redis-server: bash tests/run", the_server_loses_its_data }

async fn run(name: &str, kind: Kind, fault: Fault) {
    let world = World::start(kind, fault.clock_ahead()).await;
    let load = Load::start(&world, fault.loses_data());
    load.until_acknowledged_by_each(5).await;
    fault.happen(&world, &load).await;
    let over = Instant::now();
    if fault.loses_data() {
        world.until_another_history().await;
        load.data_was_lost_until(Instant::now());
    }
    load.until_acknowledged_by_each(5).await;
    world.until_ready().await;
    let recovery = over.elapsed();
    let books = load.end(&world).await;

    books.check_promise();
    world.check_what_was_said(fault.loses_data()).await;
    fault.check_clocks(&world).await;
    world.check_again(&books).await;
    books.print(name, recovery);
}
