//! Reads a crate, and finds what its paths mean.

use std::collections::BTreeSet;
use std::path::Path;

use crate::collect;
pub use crate::model::{Crate, Function, Module, Use};

impl Crate {
    /// Reads a crate from the file of its root, with this function for the text of a file.
    ///
    /// # Panics
    /// If a file is missing or is not Rust.
    pub fn read(name: &str, root: &Path, text: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut this = Self { name: name.replace('-', "_"), root: root.to_owned(), ..Self::default() };
        collect::file(&mut this, Vec::new(), root, text);
        this.resolve_children();
        this
    }

    /// Paths that begin with neither `crate`, `super` nor `self` were collected as if they began with `self`: those that do not
    /// begin with a child module are of other crates or of names that a `use` brought, and are dropped.
    fn resolve_children(&mut self) {
        let modules: BTreeSet<_> = self.modules.keys().cloned().collect();
        for (path, module) in &mut self.modules {
            module.uses.retain_mut(|used| {
                if used.path.first().is_none_or(|first| first != collect::MAYBE_CHILD) {
                    return true;
                }
                used.path.splice(..1, path.iter().cloned());
                used.path.get(..=path.len()).is_some_and(|child| modules.contains(child))
            });
        }
    }

    /// How many of the path's names are a module's; the rest is an item in it.
    pub fn module_of<'p>(&self, path: &'p [String]) -> (&'p [String], Option<&'p String>) {
        let length = (0..=path.len())
            .rev()
            .find(|&length| self.modules.contains_key(path.get(..length).unwrap_or(path)));
        let length = length.unwrap_or(0);
        (path.get(..length).unwrap_or(path), path.get(length))
    }

    /// What this path means when the names that modules have by a `use` are followed, as long as it lies in one for which
    /// `is_followed` holds.
    pub fn follow(&self, path: &[String], is_followed: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut path = path.to_vec();
        // Uses may be circular, too.
        for _ in 0..16 {
            let (module, item) = self.module_of(&path);
            let next = item.filter(|_| is_followed(module)).and_then(|item| self.meaning(module, item, 16));
            match next {
                Some(mut next) => {
                    next.extend(path.get(module.len() + 1..).unwrap_or_default().iter().cloned());
                    path = next;
                }
                None => return path,
            }
        }
        path
    }

    /// Where the name is from that a `use` brings into this module.
    fn meaning(&self, module: &[String], item: &String, depth: usize) -> Option<Vec<String>> {
        let here = self.modules.get(module)?;
        if here.items.contains(item) || depth == 0 {
            return None;
        }
        if let Some(named) = here.uses.iter().find(|used| used.known_as.as_ref() == Some(item)) {
            return Some(named.path.clone());
        }
        let globs =
            here.uses.iter().filter(|used| used.known_as.as_deref() == Some("*") && used.path != module);
        globs.map(|glob| &glob.path).find_map(|glob| {
            let is_there = self.modules.get(glob).is_some_and(|there| there.items.contains(item));
            let itself = || glob.iter().chain([item]).cloned().collect();
            if is_there { Some(itself()) } else { self.meaning(glob, item, depth - 1) }
        })
    }
}
