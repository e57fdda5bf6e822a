use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use auth_tests_servers::PostgresServer;
use sqlx::postgres::PgPool;

use super::*;

/// As a later version might change the tables.
const LATER: &[&str] = &[
    MIGRATIONS[0],
    "ALTER TABLE {schema}.log ADD COLUMN origin text NOT NULL DEFAULT 'unknown';\n",
    "ALTER TABLE {schema}.log ALTER COLUMN origin SET DEFAULT 'here'; CREATE INDEX ON {schema}.log (origin);\n",
];

fn new_place() -> (Database, Schema) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let schema = Schema::new(&format!("of \"test\" {}", COUNT.fetch_add(1, Ordering::SeqCst))).unwrap();
    let pool = PgPool::connect_lazy(&PostgresServer::shared().url()).unwrap();
    (Database::new(pool, &schema, Duration::from_secs(5), false), schema)
}

async fn number(database: &Database, sql: String) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(database.pool()).await.unwrap()
}

/// A store that the previous version has written, or one before that, opens, and what is in it stays.
#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn the_tables_of_an_earlier_version_are_brought_to_this_one() {
    for (from, to) in [(1, 2), (2, 3), (1, 3)] {
        let (database, schema) = new_place();
        let migration = |version: usize| Migration {
            database: &database,
            schema: &schema,
            migrations: &LATER[..version],
        };
        migration(from).run(true).await.unwrap();
        let insert = schema
            .in_schema("INSERT INTO {schema}.log (sequence, tag, keep_until, bytes) VALUES (1, 2, 3, '')");
        sqlx::raw_sql(AssertSqlSafe(insert)).execute(database.pool()).await.unwrap();

        let refused = migration(to).run(false).await.unwrap_err().to_string();
        assert!(
            refused.contains(&format!("its tables are of version {from}, this program needs version {to}")),
            "{refused}"
        );
        // Several instances of the new version start, and again later.
        let [one, other] = [migration(to), migration(to)];
        let (one, other) = tokio::join!(one.run(true), other.run(true));
        one.and(other).unwrap();
        migration(to).run(true).await.unwrap();
        migration(to).run(false).await.unwrap();
        let version = schema.in_schema("SELECT sum(version) FROM {schema}.schema_version");
        assert_eq!(number(&database, version).await, i64::try_from(to).unwrap());
        let kept = schema.in_schema("SELECT count(*) FROM {schema}.log WHERE tag = 2 AND origin = 'unknown'");
        assert_eq!(number(&database, kept).await, 1);

        let newer = migration(from).run(true).await.unwrap_err().to_string();
        assert!(
            newer.contains(&format!("of version {to}, which a newer version of this program has made")),
            "{newer}"
        );
    }
}

/// What fails leaves the tables as they were.
#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_version_that_can_not_be_made_changes_nothing() {
    let (database, schema) = new_place();
    Migration { database: &database, schema: &schema, migrations: &LATER[..1] }.run(true).await.unwrap();
    let migrations = &[LATER[0], LATER[1], "ALTER TABLE {schema}.nothing ADD COLUMN a int;\n"];
    let failed = Migration { database: &database, schema: &schema, migrations }
        .run(true)
        .await
        .unwrap_err()
        .to_string();
    assert!(failed.contains("does not exist"), "{failed}");
    let version = schema.in_schema("SELECT version::bigint FROM {schema}.schema_version");
    assert_eq!(number(&database, version).await, 1);
    Migration { database: &database, schema: &schema, migrations: LATER }.run(true).await.unwrap();
}
