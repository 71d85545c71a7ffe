//! Everything that is printed. A reader that has gone, a full disk or a closed stream must not stop
//! the program in another way than by its exit status.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use cowrap_report::render::printable_lines;
use cowrap_session::Warning;

use super::INCOMPLETE;

/// Writes to standard output. A reader that stops early is no failure.
pub(super) fn print(text: &[u8]) -> ExitCode {
    match write(&mut io::stdout().lock(), text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

/// Writes to standard output, or says why that is impossible.
pub(super) fn write(out: &mut dyn Write, text: &[u8]) -> Result<(), String> {
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Writes lines to standard error. A failure is not reported: there is no other place for it.
pub(super) fn say(text: &str) {
    // Not even a word of the tree can make a line a command to a service that runs checks.
    let lines: Vec<_> = text.split('\n').map(printable_lines).collect();
    let _ = io::stderr().lock().write_all(format!("{}\n", lines.join("\n")).as_bytes());
}

/// Asks for a line. Nothing follows the question.
pub(super) fn ask(question: &str) -> io::Result<()> {
    let mut out = io::stderr().lock();
    out.write_all(question.as_bytes())?;
    out.flush()
}

/// Prints a warning.
pub(super) fn warn(message: &str) {
    say(&format!("cowrap: warning: {message}"));
}

/// Prints a warning of the session, once.
pub(super) fn warn_once(warning: &Warning) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let message = warning.to_string();
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(message.clone()) {
        warn(&message);
    }
}

/// Prints an error. The result is the exit status of a run that failed.
pub(super) fn fail(message: &str) -> ExitCode {
    say(&format!("cowrap: error: {message}"));
    ExitCode::from(INCOMPLETE)
}
