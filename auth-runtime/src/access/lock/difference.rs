//! Two states of a program → who gained access, and who lost it.

use std::collections::BTreeMap;

use auth_analysis::{Atom, Atoms, Fact, Formula, OverBudget, example};

use super::{Locked, LockedRoute};
use crate::access::reading::{BUDGET, FALSE, Names, TRUE, atom, formula};
use crate::policy::{PolicyAccess, PolicyDocument};
use crate::routing::{FALLBACK, path_parameters, path_shape};

/// A text for each route whose access has changed.
pub(super) fn between(before: &Locked, after: &Locked) -> Vec<String> {
    let (before, after) = (State::new(before), State::new(after));
    let mut places: Vec<&Place> = before.routes.keys().chain(after.routes.keys()).collect();
    places.sort_unstable();
    places.dedup();
    let mut changes: Vec<String> = places
        .into_iter()
        .filter_map(|place| Pair { before: &before, after: &after, place }.change())
        .collect();
    if before.unguarded != after.unguarded {
        changes.push(format!(
            "routes that nothing of this library stands before are merged {} times, and were {}: everybody may have gained \
             what they serve",
            after.unguarded, before.unguarded
        ));
    }
    changes
}

/// Shape of the path, and method.
type Place = (String, String);

/// What was served, or is.
struct State<'l> {
    locked: &'l Locked,
    routes: BTreeMap<Place, &'l LockedRoute>,
    /// How many routers are merged without a guard.
    unguarded: usize,
}

/// A request of this method and path meets this route.
#[derive(Clone, Copy)]
struct Met<'l> {
    route: &'l LockedRoute,
    /// It is a route of that place, and not one that is there for others too.
    is_own: bool,
}

impl<'l> State<'l> {
    fn new(locked: &'l Locked) -> Self {
        let is_unguarded = |route: &&LockedRoute| route.policy.access == PolicyAccess::Unguarded;
        let routes = locked.routes.iter().filter(|route| !is_unguarded(route));
        let routes = routes.map(|route| ((path_shape(&route.path), route.method.clone()), route)).collect();
        Self { locked, routes, unguarded: locked.routes.iter().filter(is_unguarded).count() }
    }

    /// What a request to this place meets: a route of its own method, or that of `GET` for `HEAD`, or of any; or else a route with a
    /// parameter or a wildcard there, the most literal first; or the fallback.
    fn met(&self, (shape, method): &Place) -> Option<Met<'l>> {
        let head = (method == "HEAD").then_some("GET");
        let methods = || std::iter::once(&**method).chain(head).chain(["ANY"]);
        let own = methods().find_map(|method| self.routes.get(&(shape.clone(), method.to_owned())));
        if let Some(route) = own {
            return Some(Met { route, is_own: true });
        }
        let covering = self.routes.iter().filter(|((other, other_method), _)| {
            covers(other, shape) && methods().any(|method| method == other_method)
        });
        let most_literal = covering.max_by_key(|((other, method), _)| {
            let literal = other.split('/').filter(|part| !part.starts_with('{')).count();
            (literal, !other.contains("{*}"), method != "ANY")
        });
        let fallback = || {
            let fallbacks = self
                .routes
                .iter()
                .filter_map(|route| Some((route.0.0.strip_suffix(FALLBACK.trim_start_matches('/'))?, route)));
            let of_path = fallbacks.filter(|(prefix, _)| shape.starts_with(prefix));
            of_path.max_by_key(|(prefix, _)| prefix.len()).map(|(_, route)| route)
        };
        let (_, route) = most_literal.or_else(fallback)?;
        Some(Met { route, is_own: false })
    }
}

/// Whether a path of the shape `other` takes what one of the shape `shape` would.
fn covers(other: &str, shape: &str) -> bool {
    let mut theirs = other.split('/');
    for part in shape.split('/') {
        match theirs.next() {
            Some("{*}") => return true,
            Some("{}") if part != "{*}" => {}
            Some(same) if same == part => {}
            _ => return false,
        }
    }
    theirs.next().is_none()
}

/// A place as it was and as it is.
struct Pair<'l> {
    before: &'l State<'l>,
    after: &'l State<'l>,
    place: &'l Place,
}

