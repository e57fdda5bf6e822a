//! Variants that take turns in one thread, so that other work of the machine affects all of them alike.

use std::hint::black_box;
use std::time::Duration;

use crate::cpu;
use crate::rounds::percentiles;

/// By how much the two of a control pair may differ.
pub const MOST_NOISE: f64 = 0.05;

/// How long a round of [`Variant::repeated`] takes.
const ROUND: Duration = Duration::from_millis(1);

/// One of what is compared.
pub struct Variant<'a> {
    name: String,
    round: Box<dyn FnMut() -> f64 + 'a>,
}

impl<'a> Variant<'a> {
    /// A round is `run`, of so many operations, with what `prepare` has made. Only `run` is timed.
    pub fn prepared<T>(
        name: impl Into<String>,
        operations: usize,
        mut prepare: impl FnMut() -> T + 'a,
        mut run: impl FnMut(T) + 'a,
    ) -> Self {
        assert!(operations > 0, "a round has operations");
        Self::measured(name, move || {
            let prepared = prepare();
            cpu::time(|| run(prepared)) / operations as f64
        })
    }

    /// A round is as many calls as take a millisecond. A call answers whether it has succeeded.
    pub fn repeated(name: impl Into<String>, mut call: impl FnMut() -> bool + 'a) -> Self {
        let name = name.into();
        assert!(call(), "{name}: the call succeeds");
        let began = cpu::now();
        let mut calls = 0_u32;
        while cpu::now() - began < ROUND {
            (0..16).for_each(|_| _ = black_box(call()));
            calls += 16;
        }
        Self::measured(name, move || {
            let time = cpu::time(|| (0..calls).for_each(|_| _ = black_box(call())));
            time / f64::from(calls)
        })
    }

    /// A round returns the seconds that one operation took of a core, by a measure of its own.
    pub fn measured(name: impl Into<String>, round: impl FnMut() -> f64 + 'a) -> Self {
        Self { name: name.into(), round: Box::new(round) }
    }
}

/// Has all of them take turns. The two of the control pair do the same: by how much they differ is the noise.
pub fn take_turns<'a>(control: [Variant<'a>; 2], others: Vec<Variant<'a>>, rounds: usize) -> Times {
    assert!(rounds > 0, "there are rounds");
    let mut variants: Vec<Variant<'a>> = control.into_iter().chain(others).collect();
    let mut times = vec![Vec::with_capacity(rounds); variants.len()];
    // The first is to warm up.
    for round in 0..=rounds {
        for index in order(round, variants.len()) {
            let time = (variants[index].round)();
            if round > 0 {
                times[index].push(time);
            }
        }
    }
    Times { names: variants.into_iter().map(|variant| variant.name).collect(), times }
}

/// Forward and backward in turn, and each pair of rounds begins with another one, so that none is always behind the same.
fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| {
        let index = (round / 2 + step) % count;
        if round.is_multiple_of(2) { index } else { count - 1 - index }
    })
}

/// What the variants took, round by round.
pub struct Times {
    names: Vec<String>,
    times: Vec<Vec<f64>>,
}

impl Times {
    /// The names, in the order in which the variants were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Seconds an operation.
    pub fn each(&self, name: &str) -> Spread {
        Spread::of(self.of(name).to_vec())
    }

    /// Seconds an operation above another variant, as the rounds differ.
    pub fn above(&self, name: &str, base: &str) -> Spread {
        self.compared(name, base, |time, base| time - base)
    }

    /// How many times as long as another variant, as the rounds' ratios.
    pub fn ratio(&self, name: &str, base: &str) -> Spread {
        self.compared(name, base, |time, base| time / base)
    }

    /// By how much the medians of the control pair differ, as a fraction of the first.
    pub fn noise(&self) -> f64 {
        let [base, control] = [0, 1].map(|index| Spread::of(self.times[index].clone()).median);
        (control / base - 1.0).abs()
    }

    /// What is to be said where the control pair differs by more than is allowed.
    pub fn objection(&self) -> Option<String> {
        let noise = self.noise();
        (noise > MOST_NOISE).then(|| format!("its control pair differs by {:.0} %", noise * 100.0))
    }

    fn of(&self, name: &str) -> &[f64] {
        let index = self.names.iter().position(|known| known == name);
        &self.times[index.unwrap_or_else(|| panic!("{name} is one of {:?}", self.names))]
    }

