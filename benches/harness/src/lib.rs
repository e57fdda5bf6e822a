//! How the benches measure, and how their figures get into `benches/README.md`.
//!
//! [`turns`] has variants take turns in one thread and returns their times; [`report`] prints tables of these and, with `--write`, writes
//! them into the README, with the machine, the versions, and the command; [`plot`] draws lines as SVG, which the report links. [`servers`]
//! measures servers in processes of their own.
//!
//! ```no_run
//! use bench_harness::report::{Report, Table};
//! use bench_harness::turns::{Variant, take_turns};
//!
//! let (arguments, write) = bench_harness::report::arguments();
//! let mut report = Report::begin("sums", env!("CARGO_MANIFEST_DIR"), &["axum"], write);
//! let sum = |name| Variant::repeated(name, || std::hint::black_box(1_u64..100).sum::<u64>() > 0);
//! let times = take_turns([sum("one"), sum("one-control")], vec![sum("another")], 100);
//! let mut table = Table::new(["", "a sum [µs]", "above one [µs]"]);
//! for name in times.names() {
//!     table.row([name.to_owned(), times.each(name).micros().text(2), times.above(name, "one").micros().signed(2)]);
//! }
//! report.table(&table);
//! report.guard(&times);
//! report.finish();
//! ```

pub mod cpu;
pub mod plot;
pub mod report;
pub mod rounds;
pub mod servers;
pub mod turns;
