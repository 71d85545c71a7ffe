//! Synthetic programs: the facts of one unit, from sketches of functions.

use std::path::PathBuf;

use cowrap_base::files::Tree;
use cowrap_facts::{
    Body, Call, CallKind, Declaration, FileFacts, FileId, Location, Mark, MarkId, PairedFlags, PathCondition,
    SharedFileFacts, Slot, SlotCall, SlotId, SlotIdentity, Store, Symbol, SymbolId, Value,
};
use cowrap_packs::Pack;

/// A function.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    /// Its mark, by name.
    pub mark: Option<&'static str>,
    /// The functions that it calls by name.
    pub calls: Vec<usize>,
    /// The slots that it calls through.
    pub slot_calls: Vec<usize>,
    /// The functions that it stores, with the slot.
    pub stores: Vec<(usize, usize)>,
}

/// The file of all synthetic functions.
pub const FILE: &str = "/synthetic/all.c";

/// A function's name.
pub fn name(function: usize) -> String {
    format!("f{function}")
}

/// The unit with these functions. Function `n` is in line `n + 1`.
pub fn unit(functions: &[Sketch], pack: &Pack) -> SharedFileFacts {
    let file = FileId(0);
    let always = always();
    let slot = |slot: usize| SlotId(slot as u32);
    let mut facts = FileFacts { files: vec![PathBuf::from(FILE)], ..FileFacts::default() };
    let used = functions
        .iter()
        .flat_map(|sketch| sketch.slot_calls.iter().copied().chain(sketch.stores.iter().map(|(_, into)| *into)));
    let slots = used.max().map_or(0, |last| last + 1);
    facts.slots = (0..slots).map(|number| plain_slot(field(number))).collect();
    for (number, sketch) in functions.iter().enumerate() {
        let symbol = SymbolId(number as u32);
        let at = |column: usize| Location { file, line: number as u32 + 1, column: column as u32 + 1 };
        let mark = sketch.mark.map(|wanted| {
            let mark = pack.marks.iter().position(|mark| mark.name == wanted).expect("a mark of the pack");
            Mark { mark: MarkId(mark as u16), location: at(0) }
        });
        facts.symbols.push(Symbol { name: name(number), file: None });
        facts.declarations.push(Declaration {
            symbol,
            location: at(1),
            marks: mark.into_iter().collect(),
            definition: true,
            never_returns: false,
            weak: false,
            alias: None,
            signature: None,
        });
        let calls = sketch.calls.iter().enumerate().map(|(position, callee)| Call {
            callee: SymbolId(*callee as u32),
            location: at(10 + position),
            spelling: None,
            condition: always,
            kind: CallKind::Written,
            after: None,
            ends: false,
            is_change: false,
            arguments: Vec::new(),
        });
        let slot_calls = sketch.slot_calls.iter().enumerate().map(|(position, called)| SlotCall {
            slot: Some(slot(*called)),
            location: at(10_000 + position),
            condition: always,
            kind: CallKind::Written,
            after: None,
            ends: false,
            arguments: Vec::new(),
        });
        let stores = sketch.stores.iter().enumerate().map(|(position, (function, into))| Store {
            to: Some(slot(*into)),
            value: Value::Function(SymbolId(*function as u32)),
            location: at(20_000 + position),
            paired_flags: PairedFlags::NONE,
        });
        facts.bodies.push(Body {
            calls: calls.collect(),
            slot_calls: slot_calls.collect(),
            stores: stores.collect(),
            ..Body::new(symbol, at(1))
        });
    }
    SharedFileFacts::new(facts)
}

/// The field that is this slot of a [`Sketch`].
pub fn field(slot: usize) -> SlotIdentity {
    SlotIdentity::Field {
        record: Location { file: FileId(0), line: slot as u32 + 1, column: 1_000_000 },
        record_name: format!("S{slot}"),
        field: "call".to_owned(),
    }
}

/// A slot without marks.
pub fn plain_slot(identity: SlotIdentity) -> Slot {
    Slot { identity, is_array: false, is_foreign: false, models: Vec::new(), marks: Vec::new(), declared: Vec::new() }
}

/// The condition of a call that control always reaches.
pub fn always() -> PathCondition {
    PathCondition::always()
}

/// The tree of these programs.
pub fn tree() -> Tree {
    Tree { root: PathBuf::from("/synthetic"), build: None }
}
