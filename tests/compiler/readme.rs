//! The README and the guide are what a reader can use: what is copied compiles, what is quoted is what is printed, and no
//! link leads nowhere.

use std::fs;
use std::path::{Path, PathBuf};

use crate::projects::project::{Project, cargo, package};

const README: &str = include_str!("../../README.md");

/// Where the published documentation of the crate is.
const PUBLISHED: &str = "https://docs.rs/auth-runtime/latest/auth_runtime/";

/// A fenced block: what is behind the three backticks, and the lines between.
struct Block<'t> {
    info: &'t str,
    text: &'t str,
}

/// The fenced blocks of a page.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let fences: Vec<&str> = page.split("```").collect();
    assert_eq!(fences.len() % 2, 1, "each fence is closed");
    let inside = fences.into_iter().skip(1).step_by(2);
    inside.filter_map(|block| block.split_once('\n')).map(|(info, text)| Block { info, text }).collect()
}

/// The blocks of Rust that a reader of the README sees.
fn rust_of_the_readme() -> Vec<&'static str> {
    let is_rust = |block: &Block<'_>| block.info.split(',').next() == Some("rust");
    blocks(README).into_iter().filter(is_rust).map(|block| block.text).collect()
}

/// The dependencies that the README says to add, as lines of a manifest: `cargo add NAME.. [--features A,B]`.
fn dependencies() -> String {
    let shell = blocks(README).into_iter().filter(|block| block.info == "sh");
    let commands =
        shell.flat_map(|block| block.text.lines()).filter_map(|line| line.strip_prefix("cargo add "));
    let mut lines = String::new();
    for command in commands {
        let (names, features) = command.split_once(" --features ").unwrap_or((command, ""));
        let features: Vec<&str> = features.split(',').filter(|feature| !feature.is_empty()).collect();
        for name in names.split(' ').filter(|name| *name != "auth-runtime") {
            lines.push_str(&format!("{name} = {{ version = \"*\", features = {features:?} }}\n"));
        }
    }
    assert!(lines.contains("axum = ") && lines.contains("tokio = "), "{lines}");
    lines
}

/// The lines of a message, without the blanks at their ends.
fn lines(message: &str) -> Vec<&str> {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// A crate of a workspace for blocks: a program if it has a `main`, else a library.
fn member(name: &str, source: &str) -> [(String, String); 2] {
    let file = if source.contains("fn main()") { "main.rs" } else { "lib.rs" };
    let manifest = package(&format!("auth-readme-{name}")) + &dependencies();
    [(format!("{name}/Cargo.toml"), manifest), (format!("{name}/src/{file}"), source.to_owned())]
}

/// One `cargo check` for all of them: the blocks of the README, its program without an attribute, and the example of the
/// vocabulary with the `auth.toml` of its page, which rustdoc has none of.
#[test]
fn what_a_reader_copies_compiles_and_the_quoted_error_is_what_rustc_says() {
    let rust = rust_of_the_readme();
    let mut files = Vec::new();
    for (number, block) in (1..).zip(&rust) {
        let hidden = block.lines().find(|line| line.trim_start().starts_with("# ") || line.trim() == "#");
        assert_eq!(hidden, None, "rustdoc hides this line, so a reader does not copy it");
        files.extend(member(&format!("block-{number}"), block));
    }
    let attribute = "#[auth(any(roles = [\"admin\"], scopes = [\"reports:write\"]))]\n";
    assert_eq!(rust[0].matches(attribute).count(), 1, "the line that the README says to leave out");
    files.extend(member("without", &rust[0].replace(attribute, "")));
    let page = fs::read_to_string("../../docs/guide/vocabulary.md").unwrap();
    let only = |info| blocks(&page).into_iter().find(|block| block.info == info).unwrap().text.to_owned();
    files.extend(member("vocabulary", &only("rs")));
    files.push(("vocabulary/auth.toml".into(), only("toml")));
    files.push(("Cargo.toml".into(), "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n".into()));

    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let checked = Project::new(&files).check();
    let mut compiled: Vec<_> = (1..=rust.len()).map(|number| format!("auth-readme-block-{number}")).collect();
    compiled.push("auth-readme-vocabulary".into());
    assert_eq!(checked.compiled, compiled, "{checked:#?}");

    assert_eq!(checked.told.len(), 1, "{checked:#?}");
    let said = checked.told[0].rendered.replace("without/src/", "src/");
    let mut quotes = blocks(README).into_iter().filter(|block| block.info == "text");
    let quote = quotes.find(|block| block.text.starts_with("error")).unwrap().text;
    assert!(lines(&said).starts_with(&lines(quote)), "rustc says\n{said}\nand the README\n{quote}");
}

/// The program of the README, as it is there.
#[allow(dead_code, reason = "the test calls what it prints a table of, and does not serve it")]
#[allow(clippy::print_stdout, reason = "it prints its access table")]
mod program {
    use auth_runtime::testing::TestAuth;

    include!("readme/program.rs");

    #[test]
    fn its_access_table_is_what_the_readme_shows() {
        let source = include_str!("readme/program.rs");
        assert_eq!(super::rust_of_the_readme()[0], source, "they differ: copy the one to the other");
        let table = routes().routes().table(TestAuth::new().auth()).to_string();
        let shown = super::blocks(super::README).into_iter();
        let is_shown = shown.filter(|block| block.info == "text").any(|block| block.text == table);
        assert!(is_shown, "the README does not show\n{table}");
    }
}

/// The README and the pages of the guide, each with its path.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> =
        fs::read_dir("../../docs/guide").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.push("../../README.md".into());
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The targets of all links of a page: `[text](target)`, `[text]: target`. Code is not looked at.
fn links(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    let inline =
        prose.clone().flat_map(|text| text.split("](").skip(1)).map(|rest| rest.split(')').next().unwrap());
    let reference = prose.flat_map(str::lines).filter(|line| line.starts_with('['));
    inline.chain(reference.filter_map(|line| Some(line.split_once("]: ")?.1.trim()))).collect()
}

/// The headings of a page, as rustdoc links them.
fn anchors(page: &str) -> impl Iterator<Item = String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    headings.map(|heading| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        text.chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .collect::<String>()
            .replace(' ', "-")
    })
}

