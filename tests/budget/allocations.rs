//! Allocations, by the trace that Valgrind prints of them.

use std::path::Path;

use crate::valgrind::run;

/// The allocations of a run.
pub(crate) struct Allocations {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

impl Allocations {
    pub(crate) fn of_run(program: &Path, arguments: &[&str], requests: u64) -> Self {
        // What the tool itself would write is not read.
        let options = ["--tool=dhat", "--dhat-out-file=/dev/null", "--trace-malloc=yes"];
        let output = run(&options, program, arguments, requests);
        let trace = String::from_utf8_lossy(&output.stderr);
        let mut allocations = Self { count: 0, bytes: 0 };
        for size in trace.lines().filter_map(size) {
            allocations.count += 1;
            allocations.bytes += size;
        }
        // The end of the output has the tool's own sum, which the trace must be read completely for.
        let total = format!("{} bytes in {} blocks", allocations.bytes, allocations.count);
        let said = trace.lines().rev().find_map(|line| line.split_once(" Total:"));
        assert_eq!(
            said.map(|(_, said)| said.trim().replace(',', "")),
            Some(total),
            "Valgrind's sum is that of its lines"
        );
        allocations
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
