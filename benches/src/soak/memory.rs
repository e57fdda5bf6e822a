//! The memory of the server in one life, second by second.

use benches::quickstart::server::megabytes;

/// How much the median may grow.
pub(crate) const MARGIN: u64 = 5_000_000;

/// Of a long life, the first minute is warm-up.
const WARM_UP_SECONDS: u64 = 60;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) second: u64,
    /// `VmRSS`, in bytes.
    pub(crate) now: u64,
    /// `VmHWM`, in bytes.
    pub(crate) most: u64,
    /// Whether the server's cache of tokens is full.
    pub(crate) is_warm: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    pub(crate) fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// Start, end, most and the median, in megabytes.
    pub(crate) fn text(&self) -> String {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return "none".into() };
        let [start, end, most, median] = [first.now, last.now, last.most, median(&self.0)].map(megabytes);
        format!("{start:>5} {end:>5} {most:>5} {median:>7}")
    }

    /// The same for each minute.
    pub(crate) fn minutes(&self) -> Vec<Self> {
        self.0
            .chunk_by(|one, next| one.second / 60 == next.second / 60)
            .map(|part| Self(part.to_vec()))
            .collect()
    }

    /// After the warm-up, the medians of the first and the last quarter, and when the warm-up ended. `None` if that was too short.
    pub(crate) fn quarters(&self) -> Option<(u64, u64, u64)> {
        let is_warm = |sample: &Sample| sample.is_warm && sample.second >= WARM_UP_SECONDS;
        let warm = self.0.get(self.0.iter().position(is_warm)?..)?;
        let quarter = warm.len() / 4;
        if quarter < 10 {
            return None;
        }
        Some((median(&warm[..quarter]), median(&warm[warm.len() - quarter..]), warm[0].second))
    }
}

fn median(samples: &[Sample]) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(|sample| sample.now).collect();
    values.sort_unstable();
    values[values.len() / 2]
}
