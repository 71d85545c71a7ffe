//! Points-to analysis: what each slot may point to, over the whole program.
//!
//! Subset constraints, as in Andersen's analysis: a slot's set has the functions and the addresses of slots that the
//! program stores into it, and the sets of all slots that it copies to this one. Fields are distinguished by record
//! type, not by object, and the order of statements does not count. The constraints are the edges of a graph whose
//! nodes are slots. Some edges appear only as sets grow: reading through a pointer (`*p`) gets what every slot in its
//! set holds, and a call through a slot passes its arguments to every function in the slot's set.
//!
//! *Unknown* is an element like any other. It stands for whatever cannot be seen: numbers that are cast to pointers,
//! what a library returns. One node, [`Solver::outside`], stands for all places that cannot be seen. What goes there
//! may be called, written and read by code outside the program.
//!
//! The solver propagates only what is new in a set (difference propagation), in topological order. Slots that are
//! copied in a circle have the same set, so they become one node. petgraph finds these components, by Kosaraju's
//! algorithm: Tarjan's is recursive there, and a chain of copies can be as long as a program.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;

use petgraph::algo::kosaraju_scc;
use rustc_hash::{FxHashMap, FxHashSet};

use super::copy_graph::CopyIndex;
use super::digraph::{Digraph, Node, Visited};
use super::element_set::{Block, ElementSet};
use super::{Adjacency, FunctionId, Id, IndexVec, Program, SlotId, SlotKey};

/// The points-to sets of all slots.
#[derive(Debug, Default)]
pub struct PointsTo {
    /// For each slot, the number of its set: slots that are copied in a circle share one.
    sets: IndexVec<SlotId, SetId>,
    candidates: Adjacency<SetId, FunctionId>,
    addresses: Adjacency<SetId, SlotId>,
    unknown: IndexVec<SetId, bool>,
    /// The slots that point to each function: those that the program calls through, and those whose identity other
    /// slots refer to.
    slots: Adjacency<FunctionId, SlotId>,
    /// The slots with targets that point to each slot.
    pointers: Adjacency<SlotId, SlotId>,
    leads_to_call: IndexVec<SlotId, bool>,
    escapes: IndexVec<SlotId, bool>,
    pub(super) copy_index: OnceLock<CopyIndex>,
}

/// An index into the distinct sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SetId(u32);

super::index_vec::impl_id!(SetId);

impl PointsTo {
    /// Solves the constraints of a program.
    pub fn new(program: &Program) -> Self {
        Self::with_min_new_edges(program, MIN_NEW_EDGES)
    }

    fn with_min_new_edges(program: &Program, min_new_edges: usize) -> Self {
        let mut solver = Solver::new(program, min_new_edges);
        solver.run();
        solver.result()
    }

    /// The functions that a slot may point to, sorted.
    pub fn candidates(&self, slot: SlotId) -> &[FunctionId] {
        self.candidates.of(self.sets[slot])
    }

    /// The slots that a slot may point to, sorted.
    pub fn addresses(&self, slot: SlotId) -> &[SlotId] {
        self.addresses.of(self.sets[slot])
    }

    /// Whether a slot may also hold something that cowrap cannot see.
    pub fn may_hold_unknown(&self, slot: SlotId) -> bool {
        self.unknown[self.sets[slot]]
    }

    /// The slots that may point to a function, sorted: of all of them, those that the program calls through and those
    /// that another slot's identity refers to.
    pub fn slots(&self, function: FunctionId) -> &[SlotId] {
        self.slots.of(function)
    }

    /// The slots that may point to a slot and whose target the program reads or stores into, sorted.
    pub fn pointers(&self, slot: SlotId) -> &[SlotId] {
        self.pointers.of(slot)
    }

    /// Whether a value in the slot can reach a call through a slot. If not, the program does not show in which context
    /// the slot's functions run.
    pub fn leads_to_call(&self, slot: SlotId) -> bool {
        self.leads_to_call[slot]
    }

    /// Whether a value in the slot can reach code outside the program: a parameter of a function without a body, or a
    /// place that cannot be followed.
    pub fn escapes(&self, slot: SlotId) -> bool {
        self.escapes[slot]
    }
}

