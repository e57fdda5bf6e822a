//! What the test binaries of this package share.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    missing_debug_implementations,
    reason = "only the tests of this package use it, and a test fails by panicking"
)]

pub mod durable;
pub mod instances;
pub mod support;
