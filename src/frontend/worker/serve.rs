//! The worker's side: reads one unit at a time, until the other side closes the socket.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit, setsid};

use super::evidence::{evidence, referred_names, skipped};
use super::protocol::{
    Answer, Bytes, CommonInput, LibraryInfo, Parse, ParseFailure, Parsed, Request, SharingOutput, frame, receive, send,
};
use crate::clang::{File, Index, Library, Purpose, UnsavedFile};
use crate::extract::{Extracted, Paths, PchSummary, extract};
use crate::parse::parse_with_retries;
use crate::tree_paths::TreePaths;
use cowrap_base::files::Digest;
use cowrap_facts::EncodedFacts;

/// The argument with which this program starts itself as a worker.
pub const ARGUMENT: &str = "--worker";

/// The stacks to try, the largest first: libclang and extraction recurse, and syntax trees can be
/// deep. Only what is used takes memory.
const STACK_BYTES: &[usize] = &[1 << 30, 256 << 20, 32 << 20];

/// What a worker needs beside the memory that a unit may take: its stack, libclang, and files that
/// are mapped.
const OTHER_BYTES: u64 = 2 << 30;

/// Runs a worker process, if standard input is a socket, as for the workers that cowrap starts.
pub fn run() -> ExitCode {
    let Some(stream) = standard_input() else {
        let message = format!("cowrap: error: {ARGUMENT} is for processes that cowrap starts\n");
        let _ = io::stderr().write_all(message.as_bytes());
        return ExitCode::from(2);
    };
    // Without a terminal, nothing can be read from one, and Ctrl-C ends the process that started
    // this one. It works without either, too.
    let _ = setsid();
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let is_served = STACK_BYTES.iter().any(|bytes| {
        let Ok(stream) = stream.try_clone() else { return false };
        std::thread::Builder::new().stack_size(*bytes).spawn(move || serve_and_end(stream)).is_ok()
    });
    if is_served {
        wait_for_end(&stream);
    }
    // libclang has nothing to tidy up, and the other thread may be anywhere in it.
    let _ = kill_process(getpid(), Signal::KILL);
    ExitCode::FAILURE
}

/// Serves requests, and ends the process when that ends, for whatever reason: the other side would wait
/// for an answer that does not come.
fn serve_and_end(stream: UnixStream) {
    let _ = catch_unwind(AssertUnwindSafe(|| serve(stream, true)));
    std::process::exit(1);
}

/// Waits until the other side closes the socket, which it does by ending, however it ends. The thread
/// that serves it may be busy meanwhile.
fn wait_for_end(stream: &UnixStream) {
    loop {
        let mut events = [PollFd::new(stream, PollFlags::empty())];
        let polled = poll(&mut events, None);
        if polled.is_ok() && events[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        }
    }
}

/// The socket that is this process's standard input.
fn standard_input() -> Option<UnixStream> {
    let file = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let is_socket = file.metadata().ok()?.file_type().is_socket();
    is_socket.then(|| UnixStream::from(OwnedFd::from(file)))
}

/// Serves requests until the other side closes the stream. A process of its own takes limits.
pub fn serve(mut stream: UnixStream, is_process: bool) -> io::Result<()> {
    let library = Library::load();
    send(&mut stream, &Answer::Library(library.as_ref().map(LibraryInfo::new).map_err(Clone::clone)))?;
    let Ok(library) = library else { return Ok(()) };
    let mut service =
        Service { stream, library, common: None, summaries: HashMap::new(), sent: HashSet::new(), is_process };
    let mut request = service.receive()?;
    loop {
        request = match request {
            Request::SetUp(common) => service.set_up(*common)?,
            Request::Begin => service.begin()?,
            Request::Summary { id, below, summary } => service.keep(id, below, &summary)?,
            Request::Parse(parse) => service.parse(*parse)?,
            Request::ReferredNames(_) | Request::Skipped | Request::Save(_) | Request::Release => service.receive()?,
        };
    }
}

/// What a worker keeps between requests.
struct Service {
    stream: UnixStream,
    library: Library,
    common: Option<Common>,
    summaries: HashMap<u64, Arc<PchSummary>>,
    /// The facts that the other side has.
    sent: HashSet<Digest>,
    is_process: bool,
}

/// What all units have in common.
struct Common {
    input: CommonInput,
    paths: TreePaths,
}

impl Service {
    fn receive(&mut self) -> io::Result<Request> {
        receive(&mut self.stream)
    }

    fn set_up(&mut self, input: CommonInput) -> io::Result<Request> {
        if self.is_process {
            limit_memory(input.limits.unit_memory);
        }
        let paths = TreePaths::new(input.tree(), &input.texts, input.limits.source_bytes);
        self.common = Some(Common { input, paths });
        self.receive()
    }

    fn begin(&mut self) -> io::Result<Request> {
        self.summaries.clear();
        self.sent.clear();
        self.receive()
    }

