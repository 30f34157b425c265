//! A bar on stderr while somebody waits.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on a terminal, once the work has taken long enough for somebody to wonder. What is piped
/// has none.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    since: Instant,
    all: usize,
    done: usize,
}

const PATIENCE: Duration = Duration::from_millis(400);

impl Progress {
    pub(crate) fn new(all: usize) -> Self {
        Self {
            bar: None,
            since: Instant::now(),
            all,
            done: 0,
        }
    }

    /// So many more are done.
    pub(crate) fn advance(&mut self, more: usize) {
        self.done += more;
        if self.bar.is_none() && self.since.elapsed() > PATIENCE {
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(Some(self.all as u64), target);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} files") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done as u64);
        }
    }

    /// Does something that may print, with the bar out of the way.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
