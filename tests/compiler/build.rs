//! Sets `messages_are_of_this_compiler` where the compiler is the one whose messages are in `tests/ui`, and names the target.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=TRIPLE={}", std::env::var("TARGET").unwrap_or_default());
    println!("cargo:rustc-check-cfg=cfg(messages_are_of_this_compiler)");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler).arg("--version").output().map(|output| output.stdout);
    // `tests/run` has it, too.
    if version.is_ok_and(|version| version.starts_with(b"rustc 1.95.")) {
        println!("cargo:rustc-cfg=messages_are_of_this_compiler");
    }
}
