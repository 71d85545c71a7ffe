//! What a worker read of a unit or header that takes part in sharing.

use std::path::PathBuf;
use std::sync::Arc;

use crate::extract::{PchMismatch, PchSummary};
use crate::failure::Failure;
use crate::worker::{InclusionOf, SharingOutput};
use cowrap_facts::UnitFacts;

use super::compile::Included;

/// What a worker read. Paths are those that facts use.
#[derive(Debug)]
pub struct Parsed {
    /// The facts, without those of the precompiled headers.
    pub facts: UnitFacts,
    /// What it declares, on top of what the precompiled headers declare.
    pub summary: Arc<PchSummary>,
    /// Why facts of the precompiled headers may not be those of their headers here.
    pub mismatch: Option<PchMismatch>,
    /// The inclusions that were asked for.
    pub inclusions: Vec<Included>,
    /// The first warning or error of the compiler, and its file.
    pub message: Option<(String, Option<PathBuf>)>,
    /// The beginning of the main file.
    pub text: Vec<u8>,
}

impl Parsed {
    /// What a worker sent about a unit that stands on a summary.
    pub fn new(
        facts: UnitFacts,
        output: Option<SharingOutput>,
        below: Option<Arc<PchSummary>>,
    ) -> Result<Parsed, Failure> {
        let SharingOutput { summary, mismatch, paths, inclusions, message, text } = output.ok_or(Failure::Damaged)?;
        let summary: PchSummary = postcard::from_bytes(&summary.0).map_err(|_| Failure::Damaged)?;
        let path = |number: u32| paths.get(number as usize).cloned();
        let included = inclusions.into_iter().filter_map(|InclusionOf { file, line, from }| {
            let from = from.and_then(|(from, line)| Some((path(from)?, line)));
            Some(Included { file: path(file)?, line: line?, from })
        });
        let inclusions = included.collect();
        let message = message.map(|(message, file)| (message, file.and_then(path)));
        Ok(Parsed { facts, summary: Arc::new(summary.on(below)), mismatch, inclusions, message, text: text.0 })
    }
}
