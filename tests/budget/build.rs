//! Names the compiler and the target, by which the budget of instructions is meant: `rustc 1.95, x86_64-unknown-linux-gnu`.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output().map(|output| output.stdout);
    let output = String::from_utf8(output.unwrap_or_default()).unwrap_or_default();
    let version = output.split(' ').nth(1).unwrap_or("of no version");
    // A release that only fixes faults makes the same code.
    let version: Vec<&str> = version.split('.').take(2).collect();
    let target = std::env::var("TARGET").unwrap_or_default();
    // `tests/run` has it, too.
    println!("cargo:rustc-env=TOOLCHAIN=rustc {}, {target}", version.join("."));
}
