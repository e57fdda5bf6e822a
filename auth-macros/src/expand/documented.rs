//! `documented![..]`: a router of handlers that `utoipa` documents.

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Path, Token};

/// The root of the runtime, a semicolon, and the handlers.
///
/// Each is mounted under its own span, so that the compiler points at the one that has no `#[auth]` or no `#[utoipa::path]`. What
/// `utoipa` knows of it is read by way of its derive, which is the public part of that crate.
pub(crate) fn documented(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let is_root = |token: &TokenTree| !matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';');
    let root: TokenStream = tokens.by_ref().take_while(is_root).collect();
    let handlers = match handlers.parse2(tokens.collect()) {
        Ok(handlers) => handlers,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!({ #error #root::Router::new() });
        }
    };
    let mounted = handlers.iter().map(|handler| {
        quote_spanned! {handler.span()=>
            .documented(
                &{
                    #[derive(::utoipa::OpenApi)]
                    #[openapi(paths(#handler))]
                    struct Documented;
                    <Documented as ::utoipa::OpenApi>::openapi()
                },
                #handler,
            )
        }
    });
    quote!(#root::Router::new() #(#mounted)*)
}

fn handlers(input: ParseStream<'_>) -> syn::Result<Punctuated<Path, Token![,]>> {
    let expected = "`documented!` takes the names of handlers that have `#[auth]` and `#[utoipa::path]`, which says the method and the \
                    path: write `documented![list, articles::create]`";
    let at_wrong = |input: ParseStream<'_>| syn::Error::new(input.span(), expected);
    let mut handlers = Punctuated::new();
    if input.is_empty() {
        return Err(at_wrong(input));
    }
    while !input.is_empty() {
        handlers.push_value(input.parse::<Path>().map_err(|_| at_wrong(input))?);
        if !input.is_empty() {
            handlers.push_punct(input.parse().map_err(|_| at_wrong(input))?);
        }
    }
    Ok(handlers)
}
