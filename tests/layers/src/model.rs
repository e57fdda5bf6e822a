//! A crate as a set of modules, each with what it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The modules of a crate by their paths, without `crate`; the root has an empty one.
#[derive(Debug, Default)]
pub struct Crate {
    /// As it is written in paths, with `_`.
    pub name: String,
    /// What is compiled for tests alone is not among them.
    pub modules: BTreeMap<Vec<String>, Module>,
    /// The file of the root.
    pub root: PathBuf,
    /// Files of modules that are compiled for tests alone.
    pub test_files: BTreeSet<PathBuf>,
}

/// A module.
#[derive(Debug, Default)]
pub struct Module {
    /// The file that it is written in.
    pub file: PathBuf,
    /// What it uses of its own crate, in the order of the file.
    pub uses: Vec<Use>,
    /// Its functions, with those of `impl` and `trait`.
    pub functions: Vec<Function>,
    /// The names of the items that are written in it.
    pub items: BTreeSet<String>,
}

/// A function, and how many lines it has from `fn` to its last brace.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its name.
    pub line: usize,
    /// How many lines it has.
    pub lines: usize,
}

/// A use of another module or of an item in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The line of the file.
    pub line: usize,
    /// The path from the root of the crate, without `crate`.
    pub path: Vec<String>,
    /// By which name a `use` makes it known in the module; `*` where it is all that is there.
    pub known_as: Option<String>,
    /// It is a `use` with a visibility.
    pub is_public: bool,
}
