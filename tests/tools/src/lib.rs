//! Tools that others wrote, which read OpenAPI documents and send requests by them: `openapi-spec-validator`, `@redocly/cli`,
//! `schemathesis`. `bash tests/run` installs them into `target/test-tools`; a test that is run without them fails. And [`Program`], an example
//! as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub use self::program::{Program, bash};

/// What redocly looks at: the recommended rules, and that every operation says its security.
const REDOCLY: &str = "extends: [recommended]\nrules:\n  security-defined: error\n  info-license: off\n";

/// What `schemathesis` is to hold a server to, which is all that a document of this library promises.
pub const CHECKS: &[&str] = &[
    "ignored_auth",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "not_a_server_error",
];

/// The folder into which `tests/run` installs tools: `python/bin` with `python` and its programs, `bin/node`, and `node` with
/// modules of JavaScript.
///
/// # Panics
/// If nothing was installed.
#[track_caller]
pub fn folder() -> PathBuf {
    find_folder().unwrap_or_else(|| {
        panic!("this test needs tools that are not installed: `bash tests/run` installs them and runs it")
    })
}

/// The same folder; `None` if nothing was installed.
pub fn find_folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools");
    // What JavaScript needs is installed last, and is all that is for the examples alone.
    folder.join("node/installed").exists().then_some(folder)
}

/// The tools.
#[derive(Debug)]
pub struct Tools {
    installed: PathBuf,
    /// Where files for them stand, and theirs.
    folder: TempDir,
}

/// What a tool said.
#[derive(Debug)]
pub struct Said {
    /// Whether it found nothing.
    pub is_content: bool,
    /// The command, and what it printed.
    pub text: String,
}

impl Tools {
    /// The tools.
    ///
    /// # Panics
    /// If they are not installed.
    #[track_caller]
    pub fn installed() -> Self {
        let installed = folder();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("redocly.yaml"), REDOCLY).unwrap();
        Self { installed, folder }
    }

    /// Asserts that both validators find no error in these documents, by the name of their file.
    ///
    /// # Panics
    /// If one does.
    #[track_caller]
    pub fn assert_valid<'d>(&self, documents: impl IntoIterator<Item = (&'d str, String)>) {
        let files: Vec<PathBuf> =
            documents.into_iter().map(|(name, document)| self.file(name, &document)).collect();
        for said in [self.spec_validator(&files), self.redocly(&files)] {
            assert!(said.is_content, "{}", said.text);
        }
    }

    /// A file of this name.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    }

    /// What `openapi-spec-validator` says of these files.
    pub fn spec_validator(&self, files: &[PathBuf]) -> Said {
        self.run("python/bin/openapi-spec-validator", |command| command.args(files))
    }

    /// What `redocly lint` says of these files.
    pub fn redocly(&self, files: &[PathBuf]) -> Said {
        self.run("node/node_modules/.bin/redocly", |command| {
            command.arg("lint").args(files).env("REDOCLY_TELEMETRY", "off").env("CI", "true")
        })
    }

    /// What `schemathesis` says of a server, by the document that it serves at this URL. The header has the credential.
    pub fn schemathesis(&self, url: &str, header: &str, checks: &[&str], arguments: &[&str]) -> Said {
        self.run("python/bin/schemathesis", |command| {
            command
                .args(["run", url, "--header", header])
                .args(["--checks", &checks.join(","), "--max-examples", "10", "--seed", "1", "--no-color"])
                .args(arguments)
        })
    }

    /// What this program of Python's prints.
    pub fn python(&self, program: &str, file: &Path) -> Said {
        self.run("python/bin/python", |command| command.args(["-c", program]).arg(file))
    }

    fn run(&self, tool: &str, arguments: impl FnOnce(&mut Command) -> &mut Command) -> Said {
        let mut command = Command::new(self.installed.join(tool));
        // Redocly's first line asks for `node`: for that one which is new enough for it.
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let paths = [self.installed.join("bin")].into_iter().chain(std::env::split_paths(&paths));
        command.env("PATH", std::env::join_paths(paths).unwrap());
        let output = arguments(&mut command).current_dir(self.folder.path()).output();
        let Output { status, stdout, stderr } =
            output.unwrap_or_else(|error| panic!("{tool}: {error}: `bash tests/run` installs it"));
        let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Said { is_content: status.success(), text: format!("{command:?}\n{stdout}{stderr}") }
    }
}