/// The parts of a function that slots can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Parameter(u16),
    Result,
}

/// What happens to an element that comes into a node's set, besides being copied on.
#[derive(Clone, Copy, Debug)]
enum Watch {
    /// What every slot in the set holds goes to this node: `x = *p`.
    Read { to: u32 },
    /// What this node holds goes to every slot in the set: `*p = x`.
    Write { from: u32 },
    /// What this node holds goes to a port of every function in the set.
    Pass { from: u32, port: Port },
    /// What a port of every function in the set holds goes to this node.
    Return { to: u32, port: Port },
    /// The set is what code outside the program has.
    Outside,
}

/// What a slot can point to. The solver numbers the elements that occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Element {
    /// Something that cannot be seen.
    Unknown,
    Function(FunctionId),
    /// The address of a slot.
    Slot(SlotId),
}

/// The number of [`Element::Unknown`].
const UNKNOWN: u32 = 0;

struct Solver<'p> {
    program: &'p Program,
    /// The elements, by number.
    elements: Vec<Element>,
    /// For each slot, the node that stores into it go to. What is read comes from the node with the slot's own number.
    /// The two are one, except where a slot stands for several others: to read and to store through one pointer does
    /// not make its targets equal.
    written: IndexVec<SlotId, u32>,
    /// The node of all places that cannot be seen.
    outside: u32,
    /// For each function, the slots of its parameters and its result.
    ports: Adjacency<FunctionId, (Port, SlotId)>,
    /// For each node, a node of the same component, nearer to the one that represents it.
    parents: Vec<u32>,
    /// The sets, as far as they were copied on to the successors.
    sets: Vec<ElementSet>,
    /// Elements that were added to a set and not yet copied on, in no order.
    pending: Vec<Vec<Block>>,
    successors: Vec<Vec<u32>>,
    edges: FxHashSet<(u32, u32)>,
    watches: Vec<Vec<Watch>>,
    /// Edges that were added since the components were last found.
    new_edges: usize,
    /// The components are found again after so many new edges, or half of those that there were.
    min_new_edges: usize,
    /// For each node, its position in the topological order of the components.
    order: Vec<u32>,
    /// The nodes with pending elements, by position.
    work: BinaryHeap<Reverse<(u32, u32)>>,
    is_queued: Vec<bool>,
}

impl<'p> Solver<'p> {
    fn new(program: &'p Program, min_new_edges: usize) -> Self {
        let slots = program.slots.len();
        let mut count = slots as u32;
        let is_several = |key: &SlotKey| {
            matches!(key, SlotKey::PointedParameter { .. } | SlotKey::PointedResult { .. } | SlotKey::Target(_))
        };
        let mut written: IndexVec<SlotId, u32> = IndexVec::default();
        for (id, slot) in program.slots.enumerated() {
            written.push(if is_several(&slot.key) { count } else { id.0 });
            count += u32::from(is_several(&slot.key));
        }
        let ports = program.slots.enumerated().filter_map(|(id, slot)| match slot.key {
            SlotKey::Parameter { function, position } => Some((function, (Port::Parameter(position), id))),
            SlotKey::Result { function } => Some((function, (Port::Result, id))),
            _ => None,
        });
        let nodes = count as usize + 1;
        let mut solver = Solver {
            program,
            elements: vec![Element::Unknown],
            written,
            outside: count,
            ports: Adjacency::new(program.functions.len(), ports),
            parents: (0..nodes as u32).collect(),
            sets: vec![ElementSet::default(); nodes],
            pending: vec![Vec::new(); nodes],
            successors: vec![Vec::new(); nodes],
            edges: FxHashSet::default(),
            watches: vec![Vec::new(); nodes],
            new_edges: 0,
            min_new_edges,
            order: vec![0; nodes],
            work: BinaryHeap::new(),
            is_queued: vec![false; nodes],
        };
        solver.add_edges();
        solver.collapse();
        solver.add_elements();
        solver
    }

