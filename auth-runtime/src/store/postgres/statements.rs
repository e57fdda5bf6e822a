//! The statements, in one place. Each is alone in its transaction: the locks that it takes are held until the commit that follows.
//!
//! `{schema}` is the quoted name of the schema. Times are in seconds since the epoch where no other unit is named, because those of
//! tokens are; 64-bit numbers without a sign are stored as the same bits with one.

use std::sync::Arc;

/// The statements for one schema.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) append: Arc<str>,
    pub(super) read: Arc<str>,
    pub(super) drop_entries: Arc<str>,
    pub(super) confirmed_time: Arc<str>,
    pub(super) set_confirmed_time: Arc<str>,
    pub(super) test_write: Arc<str>,
    pub(super) wake_up: Arc<str>,
    pub(super) insert_family: Arc<str>,
    pub(super) find_family: Arc<str>,
    pub(super) replace_family: Arc<str>,
    pub(super) remove_families: Arc<str>,
    pub(super) families_of_subject: Arc<str>,
    pub(super) list_families: Arc<str>,
    pub(super) drop_families: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) insert_key: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) remove_key: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) find_key: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) keys_of_owner: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) rotate_key: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) revoke_key: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) record_key_uses: Arc<str>,
    #[cfg(feature = "api-keys")]
    pub(super) drop_keys: Arc<str>,
    #[cfg(feature = "token-routes")]
    pub(super) count_attempt: Arc<str>,
    #[cfg(feature = "token-routes")]
    pub(super) attempt_wait: Arc<str>,
    #[cfg(feature = "token-routes")]
    pub(super) drop_attempts: Arc<str>,
}

impl Statements {
    pub(super) fn new(quoted_schema: &str) -> Self {
        let of = |statement: &'static str| statement.replace("{schema}", quoted_schema).into();
        Self {
            append: of(APPEND),
            read: of(READ),
            drop_entries: of(DROP_ENTRIES),
            confirmed_time: of(CONFIRMED_TIME),
            set_confirmed_time: of(SET_CONFIRMED_TIME),
            test_write: of(TEST_WRITE),
            wake_up: of(WAKE_UP),
            insert_family: of(INSERT_FAMILY),
            find_family: of(FIND_FAMILY),
            replace_family: of(REPLACE_FAMILY),
            remove_families: of(REMOVE_FAMILIES),
            families_of_subject: of(FAMILIES_OF_SUBJECT),
            list_families: of(LIST_FAMILIES),
            drop_families: of(DROP_FAMILIES),
            #[cfg(feature = "api-keys")]
            insert_key: of(INSERT_KEY),
            #[cfg(feature = "api-keys")]
            remove_key: of(REMOVE_KEY),
            #[cfg(feature = "api-keys")]
            find_key: of(FIND_KEY),
            #[cfg(feature = "api-keys")]
            keys_of_owner: of(KEYS_OF_OWNER),
            #[cfg(feature = "api-keys")]
            rotate_key: of(ROTATE_KEY),
            #[cfg(feature = "api-keys")]
            revoke_key: of(REVOKE_KEY),
            #[cfg(feature = "api-keys")]
            record_key_uses: of(RECORD_KEY_USES),
            #[cfg(feature = "api-keys")]
            drop_keys: of(DROP_KEYS),
            #[cfg(feature = "token-routes")]
            count_attempt: of(COUNT_ATTEMPT),
            #[cfg(feature = "token-routes")]
            attempt_wait: of(ATTEMPT_WAIT),
            #[cfg(feature = "token-routes")]
            drop_attempts: of(DROP_ATTEMPTS),
        }
    }
}

// The log.

/// The row of the counter is locked from this statement on, and nothing but the commit comes after it: a transaction with a later number has seen
/// this commit, so entries become visible in the order of their numbers. A `bigserial` would number them before.
const APPEND: &str = "\
WITH entry AS MATERIALIZED (
    SELECT number, tag, keep_until, bytes
    FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) WITH ORDINALITY AS entry (tag, keep_until, bytes, number)
), counted AS (
    UPDATE {schema}.log_counter SET sequence = sequence + (SELECT count(*) FROM entry)
    RETURNING sequence AS last
), appended AS (
    INSERT INTO {schema}.log (sequence, tag, keep_until, bytes)
    SELECT counted.last - (SELECT count(*) FROM entry) + entry.number, entry.tag, entry.keep_until, entry.bytes
    FROM counted, entry
    RETURNING sequence
)
SELECT counted.last, (SELECT count(*) FROM appended) AS appended FROM counted";