    fn compared(&self, name: &str, base: &str, compare: impl Fn(f64, f64) -> f64) -> Spread {
        Spread::of(
            self.of(name).iter().zip(self.of(base)).map(|(time, base)| compare(*time, *base)).collect(),
        )
    }
}

/// The 10th, the 50th and the 90th percentile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(values: Vec<f64>) -> Self {
        let [low, median, high] = percentiles(values);
        Self { low, median, high }
    }

    pub fn scaled(self, factor: f64) -> Self {
        Self { low: self.low * factor, median: self.median * factor, high: self.high * factor }
    }

    /// Microseconds of seconds.
    pub fn micros(self) -> Self {
        self.scaled(1e6)
    }

    /// `0.79 [0.78 to 0.80]`
    pub fn text(self, decimals: usize) -> String {
        let Self { low, median, high } = self;
        format!("{median:.decimals$} [{low:.decimals$} to {high:.decimals$}]")
    }

    /// `+0.79 [+0.78 to +0.80]`
    pub fn signed(self, decimals: usize) -> String {
        let Self { low, median, high } = self;
        format!("{median:+.decimals$} [{low:+.decimals$} to {high:+.decimals$}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed<'a>(name: &str, times: &'a [f64]) -> Variant<'a> {
        let mut times = times.iter().copied();
        Variant::measured(name, move || times.next().unwrap())
    }

    #[test]
    fn each_round_has_every_variant_once() {
        for (round, count) in (0..9).flat_map(|round| (2..5).map(move |count| (round, count))) {
            let mut all: Vec<usize> = order(round, count).collect();
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_variant_is_as_often_the_first_and_behind_each_neighbor() {
        for count in 2..5 {
            let orders: Vec<Vec<usize>> = (0..2 * count).map(|round| order(round, count).collect()).collect();
            for variant in 0..count {
                assert_eq!(orders.iter().filter(|order| order[0] == variant).count(), 2);
            }
            let behind = |one, other| {
                orders.iter().filter(|order| order.windows(2).any(|pair| pair == [one, other])).count()
            };
            assert_eq!(behind(0, 1), behind(1, 0));
        }
    }

    #[test]
    fn the_round_that_warms_up_does_not_count() {
        let times =
            take_turns([fixed("a", &[9.0, 1.0, 1.0, 1.0]), fixed("b", &[9.0, 1.0, 1.0, 1.0])], Vec::new(), 3);
        assert_eq!(times.each("a"), Spread { low: 1.0, median: 1.0, high: 1.0 });
    }

    #[test]
    fn a_difference_and_a_ratio_are_those_of_the_rounds() {
        let pair = [fixed("a", &[0.0, 1.0, 2.0, 4.0]), fixed("b", &[0.0, 1.0, 2.0, 4.0])];
        let times = take_turns(pair, vec![fixed("c", &[0.0, 3.0, 5.0, 6.0])], 3);
        assert_eq!(times.above("c", "a").median, 2.0);
        assert_eq!(times.ratio("c", "a"), Spread { low: 1.5, median: 2.5, high: 3.0 });
    }

    #[test]
    fn a_control_pair_that_differs_by_more_than_a_twentieth_is_objected_to() {
        let with = |control: f64| {
            take_turns([fixed("a", &[0.0, 100.0]), fixed("b", &[0.0, control])], Vec::new(), 1).objection()
        };
        assert_eq!((with(104.9), with(95.1)), (None, None));
        assert_eq!(with(106.0).as_deref(), Some("its control pair differs by 6 %"));
        assert_eq!(with(93.0).as_deref(), Some("its control pair differs by 7 %"));
    }

    #[test]
    fn each_round_works_on_what_was_prepared_for_it() {
        let (mut prepared, mut ran) = (0, Vec::new());
        let prepare = || {
            prepared += 1;
            prepared
        };
        let variant = Variant::prepared("c", 2, prepare, |number| ran.push(number));
        drop(take_turns([fixed("a", &[1.0; 3]), fixed("b", &[1.0; 3])], vec![variant], 2));
        assert_eq!(ran, [1, 2, 3]);
    }

    #[test]
    fn a_spread_is_written_with_its_percentiles() {
        let spread = Spread { low: 0.5e-6, median: 1e-6, high: 2.25e-6 }.micros();
        assert_eq!(spread.text(2), "1.00 [0.50 to 2.25]");
        assert_eq!(spread.signed(1), "+1.0 [+0.5 to +2.2]");
    }
}
