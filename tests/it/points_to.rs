//! Points-to analysis: against a naive reference, in any order, and on very large programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::flows::{Flows, SlotSketch, ValueSketch};
use crate::support::synthetic::name;
use cowrap_analysis::program::{FileId, FunctionId, Id, Linker, Origin, PointsTo, Program, SlotId, SlotKey};
use proptest::prelude::*;

fn link(units: &[cowrap_facts::SharedFileFacts]) -> Program {
    let mut linker = Linker::default();
    for (number, unit) in units.iter().enumerate() {
        linker.add(number as u32, unit);
    }
    linker.finish(Path::to_path_buf)
}

fn link_all(flows: &Flows) -> Program {
    link(&[flows.unit(0..flows.stores.len())])
}

/// The program's slot for a sketch.
fn slot(program: &Program, flows: &Flows, number: usize) -> SlotId {
    program.find_slot(&key(program, flows, number)).unwrap()
}

fn key(program: &Program, flows: &Flows, number: usize) -> SlotKey {
    let function = |number: usize| program.external(&name(number)).unwrap();
    let base = |number: usize| Box::new(key(program, flows, number));
    match flows.slots[number] {
        SlotSketch::Field | SlotSketch::Foreign => {
            let is_field =
                |key: &&SlotKey| matches!(key, SlotKey::Field { record, .. } if record.line as usize == number + 1);
            program.slots.iter().map(|slot| &slot.key).find(is_field).unwrap().clone()
        }
        SlotSketch::Parameter(of, position) => SlotKey::Parameter { function: function(of), position },
        SlotSketch::Result(of) => SlotKey::Result { function: function(of) },
        SlotSketch::PointedParameter(of, position) => SlotKey::PointedParameter { slot: base(of), position },
        SlotSketch::PointedResult(of) => SlotKey::PointedResult { slot: base(of) },
        SlotSketch::Target(of) => SlotKey::Target(base(of)),
    }
}

/// An element of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Element {
    Unknown,
    Function(usize),
    Address(usize),
    /// Nothing. It only shows where a value goes.
    Marker,
}

/// A side of a slot, or what is outside of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Read(usize),
    Written(usize),
    Outside,
}

/// A set, with the number of copies that each element passes.
type Set = BTreeMap<Element, usize>;

/// What every place holds, by applying the rules until nothing changes.
struct Reference<'f> {
    flows: &'f Flows,
    sets: BTreeMap<Place, Set>,
    has_changed: bool,
}

impl<'f> Reference<'f> {
    fn new(flows: &'f Flows, marked: Option<Place>) -> Self {
        let mut reference = Reference { flows, sets: BTreeMap::new(), has_changed: true };
        if let Some(place) = marked {
            reference.add(place, Element::Marker, 0);
        }
        while std::mem::take(&mut reference.has_changed) {
            reference.round();
        }
        reference
    }

    fn set(&self, place: Place) -> Set {
        self.sets.get(&place).cloned().unwrap_or_default()
    }

    fn add(&mut self, place: Place, element: Element, copies: usize) {
        let known = self.sets.entry(place).or_default().entry(element).or_insert(usize::MAX);
        self.has_changed |= copies < *known;
        *known = copies.min(*known);
    }

    fn copy(&mut self, from: Place, to: Place, cost: usize) {
        for (element, copies) in self.set(from) {
            self.add(to, element, copies + cost);
        }
    }

    fn written(&self, slot: usize) -> Place {
        match self.flows.slots[slot] {
            SlotSketch::PointedParameter(..) | SlotSketch::PointedResult(_) | SlotSketch::Target(_) => {
                Place::Written(slot)
            }
            _ => Place::Read(slot),
        }
    }

    fn find(&self, wanted: SlotSketch) -> Option<usize> {
        self.flows.slots.iter().position(|slot| *slot == wanted)
    }

