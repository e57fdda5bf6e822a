//! How many lines of ours do what the listings of a document show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::listings::Shown;
use crate::parts::Parts;
use crate::rows::{Row, line_of};

/// What a document shows of some rows, and how many lines it is here.
#[derive(Debug)]
#[non_exhaustive]
pub struct Figure {
    /// What the document shows.
    pub shown: Shown,
    /// Lines that no figure before this one has.
    pub ours: usize,
    /// How many of these are of the table of users.
    pub users: usize,
    /// The numbers of the lines of what the rows need besides.
    pub besides: Vec<usize>,
}

/// The figures of a port, in the order of its listings.
///
/// # Errors
/// What is wrong, each for somebody who has just edited a row or a listing.
///
/// # Panics
/// If a file cannot be read or parsed.
pub fn figures(folder: &Path, rows: &[Row], listings: Vec<Shown>) -> Result<Vec<Figure>, Vec<String>> {
    let (mut figures, mut errors) = (Vec::new(), Vec::new());
    let (mut code, mut seen) = (Code { folder, files: BTreeMap::new() }, BTreeSet::new());
    for shown in listings {
        let mut places: Vec<(&str, &str)> = Vec::new();
        for id in &shown.rows {
            if !seen.insert(id.clone()) {
                errors.push(format!("{id} is in two groups of rows: make one group of all its listings"));
            }
            match rows.iter().find(|row| row.id == *id) {
                Some(row) => places.extend(row.places.iter().map(|place| (&*place.file, &*place.snippet))),
                None => errors.push(format!("{id} is in the listings, and the README has no such row")),
            }
        }
        places.extend(shown.besides.iter().map(|(file, snippet)| (&**file, &**snippet)));
        let (mut ours, mut users, mut numbers) = (0, 0, Vec::new());
        for (file, snippet) in &places {
            match code.count(file, snippet) {
                Ok(counted) => {
                    (ours, users) = (ours + counted.new, users + counted.users);
                    numbers.push(counted.line);
                }
                Err(error) => errors.push(format!("{}: {error}", shown.rows.join(", "))),
            }
        }
        if places.is_empty() {
            errors.push(format!("{}: it names no code, so it cannot be compared", shown.rows.join(", ")));
        }
        errors.extend(why_is_wrong(&shown, ours));
        let besides = numbers.split_off(numbers.len().saturating_sub(shown.besides.len()));
        figures.push(Figure { shown, ours, users, besides });
    }
    if errors.is_empty() { Ok(figures) } else { Err(errors) }
}

fn why_is_wrong(Shown { rows, lines, why, .. }: &Shown, ours: usize) -> Option<String> {
    let must = match (ours > *lines, why) {
        (true, None) => "say in a fourth cell why ours is longer",
        (false, Some(_)) => "not say why ours is longer",
        _ => return None,
    };
    Some(format!("{}: ours is {ours} lines and theirs {lines}, so the listing must {must}", rows.join(", ")))
}

/// How many lines ours has in all, how many of these are of the table of users, and how many theirs has.
pub fn sums(figures: &[Figure]) -> [usize; 3] {
    figures.iter().fold([0; 3], |[ours, users, theirs], figure| {
        [ours + figure.ours, users + figure.users, theirs + figure.shown.lines]
    })
}

/// The first line of the table of a port.
pub const HEADER: &str = "| the document shows | rows | besides | ours | of these, the table of users | theirs | why ours is longer |";

/// The table of a port.
pub fn table(figures: &[Figure]) -> String {
    let mut table = format!("{HEADER}\n|---|---|---|---|---|---|---|\n");
    for Figure { shown, ours, users, besides } in figures {
        let (titles, rows, theirs) = (shown.titles.join("; "), shown.rows.join(", "), shown.lines);
        let besides = shown.besides.iter().zip(besides);
        let besides = besides.map(|((file, snippet), line)| format!("[`{snippet}`]({file}#L{line})"));
        let besides = besides.collect::<Vec<_>>().join(", ");
        let why = shown.why.as_deref().unwrap_or_default();
        let _ = writeln!(table, "| {titles} | {rows} | {besides} | {ours} | {users} | {theirs} | {why} |");
    }
    let [ours, users, theirs] = sums(figures);
    let _ = writeln!(table, "| all of these | | | {ours} | {users} | {theirs} | |");
    table
}

/// The code of a port.
struct Code<'f> {
    folder: &'f Path,
    files: BTreeMap<String, File>,
}

