//! What the runtime finds of the arguments by their types, which a macro does not see.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, PatType, Type};

use crate::function::Function;
use crate::presence::presence;

/// The method `arguments` of a policy or of a check, for the arguments from this one on; nothing if there are none.
pub(super) fn arguments(function: &Function, from: usize, private: &TokenStream) -> TokenStream {
    let found = of_each(function, from, private, |kind, _| quote!(#kind.known(),));
    if found.is_empty() {
        return found;
    }
    let allows = function.allows();
    quote! {
        #(#allows)*
        fn arguments() -> #private::Vec<#private::KnownArgument> {
            #private::known_arguments(&[#found])
        }
    }
}

/// Statements that compile if no argument after the first needs a caller.
pub(super) fn before_the_caller(function: &Function, private: &TokenStream) -> TokenStream {
    of_each(
        function,
        1,
        private,
        |kind, ty| quote_spanned!(ty.span()=> #private::before_the_caller::<#ty, _>(#kind);),
    )
}

/// A part of the expansion for each argument from this one on, made of its kind and its type.
///
/// What can't be named outside of the signature is left out: `impl Trait`, and all arguments of a generic function.
fn of_each(
    function: &Function,
    from: usize,
    private: &TokenStream,
    part: impl Fn(TokenStream, &Type) -> TokenStream,
) -> TokenStream {
    if !function.signature.generics.params.is_empty() {
        return TokenStream::new();
    }
    let arguments = function.signature.inputs.iter().skip(from).filter_map(|argument| match argument {
        FnArg::Typed(argument) if can_be_named(&argument.ty) => Some(argument),
        _ => None,
    });
    let parts = arguments.map(|PatType { attrs, ty, .. }| {
        let cfg = presence(attrs).map(|presence| quote!(#[cfg(#presence)]));
        let kind = quote_spanned!(ty.span()=> #private::Argument::<#ty>::new().kind());
        let part = part(kind, ty);
        quote!(#cfg #part)
    });
    parts.collect()
}

fn can_be_named(ty: &Type) -> bool {
    fn has_impl(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(name) => name == "impl",
            TokenTree::Group(group) => has_impl(group.stream()),
            _ => false,
        })
    }
    !has_impl(ty.to_token_stream())
}
