//! What several of the benches use.

pub mod app;
pub mod quickstart;

pub use bench_harness::{cpu, rounds};
