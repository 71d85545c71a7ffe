//! A worker, seen by the process that started it: requests, answers, and the limits on what an
//! answer may cost.

use std::collections::HashSet;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cowrap_base::limits::{Limit, Limits};

use super::pool::{Cancellation, Isolation};
use super::protocol::{Answer, LibraryInfo, ParseFailure, Request, frame, receive};
use super::serve::{ARGUMENT, serve};
use super::watch::Watch;
use crate::clang::LoadError;
use crate::environment;
use crate::failure::Failure;

/// How often a worker that has not answered yet is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long a worker may wait for something without using the processor; and once a
/// unit has waited so long twice, the others: many units may include the same pipe.
const LONGEST_WAITS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(1)];

/// A worker may take this many times the limit on its processor time in all: other processes need
/// the processor, too.
const MOST_SLOWED: u32 = 20;

/// How long a worker may take to receive something. It has nothing else to do then.
const LONGEST_SEND: Duration = Duration::from_secs(60);

/// How long a worker that has closed its socket may take to end.
const LONGEST_END: Duration = Duration::from_secs(5);

/// The stack of a worker that is a thread.
const THREAD_STACK_BYTES: usize = 256 << 20;

/// A worker.
#[derive(Debug)]
pub struct Worker {
    stream: UnixStream,
    side: Side,
    /// The number of what all units have in common that the worker has.
    pub common: u64,
    /// The number of the run for which the worker has read units.
    pub run: u64,
    /// The numbers of the summaries that the worker has.
    pub summaries: HashSet<u64>,
    watch: Option<Watch>,
    /// The memory that the worker took before it read anything, in bytes.
    empty: u64,
    /// The most memory that was seen.
    peak: u64,
    is_dead: bool,
}

/// Where the worker's side runs.
#[derive(Debug)]
enum Side {
    Process(Child),
    Thread(Option<JoinHandle<io::Result<()>>>),
}

/// What reading one unit may cost, and what it has cost so far.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    started: Instant,
    /// The worker's processor time and memory at the start.
    before: Option<Duration>,
    memory_before: u64,
    /// The worker's processor time when it was last seen to use it, and how long it has used none
    /// since then.
    last: Option<Duration>,
    idle: Duration,
    looked: Instant,
    /// How long the worker may wait.
    longest_wait: Duration,
    cancellation: Cancellation,
}

/// Reads from a stream, and looks at the worker whenever nothing came for some time.
struct Watched<'w> {
    stream: &'w UnixStream,
    look: &'w mut dyn FnMut() -> Result<(), Failure>,
    failure: &'w mut Option<Failure>,
}

impl Worker {
    /// Starts a worker. It loads libclang meanwhile; see [`Worker::library`].
    pub fn start(isolation: &Isolation) -> io::Result<Worker> {
        let (own, other) = UnixStream::pair()?;
        own.set_read_timeout(Some(INTERVAL))?;
        own.set_write_timeout(Some(LONGEST_SEND))?;
        let side = match isolation {
            Isolation::Processes { program } => Side::Process(start_process(program, other)?),
            Isolation::InProcess => {
                let name = format!("{}-{}", crate::index::WORKER, "parser");
                let thread = std::thread::Builder::new().name(name).stack_size(THREAD_STACK_BYTES);
                Side::Thread(Some(thread.spawn(move || serve(other, false))?))
            }
        };
        let watch = match &side {
            Side::Process(child) => Watch::new(child.id()),
            Side::Thread(_) => None,
        };
        let summaries = HashSet::new();
        Ok(Worker { stream: own, side, common: 0, run: 0, summaries, watch, empty: 0, peak: 0, is_dead: false })
    }

    /// The libclang that the worker has loaded. To be asked once, before everything else.
    pub fn library(&mut self, limits: &Limits) -> Result<Result<LibraryInfo, LoadError>, Failure> {
        match self.answer(&mut Budget::new(self, limits, false))? {
            Answer::Library(library) => {
                self.empty = self.watch.as_ref().and_then(Watch::memory).unwrap_or(0);
                Ok(library)
            }
            _ => Err(self.give_up(Failure::Damaged)),
        }
    }

