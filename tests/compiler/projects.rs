//! Whole cargo projects: which `auth.toml` checks a crate, when it is checked again, and what `cargo check` alone finds.

pub(crate) mod project;

use self::project::{Checked, Project, cargo, package, root};

/// A crate with a rule for each role.
fn rules(names: &[&str]) -> String {
    let rules = names.iter().map(|name| format!("    let _ = auth_runtime::rule!(roles = [{name:?}]);\n"));
    format!("pub fn rules() {{\n{}}}\n", rules.collect::<String>())
}

/// An auth.toml that declares these.
fn roles(names: &[&str]) -> String {
    let roles = names.iter().map(|name| format!("{name} = {{}}\n"));
    format!("[roles]\n{}", roles.collect::<String>())
}

#[test]
fn an_unknown_name_is_an_error_at_its_literal_once_there_is_a_file() {
    let source = r#"use auth_runtime::{auth, policy::Rule, rule};

pub const EDITORS: Rule = rule!(roles = ["editor"]);

#[auth(roles = ["admin", "amdin"])]
pub async fn handler() {}

pub fn in_a_body() -> [Rule; 2] {
    [rule!(any(roles = ["viewer"], scopes = ["article:wirte"])), rule!(scopes = ["article:write"])]
}

pub mod inner {
    #[auth_runtime::auth(
        any(
            roles = ["editor"],
            all(not(roles = ["veiwer"]), any(permissions = ["invoice.raed"], roles = ["admin"])),
        )
    )]
    pub async fn nested() {}
}
"#;
    let project =
        Project::new(&[("Cargo.toml", &root(&package("auth-projects-names"))), ("src/lib.rs", source)]);
    let checked = project.check();
    assert!(checked.success, "without a file any name will do: {checked:#?}");
    checked.assert_told(&[]);

    // Cargo can't know that a file is looked for: the first one is seen when the source is compiled again anyway.
    project.edit(
        "auth.toml",
        r#"
            [roles]
            admin = {}
            editor = {}
            viewer = {}
            [scopes]
            "article:write" = "Change articles"
            [permissions]
            "invoice.read" = []
        "#,
    );
    project.edit("src/lib.rs", source);
    let checked = project.check();
    assert!(!checked.success, "{checked:#?}");
    checked.assert_told(
        &[
            ("\"amdin\"", "error: unknown role `amdin`"),
            ("\"article:wirte\"", "error: unknown scope `article:wirte`"),
            ("\"veiwer\"", "error: unknown role `veiwer`"),
            ("\"invoice.raed\"", "error: unknown permission `invoice.raed`"),
        ]
        .map(|(literal, message)| (project.place("src/lib.rs", literal), message)),
    );

    let right = source.replace("amdin", "viewer").replace("wirte", "write").replace("veiwer", "viewer");
    project.edit("src/lib.rs", &right.replace("raed", "read"));
    let checked = project.check();
    assert!(checked.success, "{checked:#?}");
    checked.assert_told(&[]);
}

#[test]
fn cargo_check_alone_tells_every_mistake() {
    let vocabulary = r#"
        [roles]
        admin = { implies = ["editor"] }
        editor = {}
        auditor = { excludes = ["admin"] }
        [scopes]
        "article:write" = "Change articles"
    "#;
    let good = r#"use auth_runtime::{auth, policy::Rule, rule};

pub const OPEN: Rule = rule!(public);
pub const OPTIONAL: Rule = rule!(optional);

#[auth(roles = ["editor"])]
pub async fn good() {}
"#;
    let project = Project::new(&[
        ("Cargo.toml", &root(&package("auth-projects-mistakes"))),
        ("auth.toml", vocabulary),
        ("src/lib.rs", good),
    ]);
    let edit = |more: &str| project.edit("src/lib.rs", &format!("{good}{more}"));

    // Whether macros or the evaluation of constants finds it, and in functions that are not called, or generic ones.
    edit(
        r#"
#[auth(roles = ["editro"])]
pub async fn unknown() {}

pub fn nobody() -> Rule {
    rule!(roles = ["admin"], all(roles = ["auditor"]))
}

mod private {
    #[auth_runtime::auth(roles = [])]
    async fn empty() {}
}

#[auth(rule = OPEN, roles = ["admin"])]
pub async fn public_with_more() {}

fn never_called() -> Rule {
    rule!(rule = OPTIONAL, roles = ["admin"])
}

fn generic<T>(_: T) -> Rule {
    rule!(any(rule = OPEN, roles = ["admin"]))
}
"#,
    );
    let checked = project.check();
    assert!(!checked.success, "{checked:#?}");
    let place = |part: &str| project.place("src/lib.rs", part);
    checked.assert_told(&[
        (place("\"editro\""), "error: unknown role `editro`"),
        (place("roles = [\"auditor\"]"), "error: no caller can satisfy this rule"),
        (place("[]"), "error: the list of `roles` is empty"),
        (
            place("auth(rule = OPEN").last(4),
            "error: evaluation panicked: `rule = ..` names a rule that is public",
        ),
        (
            place("(rule = OPTIONAL").last(8),
            "error: evaluation panicked: `rule = ..` names a rule that is public",
        ),
        (place("any(rule = OPEN").last(4), "error: evaluation panicked: `rule = ..` inside `any`"),
    ]);

    // A warning comes with a crate that is fine otherwise.
    edit(
        r#"
#[auth(roles = ["editor", "admin"])]
pub async fn redundant() {}

pub fn in_a_body() -> Rule {
    rule!(any(scopes = ["article:write"], roles = ["admin", "editor"]))
}
"#,
    );
    let checked = project.check();
    assert!(checked.success, "{checked:#?}");
    checked.assert_told(&[
        (place(", \"admin\"").last(7), "`roles = [\"admin\"]` has no effect here"),
        (place("[\"admin\"").last(7), "`roles = [\"admin\"]` has no effect here"),
    ]);
    assert!(checked.told.iter().all(|told| told.message.starts_with("warning: ")), "{checked:#?}");
}

