//! Random sequences of updates give what linking everything anew gives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use cowrap_base::files::Digest;
use cowrap_facts::{
    Argument, ArgumentValue, Assertion, Body, BodyReading, Call, CallKind, Context, ContextSet, Declaration, FileFacts,
    FileId, Flag, FlagTest, Guard, GuardKind, LineRegion, Location, Mark, MarkId, PairedFlag, PathCondition, ReadingId,
    SharedFileFacts, Slot, SlotCall, SlotId, SlotIdentity, SlotModelId, Store, Symbol, SymbolId, Value, feasible,
};

use super::super::PackCounts;
use super::SavedProgram;

const PACKS: PackCounts = PackCounts { marks: 2, locks: 1, slots: 3 };

const FILES: [&str; 7] = ["a.c", "b.c", "c.c", "d.c", "one.h", "two.h", "part.inc"];
const FUNCTIONS: [&str; 8] = ["f", "g", "h", "init", "open", "read", "stub", "work"];

/// Random numbers that a seed determines.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 24) % u64::from(end)) as u32
    }

    /// Whether something happens once in so many times.
    fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }
}

/// What the facts of a program may have.
#[derive(Clone, Copy, Debug)]
struct Shapes {
    /// Aliases and weak bodies.
    special: bool,
}

/// A version of the facts of a file: most of it is random, and does not depend on the unit.
fn facts(file: usize, version: u32, shapes: Shapes) -> SharedFileFacts {
    let mut random = Random(1 + u64::from(version) * 977 + file as u64 * 7919);
    (0..5).for_each(|_| _ = random.below(2));
    let mut files = vec![PathBuf::from(FILES[file])];
    files.extend((0..random.below(3)).map(|_| PathBuf::from(FILES[random.below(7) as usize])));
    files.dedup();
    let mut facts = FileFacts { files, ..FileFacts::default() };
    for _ in 0..1 + random.below(6) {
        let name = FUNCTIONS[random.below(8) as usize].to_owned();
        let file = random.once_in(4).then_some(FileId(0));
        facts.symbols.push(Symbol { name, file });
    }
    for _ in 0..random.below(6) {
        let slot = slot(&mut random, &facts);
        facts.slots.push(slot);
    }
    for _ in 0..random.below(4) {
        let declaration = declaration(&mut random, &facts, shapes);
        facts.declarations.push(declaration);
    }
    for _ in 0..random.below(4) {
        let mut body = body(&mut random, &facts);
        if random.once_in(4) {
            let condition = PathCondition::always().within(ContextSet::INSIDE);
            let mut read = Body { readings: Vec::new(), ..body.clone() };
            read.calls.iter_mut().for_each(|call| call.condition = condition);
            body.readings.push(BodyReading { reading: ReadingId(1 + random.below(2) as u16), body: read });
        }
        let definition = Declaration { definition: true, ..declaration(&mut random, &facts, shapes) };
        facts.declarations.push(Declaration { symbol: body.symbol, location: body.location, ..definition });
        facts.bodies.push(body);
    }
    for _ in 0..random.below(3) {
        let store = store(&mut random, &facts);
        facts.stores.push(store);
    }
    if random.once_in(3) {
        let mark = mark(&mut random, &facts);
        facts.misplaced.push(mark);
    }
    assert!(facts.are_consistent());
    SharedFileFacts::new(facts)
}

fn at(random: &mut Random, facts: &FileFacts) -> Location {
    let file = if random.once_in(12) { random.below(facts.files.len() as u32) } else { 0 };
    Location { file: FileId(file), line: 1 + random.below(4), column: 1 }
}

fn anywhere(random: &mut Random, facts: &FileFacts) -> Location {
    Location { file: FileId(random.below(facts.files.len() as u32)), ..at(random, facts) }
}

fn mark(random: &mut Random, facts: &FileFacts) -> Mark {
    Mark { mark: MarkId(random.below(2) as u16), location: at(random, facts) }
}

fn symbol(random: &mut Random, facts: &FileFacts) -> SymbolId {
    SymbolId(random.below(facts.symbols.len() as u32))
}

