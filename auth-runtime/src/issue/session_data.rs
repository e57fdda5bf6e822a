//! The values that the application keeps with a session: how they are written and read, and how much they may be.

use std::any::type_name;
use std::error::Error;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ConfigErrors;
use crate::rejection::{Rejection, RejectionKind};
use crate::store::{StoreError, StoredSessionData};

/// How much a session may have by default, in bytes.
pub(super) const DEFAULT_MAX_SESSION_DATA: usize = 4 * 1024;

/// How much a service may allow, in bytes: each refresh reads and writes it.
const LARGEST_MAX_SESSION_DATA: usize = 64 * 1024;

/// A value that [`SessionData`](crate::session::SessionData) keeps with a session, such as a cart, or the step of a form of several pages.
///
/// A session has one value of each name. Each is written by itself: what changes the cart can't lose the theme, and neither can an instance of
/// another version that does not know it.
///
/// ```
/// use auth_runtime::session::SessionValue;
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Cart {
///     items: Vec<String>,
///     #[serde(default)] // it came later: the carts from before do not have it
///     voucher: Option<String>,
/// }
///
/// impl SessionValue for Cart {
///     const NAME: &str = "cart";
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value of a session",
    label = "`SessionValue` is not implemented",
    note = "derive `Serialize` and `Deserialize`, and write `impl SessionValue for .. {{ const NAME: &str = \"..\"; }}` for a type of yours"
)]
pub trait SessionValue: Serialize + DeserializeOwned + Send + Sync {
    /// The name of the value in the store. Give each type a name of its own, and a new one to a type that can't read what was written before.
    const NAME: &'static str;
}

/// Why the data of a session can't be read or changed. In a handler, a check or an extractor, `?` makes a [`Rejection`] of it.
///
/// Its text is for the log. It names values and types, and never what is in a value.
///
/// | error | answer |
/// |---|---|
/// | `Store` | 503 |
/// | `Ended` | 401 `invalid_token` |
/// | `NoSession` | 403 |
/// | `TooLarge`, `Unreadable`, `Unwritable` | 500 |
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionDataError {
    /// The store failed. The same call may succeed later. A change may have been made, and whole.
    Store(StoreError),
    /// The session has ended: nothing is read and nothing is written. The user must log in again.
    Ended,
    /// The caller has no session of this service: its credential is an API key, a token of another issuer, or an access token that was
    /// issued alone.
    NoSession,
    /// The change would make it too much for a session. Nothing was changed.
    TooLarge {
        /// How many bytes it would have, names and values.
        bytes: usize,
        /// How many it may have: [`TokenIssuer::max_session_data`](crate::session::TokenIssuer::max_session_data).
        max: usize,
    },
    /// What was written under this name can't be read as this type: another version of the service may have written it. Nothing was
    /// changed, and [`set`](crate::session::SessionData::set) and [`remove`](crate::session::SessionData::remove) work.
    Unreadable {
        /// [`SessionValue::NAME`].
        name: &'static str,
        /// The type.
        wanted: &'static str,
        /// Where it differs.
        place: String,
    },
    /// The value can't be written as JSON. Nothing was changed.
    Unwritable {
        /// [`SessionValue::NAME`].
        name: &'static str,
        /// What its `Serialize` says.
        cause: String,
    },
}

impl SessionDataError {
    /// The kind of rejection that it is answered with; it has a [status](RejectionKind::status).
    #[must_use]
    pub fn rejection_kind(&self) -> RejectionKind {
        match self {
            Self::Store(_) => RejectionKind::Unavailable,
            Self::Ended => RejectionKind::InvalidToken,
            Self::NoSession => RejectionKind::InsufficientScope,
            Self::TooLarge { .. } | Self::Unreadable { .. } | Self::Unwritable { .. } => {
                RejectionKind::Misconfigured
            }
        }
    }
}

