//! The text of `auth.toml` → the vocabulary, or every error in it, each with its line and what to write instead.

use super::declarations::FileErrors;
use super::model::Vocabulary;
use super::parse::parse;
use super::resolve::resolve;

/// The vocabulary, or the errors with their lines, in the order of the file. Never an empty list.
pub(super) fn read(text: &str) -> Result<Vocabulary, Vec<(usize, String)>> {
    let mut errors = FileErrors::default();
    let declarations = parse(text, &mut errors);
    let vocabulary = resolve(declarations, &mut errors);
    let errors = errors.with_lines(text);
    if errors.is_empty() { Ok(vocabulary) } else { Err(errors) }
}
