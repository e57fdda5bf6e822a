//! Whether a user wants to be remembered, as JSON or as a form sends it.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// `true` for `true` and 1, and for the texts of a checkbox that is ticked. `false` for every other text or number, and for `null`:
/// in doubt the user is not remembered.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_any(Remember)
}

struct Remember;

impl Visitor<'_> for Remember {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false` or the value of a checkbox")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        Ok(matches!(text, "on" | "true" | "1"))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
        Ok(number == 1)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::session::routes::PasswordCredentials;

    #[test]
    fn in_doubt_a_user_is_not_remembered() {
        let remembered =
            |text: &str| serde_json::from_str::<PasswordCredentials>(text).map(|sent| sent.remember);
        let with = |remember: Value| {
            remembered(&json!({ "username": "a", "password": "b", "remember": remember }).to_string())
        };
        for (value, expected) in [
            (json!(true), true),
            (json!("on"), true),
            (json!("true"), true),
            (json!("1"), true),
            (json!(false), false),
            (json!("off"), false),
            (json!("false"), false),
            (json!(""), false),
            (json!(1), true),
            (json!(0), false),
            (json!(-1), false),
            (json!(null), false),
        ] {
            assert_eq!(with(value.clone()).unwrap(), expected, "{value}");
        }
        assert!(!remembered(r#"{"username":"a","password":"b"}"#).unwrap());
        assert!(with(json!({})).is_err() && with(json!([])).is_err());
    }
}
