//! The program: what is read of its facts, and what is asked about it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::{Linker, Program};
use cowrap_analysis::queries::{self, Selection};
use cowrap_analysis::rules;
use cowrap_base::files::Tree;
use cowrap_facts::{
    Argument, ArgumentValue, Assertion, Body, BodyReading, Call, CallKind, Context, CriticalSection, Declaration,
    FileFacts, FileId, Flag, FlagTest, Location, LockId, Mark, MarkId, PairedFlags, PathCondition, ReadingId, Release,
    SharedFileFacts, Slot, SlotCall, SlotId, SlotIdentity, Store, Symbol, SymbolId, Value,
};
use cowrap_packs::Pack;
use cowrap_report::{Direction, Finding};

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

/// Asks queries about a program. Each function has an answer.
pub fn ask(program: &Program, pack: &Pack) {
    let effects = Effects::new(program, pack, &TREE);
    for name in program.functions.iter().map(|function| &function.name).take(12) {
        let _ = queries::why(&effects, name, None, true);
        for direction in [Direction::Callers, Direction::Callees] {
            let _ = queries::related(&effects, name, direction, true, false);
        }
    }
    let _ = queries::paths(&effects, "... [coroutine_fn] ...", 5);
    let _ = queries::graph(&effects, &Selection::Everything, None, &[]);
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

/// A program of functions that call each other and that slots can hold, with marks of a pack.
pub fn small(pack: &Pack) -> Program {
    link([&SharedFileFacts::new(facts(pack))])
}

/// Facts that have something of everything.
pub fn facts(pack: &Pack) -> FileFacts {
    let files = ["/tree/a.c", "/tree/a.h", "/usr/include/b.h"].map(PathBuf::from).to_vec();
    let mut facts = FileFacts { files, slots: slots(), ..FileFacts::default() };
    for number in 0..FUNCTIONS {
        // Every other function is unmarked.
        let has_mark = number % 2 == 0 && number / 2 < pack.marks.len() as u32;
        let mark = has_mark.then_some(Mark { mark: MarkId(number as u16 / 2), location: at(number, 0) });
        let symbol = SymbolId(number);
        let file = (number == 4).then_some(FileId(0));
        facts.symbols.push(Symbol { name: format!("bdrv_co_f{number}"), file });
        facts.declarations.push(Declaration {
            symbol,
            location: at(number, 1),
            marks: mark.into_iter().collect(),
            definition: true,
            never_returns: number == 5,
            weak: number == 3,
            alias: (number == 5).then_some(SymbolId(1)),
            signature: Some("int (int)".to_owned()),
        });
        facts.bodies.push(body(number));
    }
    facts.misplaced.extend((!pack.marks.is_empty()).then_some(Mark { mark: MarkId(0), location: at(90, 0) }));
    facts.stores.push(store(1, Value::Function(SymbolId(0))));
    facts
}

/// How many functions there are.
const FUNCTIONS: u32 = 6;

/// A place in a function.
fn at(function: u32, line: u32) -> Location {
    Location { file: FileId(function % 2), line: function * 20 + line + 1, column: 5 }
}

fn slots() -> Vec<Slot> {
    let function = SymbolId(0);
    let identities = [
        SlotIdentity::Field { record: at(90, 8), record_name: "Ops".to_owned(), field: "run".to_owned() },
        SlotIdentity::Global { name: "hook".to_owned(), file: None },
        SlotIdentity::Local { name: "local".to_owned(), declared: at(1, 3) },
        SlotIdentity::Parameter { function, position: 0 },
        SlotIdentity::Result { function },
        SlotIdentity::PointedParameter { slot: SlotId(0), position: 1 },
        SlotIdentity::PointedResult { slot: SlotId(1) },
        SlotIdentity::Target(SlotId(2)),
    ];
    let slot = |identity| Slot {
        identity,
        is_array: false,
        is_foreign: false,
        models: Vec::new(),
        marks: Vec::new(),
        declared: vec![at(91, 11)],
    };
    identities.map(slot).to_vec()
}

fn store(to: u32, value: Value) -> Store {
    Store { to: Some(SlotId(to)), value, location: at(0, 9), paired_flags: PairedFlags::NONE }
}

/// A body that calls all other functions, with a bit of everything.
fn body(number: u32) -> Body {
    let always = PathCondition::always();
    let argument = |position: u16| Argument {
        position,
        value: match position {
            0 => ArgumentValue::Function(SymbolId(number)),
            1 => ArgumentValue::Slot(SlotId(1)),
            2 => ArgumentValue::Number(-1),
            3 => ArgumentValue::Parameter(0),
            _ => ArgumentValue::Truth { may_be_true: always, may_be_false: PathCondition::NEVER },
        },
    };
    let call = |callee: u32| Call {
        callee: SymbolId(callee),
        location: at(number, 1 + callee),
        spelling: (callee == 2).then_some(at(callee, 3)),
        condition: always,
        kind: [CallKind::Written, CallKind::Cleanup, CallKind::Region, CallKind::Unresolved][callee as usize % 4],
        after: (callee > 2).then_some(0),
        ends: callee == 5,
        is_change: callee == 4,
        arguments: (0..callee as u16).map(argument).collect(),
    };
    let slot_call = |slot: u32| SlotCall {
        slot: Some(SlotId(slot)),
        location: at(number, 8 + slot),
        condition: always,
        kind: CallKind::Written,
        after: Some(0),
        ends: false,
        arguments: vec![argument(0)],
    };
    let symbol = SymbolId(number);
    let flags = vec![
        Flag { position: 0, test: FlagTest::True },
        Flag { position: 0, test: FlagTest::HasBits(6) },
        Flag { position: 1, test: FlagTest::Equals(2) },
    ];
    let section =
        CriticalSection { lock: LockId(0), name: "lock".to_owned(), taken: at(number, 2), calls: vec![at(number, 4)] };
    let plain = Body {
        flags,
        calls: (0..FUNCTIONS).filter(|callee| *callee != number).map(call).collect(),
        slot_calls: (0..3).map(slot_call).collect(),
        returns_after: Some(1),
        assertion: (number == 2).then_some(Assertion { context: Context::Inside, location: at(number, 1) }),
        critical_sections: vec![section],
        releases: vec![Release { lock: LockId(0), name: "lock".to_owned() }],
        ..Body::new(symbol, at(number, 1))
    };
    let stores = vec![
        store(0, Value::Function(symbol)),
        store(1, Value::Slot(SlotId(0))),
        store(2, Value::Address(SlotId(1))),
        store(3, Value::Unknown),
        Store { to: None, ..store(0, Value::Slot(SlotId(4))) },
    ];
    let reading = BodyReading { reading: ReadingId(1), body: plain.clone() };
    let readings = if number == 1 { vec![reading] } else { Vec::new() };
    Body { stores, readings, ..plain }
}
