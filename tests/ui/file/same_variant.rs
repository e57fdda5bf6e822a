//! Names that would be the same in Rust, or none.

auth_runtime::vocabulary!();

fn main() {}
