//! The READMEs of the ports say what is so. With `PORTS=write` in the environment, the numbers of lines and the figures are written anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use auth_tests_ports::figures::{self, Figure, HEADER};
use auth_tests_ports::rows::Row;
use auth_tests_ports::{count, found, listings, rows};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn folder() -> PathBuf {
    root().join("examples/ports")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Whether numbers are to be written, and not compared.
fn writes() -> bool {
    std::env::var("PORTS").is_ok_and(|value| value == "write")
}

struct Port {
    name: String,
    folder: PathBuf,
    rows: Vec<Row>,
}

/// All ports: the folders but that of what they share.
fn ports() -> Vec<Port> {
    let folders = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let folders: BTreeSet<PathBuf> =
        folders.filter(|path| path.is_dir() && !path.ends_with("support")).collect();
    assert!(!folders.is_empty());
    let port = |folder: PathBuf| Port {
        name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
        rows: rows::rows(&read(&folder.join("README.md"))),
        folder,
    };
    folders.into_iter().map(port).collect()
}

/// What is known of a document: its features, or its listings.
fn of_document(kind: &str, port: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{kind}/{port}.txt")))
}

const WRITE: &str = "run `PORTS=write cargo test -p auth-tests-ports`";

#[track_caller]
fn assert_none(errors: &[String]) {
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
}

/// In the tables of the ports and in that of all ports. One test, since it writes.
#[test]
fn the_numbers_of_the_readmes_are_those_of_the_code() {
    let mut errors = Vec::new();
    let all = folder().join("README.md");
    let mut table_of_all = read(&all);
    for port in ports() {
        let file = port.folder.join("README.md");
        let mut readme = read(&file);
        write_lines(&port, &mut readme, &mut errors);
        let listings = listings::read(&of_document("listings", &port.name));
        match figures::figures(&port.folder, &port.rows, listings) {
            Ok(figures) => {
                write_table(&port, &figures, &mut readme, &mut errors);
                write_row(&port, &figures, &mut table_of_all, &mut errors);
            }
            Err(wrong) => errors.extend(wrong.into_iter().map(|error| format!("{}: {error}", port.name))),
        }
        if writes() {
            fs::write(file, readme).unwrap();
        }
    }
    if writes() {
        fs::write(all, table_of_all).unwrap();
    }
    assert_none(&errors);
}

/// The lines that rows name.
fn write_lines(Port { name, folder, rows }: &Port, readme: &mut String, errors: &mut Vec<String>) {
    let places = rows.iter().flat_map(|row| row.places.iter().map(|place| (&row.id, place)));
    // From the end, so that what is written moves no place that is still to come.
    for (id, place) in places.collect::<Vec<_>>().into_iter().rev() {
        let at = format!("{name} {id}: {}: `{}`", place.file, place.snippet);
        match rows::line_of(&read(&folder.join(&place.file)), &place.snippet) {
            Ok(line) if writes() => readme.replace_range(place.number.clone(), &line.to_string()),
            Ok(line) if line == place.line => {}
            Ok(line) => {
                errors.push(format!("{at} is in line {line}, and the README says {}; {WRITE}", place.line));
            }
            Err(times) => errors.push(format!("{at} is in {times} lines, and must be in one")),
        }
    }
}

/// The table of what the listings show.
fn write_table(port: &Port, figures: &[Figure], readme: &mut String, errors: &mut Vec<String>) {
    let table = figures::table(figures);
    let Some(start) = readme.find(HEADER) else {
        errors.push(format!("{}: its README has no table that begins with `{HEADER}`", port.name));
        return;
    };
    let end = readme[start..].find("\n\n").map_or(readme.len(), |end| start + end + 1);
    let written = &readme[start..end];
    if written == table {
        return;
    }
    if !writes() {
        let missing: Vec<&str> =
            table.lines().filter(|line| written.lines().all(|other| other != *line)).collect();
        let missing = missing.join("\n");
        errors.push(format!("{}: the table of figures must have these lines; {WRITE}\n{missing}", port.name));
    }
    readme.replace_range(start..end, &table);
}

/// In the table of all ports: `| [NAME](NAME) | document | start | lines | rows with a listing | ours | of these, the table of users | theirs |`.
fn write_row(port: &Port, figures: &[Figure], readme: &mut String, errors: &mut Vec<String>) {
    let link = format!("]({})", port.name);
    let row = readme.lines().find(|line| line.starts_with('|') && line.contains(&link));
    let row = row.unwrap_or_else(|| panic!("the table has no row of {}", port.name)).to_owned();
    let shown: usize = figures.iter().map(|figure| figure.shown.rows.len()).sum();
    let [ours, users, theirs] = figures::sums(figures);
    let numbers = [
        whole(port).to_string(),
        format!("{shown} of {}", port.rows.len()),
        ours.to_string(),
        users.to_string(),
        theirs.to_string(),
    ];
    let start = row.match_indices('|').nth(3).unwrap().0;
    let new = format!("{}| {} |", &row[..start], numbers.join(" | "));
    if new != row && !writes() {
        errors.push(format!(
            "{}: the row in the table of all ports must be as follows; {WRITE}\n{new}",
            port.name
        ));
    }
    *readme = readme.replace(&row, &new);
}

#[test]
fn a_row_names_tests_that_there_are() {
    let mut errors = Vec::new();
    for Port { name, folder, rows } in ports() {
        let known = found::tests(&folder);
        for row in rows {
            let missing = row.tests.iter().filter(|test| !known.contains(*test));
            errors.extend(missing.map(|test| format!("{name} {}: there is no test `{test}`", row.id)));
        }
    }
    assert_none(&errors);
}

/// `features/NAME.txt` has one feature a line: its id, and a few words.
#[test]
fn every_feature_of_the_document_has_a_row() {
    let mut errors = Vec::new();
    for Port { name, rows, .. } in ports() {
        let features = of_document("features", &name);
        let ids: Vec<&str> = features.lines().filter_map(|line| line.split_whitespace().next()).collect();
        let found: Vec<&str> = rows.iter().map(|row| &*row.id).collect();
        if ids != found {
            errors.push(format!("{name}: its rows are\n{found:?}, and its features\n{ids:?}"));
        }
        for row in rows {
            let is_left_out = row.note.starts_with("By design not");
            let has_reason = row.note.contains(". Instead") || row.note.contains("; instead");
            if is_left_out && !has_reason {
                errors.push(format!("{name} {}: its note must say why, and what there is `Instead`", row.id));
            }
            if !is_left_out && (row.places.is_empty() || row.tests.is_empty()) {
                errors.push(format!("{name} {}: it must name its code and a test", row.id));
            }
        }
    }
    assert_none(&errors);
}

/// The files that a port says are counted: `counted = ["src/main.rs", ..]` in its manifest.
fn counted(port: &Port) -> Vec<String> {
    let manifest = read(&port.folder.join("Cargo.toml"));
    let (_, list) = manifest.split_once("\ncounted = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// How many lines a port has.
fn whole(port: &Port) -> usize {
    counted(port).iter().map(|file| count::lines(&read(&port.folder.join(file))).len()).sum()
}

/// A file of a port that is neither counted nor left out for a reason would make the figure smaller than it is.
#[test]
fn every_file_is_counted_or_left_out() {
    let mut errors = Vec::new();
    for port in ports() {
        let counted = counted(&port);
        let sources = found::sources(&port.folder);
        let missing = sources.iter().filter(|file| !counted.contains(file));
        errors.extend(missing.map(|file| format!("{}: `counted` has no {file}", port.name)));
    }
    assert_none(&errors);
}

/// Those in folders as well.
#[test]
fn sources_are_found_in_folders() {
    let sources = found::sources(&folder().join("ninja-aio"));
    for file in ["src/main.rs", "src/database.rs", "src/database/articles.rs"] {
        assert!(sources.contains(file), "{file} is missing: {sources:?}");
    }
    for file in ["src/lines.rs", "src/lines/demo.rs", "src/tests.rs", "src/tests/tokens.rs"] {
        assert!(folder().join("ninja-aio").join(file).exists(), "{file}");
        assert!(!sources.contains(file), "{file} is left out: {sources:?}");
    }
}
