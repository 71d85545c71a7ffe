//! Translates the numbers in one file's facts to ids of the program.

use super::super::{FileId, FunctionId, Location, Mark, SlotId};

/// For each file, symbol and slot of the facts, its id.
#[derive(Debug)]
pub(super) struct IdMap {
    pub(super) files: Vec<FileId>,
    pub(super) functions: Vec<FunctionId>,
    /// `None` for a slot that is not followed.
    pub(super) slots: Vec<Option<SlotId>>,
}

impl IdMap {
    pub(super) fn file(&self, file: cowrap_facts::FileId) -> FileId {
        self.files[file.0 as usize]
    }

    pub(super) fn function(&self, symbol: cowrap_facts::SymbolId) -> FunctionId {
        self.functions[symbol.0 as usize]
    }

    pub(super) fn slot(&self, slot: cowrap_facts::SlotId) -> Option<SlotId> {
        self.slots[slot.0 as usize]
    }

    pub(super) fn location(&self, location: cowrap_facts::Location) -> Location {
        Location { file: self.file(location.file), line: location.line, column: location.column }
    }

    pub(super) fn marks(&self, marks: &[cowrap_facts::Mark]) -> Vec<Mark> {
        marks.iter().map(|mark| Mark { location: self.location(mark.location), mark: mark.mark }).collect()
    }
}
