//! The comparison with other projects: what the README says in a word, the page of the guide says in a sentence with its source.

use std::collections::BTreeMap;
use std::path::Path;

const README: &str = include_str!("../../README.md");
const PAGE: &str = include_str!("../../docs/guide/comparison.md");

/// The row of each table that is about this library.
const THIS: &str = "this library";

/// The cells of a row of a table.
fn cells(row: &str) -> Vec<&str> {
    let inside = row.trim().strip_prefix('|').and_then(|row| row.strip_suffix('|'));
    inside.unwrap_or_else(|| panic!("no row: {row}")).split('|').map(str::trim).collect()
}

/// The tables of a text, each with its rows: that of the names first, without the line below it.
fn tables(text: &str) -> Vec<Vec<Vec<&str>>> {
    let mut tables = vec![Vec::new()];
    for line in text.lines().filter(|line| !line.starts_with("|---")) {
        if line.starts_with('|') {
            tables.last_mut().unwrap().push(cells(line));
        } else {
            tables.push(Vec::new());
        }
    }
    tables.retain(|table| !table.is_empty());
    tables
}

/// A row of the page: the short answer, and the sentence.
type Answer<'t> = (&'t str, &'t str);

/// The answers of the page, by question and project.
fn answers() -> BTreeMap<(&'static str, &'static str), Answer<'static>> {
    let mut answers = BTreeMap::new();
    for section in PAGE.split("\n### ").skip(1) {
        let (question, text) = section.split_once('\n').unwrap();
        let [table] = tables(text).try_into().unwrap_or_else(|_| panic!("{question}: not one table"));
        for row in table.into_iter().skip(1) {
            let [project, short, sentence] = row.try_into().unwrap();
            let former = answers.insert((question, project), (short, sentence));
            assert_eq!(former, None, "{question}: {project} is there twice");
        }
    }
    answers
}

/// The cells of the README, by question and project.
fn cells_of_the_readme() -> BTreeMap<(&'static str, &'static str), &'static str> {
    let compared = tables(README).into_iter().filter(|table| table[1][0] == format!("**{THIS}**"));
    let mut shown = BTreeMap::new();
    for table in compared {
        let questions = table[0].clone();
        for row in &table[1..] {
            assert_eq!(row.len(), questions.len(), "{row:?}");
            for (question, cell) in questions.iter().zip(row).skip(1) {
                shown.insert((*question, row[0].trim_matches('*')), *cell);
            }
        }
    }
    shown
}

#[test]
fn each_cell_of_the_readme_is_a_row_of_the_page_with_its_source() {
    let (shown, answers) = (cells_of_the_readme(), answers());
    assert!(shown.len() > 200, "{}", shown.len());
    for (place, cell) in &shown {
        let (short, sentence) =
            answers.get(place).unwrap_or_else(|| panic!("the page has no row for {place:?}"));
        assert_eq!(cell, short, "{place:?}");
        assert!(sentence.contains("](https://"), "{place:?} has no source: {sentence}");
        let is_undocumented = sentence.contains("Not documented") && sentence.contains("looked at: ");
        assert!(
            *cell != "-" || is_undocumented,
            "{place:?} says neither what is so nor where it was looked for"
        );
    }
    let left_out: Vec<_> = answers.keys().filter(|place| !shown.contains_key(*place)).collect();
    assert_eq!(left_out, Vec::<&(&str, &str)>::new(), "rows of the page that the README does not show");
}

/// What is claimed of this library names the page that describes it, and the tests that show it are there.
#[test]
fn each_claim_of_ours_names_a_page_and_tests_that_exist() {
    let mut named = 0;
    for ((question, project), (_, sentence)) in answers() {
        let quoted: Vec<_> = sentence.split('`').skip(1).step_by(2).collect();
        let tests: Vec<_> = quoted.into_iter().filter(|code| code.starts_with("tests/")).collect();
        assert!(project == THIS || tests.is_empty(), "{question}: {project}");
        assert!(
            project != THIS || sentence.contains("/auth_runtime/guide/"),
            "{question} names no page of the guide"
        );
        for test in &tests {
            let exists =
                ["", ".rs"].iter().any(|end| Path::new("../..").join(format!("{test}{end}")).exists());
            assert!(exists, "{question}: {test} is not there");
        }
        named += tests.len();
    }
    assert!(named > 15, "{named}");
}

/// Who wants to know more reads on: the page is the first of many.
#[test]
fn the_readme_is_short() {
    let lines = README.lines().count();
    assert!(lines <= 130, "{lines} lines");
}
