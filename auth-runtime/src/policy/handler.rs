//! The policy of a handler, as a type.

use std::any::{TypeId, type_name};
use std::fmt;

use super::rule::Rule;

/// A policy as a type. `#[auth]` writes the implementations.
pub trait Policy: 'static {
    /// What the caller must satisfy.
    const RULE: Rule;
    /// The handler that it is the policy of.
    const HANDLER: HandlerInfo;
    /// Whether an argument of the handler takes what the check has loaded: `Checked<T>`.
    #[doc(hidden)]
    const TAKES_CHECKED: bool = false;

    /// What is known of the arguments of the handler.
    #[doc(hidden)]
    #[must_use]
    fn arguments() -> Vec<KnownArgument> {
        Vec::new()
    }
}

/// An argument of a handler or of its check, as far as the list of routes must know it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownArgument {
    /// It takes a `User` of this type.
    User { user_type: TypeId, type_name: &'static str, is_required: bool },
    /// It takes `SessionData`, which every caller without a session is rejected for if it is required.
    SessionData { is_required: bool },
    /// It accepts a WebSocket.
    WebSocket,
}

impl KnownArgument {
    /// `T` is the type of the user.
    pub(crate) fn user<T: 'static>(is_required: bool) -> Self {
        Self::User { user_type: TypeId::of::<T>(), type_name: type_name::<T>(), is_required }
    }
}

/// A handler, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandlerInfo {
    /// With its module: `my_service::articles::publish`.
    pub name: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
}

impl HandlerInfo {
    /// For the expansion of `#[auth]`.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, file, line }
    }
}

impl fmt::Display for HandlerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.name, self.file, self.line)
    }
}
