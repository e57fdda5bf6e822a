//! The quickstart as a process, and what the kernel says of its memory.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf, absolute};
use std::process::{Child, Command, Stdio};
use std::thread;

/// A running quickstart. It ends, and its folder is removed, when this is dropped.
pub(crate) struct Server {
    process: Child,
    folder: PathBuf,
    pub(crate) port: u16,
}

impl Server {
    /// Starts the binary that `--server` names, or a release build of the quickstart, on any free port.
    pub(crate) fn start() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let binary = match arguments.as_slice() {
            [] => build(),
            [name, path] if name == "--server" => path.into(),
            _ => panic!("usage: login-memory [--server PATH]"),
        };
        let folder = std::env::temp_dir().join(format!("login-memory-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut process = Command::new(&binary)
            .args(["--port", "0", "--data"])
            .arg(&folder)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        discard(process.stderr.take().unwrap());
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        // "The same table as a page: http://127.0.0.1:PORT/access"
        let port = lines.find_map(|line| {
            let (_, rest) = line.split_once("http://127.0.0.1:")?;
            rest.split('/').next()?.parse().ok()
        });
        thread::spawn(move || lines.for_each(drop));
        Self { process, folder, port: port.expect("the server prints where it listens") }
    }

    /// A line of `/proc/PID/status`, in bytes: `VmRSS` is the memory now, `VmHWM` the most so far.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).unwrap();
        let kilobytes: u64 = value.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        kilobytes * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// A full pipe would stop the server.
fn discard(mut pipe: impl Read + Send + 'static) {
    thread::spawn(move || std::io::copy(&mut pipe, &mut std::io::sink()));
}

/// Builds the quickstart, and returns the path of its binary.
fn build() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), |folder| absolute(folder).unwrap());
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--locked", "--release", "-p", "quickstart", "--target-dir"])
        .arg(&target)
        .current_dir(workspace)
        .status()
        .unwrap();
    assert!(status.success(), "the quickstart does not build");
    target.join("release").join("quickstart")
}
