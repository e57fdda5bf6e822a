//! A reduced ordered binary decision diagram with complement edges (Brace, Rudell, Bryant 1990), within a budget.
//!
//! It runs inside of the compiler, where this crate is built without optimization: hence flat tables of integers.

use crate::budget::OverBudget;

/// A function of the atoms: the number of its node, and in the lowest bit whether it is negated. Equal functions have
/// equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function(u32);

impl Function {
    pub(crate) const TRUE: Self = Self(0);
    pub(crate) const FALSE: Self = Self(1);

    pub(crate) fn not(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// The same where `negated` is false.
    pub(crate) fn negated_if(self, negated: bool) -> Self {
        Self(self.0 ^ u32::from(negated))
    }
}

#[derive(Clone, Copy)]
struct Node {
    /// The variable's position in the order; the terminal comes after all.
    level: u32,
    low: Function,
    high: Function,
}

/// The functions made so far.
pub(crate) struct Diagram {
    nodes: Vec<Node>,
    unique: Table,
    conjunctions: Table,
    budget: usize,
}

const TERMINAL: Node = Node { level: u32::MAX, low: Function::TRUE, high: Function::TRUE };
/// So that a level and two functions fit into one key.
const MOST_NODES: usize = 1 << 23;

impl Diagram {
    /// At most `budget` nodes and as many conjunctions that were thought through.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            nodes: vec![TERMINAL],
            unique: Table::new(),
            conjunctions: Table::new(),
            budget: budget.min(MOST_NODES),
        }
    }

    /// How much of the budget is used.
    pub(crate) fn spent(&self) -> usize {
        self.nodes.len().max(self.conjunctions.len)
    }

    /// The variable at this place of the order, below 2¹⁵.
    pub(crate) fn variable(&mut self, level: usize) -> Result<Function, OverBudget> {
        let level = u32::try_from(level).ok().filter(|level| *level < 1 << 15).ok_or(OverBudget)?;
        self.node(level, Function::FALSE, Function::TRUE)
    }

    pub(crate) fn and(&mut self, f: Function, g: Function) -> Result<Function, OverBudget> {
        if f == Function::FALSE || g == Function::FALSE || f == g.not() {
            return Ok(Function::FALSE);
        }
        if f == Function::TRUE || f == g {
            return Ok(g);
        }
        if g == Function::TRUE {
            return Ok(f);
        }
        let (f, g) = if f.0 < g.0 { (f, g) } else { (g, f) };
        let key = u64::from(f.0) << 32 | u64::from(g.0);
        if let Some(known) = self.conjunctions.find(key) {
            return Ok(Function(known));
        }
        if self.conjunctions.len >= self.budget {
            return Err(OverBudget);
        }
        let level = self.at(f).level.min(self.at(g).level);
        let (f_low, f_high) = self.cofactors(f, level);
        let (g_low, g_high) = self.cofactors(g, level);
        let low = self.and(f_low, g_low)?;
        let high = self.and(f_high, g_high)?;
        let both = self.node(level, low, high)?;
        self.conjunctions.insert(key, both.0);
        Ok(both)
    }

    pub(crate) fn or(&mut self, f: Function, g: Function) -> Result<Function, OverBudget> {
        Ok(self.and(f.not(), g.not())?.not())
    }

    /// The levels whose variables are true for a caller for whom `f` is, as few as can be; `None` if there is none.
    pub(crate) fn least_true(&self, f: Function) -> Option<Vec<usize>> {
        // From the terminal up: children are made before their parents. For each node the fewest for true, and for false.
        let mut fewest: Vec<[Option<usize>; 2]> = vec![[Some(0), None]];
        let of = |fewest: &[[Option<usize>; 2]], f: Function, wanted: usize| {
            let negated = (f.0 & 1) as usize;
            fewest.get((f.0 >> 1) as usize).and_then(|both| both.get(wanted ^ negated).copied().flatten())
        };
        for node in self.nodes.iter().skip(1) {
            let both = [0, 1].map(|wanted| {
                let low = of(&fewest, node.low, wanted);
                let high = of(&fewest, node.high, wanted).map(|fewer| fewer + 1);
                low.into_iter().chain(high).min()
            });
            fewest.push(both);
        }
        let mut levels = Vec::new();
        let mut at = f;
        let mut left = of(&fewest, f, 0)?;
        while self.at(at).level != u32::MAX {
            let level = self.at(at).level;
            let (low, high) = self.cofactors(at, level);
            if of(&fewest, low, 0) == Some(left) {
                at = low;
            } else {
                at = high;
                left = left.checked_sub(1)?;
                levels.push(level as usize);
            }
        }
        Some(levels)
    }

    /// The one node that decides by this level. Its high edge is never negated: then equal functions are equal numbers.
    fn node(&mut self, level: u32, low: Function, high: Function) -> Result<Function, OverBudget> {
        if low == high {
            return Ok(low);
        }
        let negated = high.0 & 1 == 1;
        let (low, high) = (low.negated_if(negated), high.negated_if(negated));
        let key = u64::from(level) << 48 | u64::from(low.0) << 24 | u64::from(high.0);
        let number = match self.unique.find(key) {
            Some(number) => number,
            None => {
                let number = u32::try_from(self.nodes.len()).map_err(|_| OverBudget)?;
                if self.nodes.len() >= self.budget {
                    return Err(OverBudget);
                }
                self.nodes.push(Node { level, low, high });
                self.unique.insert(key, number);
                number
            }
        };
        Ok(Function(number << 1).negated_if(negated))
    }

    /// What is left of `f` once the variable at `level`, which is not behind its own, is known.
    fn cofactors(&self, f: Function, level: u32) -> (Function, Function) {
        let node = self.at(f);
        if node.level != level {
            return (f, f);
        }
        let negated = f.0 & 1 == 1;
        (node.low.negated_if(negated), node.high.negated_if(negated))
    }

    fn at(&self, f: Function) -> Node {
        self.nodes.get((f.0 >> 1) as usize).copied().unwrap_or(TERMINAL)
    }
}

