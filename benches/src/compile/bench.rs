//! Cargo, run for one of the crates.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use crate::crates::Crate;

/// `cutime` and `cstime` count these, on every architecture that Rust knows but two historical ones.
const TICKS_A_SECOND: f64 = 100.0;

pub struct Bench {
    pub crates: PathBuf,
    pub target: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Check,
    Build,
    Release,
}

impl Task {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Check => &["check"],
            Self::Build => &["build"],
            Self::Release => &["build", "--release"],
        }
    }
}

/// What a run took, and found.
pub struct Ran {
    /// CPU time.
    pub seconds: f64,
    /// Rules that are over the analysis' budget, each with a warning.
    pub unanalysed: usize,
}

impl Bench {
    /// Runs cargo for the crate as if it had just been edited.
    pub fn run(&self, task: Task, of: Crate) -> Ran {
        let name = of.name();
        let source = self.crates.join(&name).join("src/lib.rs");
        let touched =
            File::options().append(true).open(&source).and_then(|file| file.set_modified(SystemTime::now()));
        touched.expect("a source file");

        let before = cpu_of_children();
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(task.arguments())
            .args(["--offline", "--color", "never", "-j1", "-p", &name])
            .arg("--target-dir")
            .arg(&self.target)
            .current_dir(&self.crates)
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .expect("cargo");
        let seconds = cpu_of_children() - before;

        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        let verb = if task == Task::Check { "Checking" } else { "Compiling" };
        assert!(told.contains(&format!("{verb} {name} ")), "nothing was done: {told}");
        let warnings = told.lines().filter(|line| line.starts_with("warning: use of ")).count();
        let unanalysed = told.lines().filter(|line| line.contains("::rule_not_analyzed`")).count();
        assert_eq!(warnings, unanalysed, "a rule with a part that changes nothing: {told}");
        Ran { seconds, unanalysed }
    }

    /// The bytes of a program, stripped.
    pub fn size(&self, of: Crate) -> u64 {
        self.run(Task::Release, of);
        fs::metadata(self.target.join("release").join(of.name())).expect("a program").len()
    }
}

/// User and system time of the children that have ended, and of theirs.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    // proc(5): the third field comes behind the name in parentheses; `cutime` and `cstime` are the 16th and the 17th.
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let ticks: u64 =
        fields.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
    ticks as f64 / TICKS_A_SECOND
}
