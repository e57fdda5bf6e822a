//! How many instructions and allocations a request takes, by callgrind: counts that do not depend on the machine's load.

use std::process::Command;

use super::variants;

const FEW: u64 = 1_000;
const MANY: u64 = 3_000;

/// What a run counts.
#[derive(Clone, Copy)]
struct Counts {
    instructions: u64,
    allocations: u64,
}

pub fn report() {
    println!("{:<34} {:>14} {:>12} {:>14} {:>12}", "", "instructions", "above plain", "allocations", "above plain");
    let counted = variants::NAMES.map(|name| (name, of(name)));
    let plain = counted[0].1;
    for (name, Counts { instructions, allocations }) in counted {
        let [more, more_allocations] = [
            instructions.cast_signed() - plain.instructions.cast_signed(),
            allocations.cast_signed() - plain.allocations.cast_signed(),
        ];
        println!("{name:<34} {instructions:>14} {more:>+12} {allocations:>14} {more_allocations:>+12}");
    }
}

/// Of one request: what more requests take more.
fn of(variant: &str) -> Counts {
    let [few, many] = [FEW, MANY].map(|requests| of_run(variant, requests));
    let of_one = |few: u64, many: u64| (many - few + (MANY - FEW) / 2) / (MANY - FEW);
    Counts {
        instructions: of_one(few.instructions, many.instructions),
        allocations: of_one(few.allocations, many.allocations),
    }
}

fn of_run(variant: &str, requests: u64) -> Counts {
    let program = std::env::current_exe().expect("this program");
    let folder = std::env::temp_dir().join(format!("auth-instructions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("out");
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display()));
    let run = command.arg(program).args(["run", variant]).arg(requests.to_string()).output();
    let run = run.expect("valgrind, which must be installed");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = std::fs::read_to_string(&file).expect("what callgrind has written");
    std::fs::remove_dir_all(&folder).expect("the folder");
    Counts { instructions: instructions(&text), allocations: allocations(&text) }
}

fn instructions(text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix("summary: ").or_else(|| line.strip_prefix("totals: ")));
    line.expect("a summary").trim().parse().expect("a count")
}

/// Calls of the allocator, from anywhere but itself. A name is written once, and is a number after that.
fn allocations(text: &str) -> u64 {
    const FUNCTIONS: [&str; 4] = ["malloc", "calloc", "realloc", "posix_memalign"];
    let mut numbers = Vec::new();
    let (mut called, mut count) = ("", 0);
    for line in text.lines() {
        if let Some(function) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            if FUNCTIONS.contains(&name) {
                numbers.push(number);
            }
            called = number;
        } else if let Some(calls) = line.strip_prefix("calls=")
            && numbers.contains(&called)
        {
            count += calls.split(' ').next().and_then(|calls| calls.parse::<u64>().ok()).expect("a count");
        }
    }
    count
}
