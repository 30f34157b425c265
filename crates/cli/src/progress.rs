//! A bar on stderr while somebody waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on a terminal, once the work has taken long enough for somebody to wonder. What is piped
/// has none.
pub(crate) struct Progress {
    state: Mutex<State>,
    since: Instant,
    all: usize,
    /// Of what there are so many: `files`.
    noun: &'static str,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    done: usize,
}

const PATIENCE: Duration = Duration::from_millis(400);

impl Progress {
    pub(crate) fn new(all: usize, noun: &'static str) -> Self {
        Self {
            state: Mutex::default(),
            since: Instant::now(),
            all,
            noun,
        }
    }

    /// So many more are done.
    pub(crate) fn advance(&self, more: usize) {
        let mut state = self.state();
        state.done += more;
        if state.bar.is_none() && self.since.elapsed() > PATIENCE {
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(Some(self.all as u64), target);
            let template = format!("{{bar:30}} {{pos}} of {{len}} {}", self.noun);
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            state.bar = Some(bar);
        }
        if let Some(bar) = &state.bar {
            bar.set_position(state.done as u64);
        }
    }

    /// Does something that may print, with the bar out of the way.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.state().bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A number and a bar are never half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
