//! `rule!(..)`, and the rule that every expansion contains.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::common::private;
use super::encode::EncodedRule;
use crate::attribute::{self, Place};
use crate::check::{declared, satisfiability};
use crate::diagnostics::Diagnostics;
use crate::rule::{Access, Arguments};
use crate::vocabulary::{Loaded, Vocabulary, load};

/// `rule!(..)`: a constant expression of type `Rule`.
pub(crate) fn rule_macro(arguments: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let arguments = attribute::parse(arguments, Place::RuleMacro, &diagnostics);
    let loaded = load();
    let vocabulary = checked(&arguments, loaded.as_ref(), &diagnostics);

    let private = private(&arguments);
    let rule = rule(&arguments, vocabulary);
    let track = loaded.as_ref().map(Loaded::track);
    match diagnostics.finish() {
        Ok(warnings) => {
            quote!({ #track #(#warnings)* const __AUTH_RULE: #private::Rule = #rule; __AUTH_RULE })
        }
        Err(errors) => quote!({ #track #errors #private::Rule::deny_all() }),
    }
}

/// Checks the names of the arguments against the vocabulary, and whether the rule can be satisfied. Returns the vocabulary.
pub(super) fn checked<'l>(
    arguments: &Arguments,
    loaded: Option<&'l Loaded>,
    diagnostics: &Diagnostics,
) -> Option<&'l Vocabulary> {
    let vocabulary = loaded.and_then(|loaded| loaded.vocabulary(diagnostics));
    if let (Some(loaded), Some(vocabulary)) = (loaded, vocabulary) {
        declared::names(arguments, vocabulary, &loaded.name, diagnostics);
    }
    // What follows from a wrong name would be wrong too.
    if !diagnostics.has_errors() {
        satisfiability::check(arguments, vocabulary, diagnostics);
    }
    vocabulary
}

/// The rule as a constant expression.
pub(super) fn rule(arguments: &Arguments, vocabulary: Option<&Vocabulary>) -> TokenStream {
    let private = private(arguments);
    let access = match arguments.access {
        Access::Public => quote!(public()),
        Access::Optional => quote!(optional()),
        Access::Authenticated => quote!(authenticated()),
    };
    let sources = (!arguments.sources.is_empty()).then(|| {
        let sources = &arguments.sources;
        quote!(.sources(&[#(#sources),*]))
    });
    let start = quote!(#private::Rule::#access #sources);
    if arguments.requirements.is_empty() {
        return start;
    }
    let EncodedRule { arguments, first_named } =
        EncodedRule::new(&arguments.requirements, vocabulary, &private);
    match first_named {
        None => quote!(#start.encoded(#arguments)),
        Some(span) => {
            let start = respan(start, span);
            quote_spanned!(span=> #start.encoded(#arguments))
        }
    }
}

/// The same tokens, as if they stood at `span`.
fn respan(tokens: TokenStream, span: proc_macro2::Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}
