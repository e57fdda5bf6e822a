//! The C library below `aws-lc-rs` takes long to compile, and `cargo check` does not link it. Where these tests check crates in
//! folders of build output of their own, cargo is given what the library's build script printed when these tests were built, and
//! does not run it again. That is what cargo calls overriding a build script.

use std::fs;
use std::path::Path;

/// Writes it into a file of cargo's configuration, in one step, since another process may read it. If nothing was found the file is
/// empty: then the library is compiled.
pub(crate) fn write_config(file: &Path) {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("build");
    let text = newest_output(&built).as_deref().and_then(overriding).unwrap_or_default();
    let new = file.with_extension(format!("{}.new", std::process::id()));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

/// What the build script printed that ran last.
fn newest_output(built: &Path) -> Option<String> {
    let folders = fs::read_dir(built).ok()?.filter_map(|folder| Some(folder.ok()?.path()));
    let ours = folders.filter(|path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"aws-lc-sys-"))
    });
    let outputs = ours.map(|folder| folder.join("output"));
    let newest =
        outputs.filter_map(|output| Some((fs::metadata(&output).ok()?.modified().ok()?, output))).max();
    fs::read_to_string(newest?.1).ok()
}

/// The configuration that says the same as this output.
fn overriding(output: &str) -> Option<String> {
    let pairs = output.lines().filter_map(|line| line.strip_prefix("cargo:")?.split_once('='));
    let (instructions, values): (Vec<_>, Vec<_>) = pairs
        .filter(|(key, _)| !key.starts_with("rerun-") && *key != "warning")
        .partition(|(key, _)| key.starts_with("rustc-"));
    let (_, library) = values.iter().find(|(key, _)| *key == "libcrypto")?;
    let mut text = format!("[target.{}.{}]\n", env!("TRIPLE"), library.strip_suffix("_crypto")?);
    let cfg: Vec<_> =
        instructions.iter().filter(|(key, _)| *key == "rustc-cfg").map(|(_, cfg)| cfg).collect();
    text.push_str(&format!("rustc-cfg = {cfg:?}\n"));
    for (key, value) in values {
        text.push_str(&format!("{key} = {value:?}\n"));
    }
    Some(text)
}

#[test]
fn an_output_is_said_again() {
    let output = "cargo:rustc-cfg=universal\ncargo:rerun-if-changed=x\nIgnoring\ncargo:warning=w=v\n\
                  cargo:rustc-link-lib=static=aws_lc_1_crypto\ncargo:include=/a \"b\"\ncargo:libcrypto=aws_lc_1_crypto\n";
    let expected = format!(
        "[target.{}.aws_lc_1]\nrustc-cfg = [\"universal\"]\ninclude = \"/a \\\"b\\\"\"\nlibcrypto = \"aws_lc_1_crypto\"\n",
        env!("TRIPLE")
    );
    assert_eq!(overriding(output), Some(expected));
    assert_eq!(overriding("cargo:rustc-cfg=universal\n"), None);
}
