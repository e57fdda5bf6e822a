//! Logouts and refreshes a second, beside the same rows that are written by hand: over as many connections, and as durable.
//!
//! A logout is one entry of the log: `INSERT`, `XADD`. A refresh is one row that is replaced if it has the version that is expected:
//! `UPDATE .. WHERE version`, and a script, since Redis has no command for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_runtime::store::{RefreshTokenFamily, StoredSessionData};
use benches::rounds::percentiles;
use redis::aio::MultiplexedConnection;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::task::JoinSet;

use crate::goals::Goals;
use benches::servers::{ISSUER, Server, StoreHandle, entry};

/// The namespace of the library.
const NAMESPACE: &str = "operations";

/// How many work at the same time.
const AT_ONCE: [usize; 3] = [1, 16, 64];

const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(250);

/// As many connections as a store with a URL has.
const CONNECTIONS: u32 = 10;

/// What the library reaches, of what is written by hand, where several work at the same time.
const LEAST: f64 = 0.7;

/// The tables of the library, with a sequence that numbers as rows are inserted.
const TABLES: &str = r#"
CREATE SCHEMA by_hand;
CREATE TABLE by_hand.log (
    sequence bigserial PRIMARY KEY, tag bigint NOT NULL, keep_until bigint NOT NULL, bytes bytea NOT NULL
);
CREATE INDEX ON by_hand.log (keep_until);
CREATE TABLE by_hand.families (LIKE "operations".refresh_families INCLUDING ALL);
"#;

/// Compares the version of a row, and sets the row.
const REPLACE: &str = "\
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row or string.match(row, '^%d+') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Logout,
    Refresh,
}

/// Who writes.
#[derive(Debug)]
enum Writer {
    Library(StoreHandle),
    /// In a transaction that says that it is durable, as the library does, or in a statement that relies on the server's default.
    Postgres {
        pool: PgPool,
        says_durable: bool,
    },
    Redis {
        connection: MultiplexedConnection,
        replace: String,
    },
}

/// One of those that work at the same time, and its session.
#[derive(Debug)]
struct Worker {
    family: RefreshTokenFamily,
    logouts: u64,
}

/// Measures both operations.
pub async fn measure(server: &Server, goals: &mut Goals) {
    let place = server.place(NAMESPACE, true);
    let library = Arc::new(Writer::Library(place.connect().await));
    for (suffix, by_hand) in writers_by_hand(server, &place.url).await {
        let by_hand = Arc::new(by_hand);
        for operation in [Operation::Logout, Operation::Refresh] {
            for at_once in AT_ONCE {
                let name = format!("{} {}{suffix}", server.kind().name(), operation.name());
                let ratio = compare(&name, [&library, &by_hand], operation, at_once).await;
                let is_goal = at_once > 1 && suffix.is_empty();
                goals.expect(!is_goal || ratio >= LEAST, || {
                    format!("{name}, {at_once} at once: {ratio:.2} of what is written by hand, and {LEAST} is the goal")
                });
            }
        }
    }
}

/// Has the library and another writer take turns, and returns the median of the rounds' ratios.
async fn compare(name: &str, writers: [&Arc<Writer>; 2], operation: Operation, at_once: usize) -> f64 {
    let mut sides = writers.map(|writer| (writer, Vec::new(), Vec::new()));
    for (writer, workers, _) in &mut sides {
        for _ in 0..at_once {
            workers.push(Worker::insert(writer, operation).await);
        }
    }
    for _ in 0..=ROUNDS {
        for (writer, workers, rates) in &mut sides {
            let (rate, back) = rate(writer, operation, std::mem::take(workers)).await;
            *workers = back;
            rates.push(rate);
        }
    }
    // The first round prepares statements and loads scripts.
    let [this, hand] = sides.map(|(_, _, rates)| rates[1..].to_vec());
    let ratios: Vec<f64> = this.iter().zip(&hand).map(|(this, hand)| this / hand).collect();
    let ([_, this, _], [_, hand, _], [low, ratio, high]) =
        (percentiles(this), percentiles(hand), percentiles(ratios));
    let ratios = format!("{ratio:.2} [{low:.2} to {high:.2}]");
    println!("{name:<32}{at_once:>8}{hand:>14.0}{this:>14.0}{ratios:>24}");
    ratio
}

/// The names of the columns of [`measure`].
pub fn header() -> String {
    format!("{:<32}{:>8}{:>14}{:>14}{:>24}", "", "at once", "by hand [1/s]", "this [1/s]", "this / by hand")
}

/// How the rounds are made.
pub fn explanation() -> String {
    format!(
        "{ROUNDS} rounds of {} ms each, taking turns; median [10th to 90th percentile]",
        ROUND.as_millis()
    )
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Refresh => "refresh",
        }
    }
}

/// What is written by hand, and how its name differs.
async fn writers_by_hand(server: &Server, url: &str) -> Vec<(&'static str, Writer)> {
    match server {
        Server::Postgres(_) => {
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await;
            let pool = pool.expect("the server answers");
            pool.execute(AssertSqlSafe(TABLES)).await.expect("tables");
            let of = |says_durable| Writer::Postgres { pool: pool.clone(), says_durable };
            vec![("", of(true)), (", one statement", of(false))]
        }
        Server::Redis(_) => {
            let client = redis::Client::open(url).expect("a URL");
            let mut connection = client.get_multiplexed_async_connection().await.expect("the server answers");
            let mut load = redis::cmd("SCRIPT");
            let replace = load.arg("LOAD").arg(REPLACE).query_async(&mut connection).await.expect("a script");
            vec![("", Writer::Redis { connection, replace })]
        }
    }
}

