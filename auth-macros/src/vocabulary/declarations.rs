//! The file as it is written, and its errors.

use super::model::SourceKind;

/// What the file says, before names are looked up.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    pub(super) default_source: Vec<Name>,
    pub(super) roles: Vec<RoleDeclaration>,
    pub(super) scopes: Vec<(Name, String)>,
    pub(super) permissions: Vec<(Name, Vec<Name>)>,
    pub(super) sources: Vec<(Name, SourceKind)>,
}

#[derive(Debug)]
pub(super) struct RoleDeclaration {
    pub(super) name: Name,
    pub(super) implies: Vec<Name>,
    pub(super) excludes: Vec<Name>,
    pub(super) description: Option<String>,
}

/// A name in the file.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    /// The byte of the file at which it begins.
    pub(super) at: usize,
}

/// The errors of a file, each with the byte of the text where it is.
#[derive(Debug, Default)]
pub(super) struct FileErrors(Vec<(usize, String)>);

impl FileErrors {
    pub(super) fn push(&mut self, at: usize, message: impl Into<String>) {
        self.0.push((at, message.into()));
    }

    /// The errors with their lines in `text`, in the order of the file.
    pub(super) fn with_lines(mut self, text: &str) -> Vec<(usize, String)> {
        self.0.sort_by_key(|(at, _)| *at);
        let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        self.0.into_iter().map(|(at, message)| (line(at), message)).collect()
    }
}

/// A name as a key is written: bare where it can be.
pub(crate) fn key_text(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { format!("{name:?}") }
}