#[test]
fn editing_the_file_checks_the_crate_that_reads_it_again_and_no_other() {
    let [a, b, c] = ["auth-projects-edit-a", "auth-projects-edit-b", "auth-projects-edit-c"];
    let project = Project::new(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\", \"c\"]\n"),
        ("README.md", "Three crates"),
        ("a/Cargo.toml", &package(a)),
        ("a/README.md", "The first"),
        ("a/auth.toml", &roles(&["captain", "mate"])),
        ("a/src/lib.rs", &rules(&["captain", "mate"])),
        ("b/Cargo.toml", &package(b)),
        ("b/auth.toml", &roles(&["doctor"])),
        ("b/src/lib.rs", &rules(&["doctor"])),
        ("c/Cargo.toml", &package(c)),
        ("c/src/lib.rs", &rules(&["anything"])),
    ]);
    let checked = project.check();
    assert!(checked.success, "each is checked by its own file: {checked:#?}");
    assert_eq!(checked.compiled, [a, b, c], "{checked:#?}");

    assert_eq!(project.check().compiled, [""; 0], "nothing was changed");
    project.edit("README.md", "Three crates of one workspace");
    project.edit("a/README.md", "The first of three");
    assert_eq!(project.check().compiled, [""; 0], "nothing was changed that a macro reads");

    project.edit("a/auth.toml", &roles(&["captain", "mate", "cook"]));
    let checked = project.check();
    assert!(checked.success, "{checked:#?}");
    assert_eq!(checked.compiled, [a], "{checked:#?}");
    project.edit("b/auth.toml", &roles(&["doctor", "nurse"]));
    let checked = project.check();
    assert!(checked.success, "{checked:#?}");
    assert_eq!(checked.compiled, [b], "{checked:#?}");

    project.edit("a/auth.toml", &roles(&["captain", "cook"]));
    let checked = project.check();
    assert!(!checked.success, "{checked:#?}");
    checked.assert_told(&[(project.place("a/src/lib.rs", "\"mate\""), "error: unknown role `mate`")]);
    assert_eq!(checked.compiled, [""; 0], "{checked:#?}");

    project.edit("a/auth.toml", &roles(&["captain", "mate"]));
    assert_eq!(project.check().compiled, [a]);
    project.remove("a/auth.toml");
    let checked = project.check();
    assert!(checked.success, "{checked:#?}");
    assert_eq!(checked.compiled, [a], "without its file it is another crate: {checked:#?}");
}

