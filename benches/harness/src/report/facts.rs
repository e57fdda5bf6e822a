//! How the figures were made: the machine, the compiler, the versions, the date, the load, the command.

use std::fs;
use std::path::Path;
use std::process::Command;

/// `2 cores of an AMD EPYC 7763`
pub(super) fn machine() -> String {
    processor(&fs::read_to_string("/proc/cpuinfo").expect("Linux says what the processor is"))
}

fn processor(cpuinfo: &str) -> String {
    let values = |name: &str| {
        let lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).collect::<Vec<_>>()
    };
    let model =
        values("model name").first().copied().unwrap_or("a processor of which no name is known").to_owned();
    format!("{} cores ({model})", values("processor").len())
}

/// The load average of the last minute.
pub(super) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").expect("Linux says what the load is");
    load.split(' ').next().unwrap_or_default().to_owned()
}

pub(super) fn compiler() -> String {
    let version = said("rustc", &["--version"]);
    version.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

pub(super) fn date() -> String {
    said("date", &["-u", "+%F"])
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?} succeeds");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// The command line that has started this program, from the folder of the project.
pub(super) fn command() -> String {
    let program = std::env::current_exe().expect("this program");
    command_of(&program, std::env::args().skip(1))
}

fn command_of(program: &Path, arguments: impl Iterator<Item = String>) -> String {
    let text = program.to_string_lossy();
    let name = program.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let workspace = text.split("/target/").next().unwrap_or_default();
    let workspace = workspace.rfind("/benches").map_or("benches", |at| &workspace[at + 1..]);
    let mut command = format!("cargo run --release --manifest-path {workspace}/Cargo.toml --bin {name}");
    let arguments: Vec<String> = arguments.collect();
    if !arguments.is_empty() {
        command += &format!(" -- {}", arguments.join(" "));
    }
    command
}

/// `axum 0.7.9 and 0.8.9, jwt-authorizer 0.15.0`, by a lock file.
pub(super) fn versions(lock: &str, crates: &[&str]) -> String {
    let of = |name: &&str| {
        let head = format!("name = \"{name}\"\nversion = \"");
        let versions: Vec<&str> =
            lock.split(&head).skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(!versions.is_empty(), "{name} is in the lock file");
        format!("{name} {}", versions.join(" and "))
    };
    crates.iter().map(of).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"axum\"\nversion = \"0.7.9\"\n\n[[package]]\nname = \"axum\"\nversion = \"0.8.9\"\n\n\
                    [[package]]\nname = \"axum-core\"\nversion = \"0.5.6\"\n";
        assert_eq!(versions(lock, &["axum-core", "axum"]), "axum-core 0.5.6, axum 0.7.9 and 0.8.9");
    }

    #[test]
    #[should_panic(expected = "hyper is in the lock file")]
    fn a_crate_that_is_not_in_the_lock_file_is_an_error() {
        versions("", &["hyper"]);
    }

    #[test]
    fn the_processor_is_that_of_the_system() {
        let cpuinfo =
            "processor\t: 0\nmodel name\t: AMD EPYC 7763\n\nprocessor\t: 1\nmodel name\t: AMD EPYC 7763\n";
        assert_eq!(processor(cpuinfo), "2 cores (AMD EPYC 7763)");
    }

    #[test]
    fn the_command_is_that_of_the_program() {
        let of = |program: &str, arguments: &[&str]| {
            command_of(Path::new(program), arguments.iter().map(|one| (*one).to_owned()))
        };
        assert_eq!(
            of("/home/u/project/benches/peers/target/release/peers", &["new", "--write"]),
            "cargo run --release --manifest-path benches/peers/Cargo.toml --bin peers -- new --write"
        );
        assert_eq!(
            of("/p/benches/target/release/sign", &[]),
            "cargo run --release --manifest-path benches/Cargo.toml --bin sign"
        );
    }
}
