//! The file with the budget: the toolchain, a heading, and a line for each path.

use std::fmt;

/// What one request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) allocations: u64,
    /// Of all allocations. axum puts the future of the route into one.
    pub(crate) bytes: u64,
    pub(crate) instructions: u64,
}

/// One of the figures.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    name: &'static str,
    of: fn(&Figures) -> u64,
    /// How many percent more than the budget are allowed.
    margin: u64,
}

pub(crate) const ALLOCATIONS: Kind =
    Kind { name: "allocations", of: |figures| figures.allocations, margin: 0 };

pub(crate) const BYTES: Kind = Kind { name: "allocated bytes", of: |figures| figures.bytes, margin: 0 };

pub(crate) const INSTRUCTIONS: Kind =
    Kind { name: "instructions", of: |figures| figures.instructions, margin: MARGIN };

/// The percentage by which instructions differ for no reason. What is below a budget by more is below it for one.
const MARGIN: u64 = 3;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) toolchain: String,
    /// In the order of the file.
    pub(crate) paths: Vec<(String, Figures)>,
}

impl Budget {
    pub(crate) fn read(text: &str) -> Self {
        let mut lines = text.lines();
        let toolchain = lines.next().unwrap().to_owned();
        let rows = lines.skip(1).map(|line| {
            let mut cells = line.split_whitespace();
            let path =
                cells.next().unwrap_or_else(|| panic!("a line of the budget names no path")).to_owned();
            let figures: Vec<u64> = cells.map(|cell| cell.parse().unwrap()).collect();
            let [allocations, bytes, instructions] = figures[..] else {
                panic!("{path} has other than three figures")
            };
            (path, Figures { allocations, bytes, instructions })
        });
        Self { toolchain, paths: rows.collect() }
    }

    /// Where what was found is over the budget, or so far below it that the budget guards nothing.
    pub(crate) fn differences(&self, found: &Self, kinds: &[Kind]) -> Vec<String> {
        let mut differences = Vec::new();
        for (path, budget) in &self.paths {
            match found.of(path) {
                Some(found) => {
                    let of_path = kinds.iter().filter_map(|kind| kind.difference(budget, found));
                    differences.extend(of_path.map(|difference| format!("{path}: {difference}")));
                }
                None => differences.push(format!("{path}: it is in the file, and was not counted")),
            }
        }
        let new = found.paths.iter().filter(|(path, _)| self.of(path).is_none());
        differences.extend(new.map(|(path, _)| format!("{path}: it was counted, and is not in the file")));
        differences
    }

    fn of(&self, path: &str) -> Option<&Figures> {
        self.paths.iter().find(|(known, _)| known == path).map(|(_, figures)| figures)
    }
}

impl Kind {
    fn difference(self, budget: &Figures, found: &Figures) -> Option<String> {
        let (budget, found) = ((self.of)(budget), (self.of)(found));
        let says = if found * 100 > budget * (100 + self.margin) {
            match self.margin {
                0 => format!("are over the budget: at most {budget}"),
                margin => format!("are over the budget: {budget} and {margin} % more"),
            }
        } else if found * 100 < budget * (100 - MARGIN) {
            format!("are below the budget, which is too high: {budget}")
        } else {
            return None;
        };
        let more = found.cast_signed() - budget.cast_signed();
        let percent = 100.0 * more as f64 / budget as f64;
        Some(format!("{} {says}, found {found}: {more:+} ({percent:+.1} %)", self.name))
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.toolchain)?;
        writeln!(
            formatter,
            "{:<14} {:>12} {:>12} {:>14}",
            "path", ALLOCATIONS.name, "bytes", INSTRUCTIONS.name
        )?;
        for (path, Figures { allocations, bytes, instructions }) in &self.paths {
            writeln!(formatter, "{path:<14} {allocations:>12} {bytes:>12} {instructions:>14}")?;
        }
        Ok(())
    }
}
