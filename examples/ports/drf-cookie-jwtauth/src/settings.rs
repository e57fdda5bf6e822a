//! What differs between deployments, from variables of the environment: keys, and the names of the cookies.

use std::ffi::OsString;
use std::path::Path;

use auth_runtime::session::{BoxError, RefreshKey, SigningKey};
use auth_runtime::verify::Algorithm;
use ports_support::secret;

/// The settings.
pub(crate) struct Settings {
    pub(crate) signing_key: SigningKey,
    pub(crate) refresh_key: RefreshKey,
    pub(crate) access_cookie: String,
    pub(crate) refresh_cookie: String,
}

impl Settings {
    /// Reads them. No key has a default: one that is not named is made at the first start, in the folder of the data.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<OsString>, data: &Path) -> Result<Self, BoxError> {
        let signing_key = match variable("SIGNING_KEY") {
            Some(text) => text.into_encoded_bytes(),
            None => secret(&data.join("signing.key"))?,
        };
        let name = |variable: Option<OsString>, default: &str| {
            variable.map_or(default.to_owned(), |name| name.to_string_lossy().into_owned())
        };
        Ok(Self {
            signing_key: SigningKey::secret(Algorithm::HS256, &signing_key)?.with_id("1"),
            refresh_key: RefreshKey::new("1", secret(&data.join("refresh.key"))?),
            access_cookie: name(variable("ACCESS_TOKEN_COOKIE_NAME"), "__Host-access_token"),
            refresh_cookie: name(variable("REFRESH_TOKEN_COOKIE_NAME"), "__Host-refresh_token"),
        })
    }
}
