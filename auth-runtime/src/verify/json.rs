//! JSON as RFC 8725 §2.4 and RFC 7515 §4 want it read: one object, no name twice at any depth, bounded depth.
//!
//! Two readers that disagree on a duplicate name disagree on who the caller is.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Objects and lists inside each other, the outermost counted as one.
const MAX_DEPTH: usize = 16;

/// Reads one JSON object.
pub(super) fn strict_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut shape = serde_json::Deserializer::from_slice(bytes);
    Shape { depth: 0 }.deserialize(&mut shape).ok()?;
    shape.end().ok()?;
    // Read a second time by `Value` itself: what it makes of a number depends on the features of `serde_json` that
    // the user's tree turns on, and a visitor of our own would have to follow them.
    match serde_json::from_slice(bytes).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

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
    use super::strict_object;

    #[test]
    fn reads_objects() {
        for good in [r#"{}"#, r#" {"a":1,"b":[{"a":1.5e3},null,true,"x"]} "#, r#"{"a":-1}"#] {
            assert!(strict_object(good.as_bytes()).is_some(), "{good}");
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
            &deep,
        ] {
            assert!(strict_object(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(strict_object(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn takes_sixteen_levels() {
        let deep = format!("{}1{}", "{\"a\":".repeat(16), "}".repeat(16));
        assert!(strict_object(deep.as_bytes()).is_some());
    }
}
