//! Each tenant sees its own rows: an extractor that only the gate makes, and queries that need it.

fn main() {}
