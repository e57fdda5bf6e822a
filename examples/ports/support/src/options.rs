//! The options of the command line.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use auth_runtime::session::BoxError;

/// The options of the command line: `--port NUMBER` and `--data FOLDER`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Options {
    /// The port; 0 is any free one. Default: 3000.
    pub port: u16,
    /// The folder of the service's data, which only its user may open. Default: the name of the program, and `-data`.
    pub data: PathBuf,
}

impl Options {
    /// Reads the options of the program of this name, and makes the folder.
    ///
    /// # Errors
    /// If there is an option that it does not have, or the folder cannot be made.
    pub fn from_arguments(program: &str) -> Result<Self, BoxError> {
        let options = Self::read(program, std::env::args().skip(1))?;
        make(&options.data)?;
        Ok(options)
    }

    fn read(program: &str, mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { port: 3000, data: format!("{program}-data").into() };
        while let Some(name) = arguments.next() {
            match (name.as_str(), arguments.next()) {
                ("--port", Some(number)) => {
                    let port = number.parse();
                    options.port =
                        port.map_err(|_| format!("`--port {number}`: a port is a number up to 65535"))?;
                }
                ("--data", Some(folder)) => options.data = folder.into(),
                _ => return Err(format!("usage: {program} [--port NUMBER] [--data FOLDER]")),
            }
        }
        Ok(options)
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(arguments: &[&str]) -> Result<(u16, String), String> {
        let options = Options::read("desk", arguments.iter().map(|argument| (*argument).to_owned()))?;
        Ok((options.port, options.data.display().to_string()))
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        assert_eq!(read(&[]), Ok((3000, "desk-data".to_owned())));
        assert_eq!(read(&["--data", "here", "--port", "0"]), Ok((0, "here".to_owned())));
        let usage = Err("usage: desk [--port NUMBER] [--data FOLDER]".to_owned());
        for wrong in [&["--port"][..], &["--host", "x"], &["3000"]] {
            assert_eq!(read(wrong), usage, "{wrong:?}");
        }
        assert_eq!(
            read(&["--port", "65536"]),
            Err("`--port 65536`: a port is a number up to 65535".to_owned())
        );
    }
}