    /// Adds the constraints that do not depend on sets, and what depends on the sets.
    fn add_edges(&mut self) {
        let program = self.program;
        for copy in &program.copies {
            self.add_edge(copy.from.0, self.written[copy.to]);
        }
        for lost in &program.lost_values {
            self.add_edge(lost.from.0, self.outside);
        }
        for (id, slot) in program.slots.enumerated() {
            let (read, written) = (id.0, self.written[id]);
            let mut watch = |base: Option<SlotId>, port: Option<Port>| {
                let Some(base) = base else { return };
                self.watches[base.index()].extend(match port {
                    Some(port) => [Watch::Pass { from: written, port }, Watch::Return { to: read, port }],
                    None => [Watch::Write { from: written }, Watch::Read { to: read }],
                });
            };
            match slot.key {
                SlotKey::PointedParameter { position, .. } => watch(slot.base, Some(Port::Parameter(position))),
                SlotKey::PointedResult { .. } => watch(slot.base, Some(Port::Result)),
                SlotKey::Target(_) => watch(slot.base, None),
                SlotKey::Parameter { function, .. } if !self.has_body(function) => {
                    self.add_edge(written, self.outside);
                }
                _ => {}
            }
            if slot.is_foreign {
                self.add_edge(written, self.outside);
            }
        }
        self.watches[self.outside as usize].push(Watch::Outside);
    }

    /// Adds the elements that the program stores by name, and what it cannot see.
    fn add_elements(&mut self) {
        let program = self.program;
        let stores = program.stores.iter().map(|store| (store.slot, Element::Function(store.function)));
        let addresses = program.addresses.iter().map(|store| (store.to, Element::Slot(store.of)));
        let stores = stores.chain(addresses);
        let mut stores: Vec<(u32, Element)> =
            stores.map(|(to, element)| (to.map_or(self.outside, |to| self.written[to]), element)).collect();
        // What is stored in one slot gets numbers in sequence.
        stores.sort_unstable();
        let mut numbers: FxHashMap<Element, u32> = FxHashMap::default();
        for (to, element) in stores {
            let number = *numbers.entry(element).or_insert(self.elements.len() as u32);
            if number as usize == self.elements.len() {
                self.elements.push(element);
            }
            self.add(to, number);
        }
        for store in &program.unknown_stores {
            self.add(self.written[store.slot], UNKNOWN);
        }
        let is_exposed = exposed(program);
        for (id, slot) in program.slots.enumerated() {
            let is_unknown = match slot.key {
                SlotKey::Parameter { function, .. } => is_exposed[function],
                SlotKey::Result { function } => !self.has_body(function),
                _ => slot.is_foreign,
            };
            if is_unknown {
                self.add(self.written[id], UNKNOWN);
            }
        }
        self.add(self.outside, UNKNOWN);
    }

    fn has_body(&self, function: FunctionId) -> bool {
        !self.program.function(function).bodies.is_empty()
    }

    fn port(&self, function: FunctionId, port: Port) -> Option<SlotId> {
        self.ports.of(function).iter().find(|(of, _)| *of == port).map(|(_, slot)| *slot)
    }

    fn run(&mut self) {
        while let Some(Reverse((_, node))) = self.work.pop() {
            // A node that became a part of another one is not found under its own number.
            if self.parents[node as usize] != node || !std::mem::take(&mut self.is_queued[node as usize]) {
                continue;
            }
            let new = self.take_new(node as usize);
            if new.is_empty() {
                continue;
            }
            let watches = std::mem::take(&mut self.watches[node as usize]);
            for watch in &watches {
                for number in new.iter().flat_map(|block| block.numbers()) {
                    self.follow(*watch, self.elements[number as usize]);
                }
            }
            self.watches[node as usize] = watches;
            let successors = std::mem::take(&mut self.successors[node as usize]);
            for successor in &successors {
                let successor = self.find(*successor);
                if successor != node {
                    self.pending[successor as usize].extend_from_slice(&new);
                    self.queue(successor);
                }
            }
            // Only following a watch adds edges.
            self.successors[node as usize] = successors;
            if self.new_edges > self.min_new_edges.max(self.edges.len() / 2) {
                self.collapse();
            }
        }
    }

