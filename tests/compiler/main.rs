//! The compiler as a user meets it: its messages, and whole cargo projects.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod comparison;
mod lints;
mod prepared;
mod projects;
mod readme;
mod ui;
