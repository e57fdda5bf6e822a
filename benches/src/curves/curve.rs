//! One table and one plot.

use bench_harness::plot::{Axis, Line, Plot};
use bench_harness::report::{Report, Table};
use bench_harness::turns::take_turns;

use super::services::{Service, plain};

/// What grows along the axis, and how often it is measured.
pub struct Curve {
    pub name: &'static str,
    pub title: &'static str,
    pub x: &'static str,
    pub rounds: usize,
    pub requests: usize,
    /// Whether what a request takes grows so much that it is plotted by powers.
    pub is_steep: bool,
}

/// What is measured at one place.
pub struct Point {
    pub x: usize,
    pub services: Vec<(&'static str, Service)>,
}

impl Curve {
    /// The points are made one after the other, since some of them take memory.
    pub fn report(&self, points: impl IntoIterator<Item = Point>, write: bool) {
        let mut figures = Figures::new(self.name, self.x, write);
        for Point { x, services } in points {
            let names: Vec<&str> = services.iter().map(|(name, _)| *name).collect();
            let others =
                services.into_iter().map(|(name, service)| service.variant(name, self.requests)).collect();
            let control = ["plain", "plain again"].map(|name| plain().variant(name, self.requests));
            let times = take_turns(control, others, self.rounds);
            let above = names.iter().map(|name| (*name, times.above(name, "plain").micros()));
            figures.add(x, above.collect(), times.objection());
        }
        let y = "µs a request above plain axum";
        figures.finish(self.title, if self.is_steep { Axis::logarithmic(y) } else { Axis::linear(y) });
    }
}

/// A table that is plotted.
pub struct Figures {
    report: Report,
    name: String,
    x: &'static str,
    lines: Vec<Line>,
    rows: Vec<(Vec<String>, String)>,
}

impl Figures {
    pub fn new(name: &str, x: &'static str, write: bool) -> Self {
        let name = format!("curve-{name}");
        let report = Report::begin(&name, env!("CARGO_MANIFEST_DIR"), &["axum", "jsonwebtoken"], write);
        Self { report, name, x, lines: Vec::new(), rows: Vec::new() }
    }

    /// What was measured at this place, with an objection to it.
    pub fn add(
        &mut self,
        x: usize,
        values: Vec<(&str, bench_harness::turns::Spread)>,
        objection: Option<String>,
    ) {
        if self.lines.is_empty() {
            self.lines = values
                .iter()
                .map(|(name, _)| Line { name: (*name).to_owned(), points: Vec::new() })
                .collect();
        }
        for (line, (_, spread)) in self.lines.iter_mut().zip(&values) {
            line.points.push((x as f64, spread.median));
        }
        let cells = std::iter::once(x.to_string()).chain(values.iter().map(|(_, spread)| spread.text(2)));
        self.rows
            .push((cells.collect(), objection.map(|objection| format!("({objection})")).unwrap_or_default()));
    }

    pub fn finish(mut self, title: &str, y: Axis) {
        self.report.line(format!("{}: median [10th to 90th percentile]", y.label()));
        let mut table =
            Table::new(std::iter::once(self.x).chain(self.lines.iter().map(|line| line.name.as_str())));
        self.rows.into_iter().for_each(|(cells, note)| table.noted_row(cells, note));
        self.report.table(&table);
        let plot = Plot { title: title.to_owned(), x: Axis::logarithmic(self.x), y, lines: self.lines };
        self.report.plot(&self.name, plot);
        self.report.finish();
    }
}
