//! Words that contradict each other.

use syn::Ident;
use syn::ext::IdentExt as _;

use crate::diagnostics::Diagnostics;
use crate::rule::{Access, Text};

/// A source named twice.
pub(crate) fn sources(sources: &[Text], diagnostics: &Diagnostics) {
    for (index, source) in sources.iter().enumerate() {
        if sources.iter().take(index).any(|earlier| earlier.value() == source.value()) {
            diagnostics
                .error(source.span(), format!("the source `{}` is named twice: keep one", source.value()));
        }
    }
}

/// `public` takes no other word, `optional` takes `source` only.
pub(crate) fn access(access: &[(Access, Ident)], seen: &[Ident], diagnostics: &Diagnostics) {
    let Some((first, first_word)) = access.first() else { return };
    for word in seen {
        let text = word.unraw().to_string();
        let allowed = match first {
            _ if word == first_word || text == "crate" => true,
            Access::Optional => text == "source",
            Access::Public | Access::Authenticated => false,
        };
        // A word given twice is reported as that.
        if allowed || word.unraw() == first_word.unraw() {
            continue;
        }
        let message = match (first, text.as_str()) {
            (_, "public" | "optional") => {
                format!(
                    "`{first_word}` and `{text}` exclude each other: `public` never looks at a credential, `optional` uses one if it is sent"
                )
            }
            (Access::Public, _) => {
                format!(
                    "`public` asks for nothing, so `{text}` would have no effect: leave out one of the two"
                )
            }
            _ => format!(
                "`optional` lets everyone in, so `{text}` would have no effect: leave out one of the two (only `source` goes with `optional`)"
            ),
        };
        diagnostics.error(word.span(), message);
    }
}