fn slot(random: &mut Random, facts: &FileFacts) -> Slot {
    let position = random.below(2) as u16;
    let base = (!facts.slots.is_empty()).then(|| SlotId(random.below(facts.slots.len() as u32)));
    let identity = match (random.below(8), base) {
        (0, Some(slot)) => SlotIdentity::Target(slot),
        (1, Some(slot)) => SlotIdentity::PointedResult { slot },
        (2, Some(slot)) => SlotIdentity::PointedParameter { slot, position },
        (3, _) => SlotIdentity::Result { function: symbol(random, facts) },
        (4, _) => SlotIdentity::Parameter { function: symbol(random, facts), position },
        (5, _) => SlotIdentity::Local { name: "l".into(), declared: anywhere(random, facts) },
        (6, _) => SlotIdentity::Global { name: "v".into(), file: random.once_in(2).then_some(FileId(0)) },
        _ => {
            let record_name = ["", "S", "T"][random.below(3) as usize].to_owned();
            SlotIdentity::Field { record: anywhere(random, facts), record_name, field: "op".into() }
        }
    };
    Slot {
        identity,
        is_array: random.once_in(5),
        is_foreign: random.once_in(5),
        models: (0..random.below(3)).map(|_| SlotModelId(random.below(3) as u16)).collect(),
        marks: (0..random.below(2))
            .map(|_| Mark { location: anywhere(random, facts), ..mark(random, facts) })
            .collect(),
        declared: (0..random.below(3)).map(|_| anywhere(random, facts)).collect(),
    }
}

fn declaration(random: &mut Random, facts: &FileFacts, shapes: Shapes) -> Declaration {
    Declaration {
        symbol: symbol(random, facts),
        location: at(random, facts),
        marks: (0..random.below(2)).map(|_| mark(random, facts)).collect(),
        definition: random.once_in(6),
        never_returns: random.once_in(6),
        weak: shapes.special && random.once_in(12),
        alias: (shapes.special && random.once_in(12)).then(|| symbol(random, facts)),
        signature: random.once_in(2).then(|| format!("void ({})", random.below(3))),
    }
}

fn arguments(random: &mut Random, facts: &FileFacts) -> Vec<Argument> {
    let value = |random: &mut Random| match random.below(5) {
        0 => ArgumentValue::Function(symbol(random, facts)),
        1 if !facts.slots.is_empty() => ArgumentValue::Slot(SlotId(random.below(facts.slots.len() as u32))),
        2 => ArgumentValue::Number(random.below(2).into()),
        _ => ArgumentValue::Parameter(random.below(2) as u16),
    };
    (0..random.below(3)).map(|_| Argument { position: random.below(2) as u16, value: value(random) }).collect()
}

fn store(random: &mut Random, facts: &FileFacts) -> Store {
    let slot = |random: &mut Random| match facts.slots.len() {
        0 => None,
        slots => Some(SlotId(random.below(slots as u32))),
    };
    let value = match (random.below(4), slot(random)) {
        (0, Some(slot)) => Value::Slot(slot),
        (1, Some(slot)) => Value::Address(slot),
        (2, _) => Value::Unknown,
        _ => Value::Function(symbol(random, facts)),
    };
    let flag = |random: &mut Random| PairedFlag { model: SlotModelId(random.below(2) as u16), set: random.once_in(2) };
    let paired_flags = (0..random.below(2)).map(|_| flag(random)).collect();
    Store { to: slot(random), value, location: at(random, facts), paired_flags }
}

