//! Database servers of a bench, the stores in them, and a log of a million entries.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use auth_runtime::store::{
    LogEntry, PostgresStore, RedisStore, RefreshTokenFamily, RefreshTokenStore as _, Revocation,
    RevocationLog,
};
use auth_runtime::testing::log_entry;
use auth_tests_servers::{PostgresServer, RedisServer};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::task::JoinSet;

/// The issuer of all tokens.
pub const ISSUER: &str = "https://shop.example";

/// The namespace of what is filled with entries.
pub const FULL: &str = "full";

/// How many entries the view holds.
pub const ENTRIES: u64 = 1_000_000;

/// How many of them an append has.
const AT_ONCE: u64 = 1_000;

/// How many appends wait at the same time.
const APPENDS: u64 = 4;

/// A user of the server in Redis who may not wait for entries, and nothing else that the library does.
const UNWOKEN: &str = "unwoken";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Redis,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Redis];

    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }

    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A store of one service.
#[derive(Clone, Debug)]
pub struct Place {
    pub kind: Kind,
    pub url: String,
    /// The schema, or the prefix of the keys.
    pub namespace: String,
    /// Whether the instance is woken up when another one has appended.
    pub is_woken: bool,
}

/// A store that is connected.
#[derive(Clone, Debug)]
pub enum StoreHandle {
    Postgres(PostgresStore),
    Redis(RedisStore),
}

impl Place {
    pub async fn connect(&self) -> StoreHandle {
        match self.kind {
            Kind::Postgres => {
                let options = PostgresStore::options().schema(&self.namespace);
                // It is for poolers, which pass on no notifications.
                let options = if self.is_woken { options } else { options.transaction_pooler() };
                StoreHandle::Postgres(options.connect(&self.url).await.expect("a store"))
            }
            // Whether it is woken is up to the user in the URL.
            Kind::Redis => {
                let options = RedisStore::options().key_prefix(&self.namespace);
                StoreHandle::Redis(options.connect(&self.url).await.expect("a store"))
            }
        }
    }
}

impl StoreHandle {
    pub fn log(&self) -> Arc<dyn RevocationLog> {
        match self {
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Redis(store) => Arc::new(store.clone()),
        }
    }

    pub async fn append(&self, entries: Vec<LogEntry>) {
        let appended = match self {
            Self::Postgres(store) => store.append(entries).await,
            Self::Redis(store) => store.append(entries).await,
        };
        appended.expect("entries are appended");
    }

    pub async fn insert(&self, family: RefreshTokenFamily) {
        let inserted = match self {
            Self::Postgres(store) => store.insert(family).await,
            Self::Redis(store) => store.insert(family).await,
        };
        inserted.expect("a session is inserted");
    }

    pub async fn replace(&self, expected: u64, family: RefreshTokenFamily) -> bool {
        let replaced = match self {
            Self::Postgres(store) => store.replace(expected, family).await,
            Self::Redis(store) => store.replace(expected, family).await,
        };
        replaced.expect("a session is replaced")
    }
}

/// A database server of this bench.
#[derive(Debug)]
pub enum Server {
    Postgres(PostgresServer),
    Redis(RedisServer),
}

impl Server {
    /// Starts one, whose writes are on the disk before they are acknowledged.
    pub async fn start(kind: Kind) -> Self {
        match kind {
            Kind::Postgres => {
                let server = PostgresServer::start();
                let pool = pool(&server.url()).await;
                // The memory is what PostgreSQL has by default: the servers of the tests have less.
                for setting in ["shared_preload_libraries = 'pg_stat_statements'", "shared_buffers = '128MB'"]
                {
                    let set = format!("ALTER SYSTEM SET {setting}");
                    pool.execute(AssertSqlSafe(set)).await.expect("a setting");
                }
                pool.close().await;
                server.restart();
                Self::Postgres(server)
            }
            Kind::Redis => {
                assert!(is_installed("redis-server") && is_installed("redis-cli"), "{NOT_INSTALLED}");
                let server = RedisServer::start();
                let rights = ["+@all", "-xread", "-xrevrange"];
                server.command(&[&["ACL", "SETUSER", UNWOKEN, "on", ">unwoken", "~*"], &rights[..]].concat());
                Self::Redis(server)
            }
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Postgres(_) => Kind::Postgres,
            Self::Redis(_) => Kind::Redis,
        }
    }

