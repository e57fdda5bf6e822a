//! Secrets in files that only their owner may read. With the same keys, tokens stay valid after a restart.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use auth_runtime::session::{BoxError, random_secret};

/// The 32 bytes in this file, which are made at the first start.
///
/// # Errors
/// As [`kept`].
pub fn secret(file: &Path) -> Result<Vec<u8>, BoxError> {
    kept(file, || Ok(random_secret()?.to_vec()))
}

/// The content of this file. If there is no such file, it is made with `make`.
///
/// # Errors
/// If the file cannot be read or written, or other users may read it: then its content is not secret.
pub fn kept(file: &Path, make: impl FnOnce() -> Result<Vec<u8>, BoxError>) -> Result<Vec<u8>, BoxError> {
    match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let secret = make()?;
            write_for_owner(file, &secret)?;
            Ok(secret)
        }
        read => {
            let secret = read?;
            check_readers(file)?;
            Ok(secret)
        }
    }
}

fn write_for_owner(file: &Path, secret: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(secret)?;
    file.sync_all()
}

fn check_readers(file: &Path) -> Result<(), BoxError> {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file)?.permissions()) & 0o077 != 0 {
        return Err(format!(
            "{}: other users may read it. Delete it: a new one is made at the next start",
            file.display()
        )
        .into());
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_is_for_its_owner() -> Result<(), BoxError> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.key");
        let made = secret(&file)?;
        assert_eq!(made.len(), 32);
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
        assert_eq!(secret(&file)?, made);
        assert_ne!(secret(&folder.path().join("b.key"))?, made);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o640))?;
        let error = secret(&file).unwrap_err().to_string();
        assert!(error.contains("other users may read it"), "{error}");
        Ok(())
    }
}
