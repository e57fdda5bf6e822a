//! The account that a server runs as: PostgreSQL and PgBouncer refuse to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Another account, if this process runs as root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    pub(crate) fn find() -> Self {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return Self(None);
        }
        let number = |flag: &str, user: &str| {
            let said = Command::new("id").args([flag, user]).output().ok()?;
            String::from_utf8(said.stdout).ok()?.trim().parse().ok()
        };
        let of = |user| Some((number("-u", user)?, number("-g", user)?));
        let found = of("postgres").or_else(|| of("nobody"));
        Self(Some(
            found.unwrap_or_else(|| panic!("there is neither a user `postgres` nor `nobody` to run it as")),
        ))
    }

    /// A folder of this account.
    pub(crate) fn folder(self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.give(folder.path());
        folder
    }

    pub(crate) fn give(self, path: &Path) {
        if let Self(Some((user, group))) = self {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    pub(crate) fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
        command
    }
}
