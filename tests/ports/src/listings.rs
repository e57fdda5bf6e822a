//! The listings of a document: `listings/NAME.txt`.
//!
//! ```text
//! # a comment
//! P1 | 3 | Title of the section
//! P2 P3 | 4 | Another section: its first listing
//! P2 P3 | 2 | Another section: its second listing | Why ours is longer.
//! + src/main.rs | what the rows above need besides what they name
//! ```

/// What a document shows of some rows, in one listing or in several.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shown {
    /// The ids of the rows.
    pub rows: Vec<String>,
    /// How many lines the listings have.
    pub lines: usize,
    /// Where they are in the document.
    pub titles: Vec<String>,
    /// Why ours is longer, if it is.
    pub why: Option<String>,
    /// What the rows need besides what they name: a file, and a part of a line that it has once.
    pub besides: Vec<(String, String)>,
}

/// What a file of listings says.
///
/// # Panics
/// If a line is not as it must be.
pub fn read(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut last = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let cells: Vec<String> = line.split(" | ").map(|cell| cell.trim().to_owned()).collect();
        let (rows, lines, title, why) = match cells.as_slice() {
            [file, snippet] if file.starts_with("+ ") && last < all.len() => {
                all[last].besides.push((file.replacen("+ ", "", 1), snippet.clone()));
                continue;
            }
            [rows, lines, title] => (rows, lines, title.clone(), None),
            [rows, lines, title, why] => (rows, lines, title.clone(), Some(why.clone())),
            _ => panic!(
                "a line must be `ROWS | LINES | TITLE`, `ROWS | LINES | TITLE | WHY`, or `+ FILE | CODE`: {line}"
            ),
        };
        let rows: Vec<String> = rows.split_whitespace().map(str::to_owned).collect();
        let lines: usize =
            lines.parse().unwrap_or_else(|_| panic!("`{lines}` is no number of lines: {line}"));
        last = all.iter().position(|shown| shown.rows == rows).unwrap_or(all.len());
        if last == all.len() {
            all.push(Shown { rows, lines: 0, titles: Vec::new(), why: None, besides: Vec::new() });
        }
        let shown = &mut all[last];
        shown.lines += lines;
        shown.titles.push(title);
        shown.why = shown.why.take().or(why);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_is_shown_of_the_same_rows_is_added() {
        let all = read("# a\n\nP2 P3 | 4 | B\nP1 | 3 | A\nP2 P3 | 2 | C | Why.\n+ a.rs | b || c\n");
        let [one, two] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((one.lines, two.lines), (6, 3));
        assert_eq!(
            (one.rows.join(" "), one.titles.join(" "), one.why.as_deref()),
            ("P2 P3".into(), "B C".into(), Some("Why."))
        );
        assert_eq!(one.besides, [("a.rs".to_owned(), "b || c".to_owned())]);
        assert!(two.why.is_none() && two.besides.is_empty());
    }
}
