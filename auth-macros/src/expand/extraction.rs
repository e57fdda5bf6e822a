//! The arguments of a function that are extracted from the request's head and a state, in an expansion that calls the function.
//!
//! What is around it has the variables `__parts` and `__state`, made by [`hygienic`], and the type `__S` of the state.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, PatType};

use crate::function::Function;
use crate::presence::presence;

/// How the arguments after the first are extracted.
pub(super) struct Extraction {
    /// The types of arguments that have `#[cfg]`s.
    pub(super) aliases: TokenStream,
    /// What the arguments must implement.
    pub(super) bounds: TokenStream,
    /// Each sets the variable of one argument.
    pub(super) statements: TokenStream,
    /// The variables, for the call.
    pub(super) values: TokenStream,
}

impl Extraction {
    /// `rejected` is the path of the function that makes the answer of a rejection: it is generic over the type that could not be
    /// extracted, and over the rejection.
    pub(super) fn of(function: &Function, private: &TokenStream, rejected: &TokenStream) -> Self {
        let arguments = function.signature.inputs.iter().enumerate().skip(1);
        let arguments: Vec<Argument> = arguments
            .filter_map(|(number, argument)| match argument {
                FnArg::Typed(argument) => Some(Argument::new(number, argument)),
                FnArg::Receiver(_) => None,
            })
            .collect();
        let aliases = arguments.iter().map(|argument| &argument.alias);
        let bounds = arguments.iter().map(|argument| argument.bound(private));
        let statements = arguments.iter().map(|argument| argument.extract(private, rejected));
        let values = arguments.iter().map(|Argument { cfg, value, .. }| quote!(#cfg #value));
        Self {
            aliases: quote!(#(#aliases)*),
            bounds: quote!(#(#bounds)*),
            statements: quote!(#(#statements)*),
            values: quote!(#(#values),*),
        }
    }
}

/// A variable of the expansion: the same one wherever the function is written, also if its name and its types come from different
/// places, as within `macro_rules!`. What the compiler says of it is said at `span`.
pub(super) fn hygienic(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}

/// An argument after the first.
struct Argument {
    /// The type as it is written, or the name of an alias of it, which exists whatever the `#[cfg]`s say.
    ty: TokenStream,
    alias: TokenStream,
    /// The `#[cfg]` of what is there only with the argument.
    cfg: TokenStream,
    /// The variable that holds what was extracted.
    value: Ident,
    span: Span,
}

impl Argument {
    fn new(number: usize, argument: &PatType) -> Self {
        let span = argument.ty.span();
        let value = hygienic(&format!("__argument_{number}"), span);
        let ty = argument.ty.to_token_stream();
        let Some(presence) = presence(&argument.attrs) else {
            return Self { ty, alias: TokenStream::new(), cfg: TokenStream::new(), value, span };
        };
        let name = Ident::new(&format!("__Argument{number}"), Span::mixed_site().located_at(span));
        let alias = quote! {
            #[cfg(#presence)]
            type #name = #ty;
            #[cfg(not(#presence))]
            type #name = ();
        };
        Self { ty: name.into_token_stream(), alias, cfg: quote!(#[cfg(#presence)]), value, span }
    }

    fn bound(&self, private: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        quote_spanned!(self.span=> #ty: #private::FromRequestParts<__S>,)
    }

    fn extract(&self, private: &TokenStream, rejected: &TokenStream) -> TokenStream {
        let Self { ty, cfg, value, span, .. } = self;
        let [parts, state] = ["__parts", "__state"].map(|name| hygienic(name, *span));
        quote_spanned! {Span::mixed_site().located_at(*span)=>
            #cfg
            let #value = match <#ty as #private::FromRequestParts<__S>>::from_request_parts(#parts, #state).await {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__rejection) => return #rejected::<#ty, _>(__rejection),
            };
        }
    }
}
