//! What a worker and the process that started it say to each other.
//!
//! Each message is a frame: its length, and the message in postcard's form. The worker may have been
//! taken over by what it parsed, so that nothing that it sends is trusted: frames have a greatest
//! length, and facts come with digests that are compared.

use std::ffi::{CString, OsString};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clang::{LoadError, ParseError, Purpose, UnsavedFile};
use crate::extract::{PchMismatch, Vocabulary};
use crate::scan::SkippedLines;
use cowrap_base::files::{Digest, Tree};
use cowrap_base::limits::Limits;
use cowrap_facts::ParseStatus;

/// The greatest length of a frame.
const LONGEST_FRAME: u64 = 1 << 30;

/// What is asked of a worker. It answers a [`Request::Parse`] with [`Answer::Parsed`] or
/// [`Answer::Failed`], and what follows it with the answer of the same name or [`Answer::Failed`].
/// The other requests have no answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// What all units have in common; it replaces what was set up before.
    SetUp(Box<CommonInput>),
    /// A run begins: forget summaries, and which facts were sent.
    Begin,
    /// The summary of a precompiled header, for units that start from it.
    Summary {
        /// Its number.
        id: u64,
        /// The number of the summary of the precompiled header below it.
        below: Option<u64>,
        /// The summary, encoded.
        #[serde(with = "crate::bytes")]
        summary: Vec<u8>,
    },
    /// Parse a unit and extract its facts. With [`Purpose::Preprocess`], the answer is
    /// [`Answer::Skipped`].
    Parse(Box<Parse>),
    /// Which of some names do files of the unit refer to? Given by the absolute paths of the files.
    ReferredNames(Vec<(OsString, Vec<String>)>),
    /// Which lines did the compiler skip?
    Skipped,
    /// Save the unit as a precompiled header.
    Save(CString),
    /// Forget the unit.
    Release,
}

/// What all units have in common.
#[derive(Debug, Serialize, Deserialize)]
pub struct CommonInput {
    /// The words that extraction looks for.
    pub vocabulary: Vocabulary,
    root: OsString,
    build: Option<OsString>,
    /// The texts that replace files on disk.
    pub texts: Vec<UnsavedFile>,
    /// The limits.
    pub limits: Limits,
}

/// A unit to parse.
#[derive(Debug, Serialize, Deserialize)]
pub struct Parse {
    /// Its file.
    pub file: CString,
    /// The directory that relative paths start from.
    pub directory: OsString,
    /// All arguments.
    pub arguments: Vec<CString>,
    /// The text that replaces the unit's own file.
    pub source: Option<UnsavedFile>,
    /// What the unit is parsed for.
    pub purpose: Purpose,
    /// For a unit that takes part in sharing.
    pub sharing: Option<SharingInput>,
}

/// What a unit that takes part in sharing starts from, and what is asked about it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SharingInput {
    /// The number of the summary of the precompiled headers that it starts from.
    pub below: Option<u64>,
    /// The number under which the worker keeps the summary of what it parses.
    pub keep: Option<u64>,
    /// The line of the main file up to which inclusions and the text are wanted; all inclusions and
    /// no text without it.
    pub early: Option<u32>,
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The first answer, to no request: the libclang in use.
    Library(Result<LibraryInfo, LoadError>),
    /// The facts of a unit.
    Parsed(Box<Parsed>),
    /// Why there are none.
    Failed(ParseFailure),
    /// The names that were found, each with the number of its file in the request.
    ReferredNames(Vec<(u32, String)>),
    /// The lines that the compiler skipped, by the absolute paths of files that were read once.
    Skipped(Vec<(OsString, Vec<SkippedLines>)>),
    /// Whether the unit was saved.
    Saved(bool),
}

/// The libclang that workers use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryInfo {
    path: OsString,
    resource_directory: OsString,
    /// The version as libclang words it.
    pub version: String,
}

/// Why a worker has no facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ParseFailure {
    /// libclang made no translation unit.
    Parse(ParseError),
    /// Something panicked.
    Panic(String),
    /// The answer would be too long.
    TooLong,
    /// Something is nested too deep.
    TooDeep,
}

