//! Where a function is written: a macro sees its tokens, not what is around them.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Attribute, ImplItem, Item, TraitItem};

/// The functions of one source file that have an attribute of ours.
#[derive(Default)]
struct Functions {
    free: Vec<String>,
    associated: Vec<String>,
}

/// The file that was read last, and its text.
struct Memory {
    file: PathBuf,
    text: String,
    functions: Functions,
}

static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);

/// Whether the function is in an `impl` or a `trait`, as far as its source file says: not if it can't be read, or has a free function of
/// this name, too.
///
/// An expansion can't be of both kinds, since an `impl` can't hold a type, and the errors of the compiler suggest to move that
/// type. It is asked for indented functions alone: the others are in no block.
pub(crate) fn is_associated(function: &Ident) -> bool {
    if !proc_macro::is_available() {
        return false;
    }
    let span = function.span().unwrap();
    let is_indented = proc_macro::Span::call_site().start().column() > 1;
    let file = span.local_file().filter(|file| is_indented && file.extension().is_some_and(|it| it == "rs"));
    let Some((file, text)) = file.and_then(|file| Some((file.clone(), fs::read_to_string(file).ok()?)))
    else {
        return false;
    };
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = match &mut *memory {
        Some(memory) if memory.file == file && memory.text == text => memory,
        memory => {
            let functions = Functions::of(&text);
            memory.insert(Memory { file, text, functions })
        }
    };
    memory.functions.is_associated(&function.unraw().to_string())
}

impl Functions {
    fn of(text: &str) -> Self {
        let mut functions = Self::default();
        if let Ok(file) = syn::parse_file(text) {
            functions.add_all(&file.items);
        }
        functions
    }

    fn add_all(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Fn(function) if is_ours(&function.attrs) => {
                    self.free.push(function.sig.ident.unraw().to_string());
                }
                Item::Mod(module) => {
                    self.add_all(module.content.as_ref().map_or(&[][..], |(_, items)| items));
                }
                Item::Impl(block) => {
                    let functions = block.items.iter().filter_map(|item| match item {
                        ImplItem::Fn(function) if is_ours(&function.attrs) => Some(&function.sig.ident),
                        _ => None,
                    });
                    self.associated.extend(functions.map(|name| name.unraw().to_string()));
                }
                Item::Trait(block) => {
                    let functions = block.items.iter().filter_map(|item| match item {
                        TraitItem::Fn(function) if is_ours(&function.attrs) => Some(&function.sig.ident),
                        _ => None,
                    });
                    self.associated.extend(functions.map(|name| name.unraw().to_string()));
                }
                _ => {}
            }
        }
    }

    fn is_associated(&self, name: &str) -> bool {
        let has = |names: &[String]| names.iter().any(|other| other == name);
        has(&self.associated) && !has(&self.free)
    }
}

fn is_ours(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| ["auth", "authenticator", "check"].iter().any(|name| last.ident == name))
    })
}

#[cfg(test)]
mod tests {
    use super::Functions;

    #[test]
    fn functions_of_a_file() {
        let functions = Functions::of(
            "#[auth] async fn free() {} #[auth] async fn both() {} async fn other() {}
             mod inner { #[auth_runtime::auth] async fn r#in() {} impl X { #[check] async fn nested() {} #[authenticator] async fn judge() {} } }
             impl X { #[auth] async fn list() {} #[auth] async fn both() {} async fn other() {} }
             trait T { #[auth(roles = [\"a\"])] async fn of_trait(); }",
        );
        for name in ["list", "nested", "judge", "of_trait"] {
            assert!(functions.is_associated(name), "{name}");
        }
        for name in ["free", "both", "other", "in", "unknown"] {
            assert!(!functions.is_associated(name), "{name}");
        }
        assert!(!Functions::of("this is no Rust").is_associated("list"));
    }
}
