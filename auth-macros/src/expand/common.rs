//! What several expansions share.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::rule::Arguments;

/// The path of the hidden module that an expansion may use.
pub(super) fn private(arguments: &Arguments) -> TokenStream {
    match &arguments.root {
        Some(root) => quote!(#root::__private),
        None => quote!(::auth_runtime::__private),
    }
}

/// For an attribute on something that is not a function.
pub(super) fn misplaced(attribute: &str, item: TokenStream) -> TokenStream {
    let message = format!("`#[{attribute}]` goes on an async function: write it directly above `async fn`");
    let span = item.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
    let error = syn::Error::new(span, message).to_compile_error();
    quote!(#error #item)
}