#[test]
fn the_file_of_a_crate_is_its_own_or_that_of_the_workspace_that_cargo_puts_it_in() {
    let workspace = r#"
        [workspace]
        resolver = "3"
        members = ["plain", "deep/er/plain", "own", "nearer/pointing", "tools/kept"]
        exclude = ["excluded", "tools"]
    "#;
    let any = rules(&["beyond", "shared", "own", "nearer"]);
    let project = Project::new(&[
        // Never the workspace of a crate below.
        (
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"root/tools/other\"]\nexclude = [\"root\"]\n",
        ),
        ("auth.toml", &roles(&["beyond"])),
        ("root/Cargo.toml", workspace),
        ("root/auth.toml", &roles(&["shared"])),
        ("root/plain/Cargo.toml", &package("auth-projects-plain")),
        ("root/plain/src/lib.rs", &any),
        // The current folder has no say, nor has one between.
        ("root/deep/auth.toml", &roles(&["nearer"])),
        ("root/deep/er/plain/Cargo.toml", &package("auth-projects-deep")),
        ("root/deep/er/plain/src/lib.rs", &any),
        ("root/own/Cargo.toml", &package("auth-projects-own")),
        ("root/own/auth.toml", &roles(&["own"])),
        ("root/own/src/lib.rs", &any),
        // A workspace is nearer, and the package names the other.
        ("root/nearer/Cargo.toml", "[workspace]\nresolver = \"3\"\n"),
        ("root/nearer/auth.toml", &roles(&["nearer"])),
        (
            "root/nearer/pointing/Cargo.toml",
            &package("auth-projects-pointing")
                .replace("[dependencies]", "workspace = \"../..\"\n[dependencies]"),
        ),
        ("root/nearer/pointing/src/lib.rs", &any),
        // `members` comes before `exclude`, and a package excluded here may be a member further out.
        ("root/tools/kept/Cargo.toml", &package("auth-projects-kept")),
        ("root/tools/kept/src/lib.rs", &any),
        ("root/tools/other/Cargo.toml", &package("auth-projects-other")),
        ("root/tools/other/src/lib.rs", &any),
        ("root/excluded/Cargo.toml", &package("auth-projects-excluded")),
        ("root/excluded/src/lib.rs", &any),
    ]);
    let checked = project.check_in("root");
    assert!(!checked.success, "{checked:#?}");
    let unknown = |file: &str, known: &str| {
        ["beyond", "shared", "own", "nearer"]
            .into_iter()
            .filter(|name| *name != known)
            .map(|name| (project.place(file, &format!("{name:?}")), "error: unknown role"))
            .collect::<Vec<_>>()
    };
    checked.assert_told(
        &[
            unknown("root/plain/src/lib.rs", "shared"),
            unknown("root/deep/er/plain/src/lib.rs", "shared"),
            unknown("root/own/src/lib.rs", "own"),
            unknown("root/nearer/pointing/src/lib.rs", "shared"),
            unknown("root/tools/kept/src/lib.rs", "shared"),
        ]
        .concat(),
    );
    let named = |checked: &Checked, crate_name: &str| {
        let told = checked.told.iter().find(|told| told.place.file.to_string_lossy().contains(crate_name));
        told.unwrap().message.rsplit_once(" in ").unwrap().1.to_owned()
    };
    assert_eq!(named(&checked, "root/plain"), "../auth.toml");
    assert_eq!(named(&checked, "root/deep"), "../../../auth.toml");
    assert_eq!(named(&checked, "root/own"), "auth.toml");
    assert_eq!(named(&checked, "root/nearer"), "../../auth.toml");

    let checked = project.check_in("root/excluded");
    assert!(
        checked.success,
        "an excluded package is in no workspace, not even in one further out: {checked:#?}"
    );
    assert_eq!(checked.compiled, ["auth-projects-excluded"]);

    let checked = project.check_in("");
    checked.assert_told(&unknown("root/tools/other/src/lib.rs", "beyond"));
}

#[test]
fn a_published_crate_brings_its_file_and_is_not_checked_by_what_lies_around_it() {
    let [with, without] = ["auth-projects-published-with", "auth-projects-published-without"];
    let published = |name| {
        let patch = format!("[patch.crates-io]\n{}", project::DEPENDENCY);
        root(&package(name)).replace(project::DEPENDENCY, "auth-runtime = \"0.1.0\"\n") + &patch
    };
    let user = [
        root(&package("auth-projects-user")),
        format!("{with} = \"0.1.0\"\n{without} = \"0.1.0\"\n[patch.crates-io]\n{}", project::DEPENDENCY),
        format!("{with} = {{ path = \"vendor/{with}-0.1.0\" }}\n"),
        format!("{without} = {{ path = \"vendor/{without}-0.1.0\" }}\n"),
    ]
    .concat();
    let project = Project::new(&[
        ("with/Cargo.toml", &published(with)),
        ("with/auth.toml", &roles(&["curator"])),
        ("with/src/lib.rs", &rules(&["curator"])),
        ("without/Cargo.toml", &published(without)),
        ("without/src/lib.rs", &rules(&["anything"])),
        // As `cargo vendor` has it: inside of a workspace, and no member.
        ("user/Cargo.toml", &user),
        ("user/auth.toml", &roles(&["visitor"])),
        ("user/src/lib.rs", &rules(&["visitor"])),
    ]);
    for (folder, name) in [("with", with), ("without", without)] {
        let there = project.package(folder, name, "user/vendor");
        assert_eq!(there.contains("auth.toml"), folder == "with", "{there}");
    }

    let checked = project.check_in("user");
    assert!(checked.success, "{checked:#?}");
    assert_eq!(checked.compiled, [with, without, "auth-projects-user"]);

    let [with, without] = [with, without].map(|name| format!("user/vendor/{name}-0.1.0"));
    project.edit(&format!("{with}/auth.toml"), &roles(&["visitor"]));
    let checked = project.check_in("user");
    assert!(!checked.success, "{checked:#?}");
    let source = format!("{with}/src/lib.rs");
    checked.assert_told(&[(project.place(&source, "\"curator\""), "error: unknown role `curator`")]);
    project.edit(&format!("{with}/auth.toml"), &roles(&["curator"]));

    // A vendored crate has other marks of its origin; and one without any is the user's own.
    let source = format!("{without}/src/lib.rs");
    project.remove(&format!("{without}/Cargo.toml.orig"));
    project.edit(&format!("{without}/.cargo-checksum.json"), "{\"files\":{}}");
    project.edit(&source, &rules(&["anything", "more"]));
    let checked = project.check_in("user");
    assert!(checked.success, "{checked:#?}");
    project.remove(&format!("{without}/.cargo-checksum.json"));
    project.edit(&source, &rules(&["anything", "visitor"]));
    let checked = project.check_in("user");
    checked.assert_told(&[(project.place(&source, "\"anything\""), "error: unknown role `anything`")]);
}