#[test]
fn links_lead_somewhere_from_the_registry_and_from_rustdoc() {
    let guide = fs::read_to_string("../../auth-runtime/src/guide.rs").unwrap();
    let mut to_pages = 0;
    for (path, text) in pages() {
        for link in links(&text) {
            let place = format!("{}: {link}", path.display());
            assert!(
                link.starts_with("https://"),
                "{place}: a relative link is dead where the page is shown elsewhere"
            );
            let Some(target) = link.strip_prefix(PUBLISHED) else {
                assert!(!link.contains("auth-runtime") && !link.contains("auth_runtime"), "{place}");
                continue;
            };
            if let Some(page) = target.strip_prefix("guide/") {
                let (page, anchor) = page.split_once('#').map_or((page, None), |(page, to)| (page, Some(to)));
                let page = page.strip_suffix("/index.html").unwrap_or_else(|| panic!("{place}"));
                let file = format!("../../docs/guide/{page}.md");
                let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{place}: {error}"));
                assert!(anchor.is_none_or(|to| anchors(&text).any(|anchor| anchor == to)), "{place}");
                to_pages += 1;
            } else {
                // rustdoc checks the same link in guide.rs, since it is written in its own form there.
                let written = format!("({})", item(target));
                assert!(guide.contains(&written), "{place}: add a link to {written} to the list in guide.rs");
            }
        }
    }
    assert!(to_pages > 10, "{to_pages}");
}

/// An item of the published documentation, as rustdoc's own links name it: `session/struct.Subject.html#method.roles` is
/// `method@crate::session::Subject::roles`.
fn item(target: &str) -> String {
    let (page, member) = target.split_once('#').unwrap_or((target, ""));
    let (module, file) = page.rsplit_once('/').unwrap_or(("", page));
    let modules = module.split('/').filter(|name| !name.is_empty());
    if file == "index.html" {
        return format!("mod@{}", ["crate"].into_iter().chain(modules).collect::<Vec<_>>().join("::"));
    }
    let (kind, name) = file.strip_suffix(".html").unwrap().split_once('.').unwrap();
    let path = ["crate"].into_iter().chain(modules).chain([name]).collect::<Vec<_>>().join("::");
    // rustdoc's name for the namespace that attributes are in.
    let kind = if kind == "attr" { "macro" } else { kind };
    match member.split_once('.') {
        Some((kind, member)) => format!("{kind}@{path}::{member}"),
        None => format!("{kind}@{path}"),
    }
}

#[test]
fn every_page_is_a_module_and_every_example_is_compiled() {
    let modules = fs::read_to_string("../../auth-runtime/src/guide.rs").unwrap();
    for (path, text) in pages() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            name == "README.md" || modules.contains(&format!("include_str!(\"../guide/{name}\")")),
            "{name}"
        );
        for block in blocks(&text) {
            // `rs` is Rust that rustdoc does not compile, and the test above does: it needs an auth.toml.
            let needs_file = block.info == "rs" && name == "vocabulary.md";
            let is_known = matches!(
                block.info,
                "rust"
                    | "rust,no_run"
                    | "js"
                    | "json"
                    | "sh"
                    | "text"
                    | "toml"
                    | "sql"
                    | "python"
                    | "java"
                    | "csharp"
            );
            assert!(is_known || needs_file, "{}: a fence is marked `{}`", path.display(), block.info);
        }
    }
}

/// A package takes no file from outside of its folder, and these are links to files outside.
#[test]
fn the_package_contains_the_readme_and_the_guide() {
    let arguments = ["package", "--list", "--offline", "--allow-dirty", "-p", "auth-runtime"];
    let listed = cargo().args(arguments).current_dir("..").output().unwrap();
    let files = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    for (path, text) in pages() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let packaged = if name == "README.md" { name.to_owned() } else { format!("guide/{name}") };
        assert!(files.lines().any(|file| file == packaged), "{packaged} is not in\n{files}");
        assert_eq!(fs::read_to_string(Path::new("../../auth-runtime").join(packaged)).unwrap(), text);
    }
}
