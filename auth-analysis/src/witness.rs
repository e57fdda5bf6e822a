//! Callers made up at random, many at once: most parts of most rules are shown to matter by one of them, and then no diagram is
//! needed for that.

use crate::formula::{Fact, Formula};

/// Callers in one word, a bit each.
type Callers = u128;

/// How many words are tried at most, and how many without anything new.
const MOST_ROUNDS: usize = 128;
const IN_VAIN: usize = 16;

/// What a caller that was found shows; the rest is unknown.
pub(crate) struct Witnesses {
    /// One caller satisfies the rule, and one does not.
    pub(crate) decides: bool,
    /// By the part's number: without it a caller would be let in, or rejected, that is not now.
    pub(crate) matters: Vec<bool>,
}

impl Witnesses {
    /// Looks for callers that the facts allow.
    pub(crate) fn find(formula: &Formula, facts: &[Fact]) -> Self {
        let mut flat = Vec::new();
        flatten(formula, &mut flat);
        let mut most = 0;
        formula.atoms(&mut |atom| most = most.max(atom + 1));
        let mut tried = Tried {
            values: vec![0; flat.len()],
            open: vec![0; flat.len()],
            matters: vec![false; flat.len()],
            flat,
        };
        let mut random = Random(0x5EED);
        let mut atoms: Vec<Callers> = vec![0; most];
        let (mut satisfied, mut refused) = (false, false);
        let mut wanted = removable(formula);
        let mut left = wanted.iter().filter(|wanted| **wanted).count();
        let mut in_vain = 0;
        for _ in 0..MOST_ROUNDS {
            for atom in &mut atoms {
                *atom = random.of_some_density();
            }
            let possible = allowed(&mut atoms, facts);
            let root = tried.evaluate(&atoms);
            satisfied |= root & possible != 0;
            refused |= !root & possible != 0;
            tried.observe(possible);
            let known =
                wanted.iter_mut().zip(&tried.matters).filter(|(wanted, matters)| **wanted && **matters);
            let found = known.map(|(wanted, _)| *wanted = false).count();
            left -= found;
            in_vain = if found > 0 { 0 } else { in_vain + 1 };
            if left == 0 && satisfied && refused || in_vain == IN_VAIN {
                break;
            }
        }
        Self { decides: satisfied && refused, matters: tried.matters }
    }
}

/// By the part's number, whether it is one of several.
fn removable(formula: &Formula) -> Vec<bool> {
    fn add(formula: &Formula, removable: &mut Vec<bool>) {
        let several = formula.children().len() > 1;
        for child in formula.children() {
            removable.push(several);
            add(child, removable);
        }
    }
    let mut all = vec![false];
    add(formula, &mut all);
    all
}

/// A part in a list in preorder.
struct Flat {
    kind: Kind,
    /// Their numbers.
    children: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Atom(usize),
    All,
    Any,
    Not,
}

fn flatten(formula: &Formula, flat: &mut Vec<Flat>) -> usize {
    let number = flat.len();
    let kind = match formula {
        Formula::Atom(atom) => Kind::Atom(*atom),
        Formula::All(_) => Kind::All,
        Formula::Any(_) => Kind::Any,
        Formula::Not(_) => Kind::Not,
    };
    flat.push(Flat { kind, children: Vec::new() });
    let children = formula.children().iter().map(|child| flatten(child, flat)).collect();
    if let Some(part) = flat.get_mut(number) {
        part.children = children;
    }
    number
}

/// Gives callers what they have by the facts; returns those that can be.
fn allowed(atoms: &mut [Callers], facts: &[Fact]) -> Callers {
    // The facts are closed: what an implied atom implies is in the list too.
    let given = atoms.to_vec();
    let has = |atoms: &[Callers], atom: usize| atoms.get(atom).copied().unwrap_or(0);
    for fact in facts {
        if let Fact::Implies(a, b) = *fact
            && let Some(place) = atoms.get_mut(b)
        {
            *place |= has(&given, a);
        }
    }
    facts.iter().fold(Callers::MAX, |possible, fact| match *fact {
        Fact::Excludes(a, b) => possible & !(has(atoms, a) & has(atoms, b)),
        Fact::Implies(a, b) => possible & (!has(atoms, a) | has(atoms, b)),
    })
}

struct Tried {
    flat: Vec<Flat>,
    values: Vec<Callers>,
    /// For whom the rule comes down to this part.
    open: Vec<Callers>,
    matters: Vec<bool>,
}

impl Tried {
    fn evaluate(&mut self, atoms: &[Callers]) -> Callers {
        for (number, part) in self.flat.iter().enumerate().rev() {
            let mut value = match part.kind {
                Kind::Atom(atom) => atoms.get(atom).copied().unwrap_or(0),
                Kind::All | Kind::Not => Callers::MAX,
                Kind::Any => 0,
            };
            for &child in &part.children {
                let child = self.values.get(child).copied().unwrap_or(0);
                match part.kind {
                    Kind::Any => value |= child,
                    _ => value &= child,
                }
            }
            if part.kind == Kind::Not {
                value = !value;
            }
            if let Some(place) = self.values.get_mut(number) {
                *place = value;
            }
        }
        self.values.first().copied().unwrap_or(0)
    }

    /// From the rule down to its parts, for callers that can be.
    fn observe(&mut self, possible: Callers) {
        if let Some(root) = self.open.first_mut() {
            *root = possible;
        }
        for (number, part) in self.flat.iter().enumerate() {
            let open = self.open.get(number).copied().unwrap_or(0);
            let flip = if part.kind == Kind::Any { Callers::MAX } else { 0 };
            // For whom all parts leave the decision to the others, and for whom all but one do. Of `not` there is one.
            let (mut all, mut all_but_one) = (open, 0);
            for &child in &part.children {
                let leaves = self.values.get(child).copied().unwrap_or(0) ^ flip;
                all_but_one = all_but_one & leaves | all & !leaves;
                all &= leaves;
            }
            for &child in &part.children {
                let leaves = self.values.get(child).copied().unwrap_or(0) ^ flip;
                let others = all | all_but_one & !leaves;
                if let Some(place) = self.open.get_mut(child) {
                    *place = others;
                }
                if let Some(matters) = self.matters.get_mut(child) {
                    *matters |= others & !leaves != 0;
                }
            }
        }
    }
}

/// Vigna's SplitMix64. Always the same callers: what the compiler says does not depend on luck.
struct Random(u64);

impl Random {
    fn next(&mut self) -> Callers {
        Callers::from(self.half()) << 64 | Callers::from(self.half())
    }

    fn half(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Bits of which half are set, more, or less.
    fn of_some_density(&mut self) -> Callers {
        let (bits, more) = (self.next(), self.next());
        match more % 5 {
            0 => bits,
            1 => bits & more,
            2 => bits | more,
            3 => bits & more & self.next(),
            _ => bits | more | self.next(),
        }
    }
}
