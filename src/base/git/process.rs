//! Running `git` with limits: on its time, and on what it writes.
//!
//! A repository can make git wait for ever, such as by a pipe in place of an object.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// The time that one command may take.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// The most that one command may write to standard output, in bytes.
pub(super) const MOST: u64 = 1 << 30;

/// The most that is kept of standard error, in bytes.
const MOST_ERRORS: u64 = 64 << 10;

/// Why a command has no output.
#[derive(Debug)]
pub(super) enum Failure {
    /// It cannot be started, or its output cannot be read.
    System(io::Error),
    /// It did not end in time, and was killed.
    TooSlow,
    /// It wrote too much, and was killed.
    TooMuch,
}

/// The program of this name in the directories of PATH. Relative ones do not count: git runs in the
/// tree, which could bring its own.
pub(super) fn find(name: &str) -> io::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    find_in(&path, name).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn find_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    let is_program =
        |file: &Path| file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let absolute = std::env::split_paths(path).filter(|directory| directory.is_absolute());
    absolute.map(|directory| directory.join(name)).find(|file| is_program(file))
}

/// Runs a command to its end. If it exceeds a limit, it is killed with all processes that it
/// started.
pub(super) fn run(mut command: Command, longest: Duration, most: u64) -> Result<Output, Failure> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(Failure::System)?;
    let result = collect(&mut child, longest, most);
    if result.is_err() {
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.wait();
    }
    result
}

/// One of the two streams, at its end.
enum Stream {
    Output(io::Result<Vec<u8>>),
    Errors(Vec<u8>),
}

fn collect(child: &mut Child, longest: Duration, most: u64) -> Result<Output, Failure> {
    let end = Instant::now() + longest;
    let (sender, streams) = mpsc::channel();
    // A process that git started may keep a stream open, so nobody waits for these threads.
    if let Some(stdout) = child.stdout.take() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(most.saturating_add(1)).read_to_end(&mut bytes);
            let _ = sender.send(Stream::Output(read.map(|_| bytes)));
        });
    }
    if let Some(mut stderr) = child.stderr.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.by_ref().take(MOST_ERRORS).read_to_end(&mut bytes);
            // The rest must not fill the pipe.
            let _ = io::copy(&mut stderr, &mut io::sink());
            let _ = sender.send(Stream::Errors(bytes));
        });
    }
    let (mut stdout, mut stderr) = (None, None);
    while stdout.is_none() || stderr.is_none() {
        match streams.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Stream::Output(bytes)) => {
                let bytes = bytes.map_err(Failure::System)?;
                if bytes.len() as u64 > most {
                    return Err(Failure::TooMuch);
                }
                stdout = Some(bytes);
            }
            Ok(Stream::Errors(bytes)) => stderr = Some(bytes),
            Err(RecvTimeoutError::Timeout) => return Err(Failure::TooSlow),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::System(io::Error::other("a stream of git was lost")));
            }
        }
    }
    // It has closed both streams, so it is about to end.
    let mut pause = Duration::from_micros(100);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Failure::System)? {
            break status;
        }
        if Instant::now() >= end {
            return Err(Failure::TooSlow);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    Ok(Output { status, stdout: stdout.unwrap_or_default(), stderr: stderr.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn both_streams_are_read_without_waiting_for_each_other() {
        let script = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; exit 3";
        let out = run(shell(script), LONGEST, MOST).unwrap();
        assert_eq!((out.status.code(), out.stdout.len(), out.stderr.len() as u64), (Some(3), 300_000, MOST_ERRORS));
    }

    #[test]
    fn what_exceeds_a_limit_is_killed_with_what_it_started() {
        let scratch = tempfile::tempdir().unwrap();
        let marker = scratch.path().join("marker");
        let script = format!("(sleep 2; touch {}) & sleep 100", marker.display());
        let slow = run(shell(&script), Duration::from_millis(200), MOST);
        assert!(matches!(slow, Err(Failure::TooSlow)), "{slow:?}");
        let much = run(shell("cat /dev/zero"), LONGEST, 1000);
        assert!(matches!(much, Err(Failure::TooMuch)), "{much:?}");
        // It closes its streams, and goes on.
        let closed = run(shell("exec >&- 2>&-; sleep 100"), Duration::from_millis(200), MOST);
        assert!(matches!(closed, Err(Failure::TooSlow)), "{closed:?}");
        thread::sleep(Duration::from_secs(2));
        assert!(!marker.exists());
    }

    #[test]
    fn a_program_is_not_taken_from_the_tree() {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("git");
        std::fs::write(&program, "").unwrap();
        let path = scratch.path().as_os_str();
        assert_eq!(find_in(path, "git"), None, "it cannot be run");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find_in(path, "git"), Some(program));
        assert_eq!(find_in(OsStr::new(".::bin"), "git"), None);
    }
}