    /// Moves what is pending at a node into its set. Returns what was not there before.
    fn take_new(&mut self, node: usize) -> Vec<Block> {
        let pending = std::mem::take(&mut self.pending[node]);
        self.sets[node].add(pending)
    }

    fn follow(&mut self, watch: Watch, element: Element) {
        match (watch, element) {
            (Watch::Read { to } | Watch::Return { to, .. }, Element::Unknown) => self.add(to, UNKNOWN),
            (Watch::Write { from } | Watch::Pass { from, .. }, Element::Unknown) => self.add_edge(from, self.outside),
            (Watch::Read { to }, Element::Slot(slot)) => self.add_edge(slot.0, to),
            (Watch::Write { from }, Element::Slot(slot)) => self.add_edge(from, self.written[slot]),
            (Watch::Pass { from, port }, Element::Function(function)) => {
                if let Some(slot) = self.port(function, port) {
                    self.add_edge(from, slot.0);
                }
                if !self.has_body(function) {
                    self.add_edge(from, self.outside);
                }
            }
            (Watch::Return { to, port }, Element::Function(function)) => {
                if let Some(slot) = self.port(function, port) {
                    self.add_edge(slot.0, to);
                }
                if !self.has_body(function) {
                    self.add(to, UNKNOWN);
                }
            }
            (Watch::Outside, Element::Slot(slot)) => {
                self.add(self.written[slot], UNKNOWN);
                self.add_edge(slot.0, self.outside);
            }
            (Watch::Outside, Element::Function(function)) if self.has_body(function) => {
                for position in 0..self.ports.of(function).len() {
                    match self.ports.of(function)[position] {
                        (Port::Parameter(_), slot) => self.add(slot.0, UNKNOWN),
                        (Port::Result, slot) => self.add_edge(slot.0, self.outside),
                    }
                }
            }
            (Watch::Outside, Element::Unknown | Element::Function(_)) => {}
            // Nobody reads or writes a function's code, and a slot is no function to be called.
            (Watch::Read { .. } | Watch::Write { .. }, Element::Function(_)) => {}
            (Watch::Pass { .. } | Watch::Return { .. }, Element::Slot(_)) => {}
        }
    }

    fn add(&mut self, node: u32, number: u32) {
        let node = self.find(node);
        self.pending[node as usize].push(Block::of(number));
        self.queue(node);
    }

    fn queue(&mut self, node: u32) {
        if !std::mem::replace(&mut self.is_queued[node as usize], true) {
            self.work.push(Reverse((self.order[node as usize], node)));
        }
    }

    fn add_edge(&mut self, from: u32, to: u32) {
        let (from, to) = (self.find(from), self.find(to));
        if from != to && self.edges.insert((from, to)) {
            self.new_edges += 1;
            self.successors[from as usize].push(to);
            if !self.sets[from as usize].is_empty() {
                self.pending[to as usize].extend_from_slice(self.sets[from as usize].blocks());
                self.queue(to);
            }
        }
    }

    /// The node that represents a node's component.
    fn find(&mut self, node: u32) -> u32 {
        let mut root = node;
        while self.parents[root as usize] != root {
            root = self.parents[root as usize];
        }
        let mut at = node;
        while self.parents[at as usize] != root {
            at = std::mem::replace(&mut self.parents[at as usize], root);
        }
        root
    }

    /// The graph of the components that are known.
    fn graph(&mut self) -> Digraph<()> {
        let mut edges: Vec<(Node, Node, ())> = Vec::with_capacity(self.edges.len());
        for from in 0..self.parents.len() as u32 {
            for position in 0..self.successors[from as usize].len() {
                let to = self.find(self.successors[from as usize][position]);
                if from != to {
                    edges.push((Node(from), Node(to), ()));
                }
            }
        }
        Digraph::new(self.parents.len(), edges.into_iter())
    }

