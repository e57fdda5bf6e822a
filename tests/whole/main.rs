//! Whole requests against guarded services, and the messages of the compiler.

mod forms;
mod support;
mod ui;
