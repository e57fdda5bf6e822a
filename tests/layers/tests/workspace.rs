//! The layers test on the crates of this workspace.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use auth_tests_layers::{Crate, Layers, circles};
use serde_json::Value;

/// Of a library, and of the program of an example.
const LINES_OF_A_FILE: usize = 400;
const LINES_OF_A_TEST_FILE: usize = 600;
const LINES_OF_A_FUNCTION: usize = 60;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// A crate, by the name of its package and the kind of its target.
struct Target {
    package: String,
    kind: String,
    sources: Crate,
}

impl Target {
    /// Its functions and files are those of tests.
    fn is_for_tests(&self) -> bool {
        self.package.starts_with("auth-tests") || self.kind == "test"
    }
}

/// Every crate of the workspace but build scripts.
static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(targets);

fn runtime() -> &'static Crate {
    let runtime = TARGETS.iter().find(|target| target.sources.name == "auth_runtime");
    &runtime.unwrap().sources
}

fn targets() -> Vec<Target> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.flat_map(|package| {
        let targets = package["targets"].as_array().unwrap().iter();
        targets.map(|target| (text(&package["name"]), text(&target["kind"][0]), target))
    });
    let targets = targets.filter(|(_, kind, _)| kind != "custom-build").map(|(package, kind, target)| {
        let path = PathBuf::from(text(&target["src_path"]));
        let path = path.strip_prefix(root()).unwrap();
        let read = |path: &Path| fs::read_to_string(root().join(path)).ok();
        Target { package, kind, sources: Crate::read(&text(&target["name"]), path, &read) }
    });
    targets.collect()
}

#[track_caller]
fn assert_none(errors: &[String]) {
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
}

#[test]
fn no_modules_form_a_circle() {
    let libraries = TARGETS.iter().filter(|target| target.kind != "test");
    assert_none(&libraries.flat_map(|target| circles(&target.sources, &[])).collect::<Vec<_>>());
}

#[test]
fn no_files_of_openapi_and_of_policy_form_a_circle() {
    let errors = ["openapi", "policy"].map(|folder| {
        assert!(runtime().modules.keys().any(|path| path.len() == 2 && path[0] == folder), "{folder}");
        circles(runtime(), &[folder.to_owned()])
    });
    assert_none(&errors.concat());
}

/// The table is that of CONTRIBUTING.
#[test]
fn no_module_uses_one_of_a_layer_above_its_own() {
    let layers = Layers::read(&fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap()).unwrap();
    assert_none(&layers.errors(runtime()));
}

#[test]
fn functions_are_short() {
    let mut errors = Vec::new();
    for target in TARGETS.iter().filter(|target| !target.is_for_tests()) {
        for module in target.sources.modules.values() {
            let long = module.functions.iter().filter(|function| function.lines > LINES_OF_A_FUNCTION);
            errors.extend(long.map(|long| {
                let place = format!("{}:{}", module.file.display(), long.line);
                format!(
                    "{place}: `{}` has {} lines, and may have {LINES_OF_A_FUNCTION}",
                    long.name, long.lines
                )
            }));
        }
    }
    assert_none(&errors);
}

#[test]
fn files_are_short() {
    let (mut files, mut libraries) = (BTreeSet::new(), BTreeSet::new());
    for target in TARGETS.iter() {
        let own = target.sources.modules.values().map(|module| module.file.clone());
        let own: BTreeSet<_> = own.collect();
        if !target.is_for_tests() {
            libraries.extend(own.clone());
        }
        files.extend(own);
    }
    for folder in ["auth-analysis", "auth-macros", "auth-runtime", "benches", "examples", "fuzz", "tests"] {
        sources(&root().join(folder), &mut files);
    }
    let mut errors = Vec::new();
    for file in &files {
        let lines = fs::read_to_string(root().join(file)).unwrap().lines().count();
        let most = if libraries.contains(file) { LINES_OF_A_FILE } else { LINES_OF_A_TEST_FILE };
        if lines > most {
            errors.push(format!("{}: {lines} lines, and may have {most}", file.display()));
        }
    }
    assert!(
        files.len() > 200 && libraries.len() > 90,
        "{} files, {} of libraries",
        files.len(),
        libraries.len()
    );
    assert_none(&errors);
}

/// All Rust files below a folder, but those that cargo made.
fn sources(folder: &Path, to: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "target" {
            sources(&path, to);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            to.insert(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
}
