//! Holds the READMEs of the ports to their code.
//!
//! | module | what it reads |
//! |---|---|
//! | [`rows`] | the table of a README: the code, the tests and the note of each feature |
//! | [`found`] | the files of a package, and its tests: those in files that a `mod` names |
//! | [`count`] | the lines of a file, and those of what a row names |
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub mod count;
pub mod found;
pub mod rows;
