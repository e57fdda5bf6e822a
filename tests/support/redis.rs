//! Stores in Redis.

use std::time::Duration;

use auth_runtime::store::RedisStore;
use auth_tests_servers::RedisServer;

/// The store in this server. It waits long enough for a machine that does much else.
pub async fn open_redis(server: &RedisServer) -> RedisStore {
    RedisStore::options().time_limit(Duration::from_secs(30)).connect(&server.url()).await.unwrap()
}

/// The same for a function that can't wait: it is connected to on a runtime that ends at once, so the store connects again.
pub fn open_redis_blocking(server: &RedisServer) -> RedisStore {
    let connect = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(open_redis(server))
    };
    std::thread::scope(|scope| scope.spawn(connect).join().unwrap())
}
