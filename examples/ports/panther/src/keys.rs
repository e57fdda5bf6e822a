//! The key that tokens are signed with.

use std::ffi::OsString;
use std::path::Path;

use auth_runtime::session::{BoxError, SigningKey};
use auth_runtime::verify::Algorithm;
use ports_support::secret;

/// The secret of the environment. Where there is none, one that is made at the first start and is in the folder of the data.
pub(crate) fn signing_key(secret_key: Option<OsString>, data: &Path) -> Result<SigningKey, BoxError> {
    let secret = match secret_key {
        Some(text) => text.into_encoded_bytes(),
        None => secret(&data.join("signing.key"))?,
    };
    Ok(SigningKey::secret(Algorithm::HS256, &secret)?.with_id("1"))
}
