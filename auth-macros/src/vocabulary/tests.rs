//! What a file may say. Its errors are in `tests/ui/file`, as the compiler shows them.

use super::model::{SourceKind, Vocabulary};
use super::read;

fn read(text: &str) -> Vocabulary {
    read::read(text).unwrap()
}

fn errors(text: &str) -> Vec<(usize, String)> {
    read::read(text).unwrap_err()
}

#[test]
fn all_that_it_may_say() {
    let read = read(
        r#"
        default_source = "partner"
        [roles]
        editor = { implies = ["viewer"] }
        admin = { implies = ["editor"], excludes = ["auditor"], description = "Runs the place" }
        viewer = {}
        "https://x.test/auditor" = {}
        auditor.description = "Looks"
        [scopes]
        "article:write" = "Change articles"
        [permissions]
        "invoice.read" = ["editor"]
        "report.read" = []
        [sources]
        partner = { kind = "header", name = "X-Partner-Token", scheme = "Token" }
        badge = { kind = "custom" }
        "#,
    );
    assert_eq!(read.default_source, ["partner"]);
    assert_eq!(read.role_names(), ["editor", "admin", "viewer", "https://x.test/auditor", "auditor"]);
    assert_eq!(read.source_names(), ["bearer", "cookie", "query", "partner", "badge"]);
    assert_eq!((read.scope_names(), read.permission_names().len()), (vec!["article:write"], 2));
    let [editor, admin, viewer, auditor] =
        ["editor", "admin", "viewer", "auditor"].map(|name| read.role(name).unwrap());
    let relations = &read.relations;
    assert!(relations.implies(admin, viewer) && !relations.implies(viewer, admin));
    assert_eq!(relations.implied_by(admin).collect::<Vec<_>>(), [editor, viewer]);
    assert!(relations.excludes(auditor, admin) && relations.excludes(admin, auditor));
    assert!(!relations.excludes(auditor, editor), "an editor is no admin");
    assert!(relations.grants(admin, 0) && !relations.grants(viewer, 0) && !relations.grants(admin, 1));
    assert_eq!(read.roles[admin].description.as_deref(), Some("Runs the place"));
    assert_eq!(read.roles[auditor].description.as_deref(), Some("Looks"));
    assert!(
        matches!(&read.sources[0].kind, SourceKind::Header { name, scheme: Some(scheme), is_added_by_proxy: false } if name == "X-Partner-Token" && scheme == "Token")
    );
    assert!(matches!(read.sources[1].kind, SourceKind::Custom));
}

#[test]
fn a_file_may_say_nothing() {
    for text in ["", "# nothing yet\n", "[roles]\n[scopes]\n[permissions]\n[sources]\n"] {
        assert!(read(text).role_names().is_empty());
    }
}

#[test]
fn a_role_that_excludes_another_excludes_those_that_imply_it() {
    let read =
        read("[roles]\na = { implies = ['b'] }\nb = {}\nc = { excludes = ['b'] }\nd = { implies = ['c'] }");
    let [a, d] = ["a", "d"].map(|name| read.role(name).unwrap());
    assert!(read.relations.excludes(a, d) && read.relations.excludes(d, a));
}

#[test]
fn every_error_has_its_line() {
    for (text, line, expected) in [
        ("roles = 1", 1, "`[roles]` is a table"),
        ("\n\nscopes = []", 3, "`[scopes]` is a table"),
        ("permissions = ''", 1, "`[permissions]` is a table"),
        ("sources = ''", 1, "`[sources]` has a table for each source"),
        ("default_source = []", 1, "`default_source` is empty"),
        ("default_source = 1", 1, "`default_source` is a name or a list of names"),
        ("[roles]\n'' = {}", 2, "\"\" can't be a role: it is empty"),
        (
            "[roles]\n'admin ' = {}",
            2,
            "\"admin \" can't be a role: it begins or ends with white space. Write \"admin\"",
        ),
        ("[roles]\n'\u{430}dmin' = {}", 2, "`\u{430}` (U+0430) is a Cyrillic character among Latin ones"),
        ("[scopes]\n'a b' = 'x'", 2, "\"a b\" can't be a scope: use visible ASCII without spaces"),
        ("[permissions]\n'ａ' = []", 2, "`ａ` (U+FF41) looks like `a`. Write \"a\""),
        (
            "[sources]\n'a\u{200b}' = { kind = 'custom' }",
            2,
            "can't be the name of a source: it contains U+200B",
        ),
        // What refers to it is no second error.
        ("[roles]\n'a ' = {}\nb = { implies = ['a '] }", 2, "Write \"a\""),
        ("[roles]\na = {}\na = {}", 3, "this is not valid TOML: duplicate key"),
        ("[roles]\na = { description = 1 }", 2, "`description` is a string"),
        ("[roles]\na = { implies = 'b' }\nb = {}", 2, "`implies` is a list of roles"),
        ("[roles]\na = { implies = [1] }", 2, "`implies` is a list of roles"),
        ("[roles]\na = { implies = ['a'] }", 2, "`a` implies `a`"),
        (
            "[roles]\na = { excludes = ['b'] }\nb = { implies = ['a'] }",
            3,
            "`a` excludes `b`, which implies it",
        ),
        ("[permissions]\np = ['a']", 2, "which is not a declared role: none is declared"),
        ("[permissions]\np = { roles = ['a'] }", 2, "a permission has the list of roles"),
        ("[permissions]\ninvoice.read = ['a']", 2, "`\"invoice.read\" = [\"billing\", \"admin\"]`"),
        ("[permissions]\na.b.c = []", 2, "write `\"a.b.c\" ="),
        (
            "[scopes]\narticle.read = 1",
            2,
            "`\"article.read\" = \"What it allows\"`. A name with a dot is written in quotes",
        ),
        ("[scopes]\narticle:read = 'x'", 2, "is written in quotes: `\"article:write\"`"),
        ("[roles]\nbilling.admin = {}", 2, "write `\"billing.admin\" = {}`"),
        ("[roles]\na = {}\ndefault_source = 'cookie'", 3, "move it above the first line in brackets"),
        ("[sources.a]\nname = 'X-A'", 1, "the source `a` has no `kind`"),
        ("[sources.a]\nkind = 'custom'\nname = 'X-A'", 3, "remove `name`"),
        ("[sources.a]\nkind = 'header'\nname = 'X-A'\nheader = 'X'", 4, "unknown key `header`"),
        ("[sources]\na = 'X-A'", 2, "a source is a table"),
        ("[role]\na = {}", 1, "unknown key `role`: did you mean `roles`?"),
    ] {
        let found = errors(text);
        assert_eq!(found.len(), 1, "{text:?}: {found:?}");
        assert_eq!(found[0].0, line, "{text:?}: {found:?}");
        assert!(found[0].1.contains(expected), "{text:?}: {found:?}");
    }
}

#[test]
fn each_cycle_is_reported_once() {
    let found = errors(
        "[roles]\na = { implies = ['b'] }\nb = { implies = ['c', 'a'] }\nc = { implies = ['b'] }\n\
         x = { implies = ['y'] }\ny = { implies = ['x', 'a'] }",
    );
    let texts: Vec<&str> = found.iter().map(|(_, text)| &**text).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("`a` implies `b` implies `a`, so that all"), "{texts:?}");
    assert!(texts[1].starts_with("`x` implies `y` implies `x`, so that all"), "{texts:?}");
}