impl Pair<'_> {
    fn change(&self) -> Option<String> {
        let (old, new) = (self.before.met(self.place), self.after.met(self.place));
        let is_own = |met: Option<Met<'_>>| met.is_some_and(|met| met.is_own);
        let shown = [new, old].into_iter().flatten().find(|met| met.is_own)?.route;
        let head = match (is_own(old), is_own(new)) {
            (false, _) => "new: ",
            (_, false) => "gone: ",
            _ => "",
        };
        let mut lines: Vec<String> = Vec::new();
        for (met, what) in [(old, "requests to it were served by"), (new, "requests to it are now served by")]
        {
            if let Some(Met { route, is_own: false }) = met {
                lines.push(format!("{what} {} {}", route.method, route.path));
            }
        }
        let (old, new) = (old.map(|met| met.route), new.map(|met| met.route));
        let is_open = |route: &LockedRoute| route.policy.access != PolicyAccess::Authenticated;
        let (was_open, is_open) = (old.is_some_and(is_open), new.is_some_and(is_open));
        let silent = lines.len();
        if was_open != is_open {
            lines.push(told(is_open, "everybody who sends no credential"));
        }
        lines.extend(bad_credentials(old, new));
        lines.extend(sources(old, new));
        match self.callers(old, new) {
            Ok(callers) => lines.extend(callers),
            Err(OverBudget) if self.is_word_for_word(old, new) => {}
            Err(OverBudget) => {
                lines.push("its rule, or what the vocabulary makes of it, has changed, and is too large to say for whom: compare the files".into());
            }
        }
        if lines.len() == silent {
            // Nobody gained and nobody lost; but a route that came or went is a change that somebody made.
            if head.is_empty() {
                return None;
            }
            lines.push("nobody gained access or lost it".into());
        }
        Some(format!("{head}{} {}\n    {}", self.place.1, shown.path, lines.join("\n    ")))
    }

    fn is_word_for_word(&self, old: Option<&LockedRoute>, new: Option<&LockedRoute>) -> bool {
        let (before, after) = (self.before.locked, self.after.locked);
        old.map(|old| (&old.policy, &old.check)) == new.map(|new| (&new.policy, &new.check))
            && before.roles == after.roles
            && before.permissions == after.permissions
    }

    /// Callers with a credential who were not let in and are, or the other way around: an example of each.
    fn callers(
        &self,
        old: Option<&LockedRoute>,
        new: Option<&LockedRoute>,
    ) -> Result<Vec<String>, OverBudget> {
        let mut atoms = Atoms::default();
        let parameters = new.or(old).map(|route| path_parameters(&route.path)).unwrap_or_default();
        let mut let_in = |state: &Locked, route: Option<&LockedRoute>| {
            let Some(route) = route else { return FALSE };
            if matches!(route.policy.access, PolicyAccess::Public | PolicyAccess::Unguarded) {
                return TRUE;
            }
            let policy = PolicyDocument { check: route.check.clone(), ..route.policy.clone() };
            let rule = formula(&policy, &route.path, &Raw(state), &mut atoms);
            Formula::All(vec![rule, identified(state, &mut atoms)])
        };
        let old = let_in(self.before.locked, old);
        let new = let_in(self.after.locked, new);
        let not = |formula: &Formula| Formula::Not(Box::new(formula.clone()));
        let gained = Formula::All(vec![new.clone(), not(&old)]);
        let lost = Formula::All(vec![old, not(&new)]);
        let facts = atoms.facts();
        let mut lines = Vec::new();
        for (is_gain, formula) in [(true, gained), (false, lost)] {
            if let Some(found) = caller(&formula, &atoms, &facts, &parameters)? {
                lines.push(told(is_gain, &found));
            }
        }
        Ok(lines)
    }
}

/// A credential that is not good is refused where one is looked at.
fn bad_credentials(old: Option<&LockedRoute>, new: Option<&LockedRoute>) -> Option<String> {
    match (old?.policy.access, new?.policy.access) {
        (PolicyAccess::Optional, PolicyAccess::Public) => {
            Some(told(true, "callers with a credential that is not good"))
        }
        (PolicyAccess::Public, PolicyAccess::Optional) => {
            Some(told(false, "callers with a credential that is not good"))
        }
        _ => None,
    }
}

