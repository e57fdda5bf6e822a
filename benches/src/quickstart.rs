//! The quickstart as a process, and requests to it from many addresses of 127.0.0.0/8.

pub mod client;
pub mod server;
