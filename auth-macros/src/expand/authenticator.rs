//! `#[authenticator]`: the function as it is, and a type of its name that makes an authenticator of it, with a state.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::arguments::before_the_caller;
use super::common::{misplaced, private, type_of_name};
use super::extraction::{Extraction, hygienic};
use crate::attribute;
use crate::check::signature;
use crate::diagnostics::Diagnostics;
use crate::function::{Function, ungrouped_item};
use crate::place::is_associated;

/// The expansion of `#[authenticator]`.
pub(crate) fn authenticator(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<Function>(ungrouped_item(item.clone())) {
        Ok(function) => function,
        Err(_) => return misplaced("authenticator", item),
    };
    if function.signature.receiver().is_some() || is_associated(function.name()) {
        let error = signature::associated(&function.signature, "authenticator");
        return quote!(#error #function);
    }
    let diagnostics = Diagnostics::new();
    let arguments =
        attribute::parse_root_only(arguments, "#[authenticator]", "#[authenticator]", &diagnostics);
    signature::called(&function.signature, &signature::AUTHENTICATOR, &diagnostics);

    let private = private(&arguments);
    let (call, errors) = match diagnostics.finish() {
        Ok(warnings) => (Call::of(&function, &private), warnings.into_iter().collect()),
        Err(errors) => (Call::failing(&private), errors),
    };
    let authenticator_type = authenticator_type(&function, &call, &private);
    quote! {
        #errors
        #function
        #authenticator_type
    }
}

/// How the type calls the function.
struct Call {
    /// The types of arguments that have `#[cfg]`s.
    aliases: TokenStream,
    /// What the arguments must implement.
    bounds: TokenStream,
    body: TokenStream,
    /// A second use of the function.
    named: TokenStream,
}

impl Call {
    /// Extracts the arguments after the first, and calls the function.
    fn of(function: &Function, private: &TokenStream) -> Self {
        let Extraction { aliases, bounds, statements, values } =
            Extraction::of(function, private, &quote!(#private::not_extracted));
        let name = function.name();
        let credential = hygienic("__credential", name.span());
        let call = quote_spanned!(name.span()=> #name(#credential, #values).await);
        // It is called from one place, which is of no use to the user.
        let named = quote!(let _ = #name;);
        let before = before_the_caller(function, private);
        Self { aliases, bounds, body: quote!(#before #statements #private::answer(#call)), named }
    }

    /// For a function with errors.
    fn failing(private: &TokenStream) -> Self {
        let body = quote!(#private::not_compiled());
        let [aliases, bounds, named] = std::array::from_fn(|_| TokenStream::new());
        Self { aliases, bounds, body, named }
    }
}

fn authenticator_type(function: &Function, call: &Call, private: &TokenStream) -> TokenStream {
    let (ty, declaration) = type_of_name(function);
    let cfgs: Vec<_> = function.cfgs().collect();
    let [credential, parts, state] =
        ["__credential", "__parts", "__state"].map(|variable| hygienic(variable, Span::call_site()));
    let Call { aliases, bounds, body, named } = call;
    quote! {
        #declaration

        #(#cfgs)*
        const _: () = {
            #aliases

            impl<__S> #private::AuthenticatorFunction<__S> for #ty
            where
                __S: ::core::marker::Send + ::core::marker::Sync,
                #bounds
            {
                async fn authenticate(
                    #credential: &::core::primitive::str,
                    #parts: &mut #private::Parts,
                    #state: &__S,
                ) -> #private::AuthenticatorAnswer {
                    #body
                }
            }

            impl #ty {
                pub fn with_state<__S>(#state: __S) -> #private::WithState<Self, __S>
                where
                    Self: #private::AuthenticatorFunction<__S>,
                {
                    #private::WithState::new(#state)
                }
            }

            #named
        };
    }
}
