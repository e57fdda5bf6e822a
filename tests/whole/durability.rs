//! What a store in a file has acknowledged is kept: when its process is killed, and when there is no space for more. And
//! what is said when the file can't be used.

mod acknowledged;
mod child;
mod faults;
mod place;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use auth_runtime::store::RedbStore;
use auth_tests::durable::{Line, Service, limit_file_size};
use tempfile::TempDir;

use self::acknowledged::Acknowledged;
use self::child::{Child, command};

fn new_store() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    (directory, store)
}

fn assert_tells(error: &str, store: &Path, what_to_do: &str) {
    assert!(error.contains(&format!("the store `{}`", store.display())), "{error}");
    assert!(error.contains(what_to_do), "{error}");
}

#[test]
fn what_was_acknowledged_outlives_fifty_kills() {
    let (_directory, store) = new_store();
    let mut all = Acknowledged::default();
    for round in 0..50 {
        let mut child = Child::start(&store, &round.to_string(), &[]);
        // Every fifth is killed while it opens the file.
        let lines = if round % 5 == 4 { 1 } else { 20 + round * 37 % 200 };
        let said: Vec<_> = (0..lines).map(|_| child.line()).collect();
        let mut acknowledged = Acknowledged::default();
        for line in said.into_iter().chain(child.kill()) {
            assert_eq!(acknowledged.note(line), None);
        }
        Service::run(&store, async |service| acknowledged.check(&service).await);
        all.extend(acknowledged);
    }
    let counts = [all.revoked.len(), all.logged_in.len(), all.logged_out.len()];
    assert!(counts.iter().zip([500, 100, 50]).all(|(count, least)| *count > least), "{counts:?}");
    let keys = [all.keys_made.len(), all.keys_revoked.len()];
    assert!(keys.iter().all(|count| *count > 20), "{keys:?}");
    Service::run(&store, async |service| all.check(&service).await);
}

/// Reads on until something could not be recorded `failures` times, each time for want of space, and so many requests were served
/// since the first failure.
fn note_until_full(
    child: &mut Child,
    store: &Path,
    failures: usize,
    requests: usize,
    acknowledged: &mut Acknowledged,
) {
    let (mut failed, mut served) = (0, 0);
    while failed < failures || served < requests {
        let line = child.line();
        served += usize::from(failed > 0 && matches!(line, Line::Served { .. }));
        if let Some(reason) = acknowledged.note(line) {
            assert_tells(&reason, store, "there is no space for it: free space on the disk");
            failed += 1;
        }
    }
}

#[test]
#[ignore = "needs prlimit: bash tests/run"]
fn a_full_disk_is_told_and_costs_nothing_that_was_acknowledged() {
    let (_directory, store) = new_store();
    // In KiB; a new file has about 1000. Long ids fill it soon.
    let limited = ["bash", "-c", "trap '' XFSZ; ulimit -S -f 2000; exec \"$@\"", "bash"];
    let rounds = ["first", "second"].map(|round| round.repeat(100));
    let mut acknowledged = Acknowledged::default();
    let mut child = Child::start(&store, &rounds[0], &limited);
    note_until_full(&mut child, &store, 100, 50, &mut acknowledged);
    for line in child.kill() {
        acknowledged.note(line);
    }

    // It starts on a full disk too, and goes on when there is space.
    let mut child = Child::start(&store, &rounds[1], &limited);
    note_until_full(&mut child, &store, 1, 0, &mut acknowledged);
    limit_file_size(child.id(), "unlimited");
    let before = acknowledged.revoked.len();
    while acknowledged.revoked.len() < before + 100 {
        acknowledged.note(child.line());
    }
    for line in child.kill() {
        assert_eq!(acknowledged.note(line), None, "there is space");
    }
    Service::run(&store, async |service| acknowledged.check(&service).await);
}

/// Also if not a byte could be written for a while, and nothing is written afterwards.
#[test]
#[ignore = "needs prlimit: bash tests/run"]
fn after_a_full_disk_it_is_read_again() {
    let (_directory, store) = new_store();
    let unlimited = ["bash", "-c", "trap '' XFSZ; exec \"$@\"", "bash"];
    let status = command("run-out-of-space", &store, &unlimited).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
}

#[test]
#[ignore = "needs setpriv: bash tests/run"]
fn a_file_that_may_not_be_written_is_named() {
    let (_directory, store) = new_store();
    drop(RedbStore::open(&store).unwrap());
    fs::set_permissions(&store, Permissions::from_mode(0o444)).unwrap();
    // No other user is bound by permissions.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let mut child = Child::start(&store, "0", if is_root { &bound } else { &[] });
    assert!(matches!(child.line(), Line::Opening));
    let Line::NotOpened(reason) = child.line() else { panic!("it was opened") };
    assert_tells(&reason, &store, "give the user of the service the right to read and write the file");
}

#[test]
fn a_file_that_is_open_already_is_named() {
    let (_directory, store) = new_store();
    let _first = RedbStore::open(&store).unwrap();
    let advice =
        "it is open already, and only one process may open it: stop the other one, or give each its own path";
    assert_tells(&RedbStore::open(&store).unwrap_err().to_string(), &store, advice);
    let mut child = Child::start(&store, "0", &[]);
    assert!(matches!(child.line(), Line::Opening));
    let Line::NotOpened(reason) = child.line() else { panic!("it was opened by two processes") };
    assert_tells(&reason, &store, advice);
}
