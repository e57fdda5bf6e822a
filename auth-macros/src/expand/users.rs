//! Which arguments are users: the runtime finds it by their types, which a macro does not see.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, Type};

use crate::function::Function;
use crate::presence::presence;

/// The method `users` of a policy or of a check, for the arguments from this one on; nothing if there are none.
///
/// What can't be named outside of the signature is left out: `impl Trait`, and all arguments of a generic function.
pub(super) fn users(function: &Function, from: usize, private: &TokenStream) -> TokenStream {
    if !function.signature.generics.params.is_empty() {
        return TokenStream::new();
    }
    let found: Vec<_> = function
        .signature
        .inputs
        .iter()
        .skip(from)
        .filter_map(|argument| match argument {
            FnArg::Typed(argument) if can_be_named(&argument.ty) => Some(argument),
            _ => None,
        })
        .map(|argument| {
            let cfg = presence(&argument.attrs).map(|presence| quote!(#[cfg(#presence)]));
            let ty = &argument.ty;
            let user = quote_spanned!(ty.span()=> #private::Argument::<#ty>::new().user());
            quote!(#cfg __users.extend_from_slice(#user.as_slice());)
        })
        .collect();
    if found.is_empty() {
        return TokenStream::new();
    }
    let allows = function.allows();
    quote! {
        #(#allows)*
        fn users() -> #private::Vec<#private::UserArgument> {
            let mut __users = #private::Vec::new();
            #(#found)*
            __users
        }
    }
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
