//! Callers made up at random, many at once: most parts of most rules are shown to matter by one of them, and then no diagram is
//! needed for that.

use crate::formula::{Fact, Formula};

/// Callers in one word, a bit each.
type Callers = u64;

/// How many words are tried at most, and how many without anything new.
const MOST_ROUNDS: usize = 128;
const IN_VAIN: usize = 24;

/// What was shown by somebody; of the rest nothing is known.
pub(crate) struct Witnesses {
    /// Somebody keeps the rule, and somebody does not.
    pub(crate) decides: bool,
    /// By the part's number: without it somebody would be let in, or kept out, who is not now.
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
        let (mut kept, mut refused) = (false, false);
        let mut wanted = removable(formula);
        let mut left = wanted.iter().filter(|wanted| **wanted).count();
        let mut in_vain = 0;
        for round in 0..MOST_ROUNDS {
            for atom in &mut atoms {
                *atom = random.of_density(round);
            }
            let possible = allowed(&mut atoms, facts);
            let root = tried.evaluate(&atoms);
            kept |= root & possible != 0;
            refused |= !root & possible != 0;
            tried.observe(possible);
            let known =
                wanted.iter_mut().zip(&tried.matters).filter(|(wanted, matters)| **wanted && **matters);
            let found = known.map(|(wanted, _)| *wanted = false).count();
            left -= found;
            in_vain = if found > 0 { 0 } else { in_vain + 1 };
            if left == 0 && kept && refused || in_vain == IN_VAIN {
                break;
            }
        }
        Self { decides: kept && refused, matters: tried.matters }
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
    /// The number behind its last descendant.
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Atom(usize),
    All,
    Any,
    Not,
}

fn flatten(formula: &Formula, flat: &mut Vec<Flat>) {
    let number = flat.len();
    let kind = match formula {
        Formula::Atom(atom) => Kind::Atom(*atom),
        Formula::All(_) => Kind::All,
        Formula::Any(_) => Kind::Any,
        Formula::Not(_) => Kind::Not,
    };
    flat.push(Flat { kind, end: 0 });
    formula.children().iter().for_each(|child| flatten(child, flat));
    let end = flat.len();
    if let Some(part) = flat.get_mut(number) {
        part.end = end;
    }
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
        for number in (0..self.flat.len()).rev() {
            let Some(&Flat { kind, end }) = self.flat.get(number) else { continue };
            let value = match kind {
                Kind::Atom(atom) => atoms.get(atom).copied().unwrap_or(0),
                Kind::Not => !self.value(number + 1),
                Kind::All => {
                    self.children(number, end).fold(Callers::MAX, |all, child| all & self.value(child))
                }
                Kind::Any => self.children(number, end).fold(0, |any, child| any | self.value(child)),
            };
            if let Some(place) = self.values.get_mut(number) {
                *place = value;
            }
        }
        self.value(0)
    }

    /// From the rule down to its parts, for callers that can be.
    fn observe(&mut self, possible: Callers) {
        if let Some(root) = self.open.first_mut() {
            *root = possible;
        }
        for number in 0..self.flat.len() {
            let Some(&Flat { kind, end }) = self.flat.get(number) else { continue };
            let open = self.open.get(number).copied().unwrap_or(0);
            let flip = match kind {
                Kind::Atom(_) => continue,
                Kind::Not => {
                    if let Some(child) = self.open.get_mut(number + 1) {
                        *child = open;
                    }
                    continue;
                }
                Kind::All => 0,
                Kind::Any => Callers::MAX,
            };
            // For whom all parts leave the decision to the others, and for whom all but one do.
            let (mut all, mut all_but_one) = (open, 0);
            for child in self.children(number, end) {
                let leaves = self.value(child) ^ flip;
                all_but_one = all_but_one & leaves | all & !leaves;
                all &= leaves;
            }
            let mut child = number + 1;
            while let Some(&Flat { end: next, .. }) = self.flat.get(child).filter(|_| child < end) {
                let leaves = self.value(child) ^ flip;
                let others = all | all_but_one & !leaves;
                if let Some(place) = self.open.get_mut(child) {
                    *place = others;
                }
                if let Some(matters) = self.matters.get_mut(child) {
                    *matters |= others & !leaves != 0;
                }
                child = next;
            }
        }
    }

    fn value(&self, number: usize) -> Callers {
        self.values.get(number).copied().unwrap_or(0)
    }

    fn children(&self, number: usize, end: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(number + 1), |&child| self.flat.get(child).map(|part| part.end))
            .take_while(move |&child| child < end)
    }
}

/// Vigna's SplitMix64. Always the same callers: what the compiler says does not depend on luck.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Bits of which half are set, a quarter, or three quarters.
    fn of_density(&mut self, round: usize) -> u64 {
        let bits = self.next();
        match round % 4 {
            0 | 1 => bits,
            2 => bits & self.next(),
            _ => bits | self.next(),
        }
    }
}
