//! The messages of the compiler, as a user reads them.

use std::fs;
use std::path::PathBuf;

use trybuild::TestCases;

#[test]
#[cfg_attr(
    not(messages_are_of_this_compiler),
    ignore = "needs Rust 1.95, whose messages tests/ui has: rustup run 1.95 bash tests/run"
)]
fn messages() {
    if cfg!(not(messages_are_of_this_compiler)) {
        panic!(
            "the messages in tests/ui are those of Rust 1.95: `rustup run 1.95 bash tests/run` runs this test with it"
        );
    }
    with_file(None, |cases| {
        for class in [
            "words",
            "access",
            "check",
            "authenticator",
            "function",
            "rule",
            "routing",
            "vocabulary",
            "store",
            "session",
            "unanalysed",
            "documented",
        ] {
            cases.compile_fail(format!("ui/{class}/*.rs"));
        }
    });
    with_file(Some("ui/auth.toml"), |cases| {
        for class in ["names", "meaning"] {
            cases.compile_fail(format!("ui/{class}/*.rs"));
        }
    });
    for mistaken in ["mistakes", "no_toml", "same_variant"] {
        with_file(Some(&format!("ui/file/{mistaken}.toml")), |cases| {
            cases.compile_fail(format!("ui/file/{mistaken}.rs"));
        });
    }
}

/// What the guide quotes is what the compiler says, but for the path of the file, and for `deny`, by which the cases see warnings.
#[test]
fn the_guide_quotes_messages_as_they_are() {
    let text = |line: &str| {
        let line = line.trim_start().trim_start_matches(|letter: char| letter.is_ascii_digit()).trim();
        let is_place = line.starts_with("-->");
        (!is_place).then(|| line.replacen("warning: ", "error: ", 1))
    };
    let lines = |message: &str| message.lines().filter_map(text).collect::<Vec<_>>();
    let folders = fs::read_dir("ui").unwrap().map(|folder| folder.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| fs::read_dir(folder).unwrap());
    let files =
        files.map(|file| file.unwrap().path()).filter(|path| path.extension() == Some("stderr".as_ref()));
    let messages: Vec<Vec<String>> = files.map(|file| lines(&fs::read_to_string(file).unwrap())).collect();

    let pages = [
        ("../../docs/compile-time.md", 10),
        ("../../docs/guide/attribute.md", 1),
        ("../../docs/guide/vocabulary.md", 4),
    ];
    for (guide, least) in pages {
        let guide = fs::read_to_string(guide).unwrap();
        let fences = guide.split("```text\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let quotes: Vec<&str> =
            fences.filter(|fence| fence.starts_with("error") || fence.starts_with("warning")).collect();
        assert!(quotes.len() >= least, "{}", quotes.len());
        for quote in quotes {
            let quoted = lines(quote);
            let is_said =
                messages.iter().any(|said| said.windows(quoted.len()).any(|window| *window == *quoted));
            assert!(is_said, "no case says\n{quote}");
        }
    }
}

/// Runs `cases` in a crate that has this `auth.toml`, or none.
fn with_file(file: Option<&str>, cases: impl FnOnce(&TestCases)) {
    crate::prepared::write_config(&project().join(".cargo/config.toml"));
    let there = project().join("auth.toml");
    let _ = fs::remove_file(&there);
    if let Some(file) = file {
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