/// From keys to numbers, with open addressing. No key is 0, which is a free place; memory comes zeroed for nothing.
struct Table {
    keys: Vec<u64>,
    numbers: Vec<u32>,
    len: usize,
}

impl Table {
    fn new() -> Self {
        Self::with_places(1 << 10)
    }

    fn with_places(places: usize) -> Self {
        Self { keys: vec![0; places], numbers: vec![0; places], len: 0 }
    }

    fn find(&self, key: u64) -> Option<u32> {
        let index = self.place(key);
        if self.keys.get(index) == Some(&key) { self.numbers.get(index).copied() } else { None }
    }

    /// A key that is not in it yet.
    fn insert(&mut self, key: u64, number: u32) {
        if self.len * 2 >= self.keys.len() {
            let earlier = std::mem::replace(self, Self::with_places(self.keys.len() * 2));
            for (key, number) in earlier.keys.into_iter().zip(earlier.numbers) {
                if key != 0 {
                    self.put(key, number);
                }
            }
        }
        self.put(key, number);
    }

    fn put(&mut self, key: u64, number: u32) {
        let index = self.place(key);
        if let (Some(at), Some(place)) = (self.keys.get_mut(index), self.numbers.get_mut(index)) {
            (*at, *place) = (key, number);
            self.len += 1;
        }
    }

    /// The key's position, or the one it would have. At least half of the places are free.
    fn place(&self, key: u64) -> usize {
        let keys = self.keys.as_slice();
        let mask = keys.len() - 1;
        let mut index = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask;
        while let Some(&at) = keys.get(index) {
            if at == 0 || at == key {
                break;
            }
            index = (index + 1) & mask;
        }
        index
    }
}
