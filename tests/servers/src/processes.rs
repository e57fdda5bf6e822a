//! Processes, and signals to them.

use std::fs;
use std::process::Command;

/// A process and its children.
pub(crate) fn family(of: u32) -> Vec<u32> {
    let numbers =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let children = numbers.filter(|process| parent(*process) == Some(of));
    [of].into_iter().chain(children).collect()
}

/// The parent, if the process runs.
fn parent(process: u32) -> Option<u32> {
    let (state, parent) = state(process)?;
    (state != "Z").then_some(parent)
}

/// The state of a process and its parent.
fn state(process: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in brackets, can hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Sends a signal, and returns once it has had its effect.
pub(crate) fn signal(name: &str, processes: &[u32]) {
    for process in processes {
        // A program `kill` is not everywhere, and every shell has it. The process can have ended.
        let number = process.to_string();
        Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\" 2>/dev/null || true", name, &number])
            .status()
            .unwrap();
        // One that has ended, and that nobody has waited for, is a zombie.
        let has_effect = |state: Option<(String, u32)>| match state {
            None => true,
            Some((state, _)) => state == "Z" || name == "CONT" || (name == "STOP" && state == "T"),
        };
        while !has_effect(state(*process)) {
            std::thread::yield_now();
        }
    }
}
