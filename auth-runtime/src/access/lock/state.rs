//! What was served, or is: which route a request meets, found by the router that axum itself uses.

use std::collections::BTreeMap;

use super::{Locked, LockedRoute};
use crate::router::{BELOW, FALLBACK, UNKNOWN, path_shape};

/// More parameters in a path than these the router does not take.
const MOST_BRACES: usize = 25;

/// What was served, or is.
pub(super) struct State<'l> {
    pub(super) locked: &'l Locked,
    pub(super) routes: Served<'l>,
    /// Asked where no route has the path.
    pub(super) fallbacks: Served<'l>,
    /// How many routers are merged without a guard.
    pub(super) unguarded: usize,
}

/// The routes of one path, by their methods.
pub(super) type Methods<'l> = BTreeMap<&'l str, &'l LockedRoute>;

/// Routes by the requests that they are for.
#[derive(Default)]
pub(super) struct Served<'l> {
    /// From a path to its shape.
    router: matchit::Router<String>,
    /// What the router was given, each with the path of the route that it is for.
    patterns: BTreeMap<String, &'l str>,
    pub(super) shapes: BTreeMap<String, Methods<'l>>,
}

impl<'l> State<'l> {
    /// # Errors
    /// No router holds these paths together.
    pub(super) fn new(locked: &'l Locked) -> Result<Self, String> {
        let mut state =
            Self { locked, routes: Served::default(), fallbacks: Served::default(), unguarded: 0 };
        for route in &locked.routes {
            if is_unknown(route) {
                state.unguarded += 1;
                continue;
            }
            let served = if is_fallback(route) { &mut state.fallbacks } else { &mut state.routes };
            for pattern in patterns(&route.path) {
                served.add(pattern, route).map_err(|why| format!("{} can't be served: {why}", route.path))?;
            }
        }
        Ok(state)
    }

    pub(super) fn known(&self) -> impl Iterator<Item = &'l LockedRoute> {
        self.locked.routes.iter().filter(|route| !is_unknown(route))
    }

    /// All shapes of paths that are answered.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&str, &Methods<'l>)> + Clone {
        let shapes = self.routes.shapes.iter().chain(&self.fallbacks.shapes);
        shapes.map(|(shape, methods)| (&**shape, methods))
    }

    /// What a request to this path may meet. The path is found first and then the method: where that lacks, nobody is let in.
    pub(super) fn at(&self, path: &str) -> Option<&Methods<'l>> {
        self.routes.at(path).or_else(|| self.fallbacks.at(path))
    }
}

impl<'l> Served<'l> {
    fn add(&mut self, pattern: String, route: &'l LockedRoute) -> Result<(), String> {
        let shape = path_shape(&pattern);
        if self.patterns.insert(pattern.clone(), &route.path) != Some(&*route.path) {
            if pattern.matches('{').count() > MOST_BRACES {
                return Err("it has too many parameters".to_owned());
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

/// Which of the routes of a path a request of this method meets.
pub(super) fn of_method<'l>(methods: Option<&Methods<'l>>, method: &str) -> Option<&'l LockedRoute> {
    let head = (method == "HEAD").then_some("GET");
    let mut names = std::iter::once(method).chain(head).chain(["ANY"]);
    names.find_map(|name| methods?.get(name).copied())
}

/// It stands for a router that was merged without a guard: nobody knows what that serves.
pub(super) fn is_unknown(route: &LockedRoute) -> bool {
    route.path.ends_with(UNKNOWN)
}

pub(super) fn is_fallback(route: &LockedRoute) -> bool {
    route.path.ends_with(FALLBACK)
}

/// The shape of the paths that a route is for, as a whole.
pub(super) fn shape_of(route: &LockedRoute) -> String {
    patterns(&route.path).last().map(|pattern| path_shape(pattern)).unwrap_or_default()
}

/// The paths that axum answers with a route of this path: of a service and a fallback that below the prefix comes last.
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
        // Only a service answers the prefix with a slash behind it too.
        (false, false) => vec![prefix.to_owned(), below],
    }
}