    /// Sends a frame that has no answer.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), Failure> {
        match io::Write::write_all(&mut &self.stream, frame) {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Err(self.give_up(Failure::Slow { seconds: LONGEST_SEND.as_secs() }))
            }
            Err(_) => Err(self.death()),
        }
    }

    /// Sends a request and waits for the answer.
    pub fn ask(&mut self, request: &Request, budget: &mut Budget) -> Result<Answer, Failure> {
        let frame = frame(request).ok_or(Failure::Damaged)?;
        self.send(&frame)?;
        match self.answer(budget)? {
            Answer::Failed(ParseFailure::Parse(error)) => Err(error.into()),
            Answer::Failed(ParseFailure::Panic(message)) => Err(Failure::Panic(message)),
            Answer::Failed(ParseFailure::TooLong) => Err(budget.exceeded(Limit::Facts)),
            Answer::Failed(ParseFailure::TooDeep) => Err(budget.exceeded(Limit::Depth)),
            answer => Ok(answer),
        }
    }

    /// Ends a worker that does something else than it should.
    pub fn give_up(&mut self, failure: Failure) -> Failure {
        self.end();
        failure
    }

    /// Whether the worker has ended.
    pub fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// The most memory that the worker has used, as far as that is known.
    pub fn peak(&self) -> u64 {
        self.watch.as_ref().and_then(Watch::peak).unwrap_or(0).max(self.peak)
    }

    /// The memory that is left of what the worker read, in bytes.
    pub fn leftover(&self) -> u64 {
        self.watch.as_ref().and_then(Watch::memory).unwrap_or(0).saturating_sub(self.empty)
    }

    fn answer(&mut self, budget: &mut Budget) -> Result<Answer, Failure> {
        let (watch, peak) = (self.watch.as_ref(), &mut self.peak);
        let is_process = matches!(self.side, Side::Process(_));
        let mut look = || match watch {
            // A thread cannot be ended.
            _ if is_process && budget.cancellation.is_cancelled() => Err(Failure::Cancelled),
            Some(watch) => budget.look(watch, peak),
            None if is_process => budget.look_at_the_clock(),
            None => Ok(()),
        };
        let mut failure = None;
        let mut stream = Watched { stream: &self.stream, look: &mut look, failure: &mut failure };
        match (receive(&mut stream), failure) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Some(failure)) => Err(self.give_up(failure)),
            (Err(error), None) if error.kind() == io::ErrorKind::InvalidData => Err(self.give_up(Failure::Damaged)),
            (Err(_), None) => Err(self.death()),
        }
    }

    /// Why a worker that does not answer any more has ended.
    fn death(&mut self) -> Failure {
        let status = match &mut self.side {
            Side::Process(child) => end_of(child),
            Side::Thread(_) => None,
        };
        let Some(status) = status else { return self.give_up(Failure::Damaged) };
        self.is_dead = true;
        match (status.signal(), status.code()) {
            (Some(signal), _) if signal == rustix::process::Signal::KILL.as_raw() => Failure::Killed { times: 1 },
            (Some(signal), _) => Failure::Crashed { signal },
            (None, Some(status)) => Failure::Ended { status },
            (None, None) => Failure::Damaged,
        }
    }

    fn end(&mut self) {
        self.peak = self.peak();
        if let (false, Side::Process(child)) = (self.is_dead, &mut self.side) {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.is_dead = true;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        if let Side::Thread(thread) = &mut self.side
            && let Some(thread) = thread.take()
        {
            let _ = thread.join();
        }
    }
}

impl Budget {
    /// A budget that begins now. `has_waited` is whether a unit has waited in vain before.
    pub fn new(worker: &Worker, limits: &Limits, has_waited: bool) -> Budget {
        let longest_wait = LONGEST_WAITS[usize::from(has_waited)];
        let before = worker.watch.as_ref().and_then(Watch::processor_time);
        let now = Instant::now();
        let memory_before = worker.watch.as_ref().and_then(Watch::memory).unwrap_or(0);
        let (limits, idle) = (*limits, Duration::ZERO);
        let cancellation = Cancellation::default();
        let last = before;
        Budget { limits, started: now, before, memory_before, last, idle, looked: now, longest_wait, cancellation }
    }

    /// The same, which ends when it is cancelled.
    pub fn until(self, cancellation: &Cancellation) -> Budget {
        Budget { cancellation: cancellation.clone(), ..self }
    }

