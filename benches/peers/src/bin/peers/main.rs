//! What a guarded request takes with this library, with its peers, and by hand.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin peers -- proof    what each of them verifies
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin peers -- new      tokens that are seen for the first time
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin peers -- known    the same token again
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin peers -- payload  by the size of the payload, as a plot
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin peers -- servers  of servers, over loopback
//! ```
//!
//! All take turns in one thread, on one runtime of that thread. `--write` writes the figures into `benches/README.md`.

mod measure;
mod payload;
mod servers;
mod tables;

use bench_harness::report::arguments;
use bench_peers::key::{Algorithm, Key};
use bench_peers::{peers, proof};
use tokio::runtime::Runtime;

use self::measure::Tokens;

fn main() {
    peers::use_aws_lc();
    let (arguments, write) = arguments();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["proof"] => prove(&runtime),
        ["new"] => tables::report("peers-new", &runtime, Tokens::New, write),
        ["known"] => tables::report("peers-known", &runtime, Tokens::Known, write),
        ["payload"] => payload::report(&runtime, write),
        ["servers"] => servers::report(&runtime, write),
        ["serve", peer] => servers::serve(&runtime, peer),
        _ => panic!("the argument is `proof`, `new`, `known`, `payload` or `servers`; `--write` may follow"),
    }
}

fn prove(runtime: &Runtime) {
    for algorithm in Algorithm::ALL {
        let key = Key::new(algorithm);
        for peer in &peers::GUARDED {
            let proven = peer.app(&key, runtime).map_err(str::to_owned);
            let proven =
                proven.and_then(|mut app| proof::accepted_flaws(&mut *app, runtime, &key, peer.form));
            let text = match proven {
                Ok(accepted) if accepted.is_empty() => "refuses all that it must refuse".to_owned(),
                Ok(accepted) => format!("accepts {}", accepted.join(", ")),
                Err(reason) => reason,
            };
            println!("{:<6} {:<30} {text}", algorithm.name(), peer.name);
        }
    }
}
