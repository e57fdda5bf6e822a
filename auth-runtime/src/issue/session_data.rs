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
/// | `TooLarge` | 500, and a warning in the log, not an error: answer what your caller can correct, such as 422, where it adds the data |
/// | `Unreadable`, `Unwritable` | 500 |
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
        /// The type.
        value_type: &'static str,
        /// Why, if JSON is the reason. What a `Serialize` of yours says is not here, since it may quote the value.
        cause: &'static str,
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
            Self::Unwritable { name, value_type, cause } => write!(
                f,
                "the value `{name}` of the session, a `{value_type}`, can't be written as JSON: {cause}"
            ),
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
        let rejection = Self::because(error.rejection_kind(), error.to_string());
        if matches!(error, SessionDataError::TooLarge { .. }) { rejection.of_data() } else { rejection }
    }
}

/// A value that can't be written, until the login that it is for.
#[derive(Clone, Debug)]
pub(crate) struct UnwritableValue {
    name: &'static str,
    value_type: &'static str,
    cause: &'static str,
}

impl From<UnwritableValue> for SessionDataError {
    fn from(UnwritableValue { name, value_type, cause }: UnwritableValue) -> Self {
        Self::Unwritable { name, value_type, cause }
    }
}

/// Sets the value of a type; `None` removes it.
pub(crate) fn write_value<T: SessionValue>(
    data: &mut StoredSessionData,
    value: Option<&T>,
) -> Result<(), UnwritableValue> {
    data.set(T::NAME, written(value)?);
    Ok(())
}

/// Returns the text of a value, as it is stored.
fn written<T: SessionValue>(value: Option<&T>) -> Result<Option<String>, UnwritableValue> {
    let text = value.map(serde_json::to_string).transpose();
    text.map_err(|error| UnwritableValue {
        name: T::NAME,
        value_type: type_name::<T>(),
        cause: cause_of(&error),
    })
}

/// Changes the value of a type. What leaves it as it was writes nothing: the stored text may have members that this version of the type does
/// not know, and they would be lost.
pub(crate) fn update_value<T: SessionValue, R>(
    data: &mut StoredSessionData,
    change: impl FnOnce(&mut Option<T>) -> R,
) -> Result<R, SessionDataError> {
    let mut value = read_value(data)?;
    let before = written(value.as_ref()).ok();
    let returned = change(&mut value);
    let after = written(value.as_ref())?;
    if before.as_ref() != Some(&after) {
        data.set(T::NAME, after);
    }
    Ok(returned)
}

/// Why a value can't be written, in words of serde_json's own or of this library: those of another `Serialize` may quote the value.
fn cause_of(error: &serde_json::Error) -> &'static str {
    const OF_JSON: [&str; 2] = ["key must be a string", "float key must be finite (got NaN or +/-inf)"];
    let text = error.to_string();
    OF_JSON.into_iter().find(|known| *known == text).unwrap_or("its `Serialize` fails")
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
mod tests;
