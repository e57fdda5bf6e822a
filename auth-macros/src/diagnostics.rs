//! Every mistake of one attribute, collected and reported together.

use std::cell::RefCell;

use proc_macro2::{Span, TokenStream};
use syn::Error;

/// Collects errors so that the user sees all of them in one go, each at its own span.
///
/// Dropped without having been read it panics: an error that is found and then forgotten would let a wrong rule through.
pub(crate) struct Diagnostics {
    errors: RefCell<Option<Vec<Error>>>,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { errors: RefCell::new(Some(Vec::new())) }
    }

    /// Reports `message` under the tokens of `span`.
    pub(crate) fn error(&self, span: Span, message: impl Into<String>) {
        self.syn_error(Error::new(span, message.into()));
    }

    /// Reports an error that `syn` made while parsing.
    pub(crate) fn syn_error(&self, error: Error) {
        if let Some(errors) = self.errors.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// All errors as `compile_error!` items, or `None` where there are none.
    pub(crate) fn finish(self) -> Option<TokenStream> {
        let errors = self.errors.take().unwrap_or_default();
        (!errors.is_empty()).then(|| errors.iter().map(Error::to_compile_error).collect())
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        if self.errors.get_mut().is_some() && !std::thread::panicking() {
            #[allow(clippy::panic, reason = "a forgotten error must not be silent")]
            {
                panic!("auth-macros: diagnostics were dropped without being reported");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::Diagnostics;

    #[test]
    fn all_errors_come_out_and_none_is_none() {
        let diagnostics = Diagnostics::new();
        diagnostics.error(Span::call_site(), "one");
        diagnostics.error(Span::call_site(), "two");
        let text = diagnostics.finish().unwrap().to_string();
        assert!(text.contains("one") && text.contains("two"), "{text}");
        assert!(Diagnostics::new().finish().is_none());
    }

    #[test]
    #[should_panic(expected = "dropped without being reported")]
    fn a_forgotten_error_panics() {
        Diagnostics::new().error(Span::call_site(), "forgotten");
    }
}