    /// Looks at what the worker has used so far.
    fn look(&mut self, watch: &Watch, peak: &mut u64) -> Result<(), Failure> {
        if let Some(memory) = watch.memory() {
            *peak = memory.max(*peak);
            if memory.saturating_sub(self.memory_before) > self.limits.unit_memory {
                return Err(self.exceeded(Limit::Memory));
            }
        }
        let now = watch.processor_time();
        let used = now.zip(self.before).map(|(now, before)| now.saturating_sub(before));
        let elapsed = self.started.elapsed();
        if used.unwrap_or(elapsed) > self.limits.unit_time {
            return Err(self.exceeded(Limit::Time));
        }
        if elapsed > self.limits.unit_time * MOST_SLOWED {
            return Err(Failure::Slow { seconds: elapsed.as_secs() });
        }
        // Both processes may have been stopped meanwhile, so that little of the time counts.
        let passed = std::mem::replace(&mut self.looked, Instant::now()).elapsed().min(2 * INTERVAL);
        self.idle = if now == self.last { self.idle + passed } else { Duration::ZERO };
        self.last = now;
        if self.idle > self.longest_wait {
            if watch.sleeps() {
                return Err(Failure::Waited);
            }
            self.idle = Duration::ZERO;
        }
        Ok(())
    }

    /// The same where the system does not say what the worker has used.
    fn look_at_the_clock(&self) -> Result<(), Failure> {
        if self.started.elapsed() > self.limits.unit_time { Err(self.exceeded(Limit::Time)) } else { Ok(()) }
    }

    fn exceeded(&self, limit: Limit) -> Failure {
        Failure::exceeded(limit, &self.limits)
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if let Err(failure) = (self.look)() {
                        *self.failure = Some(failure);
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

/// The status of a process that has closed its socket. It is about to end, unless somebody has taken
/// it over.
fn end_of(child: &mut Child) -> Option<ExitStatus> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) if started.elapsed() < LONGEST_END => std::thread::sleep(Duration::from_millis(1)),
            status => return status.ok().flatten(),
        }
    }
}

/// Starts a worker process.
///
/// The socket is its standard input: `#include "/dev/stdin"` cannot open a socket. libclang prints by
/// itself, so that a unit could have anything printed; nobody gets that. With
/// `LIBCLANG_NOTHREADS`, libclang runs on the large stack that the worker has made. Without its
/// recovery, a crash always ends the worker.
fn start_process(program: &Path, socket: UnixStream) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg0("cowrap").arg(ARGUMENT).env_clear().envs(environment::deciding());
    command.env("LIBCLANG_NOTHREADS", "1").env("LIBCLANG_DISABLE_CRASH_RECOVERY", "1");
    // glibc asks for huge pages then, which saves a twentieth of the time of a worker's first unit. Other
    // allocators ignore it.
    command.env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
    // A unit can ask clang to write modules into a cache there, which nobody wants.
    for variable in ["HOME", "TMPDIR", "XDG_CACHE_HOME"] {
        command.env(variable, "/dev/null");
    }
    command.stdin(Stdio::from(OwnedFd::from(socket))).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program in place of cowrap, whose standard input is the socket.
    fn start(script: &str) -> (tempfile::TempDir, Worker) {
        use std::os::unix::fs::PermissionsExt;
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let isolation = Isolation::Processes { program };
        loop {
            match Worker::start(&isolation) {
                // Another test started a process while the file was open.
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {}
                worker => return (scratch, worker.unwrap()),
            }
        }
    }

    #[test]
    fn nobody_waits_for_a_worker_that_closes_its_socket() {
        let failure = |script: &str| {
            let (_scratch, mut worker) = start(script);
            let failure = worker.library(&Limits::default()).unwrap_err();
            assert!(worker.is_dead());
            failure
        };
        let started = Instant::now();
        assert_eq!(failure("exec sleep 600 < /dev/null"), Failure::Damaged);
        assert!(started.elapsed() < Duration::from_secs(300));
        assert_eq!(failure("exit 3"), Failure::Ended { status: 3 });
        assert_eq!(failure("kill -KILL $$"), Failure::Killed { times: 1 });
        assert_eq!(failure("kill -SEGV $$"), Failure::Crashed { signal: 11 });
    }

    #[test]
    fn nobody_waits_for_a_worker_that_receives_nothing() {
        let (_scratch, mut worker) = start("exec sleep 600");
        worker.stream.set_write_timeout(Some(Duration::from_millis(10))).unwrap();
        assert!(matches!(worker.send(&vec![0; 64 << 20]), Err(Failure::Slow { .. })));
        assert!(worker.is_dead());
    }
}
