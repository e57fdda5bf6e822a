//! The example's server, as its user starts it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server; ended when dropped.
#[derive(Debug)]
pub(crate) struct App {
    process: Child,
    pub(crate) origin: String,
}

impl App {
    /// On a port that the system chooses.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_on("0", data)
    }

    pub(crate) fn start_on(port: &str, data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cookie-login"))
            .args(["--port", port, "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url =
            lines.filter_map(|line| Some(line.strip_prefix("Open ")?.split_once("/ ")?.0.to_owned())).next();
        let origin = url.expect("the server says where it is");
        Self { process, origin }
    }

    pub(crate) fn port(&self) -> &str {
        self.origin.rsplit(':').next().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// With no chance to tidy up.
impl Drop for App {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
