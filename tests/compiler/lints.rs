//! Lints of the user's: none fires from an expansion. All lints of this compiler and of clippy are on, in a crate with every form of
//! the macros, and what they report is compared with what they report of the same crate without the macros.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::projects::project::{Project, cargo, package};

const EVERY_FORM: &str = include_str!("lints/every_form.rs");

const AUTH_TOML: &str = r#"
    [roles]
    admin = { description = "Runs the place" }
    editor = {}
    [scopes]
    "article:write" = "Change articles"
    [permissions]
    "invoice.read" = ["editor"]
"#;

/// The lints of this compiler, as it lists them.
fn lints() -> Vec<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let help = String::from_utf8(Command::new(rustc).args(["-W", "help"]).output().unwrap().stdout).unwrap();
    let table = help.split("Lint checks provided by rustc:").nth(1).unwrap();
    let table = table.split("Lint groups provided by rustc:").next().unwrap();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let names = rows.filter(|row| row.len() > 2 && ["allow", "warn", "deny", "forbid"].contains(&row[1]));
    let names: Vec<String> = names.map(|row| row[0].replace('-', "_")).collect();
    assert!(names.len() > 150 && names.iter().any(|name| name == "missing_copy_implementations"), "{help}");
    names
}

/// A macro call's place in the source: the lines from where it begins to where it ends are blank without it.
fn without_macros(source: &str) -> String {
    let attribute = |line: &str| {
        let line = line.trim_start();
        let names = ["auth", "authenticator", "check"];
        names.iter().any(|name| line == format!("#[{name}]") || line.starts_with(&format!("#[{name}(")))
    };
    let mut lines = Vec::new();
    for line in source.lines() {
        if attribute(line) || line.contains("vocabulary!();") {
            lines.push(String::new());
        } else if let Some((before, after)) = line.split_once("rule!(") {
            let end = if after.ends_with(';') { ";" } else { "" };
            lines.push(format!("{before}Rule::authenticated(){end}"));
        } else {
            lines.push(line.replace(", auth, authenticator, check, rule}", "}").replace(", check}", "}"));
        }
    }
    lines.join("\n")
}

/// The crates `with` and `without` the macros, with these attributes.
fn project(name: &str, attributes: &str) -> Project {
    let manifest = |kind: &str| {
        package(&format!("auth-lints-{name}-{kind}"))
            + "axum = { version = \"0.8\", default-features = false }\n"
    };
    Project::new(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"with\", \"without\"]\n"),
        ("with/Cargo.toml", &manifest("with")),
        ("with/auth.toml", AUTH_TOML),
        ("with/src/lib.rs", &format!("{attributes}\n{EVERY_FORM}")),
        ("without/Cargo.toml", &manifest("without")),
        ("without/src/lib.rs", &format!("{attributes}\n{}", without_macros(EVERY_FORM))),
    ])
}

/// Name of a lint, the line, and the text.
type Reported = BTreeSet<(String, u64, String)>;

/// What is said of the crate in `folder`.
fn reported(messages: &[Value], folder: &str) -> Reported {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = messages.iter().filter_map(|message| {
        let mut spans = message["spans"].as_array()?.iter().filter(|span| span["is_primary"] == true);
        let span = spans.find(|span| text(&span["file_name"]).starts_with(&format!("{folder}/")))?;
        Some((text(&message["code"]["code"]), span["line_start"].as_u64()?, text(&message["message"])))
    });
    found.collect()
}

#[test]
#[ignore = "needs clippy: bash tests/run"]
fn no_lint_fires_from_an_expansion() {
    let version = cargo().args(["clippy", "--version"]).output().unwrap();
    assert!(
        version.status.success(),
        "clippy is not installed: `bash tests/run` installs it and runs this test"
    );
    let clippy =
        ["all", "pedantic", "nursery", "cargo", "restriction"].map(|group| format!("clippy::{group}"));
    let all: Vec<String> = lints().into_iter().chain(clippy).collect();
    let messages = project("warn", &format!("#![warn({})]", all.join(", "))).messages("clippy");
    let [with, without] = ["with", "without"].map(|folder| reported(&messages, folder));
    assert!(without.len() > 20, "the lints are on: {without:#?}");
    let new: Vec<_> = with.difference(&without).collect();
    assert!(new.is_empty(), "{new:#?}");
}

/// What an expansion allows, a crate can't forbid. Of clippy's it allows two.
#[test]
fn every_lint_can_be_forbidden() {
    let messages = project("forbid", &format!("#![forbid({})]", lints().join(", "))).messages("check");
    let [with, without] = ["with", "without"].map(|folder| reported(&messages, folder));
    let new: Vec<_> = with.difference(&without).collect();
    assert!(new.is_empty(), "{new:#?}");
}
