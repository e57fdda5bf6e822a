//! What a token says besides the registered claims.

use serde::{Deserialize, Serialize};

/// What a token says besides the registered claims.
#[derive(Deserialize, Serialize)]
pub(crate) struct Extras {
    pub(crate) kind: Kind,
    pub(crate) language: Option<String>,
}

/// What a token is for.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Login,
    Export,
}
