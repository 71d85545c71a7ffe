//! Step 2, compile: the source of a precompiled header, and what came out of compiling it.
//!
//! What is kept of a compilation depends on nothing else in the plan, so that a later run can use
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::clang::UnsavedFile;
use crate::extract::PchSummary;
use crate::failure::Failure;
use crate::scan::{Name, Names, SkippedLines};
use crate::worker::Conversation;
use cowrap_facts::SharedFileFacts;

use super::bit_set::BitSet;
use super::certify::Certificate;
use super::headers::{Headers, Inclusions};
use super::interference::MovedFiles;
use super::parsed::Parsed;
use super::plan::{ListedHeader, Node};

/// Arguments for precompiled headers alone: what is only a warning there can mean something else
/// where more is declared.
pub const ARGUMENTS: &[&str] =
    &["-Wno-everything", "-Wimplicit-function-declaration", "-Wvisibility", "-x", "c-header"];

/// A planned precompiled header, without the headers that earlier tries had to leave out.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// The precompiled header that it stands on.
    pub below: Option<&'a Arc<Pch>>,
    /// The headers that its source includes.
    pub listed: &'a [&'a ListedHeader],
}

/// The lines that the compiler skipped, by the absolute paths of all files that were read once;
/// nothing is known of other files.
pub type Skipped = BTreeMap<PathBuf, Vec<SkippedLines>>;

/// What came out of compiling a candidate.
#[derive(Debug, Default)]
pub struct Compiled {
    /// Every time that a file was included.
    pub inclusions: Vec<Included>,
    /// What the headers declare, for what is compiled on top of them.
    pub summary: Arc<PchSummary>,
    /// The facts of the headers.
    pub file_facts: Vec<SharedFileFacts>,
    /// What the compiler skipped, if that was asked for.
    pub skipped: Option<Skipped>,
}

/// An inclusion, with the paths that facts use.
#[derive(Debug, Serialize, Deserialize)]
pub struct Included {
    /// The included file.
    pub file: PathBuf,
    /// The line of the source that led to it.
    pub line: u32,
    /// The including file, and the line there.
    pub from: Option<(PathBuf, u32)>,
}

/// A certified precompiled header.
#[derive(Debug)]
pub struct Pch {
    /// Its file.
    pub file: CString,
    /// The path of that file, if it is in the store.
    pub stored: Option<PathBuf>,
    /// The precompiled header that it stands on.
    pub below: Option<Arc<Pch>>,
    /// What came out of compiling it.
    pub compiled: Compiled,
    /// What was certified.
    pub certificate: Certificate,
    /// The number of its summary, for workers.
    pub number: u64,
    /// The source.
    pub source: (CString, UnsavedFile),
    /// The node of the plan.
    pub node: usize,
    /// The same without what the compiler skipped in its files, once that was asked for.
    pub active: OnceLock<Active>,
}

/// What is known of a precompiled header by what the compiler skipped in its files.
#[derive(Debug)]
pub struct Active {
    /// See [`Certificate::moved`].
    pub moved: Arc<MovedFiles>,
    /// See [`Certificate::included`].
    pub included: Inclusions,
}

impl Pch {
    /// Its files that are read in another order than in a plain parse, as far as they are known.
    pub fn moved(&self) -> &Arc<MovedFiles> {
        self.active.get().map_or(&self.certificate.moved, |active| &active.moved)
    }

    /// The inclusions in it and below it, as far as they are known.
    pub fn included(&self) -> &Inclusions {
        self.active.get().map_or(&self.certificate.included, |active| &active.included)
    }

    /// This precompiled header, and those below it.
    pub fn chain(&self) -> impl Iterator<Item = &Pch> {
        std::iter::successors(Some(self), |pch| pch.below.as_deref())
    }

    /// Sends a worker what this precompiled header and those below it declare.
    pub fn send_summaries(&self, conversation: &mut Conversation<'_>) -> Result<(), Failure> {
        let levels: Vec<&Pch> = self.chain().collect();
        for level in levels.into_iter().rev() {
            let below = level.below.as_ref().map(|below| below.number);
            let encoded = || postcard::to_stdvec(&*level.compiled.summary).unwrap_or_default();
            conversation.send_summary(level.number, below, encoded)?;
        }
        Ok(())
    }
}

impl<'a> Candidate<'a> {
    /// The precompiled headers below it.
    pub fn chain_below(&self) -> impl Iterator<Item = &'a Pch> {
        self.below.into_iter().flat_map(|below| below.chain())
    }
}

/// The headers that the source of a node includes, without those to leave out.
pub fn listed<'a>(node: &'a Node, left_out: &BitSet) -> Vec<&'a ListedHeader> {
    node.listed.iter().filter(|listed| !left_out.contains(listed.id)).collect()
}

/// The source of a precompiled header, as a file in memory, and its path in `directory`.
///
/// clang forgets a macro of one precompiled header when another one on top of it uses the macro's
/// name for something else, such as a field with the name of a macro with parameters (seen with
/// libclang 19). For each name that this may happen to, the source ends with pragmas that make
/// clang write the macro again.
pub fn source(
    path: PathBuf,
    candidate: Candidate<'_>,
    headers: &Headers,
    names: &Names,
) -> Option<(CString, UnsavedFile)> {
    let mut text: Vec<u8> = candidate.listed.iter().flat_map(|listed| &listed.line).copied().collect();
    if candidate.below.is_some() {
        let read = headers.closure(candidate.listed.iter().map(|listed| listed.id));
        let words = read.iter().flat_map(|id| &headers.get(id).scan.words).map(|(name, _)| *name);
        let may_be_forgotten =
            |name: &Name| candidate.chain_below().any(|level| level.certificate.defined.contains(name));
        let forgotten: BTreeSet<Arc<[u8]>> = words.filter(may_be_forgotten).map(|name| names.text(name)).collect();
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        for name in forgotten.iter().filter(|name| name.iter().all(is_plain)) {
            for order in ["push", "pop"] {
                let name = String::from_utf8_lossy(name);
                text.extend(format!("#pragma {order}_macro(\"{name}\")\n").bytes());
            }
        }
    }
    let file = UnsavedFile::new(path.clone(), text)?;
    Some((CString::new(path.into_os_string().as_bytes()).ok()?, file))
}

/// What came out of compiling a precompiled header.
pub fn compiled(parsed: Parsed, skipped: Option<Skipped>) -> Compiled {
    let Parsed { facts, summary, inclusions, .. } = parsed;
    Compiled { inclusions, summary, file_facts: facts.file_facts, skipped }
}
