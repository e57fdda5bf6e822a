//! Modules that use each other, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Crate, Module, Use};

/// From one node to another, with the places that say so.
type Edges<'c> = BTreeMap<&'c str, BTreeMap<String, Vec<String>>>;

/// The circles among the modules right below `around` and the module `around` itself, each as a text: the modules, and every use
/// by which one reaches the next. Modules further below count as the one that holds them.
///
/// What `around` only passes on, with `pub use`, counts as if it were used where it is from: it is a table of contents then.
pub fn circles(of: &Crate, around: &[String]) -> Vec<String> {
    let edges = edges(of, around);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for &start in edges.keys() {
        let circle: BTreeSet<&str> = reached(&edges, start)
            .into_iter()
            .filter(|other| reached(&edges, other).contains(start))
            .collect();
        if circle.len() > 1 && seen.is_disjoint(&circle) {
            found.push(text(of, &edges, &circle));
            seen.extend(circle);
        }
    }
    found
}

/// What can be reached from a node, with the node itself if it is in a circle.
fn reached<'e>(edges: &'e Edges<'_>, start: &str) -> BTreeSet<&'e str> {
    let next = |node: &str| edges.get(node).into_iter().flat_map(BTreeMap::keys).map(String::as_str);
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = next(start).collect();
    while let Some(node) = open.pop() {
        if reached.insert(node) {
            open.extend(next(node));
        }
    }
    reached
}

fn text(of: &Crate, edges: &Edges<'_>, circle: &BTreeSet<&str>) -> String {
    let names: Vec<_> = circle.iter().copied().collect();
    let mut text = format!("{}: these modules form a circle: {}", of.name, names.join(", "));
    for from in &names {
        for (to, places) in
            edges.get(from).into_iter().flatten().filter(|(to, _)| circle.contains(to.as_str()))
        {
            text.push_str(&format!("\n    {from} uses {to}: {}", places.join(", ")));
        }
    }
    text
}

fn edges<'c>(of: &'c Crate, around: &[String]) -> Edges<'c> {
    let mut edges = Edges::new();
    for (path, module) in of.modules.iter().filter(|(path, _)| path.starts_with(around)) {
        let from = node(of, path, around.len());
        for used in &module.uses {
            let target = of.follow(&used.path, |module| module == around);
            let (target, _) = of.module_of(&target);
            let passes_on = path == around && used.is_public;
            if passes_on || !target.starts_with(around) {
                continue;
            }
            let to = node(of, target, around.len());
            if from != to {
                let places = edges.entry(from).or_default().entry(to.to_owned()).or_default();
                let place = place(module, used);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    edges
}

/// The name of the node that this module counts as.
fn node<'c>(of: &'c Crate, path: &[String], depth: usize) -> &'c str {
    let known = of.modules.get_key_value(path.get(..=depth).unwrap_or(path)).map(|(known, _)| known);
    let child = known.and_then(|known| known.get(depth));
    child
        .map_or_else(|| known.and_then(|known| known.last()).map_or("lib.rs", String::as_str), String::as_str)
}

pub(crate) fn place(module: &Module, used: &Use) -> String {
    format!("{}:{}", module.file.display(), used.line)
}
