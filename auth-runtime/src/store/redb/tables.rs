//! The tables, and the operations of one transaction.

use std::fmt::Display;
use std::time::SystemTime;

use ::redb::{Database, Key, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

#[cfg(feature = "api-keys")]
use super::api_keys::{ApiKeyTables, ApiKeyWrite};
use super::failure::Failure;
use super::upgrade;
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::store::{FamilyId, LogCursor, LogEntry, LogPage, LogRead, RefreshTokenFamily};

/// The version of the table format. It changes when an older program would misread the tables.
pub(super) const FORMAT: u64 = 2;

/// The maximum number of expired rows that one transaction deletes.
pub(super) const MAX_DROPPED: usize = 1000;

/// Tag, `keep_until` in seconds since the epoch, bytes.
type LogRow = (u64, i64, &'static [u8]);
/// Issuer, subject, family. The fields are compared one by one, so the rows of a subject are never mixed with those of another.
pub(super) type SubjectRow = (&'static str, &'static str, FamilyId);

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
pub(super) const LOG: TableDefinition<'static, u64, LogRow> = TableDefinition::new("log_entries");
const LOG_EXPIRY: TableDefinition<'static, (i64, u64), ()> = TableDefinition::new("log_expiry");
pub(super) const FAMILIES: TableDefinition<'static, FamilyId, &[u8]> = TableDefinition::new("families");
const FAMILY_EXPIRY: TableDefinition<'static, (i64, FamilyId), ()> = TableDefinition::new("family_expiry");
pub(super) const BY_SUBJECT: TableDefinition<'static, SubjectRow, ()> =
    TableDefinition::new("families_by_subject");

const FORMAT_KEY: &str = "format";
/// The last assigned sequence. It remains when all entries are deleted.
const CURSOR_KEY: &str = "cursor";
/// [`RevocationLog::confirmed_time`](crate::store::RevocationLog::confirmed_time), in seconds since the epoch.
const CONFIRMED_TIME_KEY: &str = "confirmed_time";

/// Sequence and tag of the entry with the highest sequence that was deleted.
const FLOOR_KEYS: [&str; 2] = ["floor_sequence", "floor_tag"];

/// A write. Each variant says what its result is.
pub(super) enum Write {
    /// The result is `true`.
    Append(Vec<LogEntry>),
    /// Deletes entries that expired before this second. The result is whether more can be deleted.
    DropEntries(i64),
    /// The result is `true`.
    Insert(RefreshTokenFamily),
    /// Replaces the row if its version is this one. The result is whether it was replaced.
    Replace(u64, RefreshTokenFamily),
    /// The result is `true`.
    Remove(Vec<FamilyId>),
    /// Deletes families that expired before this second. The result is whether more can be deleted.
    DropFamilies(i64),
    /// In seconds since the epoch. The result is `true`.
    ConfirmedTime(u64),
    #[cfg(feature = "api-keys")]
    ApiKey(Box<ApiKeyWrite>),
    /// Finds out whether the file can be written, after a failure. The result is `true`.
    Test,
    #[cfg(test)]
    Panic,
    #[cfg(test)]
    Unreadable(FamilyId),
}

impl Write {
    /// Whether it is of no use when its caller does not wait for it any more: a new session, the next token of one, a new API key.
    pub(super) fn is_for_its_caller_alone(&self) -> bool {
        match self {
            Self::Insert(_) | Self::Replace(..) => true,
            #[cfg(feature = "api-keys")]
            Self::ApiKey(write) => write.is_for_its_caller_alone(),
            _ => false,
        }
    }

    /// What takes it back, if its caller did not get the session or the API key that it adds.
    pub(super) fn undo(&self) -> Option<Self> {
        match self {
            Self::Insert(family) => Some(Self::Remove(vec![family.id])),
            #[cfg(feature = "api-keys")]
            Self::ApiKey(write) => write.undo().map(|undo| Self::ApiKey(Box::new(undo))),
            _ => None,
        }
    }
}

/// The tables of a write transaction.
pub(super) struct Tables<'t> {
    meta: Table<'t, &'static str, u64>,
    log: Table<'t, u64, LogRow>,
    log_expiry: Table<'t, (i64, u64), ()>,
    families: Table<'t, FamilyId, &'static [u8]>,
    family_expiry: Table<'t, (i64, FamilyId), ()>,
    by_subject: Table<'t, SubjectRow, ()>,
    #[cfg(feature = "api-keys")]
    api_keys: ApiKeyTables<'t>,
}

/// Creates the tables of a new database. Returns the format of the database; `None` if another program made it.
pub(super) fn prepare(database: &Database) -> Result<Option<u64>, Failure> {
    let transaction = database.begin_write()?;
    if transaction.list_tables()?.next().is_none() {
        Tables::open(&transaction)?.meta.insert(FORMAT_KEY, FORMAT)?;
        transaction.commit()?;
        return Ok(Some(FORMAT));
    }
    let mut format = transaction.open_table(META)?.get(FORMAT_KEY)?.map(|format| format.value());
    let mut has_changed = false;
    if format == Some(upgrade::FORMAT_1) {
        upgrade::from_format_1(&transaction)?;
        transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
        (format, has_changed) = (Some(FORMAT), true);
    }
    #[cfg(feature = "api-keys")]
    if format == Some(FORMAT) && !ApiKeyTables::are_in(&transaction)? {
        // An earlier version has written the file, or a program without API keys.
        ApiKeyTables::open(&transaction)?;
        has_changed = true;
    }
    if has_changed {
        transaction.commit()?;
    }
    Ok(format)
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Failure> {
        Ok(Self {
            meta: transaction.open_table(META)?,
            log: transaction.open_table(LOG)?,
            log_expiry: transaction.open_table(LOG_EXPIRY)?,
            families: transaction.open_table(FAMILIES)?,
            family_expiry: transaction.open_table(FAMILY_EXPIRY)?,
            by_subject: transaction.open_table(BY_SUBJECT)?,
            #[cfg(feature = "api-keys")]
            api_keys: ApiKeyTables::open(transaction)?,
        })
    }

    pub(super) fn run(&mut self, write: Write) -> Result<bool, Failure> {
        match write {
            Write::Append(entries) => self.append(&entries),
            Write::DropEntries(now) => self.drop_entries(now),
            Write::Insert(family) => self.put(&family).map(|()| true),
            Write::Replace(expected, family) => self.replace(expected, &family),
            Write::Remove(ids) => ids.into_iter().try_for_each(|id| self.take(id)).map(|()| true),
            Write::DropFamilies(now) => self.drop_families(now),
            Write::ConfirmedTime(seconds) => {
                Ok(self.meta.insert(CONFIRMED_TIME_KEY, seconds).map(|_| true)?)
            }
            #[cfg(feature = "api-keys")]
            Write::ApiKey(write) => self.api_keys.run(*write),
            Write::Test => self.test(),
            #[cfg(test)]
            Write::Panic => panic!("as a test"),
            #[cfg(test)]
            Write::Unreadable(id) => Ok(self.families.insert(id, b"{".as_slice()).map(|_| true)?),
        }
    }

    fn append(&mut self, entries: &[LogEntry]) -> Result<bool, Failure> {
        let mut sequence = self.meta.get(CURSOR_KEY)?.map_or(0, |last| last.value());
        for entry in entries {
            sequence += 1;
            let keep_until = unix_seconds(entry.keep_until);
            self.log.insert(sequence, (entry.tag, keep_until, entry.bytes.as_slice()))?;
            self.log_expiry.insert((keep_until, sequence), ())?;
        }
        self.meta.insert(CURSOR_KEY, sequence)?;
        Ok(true)
    }

    fn drop_entries(&mut self, now: i64) -> Result<bool, Failure> {
        let mut floor = floor(&self.meta)?;
        for _ in 0..MAX_DROPPED {
            let Some((keep_until, sequence)) = expired(&self.log_expiry, now)? else { break };
            self.log_expiry.remove((keep_until, sequence))?;
            if let Some(row) = self.log.remove(sequence)?
                && sequence > floor.sequence
            {
                floor = LogCursor { sequence, tag: row.value().0 };
            }
        }
        for (key, value) in FLOOR_KEYS.into_iter().zip([floor.sequence, floor.tag]) {
            self.meta.insert(key, value)?;
        }
        Ok(expired(&self.log_expiry, now)?.is_some())
    }

    /// Changes nothing. If the last writes are lost, a reader that has read them finds out by their tags.
    fn test(&mut self) -> Result<bool, Failure> {
        let sequence = self.meta.get(CURSOR_KEY)?.map_or(0, |last| last.value());
        self.meta.insert(CURSOR_KEY, sequence)?;
        Ok(true)
    }

    fn replace(&mut self, expected: u64, family: &RefreshTokenFamily) -> Result<bool, Failure> {
        let row = self.families.get(family.id)?.and_then(|row| from_json(row.value()).ok());
        let is_expected = row.is_some_and(|row| row.version == expected);
        if is_expected {
            self.put(family)?;
        }
        Ok(is_expected)
    }

    fn drop_families(&mut self, now: i64) -> Result<bool, Failure> {
        for _ in 0..MAX_DROPPED {
            let Some((expires_at, id)) = expired(&self.family_expiry, now)? else { return Ok(false) };
            self.take(id)?;
            // Also if the family is missing, or the same row would be found again.
            self.family_expiry.remove((expires_at, id))?;
        }
        Ok(expired(&self.family_expiry, now)?.is_some())
    }

    fn put(&mut self, family: &RefreshTokenFamily) -> Result<(), Failure> {
        self.take(family.id)?;
        let row = serde_json::to_vec(family).map_err(|error| unreadable("a family", &error))?;
        self.families.insert(family.id, row.as_slice())?;
        self.family_expiry.insert((family.expires_at, family.id), ())?;
        self.by_subject.insert((family.issuer.as_str(), family.subject.as_str(), family.id), ())?;
        Ok(())
    }

    fn take(&mut self, id: FamilyId) -> Result<(), Failure> {
        match self.families.remove(id)?.map(|row| from_json(row.value())) {
            None => {}
            Some(Ok(row)) => {
                self.family_expiry.remove((row.expires_at, id))?;
                self.by_subject.remove((row.issuer.as_str(), row.subject.as_str(), id))?;
            }
            // It can be removed all the same. Whose it was is unknown, so its other rows stay until they expire.
            Some(Err(_)) => {
                tracing::error!("auth: the store had a family that can't be read, and it was removed");
            }
        }
        Ok(())
    }
}

pub(super) fn confirmed_time(transaction: &ReadTransaction) -> Result<Option<SystemTime>, Failure> {
    let seconds = transaction.open_table(META)?.get(CONFIRMED_TIME_KEY)?;
    Ok(seconds.map(|seconds| from_unix_seconds(i64::try_from(seconds.value()).unwrap_or(i64::MAX))))
}

pub(super) fn log_page(
    transaction: &ReadTransaction,
    after: LogCursor,
    limit: usize,
) -> Result<LogRead, Failure> {
    let log = transaction.open_table(LOG)?;
    let there = log.get(after.sequence)?.map(|row| row.value().0);
    if !after.is_known(there, Some(floor(&transaction.open_table(META)?)?)) {
        return Ok(LogRead::AnotherHistory);
    }
    let mut page = LogPage { entries: Vec::new(), cursor: after, store_time: None };
    for row in log.range(after.sequence.saturating_add(1)..)?.take(limit) {
        let (sequence, row) = row?;
        let (tag, keep_until, bytes) = row.value();
        page.entries.push(LogEntry { tag, keep_until: from_unix_seconds(keep_until), bytes: bytes.to_vec() });
        page.cursor = LogCursor { sequence: sequence.value(), tag };
    }
    Ok(LogRead::Page(page))
}

/// The entry with the highest sequence that was deleted.
fn floor(meta: &impl ReadableTable<&'static str, u64>) -> Result<LogCursor, Failure> {
    let [sequence, tag] =
        FLOOR_KEYS.map(|key| meta.get(key).map(|value| value.map_or(0, |value| value.value())));
    Ok(LogCursor { sequence: sequence?, tag: tag? })
}

pub(super) fn family(
    transaction: &ReadTransaction,
    id: FamilyId,
) -> Result<Option<RefreshTokenFamily>, Failure> {
    let families = transaction.open_table(FAMILIES)?;
    families.get(id)?.map(|row| from_json(row.value())).transpose()
}

pub(super) fn families_of(
    transaction: &ReadTransaction,
    issuer: &str,
    subject: &str,
) -> Result<Vec<RefreshTokenFamily>, Failure> {
    let by_subject = transaction.open_table(BY_SUBJECT)?;
    let families = transaction.open_table(FAMILIES)?;
    let mut found = Vec::new();
    for row in by_subject.range((issuer, subject, [0; 16])..=(issuer, subject, [u8::MAX; 16]))? {
        let (_, _, id) = row?.0.value();
        found.extend(families.get(id)?.map(|row| from_json(row.value())).transpose()?);
    }
    Ok(found)
}

pub(super) fn has_expired_entries(transaction: &ReadTransaction, now: i64) -> Result<bool, Failure> {
    Ok(expired(&transaction.open_table(LOG_EXPIRY)?, now)?.is_some())
}

pub(super) fn has_expired_families(transaction: &ReadTransaction, now: i64) -> Result<bool, Failure> {
    Ok(expired(&transaction.open_table(FAMILY_EXPIRY)?, now)?.is_some())
}

/// Returns the first row of an expiry table if its time is before `now`.
fn expired<K, T>(table: &impl ReadableTable<K, ()>, now: i64) -> Result<Option<(i64, T)>, Failure>
where
    K: for<'a> Key<SelfType<'a> = (i64, T)> + 'static,
{
    let first = table.first()?.map(|(row, _)| row.value());
    Ok(first.filter(|(time, _)| *time < now))
}

pub(super) fn from_json(row: &[u8]) -> Result<RefreshTokenFamily, Failure> {
    serde_json::from_slice(row).map_err(|error| unreadable("a family", &error))
}

pub(super) fn unreadable(row: &str, error: &dyn Display) -> Failure {
    Failure::Content(format!(
        "the row of {row} can't be read ({error}): a newer version of the program may have written it"
    ))
}
