//! What happens to the store, while clients log in and out. None of these but `OlderData` and `Failover` loses data.

use super::books::{Books, Counts};
use super::data;
use super::load::Load;
use super::world::{Server, World};
use crate::postgres::Admin;

const HOUR: i64 = 60 * 60;

/// How many answers show that something is as it must be.
const SOME: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Killed,
    Restarted,
    /// For less than `max_staleness`.
    HangsShortly,
    HangsLong,
    /// Nothing comes through, for longer than `max_staleness`.
    SilentForOne,
    ClosedForOne,
    Full,
    ReadOnly,
    ClockAhead,
    ClockBehind,
    OlderData,
    Failover,
}

impl Fault {
    /// By how much the clock of the second instance is ahead, in seconds.
    pub(super) fn clock_ahead(self) -> i64 {
        match self {
            Self::ClockAhead => HOUR,
            Self::ClockBehind => -HOUR,
            _ => 0,
        }
    }

    pub(super) fn loses_data(self) -> bool {
        matches!(self, Self::OlderData | Self::Failover)
    }

    pub(super) async fn happen(self, world: &World, load: &Load) {
        match self {
            Self::Killed | Self::ClockAhead | Self::ClockBehind => {
                world.server.kill();
                load.until_more(Counts { not_written: [1, 1], ..Counts::default() }).await;
                world.server.start_again();
            }
            Self::Restarted => {
                world.server.shut_down();
                load.until_more(Counts { not_written: [1, 1], ..Counts::default() }).await;
                world.server.start_again();
            }
            Self::HangsShortly => {
                world.server.stop();
                until_reads_go_on(load, 2).await;
                world.server.cont();
            }
            Self::HangsLong => {
                world.server.stop();
                until_dark(load, &[0, 1]).await;
                world.server.cont();
            }
            Self::SilentForOne => {
                world.networks[1].silence();
                // What was under way has come through by then.
                load.until_more(Counts { not_written: [0, 1], ..Counts::default() }).await;
                until_dark(load, &[1]).await;
                world.networks[1].lead_to(world.server.port());
            }
            Self::ClosedForOne => {
                world.networks[1].cut();
                let more = Counts { acknowledged: [SOME, 0], served: [SOME; 2], not_written: [0, 2] };
                load.until_more(more).await;
                world.networks[1].lead_to(world.server.port());
            }
            Self::Full => full(world, load).await,
            Self::ReadOnly => read_only(world, load).await,
            Self::OlderData => data::older(world, load).await,
            Self::Failover => data::failover(world, load).await,
        }
    }

    /// The clock that is wrong is reported, by its instance alone.
    pub(super) async fn check_clocks(self, world: &World) {
        for (instance, clock_ahead) in world.instances.iter().zip([0, self.clock_ahead()]) {
            let store_ahead = instance.status().await.store_ahead_ms.unwrap();
            let off = (store_ahead + clock_ahead * 1000).abs();
            assert!(off < 5000, "{store_ahead} ms, where this clock is ahead by {clock_ahead} s");
            let is_logged = instance.log().contains("the clocks of this machine and of the store differ");
            assert_eq!(is_logged, clock_ahead != 0);
        }
    }
}

/// Waits until each of these has answered that it can't know, which it can't be asked before `max_staleness`. The others go on.
async fn until_dark(load: &Load, instances: &[usize]) {
    load.write(|books| instances.iter().for_each(|instance| books.begin_dark(*instance)));
    let before = load.read(|books| books.counts.acknowledged);
    load.until("the view is too old", |books| {
        (0..before.len()).all(|instance| match instances.contains(&instance) {
            true => books.dark_answers[instance] >= SOME,
            false => books.counts.acknowledged[instance] >= before[instance] + SOME,
        })
    })
    .await;
    load.write(Books::end_dark);
}

/// Nothing more can be written. Reads go on.
async fn full(world: &World, load: &Load) {
    match &world.server {
        Server::Postgres(server) => {
            let mut admin = Admin::of(server).await;
            // As the server says it, when it can't extend a file.
            admin
                .run(
                    "CREATE FUNCTION auth.fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                         RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
                     END $$;
                     CREATE TRIGGER fill BEFORE UPDATE ON auth.log_counter EXECUTE FUNCTION auth.fill();
                     CREATE TRIGGER fill BEFORE INSERT ON auth.refresh_families EXECUTE FUNCTION auth.fill()",
                )
                .await;
            until_reads_go_on(load, SOME).await;
            admin.run("DROP FUNCTION auth.fill() CASCADE").await;
        }
        Server::Redis(server) => {
            server.command(&["CONFIG", "SET", "maxmemory", "1"]);
            until_reads_go_on(load, SOME).await;
            server.command(&["CONFIG", "SET", "maxmemory", "0"]);
        }
    }
}

/// Waits until each instance has served requests, and could not write so often.
async fn until_reads_go_on(load: &Load, not_written: usize) {
    let more = Counts { served: [SOME; 2], not_written: [not_written; 2], ..Counts::default() };
    load.until_more(more).await;
}

/// Nothing can be written. The library does not read a replica of Redis, so its view grows old.
async fn read_only(world: &World, load: &Load) {
    match &world.server {
        Server::Postgres(server) => {
            let mut admin = Admin::of(server).await;
            for value in ["on", "off"] {
                admin.run("SET default_transaction_read_only = off").await;
                admin.run(format!("ALTER SYSTEM SET default_transaction_read_only = {value}")).await;
                admin.run("SELECT pg_reload_conf()").await;
                if value == "on" {
                    until_reads_go_on(load, SOME).await;
                }
            }
        }
        Server::Redis(server) => {
            server.command(&["REPLICAOF", "127.0.0.1", "1"]);
            load.until_more(Counts { not_written: [SOME; 2], ..Counts::default() }).await;
            server.command(&["REPLICAOF", "NO", "ONE"]);
        }
    }
}
