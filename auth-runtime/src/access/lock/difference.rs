//! Two states of a program → what is told of their difference.

use std::collections::{BTreeMap, BTreeSet};

use super::LockedRoute;
use super::callers::Pair;
use super::shape::{Probes, lengths, meet};
use super::state::{Methods, State, is_fallback, of_method, shape_of};
use crate::router::path_shape;

/// A text for each route whose access has changed, and for each other place where somebody gained access or lost it.
pub(super) fn between(before: &State<'_>, after: &State<'_>) -> Vec<String> {
    let probes = Probes::new(before.shapes().chain(after.shapes()).map(|(shape, _)| shape));
    let difference = Difference { before, after, probes };
    let (mut changes, compared) = difference.of_routes();
    changes.extend(difference.of_requests(compared));
    if before.unguarded != after.unguarded {
        changes.push(format!(
            "routes that nothing of this library stands before are merged {} times, and were {}: everybody may have gained \
             what they serve",
            after.unguarded, before.unguarded
        ));
    }
    changes
}

struct Difference<'d, 'l> {
    before: &'d State<'l>,
    after: &'d State<'l>,
    probes: Probes,
}

/// Which two routes were compared: pairs of the same routes differ in the same way.
type Compared = (Option<*const LockedRoute>, Option<*const LockedRoute>);

fn compared(pair: Pair<'_>) -> Compared {
    (pair.old.map(std::ptr::from_ref), pair.new.map(std::ptr::from_ref))
}