    fn round(&mut self) {
        let flows = self.flows;
        let stored: BTreeSet<usize> = flows
            .stores
            .iter()
            .filter_map(|(_, value)| match value {
                ValueSketch::Function(function) => Some(*function),
                _ => None,
            })
            .collect();
        self.add(Place::Outside, Element::Unknown, 0);
        for (to, value) in &flows.stores {
            let to = to.map_or(Place::Outside, |to| self.written(to));
            match *value {
                ValueSketch::Function(function) => self.add(to, Element::Function(function), 0),
                ValueSketch::Slot(from) => self.copy(Place::Read(from), to, 1),
                // The address of what a pointer points to is the pointer.
                ValueSketch::Address(of) => match flows.slots[of] {
                    SlotSketch::Target(pointer) => self.copy(Place::Read(pointer), to, 1),
                    _ => self.add(to, Element::Address(of), 0),
                },
                ValueSketch::Unknown => self.add(to, Element::Unknown, 0),
            }
        }
        for (number, slot) in flows.slots.iter().enumerate() {
            let (read, written) = (Place::Read(number), self.written(number));
            match *slot {
                SlotSketch::Field => {}
                SlotSketch::Foreign => {
                    self.add(read, Element::Unknown, 0);
                    self.copy(read, Place::Outside, 0);
                }
                SlotSketch::Parameter(function, _) if !flows.functions[function] => {
                    self.copy(read, Place::Outside, 0);
                }
                SlotSketch::Parameter(function, _) => {
                    let is_called = self.set(Place::Outside).contains_key(&Element::Function(function));
                    if is_called || !stored.contains(&function) {
                        self.add(read, Element::Unknown, 0);
                    }
                }
                SlotSketch::Result(function) if !flows.functions[function] => self.add(read, Element::Unknown, 0),
                SlotSketch::Result(function) => {
                    if self.set(Place::Outside).contains_key(&Element::Function(function)) {
                        self.copy(read, Place::Outside, 0);
                    }
                }
                SlotSketch::PointedParameter(base, position) => {
                    self.derived(base, read, written, |function| SlotSketch::Parameter(function, position));
                }
                SlotSketch::PointedResult(base) => self.derived(base, read, written, SlotSketch::Result),
                SlotSketch::Target(base) => {
                    for element in self.set(Place::Read(base)).into_keys() {
                        match element {
                            Element::Unknown => {
                                self.add(read, Element::Unknown, 0);
                                self.copy(written, Place::Outside, 0);
                            }
                            Element::Address(of) => {
                                self.copy(Place::Read(of), read, 0);
                                self.copy(written, self.written(of), 0);
                            }
                            Element::Function(_) | Element::Marker => {}
                        }
                    }
                }
            }
        }
        for element in self.set(Place::Outside).into_keys() {
            if let Element::Address(of) = element {
                self.add(self.written(of), Element::Unknown, 0);
                self.copy(Place::Read(of), Place::Outside, 0);
            }
        }
    }

    fn derived(&mut self, base: usize, read: Place, written: Place, port: impl Fn(usize) -> SlotSketch) {
        for element in self.set(Place::Read(base)).into_keys() {
            match element {
                Element::Unknown => {
                    self.add(read, Element::Unknown, 0);
                    self.copy(written, Place::Outside, 0);
                }
                Element::Function(function) => {
                    if let Some(slot) = self.find(port(function)) {
                        self.copy(Place::Read(slot), read, 0);
                        self.copy(written, Place::Read(slot), 0);
                    }
                    if !self.flows.functions[function] {
                        self.copy(written, Place::Outside, 0);
                        self.add(read, Element::Unknown, 0);
                    }
                }
                Element::Address(_) | Element::Marker => {}
            }
        }
    }
}

fn flows() -> impl Strategy<Value = Flows> {
    (2usize..6, 3usize..14).prop_flat_map(|(functions, slots)| {
        let slot = prop_oneof![
            4 => Just((0u8, 0usize)),
            1 => Just((1, 0)),
            3 => (Just(2), 0usize..100),
            2 => (Just(3), 0usize..100),
            2 => (Just(4), 0usize..100),
            1 => (Just(5), 0usize..100),
            3 => (Just(6), 0usize..100),
        ];
        let value = (0u8..12, 0usize..100);
        let bodies = prop::collection::vec(prop::bool::weighted(0.8), functions);
        let slots = prop::collection::vec(slot, slots);
        let stores = prop::collection::vec((prop::option::weighted(0.95, 0usize..100), value), 1..30);
        let called = prop::collection::vec(0usize..100, 0..3);
        (bodies, slots, stores, called)
            .prop_map(move |(functions, slots, stores, called)| build(functions, &slots, stores, called))
    })
}

