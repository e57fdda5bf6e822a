//! The messages of the compiler, as a user reads them.

use std::fs;
use std::path::PathBuf;

use trybuild::TestCases;

/// The compiler that the expectations in `ui/` were written by.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn messages() {
    let version = std::process::Command::new("rustc").arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    if !version.starts_with(COMPILER) {
        println!("not run: the expectations in tests/ui belong to {COMPILER}x, and this is {version}");
        return;
    }
    with_file(None, |cases| {
        for class in ["words", "access", "check", "function", "rule", "routing", "vocabulary", "unanalysed"] {
            cases.compile_fail(format!("ui/{class}/*.rs"));
        }
        cases.pass("ui/pass/*.rs");
    });
    with_file(Some("ui/auth.toml"), |cases| {
        for class in ["names", "meaning"] {
            cases.compile_fail(format!("ui/{class}/*.rs"));
        }
        cases.pass("ui/declared/*.rs");
    });
    for mistaken in ["mistakes", "no_toml", "same_variant"] {
        with_file(Some(&format!("ui/file/{mistaken}.toml")), |cases| {
            cases.compile_fail(format!("ui/file/{mistaken}.rs"));
        });
    }
}

/// Runs `cases` in a crate that has this `auth.toml`, or none.
fn with_file(file: Option<&str>, cases: impl FnOnce(&TestCases)) {
    let there = project().join("auth.toml");
    let _ = fs::remove_file(&there);
    if let Some(file) = file {
        fs::create_dir_all(project()).unwrap();
        fs::copy(file, &there).unwrap();
    }
    let all = TestCases::new();
    cases(&all);
    drop(all);
    let _ = fs::remove_file(there);
}

/// The crate that trybuild makes for the cases, in the folder of build output that this test was built into.
fn project() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("tests/trybuild").join(env!("CARGO_PKG_NAME"))
}