impl fmt::Display for SessionDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the store of the session's data failed: {error}"),
            Self::Ended => f.write_str("the session has ended, and its data with it"),
            Self::NoSession => f.write_str(
                "the caller has no session of this service, so it has no session data: an API key, a token of another issuer and an access \
                 token that was issued alone have none. If such callers may call this, take `Option<SessionData>`",
            ),
            Self::TooLarge { bytes, max } => write!(
                f,
                "the data of the session would have {bytes} bytes, and {max} is the maximum: store an id in the session and the rest in \
                 your database, or raise `TokenIssuer::max_session_data`"
            ),
            Self::Unreadable { name, wanted, place } => write!(
                f,
                "the value `{name}` of the session can't be read as `{wanted}` ({place}): another version of the service may have written \
                 it. Give new fields `#[serde(default)]`, or give the type another `SessionValue::NAME`"
            ),
            Self::Unwritable { name, cause } => {
                write!(f, "the value `{name}` of the session can't be written as JSON: {cause}")
            }
        }
    }
}

impl Error for SessionDataError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for SessionDataError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<SessionDataError> for Rejection {
    fn from(error: SessionDataError) -> Self {
        Self::because(error.rejection_kind(), error.to_string())
    }
}

/// A value that can't be written, until the login that it is for.
#[derive(Clone, Debug)]
pub(crate) struct UnwritableValue {
    name: &'static str,
    cause: String,
}

impl From<UnwritableValue> for SessionDataError {
    fn from(UnwritableValue { name, cause }: UnwritableValue) -> Self {
        Self::Unwritable { name, cause }
    }
}

/// Sets the value of a type; `None` removes it.
pub(crate) fn write_value<T: SessionValue>(
    data: &mut StoredSessionData,
    value: Option<&T>,
) -> Result<(), UnwritableValue> {
    let text = value.map(serde_json::to_string).transpose();
    let text = text.map_err(|error| UnwritableValue { name: T::NAME, cause: error.to_string() })?;
    data.set(T::NAME, text);
    Ok(())
}

/// Returns the value of a type; `None` if there is none.
pub(crate) fn read_value<T: SessionValue>(data: &StoredSessionData) -> Result<Option<T>, SessionDataError> {
    let read = data.get(T::NAME).map(serde_json::from_str).transpose();
    read.map_err(|error: serde_json::Error| SessionDataError::Unreadable {
        name: T::NAME,
        wanted: type_name::<T>(),
        place: place_of(&error),
    })
}

/// Where a value differs from its type. The text of serde's error quotes what it found, unless a field is missing.
fn place_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") {
        return text;
    }
    format!("another type at line {} column {}", error.line(), error.column())
}

/// A change that makes it less is allowed also where it is still too much: the maximum may have been lowered.
///
/// # Errors
/// [`SessionDataError::TooLarge`].
pub(crate) fn check_size(
    before: &StoredSessionData,
    after: &StoredSessionData,
    max: usize,
) -> Result<(), SessionDataError> {
    let bytes = after.bytes();
    if bytes > max && bytes > before.bytes() {
        return Err(SessionDataError::TooLarge { bytes, max });
    }
    Ok(())
}

