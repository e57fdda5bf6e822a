//! The names of a vocabulary as Rust values.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::excerpt::Excerpt;

/// A name of the vocabulary as a Rust value: implemented by the enums `Role`, `Scope` and `Permission` that
/// [`vocabulary!`](crate::vocabulary!) makes.
pub trait Name: Copy + fmt::Debug + 'static {
    /// What it names.
    const KIND: NameKind;

    /// All that are declared and have a name in Rust, in the order of the file.
    const ALL: &'static [Self];

    /// The name, as tokens and rules have it.
    fn name(&self) -> &'static str;
}

/// What a name of a vocabulary names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameKind {
    /// A role.
    Role,
    /// A scope.
    Scope,
    /// A permission.
    Permission,
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Role => "role",
            Self::Scope => "scope",
            Self::Permission => "permission",
        })
    }
}

/// A text is no role, scope or permission of the enum that [`vocabulary!`](crate::vocabulary!) made: the error of [`str::parse`] for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseNameError {
    kind: NameKind,
    text: Box<str>,
}

impl ParseNameError {
    /// Returns what it was to be.
    #[must_use]
    pub fn kind(&self) -> NameKind {
        self.kind
    }

    /// Returns the text, as an [`Excerpt`](crate::verify::Excerpt) shows it: shortened and quoted.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ParseNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is none of the {}s of the enum that `vocabulary!` made of auth.toml",
            self.text, self.kind
        )
    }
}

impl std::error::Error for ParseNameError {}

/// The name that is spelled so.
///
/// # Errors
/// If none is.
#[doc(hidden)]
pub fn parse_name<N: Name>(text: &str) -> Result<N, ParseNameError> {
    let found = N::ALL.iter().find(|name| name.name() == text);
    found
        .copied()
        .ok_or_else(|| ParseNameError { kind: N::KIND, text: Excerpt::new(text).to_string().into() })
}

/// The same, of a text that is deserialized.
///
/// # Errors
/// If it is no text, or none is spelled so.
#[doc(hidden)]
pub fn deserialize_name<'de, N: Name, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
    parse_name(&Cow::<str>::deserialize(deserializer)?).map_err(de::Error::custom)
}
