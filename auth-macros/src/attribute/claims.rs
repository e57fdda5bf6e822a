//! `claims(..)`.

use auth_analysis::Named;
use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, LitInt, LitStr, Token, UnOp, parenthesized, token};

use super::level::{comma, last_span, skip_argument};
use super::value::{possible, span_of, ungrouped};
use crate::diagnostics::Diagnostics;
use crate::rule::{Claim, Expected, Literal, Range, Text, Value};

const COMPARED_WITH: &str = "a claim is compared with a string, an integer, a boolean, a list of these, or `path(\"param\")`: write `claims(plan = \"pro\")`";

/// `(name = value, "https://x/y" = [..], tenant = path("tenant"))`.
pub(super) fn claims(
    keyword: &Ident,
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
) -> syn::Result<Vec<Claim>> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(
            keyword.span(),
            "`claims` takes names and values in parentheses: write `claims(tenant_id = path(\"tenant\"))`",
        ));
    }
    let content;
    let parens = parenthesized!(content in input);
    let span = keyword.span().join(parens.span.join()).unwrap_or_else(|| keyword.span());
    let mut claims = Vec::new();
    let mut names: Vec<String> = Vec::new();
    if content.is_empty() {
        diagnostics.error(
            span,
            "`claims()` is empty: write the claims that are required, `claims(tenant_id = path(\"tenant\"))`",
        );
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
                let last = last_span(&start, &content).unwrap_or_else(|| name.span());
                let range = Range { first: name.span(), last };
                let name = possible(Named::Claim, name, diagnostics);
                claims.extend(name.zip(expected).map(|(name, expected)| Claim { name, expected, range }));
            }
            Err(error) => {
                diagnostics.syn_error(error);
                skip_argument(&content);
            }
        }
        comma(&content, diagnostics, "expected a comma before the next claim");
    }
    Ok(claims)
}

/// `name = value`; the value is `None` after an error that was reported.
fn claim(input: ParseStream<'_>, diagnostics: &Diagnostics) -> syn::Result<(Text, Option<Expected>)> {
    let name = if input.peek(LitStr) {
        input.parse::<LitStr>()?.into()
    } else {
        let ident = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected the name of a claim, as an identifier or in quotes: write `claims(plan = \"pro\")`",
            )
        })?;
        Text::new(ident.unraw().to_string(), ident.span())
    };
    input.parse::<Token![=]>().map_err(|error| {
        syn::Error::new(error.span(), format!("{COMPARED_WITH}: write `{} = ..`", name.value()))
    })?;

    let expression = input.parse::<Expr>()?;
    let expected = match ungrouped(&expression) {
        Expr::Call(call) if is_path(&call.func) => path_parameter(call, diagnostics),
        Expr::Array(array) => {
            if array.elems.is_empty() {
                diagnostics.error(
                    span_of(&expression),
                    format!("the list for `{}` is empty, so that no caller could match it: write the values that are allowed", name.value()),
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

fn is_path(function: &Expr) -> bool {
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
            "`path({:?})` is not the name of a path parameter: write the name without braces, `path(\"tenant\")` for a route such as `/org/{{tenant}}`",
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
        diagnostics.syn_error(syn::Error::new_spanned(expression, COMPARED_WITH));
    }
    value.map(|value| Literal { value, span })
}

fn integer(int: &LitInt, sign: &str, span: Span, diagnostics: &Diagnostics) -> Option<Value> {
    match format!("{sign}{}", int.base10_digits()).parse::<i64>() {
        Ok(value) if int.suffix().is_empty() || int.suffix() == "i64" => Some(Value::Integer(value)),
        _ => {
            diagnostics.error(
                span,
                "an integer that a claim is compared with must fit into 64 bits with a sign, and takes no suffix",
            );
            None
        }
    }
}
