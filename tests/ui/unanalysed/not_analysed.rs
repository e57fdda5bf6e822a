//! A rule that is too large to be analyzed: a warning, which is an error here so that it is seen.
#![deny(deprecated)]

use auth_runtime::auth;

#[auth(
    any(roles = ["a00", "a01", "a02", "a03", "a04", "a05", "a06", "a07", "a08", "a09", "a10", "a11", "a12", "a13", "a14", "a15", "a16", "a17", "a18", "a19"]),
    any(roles = ["b00", "b01", "b02", "b03", "b04", "b05", "b06", "b07", "b08", "b09", "b10", "b11", "b12", "b13", "b14", "b15", "b16", "b17", "b18", "b19"]),
    any(
        all(all(roles = ["a00"]), all(roles = ["b00"])),
        all(all(roles = ["a01"]), all(roles = ["b01"])),
        all(all(roles = ["a02"]), all(roles = ["b02"])),
        all(all(roles = ["a03"]), all(roles = ["b03"])),
        all(all(roles = ["a04"]), all(roles = ["b04"])),
        all(all(roles = ["a05"]), all(roles = ["b05"])),
        all(all(roles = ["a06"]), all(roles = ["b06"])),
        all(all(roles = ["a07"]), all(roles = ["b07"])),
        all(all(roles = ["a08"]), all(roles = ["b08"])),
        all(all(roles = ["a09"]), all(roles = ["b09"])),
        all(all(roles = ["a10"]), all(roles = ["b10"])),
        all(all(roles = ["a11"]), all(roles = ["b11"])),
        all(all(roles = ["a12"]), all(roles = ["b12"])),
        all(all(roles = ["a13"]), all(roles = ["b13"])),
        all(all(roles = ["a14"]), all(roles = ["b14"])),
        all(all(roles = ["a15"]), all(roles = ["b15"])),
        all(all(roles = ["a16"]), all(roles = ["b16"])),
        all(all(roles = ["a17"]), all(roles = ["b17"])),
        all(all(roles = ["a18"]), all(roles = ["b18"])),
        all(all(roles = ["a19"]), all(roles = ["b19"]))
    )
)]
async fn pairs_whose_halves_are_named_far_apart() {}

fn main() {}
