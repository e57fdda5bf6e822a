//! The two keys of the quickstart. They are in its folder, so that tokens stay valid after a restart. A real service reads
//! them from its secret store.

use std::fs;
use std::path::Path;

use auth_runtime::session::{BoxError, RefreshKey, SigningKey, random_secret};
use auth_runtime::verify::Algorithm;

/// The keys in `folder`, which are generated at the first start.
pub(crate) fn load(folder: &Path) -> Result<(SigningKey, RefreshKey), BoxError> {
    let signing = secret(&folder.join("signing.key"))?;
    let refresh = secret(&folder.join("refresh.key"))?;
    Ok((SigningKey::secret(Algorithm::HS256, &signing)?.with_id("1"), RefreshKey::new("1", refresh)))
}

fn secret(path: &Path) -> Result<Vec<u8>, BoxError> {
    if !path.exists() {
        write_for_owner(path, &random_secret()?)?;
    }
    Ok(fs::read(path)?)
}

#[cfg(unix)]
fn write_for_owner(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(secret)
}

#[cfg(not(unix))]
fn write_for_owner(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    fs::write(path, secret)
}
