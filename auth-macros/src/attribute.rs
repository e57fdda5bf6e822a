//! Tokens → [`Arguments`]. A mistake within one argument is reported here, and parsing goes on behind the next comma.

mod value;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Ident, Path, Token, parenthesized, token};

use self::value::{claims, duration, strings, strings_or_one};
use crate::check::names;
use crate::diagnostics::Diagnostics;
use crate::rule::{Access, Arguments, Part, Range, Requirement};
use crate::suggest::{list, nearest};

/// Where the arguments stand: `rule!` takes no `check`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Attribute,
    RuleMacro,
}

/// How deep in `any`, `all` and `not` an argument stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top(Place),
    Nested,
}

/// The words of the attribute: (word, may it stand inside `any`, `all`, `not`?).
const WORDS: &[(&str, bool)] = &[
    ("source", false),
    ("roles", true),
    ("scopes", true),
    ("permissions", true),
    ("claims", true),
    ("max_age", true),
    ("acr", true),
    ("any", true),
    ("all", true),
    ("not", true),
    ("rule", true),
    ("check", false),
    ("public", false),
    ("optional", false),
    ("crate", false),
];

/// Words that may stand more than once a level, since each use is a condition of its own.
const REPEATABLE: &[&str] = &["any", "all", "not"];

/// Reads the arguments; every mistake goes to `diagnostics`.
pub(crate) fn parse(tokens: TokenStream, place: Place, diagnostics: &Diagnostics) -> Arguments {
    let mut arguments = Arguments::default();
    let mut access_words: Vec<(Access, Ident)> = Vec::new();
    let mut seen: Vec<Ident> = Vec::new();

    let parser = |input: ParseStream<'_>| {
        level(input, diagnostics, Level::Top(place), &mut seen, |word, input| {
            match word.unraw().to_string().as_str() {
                "crate" => {
                    input.parse::<Token![=]>()?;
                    arguments.root = Some(input.call(Path::parse_mod_style)?);
                }
                "public" => access_words.push((Access::Public, word.clone())),
                "optional" => access_words.push((Access::Optional, word.clone())),
                "source" => arguments.sources = strings_or_one(word, input, diagnostics)?,
                "check" => {
                    input.parse::<Token![=]>()?;
                    arguments.check = Some(input.call(Path::parse_mod_style).map_err(|error| {
                        syn::Error::new(
                            error.span(),
                            "`check` takes a function that `#[check]` stands on: write `check = owns`",
                        )
                    })?);
                }
                _ => arguments.requirements.extend(requirement(word, input, 0, diagnostics)?),
            }
            Ok(())
        });
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        diagnostics.syn_error(error);
    }

    names::sources(&arguments.sources, diagnostics);
    names::access(&access_words, &seen, diagnostics);
    arguments.access = access_words.first().map_or(Access::Authenticated, |(access, _)| *access);
    arguments
}

/// Reads the arguments of a macro that takes `crate = path` and nothing else; `bare` is how it is mostly written.
pub(crate) fn parse_root_only(
    tokens: TokenStream,
    name: &str,
    bare: &str,
    diagnostics: &Diagnostics,
) -> Arguments {
    let parser = |input: ParseStream<'_>| -> syn::Result<Option<Path>> {
        if input.is_empty() {
            return Ok(None);
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style).map(Some)
    };
    let root = parser.parse2(tokens).unwrap_or_else(|error| {
        diagnostics.error(error.span(), format!("`{name}` takes nothing but `crate = path`: write `{bare}`"));
        None
    });
    Arguments { root, ..Arguments::default() }
}

/// Reads `word …, word …` up to the end of `input`, calling `argument` for each word that is known here.
/// Returns how many arguments stood there, mistaken ones included.
fn level(
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
        if input.is_empty() {
            break;
        }
        if let Err(error) = input.parse::<Token![,]>() {
            diagnostics.error(error.span(), "expected a comma before the next word");
            skip_argument(input);
            let _ = input.parse::<Token![,]>();
        }
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
    let word = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), format!("expected one of the words {}", list(known_words(level))))
    })?;
    let text = word.unraw().to_string();

    if !known_words(level).any(|known| known == text) {
        return Err(syn::Error::new(word.span(), unknown(&text, level)));
    }
    if !REPEATABLE.contains(&text.as_str()) && seen.iter().any(|earlier| earlier.unraw() == text) {
        diagnostics.error(word.span(), given_twice(&text));
    }
    seen.push(word.clone());
    argument(&word, input)
}

fn known_words(level: Level) -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter_map(move |&(word, nests)| {
        let known = match level {
            Level::Top(Place::Attribute) => true,
            Level::Top(Place::RuleMacro) => word != "check",
            Level::Nested => nests,
        };
        known.then_some(word)
    })
}

fn unknown(text: &str, level: Level) -> String {
    let elsewhere = WORDS.iter().any(|&(word, _)| word == text);
    match (text, level) {
        ("check", Level::Top(Place::RuleMacro)) => {
            "`check` stands on the handler: write `#[auth(rule = NAME, check = function)]`, and leave it out of `rule!`".into()
        }
        ("check", Level::Nested) => {
            "`check` can only narrow the whole rule: write it at the top level, beside `any`, `all` and `not`".into()
        }
        (_, Level::Nested) if elsewhere => {
            format!("`{text}` is about the whole route: write it at the top level, outside of `any`, `all` and `not`")
        }
        _ => {
            match nearest(text, known_words(level)) {
                Some(near) => format!("unknown word `{text}`: did you mean `{near}`?"),
                None => format!("unknown word `{text}`: expected one of {}", list(known_words(level))),
            }
        }
    }
}

