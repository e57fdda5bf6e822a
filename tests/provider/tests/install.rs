//! `tests/run --install-node`, by which the examples install what they start: in a folder of its own, with programs that are stand-ins, so that no
//! registry is asked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const LOCK: &str = "tests/tools/node/package-lock.json";
const PACKAGE: &str = "tests/tools/node/package.json";
const PYTHON: &str = "tests/tools/python/requirements.txt";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A clone, with the programs that are there.
struct Clone {
    folder: TempDir,
}

impl Clone {
    /// With these programs besides those of every system: a name, and what it does.
    fn new(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        for file in ["tests/run", "tests/interop/peer.mjs", LOCK, PACKAGE, PYTHON] {
            let to = folder.path().join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(repository().join(file), to).unwrap();
        }
        fs::create_dir(&bin).unwrap();
        for program in ["bash", "cat", "cmp", "cp", "dirname", "ln", "mkdir", "rm"] {
            let path = std::env::var_os("PATH").unwrap();
            let mut found = std::env::split_paths(&path).map(|folder| folder.join(program));
            symlink(found.find(|file| file.exists()).unwrap(), bin.join(program)).unwrap();
        }
        for (name, text) in programs {
            let file = bin.join(name);
            fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    /// Whether it succeeded, and what it printed.
    fn install(&self) -> (bool, String) {
        let bin = self.folder.path().join("bin");
        let mut command = Command::new(bin.join("bash"));
        command.arg(self.folder.path().join("tests/run")).arg("--install-node").env_clear().env("PATH", bin);
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    fn called(&self) -> String {
        fs::read_to_string(self.folder.path().join("called")).unwrap_or_default()
    }
}

#[test]
fn it_is_installed_once_for_its_versions() {
    let npm = r#"for folder; do :; done
test -f "$folder/package-lock.json" || exit 1
echo "$@" >> "$folder/../../../called"
mkdir -p "$folder/node_modules/oidc-provider""#;
    let clone = Clone::new(&[("node", "exit 0"), ("npm", npm)]);
    let (is_installed, text) = clone.install();
    assert!(is_installed, "{text}");
    assert_eq!(text, "tests/run: installing libraries of JavaScript into target/test-tools\n");
    let called = clone.called();
    assert!(called.starts_with("ci ") && called.contains("--ignore-scripts"), "{called}");
    assert_eq!(clone.install(), (true, String::new()), "it is there");
    assert_eq!(clone.called(), called);
    // Other versions, as after a pull.
    let lock = clone.folder.path().join(LOCK);
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replacen("9.13.3", "9.13.4", 1)).unwrap();
    let (is_installed, text) = clone.install();
    assert!(is_installed && !text.is_empty(), "{text}");
    assert_eq!(clone.called(), called.repeat(2));
}

#[test]
fn it_says_what_to_install_and_leaves_nothing_half_done() {
    let without = "tests/run: install Node.js 20 or newer with npm, or Python 3 with venv, which brings it\n";
    let too_old = [("node", "exit 1"), ("npm", "exit 0")];
    let (no_npm, no_venv) = ([("node", "exit 0")], [("python3", "exit 1")]);
    for programs in [&[][..], &too_old, &no_npm, &no_venv] {
        let clone = Clone::new(programs);
        // A machine may have Python where the script looks for it besides.
        if Path::new("/usr/bin/python3").exists() {
            let script = clone.folder.path().join("tests/run");
            let text = fs::read_to_string(&script).unwrap();
            fs::write(script, text.replace("/usr/bin/python3", "/nowhere/python3")).unwrap();
        }
        assert_eq!(clone.install(), (false, without.to_owned()), "{programs:?}");
    }
    // A registry that does not answer: the next call tries again.
    let clone = Clone::new(&[("node", "exit 0"), ("npm", "echo no network >&2; exit 1")]);
    for _ in 0..2 {
        let (is_installed, text) = clone.install();
        assert!(!is_installed && text.contains("no network"), "{text}");
    }
}

/// What is installed is the same everywhere, and is of the registry that the user has configured.
#[test]
fn every_library_is_pinned_to_the_last_one() {
    let read = |file: &str| fs::read_to_string(repository().join(file)).unwrap();
    let [package, lock]: [Value; 2] = [PACKAGE, LOCK].map(|file| serde_json::from_str(&read(file)).unwrap());
    let named = package["dependencies"].as_object().unwrap();
    let is_exact =
        |version: &str| version.split('.').count() == 3 && !version.contains(['^', '~', '>', '*', ' ']);
    assert!(named.values().all(|version| is_exact(version.as_str().unwrap())), "{named:?}");
    assert_eq!(lock["packages"][""]["dependencies"], package["dependencies"]);
    let installed: Vec<_> =
        lock["packages"].as_object().unwrap().iter().filter(|(path, _)| !path.is_empty()).collect();
    assert!(installed.len() > named.len(), "{installed:?}");
    for (path, library) in installed {
        assert!(is_exact(library["version"].as_str().unwrap()), "{path}");
        assert!(library["integrity"].as_str().unwrap().starts_with("sha512-"), "{path}");
        assert_eq!(library.get("resolved"), None, "{path} names a host");
    }
    let requirements = read(PYTHON);
    let libraries: Vec<&str> = requirements.lines().filter(|line| !line.starts_with('#')).collect();
    for name in ["PyJWT", "joserfc", "openapi-spec-validator", "schemathesis", "cryptography"] {
        assert!(libraries.iter().any(|line| line.starts_with(&format!("{name}=="))), "{name}");
    }
    assert!(
        libraries.iter().all(|line| line.split_once("==").is_some_and(|(_, version)| !version.contains('*')))
    );
}
