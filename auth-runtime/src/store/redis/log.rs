//! The log of revocations: a stream, whose ids are the sequences.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::redis::{Script, cmd};

use super::appends::Appends;
use super::failure::Failure;
use super::request::{Request, StaticScript};
use super::{BATCH, RedisStore};
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::store::{
    LogCursor, LogEntry, LogPage, LogRead, RevocationLog, StoreError, StoreFuture, WakeUpFuture, drop_before,
};

static APPEND: StaticScript = StaticScript::new(|| Script::new(include_str!("scripts/append.lua")));
static READ: StaticScript = StaticScript::new(|| Script::new(include_str!("scripts/read.lua")));
static DROP: StaticScript = StaticScript::new(|| Script::new(include_str!("scripts/drop_entries.lua")));

/// Whether the cursor is known, and the server's time in seconds and microseconds; and the id and the fields of each entry.
type Answer = ((bool, u64, u32), Vec<(String, Fields)>);

/// Tag, `keep_until` and bytes, each after its name.
type Fields = (String, u64, String, i64, String, Vec<u8>);

impl RedisStore {
    async fn read_log(&self, after: LogCursor, limit: usize) -> Result<LogRead, StoreError> {
        let keys = self.keys();
        let limit = limit.max(1);
        let mut entries = cmd("XRANGE");
        entries.arg(&keys.log).arg(format!("({}-0", after.sequence)).arg("+").arg("COUNT").arg(limit);
        let request = Request::read_script(&READ, &[&keys.log, &keys.state])
            .arg(after.sequence)
            .arg(after.tag)
            .with_next(entries, limit);
        let ((is_known, seconds, microseconds), rows): Answer = self.call(&request).await?;
        if !is_known {
            self.waiter().forget();
            return Ok(LogRead::AnotherHistory);
        }
        let mut page = LogPage {
            entries: Vec::with_capacity(rows.len()),
            cursor: after,
            store_time: UNIX_EPOCH
                .checked_add(Duration::from_secs(seconds) + Duration::from_micros(microseconds.into())),
        };
        for (id, (_, tag, _, keep_until, _, bytes)) in rows {
            let sequence = id.split_once('-').and_then(|(sequence, _)| sequence.parse().ok());
            let sequence = sequence.ok_or_else(|| {
                let why =
                    "an id of its stream is not of this library: use another `RedisStoreOptions::key_prefix`";
                Failure::Unusable(why.to_owned()).describe(self.target())
            })?;
            page.entries.push(LogEntry { tag, keep_until: from_unix_seconds(keep_until), bytes });
            page.cursor = LogCursor { sequence, tag };
        }
        Ok(LogRead::Page(page))
    }

    /// Appends all of them in one call, which takes no longer than this.
    pub(super) async fn append_at_once(
        &self,
        entries: &[LogEntry],
        limit: Duration,
    ) -> Result<(), StoreError> {
        let keys = self.keys();
        let mut request = Request::write_script(&APPEND, &[&keys.log, &keys.log_expiry, &keys.state]);
        for entry in entries {
            request = request.arg(entry.tag).arg(unix_seconds(entry.keep_until)).arg(entry.bytes.as_slice());
        }
        match self.writing().call_within(limit, &request).await? {
            1 => Ok(()),
            other => {
                Err(self.unreadable("a log entry", &format!("the script that appends answered {other}")))
            }
        }
    }
}

impl RevocationLog for RedisStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        Box::pin(
            async move { if entries.is_empty() { Ok(()) } else { Appends::append(self, entries).await } },
        )
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        Box::pin(self.read_log(after, limit))
    }

    fn wait_for_entries(&self, after: LogCursor) -> WakeUpFuture {
        self.waiter().wait(after.sequence)
    }

    /// A command that the server refuses if it may not write or has no memory, and that changes nothing: the field is there. Where replicas
    /// are waited for, they are here, too.
    fn check_writable(&self) -> StoreFuture<'_, ()> {
        let request = Request::write("HSETNX").arg(&self.keys().state).arg("format").arg(super::FORMAT);
        Box::pin(async move { self.call_to_write(&request).await })
    }

    fn confirmed_time(&self) -> StoreFuture<'_, Option<SystemTime>> {
        let request = Request::read("HGET").arg(&self.keys().state).arg("confirmed_time");
        Box::pin(async move { Ok(self.call::<Option<i64>>(&request).await?.map(from_unix_seconds)) })
    }

    fn set_confirmed_time(&self, time: SystemTime) -> StoreFuture<'_, ()> {
        let request = Request::write("HSET")
            .arg(&self.keys().state)
            .arg("confirmed_time")
            .arg(unix_seconds(time.max(UNIX_EPOCH)));
        Box::pin(async move { self.call(&request).await })
    }

    fn drop_expired(&self, before: SystemTime) -> StoreFuture<'_, bool> {
        let keys = self.keys();
        let request = Request::write_script(&DROP, &[&keys.log, &keys.log_expiry, &keys.state])
            .arg(drop_before(before))
            .arg(BATCH);
        Box::pin(async move { self.call(&request).await })
    }
}
