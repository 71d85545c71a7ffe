//! The program: what is read of its facts, and what is asked about it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::{Linker, Program};
use cowrap_analysis::{queries, rules};
use cowrap_base::files::Tree;
use cowrap_facts::{
    Body, Call, CallKind, Declaration, FileFacts, FileId, Location, Mark, MarkId, PairedFlags, PathCondition,
    SharedFileFacts, Slot, SlotCall, SlotId, SlotIdentity, Store, Symbol, SymbolId, Value,
};
use cowrap_packs::Pack;
use cowrap_report::Finding;

/// QEMU's pack.
pub static QEMU: LazyLock<Pack> = LazyLock::new(|| Pack::qemu().expect("the built-in pack is valid"));

static SMALL: LazyLock<Program> = LazyLock::new(|| small(&QEMU));

static TREE: LazyLock<Tree> = LazyLock::new(|| Tree { root: PathBuf::from("/tree"), build: None });

/// The program of some facts.
pub fn link<'f>(facts: impl IntoIterator<Item = &'f SharedFileFacts>) -> Program {
    let mut linker = Linker::default();
    facts.into_iter().enumerate().for_each(|(unit, facts)| linker.add(unit as u32, facts));
    linker.finish(Path::to_path_buf)
}

/// Checks a program with a pack. Findings are in files of the program, and the same each time.
pub fn check(program: &Program, pack: &Pack) -> Vec<Finding> {
    let opt_in: Vec<String> = rules::infos(pack).into_iter().map(|info| info.name).collect();
    let find = || rules::check(&Effects::new(program, pack, &TREE), &opt_in);
    let findings = find();
    for finding in &findings {
        assert!(!finding.message.is_empty() && !finding.rule.is_empty());
    }
    findings
}

/// An expression is refused with its place, or finds as many paths as were asked for at most; blanks and parentheses
/// around it change nothing.
pub fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let effects = Effects::new(&SMALL, &QEMU, &TREE);
    let found = |text: &str| queries::paths(&effects, text, 3).map(|paths| format!("{paths:?}")).ok();
    let paths = queries::paths(&effects, text, 3);
    if let Err(error) = &paths {
        assert!(!error.to_string().is_empty());
    }
    assert!(paths.as_ref().is_ok_and(|paths| paths.paths.len() <= 3) || paths.is_err());
    let paths = paths.ok().map(|paths| format!("{paths:?}"));
    assert_eq!(found(&format!(" \t{text} ")), paths);
    // Parentheses count towards the depth.
    if let Some(inside) = found(&format!("({text})")) {
        assert_eq!(Some(inside), paths);
    }
}

/// A program of functions that call each other and that a slot can hold, with marks of a pack.
pub fn small(pack: &Pack) -> Program {
    let file = FileId(0);
    let at = |line: u32, column: u32| Location { file, line, column };
    let mut facts = FileFacts { files: vec![PathBuf::from("/tree/a.c")], ..FileFacts::default() };
    for number in 0..5 {
        let line = number as u32 * 10 + 1;
        // Every other function is unmarked.
        let has_mark = number % 2 == 0 && number / 2 < pack.marks.len();
        let mark = has_mark.then_some(Mark { mark: MarkId(number as u16 / 2), location: at(line, 1) });
        let symbol = SymbolId(number as u32);
        facts.symbols.push(Symbol { name: format!("bdrv_co_f{number}"), file: None });
        facts.declarations.push(Declaration {
            symbol,
            location: at(line, 5),
            marks: mark.into_iter().collect(),
            definition: true,
            never_returns: false,
            weak: false,
            alias: None,
            signature: None,
        });
        let call = |callee: u32| Call {
            callee: SymbolId(callee),
            location: at(line + 1 + callee, 5),
            spelling: None,
            condition: PathCondition::always(),
            kind: CallKind::Written,
            after: None,
            ends: false,
            is_change: false,
            arguments: Vec::new(),
        };
        let slot_call = SlotCall {
            slot: Some(SlotId(0)),
            location: at(line + 8, 5),
            condition: PathCondition::always(),
            kind: CallKind::Written,
            after: None,
            ends: false,
            arguments: Vec::new(),
        };
        let store = Store {
            to: Some(SlotId(0)),
            value: Value::Function(symbol),
            location: at(line + 9, 5),
            paired_flags: PairedFlags::NONE,
        };
        facts.bodies.push(Body {
            calls: (0..5).filter(|callee| *callee != number as u32).map(call).collect(),
            slot_calls: vec![slot_call],
            stores: vec![store],
            ..Body::new(symbol, at(line, 5))
        });
    }
    facts.slots.push(Slot {
        identity: SlotIdentity::Field { record: at(90, 8), record_name: "Ops".to_owned(), field: "run".to_owned() },
        is_array: false,
        is_foreign: false,
        models: Vec::new(),
        marks: Vec::new(),
        declared: vec![at(91, 11)],
    });
    link([&SharedFileFacts::new(facts)])
}