fn given_twice(text: &str) -> String {
    let both = |example: &str| {
        format!(
            "`{text}` is given twice here: write one, or `all({example})` around the second where both must hold \
             and around each in `any(..)` where one is enough"
        )
    };
    match text {
        "roles" => both("roles = [..]"),
        "scopes" => both("scopes = [..]"),
        "permissions" => both("permissions = [..]"),
        "acr" => both("acr = [..]"),
        "claims" => both("claims(..)"),
        "rule" => both("rule = .."),
        _ => format!("`{text}` is given twice here: keep one"),
    }
}

/// The requirement that one word stands for; none after a mistake that was reported.
fn requirement(
    word: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Part>> {
    let behind = input.fork();
    let requirement = unplaced(word, input, depth, diagnostics)?;
    let range = Range { first: word.span(), last: last_span(&behind, input).unwrap_or_else(|| word.span()) };
    Ok(requirement.map(|requirement| Part { requirement, range }))
}

/// The span of the last token that was taken from `start` up to where `end` is now.
fn last_span(start: ParseStream<'_>, end: ParseStream<'_>) -> Option<Span> {
    let mut last = None;
    while start.cursor() != end.cursor() {
        last = Some(start.parse::<TokenTree>().ok()?.span());
    }
    last
}

fn unplaced(
    word: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Requirement>> {
    let text = word.unraw().to_string();
    Ok(match text.as_str() {
        "roles" => listed(strings(word, input, diagnostics)?, Requirement::Roles),
        "scopes" => listed(strings(word, input, diagnostics)?, Requirement::Scopes),
        "permissions" => listed(strings(word, input, diagnostics)?, Requirement::Permissions),
        "acr" => listed(strings(word, input, diagnostics)?, Requirement::Acr),
        "max_age" => Some(Requirement::MaxAge(duration(word, input)?)),
        "claims" => listed(claims(word, input, diagnostics)?, Requirement::Claims),
        "rule" => {
            input.parse::<Token![=]>().map_err(|error| {
                syn::Error::new(
                    error.span(),
                    "`rule` takes a constant made with `rule!(..)`: write `rule = MEMBERS`",
                )
            })?;
            let path = input.call(Path::parse_mod_style).map_err(|error| {
                syn::Error::new(
                    error.span(),
                    "`rule` takes the name of a constant made with `rule!(..)`: write `rule = MEMBERS`",
                )
            })?;
            Some(Requirement::Named(path))
        }
        "any" => nested(word, input, depth, diagnostics)?.map(Requirement::Any),
        "all" => nested(word, input, depth, diagnostics)?.map(Requirement::All),
        _ => not(word, input, depth, diagnostics)?,
    })
}

fn listed<T>(values: Vec<T>, requirement: impl FnOnce(Vec<T>) -> Requirement) -> Option<Requirement> {
    if values.is_empty() { None } else { Some(requirement(values)) }
}

/// How deep `any`, `all` and `not` may stand in one another.
const MOST_DEPTH: usize = 32;

/// The inside of `any(..)` or `all(..)`; `None` after it was reported as empty.
fn nested(
    word: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Vec<Part>>> {
    let (requirements, words, span) = group(word, input, depth + 1, diagnostics)?;
    if words == 0 {
        diagnostics.error(
            span,
            format!("`{word}()` is empty: write what it joins, `{word}(roles = [\"editor\"], scopes = [\"write\"])`, or leave it out"),
        );
    }
    Ok((!requirements.is_empty()).then_some(requirements))
}

fn not(
    word: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<Option<Requirement>> {
    let (mut requirements, words, span) = group(word, input, depth + 1, diagnostics)?;
    match words {
        0 => diagnostics
            .error(span, "`not()` is empty: write what must not hold, `not(roles = [\"suspended\"])`"),
        1 if !matches!(requirements.as_slice(), [Part { requirement: Requirement::Claims(claims), .. }] if claims.len() > 1) =>
            {}
        _ => diagnostics.error(
            span,
            "`not` takes one requirement, and it is unclear what several would mean: \
             write `not(any(..))` where none may hold, `not(all(..))` where not all may hold at once",
        ),
    }
    Ok(requirements.pop().map(|inner| Requirement::Not(Box::new(inner))))
}

/// What stands between the parentheses behind `word`: the requirements, how many words, and the whole's span.
fn group(
    word: &Ident,
    input: ParseStream<'_>,
    depth: usize,
    diagnostics: &Diagnostics,
) -> syn::Result<(Vec<Part>, usize, Span)> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(
            word.span(),
            format!("`{word}` takes its parts in parentheses: write `{word}(roles = [\"editor\"])`"),
        ));
    }
    if depth > MOST_DEPTH {
        return Err(syn::Error::new(
            word.span(),
            format!(
                "parentheses stand {MOST_DEPTH} deep here, which nobody can read: give a part of the rule a name, \
                 `const PART: Rule = rule!(..)`, and write `rule = PART`"
            ),
        ));
    }
    let content;
    let parens = parenthesized!(content in input);
    let mut requirements = Vec::new();
    let words = level(&content, diagnostics, Level::Nested, &mut Vec::new(), |word, input| {
        requirements.extend(requirement(word, input, depth, diagnostics)?);
        Ok(())
    });
    let span = word.span().join(parens.span.join()).unwrap_or_else(|| word.span());
    Ok((requirements, words, span))
}

fn skip_argument(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            break;
        }
    }
}
