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
