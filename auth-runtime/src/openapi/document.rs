//! The document, and the order in which its fields are printed.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// An OpenAPI document, as [`OpenApi::describe`](super::OpenApi::describe) makes it.
///
/// To change it, or to read parts of it, take [`to_value`](Self::to_value).
#[derive(Clone, Debug)]
pub struct Document(Value);

impl Document {
    pub(super) fn new(document: Value) -> Self {
        Self(document)
    }

    /// The document as pretty-printed JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&Ordered(&self.0)).unwrap_or_default()
    }

    /// The document as YAML 1.2. A YAML 1.1 parser reads the same values.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(&Ordered(&self.0)).unwrap_or_default()
    }

    /// The document as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.clone()
    }
}

/// Fields in the order in which a person reads them. Fields that are not listed follow, by name.
const ORDER: [&str; 22] = [
    "openapi",
    "info",
    "servers",
    "paths",
    "components",
    "securitySchemes",
    "operationId",
    "type",
    "title",
    "version",
    "name",
    "in",
    "summary",
    "description",
    "required",
    "parameters",
    "security",
    "responses",
    "x-auth-policy",
    "access",
    "sources",
    "headers",
];

/// A value whose fields are written in [`ORDER`]: the same text, whichever map another crate makes `serde_json` use.
struct Ordered<'v>(&'v Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(key, _)| {
                    let place = ORDER.iter().position(|known| known == key);
                    (place.unwrap_or(ORDER.len()), *key)
                });
                serializer.collect_map(fields.into_iter().map(|(key, value)| (key, Ordered(value))))
            }
            Value::Array(values) => serializer.collect_seq(values.iter().map(Ordered)),
            value => value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Document;

    #[test]
    fn fields_are_printed_in_the_order_in_which_a_person_reads_them() {
        let document = Document::new(json!({
            "components": {},
            "paths": { "/a": { "get": { "tags": [], "responses": { "default": {}, "2XX": {} }, "operationId": "a" } } },
            "openapi": "3.1.1",
        }));
        assert_eq!(
            document.to_yaml(),
            "openapi: \"3.1.1\"\npaths:\n  /a:\n    get:\n      operationId: a\n      responses:\n        2XX: {}\n        \
             default: {}\n      tags: []\ncomponents: {}\n"
        );
        let places = ["openapi", "paths", "operationId", "tags", "components"].map(|key| {
            let json = document.to_json();
            json.find(&format!("\"{key}\"")).unwrap_or_else(|| panic!("{key} is missing in {json}"))
        });
        assert!(places.is_sorted(), "{places:?}");
    }
}
