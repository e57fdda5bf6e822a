//! What stands behind a word: lists of strings, a duration, claims.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Expr, ExprLit, ExprUnary, Ident, Lit, LitInt, LitStr, Token, UnOp, bracketed, parenthesized, token,
};

use crate::diagnostics::Diagnostics;
use crate::rule::{Claim, Expected, Literal, Range, Text, Value};

/// `= ["a", "b"]`. Empty after a mistake, which was reported.
pub(super) fn strings(
    word: &Ident,
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
) -> syn::Result<Vec<Text>> {
    let expected = || format!("`{word}` takes a list of strings: write `{word} = [\"{}\"]`", example(word));
    equals(word, input, &expected())?;
    if let Ok(single) = input.fork().parse::<LitStr>() {
        input.parse::<LitStr>()?;
        let message = format!("`{word}` takes a list: write `{word} = [\"{}\"]`", single.value());
        return Err(syn::Error::new(single.span(), message));
    }
    bracketed_strings(word, input, diagnostics, &expected())
}

/// `= "a"` or `= ["a", "b"]`.
pub(super) fn strings_or_one(
    word: &Ident,
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
) -> syn::Result<Vec<Text>> {
    let expected = format!(
        "`{word}` takes a name or a list of names: write `{word} = \"cookie\"` or `{word} = [\"bearer\", \"cookie\"]`"
    );
    equals(word, input, &expected)?;
    if input.peek(LitStr) {
        let single = input.parse::<LitStr>()?;
        return Ok(not_blank(word, single.into(), diagnostics).into_iter().collect());
    }
    bracketed_strings(word, input, diagnostics, &expected)
}

/// `= "5m"`, in seconds.
pub(super) fn duration(word: &Ident, input: ParseStream<'_>) -> syn::Result<u64> {
    let expected = format!("`{word}` takes a duration: write `{word} = \"5m\"`, with the unit s, m, h or d");
    equals(word, input, &expected)?;
    let expression = input.parse::<Expr>()?;
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &expression else {
        return Err(syn::Error::new_spanned(&expression, expected));
    };
    seconds(&text.value())
        .ok_or_else(|| syn::Error::new(text.span(), format!("{:?} is no duration: write a whole number above 0 with the unit s, m, h or d, as in `{word} = \"5m\"`", text.value())))
}

/// A whole number and one unit. Not a library's larger grammar: in those `5M` is five months.
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

/// `(name = value, "https://x/y" = [..], tenant = path("tenant"))`.
pub(super) fn claims(
    word: &Ident,
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
) -> syn::Result<Vec<Claim>> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(
            word.span(),
            "`claims` takes names and values in parentheses: write `claims(tenant_id = path(\"tenant\"))`",
        ));
    }
    let content;
    let parens = parenthesized!(content in input);
    let span = word.span().join(parens.span.join()).unwrap_or_else(|| word.span());
    let mut claims = Vec::new();
    let mut names: Vec<String> = Vec::new();
    if content.is_empty() {
        diagnostics.error(span, "`claims()` is empty: write the claims that are asked for, `claims(tenant_id = path(\"tenant\"))`");
    }
    while !content.is_empty() {
        let start = content.fork();
        match claim(&content, diagnostics) {
            Ok((name, expected)) => {
                if names.iter().any(|earlier| earlier == name.value()) {
                    diagnostics.error(
                        name.span(),
                        format!("the claim `{}` is given twice here: write its values as one list, `claims({0} = [..])`", name.value()),
                    );
                }
                names.push(name.value().to_owned());
                let last = super::last_span(&start, &content).unwrap_or_else(|| name.span());
                let range = Range { first: name.span(), last };
                claims.extend(expected.map(|expected| Claim { name, expected, range }));
            }
            Err(error) => {
                diagnostics.syn_error(error);
                super::skip_argument(&content);
            }
        }
        if content.is_empty() {
            break;
        }
        if let Err(error) = content.parse::<Token![,]>() {
            diagnostics.error(error.span(), "expected a comma before the next claim");
            super::skip_argument(&content);
            let _ = content.parse::<Token![,]>();
        }
    }
    Ok(claims)
}

