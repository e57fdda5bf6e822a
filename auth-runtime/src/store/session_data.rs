//! What the application keeps with a session, as a store has it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What the application keeps with a session: [`SessionData`](crate::session::SessionData). A store of your own writes it as serde does, with the rest
/// of the row or in a column of its own, and does not look into it.
///
/// `Debug` shows how much it is, and nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredSessionData(
    /// JSON texts by the names of the values. As texts they come back to the byte: a refresh does not read and write numbers anew.
    BTreeMap<String, String>,
);

impl StoredSessionData {
    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the length of the names and the values, in bytes: what
    /// [`max_session_data`](crate::session::TokenIssuer::max_session_data) bounds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets the value of this name; `None` removes it.
    pub(crate) fn set(&mut self, name: &str, value: Option<String>) {
        match value {
            Some(value) => drop(self.0.insert(name.to_owned(), value)),
            None => drop(self.0.remove(name)),
        }
    }
}

/// Without the values, which are personal data.
impl fmt::Debug for StoredSessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSessionData")
            .field("values", &self.0.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::StoredSessionData;
    use crate::store::RefreshTokenFamily;

    /// A row of before there was such data.
    const ROW: &str = r#"{"id":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,7],"issuer":"i","subject":"s","key_id":"k","generation":1,
        "started_at":1,"rotated_at":2,"expires_at":3,"acr":null}"#;

    #[test]
    fn a_row_of_before_is_read_and_data_come_back_as_they_were() {
        let mut family: RefreshTokenFamily = serde_json::from_str(ROW).unwrap();
        assert!(family.data.is_empty());
        // The field is written also where there are none: a format that does not name its fields needs each.
        assert!(serde_json::to_string(&family).unwrap().ends_with(r#","data":{}}"#));

        // Numbers that a reader of JSON would round, and that would not come back as they are.
        let long = "9".repeat(40);
        for text in ["0.1234567890123456789", &long, "\"\\u0000 \\\"é🦀\"", "null"] {
            family.data.set("n", Some(text.into()));
            let written = serde_json::to_string(&family).unwrap();
            let read: RefreshTokenFamily = serde_json::from_str(&written).unwrap();
            assert_eq!((read.data.get("n"), &read), (Some(text), &family));
        }
    }

    #[test]
    fn it_is_as_long_as_its_names_and_values() {
        let mut data = StoredSessionData::default();
        assert_eq!((data.bytes(), data.is_empty()), (0, true));
        data.set("é", Some("12".into()));
        data.set("b", Some("345".into()));
        assert_eq!((data.bytes(), data.is_empty()), (8, false));
        data.set("b", Some("3".into()));
        data.set("é", None);
        data.set("missing", None);
        assert_eq!(data.bytes(), 2);
    }

    #[test]
    fn no_value_is_shown() {
        let mut family: RefreshTokenFamily = serde_json::from_str(ROW).unwrap();
        family.data.set("wizard", Some("\"hunter2\"".into()));
        let shown = format!("{family:?} {family:#?}");
        assert!(shown.contains("StoredSessionData") && shown.contains("bytes: 15"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("wizard"), "{shown}");
    }
}
