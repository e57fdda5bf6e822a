//! The reader by itself. `verify/tests/reader.rs` compares it with another one.

use std::hash::{BuildHasher, Hasher};

use super::{Document, Known, scan};

/// Parses a whole object, as the claims of a token are.
fn members(bytes: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    Some(Document::read(bytes.to_vec())?.root().to_map())
}

#[test]
fn reads_objects() {
    for valid in [r#"{}"#, r#" {"a":1,"b":[{"a":1.5},null,true,"x"]} "#, r#"{"a":-1}"#] {
        assert!(members(valid.as_bytes()).is_some(), "{valid}");
        let again: serde_json::Map<String, serde_json::Value> = serde_json::from_str(valid).unwrap();
        assert_eq!(members(valid.as_bytes()), Some(again));
    }
}

#[test]
fn rejects_what_two_parsers_could_read_differently() {
    let deep = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
    for bad in [
        "",
        "null",
        "[]",
        "1",
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":[{"b":1,"b":2}]}"#,
        r#"{"a":1}{"#,
        r#"{"a":1} x"#,
        r#"{"a":NaN}"#,
        r#"{'a':1}"#,
        "{\"a\":\"\n\"}",
        r#"{"a":"\ud800"}"#,
        r#"{"a":["\ud800"]}"#,
        r#"{"\ud800":1}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":1e999}"#,
        r#"{"a":01}"#,
        r#"{"a":tru}"#,
        // Names that mean something to `serde_json::Value`, also with escapes.
        r#"{"a":{"$serde_json::private::RawValue":1}}"#,
        r#"{"a":{"$serde_json::private::RawValue":"[\"admin\"]"}}"#,
        r#"{"a":[{"\u0024serde_json::private::RawValue":"{}"}]}"#,
        r#"{"a":{"$serde_json::private::Number":"x"}}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
        &deep,
    ] {
        assert!(members(bad.as_bytes()).is_none(), "{bad}");
    }
    assert!(members(b"{\"a\":\"\xff\"}").is_none());
}

