//! Why an API can't be described, or a document can't be filled.

use std::error::Error;
use std::fmt;

use super::keys::POLICY;

/// Why an API can't be described, or a document can't be filled.
///
/// `Debug` prints the same text as `Display`, because `main() -> Result<(), Box<dyn Error>>` prints `Debug`.
#[non_exhaustive]
pub enum DocumentError {
    /// Routes, sources or components can't be described.
    Misconfigured {
        /// A sentence for each error, with what to write instead.
        errors: Vec<String>,
    },
    /// [`fill`](super::OpenApi::fill) was called with a document that was filled before.
    AlreadyFilled {
        /// The operations that have an `x-auth-policy` already, by method and path.
        operations: Vec<String>,
    },
    /// [`fill`](super::OpenApi::fill) was called with a document of an OpenAPI version before 3.1.
    UnsupportedVersion {
        /// The version that the document states.
        version: String,
    },
    /// [`fill`](super::OpenApi::fill) was called with a value that serializes as something else than a JSON object.
    NotAnObject,
    /// The document that [`fill`](super::OpenApi::fill) was called with can't be serialized as JSON.
    Serialize {
        /// Why it can't.
        source: serde_json::Error,
    },
    /// The type of the document that [`fill`](super::OpenApi::fill) was called with can't deserialize its JSON, filled or not.
    /// The JSON itself can be filled: call `fill` with a `serde_json::Value`.
    Deserialize {
        /// Why it can't.
        source: serde_json::Error,
    },
    /// The type of the document that [`fill`](super::OpenApi::fill) was called with loses a part of the JSON that it
    /// deserializes. The JSON itself can be filled: call `fill` with a `serde_json::Value`.
    Lossy {
        /// What is lost.
        lost: String,
    },
}

/// What helps where the type of a document can't hold it.
const FILL_JSON: &str = "fill its JSON instead, `let mut document = serde_json::to_value(document)?`";

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misconfigured { errors } => {
                f.write_str("the API can't be described:")?;
                errors.iter().try_for_each(|error| write!(f, "\n  - {error}"))
            }
            Self::AlreadyFilled { operations } => {
                f.write_str("the document was filled before; fill a new document of the handlers:")?;
                operations
                    .iter()
                    .try_for_each(|operation| write!(f, "\n  - {operation} has an `{POLICY}` already"))
            }
            Self::UnsupportedVersion { version } => write!(
                f,
                "the document can't be filled: it is of OpenAPI {version}, where a security requirement can't list roles. Make a \
                 document of OpenAPI 3.1 or later"
            ),
            Self::NotAnObject => f.write_str(
                "the document can't be filled: as JSON it is not an object, and an OpenAPI document is one",
            ),
            Self::Serialize { source } => {
                write!(f, "the document can't be filled: it can't be serialized as JSON ({source})")
            }
            Self::Deserialize { source } => write!(
                f,
                "the document can't be filled: its type can't deserialize its JSON ({source}): {FILL_JSON}"
            ),
            Self::Lossy { lost } => {
                write!(f, "the document can't be filled: its type loses {lost}: {FILL_JSON}")
            }
        }
    }
}

impl fmt::Debug for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for DocumentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Serialize { source } | Self::Deserialize { source } => Some(source),
            _ => None,
        }
    }
}
