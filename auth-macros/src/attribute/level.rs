//! `keyword .., keyword ..`: the arguments of one level, with those that are wrong skipped.

use proc_macro2::{Span, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token, parenthesized};

use super::keywords::{Level, given_twice, known, may_be_repeated, name_alone, near_list, unknown};
use crate::diagnostics::Diagnostics;
use crate::suggest::list;

/// Reads arguments up to the end of `input`, calling `argument` for each that is known here.
/// Returns how many there are, those with errors included.
pub(super) fn arguments(
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
    level: Level,
    seen: &mut Vec<Ident>,
    mut argument: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> usize {
    let mut count = 0;
    while !input.is_empty() {
        count += 1;
        if let Err(error) = one(input, diagnostics, level, seen, &mut argument) {
            diagnostics.syn_error(error);
            skip_argument(input);
        }
        comma(input, diagnostics, "expected a comma before the next argument");
    }
    count
}

fn one(
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
    level: Level,
    seen: &mut Vec<Ident>,
    argument: &mut impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    if let Ok(name) = input.fork().parse::<LitStr>() {
        return Err(syn::Error::new(name.span(), name_alone(&name.value())));
    }
    let keyword = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), format!("expected one of the arguments {}", list(known(level))))
    })?;
    let text = keyword.unraw().to_string();

    if !known(level).any(|known| known == text) {
        let mut message = unknown(&text, level, input.peek(Token![::]));
        if let (Some(names), Some(kind)) = (strings_in_parentheses(input), near_list(&text)) {
            message.push_str(&format!(" Write `{} = {names}`", kind.keyword()));
        }
        return Err(syn::Error::new(keyword.span(), message));
    }
    if !may_be_repeated(&text) && seen.iter().any(|earlier| earlier.unraw() == text) {
        diagnostics.error(keyword.span(), given_twice(&text));
    }
    seen.push(keyword.clone());
    argument(&keyword, input)
}

/// The comma after an argument, unless it is the last one. Without one, what follows is skipped up to the next.
pub(super) fn comma(input: ParseStream<'_>, diagnostics: &Diagnostics, expected: &str) {
    if input.is_empty() {
        return;
    }
    if let Err(error) = input.parse::<Token![,]>() {
        diagnostics.error(error.span(), expected);
        skip_argument(input);
        let _ = input.parse::<Token![,]>();
    }
}

pub(super) fn skip_argument(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            break;
        }
    }
}

/// `("a", "b")` as it should be written, `["a", "b"]`: a list in parentheses, directly after its keyword.
pub(super) fn strings_in_parentheses(input: ParseStream<'_>) -> Option<String> {
    let parser = |input: ParseStream<'_>| {
        let content;
        parenthesized!(content in input);
        Punctuated::<LitStr, Token![,]>::parse_terminated(&content)
    };
    let names = parser(&input.fork()).ok().filter(|names| !names.is_empty())?;
    let names: Vec<String> = names.iter().map(|name| format!("{:?}", name.value())).collect();
    Some(format!("[{}]", names.join(", ")))
}

/// The span of the last token that was taken from `start` up to where `end` is now.
pub(super) fn last_span(start: ParseStream<'_>, end: ParseStream<'_>) -> Option<Span> {
    let mut last = None;
    while start.cursor() != end.cursor() {
        last = Some(start.parse::<TokenTree>().ok()?.span());
    }
    last
}
