//! What several of the benches use.

pub mod app;
pub mod issuer;
pub mod quickstart;
pub mod requests;
pub mod servers;

pub use bench_harness::{cpu, rounds};
