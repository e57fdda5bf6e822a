//! What atoms stand for.

use crate::formula::Fact;

/// Something that a caller has or has not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Atom {
    /// A role, by itself or implied by another.
    Role(String),
    /// A scope.
    Scope(String),
    /// A permission, by itself or granted to a role.
    Permission(String),
    /// The claim of this name equals, or contains, what is written here.
    Claim(String, String),
    /// The login is at most so many seconds old.
    MaxAge(u64),
    /// The login is of this class.
    Acr(String),
    /// Whatever else, by a name of the user's.
    Other(String),
}

/// The atoms of a formula: each has the number of its place.
#[derive(Clone, Debug, Default)]
pub struct Atoms(Vec<Atom>);

impl Atoms {
    /// The number of this atom, which is a new one if it was not met before.
    pub fn number(&mut self, atom: Atom) -> usize {
        self.0.iter().position(|known| *known == atom).unwrap_or_else(|| {
            self.0.push(atom);
            self.0.len() - 1
        })
    }

    /// The atom of this number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Atom> {
        self.0.get(number)
    }

    /// All atoms, in the order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, Atom> {
        self.0.iter()
    }

    /// What binds them by themselves: who logged in five minutes ago did so within the hour, and a login is of one class.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (a, one) in self.0.iter().enumerate() {
            for (b, other) in self.0.iter().enumerate() {
                match (one, other) {
                    (Atom::MaxAge(one), Atom::MaxAge(other)) if one < other => {
                        facts.push(Fact::Implies(a, b));
                    }
                    (Atom::Acr(_), Atom::Acr(_)) if a < b => facts.push(Fact::Excludes(a, b)),
                    _ => {}
                }
            }
        }
        facts
    }
}
