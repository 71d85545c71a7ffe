//! A progress bar on standard error, for long runs on a terminal.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use cowrap_session::Progress;

/// The bar appears after this time.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// The bar.
pub struct Bar {
    state: Mutex<Option<State>>,
}

struct State {
    bar: ProgressBar,
    started: Instant,
    units: usize,
    done: usize,
}

impl Bar {
    /// A bar that is not shown yet.
    pub fn new() -> Self {
        Bar { state: Mutex::new(None) }
    }

    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bar {
    fn start(&self, units: usize) {
        if std::io::stderr().is_terminal() {
            let state = State { bar: ProgressBar::hidden(), started: Instant::now(), units, done: 0 };
            *self.state() = Some(state);
        }
    }

    fn step(&self) {
        let mut state = self.state();
        let Some(state) = state.as_mut() else { return };
        state.done += 1;
        if state.bar.is_hidden() && state.started.elapsed() >= QUIET_FOR {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} translation units, {eta} left");
            state.bar = ProgressBar::new(state.units as u64);
            state.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        state.bar.set_position(state.done as u64);
    }

    fn finish(&self) {
        if let Some(state) = self.state().take() {
            state.bar.finish_and_clear();
        }
    }
}
