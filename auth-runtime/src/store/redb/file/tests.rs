use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;
use crate::store::{LogCursor, LogEntry, LogRead};

fn new_file() -> (TempDir, PathBuf, StoreFile) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let file = StoreFile::open(&path, &RedbStoreOptions::default()).unwrap();
    (directory, path, file)
}

fn revoke(id: &str) -> Vec<Write> {
    let keep_until = UNIX_EPOCH + Duration::from_secs(100);
    vec![Write::Append(vec![LogEntry { tag: 1, keep_until, bytes: id.into() }])]
}

/// The number of revocations.
fn count(file: &StoreFile) -> Result<usize, ReadError> {
    file.read(|transaction| tables::log_page(transaction, LogCursor::START, 100))
        .map(|read| read.page().unwrap().entries.len())
}

fn opened(file: &StoreFile) -> &'static str {
    match file.state().opened {
        Opened::Writable(_) => "writable",
        Opened::ReadOnly(_) => "read only",
        Opened::Unreadable => "unreadable",
        Opened::Closed => "closed",
    }
}

#[test]
fn the_error_of_redb_is_the_source() {
    let path = std::env::temp_dir().join("auth-runtime-no-such-directory").join("store.redb");
    let error = StoreFile::open(&path, &RedbStoreOptions::default()).err().unwrap();
    assert!(error.to_string().contains("its directory does not exist"), "{error}");
    let source = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(source, Error::Io(error) if error.kind() == io::ErrorKind::NotFound), "{source:?}");
}

#[test]
fn a_panic_of_redb_is_an_error_and_the_file_is_opened_again() {
    let (_directory, _, file) = new_file();
    file.write(revoke("a")).unwrap();
    let error = file.write(vec![Write::Panic]).unwrap_err().to_string();
    assert!(error.contains("redb panicked: as a test") && error.contains("restart it"), "{error}");
    assert_eq!((opened(&file), file.state().epoch), ("writable", 1));
    file.check(None).unwrap();
    file.write(revoke("b")).unwrap();

    let Err(ReadError { error, failed: Some(epoch) }) =
        file.read(|_| -> Result<(), Failure> { panic!("while reading") })
    else {
        panic!("it was read");
    };
    assert!(error.to_string().contains("while reading"), "{error}");
    file.check(Some((epoch, error.clone()))).unwrap();
    assert_eq!((opened(&file), file.state().epoch), ("writable", epoch + 1));
    // Another read that met the same database comes too late.
    file.check(Some((epoch, error))).unwrap();
    assert_eq!(file.state().epoch, epoch + 1);
    assert_eq!(count(&file).ok(), Some(2));
}

/// While writes go on failing, the file is not read as a whole each time.
#[test]
fn a_write_that_fails_again_waits_with_the_file_open_for_reading() {
    let (_directory, path, file) = new_file();
    file.write(revoke("a")).unwrap();
    file.write(vec![Write::Panic]).unwrap_err();
    file.write(vec![Write::Panic]).unwrap_err();
    assert_eq!((opened(&file), file.state().epoch), ("read only", 2));
    let before = std::fs::read(&path).unwrap();
    for _ in 0..100 {
        let error = file.write(revoke("b")).unwrap_err();
        assert!(error.to_string().contains("as a test"), "it remembers why: {error}");
        assert_eq!(file.check(None).unwrap_err().to_string(), error.to_string());
        assert_eq!(count(&file).ok(), Some(1));
    }
    assert_eq!((opened(&file), file.state().epoch), ("read only", 2), "not before it is time");
    assert_eq!(std::fs::read(&path).unwrap(), before, "nothing is written");

    file.trouble().as_mut().unwrap().next_try = Instant::now();
    file.write(revoke("b")).unwrap();
    assert_eq!((opened(&file), file.state().epoch), ("writable", 3));
    assert!(file.trouble().is_none());
    assert_eq!(count(&file).ok(), Some(2));
    file.close();
    assert_eq!(count(&file).err().unwrap().failed, None);
}

#[test]
fn a_damaged_file_is_named_and_not_written() {
    let (_directory, path, file) = new_file();
    file.write(revoke("a")).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    file.write(vec![Write::Panic]).unwrap_err();
    assert_ne!(opened(&file), "writable");
    let error = file.check(None).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("restore a backup"), "{error}");
    // What can't be read is an error, whatever redb makes of it.
    assert!(count(&file).is_err());
    assert!(file.check(None).is_err());
}

#[test]
#[cfg(unix)]
fn nothing_is_acknowledged_into_a_file_that_is_not_there() {
    use std::fs;
    let (directory, path, file) = new_file();
    let elsewhere = directory.path().join("elsewhere");
    file.write(revoke("a")).unwrap();

    fs::rename(&path, &elsewhere).unwrap();
    for failed in [file.write(revoke("b")).map(drop), file.check(None)] {
        let error = failed.unwrap_err().to_string();
        assert!(error.contains("was deleted or moved") && error.contains("move it back"), "{error}");
    }
    fs::write(&path, "another").unwrap();
    let error = file.write(revoke("b")).unwrap_err().to_string();
    assert!(error.contains("was replaced") && error.contains("stop the service first"), "{error}");
    assert_eq!(count(&file).ok(), Some(1), "reads go on");

    fs::rename(&elsewhere, &path).unwrap();
    file.check(None).unwrap();
    file.write(revoke("b")).unwrap();
    assert_eq!(count(&file).ok(), Some(2));

    // Not even if it is made anew where it was: an empty file would lose the revocations.
    for length in [4096, 0] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        let error = file.write(revoke("c")).unwrap_err().to_string();
        assert!(error.contains("was truncated") && error.contains("restore a copy"), "{error}");
    }
    drop(file);
    assert!(StoreFile::open(&path, &RedbStoreOptions::default()).is_err(), "it is no new store");
}

