-- Version 1 of the schema. `{schema}` is the quoted name of the schema.

-- One row: the number of the last entry. An append locks it until it has committed, so nothing else is in this table.
CREATE TABLE {schema}.log_counter (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sequence bigint NOT NULL
);
INSERT INTO {schema}.log_counter (sequence) VALUES (0);

-- One row: the entry with the highest number that was ever deleted, and the time that the service has confirmed.
CREATE TABLE {schema}.log_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    floor_sequence bigint NOT NULL,
    floor_tag bigint NOT NULL,
    confirmed_time bigint
);
INSERT INTO {schema}.log_state (floor_sequence, floor_tag) VALUES (0, 0);

-- The log of revocations.
CREATE TABLE {schema}.log (
    sequence bigint PRIMARY KEY,
    tag bigint NOT NULL,
    keep_until bigint NOT NULL,
    bytes bytea NOT NULL
);
CREATE INDEX log_keep_until ON {schema}.log (keep_until);

-- The sessions. No row holds what could be used as a token.
CREATE TABLE {schema}.refresh_families (
    id bytea PRIMARY KEY,
    subject_hash bytea NOT NULL,
    version bigint NOT NULL,
    expires_at bigint NOT NULL,
    family bytea NOT NULL
);
CREATE INDEX refresh_families_subject ON {schema}.refresh_families (subject_hash);
CREATE INDEX refresh_families_expires_at ON {schema}.refresh_families (expires_at);

-- The API keys, as hashes.
CREATE TABLE {schema}.api_keys (
    id bytea PRIMARY KEY,
    owner_hash bytea NOT NULL,
    key bytea NOT NULL,
    version bigint NOT NULL,
    expires_at bigint,
    overlap_ends_at bigint,
    revoked_at bigint,
    last_used_at bigint
);
CREATE INDEX api_keys_owner ON {schema}.api_keys (owner_hash, id);
CREATE INDEX api_keys_ends_at ON {schema}.api_keys (least(expires_at, overlap_ends_at, revoked_at));

-- The limits of login attempts. Keys are keyed hashes: they name nobody.
CREATE TABLE {schema}.login_attempts (
    key bytea PRIMARY KEY,
    arrival bigint NOT NULL
);
CREATE INDEX login_attempts_arrival ON {schema}.login_attempts (arrival);
