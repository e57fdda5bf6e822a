//! The page of limits: switches that weaken a check have `dangerously_` in their names, and it lists them all; the options that change a bound exist.

use std::collections::BTreeSet;
use std::path::Path;

use syn::{Attribute, ImplItem, Item, Type, Visibility};

/// A public function, as `Type::function`, and its documentation.
type Function = (String, String);

fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect()
}

fn public_functions(items: &[Item], found: &mut Vec<Function>) {
    for item in items {
        match item {
            Item::Mod(module) => {
                public_functions(module.content.as_ref().map_or(&[], |(_, items)| items), found);
            }
            Item::Fn(function) if matches!(function.vis, Visibility::Public(_)) => {
                found.push((function.sig.ident.to_string(), documentation(&function.attrs)));
            }
            Item::Impl(block) => {
                let Type::Path(of) = &*block.self_ty else { continue };
                let of = &of.path.segments.last().unwrap().ident;
                found.extend(block.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(function) if matches!(function.vis, Visibility::Public(_)) => {
                        Some((format!("{of}::{}", function.sig.ident), documentation(&function.attrs)))
                    }
                    _ => None,
                }));
            }
            _ => {}
        }
    }
}

fn read_folder(folder: &Path, found: &mut Vec<Function>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
            public_functions(&file.items, found);
        }
    }
}

/// The public functions of the library.
fn of_the_library() -> Vec<Function> {
    let mut functions = Vec::new();
    read_folder(&root().join("auth-runtime/src"), &mut functions);
    assert!(functions.len() > 200, "{}", functions.len());
    functions
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The lines of a section of the page.
fn section(heading: &str) -> Vec<String> {
    let document = std::fs::read_to_string(root().join("docs/guide/limits.md")).unwrap();
    let (_, section) = document.split_once(&format!("\n## {heading}\n")).unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section.lines().map(str::to_owned).collect()
}

#[test]
fn every_dangerous_switch_is_in_the_table_and_says_what_is_lost() {
    let mut functions = of_the_library();
    functions.retain(|(name, _)| name.contains("dangerous"));
    for (name, documentation) in &functions {
        assert!(name.contains("::dangerously_"), "{name}: the prefix is `dangerously_`");
        for part in ["What is lost: ", " is right "] {
            assert!(documentation.contains(part), "the documentation of {name} does not contain {part:?}");
        }
    }

    let section = section("Switches that weaken a check");
    let rows: Vec<_> = section.iter().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).collect();
    let listed: BTreeSet<_> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed.len(), rows.len(), "a switch is listed twice");
    assert_eq!(listed, functions.iter().map(|(name, _)| &**name).collect());
}

/// The last column of the table of numbers names what changes the bound.
#[test]
fn every_option_of_a_bound_is_a_function_of_the_library() {
    let functions: BTreeSet<_> = of_the_library().into_iter().map(|(name, _)| name).collect();
    let section = section("Numbers");
    let options: Vec<_> = section
        .iter()
        .filter_map(|line| line.strip_suffix("` |")?.rsplit_once("| `"))
        .map(|row| row.1)
        .collect();
    assert!(options.len() > 15, "{options:?}");
    for option in options {
        assert!(functions.contains(option), "there is no function `{option}`");
    }
}
