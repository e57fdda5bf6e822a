//! Errors at start: each lists every mistake, as a person reads it in a terminal.

use std::fmt;

macro_rules! mistakes_error {
    ($(#[$meta:meta])* $name:ident, $headline:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name {
            mistakes: Vec<String>,
        }

        impl $name {
            pub(crate) fn new(mistakes: Vec<String>) -> Self {
                Self { mistakes }
            }

            /// The mistakes, one sentence each.
            pub fn mistakes(&self) -> impl Iterator<Item = &str> {
                self.mistakes.iter().map(String::as_str)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($headline)?;
                self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
            }
        }

        /// The same text: `main() -> Result<(), Box<dyn Error>>` prints this one.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::error::Error for $name {}
    };
}

mistakes_error! {
    /// What is wrong with the configuration of an engine.
    BuildError, "the auth engine can't be built:"
}

mistakes_error! {
    /// Why a token issuer could not change its keys. It continues with those that it had.
    KeysError, "the token issuer can't change to these keys:"
}

mistakes_error! {
    /// Which routes the engine can't serve as their rules ask.
    RoutesError, "the auth engine can't serve these routes:"
}
