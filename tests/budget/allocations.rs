//! Allocations, by the trace that Valgrind prints of them.

use std::collections::BTreeMap;
use std::path::Path;

/// The allocations of a run: how many there are of each size.
pub(crate) struct Allocations(BTreeMap<u64, u64>);

impl Allocations {
    pub(crate) fn of_run(program: &Path, arguments: &[&str], requests: u64) -> Self {
        // What the tool itself would write is not read.
        let options = ["--tool=dhat", "--dhat-out-file=/dev/null", "--trace-malloc=yes"];
        let output = crate::run(&options, program, arguments, requests);
        let trace = String::from_utf8_lossy(&output.stderr);
        let mut sizes = BTreeMap::new();
        for size in trace.lines().filter_map(size) {
            *sizes.entry(size).or_default() += 1;
        }
        assert!(
            !sizes.is_empty(),
            "Valgrind prints no allocation, or in another form than `malloc(1) = 0x1`:\n{trace}"
        );
        Self(sizes)
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The largest size of which there are at least so many more than in another run.
    pub(crate) fn largest_since(&self, other: &Self, more: u64) -> u64 {
        let before = |size| other.0.get(size).copied().unwrap_or_default();
        let sizes = self.0.iter().filter(|(size, count)| **count >= before(size) + more);
        sizes.map(|(size, _)| *size).max().unwrap_or_default()
    }
}

/// The bytes that are allocated by a call: `--7-- malloc(24) = 0x1`, `--7-- realloc(0x1,48) = 0x2`, `--7-- memalign(al 64, size 128) = 0x3`.
fn size(line: &str) -> Option<u64> {
    let (function, arguments) = line.strip_prefix("--")?.split_once("-- ")?.1.split_once('(')?;
    let (arguments, _) = arguments.split_once(')')?;
    let numbers = arguments.split(',').map(|argument| argument.rsplit(' ').next()?.parse::<u64>().ok());
    let numbers: Vec<Option<u64>> = numbers.collect();
    match (function, &numbers[..]) {
        ("calloc", [Some(count), Some(size)]) => Some(count * size),
        ("malloc", [size]) | ("realloc" | "memalign" | "posix_memalign" | "aligned_alloc", [_, size]) => {
            *size
        }
        _ => None,
    }
}