    /// Makes one node of each component, and puts the nodes in topological order.
    fn collapse(&mut self) {
        let graph = self.graph();
        let components = kosaraju_scc(&graph);
        let count = components.len() as u32;
        for (position, component) in components.into_iter().enumerate() {
            let Some(first) = component.iter().map(|node| node.0).min() else { continue };
            // The algorithm lists components after those that they lead to.
            self.order[first as usize] = count - position as u32;
            for node in component.into_iter().map(|node| node.0).filter(|node| *node != first) {
                self.unite(first, node);
            }
        }
        self.edges.clear();
        for from in 0..self.parents.len() as u32 {
            let mut successors = std::mem::take(&mut self.successors[from as usize]);
            successors.iter_mut().for_each(|to| *to = self.find(*to));
            successors.retain(|to| *to != from && self.edges.insert((from, *to)));
            self.successors[from as usize] = successors;
        }
        self.new_edges = 0;
        self.work.clear();
        for node in 0..self.parents.len() as u32 {
            self.is_queued[node as usize] = false;
            if !self.pending[node as usize].is_empty() {
                self.queue(node);
            }
        }
    }

    /// Makes `node` a part of `first`.
    fn unite(&mut self, first: u32, node: u32) {
        let (first, node) = (first as usize, node as usize);
        self.parents[node] = first as u32;
        let successors = std::mem::take(&mut self.successors[node]);
        self.successors[first].extend(successors);
        let watches = std::mem::take(&mut self.watches[node]);
        self.watches[first].extend(watches);
        let pending = std::mem::take(&mut self.pending[node]);
        self.pending[first].extend(pending);
        // What only one of them has was not copied to the other's successors.
        let (one, other) = (std::mem::take(&mut self.sets[first]), std::mem::take(&mut self.sets[node]));
        self.pending[first].extend(one.blocks().iter().chain(other.blocks()));
        self.sets[first] = one.intersection(&other);
    }

    fn result(mut self) -> PointsTo {
        let program = self.program;
        let graph = self.graph();
        let called = program.slots.ids().filter(|slot| !program.calls_through(*slot).is_empty());
        let called: Vec<Node> = called.map(|slot| Node(self.find(slot.0))).collect();
        let outside = Node(self.find(self.outside));
        let (leads_to_call, escapes) = (graph.leading_to(called), graph.leading_to(vec![outside]));
        let mut points_to = PointsTo::default();
        let mut known: FxHashMap<ElementSet, SetId> = FxHashMap::default();
        let mut set_of_node = vec![None; self.parents.len()];
        for slot in program.slots.ids() {
            let node = self.find(slot.0);
            let set = *set_of_node[node as usize].get_or_insert_with(|| {
                let set = std::mem::take(&mut self.sets[node as usize]);
                // Many slots get all they have from one other, so that their sets are the same.
                *known.entry(set).or_insert_with_key(|set| points_to.add_set(set, &self.elements))
            });
            points_to.sets.push(set);
            let written = Node(self.find(self.written[slot]));
            let reaches = |visited: &Visited| visited.contains(Node(node)) || visited.contains(written);
            points_to.leads_to_call.push(reaches(&leads_to_call));
            points_to.escapes.push(reaches(&escapes));
        }
        points_to.index(program);
        points_to
    }
}

impl PointsTo {
    fn add_set(&mut self, set: &ElementSet, elements: &[Element]) -> SetId {
        let mut set: Vec<Element> = set.numbers().map(|number| elements[number as usize]).collect();
        set.sort_unstable();
        self.candidates.push(set.iter().filter_map(|element| match element {
            Element::Function(function) => Some(*function),
            Element::Unknown | Element::Slot(_) => None,
        }));
        self.addresses.push(set.iter().filter_map(|element| match element {
            Element::Slot(slot) => Some(*slot),
            Element::Unknown | Element::Function(_) => None,
        }));
        self.unknown.push(set.first() == Some(&Element::Unknown))
    }

