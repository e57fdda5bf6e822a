//! `#[check]`: the function as it is, and a type of its name that the gate calls it through.
//!
//! Of the same name, so that `use` brings both; with braces, so that it is not a value and the function stays one; public,
//! since the check of a handler is part of the handler's type, and may be private where the handler is not.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::FnArg;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::common::{misplaced, private};
use crate::attribute;
use crate::check::signature;
use crate::diagnostics::Diagnostics;
use crate::function::Function;

/// The expansion of `#[check]`.
pub(crate) fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(_) => return misplaced("check", item),
    };
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse_root_only(arguments, "#[check]", "#[check]", &diagnostics);
    signature::check(&function.signature, &diagnostics);

    let private = private(&arguments);
    let (call, errors) = match diagnostics.finish() {
        Ok(warnings) => (Call::of(&function, &private), warnings.into_iter().collect()),
        Err(errors) => (Call::denying(&private), errors),
    };
    let check_type = check_type(&function, &call, &private);
    quote! {
        #errors
        #function
        #check_type
    }
}

/// How the type calls the function.
struct Call {
    /// What the arguments must implement.
    bounds: TokenStream,
    body: TokenStream,
}

impl Call {
    /// Extracts the arguments after the first, and calls the function.
    fn of(function: &Function, private: &TokenStream) -> Self {
        let types: Vec<TokenStream> = function.signature.inputs.iter().skip(1).filter_map(type_of).collect();
        let values: Vec<_> = (0..types.len()).map(|index| format_ident!("__argument_{index}")).collect();
        let bounds = types.iter().map(|ty| quote_spanned!(ty.span()=> #ty: #private::FromRequestParts<__S>,));
        let extract = types.iter().zip(&values).map(|(ty, value)| {
            quote_spanned! {ty.span()=>
                let #value = match <#ty as #private::FromRequestParts<__S>>::from_request_parts(__parts, __state).await {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(__rejection) => return #private::CheckOutcome::rejected(__rejection),
                };
            }
        });
        let name = function.name();
        let call = quote_spanned!(name.span()=> #name(__principal, #(#values),*).await);
        Self { bounds: quote!(#(#bounds)*), body: quote!(#(#extract)* #private::CheckOutcome::of(#call)) }
    }

    /// For a function with errors.
    fn denying(private: &TokenStream) -> Self {
        Self { bounds: TokenStream::new(), body: quote!(#private::CheckOutcome::denied()) }
    }
}

fn type_of(argument: &FnArg) -> Option<TokenStream> {
    match argument {
        FnArg::Typed(argument) => Some(argument.ty.to_token_stream()),
        FnArg::Receiver(_) => None,
    }
}

fn check_type(function: &Function, call: &Call, private: &TokenStream) -> TokenStream {
    let name = function.name();
    let text = name.unraw().to_string();
    let cfgs: Vec<_> = function.cfgs().collect();
    let Call { bounds, body } = call;
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
        pub struct #name {}

        #(#cfgs)*
        const _: () = {
            impl #private::NamedCheck for #name {
                const NAME: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(
                    ::core::concat!(::core::module_path!(), "::", #text),
                );
            }

            impl<__S> #private::Check<__S> for #name
            where
                __S: ::core::marker::Send + ::core::marker::Sync,
                #bounds
            {
                #[allow(unused_variables)]
                async fn check(
                    __principal: &#private::Principal,
                    __parts: &mut #private::Parts,
                    __state: &__S,
                ) -> #private::CheckOutcome {
                    #body
                }
            }
        };
    }
}
