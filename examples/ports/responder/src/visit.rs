//! What a session of the pages remembers.

use auth_runtime::session::SessionValue;
use serde::{Deserialize, Serialize};

/// What a session remembers. It is in the store: no token and no cookie has it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Visit {
    pub(crate) theme: Theme,
    /// The last note that was shown.
    pub(crate) seen: i64,
}

impl SessionValue for Visit {
    const NAME: &str = "visit";
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    #[default]
    Light,
    Dark,
}
