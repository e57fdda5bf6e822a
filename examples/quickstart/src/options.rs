//! The options of the command line.

use std::path::PathBuf;

use auth_runtime::session::BoxError;

/// The options of the command line.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) port: u16,
    /// The folder of keys and sessions.
    pub(crate) data: PathBuf,
}

impl Options {
    pub(crate) fn from_arguments() -> Result<Self, BoxError> {
        let mut options = Self { port: 3000, data: "quickstart-data".into() };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            match (name.as_str(), arguments.next()) {
                ("--port", Some(number)) => {
                    let invalid = || format!("`--port {number}`: a port is a number up to 65535");
                    options.port = number.parse().map_err(|_| invalid())?;
                }
                ("--data", Some(folder)) => options.data = folder.into(),
                _ => return Err("usage: quickstart [--port NUMBER] [--data FOLDER]".into()),
            }
        }
        std::fs::create_dir_all(&options.data)?;
        Ok(options)
    }
}
