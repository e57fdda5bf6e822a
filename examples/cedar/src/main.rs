//! Policies of Cedar decide in a check, and the handler gets what the check loaded.

fn main() {}
