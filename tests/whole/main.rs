//! Whole requests against guarded services, and the messages of the compiler.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod access;
mod allocations;
mod credentials;
mod dangerous;
#[cfg(target_os = "linux")]
mod durability;
mod expiry;
mod forms;
mod gate;
mod interop;
mod lifecycle;
mod model;
mod noise;
mod openapi;
mod policy;
mod projects;
mod providers;
mod readme;
mod rejections;
mod routers;
mod simultaneous;
mod standards;
mod stores;
mod support;
mod test_kit;
mod token_cache;
mod token_routes;
mod tokens;
mod ui;
mod vocabulary;
