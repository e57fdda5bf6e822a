//! Roles that imply roles.

use std::collections::{BTreeMap, BTreeSet};

/// For each role all the roles that it implies, directly or through others.
#[derive(Debug, Default)]
pub(crate) struct RoleImplications {
    closure: BTreeMap<Box<str>, Box<[Box<str>]>>,
}

impl RoleImplications {
    /// The closure of what the builder was given. A role that implies itself through others goes to `mistakes`.
    pub(crate) fn new(given: &[(String, Vec<String>)], mistakes: &mut Vec<String>) -> Self {
        let mut direct: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (role, implied) in given {
            direct.entry(role).or_default().extend(implied.iter().map(String::as_str));
        }
        let mut closure = BTreeMap::new();
        for role in direct.keys() {
            let mut reached: BTreeSet<&str> = BTreeSet::new();
            let mut open: Vec<&str> = vec![role];
            while let Some(next) = open.pop() {
                for implied in direct.get(next).into_iter().flatten() {
                    if reached.insert(implied) {
                        open.push(implied);
                    }
                }
            }
            if reached.contains(role) {
                mistakes.push(format!(
                    "role `{role}` implies itself, directly or through others: take one of the implications away"
                ));
            }
            closure.insert(Box::from(*role), reached.into_iter().map(Box::from).collect());
        }
        Self { closure }
    }

    /// Adds to `roles` what they imply.
    pub(crate) fn expand(&self, roles: &mut Vec<Box<str>>) {
        if self.closure.is_empty() {
            return;
        }
        let implied: Vec<_> = roles
            .iter()
            .filter_map(|role| self.closure.get(role))
            .flat_map(|all| all.iter().cloned())
            .collect();
        for role in implied {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RoleImplications;

    fn implications(given: &[(&str, &[&str])]) -> (RoleImplications, Vec<String>) {
        let given: Vec<_> = given
            .iter()
            .map(|(role, implied)| {
                ((*role).to_owned(), implied.iter().map(|name| (*name).to_owned()).collect())
            })
            .collect();
        let mut mistakes = Vec::new();
        (RoleImplications::new(&given, &mut mistakes), mistakes)
    }

    #[test]
    fn implication_is_transitive() {
        let (implications, mistakes) =
            implications(&[("admin", &["editor"]), ("editor", &["viewer", "author"])]);
        assert!(mistakes.is_empty());
        let mut roles = vec!["admin".into(), "viewer".into(), "other".into()];
        implications.expand(&mut roles);
        roles.sort();
        assert_eq!(
            roles.iter().map(|role| &**role).collect::<Vec<_>>(),
            ["admin", "author", "editor", "other", "viewer"]
        );
    }

    #[test]
    fn a_cycle_is_a_mistake() {
        let (_, mistakes) = implications(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"])]);
        assert_eq!(mistakes.len(), 3);
        assert!(mistakes[0].contains("`a` implies itself"), "{mistakes:?}");
    }
}