fn build(
    mut functions: Vec<bool>,
    kinds: &[(u8, usize)],
    stores: Vec<(Option<usize>, (u8, usize))>,
    called: Vec<usize>,
) -> Flows {
    // The first function makes the calls.
    functions[0] = true;
    let mut slots: Vec<SlotSketch> = Vec::new();
    for (kind, number) in kinds {
        let (earlier, position) = (*number % slots.len().max(1), (*number % 2) as u16);
        let function = number % functions.len();
        let sketch = match kind {
            1 => SlotSketch::Foreign,
            2 => SlotSketch::Parameter(function, position),
            3 => SlotSketch::Result(function),
            4 if !slots.is_empty() => SlotSketch::PointedParameter(earlier, position),
            5 if !slots.is_empty() => SlotSketch::PointedResult(earlier),
            6 if !slots.is_empty() => SlotSketch::Target(earlier),
            _ => SlotSketch::Field,
        };
        if matches!(sketch, SlotSketch::Field | SlotSketch::Foreign) || !slots.contains(&sketch) {
            slots.push(sketch);
        }
    }
    let stores = stores.into_iter().map(|(to, (kind, number))| {
        let value = match kind {
            0..4 => ValueSketch::Function(number % functions.len()),
            4..8 => ValueSketch::Slot(number % slots.len()),
            8..11 => ValueSketch::Address(number % slots.len()),
            _ => ValueSketch::Unknown,
        };
        (to.map(|to| to % slots.len()), value)
    });
    let stores = stores.collect();
    let called = called.into_iter().map(|slot| slot % slots.len()).collect();
    Flows { functions, slots, stores, called }
}

/// The slots that a value comes to from another slot without a copy: through pointers.
fn steps(program: &Program, points_to: &PointsTo, from: SlotId) -> Vec<SlotId> {
    let base = program.slot(from).base;
    let mut next = Vec::new();
    for (id, slot) in program.slots.enumerated() {
        let holds = |pointer: Option<SlotId>, function: FunctionId| {
            pointer.is_some_and(|pointer| points_to.candidates(pointer).contains(&function))
        };
        let points = |pointer: Option<SlotId>, to: SlotId| {
            pointer.is_some_and(|pointer| points_to.addresses(pointer).contains(&to))
        };
        let goes = match (&program.slot(from).key, &slot.key) {
            (SlotKey::Target(_), _) if points(base, id) => true,
            (_, SlotKey::Target(_)) if points(slot.base, from) => true,
            (SlotKey::PointedParameter { position, .. }, SlotKey::Parameter { function, position: at }) => {
                position == at && holds(base, *function)
            }
            (SlotKey::Parameter { function, position }, SlotKey::PointedParameter { position: at, .. }) => {
                position == at && holds(slot.base, *function)
            }
            (SlotKey::PointedResult { .. }, SlotKey::Result { function }) => holds(base, *function),
            (SlotKey::Result { function }, SlotKey::PointedResult { .. }) => holds(slot.base, *function),
            _ => false,
        };
        if goes {
            next.push(id);
        }
    }
    next
}

fn leads(program: &Program, points_to: &PointsTo, from: SlotId, to: SlotId) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        open.extend(steps(program, points_to, at).into_iter().filter(|next| seen.insert(*next)));
    }
    seen.contains(&to)
}

/// Checks that an origin is a path of stores and copies that exist.
fn check_origin(program: &Program, points_to: &PointsTo, to: SlotId, function: FunctionId, origin: &Origin) {
    assert_eq!(origin.store.function, function);
    assert!(program.stores.contains(&origin.store));
    let mut at = origin.store.slot.unwrap();
    for copy in &origin.copies {
        assert!(program.copies.contains(copy));
        assert!(leads(program, points_to, at, copy.from), "{origin:?}");
        at = copy.to;
    }
    assert!(leads(program, points_to, at, to), "{origin:?}");
}

