//! Files that an earlier version of the program has written.

use ::redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::failure::Failure;
use super::tables::{LOG, unreadable};
use crate::clock::from_unix_seconds;
use crate::store::{LoggedRevocation, Note, Revocation};

/// The format in which the log had a column for each part of a revocation.
pub(super) const FORMAT_1: u64 = 1;

/// Issuer, kind, id or subject, `issued_at_or_before` of a user or a generation or 0, `keep_until`. Times are in seconds since the
/// epoch.
type LogRow = (&'static str, u8, &'static str, i64, i64);

const LOG_1: TableDefinition<'static, u64, LogRow> = TableDefinition::new("log");

/// Writes the log anew. No reader knows a position in it: a file is open once.
pub(super) fn from_format_1(transaction: &WriteTransaction) -> Result<(), Failure> {
    {
        let (old, mut new) = (transaction.open_table(LOG_1)?, transaction.open_table(LOG)?);
        for row in old.iter()? {
            let (sequence, row) = row?;
            let (issuer, kind, id, value, keep_until) = row.value();
            let revocation = revocation_of((issuer, kind, id, value))?;
            let (tag, note) = (sequence.value(), Note::default());
            let logged =
                LoggedRevocation { revocation, keep_until: from_unix_seconds(keep_until), tag, note };
            let entry = logged.to_entry();
            new.insert(sequence.value(), (entry.tag, keep_until, entry.bytes.as_slice()))?;
        }
    }
    transaction.delete_table(LOG_1)?;
    tracing::info!("auth: the store was written by an earlier version, and is now of the format of this one");
    Ok(())
}

fn revocation_of((issuer, kind, id, value): (&str, u8, &str, i64)) -> Result<Revocation, Failure> {
    let (issuer, id) = (issuer.to_owned(), id.to_owned());
    Ok(match kind {
        0 => Revocation::Token { issuer, token_id: id },
        1 => Revocation::Session { issuer, session_id: id },
        2 => Revocation::User { issuer, subject: id, issued_at_or_before: from_unix_seconds(value) },
        3 => {
            let generation = u32::try_from(value).map_err(|error| unreadable("a revocation", &error))?;
            Revocation::OtherGenerations { issuer, subject: id, generation }
        }
        4 => Revocation::Forgotten { issuer, subject: id },
        // Not skipped: a revocation of an unknown kind would not be enforced.
        other => return Err(unreadable("a revocation", &format_args!("its kind is {other}"))),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use ::redb::{Database, TableDefinition};

    use super::LOG_1;
    use crate::store::redb::RedbStore;
    use crate::store::{EntryMeaning, LogCursor, LogRead, Revocation, RevocationLog};

    /// A file as the program before wrote it, with the tables that it had.
    fn write_format_1(path: &std::path::Path) {
        let database = Database::create(path).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut meta = transaction.open_table(TableDefinition::<&str, u64>::new("meta")).unwrap();
            for (key, value) in [("format", 1), ("cursor", 9), ("confirmed_time", 77)] {
                meta.insert(key, value).unwrap();
            }
            let mut log = transaction.open_table(LOG_1).unwrap();
            let mut expiry =
                transaction.open_table(TableDefinition::<(i64, u64), ()>::new("log_expiry")).unwrap();
            for (sequence, row) in [
                (3, ("i", 0, "t", 0, 100)),
                (4, ("i", 1, "s", 0, 200)),
                (7, ("i", 2, "u", 55, 300)),
                (8, ("i", 3, "u", i64::from(u32::MAX), 400)),
                (9, ("i", 4, "u", 0, 500)),
            ] {
                log.insert(sequence, row).unwrap();
                expiry.insert((row.4, sequence), ()).unwrap();
            }
            transaction.open_table(TableDefinition::<[u8; 16], &[u8]>::new("families")).unwrap();
            transaction.open_table(TableDefinition::<(i64, [u8; 16]), ()>::new("family_expiry")).unwrap();
            let by_subject = TableDefinition::<(&str, &str, [u8; 16]), ()>::new("families_by_subject");
            transaction.open_table(by_subject).unwrap();
        }
        transaction.commit().unwrap();
    }

    #[tokio::test]
    async fn a_file_of_format_1_has_its_revocations() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        write_format_1(&path);
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let (issuer, subject) = (|| "i".to_owned(), || "u".to_owned());
        let expected = [
            (Revocation::Token { issuer: issuer(), token_id: "t".into() }, at(100)),
            (Revocation::Session { issuer: issuer(), session_id: "s".into() }, at(200)),
            (Revocation::User { issuer: issuer(), subject: subject(), issued_at_or_before: at(55) }, at(300)),
            (
                Revocation::OtherGenerations { issuer: issuer(), subject: subject(), generation: u32::MAX },
                at(400),
            ),
            (Revocation::Forgotten { issuer: issuer(), subject: subject() }, at(500)),
        ];
        // When it is opened the first time, and when it has the new format.
        for _ in 0..2 {
            let store = RedbStore::open(&path).unwrap();
            let LogRead::Page(page) = RevocationLog::read(&store, LogCursor::START, 10).await.unwrap() else {
                panic!("of a start")
            };
            let found = page.entries.iter().map(|entry| match entry.meaning() {
                EntryMeaning::Known(revocation) => (revocation, entry.keep_until),
                other => panic!("{other:?}"),
            });
            assert_eq!(found.collect::<Vec<_>>(), expected);
            assert_eq!(page.cursor.sequence, 9);
            assert_eq!(store.confirmed_time().await.unwrap(), Some(at(77)));
        }
        let store = RedbStore::open(&path).unwrap();
        assert!(!RevocationLog::drop_expired(&store, at(301)).await.unwrap());
        let LogRead::Page(page) = RevocationLog::read(&store, LogCursor::START, 10).await.unwrap() else {
            panic!("of a start")
        };
        assert_eq!(page.entries.len(), 2, "entries of the old format expire as the new ones do");
    }
}
