//! `#[check]`: the function as it is, and a type of its name that the gate calls it through.
//!
//! Of the same name, so that `use` brings both; with braces, so that it is not a value and the function stays one; public,
//! since the check of a handler is part of the handler's type, and may be private where the handler is not.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{FnArg, PatType};

use super::common::{misplaced, private};
use super::users::users;
use crate::attribute;
use crate::check::signature;
use crate::diagnostics::Diagnostics;
use crate::function::{Function, ungrouped_item};
use crate::handover::given;
use crate::place::is_associated;
use crate::presence::presence;

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
    /// The types of arguments that have `#[cfg]`s.
    aliases: TokenStream,
    /// What the arguments must implement.
    bounds: TokenStream,
    /// Which of them are users.
    users: TokenStream,
    body: TokenStream,
    /// The implementation of `Gives` for the type that this is of.
    gives: TokenStream,
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

    fn extract(&self, private: &TokenStream) -> TokenStream {
        let Self { ty, cfg, value, span, .. } = self;
        let [parts, state] = ["__parts", "__state"].map(|name| hygienic(name, *span));
        quote_spanned! {Span::mixed_site().located_at(*span)=>
            #cfg
            let #value = match <#ty as #private::FromRequestParts<__S>>::from_request_parts(#parts, #state).await {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__rejection) => return #private::CheckOutcome::rejected::<#ty, _>(__rejection),
            };
        }
    }
}

impl Call {
    /// Extracts the arguments after the first, and calls the function.
    fn of(function: &Function, private: &TokenStream) -> Self {
        let arguments = function.signature.inputs.iter().enumerate().skip(1);
        let arguments: Vec<Argument> = arguments
            .filter_map(|(number, argument)| match argument {
                FnArg::Typed(argument) => Some(Argument::new(number, argument)),
                FnArg::Receiver(_) => None,
            })
            .collect();
        let aliases = arguments.iter().map(|argument| &argument.alias);
        let bounds = arguments.iter().map(|argument| argument.bound(private));
        let extract = arguments.iter().map(|argument| argument.extract(private));
        let values = arguments.iter().map(|Argument { cfg, value, .. }| quote!(#cfg #value));
        let name = function.name();
        let principal = hygienic("__principal", name.span());
        let call = quote_spanned!(name.span()=> #name(#principal, #(#values),*).await);
        // A name of our own, so that all that the compiler points at is the user's function.
        let outcome = hygienic("__Outcome", name.span());
        let value = given(&function.signature);
        let gives = value.map(|value| quote!(impl #private::Gives<#value> for));
        let value = value.map_or_else(|| quote_spanned!(name.span()=> ()), ToTokens::to_token_stream);
        let of = quote_spanned!(name.span()=> #outcome::of::<#value, _>(#call));
        Self {
            aliases: quote!(#(#aliases)*),
            bounds: quote!(#(#bounds)*),
            users: users(function, 1, private),
            body: quote!(#(#extract)* use #private::CheckOutcome as #outcome; #of),
            gives: quote!(#gives),
        }
    }

    /// For a function with errors.
    fn denying(private: &TokenStream) -> Self {
        let body = quote!(#private::CheckOutcome::denied());
        // Whatever a handler takes: there is an error already.
        let gives = quote!(impl<__T> #private::Gives<__T> for);
        let [aliases, bounds, users] = std::array::from_fn(|_| TokenStream::new());
        Self { aliases, bounds, users, body, gives }
    }
}

/// A variable of the expansion: the same one wherever the function is written, also if its name and its types come from different
/// places, as within `macro_rules!`. What the compiler says of it is said at `span`.
fn hygienic(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}

fn check_type(function: &Function, call: &Call, private: &TokenStream) -> TokenStream {
    let name = function.name();
    // Of the expansion, not of the user: lints for the user's types are not for this one.
    let mut ty = name.clone();
    ty.set_span(Span::mixed_site().located_at(name.span()));
    let text = name.unraw().to_string();
    let cfgs: Vec<_> = function.cfgs().collect();
    let [principal, parts, state] =
        ["__principal", "__parts", "__state"].map(|variable| hygienic(variable, Span::call_site()));
    let Call { aliases, bounds, users, body, gives } = call;
    let gives = (!gives.is_empty()).then(|| quote!(#gives #ty {}));
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[non_exhaustive]
        pub struct #ty {}

        #(#cfgs)*
        const _: () = {
            #aliases

            impl #private::NamedCheck for #ty {
                const NAME: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(
                    ::core::concat!(::core::module_path!(), "::", #text),
                );

                #users
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
