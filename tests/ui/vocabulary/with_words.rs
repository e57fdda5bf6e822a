//! It takes no words.

auth_runtime::vocabulary!(roles = ["admin"]);

fn main() {}
