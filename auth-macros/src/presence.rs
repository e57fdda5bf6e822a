//! When something that has `#[cfg]`s is there, as one predicate.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// The predicate of all `#[cfg]`s among these attributes, also of those in `#[cfg_attr]`; `None` if there are none, so that what they are
/// on is always there.
pub(crate) fn presence<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> Option<TokenStream> {
    all(attributes.into_iter().filter_map(|attribute| predicate(&attribute.meta)))
}

fn all(predicates: impl Iterator<Item = TokenStream>) -> Option<TokenStream> {
    let predicates: Vec<_> = predicates.collect();
    (!predicates.is_empty()).then(|| quote!(all(#(#predicates),*)))
}

fn predicate(meta: &Meta) -> Option<TokenStream> {
    let Meta::List(list) = meta else { return None };
    if list.path.is_ident("cfg") {
        return Some(list.tokens.clone());
    }
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let parser = |input: ParseStream<'_>| {
        let mut condition = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<TokenTree>()?.to_tokens(&mut condition);
        }
        input.parse::<Token![,]>()?;
        Ok((condition, Punctuated::<Meta, Token![,]>::parse_terminated(input)?))
    };
    // What can't be read is an error of the compiler.
    let (condition, attributes) = parser.parse2(list.tokens.clone()).ok()?;
    let predicates = all(attributes.iter().filter_map(predicate))?;
    Some(quote!(any(not(#condition), #predicates)))
}

#[cfg(test)]
mod tests {
    use syn::{Attribute, parse_quote};

    use super::presence;

    #[test]
    fn predicates() {
        let rows: [(Vec<Attribute>, Option<&str>); 6] = [
            (vec![], None),
            (vec![parse_quote!(#[allow(unused)]), parse_quote!(#[cfg_attr(unix, allow(unused))])], None),
            (vec![parse_quote!(#[cfg(unix)])], Some("all(unix)")),
            (
                vec![parse_quote!(#[cfg(feature = "a")]), parse_quote!(#[cfg(true)])],
                Some("all(feature=\"a\",true)"),
            ),
            (
                vec![parse_quote!(#[cfg_attr(any(a, b), cfg(c), doc = "d", cfg(e),)])],
                Some("all(any(not(any(a,b)),all(c,e)))"),
            ),
            (
                vec![parse_quote!(#[cfg_attr(a, cfg_attr(b, cfg(c)))])],
                Some("all(any(not(a),all(any(not(b),all(c)))))"),
            ),
        ];
        for (attributes, expected) in rows {
            let found = presence(&attributes).map(|tokens| tokens.to_string().replace(' ', ""));
            assert_eq!(found.as_deref(), expected);
        }
    }
}
