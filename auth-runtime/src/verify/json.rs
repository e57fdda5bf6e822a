//! JSON as RFC 8725 §2.4 and RFC 7515 §4 want it read: one object, no name twice at any depth, bounded depth.
//!
//! Two readers that disagree on a duplicate name disagree on who the caller is.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Objects and lists inside each other, the outermost counted as one.
const MAX_DEPTH: usize = 16;

/// Members of the outermost object. Each is compared with the earlier ones, so their number is bounded.
const MAX_MEMBERS: usize = 256;

/// The members of one JSON object, in their order, each with the text of its value.
pub(super) fn members(bytes: &[u8]) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    let Members(members) = serde_json::from_str(std::str::from_utf8(bytes).ok()?).ok()?;
    Some(members)
}

/// Strict at the top level by itself, and below it by [`Shape`].
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Top;

        impl<'de> Visitor<'de> for Top {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(16);
                while let Some(Name(name)) = object.next_key()? {
                    let raw: &'de RawValue = object.next_value()?;
                    if members.iter().any(|(earlier, _)| *earlier == name) || members.len() == MAX_MEMBERS {
                        return Err(de::Error::custom("a name stands twice, or there are too many"));
                    }
                    if !is_plain(raw) {
                        let mut inside = serde_json::Deserializer::from_str(raw.get());
                        Shape { depth: 1 }.deserialize(&mut inside).map_err(de::Error::custom)?;
                    }
                    members.push((name, raw));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Top)
    }
}

/// A literal, a whole number of common size or a string without escapes: finding its end has shown that it is well-formed. Of
/// anything else only reading it shows that it can be read again when it is asked for: `1e999` and `"\ud800"` can't.
fn is_plain(raw: &RawValue) -> bool {
    let text = raw.get();
    match text.as_bytes() {
        [b'"', ..] => !text.contains('\\'),
        [b't' | b'f' | b'n', ..] => true,
        digits => digits.len() <= 15 && digits.iter().all(u8::is_ascii_digit),
    }
}

/// A name, borrowed where it has no escapes. `Cow` by itself is always owned.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Looks at names and depth, keeps nothing.
#[derive(Clone, Copy)]
struct Shape {
    depth: usize,
}

impl Shape {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH { Err(E::custom("too deep")) } else { Ok(Self { depth }) }
    }
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            object.next_value_seed(inner)?;
            if !names.insert(name) {
                return Err(de::Error::custom("a name stands twice"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn reads_objects() {
        for good in [r#"{}"#, r#" {"a":1,"b":[{"a":1.5e3},null,true,"x"]} "#, r#"{"a":-1}"#] {
            assert!(members(good.as_bytes()).is_some(), "{good}");
            assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(good).is_ok());
        }
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
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
            &deep,
        ] {
            assert!(members(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(members(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn takes_as_many_members_as_anybody_needs() {
        let object = |count: usize| {
            let members: Vec<_> = (0..count).map(|index| format!("\"{index}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(members(object(256).as_bytes()).map(|members| members.len()), Some(256));
        assert!(members(object(257).as_bytes()).is_none());
    }

    #[test]
    fn takes_sixteen_levels() {
        let deep = format!("{}1{}", "{\"a\":".repeat(16), "}".repeat(16));
        assert!(members(deep.as_bytes()).is_some());
    }
}
