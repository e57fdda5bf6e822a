//! All arguments of one macro.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Ident, Path, Token, token};

use super::keywords::{Level, Place};
use super::level;
use super::requirement::requirement;
use super::value::strings_or_one;
use crate::check::conflicts;
use crate::diagnostics::Diagnostics;
use crate::rule::{Access, Arguments};

/// Reads the arguments; every error goes to `diagnostics`.
pub(crate) fn parse(tokens: TokenStream, place: Place, diagnostics: &Diagnostics) -> Arguments {
    let mut arguments = Arguments::default();
    let mut access: Vec<(Access, Ident)> = Vec::new();
    let mut seen: Vec<Ident> = Vec::new();

    let parser = |input: ParseStream<'_>| {
        level::arguments(input, diagnostics, Level::Top(place), &mut seen, |keyword, input| {
            match keyword.unraw().to_string().as_str() {
                "crate" => {
                    input.parse::<Token![=]>()?;
                    arguments.root = Some(input.call(Path::parse_mod_style)?);
                }
                "public" => access.push((Access::Public, alone(keyword, input)?)),
                "optional" => access.push((Access::Optional, alone(keyword, input)?)),
                "source" => arguments.sources = strings_or_one(keyword, input, diagnostics)?,
                "check" => {
                    input.parse::<Token![=]>()?;
                    arguments.check = Some(input.call(Path::parse_mod_style).map_err(|error| {
                        syn::Error::new(
                            error.span(),
                            "`check` takes the name of a function that has `#[check]`: write `check = owns`",
                        )
                    })?);
                }
                _ => arguments.requirements.extend(requirement(keyword, input, 0, diagnostics)?),
            }
            Ok(())
        });
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        diagnostics.syn_error(error);
    }

    conflicts::sources(&arguments.sources, diagnostics);
    conflicts::access(&access, &seen, diagnostics);
    arguments.access = access.first().map_or(Access::Authenticated, |(access, _)| *access);
    arguments
}

/// The keyword, if nothing belongs to it.
fn alone(keyword: &Ident, input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        let message = format!("`{keyword}` takes no value: write `{keyword}`, or remove it");
        return Err(syn::Error::new(keyword.span(), message));
    }
    Ok(keyword.clone())
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
        diagnostics
            .error(error.span(), format!("`{name}` takes no argument but `crate = path`: write `{bare}`"));
        None
    });
    Arguments { root, ..Arguments::default() }
}
