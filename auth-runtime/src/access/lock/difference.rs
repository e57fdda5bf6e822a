//! Which access differs between two states of a program.

use std::collections::{BTreeMap, BTreeSet};

use super::callers::RoutePair;
use super::file::{LockedRoute, LockedRule};
use super::shape::{Probes, intersection, lengths};
use super::state::{Methods, State, of_method, shape_of};
use crate::router::{ANY, OTHER, RULE, declared_label, path_shape};

/// A text for each route whose access has changed, and for other requests to which a caller gained or lost access.
pub(super) fn between(before: &State<'_>, after: &State<'_>) -> Vec<String> {
    let probes = Probes::new(before.shapes().chain(after.shapes()).map(|(shape, _)| shape));
    let difference = Difference { before, after, probes };
    let (mut changes, compared) = difference.of_routes();
    changes.extend(difference.of_requests(compared));
    changes.extend(difference.of_authenticators());
    changes.extend(difference.of_declared_rules());
    if before.unguarded != after.unguarded {
        changes.push(format!(
            "routers merged by `dangerously_merge_unguarded`: {} now, {} before: any caller may have gained access to their routes",
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

/// The two routes of a comparison: pairs of the same two routes differ in the same way.
type Compared = (Option<*const LockedRoute>, Option<*const LockedRoute>);

fn compared(pair: RoutePair<'_>) -> Compared {
    (pair.old.map(std::ptr::from_ref), pair.new.map(std::ptr::from_ref))
}

impl<'l> Difference<'_, 'l> {
    /// The sources whose credentials are judged in another way, or are at another place. One that only routes of one state name is
    /// reported with the routes.
    fn of_authenticators(&self) -> Vec<String> {
        let (before, after) = (self.before.locked, self.after.locked);
        let names: BTreeSet<&String> =
            before.authenticators.keys().chain(after.authenticators.keys()).collect();
        let is_read = |name: &str| {
            [before, after].iter().all(|state| state.routes.iter().any(|route| route.reads(name)))
        };
        let mut changes = Vec::new();
        for name in names.into_iter().filter(|name| is_read(name)) {
            let (old, new) = (before.authenticators.get(name), after.authenticators.get(name));
            if old != new {
                let [new, old] = [new, old].map(|place| match place {
                    Some(place) => format!("of an authenticator, in the {place}"),
                    None => "tokens".to_owned(),
                });
                changes.push(format!(
                    "the source `{name}`: its credentials are {new} now, and {old} before: other callers may have gained and lost access \
                     to the routes that take them"
                ));
            }
        }
        changes
    }

    /// The changes of the routes, each at its own place, and the pairs that were compared for them.
    fn of_routes(&self) -> (Vec<String>, BTreeSet<Compared>) {
        let routes = self.before.known().chain(self.after.known());
        // By shape, because the name of a parameter makes no difference. Of two routes at a place the later one is shown.
        let places: BTreeMap<_, _> =
            routes.map(|route| ((path_shape(&route.path), &*route.method), route)).collect();
        let mut pairs = BTreeSet::new();
        let changes = places.iter().filter_map(|((shape, _), route)| {
            let pair =
                RoutePair { old: self.serving(self.before, route), new: self.serving(self.after, route) };
            pairs.insert(compared(pair));
            self.of_route(pair, shape, route)
        });
        (changes.collect(), pairs)
    }

    /// The route that serves the requests of a route's path. For a fallback these are the requests that no route serves.
    fn serving(&self, state: &State<'l>, route: &LockedRoute) -> Option<&'l LockedRoute> {
        let path = self.probes.path(&shape_of(route));
        let methods = if route.is_fallback() { state.fallbacks.at(&path) } else { state.at(&path) };
        of_method(methods, &route.method)
    }

    fn of_route(&self, pair: RoutePair<'_>, shape: &str, shown: &LockedRoute) -> Option<String> {
        let is_own =
            |route: Option<&LockedRoute>| route.is_some_and(|route| path_shape(&route.path) == shape);
        let (was_own, is_own) = (is_own(pair.old), is_own(pair.new));
        let head = match (was_own, is_own) {
            (false, _) => "new: ",
            (_, false) => "gone: ",
            _ => "",
        };
        let mut lines = Vec::new();
        lines.extend(served_by("requests to it were", pair.old.filter(|_| !was_own)));
        lines.extend(served_by("requests to it are now", pair.new.filter(|_| !is_own)));
        let who = pair.who(self.before, self.after, Some(&shown.path));
        match (who.is_empty(), head) {
            (true, "") => return None,
            // A route that was added or removed is a change, too.
            (true, _) => lines.push("no caller gained or lost access".into()),
            _ => lines.extend(who),
        }
        Some(format!("{head}{} {}\n    {}", shown.method, shown.path, lines.join("\n    ")))
    }

    /// The changes for requests that other routes serve than before, without what the changes of routes report already.
    fn of_requests(&self, reported: BTreeSet<Compared>) -> Vec<String> {
        let mut texts: BTreeMap<Compared, Vec<String>> =
            reported.into_iter().map(|pair| (pair, Vec::new())).collect();
        let mut changes = Vec::new();
        for (shape, methods) in self.requests() {
            let path = self.probes.path(&shape);
            let (old, new) = (self.before.at(&path), self.after.at(&path));
            let mut by_text: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
            for method in methods {
                let pair = RoutePair { old: of_method(old, method), new: of_method(new, method) };
                let text = texts.entry(compared(pair)).or_insert_with(|| self.of_pair(pair));
                if text.is_empty() {
                    continue;
                }
                match by_text.iter_mut().find(|(other, _)| other == text) {
                    // Reported for `GET`.
                    Some((_, methods)) if method == "HEAD" && methods.contains(&"GET") => {}
                    Some((_, methods)) => methods.push(method),
                    None => by_text.push((text.clone(), vec![method])),
                }
            }
            let path = named(&shape, [new, old]);
            let reported = by_text.into_iter().map(|(text, methods)| {
                format!("requests: {} {path}\n    {}", in_words(&methods), text.join("\n    "))
            });
            changes.extend(reported);
        }
        changes
    }

    /// The changes of the rules that are decided outside of requests.
    fn of_declared_rules(&self) -> Vec<String> {
        let by_place = |state: &'_ State<'l>| -> BTreeMap<(Option<String>, &'l str), LockedRoute> {
            state.locked.declared.iter().map(|rule| (rule.place(), as_route(rule))).collect()
        };
        let (old, new) = (by_place(self.before), by_place(self.after));
        let places: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let changes = places.into_iter().filter_map(|place| {
            let pair = RoutePair { old: old.get(place), new: new.get(place) };
            let shown = pair.new.or(pair.old)?;
            let mut lines = pair.who(self.before, self.after, None);
            let head = match (pair.old, pair.new) {
                (None, _) => "new: ",
                (_, None) => "gone: ",
                _ => "",
            };
            match (lines.is_empty(), head) {
                (true, "") => return None,
                (true, _) => lines.push("no caller gained or lost access".into()),
                _ => {}
            }
            Some(format!("{head}{} {}\n    {}", shown.method, shown.path, lines.join("\n    ")))
        });
        changes.collect()
    }

    fn of_pair(&self, pair: RoutePair<'_>) -> Vec<String> {
        let who = pair.who(self.before, self.after, None);
        if who.is_empty() {
            return Vec::new();
        }
        let served = served_by("they were", pair.old).into_iter().chain(served_by("they are now", pair.new));
        served.chain(who).collect()
    }

    /// The requests, by shape and method, that another route may serve than before: of a shape that was added or removed,
    /// and of the part that it shares with another shape, by every method; of any other shape, by the methods of its
    /// routes.
    fn requests(&self) -> BTreeMap<String, BTreeSet<&str>> {
        let (before, after) = (self.before, self.after);
        let shapes = || before.shapes().chain(after.shapes());
        let every_method: BTreeSet<&str> =
            shapes().flat_map(|(_, methods)| methods.keys().copied()).chain([ANY]).collect();
        let mut requests: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (shape, methods) in shapes() {
            requests.entry(shape.to_owned()).or_default().extend(methods.keys());
        }
        let all: BTreeSet<&str> = shapes().map(|(shape, _)| shape).collect();
        let stays =
            |shape: &str| before.routes.shapes.contains_key(shape) && after.routes.shapes.contains_key(shape);
        for (old, new) in [(&before.routes, &after.routes), (&before.fallbacks, &after.fallbacks)] {
            let removed = old.shapes.keys().filter(|shape| !new.shapes.contains_key(*shape));
            let added = new.shapes.keys().filter(|shape| !old.shapes.contains_key(*shape));
            for changed in removed.chain(added) {
                // It shares all of its paths with itself.
                let shared: BTreeSet<String> =
                    all.iter().filter_map(|other| intersection(changed, other)).collect();
                let of_length = shared.iter().flat_map(|shape| lengths(shape, self.probes.longest));
                for shape in of_length.chain(shared.iter().cloned()).filter(|shape| !stays(shape)) {
                    requests.entry(shape).or_default().extend(&every_method);
                }
            }
        }
        requests
    }
}

/// The rule as a route of its own, that is compared like one.
fn as_route(rule: &LockedRule) -> LockedRoute {
    let path = declared_label(rule.path.as_deref(), &rule.name);
    LockedRoute { method: RULE.to_owned(), path, policy: rule.policy.clone(), check: None }
}

fn served_by(what: &str, route: Option<&LockedRoute>) -> Option<String> {
    route.map(|route| format!("{what} served by {} {}", route.method, route.path))
}

/// The shape as a path, with the names that parameters have in the paths of these routes.
fn named(shape: &str, serving: [Option<&Methods<'_>>; 2]) -> String {
    let routes = serving.into_iter().flatten().filter_map(|methods| methods.values().next());
    let paths: Vec<&str> = routes.map(|route| &*route.path).collect();
    let segments = shape.split('/').enumerate().map(|(number, segment)| {
        let mut theirs = paths.iter().filter_map(|path| path.split('/').nth(number));
        theirs.find(|theirs| path_shape(theirs) == segment).unwrap_or(segment)
    });
    segments.collect::<Vec<_>>().join("/")
}

fn in_words(methods: &[&str]) -> String {
    let is_any = |method: &&&str| [ANY, OTHER].contains(*method);
    let named = methods.iter().filter(|method| !is_any(method)).copied();
    let any = methods.iter().any(|method| is_any(&method)).then_some("any other method");
    named.chain(any).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Difference, Probes, State, between};
    use crate::access::lock::file::{Locked, LockedRoute};
    use crate::policy::PolicyDocument;

    /// Routes of four kinds of paths, whose segments begin with this prefix.
    fn locked(prefix: &str, routes: usize) -> Locked {
        let paths = (0..routes).map(|number| match number % 4 {
            0 => format!("/{prefix}{number}/{{id}}"),
            1 => format!("/{{tenant}}/{prefix}{number}"),
            2 => format!("/{prefix}{number}/a/{{*rest}}"),
            _ => format!("/{prefix}{number}/a/b/c"),
        });
        let routes = paths.map(|path| LockedRoute {
            method: "GET".to_owned(),
            path,
            policy: PolicyDocument::unguarded(),
            check: None,
        });
        Locked {
            version: 1,
            roles: BTreeMap::new(),
            permissions: BTreeMap::new(),
            routes: routes.collect(),
            declared: Vec::new(),
            authenticators: BTreeMap::new(),
        }
    }

    /// The number of requests that are compared where all routes were renamed.
    fn compared_requests(routes: usize) -> usize {
        let (before, after) = (locked("a", routes), locked("b", routes));
        let (before, after) = (State::new(&before).unwrap(), State::new(&after).unwrap());
        assert_eq!(between(&before, &after).len(), 2 * routes);
        let probes = Probes::new(before.shapes().chain(after.shapes()).map(|(shape, _)| shape));
        let difference = Difference { before: &before, after: &after, probes };
        difference.requests().values().map(|methods| methods.len()).sum()
    }

    /// A path may share requests with every other one, and with no more: the work is quadratic in the number of routes.
    #[test]
    fn the_work_is_quadratic_where_all_routes_were_renamed() {
        let [few, many] = [20, 80].map(compared_requests);
        assert!(many <= 16 * few, "{few} requests of 20 routes, {many} of 80");
    }
}
