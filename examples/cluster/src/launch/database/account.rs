//! The account that a server runs as: PostgreSQL refuses to run as root, as programs in containers often do.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use auth_runtime::session::BoxError;

/// Another account, if this process runs as root.
#[derive(Clone, Copy)]
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    pub(super) fn find() -> Result<Self, BoxError> {
        if id(&["-u"]) != Some(0) {
            return Ok(Self(None));
        }
        let of = |name| Some((id(&["-u", name])?, id(&["-g", name])?));
        let found = of("postgres").or_else(|| of("nobody"));
        let missing = "a database server does not run as root, and there is no user postgres or nobody: run it as another user";
        Ok(Self(Some(found.ok_or(missing)?)))
    }

    /// Makes it the owner of a file.
    pub(super) fn give(self, path: &Path) -> std::io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
    }

    /// A command that runs as this account, in this folder.
    pub(super) fn command(self, program: &Path, folder: &Path) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        command.current_dir(folder);
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
        command
    }
}

/// A number of a user, as POSIX's `id` prints it.
fn id(arguments: &[&str]) -> Option<u32> {
    let printed = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(printed.stdout).ok()?.trim().parse().ok()
}
