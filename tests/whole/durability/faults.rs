//! A disk that fails for a while, or hangs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use auth_tests::durable::{Line, Service};

use super::acknowledged::Acknowledged;
use super::child::{Child, command};
use super::{assert_tells, new_store};

/// What is preloaded into the process, and the file that says what its disk does.
struct Faults {
    library: PathBuf,
    control: PathBuf,
}

impl Faults {
    fn new(directory: &Path) -> Self {
        let (library, control) = (directory.join("faults.so"), directory.join("faults"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("durable/faults.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
        let status = compiler
            .status()
            .unwrap_or_else(|error| panic!("`cc` can't be started: {error}. `bash tests/run` installs it"));
        assert!(status.success(), "{compiler:?}: {status}");
        let faults = Self { library, control };
        faults.set("well");
        faults
    }

    fn set(&self, state: &str) {
        fs::write(&self.control, state).unwrap();
    }

    /// The command that a process with these faults is started through.
    fn through(&self) -> [String; 3] {
        let [library, control] = [&self.library, &self.control].map(|path| path.display().to_string());
        ["env".to_owned(), format!("LD_PRELOAD={library}"), format!("AUTH_FAULTS={control}")]
    }
}

/// Reads on until `enough` lines of a kind came.
fn note_until(
    child: &mut Child,
    acknowledged: &mut Acknowledged,
    enough: usize,
    mut counts: impl FnMut(&Line) -> bool,
) -> Vec<String> {
    let (mut counted, mut reasons) = (0, Vec::new());
    while counted < enough {
        let line = child.line();
        counted += usize::from(counts(&line));
        reasons.extend(acknowledged.note(line));
    }
    reasons
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs cc: bash tests/run"]
fn after_an_error_of_the_disk_it_writes_again_without_a_restart() {
    let (directory, store) = new_store();
    let faults = Faults::new(directory.path());
    let mut acknowledged = Acknowledged::default();
    let through = faults.through();
    let mut child = Child::start(&store, "round", &through.each_ref().map(|word| &**word));
    for _ in 0..3 {
        note_until(&mut child, &mut acknowledged, 50, |line| matches!(line, Line::Revoked(_)));
        faults.set("fail");
        let reasons = note_until(&mut child, &mut acknowledged, 50, |line| matches!(line, Line::Failed(_)));
        for reason in &reasons {
            assert_tells(reason, &store, "the system could not read or write it: see the log of the system");
        }
        // Good tokens are accepted all the while, and revoked ones are not: `note` looks.
        note_until(&mut child, &mut acknowledged, 20, |line| matches!(line, Line::Served { .. }));
        faults.set("well");
        note_until(&mut child, &mut acknowledged, 50, |line| matches!(line, Line::LoggedOut { .. }));
    }
    for line in child.kill() {
        acknowledged.note(line);
    }
    Service::run(&store, async |service| acknowledged.check(&service).await);
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs cc: bash tests/run"]
fn a_disk_that_hangs_holds_up_no_login_for_longer_than_the_limit() {
    let (directory, store) = new_store();
    let faults = Faults::new(directory.path());
    let through = faults.through();
    let mut process = command("hang", &store, &through.each_ref().map(|word| &**word));
    assert!(process.stdout(Stdio::null()).status().unwrap().success());
}
