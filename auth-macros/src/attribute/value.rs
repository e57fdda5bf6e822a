//! Simple values: lists of strings, a duration.

use auth_analysis::{ListKind, Named};
use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token, bracketed, token};

use super::level::strings_in_parentheses;
use crate::diagnostics::Diagnostics;
use crate::rule::Text;

/// `= ["a", "b"]`. Empty after an error, which was reported.
pub(super) fn strings(
    keyword: &Ident,
    kind: ListKind,
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
) -> syn::Result<Vec<Text>> {
    let list = strings_in_parentheses(input).unwrap_or_else(|| format!("[{:?}]", kind.example()));
    let expected = format!("`{keyword}` takes a list of strings: write `{keyword} = {list}`");
    equals(keyword, input, &expected)?;
    if let Ok(single) = input.fork().parse::<LitStr>() {
        input.parse::<LitStr>()?;
        let message = format!("`{keyword}` takes a list: write `{keyword} = [\"{}\"]`", single.value());
        return Err(syn::Error::new(single.span(), message));
    }
    bracketed_strings(keyword, Named::Listed(kind), input, diagnostics, &expected)
}

/// `= "a"` or `= ["a", "b"]`.
pub(super) fn strings_or_one(
    keyword: &Ident,
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
) -> syn::Result<Vec<Text>> {
    let expected = format!(
        "`{keyword}` takes a name or a list of names: write `{keyword} = \"cookie\"` or `{keyword} = [\"bearer\", \"cookie\"]`"
    );
    equals(keyword, input, &expected)?;
    if input.peek(LitStr) {
        let single = input.parse::<LitStr>()?;
        return Ok(possible(Named::Source, single.into(), diagnostics).into_iter().collect());
    }
    bracketed_strings(keyword, Named::Source, input, diagnostics, &expected)
}

/// `= "5m"`, in seconds.
pub(super) fn duration(keyword: &Ident, input: ParseStream<'_>) -> syn::Result<u64> {
    let expected =
        format!("`{keyword}` takes a duration: write `{keyword} = \"5m\"`, with the unit s, m, h or d");
    equals(keyword, input, &expected)?;
    let expression = input.parse::<Expr>()?;
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = ungrouped(&expression) else {
        return Err(syn::Error::new_spanned(&expression, expected));
    };
    seconds(&text.value())
        .ok_or_else(|| syn::Error::new(text.span(), format!("{:?} is not a duration: write a whole number above 0 with the unit s, m, h or d, as in `{keyword} = \"5m\"`", text.value())))
}

/// A whole number and one unit. Not the larger grammar of a library: in those `5M` is five months.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|&seconds| seconds > 0)
}

/// What a `macro_rules!` passed on as one piece (`$role:literal`) comes in a group that is not written.
pub(super) fn ungrouped(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => ungrouped(&group.expr),
        other => other,
    }
}

fn bracketed_strings(
    keyword: &Ident,
    named: Named,
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
    expected: &str,
) -> syn::Result<Vec<Text>> {
    if !input.peek(token::Bracket) {
        let found =
            input.parse::<Expr>().map_or_else(|error| error.span(), |expression| span_of(&expression));
        return Err(syn::Error::new(found, expected));
    }
    let content;
    let brackets = bracketed!(content in input);
    let elements = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
    if elements.is_empty() {
        let example = match named {
            Named::Listed(kind) => kind.example(),
            Named::Source | Named::Claim => "bearer",
        };
        diagnostics.error(
            brackets.span.join(),
            format!("the list of `{keyword}` is empty: write at least one, `{keyword} = [\"{example}\"]`, or remove `{keyword}`"),
        );
    }
    Ok(elements
        .into_iter()
        .filter_map(|element| match ungrouped(&element) {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                possible(named, text.clone().into(), diagnostics)
            }
            other => {
                diagnostics.syn_error(syn::Error::new_spanned(other, expected));
                None
            }
        })
        .collect())
}

/// The name, if it can be one. Otherwise it was reported.
pub(super) fn possible(named: Named, text: Text, diagnostics: &Diagnostics) -> Option<Text> {
    match named.objection(text.value()) {
        None => Some(text),
        Some(objection) => {
            diagnostics.error(text.span(), objection);
            None
        }
    }
}

fn equals(keyword: &Ident, input: ParseStream<'_>, expected: &str) -> syn::Result<()> {
    match input.parse::<Token![=]>() {
        Ok(_) => Ok(()),
        Err(_) => Err(syn::Error::new(keyword.span(), expected)),
    }
}

/// The span of the whole expression, where the compiler can join spans; else of its first token.
pub(super) fn span_of(expression: &Expr) -> Span {
    use syn::spanned::Spanned as _;
    expression.span()
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("5m", Some(300)),
            ("90s", Some(90)),
            ("12h", Some(43_200)),
            ("1d", Some(86_400)),
            ("", None),
            ("m", None),
            ("0m", None),
            ("5", None),
            ("5M", None),
            ("-5m", None),
            ("+5m", None),
            ("5 m", None),
            ("1h30m", None),
            ("5é", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }
}
