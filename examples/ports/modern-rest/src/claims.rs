//! What a token says besides the registered claims.

use serde::{Deserialize, Serialize};

/// What a token says besides the registered claims.
#[derive(Deserialize, Serialize)]
pub(crate) struct Extras {
    pub(crate) kind: Kind,
    pub(crate) language: Option<Language>,
}

impl Extras {
    /// Those of a token for a program.
    pub(crate) fn of(kind: Kind) -> Self {
        Self { kind, language: None }
    }
}

/// What a token is for.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Login,
    Export,
    Sync,
}

/// A language, such as `en`. A token with another text is invalid where a handler takes its claims: 401.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Language(String);

impl Language {
    pub(crate) fn is(&self, code: &str) -> bool {
        self.0 == code
    }
}

impl TryFrom<String> for Language {
    type Error = &'static str;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase());
        if is_code { Ok(Self(code)) } else { Err("a language has two small letters") }
    }
}

impl From<Language> for String {
    fn from(Language(code): Language) -> Self {
        code
    }
}
