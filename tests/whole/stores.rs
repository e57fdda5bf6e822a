//! The contract of a store, for the stores here; that of `examples/custom-store` runs it in its own tests. What the contract can notice is in
//! `faults`.

mod faults;
mod secrets;
mod unreadable;

use auth_runtime::store::{MemoryStore, RedbStore};
use auth_runtime::testing::store_contract;
use auth_tests_servers::{RedisOptions, RedisServer};

use crate::support::redis::open_redis;

store_contract! {
    mod memory: RevocationLog, RefreshTokenStore, ApiKeyStore, AttemptStore, wake_up, shared;
    setup: store = MemoryStore::new();
    open: store.clone()
}
store_contract! {
    mod redb: RevocationLog, RefreshTokenStore, ApiKeyStore, durable;
    setup: dir = tempfile::tempdir().unwrap();
    open: RedbStore::open(dir.path().join("store")).unwrap()
}
store_contract! {
    #[ignore = "needs PostgreSQL: bash tests/run"]
    mod postgres: RevocationLog, RefreshTokenStore, ApiKeyStore, AttemptStore, wake_up, shared, durable;
    setup: schema = crate::support::postgres::new_schema();
    open: crate::support::postgres::open(&schema).await
}
store_contract! {
    #[ignore = "needs PostgreSQL and PgBouncer: bash tests/run"]
    mod postgres_by_pooler: RevocationLog, RefreshTokenStore, ApiKeyStore, AttemptStore, shared, durable;
    setup: schema = crate::support::postgres::new_schema();
    open: crate::support::postgres::open_by_pooler(&schema).await
}
store_contract! {
    #[ignore = "needs redis-server: bash tests/run"]
    mod redis: RevocationLog, RefreshTokenStore, ApiKeyStore, AttemptStore, wake_up, shared, durable;
    setup: server = RedisServer::start();
    open: open_redis(&server).await
}
store_contract! {
    #[ignore = "needs valkey-server: bash tests/run"]
    mod valkey: RevocationLog, RefreshTokenStore, ApiKeyStore, AttemptStore, wake_up, shared, durable;
    setup: server = RedisOptions::durable().valkey().start();
    open: open_redis(&server).await
}
