//! Translates the numbers in one file's facts to ids of the program.

use super::super::{FileId, FunctionId, Location, Mark, SlotKey};

/// For each file and symbol of the facts, its id.
pub(super) struct IdMap {
    pub(super) files: Vec<FileId>,
    pub(super) functions: Vec<FunctionId>,
}

impl IdMap {
    pub(super) fn file(&self, file: cowrap_facts::FileId) -> FileId {
        self.files[file.0 as usize]
    }

    pub(super) fn function(&self, symbol: cowrap_facts::SymbolId) -> FunctionId {
        self.functions[symbol.0 as usize]
    }

    pub(super) fn location(&self, location: cowrap_facts::Location) -> Location {
        Location { file: self.file(location.file), line: location.line, column: location.column }
    }

    pub(super) fn marks(&self, marks: &[cowrap_facts::Mark]) -> Vec<Mark> {
        marks.iter().map(|mark| Mark { location: self.location(mark.location), mark: mark.mark }).collect()
    }
}

/// The identity of a slot within the body of `inside`, and its name in messages.
pub(super) fn slot_key(ids: &IdMap, inside: Option<FunctionId>, slot: cowrap_facts::Slot) -> Option<(SlotKey, String)> {
    Some(match slot {
        cowrap_facts::Slot::Field { record, record_name, field } => {
            let name = if record_name.is_empty() { field.clone() } else { format!("{record_name}::{field}") };
            (SlotKey::Field { record: ids.location(record), field }, name)
        }
        cowrap_facts::Slot::Global { name, file } => {
            let file = file.map(|file| ids.file(file));
            (SlotKey::Global { name: name.clone(), file }, name)
        }
        cowrap_facts::Slot::Local { name, declared } => {
            (SlotKey::Local { declared: ids.location(declared), name: name.clone() }, name)
        }
        cowrap_facts::Slot::Parameter { position } => {
            (SlotKey::Parameter { function: inside?, position }, format!("parameter {}", position + 1))
        }
        cowrap_facts::Slot::Argument { function, position } => {
            let function = ids.function(function);
            (SlotKey::Parameter { function, position }, format!("parameter {}", position + 1))
        }
        cowrap_facts::Slot::Return => (SlotKey::Result { function: inside? }, "result".to_owned()),
        cowrap_facts::Slot::Result { function } => {
            (SlotKey::Result { function: ids.function(function) }, "result".to_owned())
        }
        cowrap_facts::Slot::Element(of) => {
            let (key, name) = slot_key(ids, inside, *of)?;
            (SlotKey::Element(Box::new(key)), format!("{name}[]"))
        }
        cowrap_facts::Slot::SlotArgument { .. } | cowrap_facts::Slot::Other => return None,
    })
}