/// `name = value`; the value is `None` after a mistake that was reported.
fn claim(input: ParseStream<'_>, diagnostics: &Diagnostics) -> syn::Result<(Text, Option<Expected>)> {
    let name = if input.peek(LitStr) {
        let name: Text = input.parse::<LitStr>()?.into();
        if name.value().is_empty() {
            return Err(syn::Error::new(
                name.span(),
                "the name of a claim is empty: write it, as in `claims(\"https://example.com/tenant\" = \"a\")`",
            ));
        }
        name
    } else {
        let ident = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(error.span(), "expected the name of a claim, as a word or in quotes")
        })?;
        Text::new(ident.unraw().to_string(), ident.span())
    };
    let expected =
        "a claim is compared with a string, an integer, a boolean, a list of these, or `path(\"param\")`";
    input.parse::<Token![=]>().map_err(|error| {
        syn::Error::new(error.span(), format!("{expected}: write `{} = ..`", name.value()))
    })?;

    let expression = input.parse::<Expr>()?;
    let expected = match ungrouped(&expression) {
        Expr::Call(call) if is_path_word(&call.func) => path_parameter(call, diagnostics),
        Expr::Array(array) => {
            if array.elems.is_empty() {
                diagnostics.error(
                    span_of(&expression),
                    format!("the list for `{}` is empty, so nobody could match it: write the values that are let in", name.value()),
                );
            }
            let literals: Vec<_> =
                array.elems.iter().filter_map(|element| literal(element, diagnostics)).collect();
            (!literals.is_empty()).then_some(Expected::OneOf(literals))
        }
        other => literal(other, diagnostics).map(|literal| Expected::OneOf(vec![literal])),
    };
    Ok((name, expected))
}

fn is_path_word(function: &Expr) -> bool {
    matches!(function, Expr::Path(path) if path.path.is_ident("path"))
}

fn path_parameter(call: &syn::ExprCall, diagnostics: &Diagnostics) -> Option<Expected> {
    let argument: Text = match call.args.first().map(ungrouped) {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if call.args.len() == 1 => text.clone().into(),
        _ => {
            diagnostics.syn_error(syn::Error::new_spanned(call, "`path` takes the name of one path parameter: write `path(\"tenant\")` for a route such as `/org/{tenant}`"));
            return None;
        }
    };
    if argument.value().is_empty() || argument.value().contains(['{', '}', '/', '*']) {
        let message = format!(
            "`path({:?})` names no path parameter: write the name without braces, `path(\"tenant\")` for a route such as `/org/{{tenant}}`",
            argument.value()
        );
        diagnostics.error(argument.span(), message);
        return None;
    }
    Some(Expected::PathParameter(argument))
}

/// A string, integer or boolean; a negative integer becomes one literal.
fn literal(expression: &Expr, diagnostics: &Diagnostics) -> Option<Literal> {
    let span = span_of(expression);
    let value = match ungrouped(expression) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(Value::String(text.value())),
        Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. }) => Some(Value::Boolean(flag.value)),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => Some(integer(int, "", span, diagnostics)?),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match ungrouped(expr) {
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => Some(integer(int, "-", span, diagnostics)?),
            _ => None,
        },
        _ => None,
    };
    if value.is_none() {
        diagnostics.syn_error(syn::Error::new_spanned(
            expression,
            "a claim is compared with a string, an integer, a boolean, a list of these, or `path(\"param\")`",
        ));
    }
    value.map(|value| Literal { value, span })
}

fn integer(int: &LitInt, sign: &str, span: Span, diagnostics: &Diagnostics) -> Option<Value> {
    match format!("{sign}{}", int.base10_digits()).parse::<i64>() {
        Ok(value) if int.suffix().is_empty() || int.suffix() == "i64" => Some(Value::Integer(value)),
        _ => {
            diagnostics.error(
                span,
                "an integer to compare a claim with must fit into 64 bits with a sign, and has no suffix",
            );
            None
        }
    }
}

/// What a `macro_rules!` handed on as one piece (`$role:literal`) comes in a group that is not written.
fn ungrouped(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => ungrouped(&group.expr),
        other => other,
    }
}

fn bracketed_strings(
    word: &Ident,
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
        diagnostics.error(
            brackets.span.join(),
            format!("the list of `{word}` is empty: write at least one, `{word} = [\"{}\"]`, or leave `{word}` out", example(word)),
        );
    }
    Ok(elements
        .into_iter()
        .filter_map(|element| match ungrouped(&element) {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                not_blank(word, text.clone().into(), diagnostics)
            }
            other => {
                diagnostics.syn_error(syn::Error::new_spanned(other, expected));
                None
            }
        })
        .collect())
}

fn not_blank(word: &Ident, text: Text, diagnostics: &Diagnostics) -> Option<Text> {
    if text.value().trim().is_empty() {
        diagnostics
            .error(text.span(), format!("a name in `{word}` is empty: write it, or take it out of the list"));
        return None;
    }
    Some(text)
}

fn equals(word: &Ident, input: ParseStream<'_>, expected: &str) -> syn::Result<()> {
    match input.parse::<Token![=]>() {
        Ok(_) => Ok(()),
        Err(_) => Err(syn::Error::new(word.span(), expected)),
    }
}

fn example(word: &Ident) -> &'static str {
    match word.unraw().to_string().as_str() {
        "roles" => "admin",
        "scopes" => "article:write",
        "permissions" => "invoice.read",
        "acr" => "mfa",
        _ => "bearer",
    }
}

/// The span of the whole expression, where the compiler can join spans; else of its first token.
fn span_of(expression: &Expr) -> Span {
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
