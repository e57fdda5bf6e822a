//! The table of layers in a document, and the uses that go against it.

use std::collections::BTreeMap;

use crate::circles::place;
use crate::source::Crate;

/// The root of a crate, as a table calls it.
const ROOT: &str = "lib.rs";

/// The layer of each top-level module, and of the root as `lib.rs`.
#[derive(Debug, PartialEq, Eq)]
pub struct Layers(BTreeMap<String, u32>);

impl Layers {
    /// Reads the table below the heading `## Layers`: each row begins with the number of the layer, and names its modules in
    /// backticks in the second column.
    ///
    /// # Errors
    /// There is no such table, or a module is named twice.
    pub fn read(document: &str) -> Result<Self, String> {
        let section = document.split("\n## ").find(|section| section.starts_with("Layers\n"));
        let section = section.ok_or("there is no section `## Layers`")?;
        let mut layers = BTreeMap::new();
        for row in section.lines().filter_map(|line| line.strip_prefix('|')) {
            let mut cells = row.split('|');
            let Some(Ok(layer)) = cells.next().map(|cell| cell.trim().parse()) else { continue };
            for name in cells.next().unwrap_or_default().split('`').skip(1).step_by(2) {
                if layers.insert(name.to_owned(), layer).is_some() {
                    return Err(format!("`{name}` is in the table of layers twice"));
                }
            }
        }
        if layers.is_empty() {
            Err("the section `## Layers` has no table".to_owned())
        } else {
            Ok(Self(layers))
        }
    }

    /// What goes against the table: a use of a layer above, a module that is not in the table, a name in it that is no module.
    pub fn errors(&self, of: &Crate) -> Vec<String> {
        let top_level = || of.modules.keys().filter(|path| path.len() < 2).map(|path| top(path));
        let missing = top_level().filter(|name| !self.0.contains_key(*name));
        let missing = missing
            .map(|name| format!("{}: the module `{name}` is in no row of the table of layers", of.name));
        let unknown = self.0.keys().filter(|name| top_level().all(|known| known != name.as_str()));
        let unknown = unknown.map(|name| {
            format!("{}: the table of layers has `{name}`, and there is no such module", of.name)
        });
        missing.chain(unknown).chain(self.uses_of_a_layer_above(of)).collect()
    }

    fn uses_of_a_layer_above(&self, of: &Crate) -> Vec<String> {
        let mut errors = Vec::new();
        for (path, module) in &of.modules {
            let from = top(path);
            for used in &module.uses {
                let (target, _) = of.module_of(&used.path);
                let to = top(target);
                if let (Some(own), Some(other)) = (self.0.get(from), self.0.get(to))
                    && other > own
                {
                    errors.push(format!(
                        "{}: `{from}` of layer {own} uses `crate::{}` of `{to}`, layer {other}",
                        place(module, used),
                        used.path.join("::")
                    ));
                }
            }
        }
        errors
    }
}

fn top(path: &[String]) -> &str {
    path.first().map_or(ROOT, String::as_str)
}
