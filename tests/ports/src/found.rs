//! The files and the tests of a package.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, Lit, Meta};

/// The files of Rust below `src`, but the modules `tests` and `lines`: `src/main.rs`, `src/database/accounts.rs`.
///
/// # Panics
/// If a folder cannot be read.
pub fn sources(package: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut folders = vec!["src".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(package.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if ["src/lines", "src/tests"].contains(&path.trim_end_matches(".rs")) {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                files.insert(path);
            }
        }
    }
    files
}

/// The names of all tests of the package in this folder: of its crates, and of the files that a `mod` of these names.
///
/// # Panics
/// If a file cannot be read or parsed.
pub fn tests(package: &Path) -> BTreeSet<String> {
    let roots = ["src/lib.rs", "src/main.rs"].map(|root| package.join(root)).into_iter();
    let further = fs::read_dir(package.join("tests")).into_iter().flatten();
    let further = further.map(|entry| entry.unwrap().path()).map(|path| match path.is_dir() {
        true => path.join("main.rs"),
        false => path,
    });
    let mut names = BTreeSet::new();
    for root in
        roots.chain(further).filter(|root| root.exists() && root.extension().is_some_and(|e| e == "rs"))
    {
        read(&root, root.parent().unwrap(), &mut names);
    }
    names
}

/// Reads a file whose modules are in `folder`.
fn read(file: &Path, folder: &Path, names: &mut BTreeSet<String>) {
    let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    read_items(&parsed.items, file.parent().unwrap(), folder, names);
}

fn read_items(items: &[Item], beside: &Path, folder: &Path, names: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Fn(function) if function.attrs.iter().any(is_test) => {
                names.insert(function.sig.ident.to_string());
            }
            Item::Mod(module) => {
                let inside = folder.join(module.ident.to_string());
                if let Some((_, items)) = &module.content {
                    read_items(items, beside, &inside, names);
                } else if let Some(path) = module.attrs.iter().find_map(path_of) {
                    let file = beside.join(path);
                    read(&file, &file.with_extension(""), names);
                } else {
                    let files = [inside.with_extension("rs"), inside.join("mod.rs")];
                    let file = files.iter().find(|file| file.exists());
                    read(file.unwrap_or_else(|| panic!("no file of {}", inside.display())), &inside, names);
                }
            }
            _ => {}
        }
    }
}

/// `#[test]`, or `#[tokio::test]`.
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "test")
}

/// `#[path = ".."]`
fn path_of(attribute: &Attribute) -> Option<PathBuf> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(literal) = &pair.value else { return None };
    match &literal.lit {
        Lit::Str(path) if pair.path.is_ident("path") => Some(path.value().into()),
        _ => None,
    }
}