impl<'l> Difference<'_, 'l> {
    /// What is told of the routes, each at its own place, and what was compared for that.
    fn of_routes(&self) -> (Vec<String>, BTreeSet<Compared>) {
        let routes = self.before.known().chain(self.after.known());
        // By shape: what a parameter is called makes no difference. Of two routes at a place the later one is shown.
        let places: BTreeMap<_, _> =
            routes.map(|route| ((path_shape(&route.path), &*route.method), route)).collect();
        let mut pairs = BTreeSet::new();
        let changes = places.iter().filter_map(|((shape, _), route)| {
            let pair = Pair { old: self.met(self.before, route), new: self.met(self.after, route) };
            pairs.insert(compared(pair));
            self.of_route(pair, shape, route)
        });
        (changes.collect(), pairs)
    }

    /// What the requests that a route is for meet: of a fallback those that no route takes.
    fn met(&self, state: &State<'l>, route: &LockedRoute) -> Option<&'l LockedRoute> {
        let path = self.probes.path(&shape_of(route));
        let methods = if is_fallback(route) { state.fallbacks.at(&path) } else { state.at(&path) };
        of_method(methods, &route.method)
    }

    fn of_route(&self, pair: Pair<'_>, shape: &str, shown: &LockedRoute) -> Option<String> {
        let is_own = |met: Option<&LockedRoute>| met.is_some_and(|met| path_shape(&met.path) == shape);
        let (was_own, is_own) = (is_own(pair.old), is_own(pair.new));
        let head = match (was_own, is_own) {
            (false, _) => "new: ",
            (_, false) => "gone: ",
            _ => "",
        };
        let mut lines = Vec::new();
        lines.extend(served("requests to it were", pair.old.filter(|_| !was_own)));
        lines.extend(served("requests to it are now", pair.new.filter(|_| !is_own)));
        let who = pair.who(self.before, self.after, Some(&shown.path));
        match (who.is_empty(), head) {
            (true, "") => return None,
            // A route that came or went is a change that somebody made.
            (true, _) => lines.push("nobody gained access or lost it".into()),
            _ => lines.extend(who),
        }
        Some(format!("{head}{} {}\n    {}", shown.method, shown.path, lines.join("\n    ")))
    }

    /// What is told of requests that meet other routes than before, beyond what was told of routes.
    fn of_requests(&self, told: BTreeSet<Compared>) -> Vec<String> {
        let mut texts: BTreeMap<Compared, Vec<String>> =
            told.into_iter().map(|pair| (pair, Vec::new())).collect();
        let mut changes = Vec::new();
        for (shape, methods) in self.requests() {
            let path = self.probes.path(&shape);
            let (old, new) = (self.before.at(&path), self.after.at(&path));
            let mut by_text: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
            for method in methods {
                let pair = Pair { old: of_method(old, method), new: of_method(new, method) };
                let text = texts.entry(compared(pair)).or_insert_with(|| self.of_pair(pair));
                if text.is_empty() {
                    continue;
                }
                match by_text.iter_mut().find(|(other, _)| other == text) {
                    // Told for `GET`.
                    Some((_, methods)) if method == "HEAD" && methods.contains(&"GET") => {}
                    Some((_, methods)) => methods.push(method),
                    None => by_text.push((text.clone(), vec![method])),
                }
            }
            let path = named(&shape, [new, old]);
            let told = by_text.into_iter().map(|(text, methods)| {
                format!("requests: {} {path}\n    {}", in_words(&methods), text.join("\n    "))
            });
            changes.extend(told);
        }
        changes
    }

    fn of_pair(&self, pair: Pair<'_>) -> Vec<String> {
        let who = pair.who(self.before, self.after, None);
        if who.is_empty() {
            return Vec::new();
        }
        let served = served("they were", pair.old).into_iter().chain(served("they are now", pair.new));
        served.chain(who).collect()
    }

    /// The requests, by shape and method, that may meet another route than before: those of a shape that came or went, and those
    /// that it shares with another shape, by every method; and those of a shape that stayed, by the methods of its routes.
    fn requests(&self) -> BTreeMap<String, BTreeSet<&str>> {
        let (before, after) = (self.before, self.after);
        let shapes = || before.shapes().chain(after.shapes());
        let every_method: BTreeSet<&str> =
            shapes().flat_map(|(_, methods)| methods.keys().copied()).chain(["ANY"]).collect();
        let mut requests: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (shape, methods) in shapes() {
            requests.entry(shape.to_owned()).or_default().extend(methods.keys());
        }
        let all: BTreeSet<&str> = shapes().map(|(shape, _)| shape).collect();
        let stays =
            |shape: &str| before.routes.shapes.contains_key(shape) && after.routes.shapes.contains_key(shape);
        for (old, new) in [(&before.routes, &after.routes), (&before.fallbacks, &after.fallbacks)] {
            let went = old.shapes.keys().filter(|shape| !new.shapes.contains_key(*shape));
            let came = new.shapes.keys().filter(|shape| !old.shapes.contains_key(*shape));
            for changed in went.chain(came) {
                // It meets itself too.
                let meets: BTreeSet<String> = all.iter().filter_map(|other| meet(changed, other)).collect();
                let of_length = meets.iter().flat_map(|shape| lengths(shape, self.probes.longest));
                for shape in of_length.chain(meets.iter().cloned()).filter(|shape| !stays(shape)) {
                    requests.entry(shape).or_default().extend(&every_method);
                }
            }
        }
        requests
    }
}

fn served(what: &str, route: Option<&LockedRoute>) -> Option<String> {
    route.map(|route| format!("{what} served by {} {}", route.method, route.path))
}

/// The shape as a path, with the names that parameters have in the paths of these routes.
fn named(shape: &str, met: [Option<&Methods<'_>>; 2]) -> String {
    let routes = met.into_iter().flatten().filter_map(|methods| methods.values().next());
    let paths: Vec<&str> = routes.map(|route| &*route.path).collect();
    let segments = shape.split('/').enumerate().map(|(number, segment)| {
        let mut theirs = paths.iter().filter_map(|path| path.split('/').nth(number));
        theirs.find(|theirs| path_shape(theirs) == segment).unwrap_or(segment)
    });
    segments.collect::<Vec<_>>().join("/")
}

fn in_words(methods: &[&str]) -> String {
    let named = methods.iter().filter(|method| **method != "ANY").copied();
    let any = methods.contains(&"ANY").then_some("any other method");
    named.chain(any).collect::<Vec<_>>().join(", ")
}