/// Where a credential may come from now, or no more.
fn sources(old: Option<&LockedRoute>, new: Option<&LockedRoute>) -> Vec<String> {
    let (Some(old), Some(new)) = (old, new) else { return Vec::new() };
    let reads = |route: &LockedRoute| {
        matches!(route.policy.access, PolicyAccess::Authenticated | PolicyAccess::Optional)
    };
    if !reads(old) || !reads(new) {
        return Vec::new();
    }
    let (old, new) = (&old.policy.sources, &new.policy.sources);
    let gained = new.iter().filter(|source| !old.contains(source)).map(|source| (true, source));
    let lost = old.iter().filter(|source| !new.contains(source)).map(|source| (false, source));
    let told = |(gained, source)| told(gained, &format!("callers with a credential from `{source}`"));
    gained.chain(lost).map(told).collect()
}

fn told(gained: bool, who: &str) -> String {
    format!("{} {who}", if gained { "+ gained:" } else { "- lost:  " })
}

/// A caller of whom the formula is true, with as little as can be.
fn caller(
    formula: &Formula,
    atoms: &Atoms,
    facts: &[Fact],
    parameters: &[&str],
) -> Result<Option<String>, OverBudget> {
    let Some(found) = example(formula, facts, BUDGET)? else { return Ok(None) };
    let mut has: Vec<String> = Vec::new();
    let mut checks: Vec<String> = Vec::new();
    for (number, atom) in atoms.iter().enumerate() {
        let holds = found.contains(&number);
        match atom {
            Atom::Other(check) if mentions(formula, number) => {
                let says = if holds { "lets in" } else { "refuses" };
                checks.push(format!("whom the check `{check}` {says}"));
            }
            _ if !holds => {}
            Atom::Role(name) => has.push(format!("the role `{name}`")),
            Atom::Scope(name) => has.push(format!("the scope `{name}`")),
            Atom::Permission(name) => has.push(format!("the permission `{name}`")),
            Atom::Claim(name, value) => match value.strip_prefix('{') {
                Some(place) => {
                    let place = place.trim_end_matches('}').parse::<usize>().ok();
                    let parameter = place.and_then(|place| parameters.get(place)).unwrap_or(&"..");
                    has.push(format!("the claim `{name}` equal to {{{parameter}}} of the path"));
                }
                None => has.push(format!("the claim `{name}` {value}")),
            },
            Atom::MaxAge(seconds) => has.push(format!("a log-in at most {seconds} s old")),
            Atom::Acr(class) => has.push(format!("a log-in of class `{class}`")),
            Atom::Other(_) => {}
        }
    }
    let has = if has.is_empty() {
        "a caller with none of what the rule names".to_owned()
    } else {
        format!("a caller with {}, and nothing else", has.join(", "))
    };
    checks.insert(0, has);
    Ok(Some(checks.join(", ")))
}

fn mentions(formula: &Formula, number: usize) -> bool {
    match formula {
        Formula::Atom(atom) => *atom == number,
        Formula::All(parts) | Formula::Any(parts) => parts.iter().any(|part| mentions(part, number)),
        Formula::Not(part) => mentions(part, number),
    }
}

/// Names in terms of what a token says: a role by itself, or one that implies it.
struct Raw<'l>(&'l Locked);

impl Names for Raw<'_> {
    fn role(&self, name: &str, atoms: &mut Atoms) -> Formula {
        let implying =
            self.0.roles.iter().filter(|(_, role)| role.implies.iter().any(|implied| implied == name));
        let names = std::iter::once(name).chain(implying.map(|(role, _)| &**role));
        Formula::Any(names.map(|name| atom(Atom::Role(name.to_owned()), atoms)).collect())
    }

    fn permission(&self, name: &str, atoms: &mut Atoms) -> Formula {
        let mut ways = vec![atom(Atom::Permission(name.to_owned()), atoms)];
        for role in self.0.permissions.get(name).into_iter().flatten() {
            ways.push(self.role(role, atoms));
        }
        Formula::Any(ways)
    }
}

/// Whether the caller holds no two roles that exclude each other.
fn identified(state: &Locked, atoms: &mut Atoms) -> Formula {
    let raw = Raw(state);
    let pairs =
        state.roles.iter().flat_map(|(name, role)| role.excludes.iter().map(move |other| (name, other)));
    let clashes = pairs.map(|(one, other)| Formula::All(vec![raw.role(one, atoms), raw.role(other, atoms)]));
    Formula::Not(Box::new(Formula::Any(clashes.collect())))
}
