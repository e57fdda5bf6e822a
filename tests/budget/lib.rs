//! How many instructions and allocations a request takes, counted by Valgrind: counts that do not depend on what else the machine does.
//!
//! A program is run twice, and answers more requests the second time: what it does more is what these requests take.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod allocations;
mod instructions;
mod valgrind;

use std::path::Path;

use self::allocations::Allocations;
use self::instructions::Instructions;

/// How many requests the program answers the first time.
pub const FEW: u64 = 1_000;

/// How many requests the program answers the second time.
pub const MANY: u64 = 3_000;

/// What one request takes.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// All instructions.
    pub instructions: u64,
    /// The instructions of the program itself: without cryptography, whose code depends on the processor, and without the C library, which
    /// is the machine's.
    pub own_instructions: u64,
    /// Calls of the allocator.
    pub allocations: u64,
    /// The bytes that are allocated.
    pub bytes: u64,
}

/// Counts what one request takes of this program. Its last argument is the number of requests that it answers.
///
/// # Panics
/// If Valgrind is not installed, or the program fails.
pub fn taken(program: &Path, arguments: &[&str]) -> Taken {
    let [few, many] = [FEW, MANY].map(|requests| Instructions::of_run(program, arguments, requests));
    let more = many.since(few);
    let [few, many] = [FEW, MANY].map(|requests| Allocations::of_run(program, arguments, requests));
    Taken {
        instructions: of_one(more.all),
        own_instructions: of_one(more.own),
        allocations: of_one(many.count - few.count),
        bytes: of_one(many.bytes - few.bytes),
    }
}

/// One request's part, rounded.
fn of_one(more: u64) -> u64 {
    let requests = MANY - FEW;
    (more + requests / 2) / requests
}
