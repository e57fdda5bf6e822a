//! A store that comes back without its last data, while both instances live. What it has lost was acknowledged by both.

use auth_tests_servers::{PostgresServer, Proxy, RedisOptions, RedisServer};
use sqlx::Row as _;
use tokio::task::block_in_place;

use super::load::Load;
use super::world::{Server, World};
use crate::postgres::Admin;
use crate::support::until;

/// How many logouts each instance has acknowledged that the store loses.
const LOST: usize = 5;

/// PostgreSQL is restored from an older dump and written on past the cursor of an instance that is cut off meanwhile. Redis starts again
/// without its data.
pub(super) async fn older(world: &World, load: &Load) {
    match &world.server {
        Server::Postgres(server) => restore(world, server, load).await,
        Server::Redis(server) => {
            block_in_place(|| {
                server.kill();
                server.delete_data();
                server.start_again();
            });
        }
    }
}

async fn restore(world: &World, server: &PostgresServer, load: &Load) {
    let dump = block_in_place(|| server.dump("auth"));
    let dump: String =
        dump.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect();
    load.until_acknowledged_by_each(LOST).await;
    world.networks.iter().for_each(Proxy::cut);
    let [first, second] = &*world.instances;
    let cursor = second.status().await.cursor;
    Admin::of(server).await.run(format!("DROP SCHEMA auth CASCADE; {dump}")).await;
    world.networks[0].lead_to(server.port());
    until("it is written on", async || first.status().await.cursor > cursor).await;
    world.networks[1].lead_to(server.port());
}

/// A replica takes over that was cut off from the primary before.
pub(super) async fn failover(world: &World, load: &Load) {
    let successor = match &world.server {
        Server::Postgres(server) => Server::Postgres(fail_over_postgres(server, load).await),
        Server::Redis(server) => Server::Redis(fail_over_redis(server, load).await),
    };
    world.networks.iter().for_each(|network| network.lead_to(successor.port()));
    world.successor.set(successor).unwrap();
}

async fn fail_over_postgres(primary: &PostgresServer, load: &Load) -> PostgresServer {
    let replica = block_in_place(|| primary.replica());
    let mut of_replica = Admin::of(&replica).await;
    let position = Admin::of(primary).await.run("SELECT pg_current_wal_lsn()::text").await;
    let position: String = position[0].get(0);
    of_replica.until(&format!("SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn")).await;
    of_replica.run("ALTER SYSTEM SET primary_conninfo = ''").await;
    of_replica.run("SELECT pg_reload_conf()").await;
    of_replica.until("SELECT count(*) = 0 FROM pg_stat_wal_receiver").await;
    load.until_acknowledged_by_each(LOST).await;
    block_in_place(|| {
        primary.kill();
        replica.promote();
    });
    replica
}

async fn fail_over_redis(primary: &RedisServer, load: &Load) -> RedisServer {
    let replication = Proxy::start(primary.port()).await;
    let replica = block_in_place(|| RedisOptions::replica_of(replication.port()).start());
    let entries = || replica.command(&["XLEN", "{auth}:log"]).parse().unwrap_or(0);
    until("the replica follows", async || block_in_place(|| entries() > 0)).await;
    replication.silence();
    load.until_acknowledged_by_each(LOST).await;
    block_in_place(|| {
        primary.kill();
        replica.command(&["REPLICAOF", "NO", "ONE"]);
    });
    replica
}
