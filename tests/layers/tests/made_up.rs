//! The layers test on crates that are made up for it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use auth_tests_layers::{Crate, Function, Layers, circles};

/// A crate of these files, by their paths in `src`.
fn read(files: &[(&str, &str)]) -> Crate {
    let text = |path: &Path| {
        let known = files.iter().find(|(name, _)| Path::new("src").join(name) == path);
        known.map(|(_, text)| (*text).to_owned())
    };
    Crate::read("made-up", &PathBuf::from("src/lib.rs"), &text)
}

/// Those among top-level modules.
#[track_caller]
fn assert_circles(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(circles(&read(files), &[]), expected);
}

const TWO: &str = "mod a;\nmod b;\n";
const AB: &str =
    "made_up: these modules form a circle: a, b\n    a uses b: src/a.rs:1\n    b uses a: src/b.rs:1";

#[test]
fn a_use_in_one_direction_is_no_circle() {
    for a in [
        "use crate::b::B;",
        "use super::b::B;",
        "use crate::b;",
        "fn f() -> crate::b::B { super::b::B }",
        "use std::{fmt, io}; use serde::b::B; struct B;",
        "/// See [`crate::b`].\npub(in crate::b) fn f() {}",
    ] {
        assert_circles(&[("lib.rs", TWO), ("a.rs", a), ("b.rs", "pub struct B;")], &[]);
    }
}

#[test]
fn however_it_is_written_a_circle_is_found() {
    for a in [
        "use crate::b::B;",
        "use super::b::B;",
        "use super::b::{B as C};",
        "use super::{super::made_up, b::B};",
        "use crate::{c::{D, E}, b::{self, B}};",
        "use crate::b::*;",
        "use crate::{self as root, b as c};",
        "use made_up::b::B;",
        "fn f(b: &crate::b::B) {}",
        "fn f() { use super::b::B; }",
        "fn f<T: super::b::B>() {}",
        "impl crate::b::B for u8 {}",
        "fn f() { super::b::B::new() }",
        "fn f() { println!(\"{}\", crate::b::B) }",
        "fn f() { matches!(1, x if { vec![super::b::B]; true }) }",
        "macro_rules! m { () => { $crate::b::B } }",
        "mod inner { fn f() { super::super::b::B } }",
        "fn f() { self::super::b::B }",
    ] {
        assert_circles(&[("lib.rs", TWO), ("a.rs", a), ("b.rs", "use crate::a::A;")], &[AB]);
    }
}

#[test]
fn a_circle_may_go_by_a_third_module_and_lie_below() {
    assert_circles(
        &[
            ("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;"),
            ("a.rs", "mod deep;"),
            ("a/deep.rs", "mod deeper;"),
            ("a/deep/deeper.rs", "\nuse super::super::super::b::B;"),
            ("b/mod.rs", "use super::c::C;\nfn f() { crate::c::f() }"),
            ("c.rs", "mod inner { fn f() { crate::a::deep::f(); } }\nuse crate::d;"),
            ("d.rs", ""),
        ],
        &["made_up: these modules form a circle: a, b, c\n    a uses b: src/a/deep/deeper.rs:2\n    \
           b uses c: src/b/mod.rs:1, src/b/mod.rs:2\n    c uses a: src/c.rs:1"],
    );
}

#[test]
fn what_is_compiled_for_tests_alone_does_not_count() {
    for a in [
        "#[cfg(test)]\nmod tests { use super::*; use crate::b::B; }",
        "#[cfg(test)]\nmod tests;",
        "#[cfg(all(test, unix))]\nuse crate::b::B;",
        "#[cfg(any(test, test))]\nuse crate::b::B;",
        "#[test]\nfn f() { crate::b::f() }",
        "struct A; impl A { #[cfg(test)] fn f() { crate::b::f() } }",
    ] {
        let files =
            [("lib.rs", TWO), ("a.rs", a), ("a/tests.rs", "use crate::b::B;"), ("b.rs", "use crate::a::A;")];
        assert_circles(&files, &[]);
    }
    for a in ["#[cfg(any(test, feature = \"x\"))] use crate::b::B;", "#[cfg(not(test))] use crate::b::B;"] {
        assert_circles(&[("lib.rs", TWO), ("a.rs", a), ("b.rs", "use crate::a::A;")], &[AB]);
    }
    let files = [("lib.rs", "#[cfg(test)] mod tests;"), ("tests.rs", "")];
    assert_eq!(read(&files).test_files, [PathBuf::from("src/tests.rs")].into());
}

/// What a module passes on counts there; what the root passes on counts as if it were used where it is from.
#[test]
fn names_that_are_passed_on() {
    let by_the_root = "mod a;\nmod b;\npub use self::b::{B as C};\npub(crate) use b::*;\n";
    for a in ["use crate::C;", "use super::C;", "use crate::D;", "fn f() { crate::D::new() }"] {
        let b = "use crate::a::A;\npub struct B;\npub struct D;";
        assert_circles(&[("lib.rs", by_the_root), ("a.rs", a), ("b.rs", b)], &[AB]);
    }
    let files =
        [("lib.rs", by_the_root), ("a.rs", "pub struct A;"), ("b.rs", "use crate::a::A;\npub struct B;")];
    assert_circles(&files, &[]);
    // By `a`, which uses `b` thereby.
    assert_circles(
        &[("lib.rs", TWO), ("a.rs", "pub(crate) use crate::b::B;"), ("b.rs", "use crate::a::A;")],
        &[AB],
    );
}

