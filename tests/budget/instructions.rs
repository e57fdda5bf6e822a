//! Instructions, by what callgrind writes. Its format: <https://valgrind.org/docs/manual/cl-format.html>

use std::collections::HashMap;
use std::path::Path;

use crate::valgrind::run;

/// A part of the name of every function and of every folder of the library that has the cryptography.
const CRYPTOGRAPHY: [&str; 2] = ["aws_lc", "aws-lc"];

/// The instructions of a run.
#[derive(Clone, Copy)]
pub(crate) struct Instructions {
    pub(crate) all: u64,
    /// Those of the program itself, without cryptography.
    pub(crate) own: u64,
}

impl Instructions {
    pub(crate) fn of_run(program: &Path, arguments: &[&str], requests: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out");
        let out = format!("--callgrind-out-file={}", file.display());
        run(&["--tool=callgrind", &out], program, arguments, requests);
        Self::read(&std::fs::read_to_string(&file).unwrap(), program)
    }

    pub(crate) fn since(self, other: Self) -> Self {
        Self { all: self.all - other.all, own: self.own - other.own }
    }

    /// Adds up what the functions take themselves, without what they call.
    fn read(text: &str, program: &Path) -> Self {
        // Callgrind names a file without the links that lead to it.
        let program = program.canonicalize().unwrap();
        let program = program.to_string_lossy();
        let (mut objects, mut files, mut functions) = (Names::default(), Names::default(), Names::default());
        let (mut object, mut file, mut function) = ("", "", "");
        let mut is_of_call = false;
        let mut counted = Self { all: 0, own: 0 };
        for line in text.lines() {
            match line.split_once('=') {
                Some(("ob", name)) => object = objects.name(name),
                Some(("fl" | "fi" | "fe", name)) => file = files.name(name),
                Some(("fn", name)) => function = functions.name(name),
                // A name is written where it is used first, and that may be here.
                Some(("cob", name)) => _ = objects.name(name),
                Some(("cfi" | "cfl", name)) => _ = files.name(name),
                Some(("cfn", name)) => _ = functions.name(name),
                Some(("calls", _)) => is_of_call = true,
                _ if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) => {
                    let count = line.split(' ').nth(1).map_or(0, |count| count.parse().unwrap());
                    if !std::mem::take(&mut is_of_call) {
                        let is_cryptography =
                            CRYPTOGRAPHY.iter().any(|part| function.contains(part) || file.contains(part));
                        counted.all += count;
                        counted.own += if object == program && !is_cryptography { count } else { 0 };
                    }
                }
                _ => {}
            }
        }
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        assert_eq!(total.map(str::trim), Some(&*counted.all.to_string()), "the functions make up the run");
        assert!(counted.own > 0, "nothing is of {program}");
        counted
    }
}

/// A name is written once, behind its number, and is the number alone after that: `(1) main`, `(1)`.
#[derive(Default)]
struct Names<'t>(HashMap<&'t str, &'t str>);

impl<'t> Names<'t> {
    fn name(&mut self, text: &'t str) -> &'t str {
        match text.split_once(' ') {
            Some((number, name)) if number.starts_with('(') => {
                self.0.insert(number, name);
                name
            }
            _ => self.0.get(text).copied().unwrap_or(text),
        }
    }
}
