//! How the program ends if it does not end by itself: by a signal, by a limit, or by a mistake of its
//! own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::messages::fail;

/// What the last panic of a thread that reads units said.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Whether an interrupt is how the user ends the program.
static ENDS_ON_INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Makes an interrupt (Ctrl-C) an orderly end, with status 0.
pub(super) fn end_on_interrupt() {
    ENDS_ON_INTERRUPT.store(true, Ordering::Relaxed);
}

/// Runs the program. A panic is a mistake of ours: it is reported, and the run has failed.
pub(super) fn guarded(run: impl FnOnce() -> ExitCode) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let message = describe(panic);
        // A panic of such a thread costs one unit and is part of the report, unless it gets as far as here.
        if std::thread::current().name().is_some_and(|name| name.starts_with(cowrap_session::WORKER)) {
            *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        } else {
            fail(&message);
        }
    }));
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(status) => status,
        Err(_) => {
            let message = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
            message.map_or(ExitCode::from(super::INCOMPLETE), |message| fail(&message))
        }
    }
}

/// What a panic says to the user.
fn describe(panic: &PanicHookInfo<'_>) -> String {
    let text = |payload: &dyn Any| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
    };
    let at = panic.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
    let mut message =
        format!("internal error: {}{at}\n  this is a bug of cowrap; please report it", text(panic.payload()));
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        message.push_str(&format!("\n{}", std::backtrace::Backtrace::force_capture()));
    }
    message
}

/// Arranges that a signal leaves no temporary files, and that a limit on the size of files is an error
/// of the write that exceeds it.
pub(super) fn handle_signals() {
    // Whoever started the program may want it to ignore some, as `nohup` does.
    let ignored = ignored_signals();
    let is_handled = |signal: &i32| ignored & (1 << (signal - 1)) == 0;
    if is_handled(&SIGXFSZ) {
        // Without a handler, the signal would end the program.
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }
    let ending: Vec<i32> = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(is_handled).collect();
    let Ok(mut signals) = Signals::new(ending) else { return };
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            cowrap_session::remove_temporaries();
            if signal == SIGINT && ENDS_ON_INTERRUPT.load(Ordering::Relaxed) {
                std::process::exit(0);
            }
            let _ = emulate_default_handler(signal);
        }
    };
    // Without the thread, the signals would do nothing at all.
    if std::thread::Builder::new().name("signals".to_owned()).spawn(wait).is_err() {
        fail("cannot start a thread; raise the limit of processes");
        std::process::exit(i32::from(super::INCOMPLETE));
    }
}

/// The signals that are ignored, as bits; none if the system does not say.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