    pub fn place(&self, namespace: &str, is_woken: bool) -> Place {
        let url = match self {
            Self::Postgres(server) => server.url(),
            Self::Redis(server) if is_woken => server.url(),
            Self::Redis(server) => format!("redis://{UNWOKEN}:unwoken@127.0.0.1:{}", server.port()),
        };
        Place { kind: self.kind(), url, namespace: namespace.to_owned(), is_woken }
    }

    /// Waits until what was filled is where the server keeps it: vacuum and checkpoint of PostgreSQL, and the rewriting of a file that has
    /// grown, take the disk for as long.
    pub async fn settle(&self) {
        match self {
            Self::Postgres(server) => {
                let pool = pool(&server.url()).await;
                // Otherwise the first to read a row writes that its transaction was committed.
                for statement in ["VACUUM", "CHECKPOINT"] {
                    pool.execute(statement).await.expect("it is done");
                }
            }
            Self::Redis(server) => {
                while !server.command(&["INFO", "persistence"]).contains("aof_rewrite_in_progress:0") {
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    /// The version of the program.
    pub async fn version(&self) -> String {
        match self {
            Self::Postgres(server) => {
                let pool = pool(&server.url()).await;
                let version: String =
                    sqlx::query_scalar("SHOW server_version").fetch_one(&pool).await.expect("a version");
                format!("PostgreSQL {version}")
            }
            Self::Redis(server) => {
                let info = server.command(&["INFO", "server"]);
                let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
                format!("Redis {}", version.unwrap_or_default())
            }
        }
    }

    /// Deletes the last entry of a log, as a server does that lost its last write. Readers that have read it find another history.
    pub async fn lose_last_entry(&self, namespace: &str) {
        match self {
            Self::Postgres(server) => {
                let log = format!("\"{namespace}\".log");
                let delete = format!("DELETE FROM {log} WHERE sequence = (SELECT max(sequence) FROM {log})");
                let pool = pool(&server.url()).await;
                let done = pool.execute(AssertSqlSafe(delete)).await.expect("an entry is deleted");
                assert_eq!(done.rows_affected(), 1);
            }
            Self::Redis(server) => {
                let log = format!("{{{namespace}}}:log");
                let last = server.command(&["XREVRANGE", &log, "+", "-", "COUNT", "1"]);
                let id = last.lines().next().unwrap_or_default();
                assert_eq!(server.command(&["XDEL", &log, id]), "1", "{last}");
            }
        }
    }
}

const NOT_INSTALLED: &str =
    "this needs `redis-server` and `redis-cli`, which are not installed: `bash tests/run` installs them";

fn is_installed(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Two connections, for what the bench itself asks the server.
pub async fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(2).connect(url).await.expect("the server answers")
}

/// Appends a million entries, of tokens, sessions and users in turn.
pub async fn fill(store: Arc<dyn RevocationLog>) {
    let mut appends = JoinSet::new();
    for first in 0..APPENDS {
        let store = Arc::clone(&store);
        appends.spawn(async move {
            for batch in (first..ENTRIES / AT_ONCE).step_by(APPENDS as usize) {
                let entries = (batch * AT_ONCE..(batch + 1) * AT_ONCE).map(entry).collect();
                store.append(entries).await.expect("entries are appended");
            }
        });
    }
    appends.join_all().await;
}

/// An entry of another user than those of the bench, which is kept for a day. Each has a tag of its own.
pub fn entry(number: u64) -> LogEntry {
    static TAGS: AtomicU64 = AtomicU64::new(1);
    let (issuer, id) = (ISSUER.to_owned(), format!("{:022}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    let now = SystemTime::now();
    let revocation = match number % 3 {
        0 => Revocation::Token { issuer, token_id: id },
        1 => Revocation::Session { issuer, session_id: id },
        _ => Revocation::User { issuer, subject: id, issued_at_or_before: now },
    };
    let tag = TAGS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    log_entry(revocation, now + Duration::from_secs(24 * 60 * 60), tag)
}
