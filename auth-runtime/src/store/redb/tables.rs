//! The tables, and the operations of one transaction.

use std::fmt::Display;
use std::time::SystemTime;

use ::redb::{Database, Key, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::failure::Failure;
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::store::Revocation;
use crate::store::{FamilyId, LogPage, LoggedRevocation, RefreshTokenFamily};

/// The version of the table format. It changes when an older program would misread the tables.
pub(super) const FORMAT: u64 = 1;

/// The maximum number of expired rows that one transaction deletes.
const MAX_DROPPED: usize = 1000;

/// Issuer, kind, id or subject, `issued_at_or_before` of a user or a generation or 0, `keep_until`. Times are in seconds since the
/// epoch.
type LogRow = (&'static str, u8, &'static str, i64, i64);
/// Issuer, subject, family. The fields are compared one by one, so the rows of a subject are never mixed with those of another.
type SubjectRow = (&'static str, &'static str, FamilyId);

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const LOG: TableDefinition<'static, u64, LogRow> = TableDefinition::new("log");
const LOG_EXPIRY: TableDefinition<'static, (i64, u64), ()> = TableDefinition::new("log_expiry");
const FAMILIES: TableDefinition<'static, FamilyId, &[u8]> = TableDefinition::new("families");
const FAMILY_EXPIRY: TableDefinition<'static, (i64, FamilyId), ()> = TableDefinition::new("family_expiry");
const BY_SUBJECT: TableDefinition<'static, SubjectRow, ()> = TableDefinition::new("families_by_subject");

const FORMAT_KEY: &str = "format";
/// The last assigned cursor. It remains when all entries are deleted.
const CURSOR_KEY: &str = "cursor";
/// [`RevocationLog::confirmed_time`](crate::store::RevocationLog::confirmed_time), in seconds since the epoch.
const CONFIRMED_TIME_KEY: &str = "confirmed_time";

const TOKEN: u8 = 0;
const SESSION: u8 = 1;
const USER: u8 = 2;
const OTHER_GENERATIONS: u8 = 3;
const FORGOTTEN: u8 = 4;

/// A write. Each variant says what its result is.
pub(super) enum Write {
    /// The result is `true`.
    Append(Vec<LoggedRevocation>),
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
    /// Finds out whether the file can be written, after a failure. The result is `true`.
    Test,
    #[cfg(test)]
    Panic,
    #[cfg(test)]
    Unreadable(FamilyId),
}

impl Write {
    /// Whether it is of no use when its caller does not wait for it any more: a new session, and the next token of one.
    pub(super) fn is_for_its_caller_alone(&self) -> bool {
        matches!(self, Self::Insert(_) | Self::Replace(..))
    }

    /// The session that it adds.
    pub(super) fn inserted(&self) -> Option<FamilyId> {
        if let Self::Insert(family) = self { Some(family.id) } else { None }
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
}

/// Creates the tables of a new database. Returns the format of the database; `None` if another program made it.
pub(super) fn prepare(database: &Database) -> Result<Option<u64>, Failure> {
    let transaction = database.begin_write()?;
    if transaction.list_tables()?.next().is_none() {
        Tables::open(&transaction)?.meta.insert(FORMAT_KEY, FORMAT)?;
        transaction.commit()?;
        return Ok(Some(FORMAT));
    }
    let meta = transaction.open_table(META)?;
    let format = meta.get(FORMAT_KEY)?;
    Ok(format.map(|format| format.value()))
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
            Write::Test => self.test(),
            #[cfg(test)]
            Write::Panic => panic!("as a test"),
            #[cfg(test)]
            Write::Unreadable(id) => Ok(self.families.insert(id, b"{".as_slice()).map(|_| true)?),
        }
    }

    fn append(&mut self, entries: &[LoggedRevocation]) -> Result<bool, Failure> {
        let mut cursor = self.meta.get(CURSOR_KEY)?.map_or(0, |last| last.value());
        for entry in entries {
            cursor += 1;
            let keep_until = unix_seconds(entry.keep_until);
            self.log.insert(cursor, log_row(&entry.revocation, keep_until))?;
            self.log_expiry.insert((keep_until, cursor), ())?;
        }
        self.meta.insert(CURSOR_KEY, cursor)?;
        Ok(true)
    }

    fn drop_entries(&mut self, now: i64) -> Result<bool, Failure> {
        for _ in 0..MAX_DROPPED {
            let Some((keep_until, cursor)) = expired(&self.log_expiry, now)? else { return Ok(false) };
            self.log_expiry.remove((keep_until, cursor))?;
            self.log.remove(cursor)?;
        }
        Ok(expired(&self.log_expiry, now)?.is_some())
    }

    /// The next cursors are far behind those that were assigned before a failure: if the last writes are lost, no reader that has read
    /// them misses the next ones.
    fn test(&mut self) -> Result<bool, Failure> {
        const STEP: u64 = 1 << 20;
        let cursor = self.meta.get(CURSOR_KEY)?.map_or(0, |last| last.value());
        self.meta.insert(CURSOR_KEY, cursor.saturating_add(STEP))?;
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

pub(super) fn log_page(transaction: &ReadTransaction, after: u64, limit: usize) -> Result<LogPage, Failure> {
    let log = transaction.open_table(LOG)?;
    let mut page = LogPage { entries: Vec::new(), cursor: after };
    for row in log.range(after.saturating_add(1)..)?.take(limit) {
        let (cursor, row) = row?;
        page.entries.push(from_log_row(row.value())?);
        page.cursor = cursor.value();
    }
    Ok(page)
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

fn log_row(revocation: &Revocation, keep_until: i64) -> (&str, u8, &str, i64, i64) {
    match revocation {
        Revocation::Token { issuer, token_id } => (issuer, TOKEN, token_id, 0, keep_until),
        Revocation::Session { issuer, session_id } => (issuer, SESSION, session_id, 0, keep_until),
        Revocation::User { issuer, subject, issued_at_or_before } => {
            (issuer, USER, subject, unix_seconds(*issued_at_or_before), keep_until)
        }
        Revocation::OtherGenerations { issuer, subject, generation } => {
            (issuer, OTHER_GENERATIONS, subject, i64::from(*generation), keep_until)
        }
        Revocation::Forgotten { issuer, subject } => (issuer, FORGOTTEN, subject, 0, keep_until),
    }
}

fn from_log_row(row: (&str, u8, &str, i64, i64)) -> Result<LoggedRevocation, Failure> {
    let (issuer, kind, id, value, keep_until) = row;
    let (issuer, id) = (issuer.to_owned(), id.to_owned());
    let revocation = match kind {
        TOKEN => Revocation::Token { issuer, token_id: id },
        SESSION => Revocation::Session { issuer, session_id: id },
        USER => Revocation::User { issuer, subject: id, issued_at_or_before: from_unix_seconds(value) },
        OTHER_GENERATIONS => {
            let generation = u32::try_from(value).map_err(|error| unreadable("a revocation", &error))?;
            Revocation::OtherGenerations { issuer, subject: id, generation }
        }
        FORGOTTEN => Revocation::Forgotten { issuer, subject: id },
        // Not skipped: a revocation of an unknown kind would not be enforced.
        other => return Err(unreadable("a revocation", &format_args!("its kind is {other}"))),
    };
    Ok(LoggedRevocation { revocation, keep_until: from_unix_seconds(keep_until) })
}

fn from_json(row: &[u8]) -> Result<RefreshTokenFamily, Failure> {
    serde_json::from_slice(row).map_err(|error| unreadable("a family", &error))
}

fn unreadable(row: &str, error: &dyn Display) -> Failure {
    Failure::Content(format!(
        "the row of {row} can't be read ({error}): a newer version of the program may have written it"
    ))
}
