//! Stores in PostgreSQL, each in a schema of its own of one server.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use auth_runtime::store::PostgresStore;
use auth_tests_servers::{PgBouncer, PostgresServer};
use tokio::runtime::Runtime;

/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A name that no other test of this process has, and that must be quoted.
pub fn new_schema() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("Auth \"{}\" of 'test' $1 \\", COUNT.fetch_add(1, Ordering::SeqCst))
}

/// The store in this schema of the server of this process.
pub async fn open(schema: &str) -> PostgresStore {
    PostgresStore::options()
        .schema(schema)
        .time_limit(PATIENCE)
        .connect(&PostgresServer::shared().url())
        .await
        .unwrap()
}

/// The same by way of a pooler, which gives each transaction another connection.
pub async fn open_by_pooler(schema: &str) -> PostgresStore {
    static POOLER: LazyLock<PgBouncer> = LazyLock::new(|| PgBouncer::start(PostgresServer::shared()));
    PostgresStore::options()
        .schema(schema)
        .transaction_pooler()
        .time_limit(PATIENCE)
        .connect(&POOLER.url())
        .await
        .unwrap()
}

/// The same for a function that can't wait.
pub fn open_blocking(schema: &str) -> PostgresStore {
    // A store works in the runtime in which it was connected, so that one stays.
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    std::thread::scope(|scope| scope.spawn(|| RUNTIME.block_on(open(schema))).join().unwrap())
}
