//! The formula, and the facts that bind its atoms.

/// A rule as a boolean formula. Atoms are numbers, which the caller gives a meaning.
///
/// Parts are numbered in preorder: the formula itself is 0, its first child 1, that one's first child 2, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formula {
    /// Something that a caller has or has not.
    Atom(usize),
    /// Every part holds; true where there is none.
    All(Vec<Formula>),
    /// At least one part holds; false where there is none.
    Any(Vec<Formula>),
    /// The part does not hold.
    Not(Box<Formula>),
}

/// Something that is true of two atoms for every caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Who has the first has the second.
    Implies(usize, usize),
    /// No caller has both.
    Excludes(usize, usize),
}

impl Formula {
    /// How many parts it has, itself included.
    #[must_use]
    pub fn parts(&self) -> usize {
        1 + self.children().iter().map(Self::parts).sum::<usize>()
    }

    /// How deep its parts are nested.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut open = vec![(self, 1)];
        while let Some((part, depth)) = open.pop() {
            deepest = deepest.max(depth);
            open.extend(part.children().iter().map(|child| (child, depth + 1)));
        }
        deepest
    }

    /// The part of this number.
    #[must_use]
    pub fn part(&self, number: usize) -> Option<&Self> {
        let mut first = 1;
        for child in self.children() {
            let behind = first + child.parts();
            if number < behind {
                return if number == 0 { Some(self) } else { child.part(number - first) };
            }
            first = behind;
        }
        (number == 0).then_some(self)
    }

    pub(crate) fn children(&self) -> &[Self] {
        match self {
            Self::Atom(_) => &[],
            Self::All(parts) | Self::Any(parts) => parts,
            Self::Not(part) => std::slice::from_ref(part),
        }
    }

    /// The children with their numbers, where this part has `number`.
    pub(crate) fn numbered_children(&self, number: usize) -> impl DoubleEndedIterator<Item = (usize, &Self)> {
        let mut next = number + 1;
        let children = self.children().iter().map(|child| {
            let number = next;
            next += child.parts();
            (number, child)
        });
        children.collect::<Vec<_>>().into_iter()
    }

    /// Calls `visit` with every atom, as often as it occurs, from left to right.
    pub(crate) fn atoms(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::Atom(atom) => visit(*atom),
            _ => self.children().iter().for_each(|child| child.atoms(visit)),
        }
    }
}