#[test]
fn accepts_at_most_256_members() {
    let object = |count: usize| {
        let members: Vec<_> = (0..count).map(|index| format!("\"{index}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(members(object(256).as_bytes()).map(|members| members.len()), Some(256));
    assert!(members(object(257).as_bytes()).is_none());
}

#[test]
fn accepts_sixteen_levels() {
    let deep = format!("{}1{}", "{\"a\":".repeat(16), "}".repeat(16));
    assert!(members(deep.as_bytes()).is_some());
}

/// A hasher that somebody has guessed completely.
#[derive(Clone, Copy)]
struct Constant(u64);

impl BuildHasher for Constant {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Constant {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}
}

#[test]
fn names_of_one_hash_are_neither_one_name_nor_missed() {
    for hash in [0, 7, u64::MAX] {
        for count in [1, 2, 8, 9, 100, 256] {
            let members: Vec<_> = (0..count).map(|index| format!(r#""{index}":{index}"#)).collect();
            let text = format!("{{{}}}", members.join(","));
            let document = scan::read_hashed_by(&text, Constant(hash)).unwrap();
            assert_eq!(document.root().to_map().len(), count, "{count}");
            for again in ["0", r"\u0030"].into_iter().chain((count > 1).then_some("1")) {
                let text = format!(r#"{{{},"{again}":0}}"#, members[..count.min(255)].join(","));
                assert!(scan::read_hashed_by(&text, Constant(hash)).is_none(), "{text}");
                let nested = format!(r#"{{"a":{{"b":{text}}}}}"#);
                assert!(scan::read_hashed_by(&nested, Constant(hash)).is_none(), "{nested}");
            }
        }
    }
}

#[test]
fn known_names_are_found_with_every_hash_and_at_the_outermost_level_alone() {
    let all: Vec<_> = Known::all().collect();
    let members = |value: &str| {
        let members: Vec<_> = all.iter().map(|(_, name)| format!(r#""{name}":"{value}{name}""#)).collect();
        members.join(",")
    };
    let text = format!(r#"{{"x":{{{}}},{},"y":[{{{}}}]}}"#, members("in "), members("of "), members("in "));
    let documents = [
        Document::read(text.clone().into_bytes()),
        scan::read_hashed_by(&text, Constant(0)),
        scan::read_hashed_by(&text, Constant(127)),
    ];
    for document in documents.map(Option::unwrap) {
        for (known, name) in &all {
            assert_eq!(Known::of(name), Some(*known));
            assert_eq!(document.known(*known).and_then(|value| value.as_str()), Some(&*format!("of {name}")));
        }
    }
    let none = Document::read(format!(r#"{{"x":{{{}}}}}"#, members("in ")).into_bytes()).unwrap();
    assert!(all.iter().all(|(known, _)| none.known(*known).is_none()));
    assert_eq!(Known::of("x"), None);
}

#[test]
fn strings_end_where_they_end() {
    for length in 0..40 {
        for plain in ["a", "é", "\u{7f}", "\u{20ac}", "!", "#", "[", "]"] {
            let inside = plain.repeat(length);
            let read = |text: &str| Document::read(format!(r#"{{"{text}":"{text}"}}"#).into_bytes());
            let value = read(&inside)
                .unwrap()
                .root()
                .get(&inside)
                .and_then(|value| value.as_str().map(str::to_owned));
            assert_eq!(value.as_deref(), Some(&*inside));
            for control in ['\0', '\u{1f}', '\n'] {
                assert!(read(&format!("{inside}{control}")).is_none(), "{inside:?} {control:?}");
                assert!(read(&format!("{control}{inside}")).is_none(), "{control:?} {inside:?}");
            }
            let escaped = read(&format!(r#"{inside}\"{inside}\n"#)).unwrap();
            let (name, value) = escaped.root().named_members().next().unwrap();
            assert_eq!((name, value.as_str()), (&*format!("{inside}\"{inside}\n"), Some(name)));
        }
    }
}

#[test]
fn every_escape_is_read_as_serde_json_reads_it() {
    let tails =
        ["", "\\", "\\u", "\\udc00", "\\uDFFF", "\\udbff", "\\u0041", "\\n", "x", "\\udc0", "\\xdc00"];
    let starts = [
        "\\ud800", "\\uDBFF", "\\udc00", "\\u0000", "\\u00e9", "\\u12", "\\u12g4", "\\u+123", "\\uFFFF",
        "\\", "\\'",
    ];
    let single = (0..128_u8).map(|byte| format!("\\{}", char::from(byte)));
    let pairs = starts.iter().flat_map(|start| tails.iter().map(move |tail| format!("{start}{tail}")));
    for inside in single.chain(pairs) {
        let expected: Option<String> = serde_json::from_str(&format!(r#""{inside}""#)).ok();
        let document = Document::read(format!(r#"{{"a":"{inside}"}}"#).into_bytes());
        let found = document.as_ref().and_then(|document| document.root().get("a")?.as_str());
        assert_eq!(found, expected.as_deref(), "{inside}");
    }
}

#[test]
fn numbers_are_read_as_serde_json_reads_them() {
    let long = "9".repeat(400);
    for number in [
        "0",
        "-0",
        "-",
        "00",
        "01",
        "-01",
        "1.",
        ".1",
        "1.5",
        "-1.50",
        "1e5",
        "1E+5",
        "1e-5",
        "1e",
        "1e+",
        "0e999",
        "1e308",
        "1e309",
        "-1e309",
        "1e-999",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "+1",
        "1_0",
        "0x1",
        "Infinity",
        "NaN",
        &long,
        &format!("0.{long}"),
        &format!("{long}.5"),
        &long[..300],
        &long[..308],
    ] {
        let text = format!(r#"{{"a":{number}}}"#);
        let expected: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let found = Document::read(text.clone().into_bytes()).map(|document| document.root().to_value());
        assert_eq!(found, expected, "{text}");
    }
}
