//! `Checked<T>`: what a check hands over to its handler, in the return type of the one and among the arguments of the other.

use proc_macro2::TokenStream;
use syn::spanned::Spanned as _;
use syn::{FnArg, GenericArgument, Path, PathArguments, ReturnType, Signature, Type};

use crate::diagnostics::Diagnostics;
use crate::function::ungrouped_type;
use crate::presence::presence;

/// An argument of a handler that takes what the check hands over.
pub(crate) struct Taken<'a> {
    /// `T` of `Checked<T>`.
    pub(crate) value: &'a Type,
    /// The predicate of its `#[cfg]`s, if it has some.
    pub(crate) presence: Option<TokenStream>,
}

/// The arguments of a handler that take what its check hands over: one at the most, but for those with `#[cfg]`s.
pub(crate) fn taken(signature: &Signature) -> Vec<Taken<'_>> {
    let arguments = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => {
            let value = checked_type(&argument.ty)?;
            Some(Taken { value, presence: presence(&argument.attrs) })
        }
        FnArg::Receiver(_) => None,
    });
    arguments.collect()
}

/// `T` if a check returns `Checked<T>`, wherever in its return type that is written.
pub(crate) fn given(signature: &Signature) -> Option<&Type> {
    match &signature.output {
        ReturnType::Type(_, ty) => find(ty),
        ReturnType::Default => None,
    }
}

/// The handler takes what its check hands over once, if it has a check.
pub(crate) fn check(signature: &Signature, check: Option<&Path>, diagnostics: &Diagnostics) {
    let taken = taken(signature);
    if let (Some(first), None) = (taken.first(), check) {
        diagnostics.error(
            first.value.span(),
            "a handler takes `Checked<..>` from its check, and this one has none: write `check = function` in the attribute, or remove \
             the argument",
        );
    }
    if let Some(second) = taken.iter().filter(|taken| taken.presence.is_none()).nth(1) {
        diagnostics.error(
            second.value.span(),
            "a check hands over one value, and the handler takes it once: remove this `Checked<..>`, or let the check give a struct or \
             a tuple of both",
        );
    }
    for argument in &signature.inputs {
        if let FnArg::Typed(argument) = argument
            && checked_type(&argument.ty).is_none()
            && let Some(value) = wrapped(&argument.ty)
        {
            diagnostics.error(
                value.span(),
                "a handler with a check is called only if the check hands over its value: take `Checked<..>` itself, without the type \
                 around it",
            );
        }
    }
}

/// `T` of `Checked<T>`.
fn checked_type(ty: &Type) -> Option<&Type> {
    let (name, types) = named(ty)?;
    (name == "Checked").then_some(())?;
    match types[..] {
        [value] => Some(value),
        _ => None,
    }
}

/// `T` of `Option<Checked<T>>` and `Result<Checked<T>, E>`.
fn wrapped(ty: &Type) -> Option<&Type> {
    let (name, types) = named(ty)?;
    (name == "Option" || name == "Result").then_some(())?;
    types.first().and_then(|first| checked_type(first))
}

fn find(ty: &Type) -> Option<&Type> {
    checked_type(ty).or_else(|| named(ty)?.1.into_iter().find_map(find))
}

/// The last name of a type with arguments that are types, and these.
fn named(ty: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(path) = ungrouped_type(ty) else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((last.ident.to_string(), types.collect()))
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::{Signature, parse_quote};

    use super::{given, taken};

    #[test]
    fn what_a_check_gives() {
        let rows: [(Signature, &str); 7] = [
            (parse_quote!(async fn f() -> bool), ""),
            (parse_quote!(async fn f()), ""),
            (parse_quote!(async fn f() -> Result<bool, Checked>), ""),
            (parse_quote!(async fn f() -> Option<Checked<Article>>), "Article"),
            (
                parse_quote!(async fn f() -> io::Result<auth_runtime::Checked<(u8, Vec<u8>)>>),
                "(u8 , Vec < u8 >)",
            ),
            (parse_quote!(async fn f() -> Result<Option<(Checked<Article>)>, Rejection>), "Article"),
            (parse_quote!(async fn f() -> Result<bool, Failed<'static>>), ""),
        ];
        for (signature, expected) in rows {
            let found = given(&signature).map(|ty| ty.to_token_stream().to_string()).unwrap_or_default();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_a_handler_takes() {
        let signature: Signature = parse_quote! {
            async fn f(user: Principal, Checked(a): Checked<A>, #[cfg(unix)] b: auth_runtime::Checked<B>, c: Json<Checked<C>>, d: Checked)
        };
        let found: Vec<_> = taken(&signature)
            .iter()
            .map(|taken| (taken.value.to_token_stream().to_string(), taken.presence.is_some()))
            .collect();
        assert_eq!(found, [("A".to_owned(), false), ("B".to_owned(), true)]);
    }
}
