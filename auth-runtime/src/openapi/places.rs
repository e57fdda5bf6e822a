//! Which operations are served at a path of a document of another crate.

use std::collections::BTreeMap;

use super::operation::PathItem;
use super::path::place;
use super::route::ServedRoute;
use crate::router::BELOW;

/// The operations that are served, by place.
pub(super) struct Places<'d> {
    items: BTreeMap<String, &'d PathItem>,
    /// The places of wildcards, by the paths below them.
    below: matchit::Router<String>,
}

impl<'d> Places<'d> {
    pub(super) fn new(paths: &'d BTreeMap<String, PathItem>, routes: &[ServedRoute<'_>]) -> Self {
        let mut items: BTreeMap<String, &PathItem> =
            paths.iter().map(|(path, item)| (place(path), item)).collect();
        // A service is served at its prefix too.
        for prefix in routes.iter().filter_map(|route| route.path.strip_suffix(BELOW)) {
            if let Some(&item) = items.get(&place(&format!("{prefix}{BELOW}"))) {
                items.entry(place(prefix)).or_insert(item);
                items.entry(place(&format!("{prefix}/"))).or_insert(item);
            }
        }
        let mut below = matchit::Router::new();
        for route in routes.iter().filter(|route| route.path.contains("{*")) {
            let path = route.path.replace("//{*}", "/{*}").replace("{*}", "{*rest}");
            // A path that is in the router already has the same place. A path that the router rejects is not served by axum.
            let _ = below.insert(path, place(&route.path));
        }
        Self { items, below }
    }

    /// The operations of a place, by method.
    pub(super) fn item(&self, place: &str) -> Option<&'d PathItem> {
        self.items.get(place).copied()
    }

    /// The place that serves a path: its own, or that of a wildcard above it.
    pub(super) fn place(&self, path: &str) -> String {
        let own = place(path);
        if self.items.contains_key(&own) {
            return own;
        }
        let probe: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "{" } else { part }).collect();
        self.below.at(&probe.join("/")).map_or(own, |found| found.value.clone())
    }
}
