//! Which route serves a request, found by the router that axum itself uses.

use std::collections::BTreeMap;

use super::error::InvalidLock;
use super::file::{Locked, LockedRoute};
use crate::router::{ANY, BELOW, FALLBACK, OTHER, path_shape};

/// The router does not take more parameters in a path than these.
const MOST_BRACES: usize = 25;

/// The routes of a lock or of a table.
pub(super) struct State<'l> {
    pub(super) locked: &'l Locked,
    pub(super) routes: RouteIndex<'l>,
    /// They serve the paths that no route has.
    pub(super) fallbacks: RouteIndex<'l>,
    /// The number of routers that are merged without a guard.
    pub(super) unguarded: usize,
}

/// The routes of one path, by their methods.
pub(super) type Methods<'l> = BTreeMap<&'l str, &'l LockedRoute>;

/// Routes by the paths of the requests that they serve.
#[derive(Default)]
pub(super) struct RouteIndex<'l> {
    /// From a path to its shape.
    router: matchit::Router<String>,
    /// What the router has, each with the path of its route.
    patterns: BTreeMap<String, &'l str>,
    pub(super) shapes: BTreeMap<String, Methods<'l>>,
}

impl<'l> State<'l> {
    /// # Errors
    /// No router can serve these paths together.
    pub(super) fn new(locked: &'l Locked) -> Result<Self, InvalidLock> {
        let mut state =
            Self { locked, routes: RouteIndex::default(), fallbacks: RouteIndex::default(), unguarded: 0 };
        for route in &locked.routes {
            if route.is_unguarded() {
                state.unguarded += 1;
                continue;
            }
            let index = if route.is_fallback() { &mut state.fallbacks } else { &mut state.routes };
            for pattern in patterns(&route.path) {
                index.add(pattern, route).map_err(|why| {
                    InvalidLock::Invalid(format!("the path {} can't be served: {why}", route.path))
                })?;
            }
        }
        Ok(state)
    }

    pub(super) fn known(&self) -> impl Iterator<Item = &'l LockedRoute> {
        self.locked.routes.iter().filter(|route| !route.is_unguarded())
    }

    /// All shapes of paths that are served.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&str, &Methods<'l>)> + Clone {
        let shapes = self.routes.shapes.iter().chain(&self.fallbacks.shapes);
        shapes.map(|(shape, methods)| (&**shape, methods))
    }

    /// The routes that serve this path. The path is matched before the method: where the path has no route of the method,
    /// the answer is 405.
    pub(super) fn at(&self, path: &str) -> Option<&Methods<'l>> {
        self.routes.at(path).or_else(|| self.fallbacks.at(path))
    }
}

impl<'l> RouteIndex<'l> {
    fn add(&mut self, pattern: String, route: &'l LockedRoute) -> Result<(), String> {
        let shape = path_shape(&pattern);
        if self.patterns.insert(pattern.clone(), &route.path) != Some(&*route.path) {
            if pattern.matches('{').count() > MOST_BRACES {
                return Err(format!("it has more than {MOST_BRACES} parameters"));
            }
            self.router.insert(pattern, shape.clone()).map_err(|error| error.to_string())?;
        }
        self.shapes.entry(shape).or_default().insert(&route.method, route);
        Ok(())
    }

    pub(super) fn at(&self, path: &str) -> Option<&Methods<'l>> {
        self.shapes.get(self.router.at(path).ok()?.value)
    }
}

/// The route of a path that serves this method.
pub(super) fn of_method<'l>(methods: Option<&Methods<'l>>, method: &str) -> Option<&'l LockedRoute> {
    let head = (method == "HEAD").then_some("GET");
    let mut names = std::iter::once(method).chain(head).chain([ANY, OTHER]);
    names.find_map(|name| methods?.get(name).copied())
}

/// The shape of the paths that a route serves, as a whole.
pub(super) fn shape_of(route: &LockedRoute) -> String {
    patterns(&route.path).last().map(|pattern| path_shape(pattern)).unwrap_or_default()
}

/// The paths that axum serves with a route of this path. For a service and a fallback the one below the prefix is the last.
fn patterns(path: &str) -> Vec<String> {
    let (prefix, is_service) = match (path.strip_suffix(FALLBACK), path.strip_suffix(BELOW)) {
        (Some(prefix), _) => (prefix, false),
        (_, Some(prefix)) => (prefix, true),
        _ => return vec![path.to_owned()],
    };
    let with_slash = format!("{}/", prefix.strip_suffix('/').unwrap_or(prefix));
    let below = format!("{with_slash}{{*below}}");
    match (prefix.is_empty() || prefix.ends_with('/'), is_service) {
        (true, _) => vec![with_slash, below],
        (false, true) => vec![prefix.to_owned(), with_slash, below],
        // Only a service is served at the prefix with a slash at its end, too.
        (false, false) => vec![prefix.to_owned(), below],
    }
}
