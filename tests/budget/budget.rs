//! A request takes no more than `budget.txt` allows, and the file is kept up where it takes less.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "budget/file.rs"]
mod file;

use std::path::Path;
use std::sync::LazyLock;

use auth_tests_budget::taken;

use self::file::{Budget, Figures};

/// Writes the file, and is how a message says so.
const COMMAND: &str = "BUDGET=write cargo test --locked --workspace --test budget -- --include-ignored";

/// The compiler and the target of this build. Bytes and instructions are theirs: the compiler decides how large a future is.
const TOOLCHAIN: &str = env!("TOOLCHAIN");

/// The compiler that the budget is written by.
const PINNED: &str = concat!("rustc ", env!("CARGO_PKG_RUST_VERSION"), ", x86_64-unknown-linux-gnu");

const PATHS: [&str; 5] = ["public", "known-bearer", "known-cookie", "rule-beside", "verified"];

/// What was counted. With `BUDGET=write` it becomes the budget.
static FOUND: LazyLock<Budget> = LazyLock::new(|| {
    let found = Budget {
        toolchain: TOOLCHAIN.to_owned(),
        paths: std::thread::scope(|scope| {
            let counting = PATHS.map(|path| (path, scope.spawn(move || figures(path))));
            counting.map(|(path, counting)| (path.to_owned(), counting.join().unwrap())).into()
        }),
    };
    if std::env::var_os("BUDGET").is_some_and(|what| what == "write") {
        assert_eq!(
            TOOLCHAIN,
            PINNED,
            "the budget is written by the compiler of `rust-version`: rustup run {} ..",
            env!("CARGO_PKG_RUST_VERSION")
        );
        std::fs::write(file(), found.to_string()).unwrap();
    }
    found
});

fn file() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/budget.txt"))
}

fn figures(path: &str) -> Figures {
    let taken = taken(Path::new(env!("CARGO_BIN_EXE_budget-process")), &[path]);
    Figures { allocations: taken.allocations, bytes: taken.bytes, instructions: taken.own_instructions }
}

#[test]
#[ignore = "needs Valgrind: bash tests/run"]
fn budget_of_allocations() {
    let found = &*FOUND;
    let budget = Budget::read(&std::fs::read_to_string(file()).unwrap());
    assert_none(&budget.differences(found, &[file::ALLOCATIONS]));
}

#[test]
#[ignore = "needs Valgrind: bash tests/run"]
fn budget_of_bytes_and_instructions() {
    let found = &*FOUND;
    let budget = Budget::read(&std::fs::read_to_string(file()).unwrap());
    assert_eq!(
        budget.toolchain, TOOLCHAIN,
        "bytes and instructions in tests/budget/budget.txt are those of {}, and are not compared with those of {TOOLCHAIN}. Where \
         `rust-version` has changed, this writes the file anew: {COMMAND}",
        budget.toolchain
    );
    assert_none(&budget.differences(found, &[file::BYTES, file::INSTRUCTIONS]));
}

#[track_caller]
fn assert_none(differences: &[String]) {
    assert!(
        differences.is_empty(),
        "a request does not take what tests/budget/budget.txt says:\n  {}\nFind out why. If it is to be so, this writes the file anew:\n  {COMMAND}",
        differences.join("\n  ")
    );
}

/// A difference is said with its size, and what is within the budget is none.
#[test]
fn differences_are_said() {
    let text = "rustc 1.95, x86_64-unknown-linux-gnu\n\
                path allocations bytes instructions\n\
                public 8 1000 10000\n";
    let budget = Budget::read(text);
    let differences = |allocations, bytes, instructions| {
        let paths = vec![("public".to_owned(), Figures { allocations, bytes, instructions })];
        let found = Budget { toolchain: budget.toolchain.clone(), paths };
        budget.differences(&found, &[file::ALLOCATIONS, file::BYTES, file::INSTRUCTIONS])
    };
    for (allocations, bytes, instructions) in [(8, 1000, 10_000), (8, 970, 10_300), (8, 1000, 9_700)] {
        assert_eq!(differences(allocations, bytes, instructions), [""; 0]);
    }
    for ((allocations, bytes, instructions), expected) in [
        ((9, 1000, 10_000), "public: allocations are over the budget: at most 8, found 9: +1 (+12.5 %)"),
        (
            (7, 1000, 10_000),
            "public: allocations are below the budget, which is too high: 8, found 7: -1 (-12.5 %)",
        ),
        (
            (8, 1008, 10_000),
            "public: allocated bytes are over the budget: at most 1000, found 1008: +8 (+0.8 %)",
        ),
        (
            (8, 969, 10_000),
            "public: allocated bytes are below the budget, which is too high: 1000, found 969: -31 (-3.1 %)",
        ),
        (
            (8, 1000, 10_301),
            "public: instructions are over the budget: 10000 and 3 % more, found 10301: +301 (+3.0 %)",
        ),
        (
            (8, 1000, 9_699),
            "public: instructions are below the budget, which is too high: 10000, found 9699: -301 (-3.0 %)",
        ),
    ] {
        assert_eq!(differences(allocations, bytes, instructions), [expected]);
    }
    let other = Budget { toolchain: String::new(), paths: vec![("new".to_owned(), budget.paths[0].1)] };
    let expected =
        ["public: it is in the file, and was not counted", "new: it was counted, and is not in the file"];
    assert_eq!(budget.differences(&other, &[]), expected);
}

#[test]
fn what_is_written_is_read() {
    let figures = Figures { allocations: 8, bytes: 1000, instructions: 10_000 };
    let paths = vec![("public".to_owned(), figures), ("known-bearer".to_owned(), figures)];
    let written = Budget { toolchain: PINNED.to_owned(), paths };
    assert_eq!(Budget::read(&written.to_string()), written);
}