#[test]
fn a_new_store_can_be_forbidden() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let existing = RedbStoreOptions::default().require_existing();
    let open = |options: &RedbStoreOptions| {
        StoreFile::open(&path, options).map(drop).map_err(|error| error.to_string())
    };
    assert!(open(&existing).unwrap_err().contains("does not exist"));
    std::fs::write(&path, "").unwrap();
    assert!(open(&existing).unwrap_err().contains("it is empty"));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    open(&RedbStoreOptions::default()).unwrap();
    open(&existing).unwrap();
}

#[test]
fn compacting_makes_the_file_smaller() {
    let (_directory, path, file) = new_file();
    for batch in 0..20 {
        let ids = (0..1000).map(|number| revoke(&format!("{batch}-{number}-{}", "x".repeat(100))));
        file.write(ids.flatten().collect()).unwrap();
    }
    while file.write(vec![Write::DropEntries(101)]).unwrap() == [true] {}
    drop(file);
    let length = || std::fs::metadata(&path).unwrap().len();
    let before = length();
    drop(StoreFile::open(&path, &RedbStoreOptions::default()).unwrap());
    // redb gives back what is free at the end of the file when it is closed.
    assert!(length() > before * 3 / 4, "{} of {before}", length());
    let compacted = StoreFile::open(&path, &RedbStoreOptions::default().compact()).unwrap();
    assert!(length() < before / 2, "{} of {before}", length());
    assert_eq!(count(&compacted).ok(), Some(0));
}

/// What is in a row is no matter of the disk: the file is not opened again, and the row can be removed.
#[test]
fn a_row_that_cannot_be_read_is_an_error_of_its_own() {
    let (_directory, _, file) = new_file();
    file.write(vec![Write::Unreadable([7; 16])]).unwrap();
    let failed = file.read(|transaction| tables::family(transaction, [7; 16])).err().unwrap();
    assert!(failed.failed.is_none());
    let text = failed.error.to_string();
    assert!(text.contains("the row of a family can't be read") && text.contains("a newer version"), "{text}");
    assert_eq!((opened(&file), file.state().epoch), ("writable", 0));
    file.check(None).unwrap();
    file.write(vec![Write::Remove(vec![[7; 16]])]).unwrap();
    assert!(file.read(|transaction| tables::family(transaction, [7; 16])).ok().unwrap().is_none());
}

#[test]
fn a_reader_that_has_read_what_a_failure_has_lost_finds_that_out() {
    let (_directory, _, file) = new_file();
    file.write(revoke("a")).unwrap();
    file.write(vec![Write::Test]).unwrap();
    let read = |after| file.read(move |transaction| tables::log_page(transaction, after, 100)).ok().unwrap();
    let cursor = read(LogCursor::START).page().unwrap().cursor;
    assert_eq!(read(cursor).page().unwrap().cursor, cursor, "a test write changes no position");
    for lost in
        [LogCursor { tag: cursor.tag + 1, ..cursor }, LogCursor { sequence: cursor.sequence + 1, tag: 1 }]
    {
        assert_eq!(read(lost), LogRead::AnotherHistory);
    }
}

#[test]
fn a_file_that_was_closed_can_be_opened_while_a_read_holds_the_rest() {
    let (_directory, path, file) = new_file();
    assert!(StoreFile::open(&path, &RedbStoreOptions::default()).is_err(), "it is open");
    file.close();
    StoreFile::open(&path, &RedbStoreOptions::default()).unwrap();
    assert!(file.write(revoke("a")).unwrap_err().to_string().contains("it is closed"));
}

/// As an earlier version has written it, or a program without the feature.
#[test]
#[cfg(feature = "api-keys")]
fn a_file_without_the_tables_of_api_keys_gets_them() {
    use ::redb::TableHandle as _;

    use super::super::api_keys;

    let (_directory, path, file) = new_file();
    file.write(revoke("a")).unwrap();
    drop(file);
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let tables: Vec<_> = transaction.list_tables().unwrap().collect();
    let of_keys = tables.into_iter().filter(|table| table.name().starts_with("api_key"));
    let deleted =
        of_keys.map(|table| transaction.delete_table(table).unwrap()).filter(|deleted| *deleted).count();
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(deleted, 3);

    let file = StoreFile::open(&path, &RedbStoreOptions::default().require_existing()).unwrap();
    assert_eq!(count(&file).ok(), Some(1));
    assert!(file.read(|transaction| api_keys::find(transaction, "id")).ok().unwrap().is_none());
}