struct File {
    source: String,
    /// `None`: it is no file of Rust. Of these the named lines count.
    parts: Option<Parts>,
    /// The lines that have been counted.
    counted: BTreeSet<usize>,
}

/// A place that was counted.
struct Counted {
    line: usize,
    /// How many lines no place before it has.
    new: usize,
    /// How many of these are of the table of users.
    users: usize,
}

impl Code<'_> {
    fn count(&mut self, file: &str, snippet: &str) -> Result<Counted, String> {
        let path = self.folder.join(file);
        let File { source, parts, counted } = self.files.entry(file.to_owned()).or_insert_with(|| {
            let source =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let parts = file.ends_with(".rs").then(|| Parts::new(&source));
            File { source, parts, counted: BTreeSet::new() }
        });
        let line = line_of(source, snippet)
            .map_err(|times| format!("{file}: `{snippet}` is in {times} lines, and must be in one"))?;
        let lines = match parts {
            Some(parts) => parts.at(line),
            None => Some(BTreeSet::from([line])),
        };
        let lines = lines.ok_or_else(|| {
            format!(
                "{file}: nothing begins with the line of `{snippet}`: name the line where its statement, item, attribute, field, argument, \
                 arm or link of a chain begins"
            )
        })?;
        let new: Vec<usize> = lines.into_iter().filter(|line| counted.insert(*line)).collect();
        let users = new.iter().filter(|line| parts.as_ref().is_some_and(|parts| parts.is_of_users(**line)));
        Ok(Counted { line, new: new.len(), users: users.count() })
    }
}

#[cfg(test)]
mod tests {
    use super::{figures, sums, table};
    use crate::{listings, rows};

    const README: &str = "\
| # | feature | our code | test | note |
| P1 | a | [`fn a`](a.rs#L1) | `t` | |
| P2 | b | [`x;`](a.rs#L2), [`c = 1`](c.toml#L1) | `t` | |
| P3 | c | – | – | |
| P4 | d | [`} //`](a.rs#L3) | `t` | |
";

    fn of(text: &str) -> Result<String, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rs"), "fn a() {\n    x;\n} // y\nimpl UserStore for B {}\n")
            .unwrap();
        std::fs::write(folder.path().join("c.toml"), "c = 1\nd = 2\n").unwrap();
        let figures = figures(folder.path(), &rows::rows(README), listings::read(text))?;
        Ok(format!("{:?}\n{}", sums(&figures), table(&figures)))
    }

    #[test]
    fn a_line_counts_where_it_is_first() {
        let table = of("P1 | 4 | A\nP2 | 2 | B").unwrap();
        assert!(table.starts_with("[4, 0, 6]"), "{table}");
        assert!(table.contains("| A | P1 |  | 3 | 0 | 4 |"), "{table}");
        assert!(table.contains("| B | P2 |  | 1 | 0 | 2 |"), "{table}");
    }

    #[test]
    fn what_a_row_needs_besides_counts_and_is_linked() {
        let table = of("P1 | 9 | A\n+ a.rs | UserStore\n+ c.toml | d = 2").unwrap();
        let links = "[`UserStore`](a.rs#L4), [`d = 2`](c.toml#L2)";
        assert!(table.contains(&format!("| A | P1 | {links} | 5 | 1 | 9 |")), "{table}");
    }

    #[test]
    fn an_error_says_what_to_do() {
        for (text, error) in [
            (
                "P1 | 2 | A",
                "P1: ours is 3 lines and theirs 2, so the listing must say in a fourth cell why ours is longer",
            ),
            (
                "P1 | 3 | A | Why.",
                "P1: ours is 3 lines and theirs 3, so the listing must not say why ours is longer",
            ),
            ("P1 | 3 | A\nP2 P1 | 1 | B", "P1 is in two groups of rows: make one group of all its listings"),
            ("P1 P9 | 3 | A", "P9 is in the listings, and the README has no such row"),
            ("P1 | 3 | A\n+ a.rs | z", "P1: a.rs: `z` is in 0 lines, and must be in one"),
            ("P3 | 3 | A", "P3: it names no code, so it cannot be compared"),
        ] {
            assert_eq!(of(text).unwrap_err(), [error]);
        }
        let errors = of("P4 | 9 | A").unwrap_err().concat();
        assert!(
            errors.starts_with("P4: a.rs: nothing begins with the line of `} //`: name the line where"),
            "{errors}"
        );
    }
}
