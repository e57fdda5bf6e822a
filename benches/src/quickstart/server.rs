//! The quickstart as a process, and what the kernel says of its memory.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf, absolute};
use std::process::{Child, Command, Stdio};
use std::thread;

/// A running quickstart. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    pub port: u16,
}

impl Server {
    /// Starts a binary of the quickstart on any free port, with its data in this folder. Each line that it logs is passed on.
    pub fn start(binary: &Path, data: &Path, log: impl FnMut(String) + Send + 'static) -> Self {
        let mut process = Command::new(binary)
            .args(["--port", "0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        // Both pipes are read to their ends: a full one would stop the server.
        let stderr = process.stderr.take().unwrap();
        thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).for_each(log));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        // "The same table as a page: http://127.0.0.1:PORT/access"
        let port = lines.find_map(|line| {
            let (_, rest) = line.split_once("http://127.0.0.1:")?;
            rest.split('/').next()?.parse().ok()
        });
        thread::spawn(move || lines.for_each(drop));
        // Built first, so that the process ends if there is no port.
        let mut server = Self { process, port: 0 };
        server.port = port.expect("the server prints where it listens");
        server
    }

    /// A line of `/proc/PID/status`, in bytes: `VmRSS` is the memory now, `VmHWM` the most so far. `None` if it has ended.
    pub fn memory(&self, line: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))?;
        let kilobytes: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// Ends it by SIGKILL, if it still runs.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A temporary folder of this process. It is removed when this is dropped.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn create(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// Builds the quickstart, and returns the path of its binary.
pub fn build() -> PathBuf {
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