/// What was read of a unit.
#[derive(Debug, Serialize, Deserialize)]
pub struct Parsed {
    /// See [`UnitFacts`](cowrap_facts::UnitFacts) for these.
    #[serde(with = "cowrap_facts::paths")]
    pub files: Vec<PathBuf>,
    /// The digests of the facts of files, with the facts that this worker sends for the first time.
    pub file_facts: Vec<(Digest, Option<Bytes>)>,
    #[allow(missing_docs)]
    pub parse_status: ParseStatus,
    /// For a unit that takes part in sharing.
    pub sharing: Option<SharingOutput>,
}

/// What certification needs to know of a unit.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SharingOutput {
    /// The [`PchSummary`](crate::extract::PchSummary), encoded.
    pub summary: Bytes,
    /// Why facts of the precompiled headers may not be those of their headers in this unit.
    pub mismatch: Option<PchMismatch>,
    /// The paths in `inclusions` and `message`.
    #[serde(with = "cowrap_facts::paths")]
    pub paths: Vec<PathBuf>,
    /// The inclusions.
    pub inclusions: Vec<InclusionOf>,
    /// The first warning or error, and its file.
    pub message: Option<(String, Option<u32>)>,
    /// The beginning of the main file.
    pub text: Bytes,
}

/// An inclusion. Files are positions in [`SharingOutput::paths`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct InclusionOf {
    /// The included file.
    pub file: u32,
    /// The line of the main file that led to it.
    pub line: Option<u32>,
    /// The including file, and the line there.
    pub from: Option<(u32, u32)>,
}

/// Bytes, which are encoded in one piece.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Bytes(#[serde(with = "crate::bytes")] pub Vec<u8>);

impl CommonInput {
    /// What all units of a tree have in common.
    pub fn new(vocabulary: Vocabulary, tree: &Tree, texts: Vec<UnsavedFile>, limits: Limits) -> CommonInput {
        let (root, build) = (tree.root.clone().into(), tree.build.clone().map(PathBuf::into_os_string));
        CommonInput { vocabulary, root, build, texts, limits }
    }

    /// The tree.
    pub fn tree(&self) -> Tree {
        Tree { root: self.root.clone().into(), build: self.build.clone().map(PathBuf::from) }
    }
}

impl LibraryInfo {
    /// Describes a library.
    pub fn new(library: &crate::clang::Library) -> LibraryInfo {
        LibraryInfo {
            path: library.path().into(),
            resource_directory: library.resource_directory().into(),
            version: library.version().to_owned(),
        }
    }

    /// The library's path, as found.
    pub fn path(&self) -> &std::path::Path {
        std::path::Path::new(&self.path)
    }

    /// The directory whose `include` has the compiler's own headers.
    pub fn resource_directory(&self) -> &std::path::Path {
        std::path::Path::new(&self.resource_directory)
    }
}

/// Encodes a message as a frame; `None` if it is too long.
pub fn frame(message: &impl Serialize) -> Option<Vec<u8>> {
    let bytes = postcard::to_extend(message, vec![0; 4]).ok()?;
    let length = u32::try_from(bytes.len() - 4).ok().filter(|length| u64::from(*length) <= LONGEST_FRAME)?;
    let mut bytes = bytes;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Some(bytes)
}

/// Sends a message.
pub fn send(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    stream.write_all(&frame(message).ok_or(io::ErrorKind::InvalidData)?)
}

/// Receives a message. The error is [`io::ErrorKind::UnexpectedEof`] at the end of the stream.
pub fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > LONGEST_FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // Memory is taken as bytes arrive.
    let mut bytes = Vec::with_capacity(length.min(1 << 20) as usize);
    if stream.take(length).read_to_end(&mut bytes)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    postcard::from_bytes(&bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_and_a_damaged_one_does_not() {
        let sent = Answer::ReferredNames(vec![(1, "a".to_owned())]);
        let mut stream = frame(&sent).unwrap();
        assert!(matches!(receive(&mut &*stream).unwrap(), Answer::ReferredNames(names) if names.len() == 1));
        let kind = |stream: &[u8]| receive::<Answer>(&mut &*stream).unwrap_err().kind();
        assert_eq!(kind(&[]), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(&stream[..stream.len() - 1]), io::ErrorKind::UnexpectedEof);
        stream[4] = 99;
        assert_eq!(kind(&stream), io::ErrorKind::InvalidData);
        assert_eq!(kind(&[0xff; 8]), io::ErrorKind::InvalidData);
    }
}
