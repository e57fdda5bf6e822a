//! Names that the vocabulary doesn't declare.

use crate::diagnostics::Diagnostics;
use crate::rule::{Arguments, Part, Requirement, Text};
use crate::suggest;
use crate::vocabulary::Vocabulary;

/// Looks up every name of the rule, where it stands.
pub(crate) fn names(arguments: &Arguments, vocabulary: &Vocabulary, file: &str, diagnostics: &Diagnostics) {
    let check = Check { vocabulary, file, diagnostics };
    let sources = vocabulary.source_names();
    check.all(&arguments.sources, "source", &sources, |name| {
        format!("write `[sources.{}]`, with its `kind` below it,", key(name))
    });
    arguments.requirements.iter().for_each(|part| check.part(part));
}

struct Check<'c> {
    vocabulary: &'c Vocabulary,
    file: &'c str,
    diagnostics: &'c Diagnostics,
}

impl Check<'_> {
    fn part(&self, part: &Part) {
        match &part.requirement {
            Requirement::Roles(names) => {
                let declared = self.vocabulary.role_names();
                self.all(names, "role", &declared, |name| {
                    format!("write `{} = {{}}` below `[roles]`", key(name))
                });
            }
            Requirement::Scopes(names) => {
                let declared = self.vocabulary.scope_names();
                self.all(names, "scope", &declared, |name| {
                    format!("write `{} = \"What it allows\"` below `[scopes]`", key(name))
                });
            }
            Requirement::Permissions(names) => {
                let declared = self.vocabulary.permission_names();
                self.all(names, "permission", &declared, |name| {
                    format!(
                        "write `{} = [..]`, with the roles that are granted it, below `[permissions]`",
                        key(name)
                    )
                });
            }
            Requirement::Any(parts) | Requirement::All(parts) => {
                parts.iter().for_each(|part| self.part(part));
            }
            Requirement::Not(part) => self.part(part),
            Requirement::Claims(_) | Requirement::MaxAge(_) | Requirement::Acr(_) | Requirement::Named(_) => {
            }
        }
    }

    fn all(&self, names: &[Text], kind: &str, declared: &[&str], how: impl Fn(&str) -> String) {
        for name in names {
            let text = name.value();
            if !declared.contains(&text) {
                let message = format!(
                    "unknown {kind} `{text}`: {}. To declare it, {} in {}",
                    suggest::among(text, declared),
                    how(text),
                    self.file
                );
                self.diagnostics.error(name.span(), message);
            }
        }
    }
}

fn key(name: &str) -> String {
    crate::vocabulary::key_text(name)
}
