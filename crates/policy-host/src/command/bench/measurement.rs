//! Fair turns, and what to make of the times.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use policy_host::HostError;
use serde::Serialize;

use super::lane::Lane;

/// How long a lane runs before another gets its turn: so short that a disturbance of the machine
/// meets all lanes, so long that a turn holds many requests.
const TURN: Duration = Duration::from_millis(10);

/// The seconds that a request took, by round and lane.
pub(super) struct Rounds(Vec<Vec<f64>>);

/// The rate of a lane as a share of another's.
#[derive(Debug, Serialize)]
pub(super) struct Ratio {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// What a lane did in a round.
#[derive(Clone, Copy, Default)]
struct Tally {
    requests: u32,
    spent: Duration,
}

/// Serves all lanes in turns, until each has run for `budget` in each round.
pub(super) fn measure(lanes: &[Lane], rounds: u32, budget: Duration) -> Result<Rounds, HostError> {
    for lane in lanes {
        turn(lane, &mut Tally::default())?;
    }
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let mut tallies = vec![Tally::default(); lanes.len()];
        // The lane that has run least is next, so that also one with long requests gets its share
        // of the time and no more.
        while let Some((lane, tally)) = lanes
            .iter()
            .zip(&mut tallies)
            .filter(|(_, tally)| tally.spent < budget)
            .min_by_key(|(_, tally)| tally.spent)
        {
            turn(lane, tally)?;
        }
        seconds.push(
            tallies
                .iter()
                .map(|tally| tally.spent.as_secs_f64() / f64::from(tally.requests))
                .collect(),
        );
    }
    Ok(Rounds(seconds))
}

fn turn(lane: &Lane, tally: &mut Tally) -> Result<(), HostError> {
    let start = Instant::now();
    loop {
        black_box(lane.serve()?);
        tally.requests += 1;
        let spent = start.elapsed();
        if spent >= TURN {
            tally.spent += spent;
            return Ok(());
        }
    }
}

impl Rounds {
    /// The median over the rounds.
    pub(super) fn seconds_per_request(&self, lane: usize) -> f64 {
        median(self.of(lane).collect())
    }

    /// How fast a lane is as a share of another, compared round by round.
    pub(super) fn ratio(&self, lane: usize, baseline: usize) -> Ratio {
        let ratios: Vec<_> = self
            .of(lane)
            .zip(self.of(baseline))
            .map(|(lane, baseline)| baseline / lane)
            .collect();
        Ratio {
            min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            max: ratios.iter().copied().fold(0.0, f64::max),
            median: median(ratios),
        }
    }

    fn of(&self, lane: usize) -> impl Iterator<Item = f64> {
        self.0
            .iter()
            .filter_map(move |round| round.get(lane).copied())
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = numbers.get(middle).copied().unwrap_or_default();
    if numbers.len() % 2 == 1 {
        return upper;
    }
    let lower = numbers.get(middle.wrapping_sub(1)).copied();
    f64::midpoint(lower.unwrap_or(upper), upper)
}
