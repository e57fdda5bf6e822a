//! One requirement, with those that it joins.

use auth_analysis::ListKind;
use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Ident, Path, Token, parenthesized, token};

use super::claims::claims;
use super::keywords::Level;
use super::level;
use super::value::{duration, strings};
use crate::diagnostics::Diagnostics;
use crate::rule::{Part, Range, Requirement};

/// How many levels of `any`, `all` and `not` there may be.
const MOST_DEPTH: usize = 32;

/// The requirement of one keyword; `None` after an error that was reported.
pub(super) fn requirement(
    keyword: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Part>> {
    let start = input.fork();
    let requirement = without_range(keyword, input, depth, diagnostics)?;
    let last = level::last_span(&start, input).unwrap_or_else(|| keyword.span());
    let range = Range { first: keyword.span(), last };
    Ok(requirement.map(|requirement| Part { requirement, range }))
}

fn without_range(
    keyword: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Requirement>> {
    let text = keyword.unraw().to_string();
    if let Some(kind) = ListKind::from_keyword(&text) {
        let names = strings(keyword, kind, input, diagnostics)?;
        return Ok((!names.is_empty()).then_some(Requirement::List(kind, names)));
    }
    Ok(match text.as_str() {
        "max_age" => Some(Requirement::MaxAge(duration(keyword, input)?)),
        "claims" => {
            let claims = claims(keyword, input, diagnostics)?;
            (!claims.is_empty()).then_some(Requirement::Claims(claims))
        }
        "rule" => Some(Requirement::Named(named(input)?)),
        "any" => joined(keyword, input, depth, diagnostics)?.map(Requirement::Any),
        "all" => joined(keyword, input, depth, diagnostics)?.map(Requirement::All),
        _ => not(keyword, input, depth, diagnostics)?,
    })
}

fn named(input: ParseStream<'_>) -> syn::Result<Path> {
    let expected = |error: syn::Error| {
        let message = "`rule` takes the name of a constant made with `rule!(..)`: write `rule = MEMBERS`";
        syn::Error::new(error.span(), message)
    };
    input.parse::<Token![=]>().map_err(expected)?;
    input.call(Path::parse_mod_style).map_err(expected)
}

/// The inside of `any(..)` or `all(..)`; `None` after it was reported as empty.
fn joined(
    keyword: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Vec<Part>>> {
    let Group { requirements, arguments, span } = group(keyword, input, depth + 1, diagnostics)?;
    if arguments == 0 {
        diagnostics.error(
            span,
            format!(
                "`{keyword}()` is empty: write the requirements that it joins, \
                 `{keyword}(roles = [\"editor\"], scopes = [\"write\"])`, or remove it"
            ),
        );
    }
    Ok((!requirements.is_empty()).then_some(requirements))
}

fn not(
    keyword: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Requirement>> {
    let Group { mut requirements, arguments, span } = group(keyword, input, depth + 1, diagnostics)?;
    let is_single = match requirements.as_slice() {
        [Part { requirement: Requirement::Claims(claims), .. }] => claims.len() == 1,
        _ => arguments == 1,
    };
    if arguments == 0 {
        diagnostics.error(span, "`not()` is empty: write what must not hold, `not(roles = [\"suspended\"])`");
    } else if !is_single {
        diagnostics.error(
            span,
            "`not` takes one requirement, and several could mean two things: \
             write `not(any(..))` if none of them may hold, `not(all(..))` if not all of them may hold at once",
        );
    }
    Ok(requirements.pop().map(|inner| Requirement::Not(Box::new(inner))))
}

/// What the parentheses after a keyword contain.
struct Group {
    requirements: Vec<Part>,
    /// How many, those with errors included.
    arguments: usize,
    span: Span,
}

fn group(
    keyword: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Group> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(
            keyword.span(),
            format!("`{keyword}` takes requirements in parentheses: write `{keyword}(roles = [\"editor\"])`"),
        ));
    }
    if depth > MOST_DEPTH {
        return Err(syn::Error::new(
            keyword.span(),
            format!(
                "the parentheses are more than {MOST_DEPTH} levels deep: give a part of the rule a name, \
                 `const PART: Rule = rule!(..)`, and write `rule = PART`"
            ),
        ));
    }
    let content;
    let parens = parenthesized!(content in input);
    let mut requirements = Vec::new();
    let arguments =
        level::arguments(&content, diagnostics, Level::Nested, &mut Vec::new(), |keyword, input| {
            requirements.extend(requirement(keyword, input, depth, diagnostics)?);
            Ok(())
        });
    let span = keyword.span().join(parens.span.join()).unwrap_or_else(|| keyword.span());
    Ok(Group { requirements, arguments, span })
}
