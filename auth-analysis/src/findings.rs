//! What the analysis can find.

/// Something that is surely not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// No caller can satisfy the rule.
    Unsatisfiable {
        /// Parts that can't hold together, of which none could be left out.
        clash: Vec<Clash>,
        /// The facts that make it so, as indices into the list that was given; none where to find them takes too long.
        facts: Vec<usize>,
    },
    /// Every caller satisfies the rule.
    Tautology {
        /// The facts that make it so.
        facts: Vec<usize>,
    },
    /// A part that changes nothing. Without all the parts that are found the rule means the same.
    Redundant {
        /// The number of the part.
        part: usize,
        /// Why it changes nothing.
        why: Redundancy,
        /// The facts that make it so.
        facts: Vec<usize>,
    },
}

/// One of several parts that can't hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The number of the part.
    pub part: usize,
    /// It is the part's opposite that is asked for.
    pub negated: bool,
}

/// Why a part changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redundancy {
    /// No caller can satisfy this alternative.
    Impossible,
    /// A caller that satisfies this alternative satisfies another one.
    Covered,
    /// Every caller satisfies this requirement.
    Certain,
    /// A caller that satisfies the others satisfies this requirement.
    Implied,
    /// For every caller for whom it would make a difference, the rest of the rule has decided already.
    Settled,
}
