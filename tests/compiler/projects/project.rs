//! A cargo project in a temporary folder, and what cargo says of it.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

/// The dependency on this workspace, as a line of a manifest.
pub(crate) const DEPENDENCY: &str =
    concat!("auth-runtime = { path = '", env!("CARGO_MANIFEST_DIR"), "/../../auth-runtime' }\n");

/// A package's manifest, up to its dependencies. Tests run at once in one folder of build output, so names are unique.
pub(crate) fn package(name: &str) -> String {
    let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    format!("{package}[dependencies]\n{DEPENDENCY}")
}

/// The manifest, as that of a workspace's root.
pub(crate) fn root(package: &str) -> String {
    format!("[workspace]\n{package}")
}

/// The cargo that runs this test, without what it or CI set for this workspace alone.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CLIPPY_CONF_DIR"] {
        cargo.env_remove(variable);
    }
    cargo
}

/// Where the projects are built: one folder for all, so that what they depend on is checked once; in the one that this test
/// was built into, so that a second run finds it; and not that one itself, where it would wait for a build that is
/// running and gain nothing, since tests have other features and `cargo check` other output.
fn build_output() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("tests/projects")
}

/// Written once by each process.
fn prepared_config() -> &'static Path {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let file = build_output().join("prepared.toml");
        crate::prepared::write_config(&file);
        file
    });
    &FILE
}

pub(crate) struct Project {
    folder: TempDir,
    /// Files whose time lies ahead until cargo has seen it.
    edited: RefCell<Vec<PathBuf>>,
}

impl Project {
    /// Beside each root of a workspace is put this workspace's Cargo.lock, so that nothing new is resolved.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), edited: RefCell::default() };
        for (path, text) in files {
            let path = project.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            if path.ends_with("Cargo.toml") {
                let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
                fs::copy(lock, path.with_file_name("Cargo.lock")).unwrap();
            }
        }
        project
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes the file, at a time that is later than the last check however coarse the file system's clock is.
    pub(crate) fn edit(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::write(&path, text).unwrap();
        set_modified(&path, SystemTime::now() + Duration::from_secs(10));
        self.edited.borrow_mut().push(path);
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// Where `part` is in the file. It is there once.
    #[track_caller]
    pub(crate) fn place(&self, path: &str, part: &str) -> Place {
        let file = self.path(path);
        let text = fs::read_to_string(&file).unwrap();
        let mut lines = text.lines().zip(1..).filter_map(|(line, number)| Some((line.find(part)?, number)));
        let (column, line) = lines.next().unwrap();
        assert_eq!(text.matches(part).count(), 1, "{part} in {path}");
        Place { file, line, columns: (column as u64 + 1, (column + part.len()) as u64 + 1) }
    }

    /// `cargo check` of the workspace at the root of the project.
    pub(crate) fn check(&self) -> Checked {
        self.check_in("")
    }

    pub(crate) fn check_in(&self, folder: &str) -> Checked {
        self.run("check", folder)
    }

    pub(crate) fn clippy(&self) -> Checked {
        self.run("clippy", "")
    }

    /// What the compiler says of the whole workspace, as it says it.
    pub(crate) fn messages(&self, command: &str) -> Vec<Value> {
        let output = run_cargo(command, &self.path(""));
        let lines = String::from_utf8(output.stdout).unwrap();
        let messages = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let messages = messages.filter(|message| message["reason"] == "compiler-message");
        messages.map(|mut message| message["message"].take()).collect()
    }

    fn run(&self, command: &str, folder: &str) -> Checked {
        let folder = self.path(folder);
        let output = run_cargo(command, &folder);
        // Once cargo has seen that they changed, they are no newer than what it made of them.
        for path in self.edited.take().iter().filter(|path| path.exists()) {
            set_modified(path, SystemTime::now() - Duration::from_secs(3600));
        }
        let mut checked = Checked {
            success: output.status.success(),
            told: Vec::new(),
            compiled: Vec::new(),
            rest: String::from_utf8(output.stderr).unwrap(),
        };
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            let is_own = Path::new(message["manifest_path"].as_str().unwrap_or_default())
                .starts_with(self.folder.path());
            match message["reason"].as_str().unwrap() {
                "compiler-message" => checked.note(&message["message"], &folder),
                "compiler-artifact" if is_own && message["fresh"] == false => {
                    checked.compiled.push(message["target"]["name"].as_str().unwrap().replace('_', "-"));
                }
                _ => {}
            }
        }
        checked.compiled.sort();
        checked
    }

