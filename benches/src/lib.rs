//! What several of the benches use.

pub mod quickstart;
pub mod rounds;
