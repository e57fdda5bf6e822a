//! `#[auth(..)]`: the policy as a type next to the function, and one argument in front of its others.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{
    FnArg, GenericParam, Pat, PatType, PatWild, Path, Token, Type, WherePredicate, parse_quote,
    parse_quote_spanned,
};

use super::arguments;
use super::common::{misplaced, private};
use super::rule::{checked, rule};
use crate::attribute::{self, Place};
use crate::check::signature;
use crate::diagnostics::Diagnostics;
use crate::function::{Function, ungrouped_item};
use crate::handover::{self, Taken, taken};
use crate::place::is_associated;
use crate::rule::Arguments;
use crate::vocabulary::{Loaded, load};

/// The expansion of `#[auth(..)]`.
pub(crate) fn auth(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut handler = match syn::parse2::<Function>(ungrouped_item(item.clone())) {
        Ok(handler) => handler,
        Err(_) => return misplaced("auth", item),
    };
    if handler.signature.receiver().is_none() && is_associated(handler.name()) {
        let error = signature::associated(&handler.signature, "auth");
        return quote!(#error #handler);
    }
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse(arguments, Place::Attribute, &diagnostics);
    signature::handler(&handler.signature, &diagnostics);
    signature::principal(&handler.signature, arguments.access, &diagnostics);
    handover::check(&handler.signature, arguments.check.as_ref(), &diagnostics);
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
            let rejecting = rejecting(handler, &arguments);
            quote!(#track #errors #rejecting)
        }
    }
}

/// The function with its gate.
fn guarded(handler: &mut Function, arguments: &Arguments, rule: &TokenStream) -> TokenStream {
    let private = private(arguments);
    let policy = policy_name(handler.name());
    let known = arguments::arguments(handler, 0, &private);
    let policy_item = policy_item(handler, &policy, &private, rule, &known);
    let takes_item = takes_item(handler, &policy, &private);

    let span = handler.name().span();
    let gate = match &arguments.check {
        None => quote_spanned!(span=> #private::Authorized<#policy>),
        Some(_) => {
            quote_spanned!(span=> #private::Authorized<#policy, <#policy as #private::NamesCheck>::Check>)
        }
    };
    let check_item = arguments.check.as_ref().map(|check| check_item(handler, check, &policy, &private));
    // Clippy's default limit is seven; the eighth argument is not the user's.
    if handler.signature.inputs.len() == 7 {
        handler.attributes.push(parse_quote!(#[allow(clippy::too_many_arguments)]));
    }
    handler.signature.inputs.insert(0, unnamed_argument(gate, span));
    quote!(#policy_item #check_item #takes_item #handler)
}

/// An argument of this type. It is not parsed, which would take more than the rest of the expansion of a short handler.
fn unnamed_argument(ty: TokenStream, span: Span) -> FnArg {
    let underscore_token = Token![_](span);
    FnArg::Typed(PatType {
        attrs: Vec::new(),
        pat: Box::new(Pat::Wild(PatWild { attrs: Vec::new(), underscore_token })),
        colon_token: Token![:](span),
        ty: Box::new(Type::Verbatim(ty)),
    })
}

/// The type of the check, which `#[check]` declared under the name of its function.
///
/// It is imported under a name of our own, so that a type of ours is found in its place if the function has none: that one does not
/// implement `DeclaredCheck`, and the compiler says what is missing. The function itself is named as a value, since the compiler
/// then knows similar names.
fn check_item(handler: &Function, check: &Path, policy: &Ident, private: &TokenStream) -> TokenStream {
    let cfgs = handler.cfgs();
    let span = check.segments.last().map_or_else(|| check.span(), |last| last.ident.span());
    let alias = Ident::new("__Check", Span::mixed_site().located_at(span));
    let named = check.get_ident().map(|name| quote!(let _ = #name;));
    quote! {
        #(#cfgs)*
        const _: () = {
            use #private::FunctionWithoutCheck as #alias;
            const _: () = {
                use #check as #alias;
                impl #private::NamesCheck for #policy {
                    type Check = #alias;
                }
                let _ = #alias;
            };
            #named
        };
    }
}

/// The check gives what the handler takes, if it takes something. For a handler with type parameters, which may be a part of that type,
/// it is a bound of its own.
fn takes_item(handler: &mut Function, policy: &Ident, private: &TokenStream) -> TokenStream {
    let cfgs: Vec<_> = handler.cfgs().cloned().collect();
    let check = quote!(<#policy as #private::NamesCheck>::Check);
    let is_generic =
        handler.signature.generics.params.iter().any(|it| !matches!(it, GenericParam::Lifetime(_)));
    let mut items = TokenStream::new();
    let mut bounds: Vec<WherePredicate> = Vec::new();
    for Taken { value, presence } in taken(&handler.signature) {
        if is_generic {
            bounds.push(parse_quote_spanned!(value.span()=> #check: #private::Gives<#value>));
            continue;
        }
        let presence = presence.map(|presence| quote!(#[cfg(#presence)]));
        // Names of our own, so that all that the compiler points at is the user's type.
        let [takes, alias] =
            ["__takes", "__Check"].map(|name| Ident::new(name, Span::mixed_site().located_at(value.span())));
        let call = quote_spanned!(value.span()=> #takes::<#alias, #value>());
        items.extend(quote! {
            #(#cfgs)*
            #presence
            const _: () = {
                use #private::takes_checked as #takes;
                type #alias = #check;
                #call
            };
        });
    }
    if !bounds.is_empty() {
        handler.signature.generics.make_where_clause().predicates.extend(bounds);
    }
    items
}

/// Replaces a function whose attribute has an error by one of the same name that rejects every request.
fn rejecting(mut handler: Function, arguments: &Arguments) -> TokenStream {
    // Inside an `impl` no type can be declared; the errors alone must do.
    if handler.signature.receiver().is_some() {
        return quote!(#handler);
    }
    let private = private(arguments);
    let policy = policy_name(handler.name());
    let policy_item =
        policy_item(&handler, &policy, &private, &quote!(#private::Rule::deny_all()), &TokenStream::new());
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

/// The policy as a type: of the function's visibility, under the function's `cfg`s, and with braces, so that it is not a value.
///
/// Its name is of the expansion, where no lint of the user's applies. So nothing has to be allowed, which a crate could forbid.
fn policy_item(
    handler: &Function,
    policy: &Ident,
    private: &TokenStream,
    rule: &TokenStream,
    known: &TokenStream,
) -> TokenStream {
    let cfgs: Vec<_> = handler.cfgs().collect();
    let visibility = &handler.visibility;
    let name = handler.name().unraw().to_string();
    let line = quote_spanned!(handler.name().span()=> ::core::line!());
    let takes_checked = takes_checked(handler);
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[non_exhaustive]
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

                #known
                #takes_checked
            }
        };
    }
}

/// That the handler takes what its check hands over.
fn takes_checked(handler: &Function) -> Option<TokenStream> {
    let taken = taken(&handler.signature);
    let is_taken = taken.iter().map(|taken| match &taken.presence {
        Some(presence) => quote!(::core::cfg!(#presence)),
        None => quote!(true),
    });
    let takes = quote!(const TAKES_CHECKED: ::core::primitive::bool = #(#is_taken)||*;);
    (!taken.is_empty()).then_some(takes)
}

fn policy_name(handler: &Ident) -> Ident {
    // Of the expansion, not of the user: lints for the user's types are not for this one.
    format_ident!("__auth_policy_{}", handler.unraw(), span = Span::mixed_site().located_at(handler.span()))
}
