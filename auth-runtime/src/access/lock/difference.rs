//! Two states of a program → who gained access, and who lost it.

use auth_analysis::{Atom, Atoms, Fact, Formula, OverBudget, example};

use super::{Locked, LockedRoute};
use crate::access::reading::{BUDGET, FALSE, Names, TRUE, atom, formula};
use crate::policy::PolicyAccess;
use crate::routing::path_parameters;

/// A text for each route whose access has changed.
pub(super) fn between(before: &Locked, after: &Locked) -> Vec<String> {
    let mut changes = Vec::new();
    for new in &after.routes {
        let pair = Pair {
            before,
            after,
            old: before.routes.iter().find(|old| same_route(old, new)),
            new: Some(new),
        };
        changes.extend(pair.change());
    }
    for old in &before.routes {
        if !after.routes.iter().any(|new| same_route(old, new)) {
            changes.extend(Pair { before, after, old: Some(old), new: None }.change());
        }
    }
    changes
}

/// What a parameter is called makes no difference.
fn same_route(a: &LockedRoute, b: &LockedRoute) -> bool {
    let shape = |path: &str| {
        let names = path_parameters(path).into_iter();
        names.fold(path.to_owned(), |path, name| {
            path.replacen(&format!("{{{name}}}"), "{}", 1).replacen(&format!("{{*{name}}}"), "{*}", 1)
        })
    };
    a.method == b.method && shape(&a.path) == shape(&b.path)
}

/// A route as it was and as it is.
struct Pair<'l> {
    before: &'l Locked,
    after: &'l Locked,
    old: Option<&'l LockedRoute>,
    new: Option<&'l LockedRoute>,
}

impl Pair<'_> {
    fn change(&self) -> Option<String> {
        let route = self.new.or(self.old)?;
        let head = match (self.old, self.new) {
            (None, _) => "new: ",
            (_, None) => "gone: ",
            _ => "",
        };
        let mut lines: Vec<String> = Vec::new();
        let is_open = |route: &LockedRoute| route.policy.access != PolicyAccess::Authenticated;
        let (was_open, is_open) = (self.old.is_some_and(is_open), self.new.is_some_and(is_open));
        if was_open != is_open {
            lines.push(told(is_open, "everybody who sends no credential"));
        }
        let is_unguarded = |route: &LockedRoute| route.policy.access == PolicyAccess::Unguarded;
        if self.old.is_some_and(is_unguarded) != self.new.is_some_and(is_unguarded) {
            let unguarded = if self.new.is_some_and(is_unguarded) { "nothing of" } else { "the gate of" };
            lines.push(format!("{unguarded} this library stands before it now"));
        }
        lines.extend(self.sources());
        match self.callers() {
            Ok(callers) => lines.extend(callers),
            Err(OverBudget) if self.old.map(|old| &old.policy) == self.new.map(|new| &new.policy) => {}
            Err(OverBudget) => {
                lines
                    .push("its rule has changed, and is too large to say for whom: compare the files".into());
            }
        }
        // A route that lets nobody in, and came or went: nobody's access has changed.
        if lines.is_empty() {
            return None;
        }
        Some(format!("{head}{} {}\n    {}", route.method, route.path, lines.join("\n    ")))
    }

    /// Where a credential may come from now, or no more.
    fn sources(&self) -> Vec<String> {
        let (Some(old), Some(new)) = (self.old, self.new) else { return Vec::new() };
        let reads = |route: &LockedRoute| {
            matches!(route.policy.access, PolicyAccess::Authenticated | PolicyAccess::Optional)
        };
        if !reads(old) || !reads(new) {
            return Vec::new();
        }
        let (old, new) = (&old.policy.sources, &new.policy.sources);
        let gained = new.iter().filter(|source| !old.contains(source)).map(|source| (true, source));
        let lost = old.iter().filter(|source| !new.contains(source)).map(|source| (false, source));
        gained
            .chain(lost)
            .map(|(gained, source)| told(gained, &format!("callers with a credential from `{source}`")))
            .collect()
    }

    /// Callers with a credential who were not let in and are, or the other way around: an example of each.
    fn callers(&self) -> Result<Vec<String>, OverBudget> {
        let mut atoms = Atoms::default();
        let mut let_in = |state: &Locked, route: Option<&LockedRoute>| {
            let Some(route) = route else { return FALSE };
            if route.policy.access != PolicyAccess::Authenticated {
                return TRUE;
            }
            let rule = formula(&route.policy, &route.path, &Raw(state), &mut atoms);
            Formula::All(vec![rule, identified(state, &mut atoms)])
        };
        let old = let_in(self.before, self.old);
        let new = let_in(self.after, self.new);
        let not = |formula: &Formula| Formula::Not(Box::new(formula.clone()));
        let gained = Formula::All(vec![new.clone(), not(&old)]);
        let lost = Formula::All(vec![old, not(&new)]);
        let facts = atoms.facts();
        let mut lines = Vec::new();
        for (is_gain, formula) in [(true, gained), (false, lost)] {
            if let Some(found) = caller(&formula, &atoms, &facts)? {
                lines.push(told(is_gain, &found));
            }
        }
        Ok(lines)
    }
}

fn told(gained: bool, who: &str) -> String {
    format!("{} {who}", if gained { "+ gained:" } else { "- lost:  " })
}

/// A caller of whom the formula is true, with as little as can be.
fn caller(formula: &Formula, atoms: &Atoms, facts: &[Fact]) -> Result<Option<String>, OverBudget> {
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
                Some(_) => has.push(format!("the claim `{name}` equal to the path's parameter")),
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
