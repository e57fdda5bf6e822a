//! Arguments that contradict each other.

use syn::Ident;
use syn::ext::IdentExt as _;

use crate::diagnostics::Diagnostics;
use crate::rule::{Access, Text};

/// A source named twice.
pub(crate) fn sources(sources: &[Text], diagnostics: &Diagnostics) {
    for (index, source) in sources.iter().enumerate() {
        if sources.iter().take(index).any(|earlier| earlier.value() == source.value()) {
            diagnostics
                .error(source.span(), format!("the source `{}` is given twice: remove one", source.value()));
        }
    }
}

/// `public` takes no other argument, `optional` takes `source` only.
pub(crate) fn access(access: &[(Access, Ident)], seen: &[Ident], diagnostics: &Diagnostics) {
    let Some((first, first_keyword)) = access.first() else { return };
    for keyword in seen {
        let text = keyword.unraw().to_string();
        let allowed = match first {
            _ if keyword == first_keyword || text == "crate" => true,
            Access::Optional => text == "source",
            Access::Public | Access::Authenticated => false,
        };
        // An argument that is given twice is reported as that.
        if allowed || keyword.unraw() == first_keyword.unraw() {
            continue;
        }
        let message = match (first, text.as_str()) {
            (_, "public" | "optional") => {
                format!(
                    "`{first_keyword}` and `{text}` exclude each other: `public` never looks at a credential, `optional` uses one if it is sent. Remove one of the two"
                )
            }
            (Access::Public, _) => {
                format!("`public` requires nothing, so `{text}` would have no effect: remove one of the two")
            }
            _ => format!(
                "`optional` lets in callers without a credential, so `{text}` would have no effect: remove one of the two (only `source` can be combined with `optional`)"
            ),
        };
        diagnostics.error(keyword.span(), message);
    }
}
