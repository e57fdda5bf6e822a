//! Whether a user wants to be remembered, as JSON or as a form sends it.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::PasswordCredentials;

impl<'de> Deserialize<'de> for PasswordCredentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CredentialsVisitor)
    }
}

struct CredentialsVisitor;

impl<'de> Visitor<'de> for CredentialsVisitor {
    type Value = PasswordCredentials;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`username` and `password`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut fields: M) -> Result<PasswordCredentials, M::Error> {
        let (mut username, mut password, mut remember) = (None, None, false);
        while let Some(name) = fields.next_key::<String>()? {
            match &*name {
                "username" if username.is_none() => username = Some(fields.next_value()?),
                "username" => return Err(M::Error::duplicate_field("username")),
                "password" if password.is_none() => password = Some(fields.next_value()?),
                "password" => return Err(M::Error::duplicate_field("password")),
                "remember" => remember |= fields.next_value::<Remember>()?.0,
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(PasswordCredentials {
            username: username.ok_or_else(|| M::Error::missing_field("username"))?,
            password: password.ok_or_else(|| M::Error::missing_field("password"))?,
            remember,
        })
    }
}

/// `true` for `true` and 1, and for the texts of a checkbox that is ticked. `false` for every other text or number, and for `null`:
/// in doubt the user is not remembered.
struct Remember(bool);

impl<'de> Deserialize<'de> for Remember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RememberVisitor).map(Self)
    }
}

struct RememberVisitor;

impl Visitor<'_> for RememberVisitor {
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

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
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

    #[test]
    fn a_form_may_have_a_hidden_field_beside_the_box() {
        let sent = |form: &str| {
            let fields = form_urlencoded::parse(form.as_bytes()).into_owned();
            let fields = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(fields);
            PasswordCredentials::deserialize(fields).map(|sent| (sent.username, sent.password, sent.remember))
        };
        let alice = |remember| Ok(("alice".to_owned(), "secret".to_owned(), remember));
        for (rest, remember) in [
            ("", false),
            ("&remember=0", false),
            ("&remember=0&remember=1", true),
            ("&remember=true&remember=false", true),
            ("&next=%2F&remember=on", true),
        ] {
            assert_eq!(sent(&format!("username=alice&password=secret{rest}")), alice(remember), "{rest}");
        }
        for wrong in [
            "username=alice",
            "password=secret",
            "username=a&username=b&password=c",
            "username=a&password=b&password=c",
        ] {
            assert!(sent(wrong).is_err(), "{wrong}");
        }
    }
}
