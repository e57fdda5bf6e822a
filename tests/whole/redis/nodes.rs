//! Where the primary is found: by Sentinels, in a Cluster, with TLS.

use auth_runtime::store::{LogCursor, RedisStore, RevocationLog};
use auth_tests_servers::{RedisOptions, RedisServer};

use super::{TIME_LIMIT, append, assert_says, connect, entry, is_known_again, read_all};
use crate::support::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_sentinel_is_asked_again_after_a_failover() {
    let primary = RedisServer::start();
    let replica = RedisOptions::replica_of(primary.port()).start();
    let sentinel = RedisOptions::sentinel(&primary).start();
    let dead = RedisServer::start();
    dead.kill();
    let options = RedisStore::options()
        .time_limit(TIME_LIMIT)
        .wait_for_replicas(1)
        .sentinels("primary", [dead.url(), sentinel.url()]);
    let store = options.clone().connect("redis://primary").await.unwrap();
    until("the replica follows", async || store.append(vec![entry(1)]).await.is_ok()).await;
    let known = sentinel.command(&["SENTINEL", "REPLICAS", "primary"]);
    until("the Sentinel knows the replica", async || {
        known.contains(&replica.port().to_string())
            || sentinel.command(&["SENTINEL", "REPLICAS", "primary"]).contains(&replica.port().to_string())
    })
    .await;
    let (tags, cursor) = read_all(&store).await;

    primary.kill();
    until("the replica has taken over", async || store.read(cursor, 100).await.is_ok()).await;
    assert!(replica.command(&["ROLE"]).starts_with("master"));
    assert_eq!(read_all(&store).await, (tags, cursor));
    // There is no further replica to wait for.
    store.check_writable().await.unwrap_err();
    let alone = options.clone().wait_for_replicas(0).connect("redis://primary").await.unwrap();
    let woken = tokio::spawn(store.wait_for_entries(cursor));
    append(&alone, [2]).await;
    woken.await.unwrap();

    let unknown =
        options.sentinels("another", [sentinel.url()]).connect("redis://primary").await.unwrap_err();
    assert_says(&unknown.to_string(), &sentinel, &["this Sentinel knows no primary of the name \"another\""]);
}

/// All keys are in one slot, on the node that the others name.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn in_a_cluster_the_node_of_the_keys_is_found() {
    let (first, second) = (RedisOptions::cluster_node().start(), RedisOptions::cluster_node().start());
    let bus = second.command(&["CONFIG", "GET", "cluster-port"]);
    let bus = bus.lines().last().unwrap();
    first.command(&["CLUSTER", "MEET", "127.0.0.1", &second.port().to_string(), bus]);
    let refused = RedisStore::connect(&first.url()).await.unwrap_err().to_string();
    assert_says(&refused, &first, &["the Cluster is down, or a part of its slots has no node"]);
    let slot: u16 = first.command(&["CLUSTER", "KEYSLOT", "{auth}:log"]).parse().unwrap();
    for (node, from, to) in [(&first, 0, slot - 1), (&second, slot, 16383)] {
        node.command(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
    }
    for node in [&first, &second] {
        until("the Cluster is up", async || node.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
            .await;
    }

    let store = connect(&first.url()).await;
    append(&store, 1..=3).await;
    store.wait_for_entries(LogCursor::START).await;
    assert_eq!(read_all(&store).await.0, [1, 2, 3]);
    let keys = second.command(&["KEYS", "*"]);
    assert!(keys.contains("{auth}:log") && first.command(&["KEYS", "*"]).is_empty(), "{keys}");

    // The first node of the URLs does not answer.
    first.kill();
    let cursor = read_all(&store).await.1;
    let options = RedisStore::options().time_limit(TIME_LIMIT).other_nodes([second.url()]);
    second.command(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    let store = options.connect(&first.url()).await.unwrap();
    assert!(is_known_again(&store, cursor).await);
}

/// By its certificate, with rustls. Nobody else has chosen a provider for it here.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_server_with_tls_is_verified() {
    let server = RedisOptions::durable().tls().start();
    let options = RedisStore::options().time_limit(TIME_LIMIT).root_certificates(server.certificate());
    let store = options.connect(&server.url()).await.unwrap();
    append(&store, [1]).await;
    store.wait_for_entries(LogCursor::START).await;
    assert_eq!(read_all(&store).await.0, [1]);

    // By the roots of the system, and by those of another server.
    let another = RedisOptions::durable().tls().start();
    for options in [RedisStore::options(), RedisStore::options().root_certificates(another.certificate())] {
        let error = options.time_limit(TIME_LIMIT).connect(&server.url()).await.unwrap_err().to_string();
        assert_says(&error, &server, &["see", "`root_certificates`", "certificate"]);
    }
    let plain = server.url().replace("rediss", "redis");
    assert!(RedisStore::connect(&plain).await.is_err());
}
