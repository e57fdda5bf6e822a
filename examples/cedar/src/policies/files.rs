//! Reads the files of the policies. Each error names the file and the line.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use cedar_policy::{PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;

/// The policies cannot be used, for these reasons.
pub(crate) struct InvalidPolicies(Vec<String>);

impl fmt::Display for InvalidPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policies cannot be used:\n{}", self.0.join("\n"))
    }
}

/// As `Display`: it is what a `main` prints that returns an error.
impl fmt::Debug for InvalidPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InvalidPolicies {}

/// The schema, and policies that fit it.
pub(super) fn read(folder: &Path) -> Result<(Schema, PolicySet), InvalidPolicies> {
    let file = File::read(folder.join("schema.cedarschema"))?;
    let (schema, warnings) =
        Schema::from_cedarschema_str(&file.text).map_err(|error| file.invalid([&error as _]))?;
    let warnings: Vec<_> = warnings.collect();
    file.assert_none(warnings.iter().map(|warning| warning as _))?;

    let file = File::read(folder.join("articles.cedar"))?;
    let policies: PolicySet = file.text.parse().map_err(|error| file.invalid([&error as _]))?;
    let policies = file.named(&policies)?;
    let validated = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
    let errors = validated.validation_errors().map(|error| error as &dyn Diagnostic);
    // Warnings too: one of them is that a policy, which may be a `forbid`, never applies.
    file.assert_none(errors.chain(validated.validation_warnings().map(|warning| warning as _)))?;
    Ok((schema, policies))
}

struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn read(path: PathBuf) -> Result<Self, InvalidPolicies> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) => Err(InvalidPolicies(vec![format!("{}: {error}", path.display())])),
        }
    }

    /// The policies under the names that their annotations `@id` give them, for the log. Without one it is `policy0`, and so on.
    fn named(&self, policies: &PolicySet) -> Result<PolicySet, InvalidPolicies> {
        let policies = policies.policies().map(|policy| match policy.annotation("id") {
            Some(id) => policy.new_id(PolicyId::new(id)),
            None => policy.clone(),
        });
        PolicySet::from_policies(policies).map_err(|error| self.invalid([&error as _]))
    }

    fn assert_none<'e>(
        &self,
        errors: impl IntoIterator<Item = &'e dyn Diagnostic>,
    ) -> Result<(), InvalidPolicies> {
        let invalid = self.invalid(errors);
        if invalid.0.is_empty() { Ok(()) } else { Err(invalid) }
    }

    fn invalid<'e>(&self, errors: impl IntoIterator<Item = &'e dyn Diagnostic>) -> InvalidPolicies {
        let mut lines = Vec::new();
        errors.into_iter().for_each(|error| self.describe(error, &mut lines));
        InvalidPolicies(lines)
    }

    /// A line for the error, and one for each that was found with it.
    fn describe(&self, error: &dyn Diagnostic, lines: &mut Vec<String>) {
        let label = error.labels().and_then(|mut labels| labels.next());
        let place = label.as_ref().map_or_else(String::new, |label| {
            let before = self.text.bytes().take(label.offset());
            format!(":{}", 1 + before.filter(|byte| *byte == b'\n').count())
        });
        let hint = label.and_then(|label| label.label().map(str::to_owned));
        let help = error.help().map(|help| help.to_string());
        let hints: String = hint.into_iter().chain(help).map(|hint| format!(" ({hint})")).collect();
        lines.push(format!("{}{place}: {error}{hints}", self.path.display()));
        for related in error.related().into_iter().flatten() {
            self.describe(related, lines);
        }
    }
}
