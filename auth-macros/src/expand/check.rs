//! `#[check]`: the function as it is, and a type of its name that the gate calls it through.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;

use super::common::{misplaced, private, type_of_name};
use super::extraction::{Extraction, hygienic};
use crate::attribute;
use crate::check::signature;
use crate::diagnostics::Diagnostics;
use crate::function::{Function, ungrouped_item};
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
    body: TokenStream,
}

impl Call {
    /// Extracts the arguments after the first, and calls the function.
    fn of(function: &Function, private: &TokenStream) -> Self {
        let Extraction { aliases, bounds, statements, values } =
            Extraction::of(function, private, &quote!(#private::CheckOutcome::rejected));
        let name = function.name();
        let principal = hygienic("__principal", name.span());
        let call = quote_spanned!(name.span()=> #name(#principal, #values).await);
        Self { aliases, bounds, body: quote!(#statements #private::CheckOutcome::of(#call)) }
    }

    /// For a function with errors.
    fn denying(private: &TokenStream) -> Self {
        let body = quote!(#private::CheckOutcome::denied());
        Self { aliases: TokenStream::new(), bounds: TokenStream::new(), body }
    }
}

fn check_type(function: &Function, call: &Call, private: &TokenStream) -> TokenStream {
    let (ty, declaration) = type_of_name(function);
    let text = function.name().unraw().to_string();
    let cfgs: Vec<_> = function.cfgs().collect();
    let [principal, parts, state] =
        ["__principal", "__parts", "__state"].map(|variable| hygienic(variable, Span::call_site()));
    let Call { aliases, bounds, body } = call;
    quote! {
        #declaration

        #(#cfgs)*
        const _: () = {
            #aliases

            impl #private::NamedCheck for #ty {
                const NAME: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(
                    ::core::concat!(::core::module_path!(), "::", #text),
                );
            }

            impl #private::DeclaredCheck for #ty {}

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
