//! The macros of [`auth-runtime`](https://docs.rs/auth-runtime). Depend on that crate: it re-exports them, and what
//! they expand to calls it.
//!
//! The way of an attribute: [`attribute`] reads it into the model of [`rule`], [`check`] looks for mistakes,
//! [`expand`] writes the code. Mistakes are collected in [`diagnostics`] and shown all at once.

mod attribute;
mod check;
mod diagnostics;
mod expand;
mod function;
mod rule;

use proc_macro::TokenStream;

/// Guards a handler: nothing else of the request is touched before the rule is kept.
///
/// ```ignore-this-fence-is-replaced
/// ```
#[proc_macro_attribute]
pub fn auth(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::auth(arguments.into(), item.into()).into()
}

/// Makes a function usable as `#[auth(check = function)]`.
#[proc_macro_attribute]
pub fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::check(arguments.into(), item.into()).into()
}

/// A rule as a value.
#[proc_macro]
pub fn rule(arguments: TokenStream) -> TokenStream {
    expand::rule_macro(arguments.into()).into()
}
