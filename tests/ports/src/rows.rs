//! The table of a port's README.
//!
//! ```text
//! | # | feature | our code | test | note |
//! |---|---|---|---|---|
//! | P1 | of the document | [`.users(`](src/main.rs#L10) | `the_name_of_a_test` | |
//! | P2 | another one | – | – | By design not: it is unsafe. Instead: .. |
//! ```

use std::ops::Range;

/// A row.
#[derive(Debug)]
#[non_exhaustive]
pub struct Row {
    /// Such as `P1`.
    pub id: String,
    /// The places in the code.
    pub places: Vec<Place>,
    /// The names of its tests.
    pub tests: Vec<String>,
    /// What is said of it.
    pub note: String,
}

/// A place in the code: a link to a line, whose text is a part of that line.
#[derive(Debug)]
#[non_exhaustive]
pub struct Place {
    /// A part of the line, which the file has once.
    pub snippet: String,
    /// The file, from the README.
    pub file: String,
    /// The number of the line, from 1.
    pub line: usize,
    /// Where the number is in the README.
    pub number: Range<usize>,
}

/// The rows of a README.
///
/// # Panics
/// If a cell is not as it must be.
pub fn rows(readme: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut start = 0;
    for line in readme.split_inclusive('\n') {
        if let Some(row) = row(line, start) {
            rows.push(row);
        }
        start += line.len();
    }
    rows
}

fn row(line: &str, start: usize) -> Option<Row> {
    let mut cells = Vec::new();
    let mut from = start;
    for cell in line.trim_end().split('|') {
        cells.push((cell, from));
        from += cell.len() + 1;
    }
    let [_, (id, _), _, code, (tests, _), (note, _), _] = cells.as_slice() else { return None };
    let id = id.trim();
    let digits = id.get(1..)?;
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some(Row { id: id.to_owned(), places: places(*code), tests, note: note.trim().to_owned() })
}

/// Its links: `` [`snippet`](file#L10) ``.
fn places((cell, start): (&str, usize)) -> Vec<Place> {
    let links = cell.match_indices("[`").map(|(at, _)| {
        let rest = cell.get(at + 2..).unwrap();
        let link = || {
            let (snippet, rest) = rest.split_once("`](")?;
            let (target, _) = rest.split_once(')')?;
            let (file, line) = target.split_once("#L")?;
            let at = at + 2 + snippet.len() + "`](".len() + file.len() + "#L".len();
            let number = start + at..start + at + line.len();
            Some(Place { snippet: snippet.into(), file: file.into(), line: line.parse().ok()?, number })
        };
        link().unwrap_or_else(|| panic!("no link to a line: {cell}"))
    });
    links.collect()
}

/// The number of the line that has this snippet, if one has it.
///
/// # Errors
/// How many lines have it otherwise.
pub fn line_of(source: &str, snippet: &str) -> Result<usize, usize> {
    let mut lines = (1..).zip(source.lines()).filter(|(_, line)| line.contains(snippet));
    match (lines.next(), lines.count()) {
        (Some((number, _)), 0) => Ok(number),
        (None, _) => Err(0),
        (Some(_), others) => Err(others + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn a_place_knows_where_its_number_is() {
        let readme = "# A\n\n| # | feature | our code | test | note |\n|---|---|---|---|---|\n\
                      | P1 | x | [`a(\"b\")`](src/c.rs#L10), [`d`](e.rs#L2) | `f`, `g` | |\n| P2 | y | – | – | By design not. |\n";
        let rows = rows(readme);
        let [one, two] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((&*one.id, &*two.id, &*two.note), ("P1", "P2", "By design not."));
        assert_eq!(one.tests, ["f", "g"]);
        let places = one.places.iter();
        let places: Vec<_> = places
            .map(|place| {
                (&*place.snippet, &*place.file, place.line, readme.get(place.number.clone()).unwrap())
            })
            .collect();
        assert_eq!(places, [("a(\"b\")", "src/c.rs", 10, "10"), ("d", "e.rs", 2, "2")]);
        assert!(two.places.is_empty() && two.tests.is_empty());
    }
}
