//! Who gained access to a request, and who lost it.

use auth_analysis::{Atom, Atoms, Fact, Formula, ListKind, OverBudget, example};

use super::file::{Locked, LockedRoute};
use super::state::State;
use crate::access::reading::{BUDGET, FALSE, Names, TRUE, atom, formula, parameter_at};
use crate::policy::{PolicyAccess, PolicyDocument};

/// The routes that served a request before, and that serve it now.
#[derive(Clone, Copy)]
pub(super) struct RoutePair<'l> {
    pub(super) old: Option<&'l LockedRoute>,
    pub(super) new: Option<&'l LockedRoute>,
}

impl RoutePair<'_> {
    /// Who gained and who lost access, with the parameters as the path has them that is shown. Empty if access is the same.
    pub(super) fn who(self, before: &State<'_>, after: &State<'_>, shown: Option<&str>) -> Vec<String> {
        let Self { old, new } = self;
        let mut lines: Vec<String> = Vec::new();
        let is_open = |route: &LockedRoute| route.policy.access != PolicyAccess::Authenticated;
        let (was_open, is_open) = (old.is_some_and(is_open), new.is_some_and(is_open));
        if was_open != is_open {
            lines.push(change(is_open, "anonymous callers"));
        }
        lines.extend(invalid_credentials(old, new));
        lines.extend(sources(old, new));
        match self.callers(before.locked, after.locked, shown) {
            Ok(callers) => lines.extend(callers),
            Err(OverBudget) if self.is_identical(before.locked, after.locked) => {}
            Err(OverBudget) => {
                lines.push("the rule, or what the vocabulary says of its names, has changed, and it is too large to find out for whom: compare the files".into());
            }
        }
        lines
    }

    fn is_identical(self, before: &Locked, after: &Locked) -> bool {
        let Self { old, new } = self;
        old.map(|old| (&old.policy, &old.check)) == new.map(|new| (&new.policy, &new.check))
            && before.roles == after.roles
            && before.permissions == after.permissions
    }

    /// Callers with a valid credential that were rejected and are admitted now, or the other way around: an example of each.
    fn callers(
        self,
        before: &Locked,
        after: &Locked,
        shown: Option<&str>,
    ) -> Result<Vec<String>, OverBudget> {
        let mut atoms = Atoms::default();
        let mut admitted = |state: &Locked, route: Option<&LockedRoute>| {
            let Some(route) = route else { return FALSE };
            if matches!(route.policy.access, PolicyAccess::Public | PolicyAccess::Unguarded) {
                return TRUE;
            }
            let policy = PolicyDocument { check: route.check.clone(), ..route.policy.clone() };
            let rule = formula(&policy, &route.path, &TokenNames(state), &mut atoms);
            Formula::All(vec![rule, no_excluded_roles(state, &mut atoms)])
        };
        let old = admitted(before, self.old);
        let new = admitted(after, self.new);
        let not = |formula: &Formula| Formula::Not(Box::new(formula.clone()));
        let gained = Formula::All(vec![new.clone(), not(&old)]);
        let lost = Formula::All(vec![old, not(&new)]);
        let facts = atoms.facts();
        let parameter = |place: &str| self.parameter(place, shown);
        let mut lines = Vec::new();
        for (is_gain, formula) in [(true, gained), (false, lost)] {
            if let Some(found) = caller(&formula, &atoms, &facts, parameter)? {
                lines.push(change(is_gain, &found));
            }
        }
        Ok(lines)
    }

    /// The parameter at this place, by its name in the path that is shown, or otherwise in the path of a route.
    fn parameter(self, place: &str, shown: Option<&str>) -> String {
        if let Some(name) = shown.and_then(|path| parameter_at(path, place)) {
            return format!("{{{name}}} of the path");
        }
        let mut routes = [self.new, self.old].into_iter().flatten();
        let named = routes.find_map(|route| Some((parameter_at(&route.path, place)?, &route.path)));
        named.map_or_else(|| "a parameter".to_owned(), |(name, path)| format!("{{{name}}} of {path}"))
    }
}

/// A public route ignores an invalid credential, and an optional one rejects it.
fn invalid_credentials(old: Option<&LockedRoute>, new: Option<&LockedRoute>) -> Option<String> {
    match (old?.policy.access, new?.policy.access) {
        (PolicyAccess::Optional, PolicyAccess::Public) => {
            Some(change(true, "callers with an invalid credential"))
        }
        (PolicyAccess::Public, PolicyAccess::Optional) => {
            Some(change(false, "callers with an invalid credential"))
        }
        _ => None,
    }
}

/// The sources that were added and removed.
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
    let change_of = |(gained, source)| change(gained, &format!("callers with a credential from `{source}`"));
    gained.chain(lost).map(change_of).collect()
}

fn change(gained: bool, who: &str) -> String {
    format!("{} {who}", if gained { "+ gained:" } else { "- lost:  " })
}

/// A caller that satisfies the formula, with as few attributes as possible.
fn caller(
    formula: &Formula,
    atoms: &Atoms,
    facts: &[Fact],
    parameter: impl Fn(&str) -> String,
) -> Result<Option<String>, OverBudget> {
    let Some(found) = example(formula, facts, BUDGET)? else { return Ok(None) };
    let mut has: Vec<String> = Vec::new();
    let mut checks: Vec<String> = Vec::new();
    for (number, atom) in atoms.iter().enumerate() {
        let holds = found.contains(&number);
        match atom {
            Atom::Other(check) if mentions(formula, number) => {
                let outcome = if holds { "admits" } else { "rejects" };
                checks.push(format!("whom the check `{check}` {outcome}"));
            }
            _ if !holds => {}
            Atom::Name(kind, name) => has.push(format!("{} `{name}`", kind.with_article())),
            Atom::Claim(name, value) => match value.strip_prefix('{') {
                Some(place) => {
                    let parameter = parameter(place.strip_suffix('}').unwrap_or(place));
                    has.push(format!("the claim `{name}` equal to {parameter}"));
                }
                None => has.push(format!("the claim `{name}` {value}")),
            },
            Atom::MaxAge(seconds) => has.push(format!("a login at most {seconds} s old")),
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

/// Names as a token has them: a role itself, or one that implies it.
struct TokenNames<'l>(&'l Locked);

impl Names for TokenNames<'_> {
    fn role(&self, name: &str, atoms: &mut Atoms) -> Formula {
        let implying =
            self.0.roles.iter().filter(|(_, role)| role.implies.iter().any(|implied| implied == name));
        let names = std::iter::once(name).chain(implying.map(|(role, _)| &**role));
        Formula::Any(names.map(|name| atom(Atom::Name(ListKind::Roles, name.to_owned()), atoms)).collect())
    }

    fn permission(&self, name: &str, atoms: &mut Atoms) -> Formula {
        let mut ways = vec![atom(Atom::Name(ListKind::Permissions, name.to_owned()), atoms)];
        for role in self.0.permissions.get(name).into_iter().flatten() {
            ways.push(self.role(role, atoms));
        }
        Formula::Any(ways)
    }
}

/// The caller has no two roles that exclude each other.
fn no_excluded_roles(state: &Locked, atoms: &mut Atoms) -> Formula {
    let names = TokenNames(state);
    let pairs =
        state.roles.iter().flat_map(|(name, role)| role.excludes.iter().map(move |other| (name, other)));
    let clashes =
        pairs.map(|(one, other)| Formula::All(vec![names.role(one, atoms), names.role(other, atoms)]));
    Formula::Not(Box::new(Formula::Any(clashes.collect())))
}
