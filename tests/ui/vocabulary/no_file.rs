//! There is no `auth.toml`.

auth_runtime::vocabulary!();

fn main() {}
