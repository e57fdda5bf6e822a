//! Which file it is, and its text: looked at again by every macro, since a long-lived compiler (an editor's) sees it change,
//! and understood once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use toml::de::DeTable;

use super::model::Vocabulary;
use super::read::read;
use crate::diagnostics::Diagnostics;

const NAME: &str = "auth.toml";

/// The vocabulary of the crate that is being compiled.
#[derive(Clone)]
pub(crate) struct Loaded {
    /// Absolute, so that the compiler finds it from any module.
    pub(crate) path: PathBuf,
    /// As messages call it: seen from the crate's own folder.
    pub(crate) name: Arc<str>,
    /// `Err`: the errors of the file. They are given to one macro only, since they are the same for all.
    vocabulary: Result<Arc<Vocabulary>, Vec<String>>,
}

impl Loaded {
    /// What the file says; its errors go to `diagnostics`.
    pub(crate) fn vocabulary(&self, diagnostics: &Diagnostics) -> Option<&Vocabulary> {
        match &self.vocabulary {
            Ok(vocabulary) => Some(vocabulary),
            Err(errors) => {
                diagnostics.reported_elsewhere();
                errors.iter().for_each(|error| diagnostics.error(Span::call_site(), error));
                None
            }
        }
    }

    /// Makes the compiler watch the file.
    pub(crate) fn track(&self) -> TokenStream {
        let path = self.path.to_string_lossy();
        quote!(
            const _: &[::core::primitive::u8] = ::core::include_bytes!(#path);
        )
    }
}

/// What was read last. One for all threads: an editor's compiler has a new one for each macro.
struct Memory {
    folder: PathBuf,
    candidates: Vec<PathBuf>,
    text: String,
    loaded: Option<Loaded>,
}

static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);

/// The vocabulary of the crate at `CARGO_MANIFEST_DIR`; `None` if it has no file.
pub(crate) fn load() -> Option<Loaded> {
    // Some build systems give a relative one.
    let folder = std::path::absolute(std::env::var_os("CARGO_MANIFEST_DIR")?).ok()?;
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = match &mut *memory {
        Some(memory) if memory.folder == folder => memory,
        memory => {
            let candidates = candidates(&folder);
            memory.insert(Memory { folder, candidates, text: String::new(), loaded: None })
        }
    };
    load_into(memory)
}

fn load_into(memory: &mut Memory) -> Option<Loaded> {
    let found = memory.candidates.iter().find_map(|path| match fs::read(path) {
        Ok(bytes) => Some((path, String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        // It is there, and what it says is unknown: not the same as none.
        Err(error) => Some((path, Err(error.to_string()))),
    });
    let Some((path, text)) = found else {
        memory.loaded = None;
        return None;
    };
    let name: Arc<str> = seen_from(&memory.folder, path).into();
    let text = match path.to_str() {
        Some(_) => text,
        None => Err("its path is not UTF-8, so that the compiler could not watch it".to_owned()),
    };
    let text = match text {
        Ok(text) => text,
        Err(why) => {
            let errors = vec![format!("{name} can't be read: {why}")];
            return Some(Loaded { path: path.clone(), name, vocabulary: Err(errors) });
        }
    };
    match &mut memory.loaded {
        Some(loaded) if loaded.path == *path && memory.text == text => {
            if let Err(errors) = &mut loaded.vocabulary {
                errors.clear();
            }
            Some(loaded.clone())
        }
        _ => {
            let vocabulary = read(&text).map(Arc::new).map_err(|errors| {
                errors.into_iter().map(|(line, message)| format!("{name}:{line}: {message}")).collect()
            });
            memory.text = text;
            memory.loaded = Some(Loaded { path: path.clone(), name, vocabulary });
            memory.loaded.clone()
        }
    }
}

/// Where the file may be: next to the crate's own Cargo.toml, or at the root of its workspace.
fn candidates(folder: &Path) -> Vec<PathBuf> {
    let mut candidates = vec![folder.join(NAME)];
    candidates.extend(workspace_root(folder).filter(|root| root != folder).map(|root| root.join(NAME)));
    candidates
}

/// The workspace of the crate in this folder, as cargo finds it: the one that its manifest names, or the nearest around it.
/// A package that was published or vendored has none, wherever the folder is that it is unpacked in.
fn workspace_root(folder: &Path) -> Option<PathBuf> {
    if is_published(folder) {
        return None;
    }
    if let Some(named) = manifest(folder, |manifest| {
        Some(manifest.get("package")?.get_ref().as_table()?.get("workspace")?.get_ref().as_str()?.to_owned())
    }) {
        return fs::canonicalize(folder.join(named)).ok();
    }
    folder.ancestors().find_map(|root| {
        manifest(root, |manifest| {
            let workspace = manifest.get("workspace")?.get_ref().as_table()?;
            let lists = |key: &str| {
                let list = workspace.get(key).and_then(|list| list.get_ref().as_array());
                let mut texts = list.into_iter().flatten().filter_map(|path| path.get_ref().as_str());
                texts.any(|path| folder.starts_with(root.join(path)))
            };
            // Cargo compares both word for word, and looks further out for the workspace of a package excluded here.
            (lists("members") || !lists("exclude")).then(|| root.to_owned())
        })
    })
}

/// Whether cargo wrote the manifest. A `Cargo.toml.orig` alone may be what a merge left behind.
fn is_published(folder: &Path) -> bool {
    let is_generated = || {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        text.contains("AUTOMATICALLY GENERATED BY CARGO")
    };
    folder.join(".cargo-checksum.json").exists() || folder.join("Cargo.toml.orig").exists() && is_generated()
}

/// What `read` finds in the manifest of this folder, if there is one.
fn manifest<T>(folder: &Path, read: impl FnOnce(&DeTable<'_>) -> Option<T>) -> Option<T> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let (table, _) = DeTable::parse_recoverable(&text);
    read(table.get_ref())
}

/// `auth.toml`, `../auth.toml`, and so on; the whole path where the file is nowhere above.
fn seen_from(folder: &Path, file: &Path) -> String {
    for (steps, ancestor) in folder.ancestors().enumerate() {
        if file.parent() == Some(ancestor) {
            return format!("{}{NAME}", "../".repeat(steps));
        }
    }
    file.display().to_string()
}
