//! `#[check]`: the function as it is, and a type of its name that the gate calls it through.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;

use super::arguments::arguments;
use super::common::{misplaced, private, type_of_name};
use super::extraction::{Extraction, hygienic};
use crate::attribute;
use crate::check::signature;
use crate::diagnostics::Diagnostics;
use crate::function::{Function, ungrouped_item};
use crate::handover::given;
use crate::place::is_associated;

/// The expansion of `#[check]`.
pub(crate) fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<Function>(ungrouped_item(item.clone())) {
        Ok(function) => function,
        Err(_) => return misplaced("check", item),
    };
    if function.signature.receiver().is_some() || is_associated(function.name()) {
        let error = signature::associated(&function.signature, "check");
        return quote!(#error #function);
    }
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse_root_only(arguments, "#[check]", "#[check]", &diagnostics);
    signature::called(&function.signature, &signature::CHECK, &diagnostics);

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
    /// The types of arguments that have `#[cfg]`s.
    aliases: TokenStream,
    /// What the arguments must implement.
    bounds: TokenStream,
    /// What is known of them.
    arguments: TokenStream,
    body: TokenStream,
    /// The implementation of `Gives` for the type that this is of.
    gives: TokenStream,
}

impl Call {
    /// Extracts the arguments after the first, and calls the function.
    fn of(function: &Function, private: &TokenStream) -> Self {
        let Extraction { aliases, bounds, statements, values } =
            Extraction::of(function, private, &quote!(#private::CheckOutcome::rejected));
        let name = function.name();
        let principal = hygienic("__principal", name.span());
        let call = quote_spanned!(name.span()=> #name(#principal, #values).await);
        // A name of our own, so that all that the compiler points at is the user's function.
        let outcome = hygienic("__Outcome", name.span());
        let value = given(&function.signature);
        let gives = value.map(|value| quote!(impl #private::Gives<#value> for));
        let value = value.map_or_else(|| quote_spanned!(name.span()=> ()), ToTokens::to_token_stream);
        let of = quote_spanned!(name.span()=> #outcome::of::<#value, _>(#call));
        Self {
            aliases,
            bounds,
            arguments: arguments(function, 1, private),
            body: quote!(#statements use #private::CheckOutcome as #outcome; #of),
            gives: quote!(#gives),
        }
    }

    /// For a function with errors.
    fn denying(private: &TokenStream) -> Self {
        let body = quote!(#private::CheckOutcome::denied());
        // Whatever a handler takes: there is an error already.
        let gives = quote!(impl<__T> #private::Gives<__T> for);
        let [aliases, bounds, arguments] = std::array::from_fn(|_| TokenStream::new());
        Self { aliases, bounds, arguments, body, gives }
    }
}

fn check_type(function: &Function, call: &Call, private: &TokenStream) -> TokenStream {
    let (ty, declaration) = type_of_name(function);
    let text = function.name().unraw().to_string();
    let cfgs: Vec<_> = function.cfgs().collect();
    let [principal, parts, state] =
        ["__principal", "__parts", "__state"].map(|variable| hygienic(variable, Span::call_site()));
    let Call { aliases, bounds, arguments, body, gives } = call;
    let gives = (!gives.is_empty()).then(|| quote!(#gives #ty {}));
    quote! {
        #declaration

        #(#cfgs)*
        const _: () = {
            #aliases

            impl #private::NamedCheck for #ty {
                const NAME: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(
                    ::core::concat!(::core::module_path!(), "::", #text),
                );

                #arguments
            }

            impl #private::DeclaredCheck for #ty {}

            #gives

            impl<__S> #private::Check<__S> for #ty
            where
                __S: ::core::marker::Send + ::core::marker::Sync,
                #bounds
            {
                async fn check(
                    #principal: &#private::Principal,
                    #parts: &mut #private::Parts,
                    #state: &__S,
                ) -> #private::CheckOutcome {
                    #body
                }
            }
        };
    }
}