fn body(random: &mut Random, facts: &FileFacts) -> Body {
    let mut body = Body::new(symbol(random, facts), at(random, facts));
    for _ in 0..random.below(3) {
        let flag = Flag {
            position: random.below(2) as u16,
            test: [FlagTest::True, FlagTest::Equals(1)][random.below(2) as usize],
        };
        if !body.flags.contains(&flag) {
            body.flags.push(flag);
        }
    }
    let condition = PathCondition::always();
    for position in 0..random.below(4) {
        body.calls.push(Call {
            callee: symbol(random, facts),
            location: at(random, facts),
            spelling: random.once_in(4).then(|| anywhere(random, facts)),
            condition: if random.once_in(3) { condition.within(ContextSet::OUTSIDE) } else { condition },
            kind: CallKind::Written,
            after: (position > 0 && random.once_in(2)).then(|| position - 1),
            ends: random.once_in(6),
            is_change: random.once_in(8),
            arguments: arguments(random, facts),
        });
    }
    if random.once_in(2) {
        body.slot_calls.push(SlotCall {
            slot: (!facts.slots.is_empty()).then(|| SlotId(random.below(facts.slots.len() as u32))),
            location: at(random, facts),
            condition,
            kind: CallKind::Written,
            after: None,
            ends: false,
            arguments: arguments(random, facts),
        });
    }
    body.stores.extend((0..random.below(3)).map(|_| store(random, facts)));
    body.more_lines = random.below(9);
    let mut line = body.location.line;
    for _ in 0..random.below(3) {
        let (first, last) = (line + random.below(3), line + 2 + random.below(3));
        line = last + 1;
        let condition = if random.once_in(3) { PathCondition::NEVER } else { condition.within(ContextSet::INSIDE) };
        let guard = random.once_in(2).then_some(Guard { kind: GuardKind::Condition, line: first, column: 1 });
        body.regions.push(LineRegion { first, last, condition, guard });
    }
    if random.once_in(4) {
        let context = if random.once_in(2) { Context::Inside } else { Context::Outside };
        body.assertion = Some(Assertion { context, location: at(random, facts) });
    }
    assert!(feasible(&body.flags) != 0);
    body
}

/// A change of a state of the tree. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Edit {
    /// One unit gets another version of a file.
    Version {
        unit: usize,
        file: usize,
        version: u32,
    },
    /// All units get another version of a file.
    VersionEverywhere {
        file: usize,
        version: u32,
    },
    /// A unit stops including a file.
    Drop {
        unit: usize,
        file: usize,
    },
    Add {
        at: usize,
        files: Vec<(usize, u32)>,
    },
    Remove {
        at: usize,
    },
    Swap {
        one: usize,
        other: usize,
    },
    /// A unit cannot be read.
    Fail {
        unit: usize,
    },
}

/// For each unit, the versions of its files.
type State = Vec<BTreeMap<usize, u32>>;

fn edit(state: &mut State, edit: &Edit) {
    let units = state.len().max(1);
    let unit = |number: &usize| number % units;
    match edit {
        Edit::Add { at, files } => state.insert(at % (state.len() + 1), files.iter().copied().collect()),
        _ if state.is_empty() => {}
        Edit::Version { unit: number, file, version } => drop(state[unit(number)].insert(*file, *version)),
        Edit::VersionEverywhere { file, version } => {
            state.iter_mut().filter_map(|unit| unit.get_mut(file)).for_each(|known| *known = *version);
        }
        Edit::Drop { unit: number, file } => drop(state[unit(number)].remove(file)),
        Edit::Remove { at } => drop(state.remove(unit(at))),
        Edit::Swap { one, other } => state.swap(unit(one), unit(other)),
        Edit::Fail { unit: number } => state[unit(number)].clear(),
    }
}

fn versions() -> impl Strategy<Value = Vec<(usize, u32)>> {
    proptest::collection::vec((0..FILES.len(), 0..3u32), 0..4)
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let (unit, file, version) = (0..12usize, 0..FILES.len(), 0..4u32);
    let edit = prop_oneof![
        4 => (unit.clone(), file.clone(), version.clone())
            .prop_map(|(unit, file, version)| Edit::Version { unit, file, version }),
        2 => (file.clone(), version).prop_map(|(file, version)| Edit::VersionEverywhere { file, version }),
        1 => (unit.clone(), file).prop_map(|(unit, file)| Edit::Drop { unit, file }),
        1 => (unit.clone(), versions()).prop_map(|(at, files)| Edit::Add { at, files }),
        1 => unit.clone().prop_map(|at| Edit::Remove { at }),
        1 => (unit.clone(), unit.clone()).prop_map(|(one, other)| Edit::Swap { one, other }),
        1 => unit.prop_map(|unit| Edit::Fail { unit }),
    ];
    proptest::collection::vec(edit, 1..8)
}

