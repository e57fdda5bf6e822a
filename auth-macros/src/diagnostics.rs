//! Every error of one attribute, collected and reported together.

use std::cell::{Cell, RefCell};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Error;

use crate::rule::Range;

/// Collects errors and warnings so that the user sees all of them in one go, each at its own place.
///
/// Dropped without having been read it panics: an error that is found and then forgotten would let a wrong rule through.
pub(crate) struct Diagnostics {
    errors: RefCell<Vec<Error>>,
    warnings: RefCell<Vec<TokenStream>>,
    reported_elsewhere: Cell<bool>,
    unread: Cell<bool>,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self {
            errors: RefCell::default(),
            warnings: RefCell::default(),
            reported_elsewhere: Cell::new(false),
            unread: Cell::new(true),
        }
    }

    /// Reports `message` under the tokens of `span`.
    pub(crate) fn error(&self, span: Span, message: impl Into<String>) {
        self.syn_error(Error::new(span, message.into()));
    }

    /// Reports `message` under all tokens of `range`.
    pub(crate) fn error_in(&self, range: Range, message: impl Into<String>) {
        self.syn_error(Error::new_spanned(range.tokens(), message.into()));
    }

    /// Reports an error that `syn` made while parsing.
    pub(crate) fn syn_error(&self, error: Error) {
        self.errors.borrow_mut().push(error);
    }

    /// There is an error, and another macro of this crate reports it.
    pub(crate) fn reported_elsewhere(&self) {
        self.reported_elsewhere.set(true);
    }

    /// Warns with `message` under the first token of `range`.
    ///
    /// A macro can't warn on stable Rust, but what it expands to can use something deprecated: the compiler then says
    /// `name` and the message, in one place.
    pub(crate) fn warning(&self, range: Range, name: &str, message: &str) {
        let used = Ident::new(name, range.first);
        let declared = Ident::new(name, Span::call_site());
        self.warnings.borrow_mut().push(quote! {
            const _: () = {
                #[deprecated(note = #message)]
                const #declared: () = ();
                #used
            };
        });
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.reported_elsewhere.get() || !self.errors.borrow().is_empty()
    }

    /// The warnings, an item each; or, where there are errors, all of them as `compile_error!` items.
    pub(crate) fn finish(self) -> Result<Vec<TokenStream>, TokenStream> {
        self.unread.set(false);
        if self.has_errors() {
            return Err(self.errors.borrow().iter().map(Error::to_compile_error).collect());
        }
        Ok(self.warnings.take())
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        if self.unread.get() && !std::thread::panicking() {
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
        let text = diagnostics.finish().unwrap_err().to_string();
        assert!(text.contains("one") && text.contains("two"), "{text}");
        assert!(Diagnostics::new().finish().unwrap().is_empty());
    }

    #[test]
    #[should_panic(expected = "dropped without being reported")]
    fn a_forgotten_error_panics() {
        Diagnostics::new().error(Span::call_site(), "forgotten");
    }
}
