//! A policy as a formula, to be analyzed.

use auth_analysis::{Atom, Atoms, Formula, ListKind, example};

use super::Verdict;
use crate::policy::{Condition, Expected, PolicyAccess, PolicyDocument, Shape};
use crate::router::{path_parameters, path_shape};
use crate::vocabulary::Vocabulary;

/// Some 20 MB at most, and a fraction of a second: this runs once at start or in a test.
pub(super) const BUDGET: usize = 1 << 18;

pub(super) const TRUE: Formula = Formula::All(Vec::new());
pub(super) const FALSE: Formula = Formula::Any(Vec::new());

/// What roles and permissions come to, in terms of atoms.
pub(super) trait Names {
    fn role(&self, name: &str, atoms: &mut Atoms) -> Formula;
    fn permission(&self, name: &str, atoms: &mut Atoms) -> Formula;
}

/// Which callers with a credential are let in.
pub(super) fn formula(policy: &PolicyDocument, path: &str, names: &impl Names, atoms: &mut Atoms) -> Formula {
    if policy.access != PolicyAccess::Authenticated {
        return TRUE;
    }
    let mut parts: Vec<_> = policy.all.iter().map(|part| condition(part, path, names, atoms)).collect();
    parts.extend(policy.check.iter().map(|check| atom(Atom::Other(check.clone()), atoms)));
    Formula::All(parts)
}

fn condition(part: &Condition, path: &str, names: &impl Names, atoms: &mut Atoms) -> Formula {
    let mut each =
        |parts: &[Condition]| parts.iter().map(|part| condition(part, path, names, atoms)).collect();
    match part.shape() {
        Shape::Any(parts) => Formula::Any(each(parts)),
        Shape::All(parts) => Formula::All(each(parts)),
        Shape::Not(part) => Formula::Not(Box::new(condition(part, path, names, atoms))),
        Shape::MaxAge(seconds) => atom(Atom::MaxAge(seconds), atoms),
        Shape::List(kind, list) => {
            let each = list.iter().map(|name| match kind {
                ListKind::Roles => names.role(name, atoms),
                ListKind::Permissions => names.permission(name, atoms),
                _ => atom(Atom::Name(kind, name.clone()), atoms),
            });
            kind.join(each.collect())
        }
        Shape::Claim(claim) => match &claim.expected {
            Expected::OneOf(values) => {
                let claims = values.iter().map(|value| Atom::Claim(claim.name.clone(), value.to_string()));
                Formula::Any(claims.map(|claim| atom(claim, atoms)).collect())
            }
            Expected::PathParameter(parameter) => {
                // By its place: what a parameter is called makes no difference.
                let place = parameter_place(path, parameter).unwrap_or_else(|| parameter.clone());
                atom(Atom::Claim(claim.name.clone(), format!("{{{place}}}")), atoms)
            }
        },
    }
}

/// Where a parameter is: which segment, and the shape of that. At one place two paths take the same value from a request.
fn parameter_place(path: &str, name: &str) -> Option<String> {
    let mut segments = path.split('/').enumerate();
    let (number, segment) = segments.find(|(_, segment)| path_parameters(segment).contains(&name))?;
    Some(format!("{number}:{}", path_shape(segment)))
}

/// The name of the parameter that is at this place in the path.
pub(super) fn parameter_at<'p>(path: &'p str, place: &str) -> Option<&'p str> {
    let mut names = path_parameters(path).into_iter();
    names.find(|name| parameter_place(path, name).as_deref() == Some(place))
}

pub(super) fn atom(atom: Atom, atoms: &mut Atoms) -> Formula {
    Formula::Atom(atoms.number(atom))
}

/// The roles that a condition names, each once.
pub(super) fn roles<'c>(condition: &'c Condition, found: &mut Vec<&'c str>) {
    match condition {
        Condition::Roles(names) => {
            for name in names {
                if !found.contains(&&**name) {
                    found.push(name);
                }
            }
        }
        Condition::Any(parts) | Condition::All(parts) => parts.iter().for_each(|part| roles(part, found)),
        Condition::Not(part) => roles(part, found),
        _ => {}
    }
}

/// A caller that has one role, what it implies, and no other; or none at all.
pub(super) struct SingleRole<'r> {
    pub(super) role: Option<&'r str>,
    pub(super) vocabulary: Option<&'static Vocabulary>,
}

impl SingleRole<'_> {
    pub(super) fn cell(&self, policy: &PolicyDocument, path: &str) -> Verdict {
        if policy.access == PolicyAccess::Unguarded {
            return Verdict::Unknown;
        }
        let mut atoms = Atoms::default();
        let formula = formula(policy, path, self, &mut atoms);
        let facts = atoms.facts();
        let is_satisfiable =
            |formula: &Formula| example(formula, &facts, BUDGET).map(|found| found.is_some());
        match (is_satisfiable(&formula), is_satisfiable(&Formula::Not(Box::new(formula.clone())))) {
            (Ok(false), _) => Verdict::Denied,
            (_, Ok(false)) => Verdict::Allowed,
            // Also where the analysis would take too long: then it is not known to be either.
            _ => Verdict::Depends,
        }
    }

    fn has(&self, role: &str) -> bool {
        let Some(own) = self.role else { return false };
        let implied =
            self.vocabulary.and_then(|vocabulary| vocabulary.roles.iter().find(|role| role.name == own));
        own == role || implied.is_some_and(|own| own.implies.contains(&role))
    }
}

impl Names for SingleRole<'_> {
    fn role(&self, name: &str, _: &mut Atoms) -> Formula {
        if self.has(name) { TRUE } else { FALSE }
    }

    fn permission(&self, name: &str, atoms: &mut Atoms) -> Formula {
        let declared = self.vocabulary.into_iter().flat_map(|vocabulary| vocabulary.permissions);
        let mut granted =
            declared.filter(|permission| permission.name == name).flat_map(|permission| permission.roles);
        if granted.any(|role| self.has(role)) {
            TRUE
        } else {
            atom(Atom::Name(ListKind::Permissions, name.to_owned()), atoms)
        }
    }
}