#[test]
#[ignore = "needs clippy: bash tests/run"]
fn clippy_finds_the_routes_that_have_no_policy() {
    let version = cargo().args(["clippy", "--version"]).output().unwrap();
    assert!(
        version.status.success(),
        "clippy is not installed: `bash tests/run` installs it and runs this test"
    );
    let lints = include_str!("../../docs/clippy.toml");
    let listed: Vec<_> = lints
        .lines()
        .filter_map(|line| line.split_once("path = \"")?.1.split_once("\", reason = \""))
        .map(|(path, rest)| (path, rest.strip_suffix("\" },").unwrap()))
        .collect();
    assert_eq!(listed.len(), 2 * 11 + 2);

    let stragglers = listed.iter().map(|(path, _)| {
        let arguments = match path.rsplit_once("::").unwrap().1 {
            "new" => "",
            "on" => "MethodFilter::GET, open",
            "on_service" => "MethodFilter::GET, service.clone()",
            name if name.ends_with("_service") => "service.clone()",
            _ => "open",
        };
        let made = if path.contains("routing") { "MethodRouter" } else { "Router" };
        format!("    let _: {made} = {path}({arguments});\n")
    });
    let stragglers = format!(
        "use axum::{{Router, routing::{{MethodFilter, MethodRouter}}}};\n\nasync fn open() {{}}\n\n\
         pub fn routes(service: &Router) {{\n{}    let _: MethodRouter = axum::routing::method_routing::get(open);\n}}\n",
        stragglers.collect::<String>()
    );
    let guarded = r#"use auth_runtime::routing::{MethodFilter, any, delete, get, head, on, options, patch, post, put, trace};
use auth_runtime::{Router, auth, rule};

#[auth]
async fn shut() {}

pub fn routes(service: axum::Router) -> Router {
    Router::new()
        .route("/", get(shut).post(shut).put(shut).patch(shut).delete(shut).head(shut).options(shut).trace(shut))
        .route("/post", post(shut))
        .route("/put", put(shut))
        .route("/patch", patch(shut))
        .route("/delete", delete(shut))
        .route("/head", head(shut))
        .route("/options", options(shut))
        .route("/trace", trace(shut))
        .route("/on", on(MethodFilter::GET, shut))
        .route("/any", any(shut))
        .nest_service("/service", (service.clone(), rule!(roles = ["admin"])))
        .dangerously_merge_unguarded(service)
}

#[expect(clippy::disallowed_methods, reason = "a rule is next to it")]
pub fn beside() -> Router {
    Router::new().route("/", (axum::routing::get(async || ()), rule!(public)))
}
"#;
    let axum = "axum = { version = \"0.8\", default-features = false }\n";
    let project = Project::new(&[
        ("Cargo.toml", &(root(&package("auth-projects-clippy")) + axum)),
        ("clippy.toml", lints),
        ("src/lib.rs", "pub mod guarded;\npub mod stragglers;\n"),
        ("src/guarded.rs", guarded),
        ("src/stragglers.rs", &stragglers),
    ]);
    let checked = project.clippy();
    assert!(checked.success, "{checked:#?}");
    let calls = listed
        .iter()
        .map(|(path, _)| format!("{path}("))
        .chain(["axum::routing::method_routing::get(".into()]);
    let told: Vec<_> = calls
        .map(|call| {
            let place = project.place("src/stragglers.rs", &call).without_last();
            (place, "warning: use of a disallowed method `axum::")
        })
        .collect();
    checked.assert_told(&told);
    for (path, reason) in listed {
        let place = project.place("src/stragglers.rs", &format!("{path}(")).without_last();
        let told = checked.told.iter().find(|told| told.place == place).unwrap();
        assert!(told.message.contains(&format!("`{path}`")), "{told:#?}");
        assert!(told.notes.iter().any(|note| note == reason), "{told:#?}");
    }
}