    /// Packages the crate in `folder`, and unpacks it into a folder in `place`. Returns the names of its files.
    pub(crate) fn package(&self, folder: &str, name: &str, place: &str) -> String {
        // It would be built with an auth-runtime from the registry, where there is none yet.
        let without_building = ["--no-verify", "--exclude-lockfile"];
        let packaged = cargo()
            .args(["package", "--offline", "--allow-dirty"])
            .args(without_building)
            .arg("--target-dir")
            .arg(build_output())
            .current_dir(self.path(folder))
            .output()
            .unwrap();
        assert!(packaged.status.success(), "{}", String::from_utf8_lossy(&packaged.stderr));
        fs::create_dir_all(self.path(place)).unwrap();
        let unpacked = Command::new("tar")
            // With the times of now: those in a package are always the same, and an earlier run would count.
            .arg("-xzvmf")
            .arg(build_output().join(format!("package/{name}-0.1.0.crate")))
            .current_dir(self.path(place))
            .output()
            .unwrap_or_else(|error| panic!("tar can't be started: {error}. `bash tests/run` installs it"));
        assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
        String::from_utf8(unpacked.stdout).unwrap()
    }
}

fn run_cargo(command: &str, folder: &Path) -> Output {
    cargo()
        .args([command, "--offline", "--workspace", "--keep-going", "--message-format=json"])
        .arg("--config")
        .arg(prepared_config())
        .arg("--target-dir")
        .arg(build_output())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn set_modified(path: &Path, time: SystemTime) {
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

/// What cargo said.
#[derive(Debug)]
#[allow(dead_code, reason = "`rest` is for the reader of a failure")]
pub(crate) struct Checked {
    pub(crate) success: bool,
    /// What has a place in a file.
    pub(crate) told: Vec<Told>,
    /// The crates of the project that were compiled now, with success.
    pub(crate) compiled: Vec<String>,
    pub(crate) rest: String,
}

#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) place: Place,
    /// Beginning with `error: ` or `warning: `.
    pub(crate) message: String,
    pub(crate) notes: Vec<String>,
    /// All of it, as a person reads it.
    pub(crate) rendered: String,
}

/// Lines and columns count from 1; the second column is the one behind the last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    line: u64,
    columns: (u64, u64),
}

impl Place {
    /// The last columns of it.
    pub(crate) fn last(mut self, columns: usize) -> Self {
        self.columns.0 = self.columns.1 - columns as u64;
        self
    }

    /// All of it but the last column.
    pub(crate) fn without_last(mut self) -> Self {
        self.columns.1 -= 1;
        self
    }
}

impl Checked {
    fn note(&mut self, message: &Value, folder: &Path) {
        // A note by itself repeats an error from elsewhere.
        if message["level"] == "note" {
            return;
        }
        let spans = message["spans"].as_array().unwrap().iter().filter(|span| span["is_primary"] == true);
        let text = |message: &Value| message["message"].as_str().unwrap().to_owned();
        let notes: Vec<_> = message["children"].as_array().unwrap().iter().map(text).collect();
        for span in spans {
            let number = |key: &str| span[key].as_u64().unwrap();
            assert_eq!(number("line_start"), number("line_end"), "{message}");
            self.told.push(Told {
                place: Place {
                    file: folder.join(span["file_name"].as_str().unwrap()),
                    line: number("line_start"),
                    columns: (number("column_start"), number("column_end")),
                },
                message: format!("{}: {}", message["level"].as_str().unwrap(), text(message)),
                notes: notes.clone(),
                rendered: message["rendered"].as_str().unwrap_or_default().to_owned(),
            });
        }
    }

    /// These, and nothing else: at the place, a message that has these words.
    #[track_caller]
    pub(crate) fn assert_told(&self, expected: &[(Place, &str)]) {
        let mut expected: Vec<_> = expected.iter().collect();
        expected.sort();
        let mut told: Vec<_> = self.told.iter().collect();
        told.sort_by_key(|told| &told.place);
        let places: Vec<_> = told.iter().map(|told| &told.place).collect();
        assert_eq!(places, expected.iter().map(|(place, _)| place).collect::<Vec<_>>(), "{self:#?}");
        for (told, (_, message)) in told.iter().zip(expected) {
            assert!(told.message.contains(message), "{message}: {told:#?}");
        }
    }
}
