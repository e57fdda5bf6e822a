//! What several expansions share.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::function::Function;
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

/// The type of the function's name, and its declaration.
///
/// Of the same name, so that `use` brings both; with braces, so that it is not a value and the function stays one; public,
/// since the check of a handler is part of the handler's type, and may be private where the handler is not.
pub(super) fn type_of_name(function: &Function) -> (Ident, TokenStream) {
    let name = function.name();
    let cfgs = function.cfgs();
    // Of the expansion, not of the user: lints for the user's types are not for this one.
    let mut ty = name.clone();
    ty.set_span(Span::mixed_site().located_at(name.span()));
    let declaration = quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[non_exhaustive]
        pub struct #ty {}
    };
    (ty, declaration)
}