#[test]
fn the_root_is_in_a_circle_with_what_uses_an_item_of_its_own() {
    let root = "mod a;\npub struct Own;\nfn f() { a::f() }";
    assert_circles(
        &[("lib.rs", root), ("a.rs", "use crate::Own;")],
        &[
            "made_up: these modules form a circle: a, lib.rs\n    a uses lib.rs: src/a.rs:1\n    lib.rs uses a: src/lib.rs:3",
        ],
    );
    assert_circles(&[("lib.rs", "mod a;\npub struct Own;\npub use a::*;"), ("a.rs", "use crate::Own;")], &[]);
}

#[test]
fn circles_among_the_files_of_a_folder() {
    let root = ("lib.rs", "mod a;\nmod b;");
    let folder = |one: &'static str, two: &'static str| {
        let head = "mod one;\nmod two;\npub use self::one::One;\nuse two::Two;";
        read(&[
            root,
            ("a.rs", head),
            ("a/one.rs", one),
            ("a/two.rs", two),
            ("b.rs", "use crate::a::one::One;"),
        ])
    };
    let around = ["a".to_owned()];
    let told = |one, two| circles(&folder(one, two), &around);
    let circle = |text: &str| vec![format!("made_up: these modules form a circle: {text}")];
    assert_eq!(told("use super::two::Two;", "use crate::b::B;"), [""; 0]);
    assert_eq!(
        told("use super::two::Two;", "fn f() { super::One::new() }"),
        circle("one, two\n    one uses two: src/a/one.rs:1\n    two uses one: src/a/two.rs:1")
    );
    assert_eq!(
        told("use super::Two;", "use crate::a::one;"),
        circle("one, two\n    one uses two: src/a/one.rs:1\n    two uses one: src/a/two.rs:1")
    );
    assert_eq!(
        told("", "use super::other;"),
        circle("a, two\n    a uses two: src/a.rs:4\n    two uses a: src/a/two.rs:1")
    );
    assert_eq!(circles(&folder("use super::two::Two;", "use super::One;"), &[]), [""; 0], "all are of `a`");
}

const TABLE: &str = "# Contributing\n\n## Layers\n\nText.\n\n| layer | modules | |\n|---|---|---|\n\
                     | 2 | `lib.rs`, `a` | the top |\n| 1 | `b` | `c` is below |\n| 0 | `c` | |\n\n## Other\n\n| 5 | `x` | |\n";

#[test]
fn a_use_of_a_layer_above_is_named_with_its_place() {
    let layers = Layers::read(TABLE).unwrap();
    let errors = |a, b, c| {
        layers.errors(&read(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\npub use c::C;"),
            ("a.rs", a),
            ("b.rs", b),
            ("c.rs", c),
        ]))
    };
    assert_eq!(errors("use crate::{C, b::B, c::C as D};", "use super::c::C;", "pub struct C;"), [""; 0]);
    assert_eq!(
        errors(
            "",
            "use crate::{\n    c::C,\n    a::{self, A},\n};",
            "mod inner { use super::super::b::*; }\nfn f() { crate::C }"
        ),
        [
            "src/b.rs:3: `b` of layer 1 uses `crate::a` of `a`, layer 2",
            "src/b.rs:3: `b` of layer 1 uses `crate::a::A` of `a`, layer 2",
            "src/c.rs:2: `c` of layer 0 uses `crate::C` of `lib.rs`, layer 2",
            "src/c.rs:1: `c` of layer 0 uses `crate::b` of `b`, layer 1",
        ]
    );
    assert_eq!(
        errors("", "", "pub(crate) use crate::b::B;"),
        ["src/c.rs:1: `c` of layer 0 uses `crate::b::B` of `b`, layer 1"]
    );
}

#[test]
fn the_table_has_every_module_once_and_no_other() {
    let of = read(&[("lib.rs", "mod a;\nmod d;"), ("a.rs", ""), ("d.rs", "")]);
    assert_eq!(
        Layers::read(TABLE).unwrap().errors(&of),
        [
            "made_up: the module `d` is in no row of the table of layers",
            "made_up: the table of layers has `b`, and there is no such module",
            "made_up: the table of layers has `c`, and there is no such module",
        ]
    );
    let twice = Layers::read(&TABLE.replace("| 1 | `b`", "| 1 | `a`")).unwrap_err();
    assert_eq!(twice, "`a` is in the table of layers twice");
    assert!(Layers::read("## Layers\n").is_err() && Layers::read("# None\n").is_err());
}

#[test]
fn functions_have_as_many_lines_as_they_are_read_with() {
    let source = "fn one() {}\n/// Not this.\n#[inline]\nfn four(\n    of: u8,\n) {\n}\nstruct S;\n\
                  impl S {\n    fn two(&self) {\n    }\n    #[cfg(test)]\n    fn none() {}\n}\n\
                  trait T {\n    fn none();\n    fn three() {\n\n    }\n}\n";
    let of = read(&[("lib.rs", source)]);
    let function = |name: &str, line, lines| Function { name: name.to_owned(), line, lines };
    let expected =
        [function("one", 1, 1), function("four", 4, 4), function("two", 10, 2), function("three", 17, 3)];
    assert_eq!(of.modules.values().next().unwrap().functions, expected);
}

#[test]
fn files_are_found_as_the_compiler_finds_them() {
    let of = read(&[
        ("lib.rs", "#[path = \"other.rs\"] mod named;\nmod folder;\nmod inline { mod below; }"),
        ("other.rs", "mod child;"),
        ("other/child.rs", ""),
        ("folder/mod.rs", "mod child;"),
        ("folder/child.rs", ""),
        ("inline/below.rs", ""),
    ]);
    let names: Vec<String> = of.modules.keys().map(|path| path.join("::")).collect();
    assert_eq!(names, ["", "folder", "folder::child", "inline", "inline::below", "named", "named::child"]);
}
