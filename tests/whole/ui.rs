//! The messages of the compiler, as a user reads them.

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
    let cases = trybuild::TestCases::new();
    for class in ["words", "access", "check", "function", "rule", "routing"] {
        cases.compile_fail(format!("ui/{class}/*.rs"));
    }
    cases.pass("ui/pass/*.rs");
}