/// Operations a second of all of them together.
async fn rate(writer: &Arc<Writer>, operation: Operation, workers: Vec<Worker>) -> (f64, Vec<Worker>) {
    let (began, mut tasks) = (Instant::now(), JoinSet::new());
    for mut worker in workers {
        let writer = Arc::clone(writer);
        tasks.spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < ROUND {
                match operation {
                    Operation::Logout => worker.log_out(&writer).await,
                    Operation::Refresh => worker.refresh(&writer).await,
                }
                done += 1;
            }
            (done, worker)
        });
    }
    let (mut workers, mut done) = (Vec::new(), 0);
    while let Some(ended) = tasks.join_next().await {
        let (count, worker) = ended.expect("a task");
        workers.push(worker);
        done += count;
    }
    (f64::from(done) / began.elapsed().as_secs_f64(), workers)
}

impl Worker {
    /// With a session of its own.
    async fn insert(writer: &Writer, operation: Operation) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs() as i64;
        let family = RefreshTokenFamily {
            id: u128::from(number).to_be_bytes(),
            issuer: ISSUER.to_owned(),
            subject: format!("user {number}"),
            key_id: "1".to_owned(),
            generation: 1,
            version: 0,
            started_at: now,
            rotated_at: now,
            expires_at: now + 14 * 24 * 60 * 60,
            last_issued_at: now,
            user_generation: 0,
            issuer_generation: 0,
            acr: None,
            reissued: false,
            ends_with_browser: false,
            label: None,
            data: StoredSessionData::default(),
        };
        let worker = Self { family, logouts: number << 32 };
        if operation == Operation::Refresh {
            worker.insert_family(writer).await;
        }
        worker
    }

    async fn insert_family(&self, writer: &Writer) {
        match writer {
            Writer::Library(store) => store.insert(self.family.clone()).await,
            Writer::Postgres { pool, .. } => {
                let insert = "INSERT INTO by_hand.families (id, subject_hash, version, expires_at, family) VALUES ($1, $2, $3, $4, $5)";
                self.bind(sqlx::query(insert)).execute(pool).await.map(drop).expect("a session");
            }
            Writer::Redis { connection, .. } => {
                let mut set = redis::cmd("HSET");
                set.arg("by-hand:families").arg(&self.family.id).arg(self.row());
                set.exec_async(&mut connection.clone()).await.expect("a session");
            }
        }
    }

    async fn log_out(&mut self, writer: &Writer) {
        self.logouts += 1;
        let entry = entry(self.logouts);
        let kept = || entry.keep_until.duration_since(UNIX_EPOCH).expect("a clock").as_secs() as i64;
        match writer {
            Writer::Library(store) => store.append(vec![entry]).await,
            Writer::Postgres { pool, says_durable } => {
                let insert = "INSERT INTO by_hand.log (tag, keep_until, bytes) VALUES ($1, $2, $3)";
                let insert =
                    sqlx::query(insert).bind(entry.tag.cast_signed()).bind(kept()).bind(&entry.bytes);
                assert_eq!(write(pool, *says_durable, insert).await.expect("a row"), 1);
            }
            Writer::Redis { connection, .. } => {
                let mut add = redis::cmd("XADD");
                add.arg("by-hand:log").arg("*").arg("t").arg(entry.tag);
                add.arg("k").arg(kept()).arg("b").arg(&entry.bytes);
                add.exec_async(&mut connection.clone()).await.expect("an entry");
            }
        }
    }

    async fn refresh(&mut self, writer: &Writer) {
        let expected = self.family.version;
        self.family.version += 1;
        self.family.generation += 1;
        let is_replaced = match writer {
            Writer::Library(store) => store.replace(expected, self.family.clone()).await,
            Writer::Postgres { pool, says_durable } => {
                let update = "UPDATE by_hand.families SET subject_hash = $2, version = $3, expires_at = $4, family = $5 \
                              WHERE id = $1 AND version = $6";
                let update = self.bind(sqlx::query(update)).bind(expected.cast_signed());
                write(pool, *says_durable, update).await.expect("a row") == 1
            }
            Writer::Redis { connection, replace } => {
                let mut script = redis::cmd("EVALSHA");
                script.arg(replace).arg(1).arg("by-hand:families").arg(&self.family.id).arg(self.row());
                script.arg(expected).query_async(&mut connection.clone()).await.expect("a row")
            }
        };
        assert!(is_replaced, "nobody else replaces the row");
    }

    /// The columns of a row in PostgreSQL.
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        let family = &self.family;
        query
            .bind(family.id.to_vec())
            .bind(vec![7_u8; 32])
            .bind(family.version.cast_signed())
            .bind(family.expires_at)
            .bind(serde_json::to_vec(family).expect("JSON"))
    }

    /// The row in Redis: the version, as many bytes as a hash has, and the family.
    fn row(&self) -> Vec<u8> {
        let mut row = format!("{} {}\n", self.family.version, "7".repeat(22)).into_bytes();
        serde_json::to_writer(&mut row, &self.family).expect("JSON");
        row
    }
}

/// Writes a row, and returns how many were written.
async fn write(pool: &PgPool, says_durable: bool, query: Query<'_>) -> Result<u64, sqlx::Error> {
    if !says_durable {
        return Ok(query.execute(pool).await?.rows_affected());
    }
    let mut transaction = pool.begin_with("BEGIN; SET LOCAL synchronous_commit = on").await?;
    let written = query.execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    Ok(written)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;
