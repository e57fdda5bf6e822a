//! Whether the function under an attribute has a signature that can be called.

use proc_macro2::TokenStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, FnArg, GenericArgument, GenericParam, PathArguments, Signature, Type};

use crate::diagnostics::Diagnostics;
use crate::function::ungrouped_type;
use crate::presence::presence;
use crate::rule::Access;

/// Reports that the function is in an `impl` or a `trait`, where no expansion can be.
pub(crate) fn associated(signature: &Signature, attribute: &str) -> TokenStream {
    let message = format!(
        "`#[{attribute}]` declares a type next to its function, and an `impl` or a `trait` can't hold one: move the function out, and take \
         what it needs as an argument, such as `State(app): State<App>`"
    );
    syn::Error::new(signature.ident.span(), message).to_compile_error()
}

/// axum takes 16 extractors, and the gate is the first.
pub(crate) const MAX_ARGUMENTS: usize = 15;

/// The function is one that axum could call.
pub(crate) fn handler(signature: &Signature, diagnostics: &Diagnostics) {
    asynchronous(signature, "auth", diagnostics);
    if let Some(receiver) = signature.receiver() {
        diagnostics.error(
            receiver.span(),
            "`#[auth]` guards handlers, and axum cannot call a method with `self`: \
             write a free `async fn` and take what it needs as an argument, such as `State(app): State<App>`",
        );
    }
    if let Some(one_too_many) = signature.inputs.iter().nth(MAX_ARGUMENTS) {
        diagnostics.error(
            one_too_many.span(),
            format!(
                "a guarded handler takes at most {MAX_ARGUMENTS} arguments, since `#[auth]` adds one and axum's limit is 16: \
                 combine some of them in a struct that derives `FromRequestParts`"
            ),
        );
    }
}

/// The arguments fit the access: there is no principal where no credential is looked at.
pub(crate) fn principal(signature: &Signature, access: Access, diagnostics: &Diagnostics) {
    for argument in &signature.inputs {
        let FnArg::Typed(argument) = argument else { continue };
        let (name, wrapped) = match principal_type(&argument.ty) {
            Some(found) => found,
            None => continue,
        };
        let message = match (access, wrapped) {
            (Access::Public, _) => format!(
                "a `public` route looks at no credential, so there is no `{name}`: \
                 write `#[auth(optional)]` and take `Option<{name}>`, or remove the argument"
            ),
            (Access::Optional, false) => format!(
                "an `optional` route is also entered without a credential, and then there is no `{name}`: take `Option<{name}>`"
            ),
            _ => continue,
        };
        diagnostics.error(argument.ty.span(), message);
    }
}

/// `Principal` or `Claims<T>`, and whether it is in an `Option`.
fn principal_type(ty: &Type) -> Option<(String, bool)> {
    let Type::Path(path) = ungrouped_type(ty) else { return None };
    let last = path.path.segments.last()?;
    match (last.ident.to_string().as_str(), &last.arguments) {
        ("Principal", PathArguments::None) => Some(("Principal".into(), false)),
        ("Claims", PathArguments::AngleBracketed(_)) => Some(("Claims<..>".into(), false)),
        ("Option", PathArguments::AngleBracketed(arguments)) => match arguments.args.first()? {
            GenericArgument::Type(inner) => principal_type(inner).map(|(name, _)| (name, true)),
            _ => None,
        },
        _ => None,
    }
}

/// Removes further `#[auth]` from the function and reports them.
pub(crate) fn single(attributes: &mut Vec<Attribute>, diagnostics: &Diagnostics) {
    attributes.retain(|attribute| {
        let second = attribute.path().segments.last().is_some_and(|last| last.ident == "auth");
        if second {
            diagnostics.error(
                attribute.span(),
                "a second `#[auth]` on one function: write one `#[auth]` with all requirements. Requirements that are \
                 listed must all hold; `any(..)` is for alternatives",
            );
        }
        !second
    });
}

/// What the attribute of a function wants that is called with one reference and with extractors.
pub(crate) struct Called {
    attribute: &'static str,
    /// In the middle of a sentence.
    function: &'static str,
    /// What the first argument is, and how it is written.
    first: &'static str,
    example: &'static str,
}

pub(crate) const CHECK: Called = Called {
    attribute: "check",
    function: "a `#[check]` function",
    first: "the caller",
    example: "user: &Principal",
};

pub(crate) const AUTHENTICATOR: Called = Called {
    attribute: "authenticator",
    function: "an `#[authenticator]` function",
    first: "the credential",
    example: "credential: &str",
};

/// The function can be called with what comes first, and extractors.
pub(crate) fn called(signature: &Signature, called: &Called, diagnostics: &Diagnostics) {
    let Called { attribute, function, first, example } = called;
    asynchronous(signature, attribute, diagnostics);
    let parameters = signature.generics.params.iter().filter(|it| !matches!(it, GenericParam::Lifetime(_)));
    let generic = parameters.map(|parameter| parameter.span());
    let opaque = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) if matches!(ungrouped_type(&argument.ty), Type::ImplTrait(_)) => {
            Some(argument.ty.span())
        }
        _ => None,
    });
    if let Some(span) = generic.chain(opaque).next() {
        diagnostics.error(span, format!("{function} takes no generics: write the concrete types"));
    }
    let form = format!("the first argument of {function} is {first}: write `{example}`");
    match signature.inputs.first() {
        None => diagnostics.error(signature.paren_token.span.join(), form),
        // Reported before.
        Some(FnArg::Receiver(_)) => {}
        Some(FnArg::Typed(argument)) if !matches!(ungrouped_type(&argument.ty), Type::Reference(_)) => {
            diagnostics.error(argument.ty.span(), form);
        }
        Some(FnArg::Typed(argument)) => {
            let cfg = argument.attrs.iter().find(|attribute| presence([*attribute]).is_some());
            if let Some(cfg) = cfg {
                diagnostics.error(
                    cfg.span(),
                    format!(
                        "the first argument of {function} is {first}, and is always passed: remove the `#[cfg]`, or write it \
                         above the function"
                    ),
                );
            }
        }
    }
}

fn asynchronous(signature: &Signature, attribute: &str, diagnostics: &Diagnostics) {
    if signature.asyncness.is_none() {
        let name = &signature.ident;
        diagnostics.error(
            signature.fn_token.span,
            format!("`#[{attribute}]` goes on an async function: write `async fn {name}`"),
        );
    }
}
