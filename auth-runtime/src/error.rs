//! Errors of a configuration: the collector that gathers them, and the error types that list them.

use std::fmt;

/// Collects the errors of a configuration, so that all of them are reported at once.
///
/// It must end in [`check`](Self::check), [`finish`](Self::finish) or [`into_vec`](Self::into_vec). In a debug build it
/// panics if it is dropped before, because its errors would be lost.
#[derive(Debug, Default)]
pub(crate) struct ConfigErrors {
    errors: Vec<String>,
    checked: bool,
}

impl ConfigErrors {
    /// Returns a collector that holds one error.
    pub(crate) fn one(error: impl Into<String>) -> Self {
        Self { errors: vec![error.into()], checked: false }
    }

    pub(crate) fn push(&mut self, error: impl Into<String>) {
        self.errors.push(error.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.errors.len()
    }

    /// Returns the collected errors as an error, if there are any.
    pub(crate) fn check<E: From<Self>>(self) -> Result<(), E> {
        self.finish(Some(()))
    }

    /// Returns `value` if there are no errors. A caller passes `None` only after it has pushed an error.
    pub(crate) fn finish<T, E: From<Self>>(mut self, value: Option<T>) -> Result<T, E> {
        match value {
            Some(value) if self.errors.is_empty() => {
                self.checked = true;
                Ok(value)
            }
            _ => Err(self.into()),
        }
    }

    /// Returns the collected errors.
    pub(crate) fn into_vec(mut self) -> Vec<String> {
        self.checked = true;
        std::mem::take(&mut self.errors)
    }
}

impl Drop for ConfigErrors {
    fn drop(&mut self) {
        debug_assert!(
            self.checked || std::thread::panicking(),
            "the errors of a configuration were collected and not checked: {:?}",
            self.errors
        );
    }
}

macro_rules! config_error {
    ($(#[$meta:meta])* $name:ident, $headline:literal) => {
        $(#[$meta])*
        ///
        /// `Debug` prints the same text as `Display`, because `main() -> Result<(), Box<dyn Error>>` prints `Debug`.
        #[derive(Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            errors: Vec<String>,
        }

        impl $name {
            /// Returns the errors: one sentence each, with what to write instead.
            pub fn errors(&self) -> impl Iterator<Item = &str> {
                self.errors.iter().map(String::as_str)
            }
        }

        impl From<ConfigErrors> for $name {
            fn from(errors: ConfigErrors) -> Self {
                Self { errors: errors.into_vec() }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($headline)?;
                self.errors.iter().try_for_each(|error| write!(f, "\n  - {error}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::error::Error for $name {}
    };
}

config_error! {
    /// Why the engine can't be built from its configuration.
    BuildError, "the auth engine can't be built:"
}

config_error! {
    /// Why a token issuer could not change its keys. It continues with those that it had.
    KeysError, "the token issuer can't change to these keys:"
}

config_error! {
    /// Why the keys of an issuer could not be replaced. It keeps those that it had.
    ReplaceKeysError, "the keys of the issuer can't be replaced:"
}

config_error! {
    /// Which routes the engine can't serve, because their rules do not fit its configuration.
    RoutesError, "the auth engine can't serve these routes:"
}

#[cfg(test)]
mod tests {
    use super::{BuildError, ConfigErrors};

    #[test]
    fn errors_are_listed_in_their_order() {
        let mut errors = ConfigErrors::default();
        errors.push("one");
        errors.push(String::from("two"));
        let error = errors.check::<BuildError>().unwrap_err();
        assert_eq!(error.errors().collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(error.to_string(), "the auth engine can't be built:\n  - one\n  - two");
    }

    #[test]
    fn no_error_returns_the_value() {
        assert_eq!(ConfigErrors::default().finish::<_, BuildError>(Some(5)), Ok(5));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "not checked: [\"lost\"]")]
    fn errors_that_are_dropped_unread_panic() {
        let mut errors = ConfigErrors::default();
        errors.push("lost");
        drop(errors);
    }
}