/// The cursor is checked by the snapshot that the entries are read by. There is at least one row, whose `sequence` is null if there are
/// no entries.
const READ: &str = "\
SELECT source.*, entry.sequence, entry.tag, entry.keep_until, entry.bytes
FROM (
    SELECT
        ($1 = 0 AND $2 = 0)
            OR EXISTS (SELECT FROM {schema}.log WHERE sequence = $1 AND tag = $2)
            OR EXISTS (SELECT FROM {schema}.log_state WHERE floor_sequence = $1 AND floor_tag = $2) AS is_known,
        current_setting('default_transaction_read_only')::boolean AS is_read_only,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS store_milliseconds
) AS source
LEFT JOIN LATERAL (
    SELECT sequence, tag, keep_until, bytes FROM {schema}.log
    WHERE sequence > $1 ORDER BY sequence LIMIT $3
) AS entry ON source.is_known
ORDER BY entry.sequence";

/// At most `$2` rows, and not those that another instance is deleting. The floor is what a reader may have read last.
const DROP_ENTRIES: &str = "\
WITH expired AS MATERIALIZED (
    SELECT sequence FROM {schema}.log WHERE keep_until < $1
    ORDER BY keep_until LIMIT $2 + 1 FOR UPDATE SKIP LOCKED
), dropped AS (
    DELETE FROM {schema}.log WHERE sequence IN (SELECT sequence FROM expired LIMIT $2)
    RETURNING sequence, tag
), floor AS (
    UPDATE {schema}.log_state SET floor_sequence = highest.sequence, floor_tag = highest.tag
    FROM (SELECT sequence, tag FROM dropped ORDER BY sequence DESC LIMIT 1) AS highest
    WHERE floor_sequence < highest.sequence
)
SELECT count(*) > $2 AS are_more_left FROM expired";

const CONFIRMED_TIME: &str = "SELECT confirmed_time FROM {schema}.log_state";

const SET_CONFIRMED_TIME: &str = "UPDATE {schema}.log_state SET confirmed_time = $1";

/// A write that changes nothing. It needs space on the disk, and the lock that an append needs.
const TEST_WRITE: &str = "UPDATE {schema}.log_counter SET sequence = sequence";

/// It locks out the notifications of the whole server until it has committed, so nothing else is in its transaction.
///
/// `{payload}` is in hexadecimal digits: the statement has no parameters, so that it can be sent with the beginning and the end of its
/// transaction.
const WAKE_UP: &str =
    "SELECT pg_notify('auth_runtime_log', convert_from(decode('{payload}', 'hex'), 'UTF8'))";

// Families of refresh tokens. `subject_hash` is of the issuer and the subject: an index has no place for what could be kilobytes, and
// `text` none for NUL.

const INSERT_FAMILY: &str = "\
INSERT INTO {schema}.refresh_families (id, subject_hash, version, expires_at, family) VALUES ($1, $2, $3, $4, $5)";

const FIND_FAMILY: &str = "SELECT family FROM {schema}.refresh_families WHERE id = $1";

/// Who waits for the lock of the row looks at its version again, so one of many has it.
const REPLACE_FAMILY: &str = "\
UPDATE {schema}.refresh_families SET subject_hash = $2, version = $3, expires_at = $4, family = $5
WHERE id = $1 AND version = $6
RETURNING id";

/// In the order of the ids, so that two calls do not wait for each other.
const REMOVE_FAMILIES: &str = "\
DELETE FROM {schema}.refresh_families WHERE id IN (
    SELECT id FROM {schema}.refresh_families WHERE id = ANY ($1::bytea[]) ORDER BY id FOR UPDATE
)";

const FAMILIES_OF_SUBJECT: &str = "SELECT family FROM {schema}.refresh_families WHERE subject_hash = $1";

/// `$3` is what every row of the issuer has in it, so that those of others are not sent. The index has the order of the hashes; the few
/// rows of a hash are sorted by id.
const LIST_FAMILIES: &str = "\
SELECT family, subject_hash, id FROM {schema}.refresh_families
WHERE (subject_hash, id) > ($1, $2) AND position($3 IN family) > 0
ORDER BY subject_hash, id LIMIT $4";

/// At most `$2` rows, and not those that another instance is deleting.
const DROP_FAMILIES: &str = "\
WITH expired AS MATERIALIZED (
    SELECT id FROM {schema}.refresh_families WHERE expires_at < $1
    ORDER BY expires_at LIMIT $2 + 1 FOR UPDATE SKIP LOCKED
), dropped AS (
    DELETE FROM {schema}.refresh_families WHERE id IN (SELECT id FROM expired LIMIT $2)
)
SELECT count(*) > $2 AS are_more_left FROM expired";

// API keys. What never changes is in `key`; what can is in columns of its own. `bytea` is compared byte by byte, whatever the collation.

