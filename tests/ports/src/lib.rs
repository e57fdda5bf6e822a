//! Holds the READMEs of the ports to their code.
//!
//! | module | what it reads |
//! |---|---|
//! | [`rows`] | the table of a README: the code, the tests and the note of each feature |
//! | [`found`] | the files of a package, and its tests: those in files that a `mod` names |
//! | [`listings`] | the listings of a document: how many lines it shows of which rows |
//! | [`count`] | the lines of a file that count |
//! | [`parts`] | what begins at a line of a file |
//! | [`figures`] | ours and theirs, of what the listings show |
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

pub mod count;
pub mod figures;
pub mod found;
pub mod listings;
pub mod parts;
pub mod rows;
