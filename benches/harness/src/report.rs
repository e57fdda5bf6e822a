//! Tables and plots, printed, and with `--write` in `benches/README.md`, between `<!-- figures: NAME -->` and `<!-- /figures -->`, with the
//! machine, the versions, the date, the load and the command that made them. Nobody types a figure there.

mod facts;
mod section;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::plot::Plot;
use crate::turns::Times;

pub use self::table::Table;

/// The arguments of the program but `--write`, and whether that is one of them.
pub fn arguments() -> (Vec<String>, bool) {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.len();
    arguments.retain(|argument| argument != "--write");
    (arguments.clone(), arguments.len() < all)
}

/// What one section of the README says.
pub struct Report {
    name: String,
    readme: PathBuf,
    versions: String,
    load: String,
    began: Instant,
    lines: String,
    plots: Vec<(String, Plot)>,
    write: bool,
}

impl Report {
    /// `manifest` is `env!("CARGO_MANIFEST_DIR")` of a workspace, whose lock file has the versions of these crates.
    ///
    /// # Panics
    ///
    /// Where it is to be written and the README has no such section, with what is to be added there. So nothing is measured in vain.
    pub fn begin(name: &str, manifest: &str, crates: &[&str], write: bool) -> Self {
        let readme = benches().join("README.md");
        if write {
            let text = fs::read_to_string(&readme).expect("the README");
            section::replaced(&text, name, "").unwrap_or_else(|error| panic!("{error}"));
        }
        let lock = fs::read_to_string(Path::new(manifest).join("Cargo.lock")).expect("a lock file");
        Self {
            name: name.to_owned(),
            readme,
            versions: facts::versions(&lock, crates),
            load: facts::load(),
            began: Instant::now(),
            lines: String::new(),
            plots: Vec::new(),
            write,
        }
    }

    pub fn line(&mut self, line: impl AsRef<str>) {
        println!("{}", line.as_ref());
        self.lines.push_str(line.as_ref());
        self.lines.push('\n');
    }

    pub fn table(&mut self, table: &Table) {
        table.lines().into_iter().for_each(|line| self.line(line));
    }

    /// By how much the control pair differs, and whether that is too much.
    pub fn guard(&mut self, times: &Times) {
        let names: Vec<&str> = times.names().take(2).collect();
        self.line(format!("{} differ by {:.1} %", names.join(" and "), times.noise() * 100.0));
        if times.objection().is_some() {
            self.line("that is more than 5 %: the machine is too busy, and the figures do not count");
        }
    }

    /// Below the tables, from `benches/plots/NAME.svg`.
    pub fn plot(&mut self, name: &str, plot: Plot) {
        self.plots.push((name.to_owned(), plot));
    }

    /// Prints how the figures were made, and writes the section and the plots if that is asked for.
    pub fn finish(self) {
        let made = self.made();
        println!("\n{made}");
        if !self.write {
            return;
        }
        let mut text = format!("```text\n{}```\n", self.lines);
        if self.lines.is_empty() {
            text.clear();
        }
        for (name, plot) in &self.plots {
            let folder = benches().join("plots");
            fs::create_dir_all(&folder).expect("the folder of the plots");
            fs::write(folder.join(format!("{name}.svg")), plot.svg()).expect("a plot");
            text.push_str(&format!("\n![{}](plots/{name}.svg)\n", plot.title));
        }
        text.push_str(&format!("\n{made}\n"));
        let readme = fs::read_to_string(&self.readme).expect("the README");
        let written = section::replaced(&readme, &self.name, text.trim_start())
            .unwrap_or_else(|error| panic!("{error}"));
        fs::write(&self.readme, written).expect("the README");
        println!("written into {}", self.readme.display());
    }

    fn made(&self) -> String {
        format!(
            "Made by `{}` on {} in {} s, with {} and {}.\nLoad average at the start {}, at the end {}.{}",
            facts::command(),
            facts::date(),
            self.began.elapsed().as_secs(),
            facts::machine(),
            facts::compiler(),
            self.load,
            facts::load(),
            if self.versions.is_empty() { String::new() } else { format!("\nVersions: {}.", self.versions) },
        )
    }
}

/// The folder of the benches.
fn benches() -> PathBuf {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().expect("the harness is in a folder").to_owned()
}