/// Adds an error if a service allows too much.
pub(super) fn check_max(max: usize, errors: &mut ConfigErrors) {
    if max > LARGEST_MAX_SESSION_DATA {
        errors.push(format!(
            "`max_session_data` is {max} bytes, and must be {LARGEST_MAX_SESSION_DATA} at most: each refresh reads and writes the data of its \
             session. Store an id in the session and the rest in your database"
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::error::Error as _;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Cart {
        items: Vec<u8>,
    }

    impl SessionValue for Cart {
        const NAME: &'static str = "cart";
    }

    /// A later version of it.
    #[derive(Debug, Serialize, Deserialize)]
    struct LaterCart {
        items: Vec<u8>,
        voucher: String,
    }

    impl SessionValue for LaterCart {
        const NAME: &'static str = "cart";
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Points(BTreeMap<(u8, u8), u8>);

    impl SessionValue for Points {
        const NAME: &'static str = "points";
    }

    fn with(name: &str, text: &str) -> StoredSessionData {
        let mut data = StoredSessionData::default();
        data.set(name, Some(text.into()));
        data
    }

    #[test]
    fn each_value_is_written_and_removed_by_itself() {
        let mut data = with("theme", "\"dark\"");
        write_value(&mut data, Some(&Cart { items: vec![1, 2] })).unwrap();
        assert_eq!(read_value(&data).unwrap(), Some(Cart { items: vec![1, 2] }));
        write_value::<Cart>(&mut data, None).unwrap();
        assert_eq!(read_value::<Cart>(&data).unwrap(), None);
        assert_eq!(data, with("theme", "\"dark\""));
    }

    #[test]
    fn an_error_names_the_value_and_the_type_and_quotes_nothing() {
        for (text, place) in [
            (r#"{"items":"hunter2"}"#, "another type at line 1 column 18"),
            (r#"{"items":[1,2,"hunter2"]}"#, "another type at line 1 column 23"),
            (r#""hunter2""#, "another type at line 1 column 9"),
            (r#"{"hunter2":1}"#, "missing field `items` at line 1 column 13"),
        ] {
            let error = read_value::<Cart>(&with("cart", text)).unwrap_err();
            let (shown, debugged) = (error.to_string(), format!("{error:?}"));
            assert!(shown.contains(place) && shown.contains("`cart`"), "{shown}");
            assert!(shown.contains(type_name::<Cart>()), "{shown}");
            assert!(!shown.contains("hunter2") && !debugged.contains("hunter2"), "{shown} {debugged}");
            assert!(error.source().is_none());
        }
        let error = read_value::<LaterCart>(&with("cart", r#"{"items":[]}"#)).unwrap_err().to_string();
        assert!(error.contains("missing field `voucher`") && error.contains("#[serde(default)]"), "{error}");
    }

    #[test]
    fn a_value_that_is_no_json_is_an_error_and_changes_nothing() {
        let mut data = with("points", "1");
        let points = Points(BTreeMap::from([((1, 2), 3)]));
        let error = SessionDataError::from(write_value(&mut data, Some(&points)).unwrap_err());
        assert!(error.to_string().contains("`points`") && error.to_string().contains("key must be a string"));
        assert_eq!(data, with("points", "1"));
    }

    #[test]
    fn more_than_the_maximum_is_refused_and_less_than_before_is_not() {
        let sized = |bytes: usize| with("", &"x".repeat(bytes));
        let refused = |before, after, max| check_size(&sized(before), &sized(after), max).is_err();
        assert!(!refused(0, 10, 10));
        assert!(refused(0, 11, 10));
        assert!(refused(10, 11, 10));
        assert!(refused(0, 1, 0));
        // The maximum was lowered.
        assert!(!refused(20, 19, 10));
        assert!(!refused(20, 20, 10));
        assert!(refused(20, 21, 10));
        let error = check_size(&sized(0), &sized(11), 10).unwrap_err().to_string();
        assert!(error.contains("11 bytes") && error.contains("10 is the maximum"), "{error}");
        assert!(error.contains("max_session_data"), "{error}");
    }

    #[test]
    fn each_error_has_its_answer() {
        let answers = [
            (StoreError::new("the disk is full").into(), 503),
            (SessionDataError::Ended, 401),
            (SessionDataError::NoSession, 403),
            (SessionDataError::TooLarge { bytes: 2, max: 1 }, 500),
        ];
        for (error, status) in answers {
            let text = error.to_string();
            let mut rejection = Rejection::from(error);
            assert_eq!(rejection.status(), status, "{text}");
            assert_eq!(rejection.take_reason().as_deref(), Some(&*text));
        }
    }
}