fn absolute(path: &Path) -> PathBuf {
    Path::new("/tree").join(path)
}

/// A state's facts, by unit.
fn read(state: &State, shapes: Shapes) -> Vec<Vec<SharedFileFacts>> {
    state.iter().map(|unit| unit.iter().map(|(file, version)| facts(*file, *version, shapes)).collect()).collect()
}

fn linked(units: &[Vec<SharedFileFacts>]) -> SavedProgram {
    SavedProgram::link(units.iter().map(|facts| Some(facts.as_slice())), absolute)
}

fn digests(units: &[Vec<SharedFileFacts>]) -> Vec<Vec<Digest>> {
    units.iter().map(|facts| facts.iter().map(SharedFileFacts::digest).collect()).collect()
}

fn bytes(saved: &SavedProgram) -> Vec<u8> {
    postcard::to_stdvec(saved).unwrap()
}

/// Loads any facts of these shapes.
fn load(shapes: Shapes) -> impl Fn(&Digest) -> Option<SharedFileFacts> + Sync {
    let all = (0..FILES.len()).flat_map(move |file| (0..4).map(move |version| facts(file, version, shapes)));
    let all: BTreeMap<Digest, SharedFileFacts> = all.map(|facts| (facts.digest(), facts)).collect();
    move |digest| all.get(digest).cloned()
}

/// Updates a program step by step, and compares it with one that is linked anew. Returns how often an update did not
/// link everything anew.
fn check(start: Vec<Vec<(usize, u32)>>, edits: &[Edit], shapes: Shapes) -> usize {
    let mut state: State = start.into_iter().map(|unit| unit.into_iter().collect()).collect();
    let load = load(shapes);
    let mut saved = linked(&read(&state, shapes));
    let mut updates = 0;
    for change in edits {
        edit(&mut state, change);
        let units = read(&state, shapes);
        let digests = digests(&units);
        let expected = linked(&units);
        if let Some(updated) = saved.clone().updated(&digests, &load, &absolute) {
            updates += 1;
            assert!(bytes(&updated) == bytes(&expected), "{updated:#?}\n\nis not\n\n{expected:#?}");
        }
        saved = saved.update(&digests, &load, absolute).unwrap();
        assert!(bytes(&saved) == bytes(&expected));
        assert!(saved.is_consistent(PACKS));
    }
    updates
}

#[test]
fn a_changed_file_does_not_link_everything_anew() {
    let start = (0..8).map(|unit| vec![(unit % 4, unit as u32 / 4), (4, 0), (5, 0)]).collect();
    let edits = [
        Edit::Version { unit: 0, file: 0, version: 2 },
        Edit::Add { at: 3, files: vec![(6, 1), (4, 0)] },
        Edit::VersionEverywhere { file: 4, version: 1 },
        Edit::Remove { at: 3 },
    ];
    assert_eq!(check(start, &edits, Shapes { special: false }), edits.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn updates_give_what_linking_gives(
        start in proptest::collection::vec(versions(), 0..10),
        edits in edits(),
        special in proptest::bool::weighted(0.2),
    ) {
        check(start, &edits, Shapes { special });
    }

    #[test]
    fn damaged_programs_do_no_harm(
        start in proptest::collection::vec(versions(), 1..8),
        edits in edits(),
        damage in proptest::collection::vec(any::<(usize, u8)>(), 1..4),
        lost in any::<u8>(),
    ) {
        let shapes = Shapes { special: false };
        let mut state: State = start.into_iter().map(|unit| unit.into_iter().collect()).collect();
        let mut bytes = bytes(&linked(&read(&state, shapes)));
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        edits.iter().for_each(|change| edit(&mut state, change));
        let digests = digests(&read(&state, shapes));
        let all = load(shapes);
        let load = |digest: &Digest| if digest.bytes()[0] % 32 == lost % 32 { None } else { all(digest) };
        if let Ok(saved) = postcard::from_bytes::<SavedProgram>(&bytes)
            && saved.is_consistent(PACKS)
        {
            saved.clone().into_program();
            if let Some(updated) = saved.update(&digests, &load, absolute) {
                assert!(updated.is_consistent(PACKS));
                updated.into_program();
            }
        }
    }
}
