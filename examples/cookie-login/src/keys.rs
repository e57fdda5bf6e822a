//! The secrets of the service, in files that only its user may read. With the same keys, tokens stay valid after a restart.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use auth_runtime::session::{RefreshKey, SignError, SigningKey, random_secret};
use auth_runtime::verify::Algorithm;

/// The keys that tokens are made with.
pub(crate) struct Keys {
    pub(crate) signing: SigningKey,
    pub(crate) refresh: RefreshKey,
}

impl Keys {
    /// The keys in this folder, which are generated at the first start.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        let signing = kept(&folder.join("signing.pem"), || {
            Ok(SigningKey::generate_pem(Algorithm::EdDSA)?.into_bytes())
        })?;
        let refresh = kept(&folder.join("refresh.key"), || Ok(random_secret()?.to_vec()))?;
        Ok(Self {
            signing: SigningKey::pem(Algorithm::EdDSA, &signing)?,
            refresh: RefreshKey::new("1", refresh),
        })
    }
}

/// The content of this file. If there is no such file, it is made with `make`.
fn kept(path: &Path, make: impl FnOnce() -> Result<Vec<u8>, SignError>) -> Result<Vec<u8>, Box<dyn Error>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let secret = make()?;
            write_for_owner(path, &secret)?;
            Ok(secret)
        }
        read => {
            check_readers(path)?;
            Ok(read?)
        }
    }
}

fn write_for_owner(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(secret)?;
    file.sync_all()
}

/// Rejects a file that other users may read: its content is not secret.
fn check_readers(path: &Path) -> Result<(), Box<dyn Error>> {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions()) & 0o077 != 0 {
        return Err(format!(
            "{}: other users may read it. Delete it: a new one is made at the next start",
            path.display()
        )
        .into());
    }
    Ok(())
}
