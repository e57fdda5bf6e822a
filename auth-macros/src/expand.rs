//! The expansion, and nothing else: what is decided, the runtime decides.

mod documented;
mod vocabulary;
mod written;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{FnArg, parse_quote, parse_quote_spanned};

use self::written::Written;
use crate::attribute::{self, Place};
use crate::check::{declared, meaning, signature};
use crate::diagnostics::Diagnostics;
use crate::function::Function;
use crate::rule::{Access, Arguments};
use crate::vocabulary::{Loaded, Vocabulary, load};

pub(crate) use self::documented::documented;
pub(crate) use self::vocabulary::vocabulary;

/// `#[auth(..)]`: the policy as a type beside the function, and one argument in front of its others.
pub(crate) fn auth(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut handler = match syn::parse2::<Function>(item.clone()) {
        Ok(handler) => handler,
        Err(_) => return misplaced("auth", item),
    };
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse(arguments, Place::Attribute, &diagnostics);
    signature::handler(&handler.signature, &diagnostics);
    signature::principal(&handler.signature, arguments.access, &diagnostics);
    signature::single(&mut handler.attributes, &diagnostics);
    let loaded = load();
    let vocabulary = checked(&arguments, loaded.as_ref(), &diagnostics);

    let rule = rule(&arguments, vocabulary);
    let track = loaded.as_ref().map(Loaded::track);
    match diagnostics.finish() {
        Ok(warnings) => {
            let allows: TokenStream = handler.allows().map(ToTokens::to_token_stream).collect();
            let guarded = guarded(&mut handler, &arguments, &rule);
            quote!(#track #(#allows #warnings)* #guarded)
        }
        Err(errors) => {
            let refusing = refusing(handler, &arguments);
            quote!(#track #errors #refusing)
        }
    }
}

/// `rule!(..)`: a constant expression of type `Rule`.
pub(crate) fn rule_macro(arguments: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse(arguments, Place::RuleMacro, &diagnostics);
    let loaded = load();
    let vocabulary = checked(&arguments, loaded.as_ref(), &diagnostics);

    let private = private(&arguments);
    let rule = rule(&arguments, vocabulary);
    let track = loaded.as_ref().map(Loaded::track);
    match diagnostics.finish() {
        Ok(warnings) => {
            quote!({ #track #(#warnings)* const __AUTH_RULE: #private::Rule = #rule; __AUTH_RULE })
        }
        Err(errors) => quote!({ #track #errors #private::Rule::refuse_all() }),
    }
}

/// `#[check]`: the function as it is, and a type of its name that the gate calls it through.
///
/// Of the same name, so that `use` brings both; with braces, so that it is no value and the function stays one; public,
/// since the check of a handler is part of the handler's type, and may be private where the handler is not.
pub(crate) fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(_) => return misplaced("check", item),
    };
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse_root_only(arguments, "#[check]", "#[check]", &diagnostics);
    signature::check(&function.signature, &diagnostics);

    let private = private(&arguments);
    let name = function.name();
    let text = name.unraw().to_string();
    let cfgs: Vec<_> = function.cfgs().collect();
    let mut types: Vec<TokenStream> = Vec::new();
    for argument in function.signature.inputs.iter().skip(1) {
        if let FnArg::Typed(argument) = argument {
            types.push(argument.ty.to_token_stream());
        }
    }
    let values: Vec<_> = (0..types.len()).map(|index| format_ident!("__argument_{index}")).collect();

    let (failed, errors) = match diagnostics.finish() {
        Ok(warnings) => (false, warnings.into_iter().collect()),
        Err(errors) => (true, errors),
    };
    let (bounds, body) = if failed {
        (quote!(), quote!(#private::CheckOutcome::denied()))
    } else {
        let bounds = types.iter().map(|ty| quote_spanned!(ty.span()=> #ty: #private::FromRequestParts<__S>,));
        let extract = types.iter().zip(&values).map(|(ty, value)| {
            quote_spanned! {ty.span()=>
                let #value = match <#ty as #private::FromRequestParts<__S>>::from_request_parts(__parts, __state).await {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(__rejection) => return #private::CheckOutcome::rejected(__rejection),
                };
            }
        });
        let call = quote_spanned!(name.span()=> #name(__principal, #(#values),*).await);
        (quote!(#(#bounds)*), quote!(#(#extract)* #private::CheckOutcome::of(#call)))
    };
    quote! {
        #errors
        #function

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

/// The function with its gate.
fn guarded(handler: &mut Function, arguments: &Arguments, rule: &TokenStream) -> TokenStream {
    let private = private(arguments);
    let policy = policy_name(handler.name());
    let policy_item = policy_item(handler, &policy, &private, rule);

    let gate: FnArg = match &arguments.check {
        None => parse_quote_spanned!(handler.name().span()=> _: #private::Authorized<#policy>),
        Some(check) => {
            let check = quote_spanned!(check.span()=> #check);
            parse_quote_spanned!(handler.name().span()=> _: #private::Authorized<#policy, #check>)
        }
    };
    // Clippy's default limit is seven; the eighth argument is not the user's.
    if handler.signature.inputs.len() == 7 {
        handler.attributes.push(parse_quote!(#[allow(clippy::too_many_arguments)]));
    }
    handler.signature.inputs.insert(0, gate);
    quote!(#policy_item #handler)
}

/// What stands in for a function with a mistake: of the same name, and refusing every request.
fn refusing(mut handler: Function, arguments: &Arguments) -> TokenStream {
    // Inside an `impl` no type can be declared; the errors alone must do.
    if handler.signature.receiver().is_some() {
        return quote!(#handler);
    }
    let private = private(arguments);
    let policy = policy_name(handler.name());
    let policy_item = policy_item(&handler, &policy, &private, &quote!(#private::Rule::refuse_all()));
    handler.signature.asyncness.get_or_insert_default();
    // The attributes could complain about a function that is no longer theirs.
    handler
        .attributes
        .retain(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("doc"));
    handler.signature.generics = syn::Generics::default();
    handler.signature.inputs = parse_quote!(_: #private::Authorized<#policy>);
    handler.signature.output = parse_quote!(-> #private::Response);
    handler.body = quote!({ #private::never_reached() });
    handler.attributes.push(parse_quote!(#[allow(dead_code)]));
    quote!(#policy_item #handler)
}

/// The policy as a type: of the function's visibility, under the function's `cfg`s, and with braces, so that it is no value.
fn policy_item(handler: &Function, policy: &Ident, private: &TokenStream, rule: &TokenStream) -> TokenStream {
    let cfgs: Vec<_> = handler.cfgs().collect();
    let visibility = &handler.visibility;
    let name = handler.name().unraw().to_string();
    let line = quote_spanned!(handler.name().span()=> ::core::line!());
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
        #visibility struct #policy {}

        #(#cfgs)*
        const _: () = {
            const __AUTH_RULE: #private::Rule = #rule;

            impl #private::Policy for #policy {
                const RULE: #private::Rule = __AUTH_RULE;
                const HANDLER: #private::HandlerInfo = #private::HandlerInfo::new(
                    ::core::concat!(::core::module_path!(), "::", #name),
                    ::core::file!(),
                    #line,
                );
            }
        };
    }
}

fn policy_name(handler: &Ident) -> Ident {
    format_ident!("__auth_policy_{}", handler.unraw(), span = handler.span())
}

/// The path of the hidden module that the expansion may use.
fn private(arguments: &Arguments) -> TokenStream {
    match &arguments.root {
        Some(root) => quote!(#root::__private),
        None => quote!(::auth_runtime::__private),
    }
}

/// Checks the arguments: their names by the file that was read, and what they come to. Returns what the file says.
fn checked<'l>(
    arguments: &Arguments,
    loaded: Option<&'l Loaded>,
    diagnostics: &Diagnostics,
) -> Option<&'l Vocabulary> {
    let vocabulary = loaded.and_then(|loaded| loaded.vocabulary(diagnostics));
    if let (Some(loaded), Some(vocabulary)) = (loaded, vocabulary) {
        declared::names(arguments, vocabulary, &loaded.name, diagnostics);
    }
    // Names that are no names would be clashes that are none.
    if !diagnostics.has_errors() {
        meaning::of(arguments, vocabulary, diagnostics);
    }
    vocabulary
}

/// The rule as a constant expression.
fn rule(arguments: &Arguments, vocabulary: Option<&Vocabulary>) -> TokenStream {
    let private = private(arguments);
    let access = match arguments.access {
        Access::Public => quote!(public()),
        Access::Optional => quote!(optional()),
        Access::Authenticated => quote!(authenticated()),
    };
    let sources = (!arguments.sources.is_empty()).then(|| {
        let sources = &arguments.sources;
        quote!(.sources(&[#(#sources),*]))
    });
    let start = quote!(#private::Rule::#access #sources);
    if arguments.requirements.is_empty() {
        return start;
    }
    let Written { arguments, named_at } = Written::new(&arguments.requirements, vocabulary, &private);
    match named_at {
        None => quote!(#start.written(#arguments)),
        Some(span) => {
            let start = respan(start, span);
            quote_spanned!(span=> #start.written(#arguments))
        }
    }
}

/// The same tokens, as if they stood at `span`.
fn respan(tokens: TokenStream, span: proc_macro2::Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}

/// The attribute stands on something that is no function.
fn misplaced(attribute: &str, item: TokenStream) -> TokenStream {
    let message = format!("`#[{attribute}]` goes on an async function: write it directly above `async fn`");
    let span =
        item.clone().into_iter().next().map_or_else(proc_macro2::Span::call_site, |token| token.span());
    let error = syn::Error::new(span, message).to_compile_error();
    quote!(#error #item)
}