#[cfg(feature = "api-keys")]
const INSERT_KEY: &str = "\
INSERT INTO {schema}.api_keys
    (id, owner_hash, key, version, expires_at, overlap_ends_at, revoked_at, last_used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

#[cfg(feature = "api-keys")]
const REMOVE_KEY: &str = "DELETE FROM {schema}.api_keys WHERE id = $1";

#[cfg(feature = "api-keys")]
const FIND_KEY: &str = "\
SELECT key, version, overlap_ends_at, revoked_at, last_used_at FROM {schema}.api_keys WHERE id = $1";

#[cfg(feature = "api-keys")]
const KEYS_OF_OWNER: &str = "\
SELECT key, version, overlap_ends_at, revoked_at, last_used_at FROM {schema}.api_keys
WHERE owner_hash = $1 AND id > $2 ORDER BY id LIMIT $3";

/// The next key is inserted only where the row of the former one is updated.
#[cfg(feature = "api-keys")]
const ROTATE_KEY: &str = "\
WITH rotated AS (
    UPDATE {schema}.api_keys SET overlap_ends_at = $10, version = version + 1 WHERE id = $9 AND version = $11
    RETURNING id
)
INSERT INTO {schema}.api_keys
    (id, owner_hash, key, version, expires_at, overlap_ends_at, revoked_at, last_used_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM rotated
RETURNING id";

#[cfg(feature = "api-keys")]
const REVOKE_KEY: &str = "\
UPDATE {schema}.api_keys SET revoked_at = $2, version = version + 1 WHERE id = $1 AND revoked_at IS NULL
RETURNING id";

/// Locked in the order of the ids, so that two calls do not wait for each other.
#[cfg(feature = "api-keys")]
const RECORD_KEY_USES: &str = "\
UPDATE {schema}.api_keys AS key SET last_used_at = used.at
FROM (
    SELECT key.id, latest.at
    FROM {schema}.api_keys AS key
    JOIN (
        SELECT id, max(at) AS at FROM unnest($1::bytea[], $2::bigint[]) AS used (id, at) GROUP BY id
    ) AS latest USING (id)
    ORDER BY key.id FOR UPDATE OF key
) AS used
WHERE key.id = used.id AND (key.last_used_at IS NULL OR key.last_used_at < used.at)";

/// At most `$2` rows, and not those that another instance is deleting. `least` ignores nulls.
#[cfg(feature = "api-keys")]
const DROP_KEYS: &str = "\
WITH ended AS MATERIALIZED (
    SELECT id FROM {schema}.api_keys WHERE least(expires_at, overlap_ends_at, revoked_at) < $1
    ORDER BY least(expires_at, overlap_ends_at, revoked_at) LIMIT $2 + 1 FOR UPDATE SKIP LOCKED
), dropped AS (
    DELETE FROM {schema}.api_keys WHERE id IN (SELECT id FROM ended LIMIT $2)
)
SELECT count(*) > $2 AS are_more_left FROM ended";

// Login attempts. `arrival` is the theoretical arrival time of the generic cell rate algorithm, in microseconds since the epoch.

/// `$2` is the time that one attempt costs, `$3` that of all that are allowed at once. The row is locked before it is looked at, so no
/// more than are allowed are counted. No row is returned if the attempt is rejected. `excluded.arrival - $2` is the present.
#[cfg(feature = "token-routes")]
const COUNT_ATTEMPT: &str = "\
INSERT INTO {schema}.login_attempts AS attempt (key, arrival)
VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $2)
ON CONFLICT (key) DO UPDATE SET arrival = greatest(attempt.arrival, excluded.arrival - $2) + $2
WHERE greatest(attempt.arrival, excluded.arrival - $2) + $2 <= excluded.arrival - $2 + $3
RETURNING arrival";

/// How long until the attempt would be counted.
#[cfg(feature = "token-routes")]
const ATTEMPT_WAIT: &str = "\
SELECT arrival + $2 - $3 - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS wait
FROM {schema}.login_attempts WHERE key = $1";

/// At most `$1` rows, and not those that another instance is deleting or counting.
#[cfg(feature = "token-routes")]
const DROP_ATTEMPTS: &str = "\
WITH passed AS MATERIALIZED (
    SELECT key FROM {schema}.login_attempts
    WHERE arrival < (extract(epoch FROM now()) * 1000000)::bigint
    ORDER BY arrival LIMIT $1 + 1 FOR UPDATE SKIP LOCKED
), dropped AS (
    DELETE FROM {schema}.login_attempts WHERE key IN (SELECT key FROM passed LIMIT $1)
)
SELECT count(*) > $1 AS are_more_left FROM passed";
