//! The tests that `docs/standards.md` names exist.

use std::path::Path;

/// All of the sources below a folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&format!("\n// file {}\n", path.file_stem().unwrap().display()));
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn the_tests_that_the_document_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = std::fs::read_to_string(root.join("docs/standards.md")).unwrap();
    let text = sources(&root.join("auth-runtime/src")) + &sources(&root.join("tests/whole"));
    let mut count = 0;
    for name in document.split('`').skip(1).step_by(2).filter(|name| name.contains("::")) {
        let (file, test) = name.split_once("::").unwrap();
        let found = text.split("\n// file ").any(|source| {
            source.starts_with(&format!("{file}\n")) && source.contains(&format!("fn {test}()"))
        });
        assert!(found, "there is no test `{test}` in a file `{file}.rs`");
        count += 1;
    }
    assert!(count > 50, "{count}");
}
