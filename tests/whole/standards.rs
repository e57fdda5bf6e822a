//! The tests that `docs/standards.md` names exist, and each name is that of one.

use std::path::{Path, PathBuf};

/// All of the sources below a folder: the path of each, and its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.with_extension(""), text));
        }
    }
    found
}

/// A name is `file::test`, or `folder::file::test` where several files are called so.
#[test]
fn the_tests_that_the_document_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = std::fs::read_to_string(root.join("docs/standards.md")).unwrap();
    let all = [sources(&root.join("auth-runtime/src")), sources(&root.join("tests/whole"))].concat();
    let mut count = 0;
    for name in document.split('`').skip(1).step_by(2).filter(|name| name.contains("::")) {
        let (file, test) = name.rsplit_once("::").unwrap();
        let file = file.replace("::", "/");
        let definition = format!("fn {test}()");
        let found =
            all.iter().filter(|(path, text)| path.ends_with(&file) && text.contains(&definition)).count();
        assert_eq!(found, 1, "`{name}`: how many tests of that name there are in a file of that name");
        count += 1;
    }
    assert!(count > 50, "{count}");
}
