//! Which route answers a request, for what runs between routing and the gate.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, NestedPath};
use axum::http::Method;
use axum::http::request::Parts;

use super::guarded_router::Router;
use super::resolve::Kind;
use super::served_methods::ServedMethods;
use super::{BELOW, FALLBACK};
use crate::gate::MountedRoute;
use crate::pipeline::{GuardedRoutes, ResolvedRoute};

/// The routes of a finished router, by the paths that axum names in `MatchedPath`.
///
/// It is asked before the gate, by who wants to know the caller, and for challenges. What is enforced never depends on it.
#[derive(Debug, Default)]
pub(super) struct RouteIndex {
    paths: HashMap<String, Vec<Endpoint>>,
    /// Services that are nested, by the path that they are nested at: axum names none for what is below.
    nested: Vec<(String, Endpoint)>,
    /// Fallbacks, by the path that their routers are nested at.
    fallbacks: Vec<(String, Endpoint)>,
    metadata_url: Option<Box<str>>,
}

#[derive(Clone, Debug)]
struct Endpoint {
    methods: ServedMethods,
    route: Arc<MountedRoute>,
}

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// The index of what is mounted so far.
    pub(super) fn index(&self) -> RouteIndex {
        let mut index = RouteIndex { metadata_url: self.metadata_url(), ..RouteIndex::default() };
        for entry in &self.entries {
            if let Kind::Guarded(route) = &entry.kind {
                index.add(&entry.path, entry.methods.clone(), route);
            }
        }
        for (path, route) in self.other_methods.iter().map(super::other_methods::OtherMethods::route) {
            index.add(path, ServedMethods::Other, route);
        }
        index
    }
}

impl RouteIndex {
    fn add(&mut self, path: &str, methods: ServedMethods, route: &Arc<MountedRoute>) {
        let endpoint = Endpoint { methods, route: Arc::clone(route) };
        if let Some(prefix) = path.strip_suffix(FALLBACK) {
            self.fallbacks.push((prefix.to_owned(), endpoint));
        } else if let Some(prefix) = path.strip_suffix(BELOW) {
            let with_slash = format!("{}/", prefix.trim_end_matches('/'));
            for path in [prefix.to_owned(), with_slash] {
                self.paths.entry(path).or_default().push(endpoint.clone());
            }
            self.nested.push((prefix.to_owned(), endpoint));
        } else {
            self.paths.entry(path.to_owned()).or_default().push(endpoint);
        }
    }

    fn mounted(&self, head: &Parts, nested_at: &str) -> Option<&Arc<MountedRoute>> {
        let matched = head.extensions.get::<MatchedPath>();
        let path = matched.map(|matched| below(matched.as_str(), nested_at));
        if let Some(endpoints) = path.and_then(|path| self.paths.get(&path)) {
            return serving(endpoints.iter(), &head.method);
        }
        let nested = head.extensions.get::<NestedPath>().map_or("", NestedPath::as_str);
        let path = format!("{}{}", below(nested, nested_at).trim_end_matches('/'), head.uri.path());
        let at = |routes: &'_ [(String, Endpoint)]| {
            let length = routes.iter().filter_map(|(prefix, _)| segments_in_common(prefix, &path)).max();
            length.map(|length| (length, &path))
        };
        for routes in [&self.nested, &self.fallbacks] {
            if let Some((length, path)) = at(routes) {
                let is_nearest =
                    |(prefix, _): &&(String, Endpoint)| segments_in_common(prefix, path) == Some(length);
                let endpoints = routes.iter().filter(is_nearest).map(|(_, endpoint)| endpoint);
                return serving(endpoints, &head.method);
            }
        }
        None
    }
}

impl GuardedRoutes for RouteIndex {
    fn route(&self, head: &Parts, nested_at: &str) -> Option<&Arc<ResolvedRoute>> {
        self.mounted(head, nested_at)?.resolved()
    }

    fn metadata_url(&self) -> Option<&str> {
        self.metadata_url.as_deref()
    }
}

/// The endpoint for a method: one that is mounted for it comes before one for all others.
fn serving<'e>(
    endpoints: impl Iterator<Item = &'e Endpoint> + Clone,
    method: &Method,
) -> Option<&'e Arc<MountedRoute>> {
    let serves = |name: &str| {
        endpoints.clone().find(|endpoint| match &endpoint.methods {
            ServedMethods::Named(names) => names.contains(&name),
            _ => false,
        })
    };
    let named =
        serves(method.as_str()).or_else(|| if *method == Method::HEAD { serves("GET") } else { None });
    let others = [ServedMethods::Any, ServedMethods::Unknown, ServedMethods::Service, ServedMethods::Other];
    let all = || others.iter().find_map(|kind| endpoints.clone().find(|endpoint| endpoint.methods == *kind));
    named.or_else(all).map(|endpoint| &endpoint.route)
}

/// A path as the finished router knows it, which is nested at `nested_at`.
fn below(path: &str, nested_at: &str) -> String {
    let rest = path.strip_prefix(nested_at.trim_end_matches('/')).unwrap_or(path);
    format!("/{}", rest.trim_start_matches('/'))
}

/// How many segments a path has in common with the pattern that it is below; `None` if it is not below.
fn segments_in_common(pattern: &str, path: &str) -> Option<usize> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut length = 0;
    for expected in pattern.split('/').filter(|segment| !segment.is_empty()) {
        let segment = segments.next()?;
        if segment != expected && !expected.starts_with('{') {
            return None;
        }
        length += 1;
    }
    Some(length)
}
