//! How many instructions and allocations a request takes, by Valgrind: counts that do not depend on the machine's load.

use auth_tests_budget::{Taken, taken};

use super::variants;

pub fn report() {
    println!("{:<34} {:>14} {:>12} {:>14} {:>12}", "", "instructions", "above plain", "allocations", "above plain");
    let program = std::env::current_exe().expect("this program");
    let counted = variants::NAMES.map(|name| (name, taken(&program, &["run", name])));
    let plain = counted[0].1;
    for (name, Taken { instructions, allocations, .. }) in counted {
        let [more, more_allocations] = [
            instructions.cast_signed() - plain.instructions.cast_signed(),
            allocations.cast_signed() - plain.allocations.cast_signed(),
        ];
        println!("{name:<34} {instructions:>14} {more:>+12} {allocations:>14} {more_allocations:>+12}");
    }
}
