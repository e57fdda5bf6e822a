//! What several of the benches use.

pub mod cpu;
pub mod quickstart;
pub mod rounds;
