//! The READMEs of the ports say what is so. With `PORTS=write` in the environment, the numbers of lines and the figures are written anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use auth_tests_ports::rows::Row;
use auth_tests_ports::{count, found, rows};

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

#[track_caller]
fn assert_none(errors: &[String]) {
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
}

/// The number of the line that has this snippet, if the file has it once.
fn line_of(source: &str, snippet: &str) -> Result<usize, usize> {
    let mut lines = (1..).zip(source.lines()).filter(|(_, line)| line.contains(snippet));
    match (lines.next(), lines.count()) {
        (Some((number, _)), 0) => Ok(number),
        (None, _) => Err(0),
        (Some(_), others) => Err(others + 1),
    }
}

#[test]
fn a_row_names_the_line_of_its_code() {
    let mut errors = Vec::new();
    for Port { name, folder, rows } in ports() {
        let mut readme = read(&folder.join("README.md"));
        let places = rows.iter().flat_map(|row| row.places.iter().map(|place| (&row.id, place)));
        // From the end, so that what is written moves no place that is still to come.
        for (id, place) in places.collect::<Vec<_>>().into_iter().rev() {
            let at = format!("{name} {id}: {}: `{}`", place.file, place.snippet);
            match line_of(&read(&folder.join(&place.file)), &place.snippet) {
                Ok(line) if writes() => readme.replace_range(place.number.clone(), &line.to_string()),
                Ok(line) if line == place.line => {}
                Ok(line) => {
                    errors.push(format!("{at} is in line {line}, and the README says {}", place.line));
                }
                Err(times) => errors.push(format!("{at} is in {times} lines, and must be in one")),
            }
        }
        if writes() {
            fs::write(folder.join("README.md"), readme).unwrap();
        }
    }
    assert_none(&errors);
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
        let features = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("features/{name}.txt")));
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

/// How many lines a port has, and how many of these are of what its rows name.
fn figures(port: &Port) -> [usize; 2] {
    let counted = counted(port);
    let sources: BTreeMap<&str, String> =
        counted.iter().map(|file| (&**file, read(&port.folder.join(file)))).collect();
    let mut named = BTreeSet::new();
    for place in port.rows.iter().flat_map(|row| &row.places) {
        if let (Some(source), true) = (sources.get(&*place.file), place.file.ends_with(".rs")) {
            named.extend(
                count::lines_of_item(source, place.line).into_iter().map(|line| (&*place.file, line)),
            );
        }
    }
    [sources.values().map(|source| count::lines(source).len()).sum(), named.len()]
}

/// In the table of all ports: `| [NAME](NAME) | document | start | lines | of what rows name | theirs |`.
#[test]
fn the_figures_are_counted() {
    let file = folder().join("README.md");
    let mut errors = Vec::new();
    let mut readme = read(&file);
    for port in ports() {
        let link = format!("]({})", port.name);
        let row = readme.lines().find(|line| line.starts_with('|') && line.contains(&link));
        let row = row.unwrap_or_else(|| panic!("the table has no row of {}", port.name)).to_owned();
        let mut cells: Vec<&str> = row.split('|').collect();
        let figures = figures(&port).map(|figure| format!(" {figure} "));
        if cells[4..6] != figures && !writes() {
            errors.push(format!(
                "{}: the figures are{}and{}, and the table has{}and{}",
                port.name, figures[0], figures[1], cells[4], cells[5]
            ));
        }
        (cells[4], cells[5]) = (&figures[0], &figures[1]);
        readme = readme.replace(&row, &cells.join("|"));
    }
    if writes() {
        fs::write(file, readme).unwrap();
    }
    assert_none(&errors);
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
