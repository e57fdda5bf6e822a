//! The former reader of JSON, as it was.
//!
//! A strict JSON parser (RFC 8725 §2.4, RFC 7515 §4): one object, no duplicate name at any depth, bounded depth.
//!
//! Two parsers that treat a duplicate name differently can disagree on who the caller is, so this is the only one. It finds the
//! members of an object and the elements of a list as text. `serde_json` never parses a whole `Value`: an object whose first name
//! is `$serde_json::private::RawValue` has a special meaning to it, and how it represents a number depends on features that other
//! crates enable.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// The maximum nesting depth. The outermost object counts as 1.
const MAX_DEPTH: usize = 16;

/// The maximum number of members of one object. It is bounded because each name is compared with all earlier ones.
const MAX_MEMBERS: usize = 256;

/// The prefix of names that have a special meaning to `serde_json`.
const RESERVED: &str = "$serde_json::private::";

/// A member of an object: its name, and its value as unparsed text.
pub(super) type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// Returns the members of one JSON object in their order. Their values are not parsed.
pub(super) fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    members_of(std::str::from_utf8(bytes).ok()?)
}

fn members_of(text: &str) -> Option<Vec<Member<'_>>> {
    let Members(members) = serde_json::from_str(text).ok()?;
    Some(members)
}

/// Returns whether a member of the outermost object can be parsed later without an error. Each member that is not parsed at once must
/// be checked: `serde_json` finds the end of `1e999`, `"\ud800"` and `{"a":1,"a":2}`, and that is all.
pub(super) fn is_valid(raw: &RawValue) -> bool {
    is_plain(raw) || value(raw).is_some()
}

/// Returns whether it is a literal, a whole number of at most 15 digits, or a string without escapes: these are always valid.
fn is_plain(raw: &RawValue) -> bool {
    let text = raw.get();
    match text.as_bytes() {
        [b'"', ..] => !text.contains('\\'),
        [b't' | b'f' | b'n', ..] => true,
        digits => digits.len() <= 15 && digits.iter().all(u8::is_ascii_digit),
    }
}

/// Parses a member of the outermost object.
pub(super) fn value(raw: &RawValue) -> Option<Value> {
    value_at(raw, 1)
}

/// Parses a value at this depth.
fn value_at(raw: &RawValue, depth: usize) -> Option<Value> {
    let text = raw.get();
    let inside = depth + 1;
    Some(match text.as_bytes().first()? {
        b'{' if inside <= MAX_DEPTH => {
            let mut object = Map::new();
            for (name, raw) in members_of(text)? {
                object.insert(name.into_owned(), value_at(raw, inside)?);
            }
            Value::Object(object)
        }
        b'[' if inside <= MAX_DEPTH => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Value::Array(elements.into_iter().map(|raw| value_at(raw, inside)).collect::<Option<_>>()?)
        }
        b'{' | b'[' => return None,
        b'"' => Value::String(string(raw)?.into_owned()),
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'n' => Value::Null,
        _ => Value::Number(number(raw)?),
    })
}

/// Parses a string. It is borrowed unless it has escapes.
pub(super) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inside = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { parsed(raw).map(Cow::Owned) } else { Some(Cow::Borrowed(inside)) }
}

/// Returns the text of an integer without fraction and exponent, of any size. A number type would round a large one.
pub(super) fn integer(raw: &RawValue) -> Option<&str> {
    let text = raw.get();
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Returns the value at a path of names through objects.
pub(super) fn at<'a>(raw: &'a RawValue, path: &[Box<str>]) -> Option<&'a RawValue> {
    path.iter().try_fold(raw, |raw, name| {
        members_of(raw.get())?.into_iter().find_map(|(member, raw)| (*member == **name).then_some(raw))
    })
}

fn number(raw: &RawValue) -> Option<Number> {
    parsed::<u64>(raw)
        .map(Number::from)
        .or_else(|| parsed::<i64>(raw).map(Number::from))
        .or_else(|| parsed::<f64>(raw).and_then(Number::from_f64))
}

/// Parses a string or a number as a Rust type. `serde_json` has only one interpretation of these.
pub(super) fn parsed<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<Member<'de>> = Vec::with_capacity(16);
                while let Some(Name(name)) = object.next_key()? {
                    let raw: &'de RawValue = object.next_value()?;
                    if members.iter().any(|(earlier, _)| *earlier == name) {
                        return Err(de::Error::custom("a name appears twice"));
                    }
                    if members.len() == MAX_MEMBERS || name.starts_with(RESERVED) {
                        return Err(de::Error::custom("too many members, or a reserved name"));
                    }
                    members.push((name, raw));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A name, borrowed unless it has escapes. serde deserializes a plain `Cow` as owned.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    /// Parses a whole object, as the claims of a token are.
    fn members(bytes: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
        let members = super::members(bytes)?;
        members.into_iter().map(|(name, raw)| Some((name.into_owned(), super::value(raw)?))).collect()
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
}
