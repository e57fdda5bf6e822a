//! A store in Redis or Valkey, which the instances of a service share.
//!
//! | file | what |
//! |---|---|
//! | `options` | how it is connected to |
//! | `target` | where the primary is looked for |
//! | `server` | what is checked of each new connection |
//! | `link` | the connection that calls share, which is made again after it failed |
//! | `request` | a command or a script, and what it waits for |
//! | `appends` | the queue of appends: one call for all that wait |
//! | `waiter` | wake-ups, on a connection of their own |
//! | `log`, `families`, `api_keys`, `attempts` | the traits |
//! | `keys`, `index` | the names of the keys, and what rows are found by |
//! | `scripts/` | what must be atomic, in Lua |
//! | `failure` | why a call failed, and what to do |
//! | `time_limit` | limits on how long something takes |

#[cfg(feature = "api-keys")]
mod api_keys;
mod appends;
#[cfg(feature = "token-routes")]
mod attempts;
mod failure;
mod families;
mod index;
mod keys;
mod link;
mod log;
mod options;
mod request;
mod server;
mod target;
mod time_limit;
mod waiter;

use std::fmt;
use std::sync::Arc;

use ::redis::FromRedisValue;
use tokio::runtime::Handle;

use self::appends::Appends;
use self::failure::Failure;
use self::keys::Keys;
use self::link::Link;
pub use self::options::RedisStoreOptions;
use self::request::{Replicas, Request};
use self::server::FORMAT;
use self::target::Target;
use self::time_limit::within;
use self::waiter::Waiter;
use super::StoreError;

/// The maximum number of expired rows that one call deletes. The server does nothing else meanwhile: about 10 milliseconds.
const BATCH: usize = 1000;

/// A store in Redis 7.0 or newer, or in Valkey, which the instances of a service share: the log of revocations, the sessions, API keys, and
/// login attempts. Clones share its connections.
///
/// ```no_run
/// # async fn connect() -> Result<(), auth_runtime::store::StoreError> {
/// use auth_runtime::store::RedisStore;
///
/// let store = RedisStore::connect("rediss://shop:a-password@redis.internal").await?;
/// # Ok(())
/// # }
/// ```
///
/// **What must be kept is kept as well as the server keeps it.** Set `appendonly yes`, `appendfsync always` (with `everysec`, a crash of
/// the server or of its machine loses up to two seconds), and `maxmemory-policy noeviction`, without which the store refuses to connect. A replica that takes over can lack
/// the last writes; [`wait_for_replicas`](RedisStoreOptions::wait_for_replicas) prevents that, and `min-replicas-to-write 1` prevents that a
/// primary goes on that was cut off: then the store does not read it either. Where the server has lost data all the same, the instances find it
/// out, and record again what they recorded before; sessions, API keys and counted attempts that it lost stay lost.
///
/// **Where it connects to.** One server; the primary that Sentinels name ([`sentinels`](RedisStoreOptions::sentinels)); or a Cluster, in which
/// all keys of the store are on one node, because they have one hash tag: the store follows it. A replica is never used. After a failure the
/// store looks for the primary again, at once and then with pauses of up to a second. A call takes at most 3 seconds
/// ([`time_limit`](RedisStoreOptions::time_limit)).
///
/// **What it needs of the server.** Each instance has two connections, three with `wait_for_replicas`; of these one waits in a blocking read for
/// revocations of the others. A user of the server needs the keys `~{auth}:*` ([`key_prefix`](RedisStoreOptions::key_prefix)) and the commands
/// `+@hash +@sortedset +@stream +@scripting +multi +exec +get +set +info +time +wait +config|get`; `config|get` is for a warning, and may be missing.
///
/// The store is used within a tokio runtime. Its connections belong to the runtime that it first used them on, and are made again on another
/// if that one ends.
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    target: Arc<Target>,
    keys: Arc<Keys>,
    link: Link,
    /// Where replicas are waited for, on a connection of their own: nothing else is answered on it meanwhile.
    writing: Option<Link>,
    waiter: Waiter,
    appends: Appends,
}

impl RedisStore {
    /// Connects to the primary: `redis://host:port` (default port 6379), with TLS `rediss://host:port`, with a user, a password and a database
    /// `redis://user:password@host:port/0`, or a socket `redis+unix:///path`. `valkey` is the same as `redis`.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be reached, is not a primary, is older than Redis 7.0, evicts keys, or has the data of a newer version of
    /// this library.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::options().connect(url).await
    }

    /// Returns the options of [`RedisStore::connect`], to be changed.
    pub fn options() -> RedisStoreOptions {
        RedisStoreOptions::default()
    }

    async fn with(url: &str, options: &RedisStoreOptions) -> Result<Self, StoreError> {
        let prefix = &options.key_prefix;
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err(StoreError::new(format!(
                "the key prefix {prefix:?} of the store in Redis can't be used: pass one that is not empty and has no braces to \
                 `RedisStoreOptions::key_prefix`"
            )));
        }
        if Handle::try_current().is_err() {
            return Err(StoreError::new(
                "the store in Redis was connected to outside of a tokio runtime: call `connect` from a task of one",
            ));
        }
        let keys = Arc::new(Keys::new(prefix));
        let target = Arc::new(Target::new(url, options, &keys.state)?);
        let limit = options.time_limit;
        let connected = within(limit, target.connect()).await;
        let connected = connected.unwrap_or_else(|| Err(Failure::TimeLimit(limit).describe(&target)))?;
        for warning in &connected.warnings {
            tracing::warn!(address = connected.address, "auth: of the store in Redis, {warning}");
        }
        let link = Link::new(Arc::clone(&target), None);
        link.set(connected);
        let writing = (options.wait_for_replicas > 0).then(|| {
            let milliseconds = u64::try_from((limit / 2).as_millis()).unwrap_or(u64::MAX).max(1);
            let replicas = Replicas { required: options.wait_for_replicas, milliseconds };
            Link::new(Arc::clone(&target), Some(replicas))
        });
        let waiter = Waiter::new(Arc::clone(&target), Arc::clone(&keys));
        Ok(Self {
            inner: Arc::new(Inner { target, keys, link, writing, waiter, appends: Appends::default() }),
        })
    }

    fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    fn target(&self) -> &Target {
        &self.inner.target
    }

    fn waiter(&self) -> &Waiter {
        &self.inner.waiter
    }

    /// Sends a request that changes nothing, or nothing that a replica must have.
    async fn call<T: FromRedisValue>(&self, request: &Request) -> Result<T, StoreError> {
        self.inner.link.call(request).await
    }

    /// Sends a request that changes what must not be lost, and waits for the replicas.
    async fn call_to_write<T: FromRedisValue>(&self, request: &Request) -> Result<T, StoreError> {
        self.writing().call(request).await
    }

    /// The connection of what must not be lost.
    fn writing(&self) -> &Link {
        self.inner.writing.as_ref().unwrap_or(&self.inner.link)
    }

    fn unreadable(&self, row: &str, error: &dyn fmt::Display) -> StoreError {
        let why = format!(
            "the row of {row} can't be read ({error}): a newer version of the program may have written it"
        );
        Failure::Unusable(why).describe(self.target())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("at", &format_args!("{}", self.inner.target))
            .field("state", &self.inner.keys.state)
            .finish_non_exhaustive()
    }
}