    /// Lists the slots that point to each function and each slot.
    fn index(&mut self, program: &Program) {
        let mut is_base = IndexVec::from_elem(false, program.slots.len());
        let mut has_target = IndexVec::from_elem(false, program.slots.len());
        for slot in &program.slots {
            if let Some(base) = slot.base {
                is_base[base] = true;
                has_target[base] |= matches!(slot.key, SlotKey::Target(_));
            }
        }
        let used = |slot: &SlotId| is_base[*slot] || !program.calls_through(*slot).is_empty();
        let slots: Vec<SlotId> = program.slots.ids().filter(used).collect();
        let slots = slots.iter().copied();
        let pairs = slots.flat_map(|slot| self.candidates(slot).iter().map(move |function| (*function, slot)));
        let slots = Adjacency::new(program.functions.len(), pairs);
        let pointers: Vec<SlotId> = program.slots.ids().filter(|slot| has_target[*slot]).collect();
        let pointers = pointers.iter().copied();
        let pairs = pointers.flat_map(|slot| self.addresses(slot).iter().map(move |address| (*address, slot)));
        let pointers = Adjacency::new(program.slots.len(), pairs);
        (self.slots, self.pointers) = (slots, pointers);
    }
}

/// See [`Solver::min_new_edges`].
const MIN_NEW_EDGES: usize = 1000;

/// For each function, whether code outside the program may call it by name: nothing in the program calls or stores it,
/// so its first caller is not there.
fn exposed(program: &Program) -> IndexVec<FunctionId, bool> {
    let mut exposed: IndexVec<FunctionId, bool> = program
        .functions
        .enumerated()
        .map(|(id, function)| function.file.is_none() && !function.bodies.is_empty() && program.incoming(id).is_empty())
        .collect();
    for store in &program.stores {
        exposed[store.function] = false;
    }
    exposed
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use cowrap_facts::{
        FileFacts, Location, PairedFlags, SharedFileFacts, SlotIdentity, Store, Symbol, SymbolId, Value,
    };

    use super::super::Linker;
    use super::*;

    const SLOTS: u32 = 24;

    /// A program with stores, copies and addresses among variables and what they point to, by a generator of random
    /// numbers.
    fn program(seed: u64) -> Program {
        let mut state = seed;
        let mut below = |most: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32 % most
        };
        let slot = |identity| cowrap_facts::Slot {
            identity,
            is_array: false,
            is_foreign: false,
            models: Vec::new(),
            marks: Vec::new(),
            declared: Vec::new(),
        };
        let variable = |number: u32| slot(SlotIdentity::Global { name: format!("v{number}"), file: None });
        let target = |number: u32| slot(SlotIdentity::Target(cowrap_facts::SlotId(number)));
        let symbol = |number: u32| Symbol { name: format!("f{number}"), file: None };
        let mut facts = FileFacts {
            files: vec![PathBuf::from("/a.c")],
            symbols: (0..4).map(symbol).collect(),
            slots: (0..SLOTS).map(variable).chain((0..SLOTS).map(target)).collect(),
            ..FileFacts::default()
        };
        for line in 1..=60 {
            let from = cowrap_facts::SlotId(below(2 * SLOTS));
            let value = match below(6) {
                0 => Value::Function(SymbolId(below(4))),
                1 => Value::Address(cowrap_facts::SlotId(below(SLOTS))),
                _ => Value::Slot(from),
            };
            let location = Location { file: cowrap_facts::FileId(0), line, column: 1 };
            let to = Some(cowrap_facts::SlotId(below(2 * SLOTS)));
            facts.stores.push(Store { to, value, location, paired_flags: PairedFlags::NONE });
        }
        let mut linker = Linker::default();
        linker.add(0, &SharedFileFacts::new(facts));
        linker.finish(Path::to_path_buf)
    }

    #[test]
    fn the_sets_do_not_depend_on_when_components_are_found() {
        for seed in 0..40 {
            let program = program(seed);
            let [often, never] = [0, usize::MAX].map(|edges| PointsTo::with_min_new_edges(&program, edges));
            for slot in program.slots.ids() {
                assert_eq!(often.candidates(slot), never.candidates(slot), "{seed}");
                assert_eq!(often.addresses(slot), never.addresses(slot), "{seed}");
                assert_eq!(often.may_hold_unknown(slot), never.may_hold_unknown(slot), "{seed}");
            }
        }
    }
}
