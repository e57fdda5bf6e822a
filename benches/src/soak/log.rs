//! What the server logs: the last lines, and those that are warnings, errors or panics.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

const LAST_LINES: usize = 100;
const MOST_NOTABLE: usize = 200;

/// Warnings of which the reason is known: the first start, and the refresh tokens that are used again.
const EXPECTED: [&str; 2] = ["the store is new", "a refresh token was used again"];

#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    last: VecDeque<String>,
    notable: Vec<String>,
    warnings: u64,
    errors: u64,
    panics: u64,
}

impl Log {
    pub(crate) fn add(&self, line: String) {
        let line = without_colors(&line);
        let lines = &mut *self.0.lock().unwrap();
        let counter = if line.contains("panicked at") {
            Some(&mut lines.panics)
        } else if line.contains("ERROR") {
            Some(&mut lines.errors)
        } else if line.contains("WARN") && !EXPECTED.iter().any(|text| line.contains(text)) {
            Some(&mut lines.warnings)
        } else {
            None
        };
        if let Some(counter) = counter {
            *counter += 1;
            if lines.notable.len() < MOST_NOTABLE {
                lines.notable.push(line.clone());
            }
        }
        lines.last.push_back(line);
        if lines.last.len() > LAST_LINES {
            lines.last.pop_front();
        }
    }

    /// Warnings, errors and panics.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let lines = self.0.lock().unwrap();
        (lines.warnings, lines.errors, lines.panics)
    }

    pub(crate) fn notable(&self) -> Vec<String> {
        self.0.lock().unwrap().notable.clone()
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.0.lock().unwrap().last.iter().cloned().collect()
    }
}

/// The server colors what it logs: ESC [ numbers m.
fn without_colors(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}
