//! Who says what: what is needed to take back what facts say of the program.
//!
//! Files, functions and slots are in the program because facts mention them. How many do is counted, so that what
//! nobody mentions any more can go. Everything else has a location, and comes from facts that are *located* in the same
//! file: declarations, bodies, stores and misplaced marks.

use serde::{Deserialize, Serialize};

use cowrap_base::files::Digest;
use cowrap_facts::{FileFacts, SlotModelId};

use super::super::{FileId, FunctionId, Id, IndexVec, Location, Mark, PackCounts, Slot, SlotId, SlotKey};

/// How often the distinct facts mention everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Mentions {
    /// For each file, how many facts list it.
    pub files: IndexVec<FileId, u32>,
    /// For each function, how many facts list it.
    pub functions: IndexVec<FunctionId, u32>,
    /// For each slot, what facts say of it, sorted, each with how many say so.
    pub slots: IndexVec<SlotId, Vec<(SlotMention, u32)>>,
    /// For each slot, how many bodies assign to it, if it is a parameter of theirs.
    pub assigned: IndexVec<SlotId, u32>,
}

/// What one file's facts say of a slot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in super::super) struct SlotMention {
    pub name: String,
    pub is_foreign: bool,
    pub models: Vec<SlotModelId>,
    /// Sorted, as `declared`.
    pub marks: Vec<Mark>,
    pub declared: Vec<Location>,
}

/// The facts of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct FactsRecord {
    pub digest: Digest,
    /// The files in which they say something, sorted.
    pub located: Vec<FileId>,
    /// Whether a body among them has a list of units.
    pub has_units: bool,
}

impl SlotMention {
    pub(super) fn new(
        name: String,
        is_foreign: bool,
        models: Vec<SlotModelId>,
        marks: Vec<Mark>,
        declared: Vec<Location>,
    ) -> SlotMention {
        let mut mention = SlotMention { name, is_foreign, models, marks, declared };
        mention.sort();
        mention
    }

    /// Whether all numbers are numbers of something, where there are this many files.
    pub(in super::super) fn is_consistent(&self, files: usize, packs: PackCounts) -> bool {
        let is_file = |file: FileId| file.index() < files;
        self.models.iter().all(|model| usize::from(model.0) < packs.slots)
            && self.marks.iter().all(|mark| usize::from(mark.mark.0) < packs.marks && is_file(mark.location.file))
            && self.declared.iter().all(|declared| is_file(declared.file))
    }

    /// Restores the order after other ids were given out.
    pub(in super::super) fn sort(&mut self) {
        sort(&mut self.models);
        sort(&mut self.marks);
        sort(&mut self.declared);
    }
}

fn sort<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

/// Adds a mention that some facts make.
pub(in super::super) fn add(known: &mut Vec<(SlotMention, u32)>, mention: SlotMention, count: u32) {
    match known.iter_mut().find(|(known, _)| *known == mention) {
        Some((_, known)) => *known = known.saturating_add(count),
        None => known.push((mention, count)),
    }
}

impl Slot {
    /// A slot of which nothing is said yet.
    pub(super) fn new(key: SlotKey, base: Option<SlotId>) -> Slot {
        let (models, marks, declared) = (Vec::new(), Vec::new(), Vec::new());
        Slot { key, base, name: String::new(), is_foreign: false, is_assigned: false, models, marks, declared }
    }

    /// Replaces what the slot says by what all mentions say together.
    pub(in super::super) fn unite(&mut self, mentions: &[(SlotMention, u32)]) {
        let mentions = || mentions.iter().map(|(mention, _)| mention);
        // In another configuration it may be an array, or its record may have another name.
        self.name = mentions().map(|mention| &mention.name).max().cloned().unwrap_or_default();
        self.is_foreign = mentions().any(|mention| mention.is_foreign);
        self.models = mentions().flat_map(|mention| mention.models.iter().copied()).collect();
        self.marks = mentions().flat_map(|mention| mention.marks.iter().copied()).collect();
        self.declared = mentions().flat_map(|mention| mention.declared.iter().copied()).collect();
        sort(&mut self.models);
        sort(&mut self.marks);
        sort(&mut self.declared);
    }
}

/// The files in which facts say something that is not said by all who mention it, sorted.
pub(in super::super) fn located(facts: &FileFacts) -> impl Iterator<Item = cowrap_facts::FileId> + use<> {
    let declarations = facts.declarations.iter().map(|declaration| declaration.location);
    let bodies = facts.bodies.iter().map(|body| body.location);
    let in_bodies = facts.bodies.iter().flat_map(|body| &body.stores);
    let stores = in_bodies.chain(&facts.stores).map(|store| store.location);
    let misplaced = facts.misplaced.iter().map(|mark| mark.location);
    let mut files: Vec<cowrap_facts::FileId> = Vec::new();
    for location in declarations.chain(bodies).chain(stores).chain(misplaced) {
        if files.last() != Some(&location.file) && !files.contains(&location.file) {
            files.push(location.file);
        }
    }
    files.into_iter()
}