    fn keep(&mut self, id: u64, below: Option<u64>, summary: &[u8]) -> io::Result<Request> {
        let summary: PchSummary = postcard::from_bytes(summary).map_err(io::Error::other)?;
        let below = below.and_then(|below| self.summaries.get(&below)).cloned();
        self.summaries.insert(id, Arc::new(summary.on(below)));
        self.receive()
    }

    /// Parses a unit, and answers what is asked about it. Returns the request behind these.
    fn parse(&mut self, parse: Parse) -> io::Result<Request> {
        let parsed = catch_unwind(AssertUnwindSafe(|| self.parse_and_answer(&parse)));
        let failure = match parsed {
            Ok(Ok(Some(request))) => return Ok(request),
            Ok(Ok(None)) => None,
            Ok(Err(error)) => return Err(error),
            Err(panic) => Some(ParseFailure::Panic(message(&*panic))),
        };
        if let Some(failure) = failure {
            send(&mut self.stream, &Answer::Failed(failure))?;
        }
        self.receive()
    }

    fn parse_and_answer(&mut self, parse: &Parse) -> io::Result<Option<Request>> {
        let Service { stream, library, common, summaries, sent, .. } = self;
        let common = common.as_ref().ok_or(io::ErrorKind::InvalidData)?;
        let index = Index::new(library);
        let with_source: Vec<UnsavedFile>;
        let texts = match &parse.source {
            Some(source) => {
                let others = common.input.texts.iter().filter(|text| text.path() != source.path());
                with_source = others.chain([source]).cloned().collect();
                &with_source
            }
            None => &common.input.texts,
        };
        let (unit, unknown) =
            match parse_with_retries(&index, &parse.file, parse.arguments.clone(), texts, parse.purpose) {
                Ok(parsed) => parsed,
                Err(error) => {
                    send(stream, &Answer::Failed(ParseFailure::Parse(error)))?;
                    return Ok(None);
                }
            };
        let directory = Path::new(&parse.directory);
        let absolute = |file: File<'_>| common.paths.absolute(&common.paths.identify(directory, &file.path()));
        if parse.purpose == Purpose::Preprocess {
            send(stream, &Answer::Skipped(skipped(&unit, absolute)))?;
            return Ok(None);
        }
        let before = match parse.sharing.map(|sharing| sharing.below) {
            None => None,
            Some(None) => Some(Arc::default()),
            Some(Some(id)) => Some(summaries.get(&id).cloned().ok_or(io::ErrorKind::InvalidData)?),
        };
        let Common { input, paths } = common;
        let mut extracted = extract(&unit, directory, paths, &input.vocabulary, input.limits.depth, before.as_ref());
        extracted.parse_status.unknown_arguments = unknown;
        let Extracted { files, file_facts, parse_status, summary, mismatch, is_too_deep } = extracted;
        if is_too_deep {
            send(stream, &Answer::Failed(ParseFailure::TooDeep))?;
            return Ok(None);
        }
        let sharing = parse.sharing.zip(summary).map(|(wanted, summary)| {
            let encoded = Bytes(postcard::to_stdvec(&summary).unwrap_or_default());
            if let Some(id) = wanted.keep {
                summaries.insert(id, Arc::new(summary.on(before)));
            }
            let output = evidence(&unit, wanted, parse.purpose, |file| paths.identify(directory, &file.path()));
            SharingOutput { summary: encoded, mismatch, ..output }
        });
        let new = |EncodedFacts { digest, bytes }| (digest, (!sent.contains(&digest)).then_some(Bytes(bytes)));
        let file_facts: Vec<(Digest, Option<Bytes>)> = file_facts.into_iter().map(new).collect();
        let digests: Vec<Digest> = file_facts.iter().map(|(digest, _)| *digest).collect();
        let answer = Answer::Parsed(Box::new(Parsed { files, file_facts, parse_status, sharing }));
        match frame(&answer) {
            Some(frame) => {
                sent.extend(digests);
                io::Write::write_all(stream, &frame)?;
            }
            None => send(stream, &Answer::Failed(ParseFailure::TooLong))?,
        }
        loop {
            match receive(stream)? {
                Request::ReferredNames(wanted) => {
                    let early = parse.sharing.and_then(|sharing| sharing.early);
                    let found = referred_names(&unit, &wanted, early, absolute);
                    send(stream, &Answer::ReferredNames(found))?;
                }
                Request::Skipped => {
                    send(stream, &Answer::Skipped(skipped(&unit, absolute)))?;
                }
                Request::Save(path) => send(stream, &Answer::Saved(unit.save(&path)))?,
                Request::Release => return Ok(None),
                other => return Ok(Some(other)),
            }
        }
    }
}

/// Limits the memory of this process, as far as the system allows it. What the other side sees
/// first ends the worker with a better message.
fn limit_memory(bytes: u64) {
    let most = bytes.saturating_add(bytes / 4).saturating_add(OTHER_BYTES);
    let maximum = getrlimit(Resource::As).maximum;
    let most = maximum.map_or(most, |maximum| most.min(maximum));
    let _ = setrlimit(Resource::As, Rlimit { current: Some(most), maximum });
}

/// The message of a panic.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
