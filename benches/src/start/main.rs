//! What a start takes: building and finishing a router of many routes, beside plain axum's, and reading a million revocations from `redb`.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin start`, with `-- --write` for the README; `-- routes` or `-- revocations` for
//! one of them. The routers take turns in one thread, by its CPU time, and their bytes are those that the allocator gave out. The
//! revocations are read by a process of its own, once from an empty file and once from a full one in turn. The other stores are in
//! `instances`. Linux only.

mod revocations;
mod routes;

use bench_harness::report::arguments;

fn main() {
    let (arguments, write) = arguments();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            routes::report(write);
            revocations::report(write);
        }
        ["routes"] => routes::report(write),
        ["revocations"] => revocations::report(write),
        ["read", file] => revocations::read(file.as_ref()),
        _ => panic!("the arguments are `routes` or `revocations`, and --write"),
    }
}
