//! Whole requests against guarded services, and the messages of the compiler.

mod credentials;
mod forms;
mod gate;
mod noise;
mod policy;
mod providers;
mod refusals;
mod routers;
mod support;
mod test_kit;
mod tokens;
mod ui;
