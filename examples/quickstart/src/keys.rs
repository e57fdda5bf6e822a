//! The two keys of the quickstart, kept in its folder so that a restart logs nobody out. A real service takes them from
//! where it keeps its secrets.

use std::fs;
use std::path::Path;

use auth_runtime::tokens::{BoxError, RefreshKey, SigningKey};
use auth_runtime::verify::Algorithm;

/// The keys in `folder`, made at the first start.
pub(crate) fn load(folder: &Path) -> Result<(SigningKey, RefreshKey), BoxError> {
    let signing = secret(&folder.join("signing.key"))?;
    let refresh = secret(&folder.join("refresh.key"))?;
    Ok((SigningKey::secret(Algorithm::HS256, &signing)?.with_id("1"), RefreshKey::new("1", refresh)))
}

fn secret(path: &Path) -> Result<Vec<u8>, BoxError> {
    if !path.exists() {
        // Two ids of 128 random bits each are as good as 256 random bits.
        let fresh = format!("{}{}", auth_runtime::tokens::random_id()?, auth_runtime::tokens::random_id()?);
        write_for_us_alone(path, &fresh)?;
    }
    Ok(fs::read(path)?)
}

#[cfg(unix)]
fn write_for_us_alone(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn write_for_us_alone(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}