fn number(program: &Program, function: FunctionId) -> usize {
    program.function(function).name[1..].parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Sets, what reaches calls and code outside, and origins are those of the naive reference.
    #[test]
    fn sets_match_a_naive_fixpoint(flows in flows()) {
        let program = link_all(&flows);
        let points_to = PointsTo::new(&program);
        let reference = Reference::new(&flows, None);
        let ids: Vec<SlotId> = (0..flows.slots.len()).map(|number| slot(&program, &flows, number)).collect();
        for (position, id) in ids.iter().enumerate() {
            let expected = reference.set(Place::Read(position));
            let mut held: BTreeSet<Element> = points_to.candidates(*id).iter()
                .map(|function| Element::Function(number(&program, *function))).collect();
            held.extend(points_to.addresses(*id).iter()
                .map(|address| Element::Address(ids.iter().position(|id| id == address).unwrap())));
            if points_to.may_hold_unknown(*id) {
                held.insert(Element::Unknown);
            }
            prop_assert_eq!(&held, &expected.keys().copied().collect::<BTreeSet<_>>(), "slot {}", position);
            for function in points_to.candidates(*id) {
                let origin = points_to.origin(&program, *id, *function, FileId(0)).unwrap();
                check_origin(&program, &points_to, *id, *function, &origin);
                let element = Element::Function(number(&program, *function));
                prop_assert_eq!(origin.copies.len(), expected[&element], "slot {}", position);
            }
            let sides = [Place::Read(position), reference.written(position)];
            let marked = sides.map(|side| Reference::new(&flows, Some(side)));
            let reaches = |place: Place| {
                marked.iter().any(|reference| reference.set(place).contains_key(&Element::Marker))
            };
            prop_assert_eq!(points_to.escapes(*id), reaches(Place::Outside), "slot {}", position);
            let is_called = flows.called.iter().any(|called| reaches(Place::Read(*called)));
            prop_assert_eq!(points_to.leads_to_call(*id), is_called, "slot {}", position);
        }
    }

    /// The order of stores and units changes nothing but the units' numbers.
    #[test]
    fn the_order_of_units_does_not_matter(flows in flows(), order in prop::collection::vec(0usize..3, 30)) {
        let unit = |wanted: usize| flows.unit((0..flows.stores.len()).filter(|store| order[*store % 30] == wanted));
        let units = [unit(0), unit(1), unit(2)];
        let back: Vec<_> = units.iter().rev().cloned().collect();
        let results = [link(&units), link(&back)].map(|program| {
            let points_to = PointsTo::new(&program);
            let sets = program.slots.ids().map(|slot| {
                let sources = points_to.candidates(slot).iter();
                let origins: Vec<_> = sources.map(|function| points_to.origin(&program, slot, *function, FileId(0))).collect();
                (points_to.candidates(slot).to_vec(), points_to.addresses(slot).to_vec(),
                 points_to.may_hold_unknown(slot), points_to.escapes(slot), origins)
            });
            let sets: Vec<_> = sets.collect();
            (program.slots.as_slice().to_vec(), program.copies, sets)
        });
        prop_assert_eq!(&results[0], &results[1]);
    }
}

const LARGE: usize = 200_000;

/// A program of fields with these copies from field to field; the first has a function.
fn copies(slots: usize, copies: impl Iterator<Item = (usize, usize)>) -> Flows {
    let mut stores = vec![(Some(0), ValueSketch::Function(0))];
    stores.extend(copies.map(|(from, to)| (Some(to), ValueSketch::Slot(from))));
    Flows { functions: vec![true], slots: vec![SlotSketch::Field; slots], stores, called: vec![slots - 1] }
}

#[test]
fn a_function_comes_through_a_long_chain_of_copies() {
    let flows = copies(LARGE, (1..LARGE).map(|to| (to - 1, to)));
    let program = link_all(&flows);
    let points_to = PointsTo::new(&program);
    let (first, last) = (SlotId::from_index(0), SlotId::from_index(LARGE - 1));
    assert_eq!(points_to.candidates(last).len(), 1);
    assert!(points_to.leads_to_call(first));
    let origin = points_to.origin(&program, last, FunctionId(0), FileId(0)).unwrap();
    assert_eq!(origin.copies.len(), LARGE - 1);
}

#[test]
fn slots_in_a_long_circle_have_one_set() {
    let program = link_all(&copies(LARGE, (0..LARGE).map(|from| (from, (from + 1) % LARGE))));
    let points_to = PointsTo::new(&program);
    assert!(program.slots.ids().all(|slot| points_to.candidates(slot).len() == 1));
}

#[test]
fn calls_that_are_found_one_after_the_other_take_linear_time() {
    // Each function calls what it is passed, and passes the next function on.
    const LENGTH: usize = 20_000;
    let mut flows = Flows { functions: vec![true; LENGTH], ..Flows::default() };
    for function in 0..LENGTH {
        let parameter = flows.slots.len();
        flows.slots.extend([SlotSketch::Parameter(function, 0), SlotSketch::PointedParameter(parameter, 0)]);
        let next = ValueSketch::Function((function + 2).min(LENGTH - 1));
        flows.stores.push((Some(parameter + 1), next));
    }
    flows.stores.push((Some(0), ValueSketch::Function(1)));
    let program = link_all(&flows);
    let points_to = PointsTo::new(&program);
    let last = slot(&program, &flows, 2 * (LENGTH - 2));
    assert_eq!(points_to.candidates(last).len(), 1);
}

#[test]
fn deeply_nested_slots_are_not_followed() {
    let mut flows = Flows { functions: vec![true], slots: vec![SlotSketch::Field], ..Flows::default() };
    flows.slots.extend((0..LARGE).map(SlotSketch::Target));
    flows.stores.push((Some(LARGE), ValueSketch::Function(0)));
    flows.stores.push((Some(0), ValueSketch::Slot(LARGE)));
    let program = link_all(&flows);
    let points_to = PointsTo::new(&program);
    assert_eq!(program.stores[0].slot, None);
    assert!(points_to.may_hold_unknown(slot(&program, &flows, 0)));
}
