//! What atoms represent.

use crate::formula::Fact;
use crate::list_kind::ListKind;

/// Something that a caller has or has not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Atom {
    /// A name of this kind. A role may be implied by another one, a permission granted to a role.
    Name(ListKind, String),
    /// The claim of this name equals, or contains, what is written here.
    Claim(String, String),
    /// The login is at most so many seconds old.
    MaxAge(u64),
    /// Anything else, by a name of the user's.
    Other(String),
}

/// The atoms of a formula. The number of an atom is its index here.
#[derive(Clone, Debug, Default)]
pub struct Atoms(Vec<Atom>);

impl Atoms {
    /// The number of this atom, which is added if it is new.
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

    /// What binds them without a vocabulary: a login of the last five minutes is one of the last hour, and a login has one class.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (a, one) in self.0.iter().enumerate() {
            for (b, other) in self.0.iter().enumerate() {
                match (one, other) {
                    (Atom::MaxAge(one), Atom::MaxAge(other)) if one < other => {
                        facts.push(Fact::Implies(a, b));
                    }
                    (Atom::Name(one, _), Atom::Name(other, _))
                        if one == other && one.excludes_others() && a < b =>
                    {
                        facts.push(Fact::Excludes(a, b));
                    }
                    _ => {}
                }
            }
        }
        facts
    }
}
