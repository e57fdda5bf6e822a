//! Names that the vocabulary doesn't declare.

use auth_analysis::ListKind;

use crate::diagnostics::Diagnostics;
use crate::rule::{Arguments, Part, Requirement, Text};
use crate::suggest;
use crate::vocabulary::{Vocabulary, key_text};

/// Looks up every name of the rule.
pub(crate) fn names(arguments: &Arguments, vocabulary: &Vocabulary, file: &str, diagnostics: &Diagnostics) {
    let check = Check { vocabulary, file, diagnostics };
    check.all(&arguments.sources, Kind::Source);
    arguments.requirements.iter().for_each(|part| check.part(part));
}

#[derive(Clone, Copy)]
enum Kind {
    Role,
    Scope,
    Permission,
    Source,
}

struct Check<'c> {
    vocabulary: &'c Vocabulary,
    file: &'c str,
    diagnostics: &'c Diagnostics,
}

impl Check<'_> {
    fn part(&self, part: &Part) {
        match &part.requirement {
            Requirement::List(ListKind::Roles, names) => self.all(names, Kind::Role),
            Requirement::List(ListKind::Scopes, names) => self.all(names, Kind::Scope),
            Requirement::List(ListKind::Permissions, names) => self.all(names, Kind::Permission),
            Requirement::Any(parts) | Requirement::All(parts) => {
                parts.iter().for_each(|part| self.part(part));
            }
            Requirement::Not(part) => self.part(part),
            Requirement::List(..)
            | Requirement::Claims(_)
            | Requirement::MaxAge(_)
            | Requirement::Named(_) => {}
        }
    }

    fn all(&self, names: &[Text], kind: Kind) {
        for name in names.iter().filter(|name| !self.is_declared(name.value(), kind)) {
            let text = name.value();
            let key = key_text(text);
            let (what, declared, how) = match kind {
                Kind::Role => {
                    ("role", self.vocabulary.role_names(), format!("`{key} = {{}}` below `[roles]`"))
                }
                Kind::Scope => (
                    "scope",
                    self.vocabulary.scope_names(),
                    format!("`{key} = \"What it allows\"` below `[scopes]`"),
                ),
                Kind::Permission => (
                    "permission",
                    self.vocabulary.permission_names(),
                    format!("`{key} = [..]`, with the roles that are granted it, below `[permissions]`"),
                ),
                Kind::Source if text == "api_key" => (
                    "source",
                    self.vocabulary.source_names(),
                    "`[sources.api_key]`, with `kind = \"custom\"` below it,".to_owned(),
                ),
                Kind::Source => (
                    "source",
                    self.vocabulary.source_names(),
                    format!("`[sources.{key}]`, with its `kind` below it,"),
                ),
            };
            let message = format!(
                "unknown {what} `{text}`: {}. To declare it, write {how} in {}",
                suggest::among(text, &declared),
                self.file
            );
            self.diagnostics.error(name.span(), message);
        }
    }

    fn is_declared(&self, name: &str, kind: Kind) -> bool {
        match kind {
            Kind::Role => self.vocabulary.role(name).is_some(),
            Kind::Scope => self.vocabulary.scope(name).is_some(),
            Kind::Permission => self.vocabulary.permission(name).is_some(),
            Kind::Source => self.vocabulary.source_names().contains(&name),
        }
    }
}
