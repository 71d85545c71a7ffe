//! The whole program: the facts of all translation units, linked by identity.
//!
//! A function, a file or a function-pointer slot has one id, whichever unit it comes from. This module must never know
//! libclang, the meaning of a mark, or a rule. Marks are numbers here; `effects` knows what they require.

mod link;
mod points_to;
mod element_set;
mod copy_graph;
mod digraph;
mod nearest;
mod returns;
mod adjacency;
mod index_vec;
mod references;
mod shared;
mod saved;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use cowrap_facts::{
    Assertion, CallKind, Flag, FlagTest, LineRegion, LockId, MarkId, PairedFlags, PathCondition, ReadingId, Release,
    SlotModelId, single_values,
};

pub use adjacency::Adjacency;
pub use copy_graph::Origin;
pub use digraph::{Digraph, Node, Visited};
pub use index_vec::{Id, IndexVec};
pub use link::Linker;
pub use nearest::visit_nearest_first;
pub use points_to::PointsTo;
pub use references::PackCounts;
pub use returns::AtLine;
pub use saved::SavedProgram;
pub use shared::Shared;

/// An index into [`Program::files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// An index into [`Program::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FunctionId(pub u32);

/// An index into [`Program::bodies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BodyId(pub u32);

/// An index into [`Program::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlotId(pub u32);

index_vec::impl_id!(FileId, FunctionId, BodyId, SlotId);

/// A location in a file of the program. Line and column count from 1, the column in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A mark in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Its location.
    pub location: Location,
    /// Which mark of the pack it is.
    pub mark: MarkId,
}

/// The program, as one pack reads it. What all packs read in the same way is there once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Program {
    /// All files that any unit includes; [`FileId`] counts them.
    #[serde(with = "shared_paths")]
    pub files: Shared<Vec<PathBuf>>,
    /// All functions that are declared, defined, called or stored, sorted by name and file.
    pub functions: Shared<IndexVec<FunctionId, Function>>,
    /// All function bodies. A function may have several, such as stubs or bodies of several configurations.
    pub bodies: IndexVec<BodyId, Shared<Body>>,
    /// The names of functions that are another name for one in `functions`, with the file of a `static` one; sorted.
    pub aliases: Shared<Vec<(String, Option<FileId>, FunctionId)>>,
    /// All slots that a value goes into or comes out of, and those that are called through.
    pub slots: Shared<IndexVec<SlotId, Slot>>,
    /// Marks on something that cannot have one, sorted by location.
    pub misplaced: Shared<Vec<Mark>>,
    /// Where functions are stored into slots, sorted by function and location.
    pub stores: Shared<Vec<Store>>,
    /// Copies from slot to slot, sorted. The arguments of calls are among them.
    pub copies: Shared<Vec<PointerCopy>>,
    /// Addresses of slots that are stored into slots, sorted.
    pub addresses: Shared<Vec<AddressStore>>,
    /// Values that cannot be followed and that go into slots, sorted.
    pub unknown_stores: Shared<Vec<UnknownStore>>,
    /// Values of slots that go where they cannot be followed, sorted.
    pub lost_values: Shared<Vec<LostValue>>,
    /// The bodies that other packs read in another way, sorted. Their calls are those of `bodies`, in the same order.
    readings: Vec<BodyReading>,
    /// The bodies that narrowing changed, as they were before it: other readings narrow them in another way.
    before_narrowing: Vec<(BodyId, Shared<Body>)>,
    /// Where functions return.
    #[serde(skip)]
    exits: returns::AllExits,
    /// For each function, the calls that name it.
    #[serde(skip)]
    callers: Adjacency<FunctionId, Incoming>,
    /// For each slot, the calls through it: a body and a position in [`Body::slot_calls`].
    #[serde(skip)]
    slot_callers: Adjacency<SlotId, (BodyId, u32)>,
}

/// A function: all declarations and bodies with one name, for a `static` one within one file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Function {
    /// The name.
    pub name: String,
    /// The file that defines it, for internal linkage.
    pub file: Option<FileId>,
    /// Its other names (`__attribute__((alias))` and the like), sorted.
    pub aliases: Vec<String>,
    /// Its declarations, one for each location, sorted by location. Those of its other names are among them if they
    /// say more than that.
    pub declarations: Vec<Declaration>,
    /// Its bodies, sorted by location.
    pub bodies: Vec<BodyId>,
}

/// A declaration of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// The location of its name.
    pub location: Location,
    /// The marks that are written on it.
    pub marks: Vec<Mark>,
    /// Whether it is a definition.
    pub definition: bool,
    /// Whether it says that the function never returns to its caller.
    pub never_returns: bool,
    /// Whether it is weak: a definition gives way to another that is not.
    pub weak: bool,
    /// The canonical type, where the facts have it.
    pub signature: Option<String>,
}

/// A body of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The function.
    pub function: FunctionId,
    /// The location of the name in the definition.
    pub location: Location,
    /// How many lines behind that of its location the body ends.
    pub more_lines: u32,
    /// The lines that control does not reach in every entry state, or in another context, in source order.
    pub regions: Vec<LineRegion>,
    /// The tests of parameters that a [`PathCondition`] distinguishes.
    pub flags: Vec<Flag>,
    /// The values of the flags that integers can have, a bit for each.
    pub values: u8,
    /// Calls that name a function, in source order.
    pub calls: Vec<Call>,
    /// Calls through slots, in source order.
    pub slot_calls: Vec<SlotCall>,
    /// The nearest call, as a position in `calls`, that every path to the end of the body passes.
    pub returns_after: Option<u32>,
    /// The context in which it returns, from each entry state.
    pub exit: PathCondition,
    /// An assertion on the context that every path passes.
    pub assertion: Option<(Assertion, Location)>,
    /// The locks that it takes, with the calls that it makes while it certainly holds them.
    pub critical_sections: Vec<CriticalSection>,
    /// The locks that it may release for its caller, sorted.
    pub releases: Vec<Release>,
    /// The units that have this body, for functions with external linkage.
    pub units: Vec<u32>,
}

/// A body as another pack reads it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct BodyReading {
    reading: ReadingId,
    body: BodyId,
    read: Shared<Body>,
}

/// A lock that a body takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriticalSection {
    /// Which lock of the pack.
    pub lock: LockId,
    /// The last name in the argument, which identifies the lock object.
    pub name: String,
    /// Where the body takes it.
    pub taken: Location,
    /// The locations of the calls that the body makes while it certainly holds the lock, sorted.
    pub calls: Vec<Location>,
}

/// A call that names a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The function.
    pub callee: FunctionId,
    /// The location of the call.
    pub location: Location,
    /// For a call out of a macro, its location in the macro's definition.
    pub spelling: Option<Location>,
    /// The entry states of the body that reach the call.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// The nearest earlier call, as a position in [`Body::calls`], that every path to this one passes.
    pub after: Option<u32>,
    /// Whether the program certainly ends behind the call.
    pub ends: bool,
    /// Whether the call is a part of what the pack says changes the context: the conditions behind it say how.
    pub is_change: bool,
    /// The arguments that can matter to what the callee does, sorted.
    pub arguments: Vec<Argument>,
}

/// An argument of a call. An argument with several possible values is listed once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Argument {
    /// The argument's position, from 0.
    pub position: u16,
    /// Its value.
    pub value: ArgumentValue,
}

/// The value of an argument.
#[allow(missing_docs)] // the comment of each variant describes its fields
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ArgumentValue {
    /// A function.
    Function(FunctionId),
    /// Whatever a slot points to.
    Slot(SlotId),
    /// The constant that is always passed.
    Number(i64),
    /// The caller's own parameter at this position, which it does not change. Linking makes `Flag`s of it.
    Parameter(u16),
    /// Whether the argument passes a test: as the caller's flag of this number says.
    Flag { test: FlagTest, number: u8 },
    /// A truth value: the caller's entry states in which it may be true, and those in which it may be false.
    Truth { may_be_true: PathCondition, may_be_false: PathCondition },
}

/// A call that names a function, as seen from that function. Searches need nothing else of most calls, so that they
/// need not look at the caller's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Which call it is.
    pub site: CallSite,
    /// The function that calls.
    pub caller: FunctionId,
    /// The entry states of the caller's body that reach the call.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// Whether the program certainly ends behind the call.
    pub ends: bool,
    /// Whether the call has arguments that can matter.
    pub has_arguments: bool,
}

/// Identifies a call in [`Body::calls`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    /// The body.
    pub body: BodyId,
    /// The position among the body's calls.
    pub call: u32,
}

/// A function-pointer slot: a field, variable, parameter or result that points to functions or to other slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its identity.
    pub key: SlotKey,
    /// The slot that the identity refers to, if it refers to one.
    pub base: Option<SlotId>,
    /// Its name in messages, such as `BlockDriver::bdrv_co_preadv`, or `handlers[]` for an array. For a parameter or a
    /// result, the part beside the name of the function or of the slot, such as `parameter 1`. Empty for a target.
    pub name: String,
    /// Whether code outside the tree may store into it.
    pub is_foreign: bool,
    /// Whether it is a parameter that the function's own body stores into.
    pub is_assigned: bool,
    /// What the packs say of it, by its name or by the typedef of its type; sorted.
    pub models: Vec<SlotModelId>,
    /// The marks on its own declaration or on the typedef of its type.
    pub marks: Vec<Mark>,
    /// Where to write a mark: at the names of its declarations, or at that of the typedef of its type; sorted.
    pub declared: Vec<Location>,
}

/// A slot's identity.
#[allow(missing_docs)] // the comment of each variant describes its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SlotKey {
    /// A field, by the location of its record's declaration.
    Field { record: Location, field: String },
    /// A variable at file scope; a `static` one with its file.
    Global { name: String, file: Option<FileId> },
    /// A local variable or a compound literal, by the location of its declaration.
    Local { declared: Location, name: String },
    /// A parameter, by its position.
    Parameter { function: FunctionId, position: u16 },
    /// A function's return value.
    Result { function: FunctionId },
    /// A parameter of whatever function a slot points to.
    PointedParameter {
        #[serde(deserialize_with = "references::nested_key")]
        slot: Box<SlotKey>,
        position: u16,
    },
    /// The return value of whatever function a slot points to.
    PointedResult {
        #[serde(deserialize_with = "references::nested_key")]
        slot: Box<SlotKey>,
    },
    /// Whatever slot a slot points to.
    Target(#[serde(deserialize_with = "references::nested_key")] Box<SlotKey>),
}

/// A call through a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCall {
    /// The slot, if the facts identify it.
    pub slot: Option<SlotId>,
    /// The location of the call.
    pub location: Location,
    /// The entry states of the body that reach the call.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// The nearest earlier call, as a position in [`Body::calls`], that every path to this one passes.
    pub after: Option<u32>,
    /// Whether the program certainly ends behind the call.
    pub ends: bool,
    /// The arguments that can matter to what the callee does, sorted.
    pub arguments: Vec<Argument>,
}

/// A copy of a slot's value to another slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PointerCopy {
    /// The source.
    pub from: SlotId,
    /// The destination.
    pub to: SlotId,
    /// Where the source text names the slot that the value comes from.
    pub location: Location,
    /// The values of the flags that the packs pair with the destination.
    pub paired_flags: PairedFlags,
}

/// The address of a slot that is stored into another slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AddressStore {
    /// The slot whose address it is.
    pub of: SlotId,
    /// Where it goes; `None` if it goes where it cannot be followed.
    pub to: Option<SlotId>,
    /// Where the source text names the slot.
    pub location: Location,
}

/// A value that cannot be followed and that goes into a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnknownStore {
    /// The slot.
    pub slot: SlotId,
    /// The location of the value.
    pub location: Location,
}

/// The value of a slot that goes where it cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LostValue {
    /// The slot.
    pub from: SlotId,
    /// Where the source text names the slot.
    pub location: Location,
}

/// A function that is stored into a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Store {
    /// The function.
    pub function: FunctionId,
    /// Where the source names the function.
    pub location: Location,
    /// The slot, if the facts identify it.
    pub slot: Option<SlotId>,
    /// The values of the flags that the packs pair with the slot.
    pub paired_flags: PairedFlags,
}

impl Body {
    /// The line on which the body ends, in the file of its location.
    pub fn last_line(&self) -> u32 {
        self.location.line.saturating_add(self.more_lines)
    }

    /// The region of a line, if it is in one.
    pub fn region(&self, line: u32) -> Option<&LineRegion> {
        let behind = self.regions.partition_point(|region| region.last < line);
        self.regions.get(behind).filter(|region| region.first <= line)
    }

    /// The lines around one that are in the same region, or in none.
    pub fn lines_like(&self, line: u32) -> (u32, u32) {
        let behind = self.regions.partition_point(|region| region.last < line);
        let before = behind.checked_sub(1).and_then(|before| self.regions.get(before));
        let first = before.map_or(self.location.line, |before| before.last.saturating_add(1));
        match self.regions.get(behind) {
            Some(region) if region.first <= line => (region.first, region.last),
            Some(next) => (first, next.first.saturating_sub(1)),
            None => (first, self.last_line()),
        }
    }

    /// Whether control gets somewhere only for some values of `bool` parameters: with the values `reached` out of
    /// those in `entered`. The other flags say what callers pass, and are no condition that a reader would see.
    pub fn is_conditional(&self, reached: u8, entered: u8) -> bool {
        let is_bool = |flag: &Flag| flag.test == FlagTest::True;
        let kept =
            self.flags.iter().enumerate().filter(|(_, flag)| is_bool(flag)).fold(0, |bits, (bit, _)| bits | 1 << bit);
        let of_bools = |set: u8| single_values(set).fold(0u8, |all, value| all | 1 << (value & kept));
        of_bools(reached) != of_bools(entered)
    }
}

impl Program {
    /// The program as another pack reads it. This program must be the first reading.
    pub fn read_as(&self, reading: ReadingId) -> Cow<'_, Program> {
        if reading == ReadingId(0) || self.readings.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut program = self.clone();
        program.widen();
        for other in std::mem::take(&mut program.readings).into_iter().filter(|other| other.reading == reading) {
            if other.body.index() < program.bodies.len() {
                program.bodies[other.body] = other.read;
            }
        }
        program.connect();
        Cow::Owned(program)
    }

    /// Gives all bodies back what narrowing took from them.
    fn widen(&mut self) {
        for (body, before) in std::mem::take(&mut self.before_narrowing) {
            if body.index() < self.bodies.len() {
                self.bodies[body] = before;
            }
        }
    }

    /// Builds the call graph from the bodies, without the calls that control does not come to. A program that was
    /// deserialised needs this, since the graph is not stored.
    pub fn connect(&mut self) {
        self.connect_with(None);
    }

    /// The same where calls through slots can change the context, as what they may call does. `changing` are the
    /// functions of which the pack says that they change it.
    pub fn connect_through(&mut self, points_to: &PointsTo, changing: &FxHashSet<FunctionId>) {
        self.connect_with(Some(returns::Pointers { points_to, changing }));
    }

    fn connect_with(&mut self, pointers: Option<returns::Pointers<'_>>) {
        // What follows from a body that is narrow already could be something else.
        self.widen();
        let telling = self.find_callers();
        self.before_narrowing = self.narrow(&telling, pointers);
        for (id, _) in &self.before_narrowing {
            for (call, position) in self.bodies[*id].calls.iter().zip(0..) {
                let site = CallSite { body: *id, call: position };
                let incoming = self.callers.of_mut(call.callee);
                if let Ok(found) = incoming.binary_search_by_key(&site, |incoming| incoming.site) {
                    incoming[found].condition = call.condition;
                }
            }
        }
    }

    /// Builds the lists of the calls of each function and through each slot, in the order of their sites. Returns the
    /// bodies that tell something of the context by themselves: it is costly to look at all of them.
    fn find_callers(&mut self) -> Vec<BodyId> {
        /// The calls in some bodies, and the telling ones of these.
        type Calls = (Vec<(FunctionId, Incoming)>, Vec<(SlotId, (BodyId, u32))>, Vec<BodyId>);
        let add = |(mut calls, mut slot_calls, mut telling): Calls, (id, body): (usize, &Shared<Body>)| {
            let id = BodyId::from_index(id);
            if body.assertion.is_some() || body.exit.changes() {
                telling.push(id);
            }
            calls.extend(body.calls.iter().zip(0..).map(|(call, position)| {
                let site = CallSite { body: id, call: position };
                let Call { callee, condition, kind, ends, .. } = *call;
                let has_arguments = !call.arguments.is_empty();
                (callee, Incoming { site, caller: body.function, condition, kind, ends, has_arguments })
            }));
            let through = body.slot_calls.iter().zip(0..);
            slot_calls.extend(through.filter_map(|(call, position)| Some((call.slot?, (id, position)))));
            (calls, slot_calls, telling)
        };
        let bodies = self.bodies.as_slice().par_iter().enumerate().with_min_len(1024);
        let parts: Vec<Calls> = bodies.fold(Calls::default, add).collect();
        let calls = parts.iter().flat_map(|(calls, ..)| calls.iter().copied());
        let slot_calls = parts.iter().flat_map(|(_, slot_calls, _)| slot_calls.iter().copied());
        (self.callers, self.slot_callers) =
            (Adjacency::new(self.functions.len(), calls), Adjacency::new(self.slots.len(), slot_calls));
        parts.into_iter().flat_map(|(.., telling)| telling).collect()
    }

    /// The rest of the program.
    fn without_functions_and_bodies(&self) -> Program {
        Program {
            files: self.files.clone(),
            functions: Shared::default(),
            bodies: IndexVec::default(),
            aliases: self.aliases.clone(),
            slots: self.slots.clone(),
            misplaced: self.misplaced.clone(),
            stores: self.stores.clone(),
            copies: self.copies.clone(),
            addresses: self.addresses.clone(),
            unknown_stores: self.unknown_stores.clone(),
            lost_values: self.lost_values.clone(),
            readings: self.readings.clone(),
            before_narrowing: self.before_narrowing.clone(),
            exits: returns::AllExits::default(),
            callers: Adjacency::default(),
            slot_callers: Adjacency::default(),
        }
    }

    /// A function.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id]
    }

    /// A body.
    pub fn body(&self, id: BodyId) -> &Body {
        &self.bodies[id]
    }

    /// The file with an identity: an absolute path without symbolic links.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        self.files.binary_search_by(|file| file.as_path().cmp(path)).ok().map(FileId::from_index)
    }

    /// The bodies of a file, sorted by location.
    pub fn bodies_in(&self, file: FileId) -> impl Iterator<Item = BodyId> + use<> {
        let bodies = self.bodies.as_slice();
        let start = bodies.partition_point(|body| body.location.file < file);
        let end = bodies.partition_point(|body| body.location.file <= file);
        (start..end).map(BodyId::from_index)
    }

    /// A file's identity.
    pub fn path(&self, file: FileId) -> &PathBuf {
        &self.files[file.index()]
    }

    /// How far two files are apart: 0 for one file, 1 for two in one directory, 2 for any others.
    pub fn distance(&self, one: FileId, other: FileId) -> u8 {
        match one == other {
            true => 0,
            false if self.path(one).parent() == self.path(other).parent() => 1,
            false => 2,
        }
    }

    /// A slot.
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id]
    }

    /// All functions.
    pub fn function_ids(&self) -> impl DoubleEndedIterator<Item = FunctionId> + ExactSizeIterator + use<> {
        self.functions.ids()
    }

    /// The bodies of a function.
    pub fn bodies_of(&self, function: FunctionId) -> impl Iterator<Item = &Body> {
        self.function(function).bodies.iter().map(|body| self.body(*body))
    }

    /// The function with external linkage of this name, which may be another name of it.
    pub fn external(&self, name: &str) -> Option<FunctionId> {
        let functions = self.functions.as_slice();
        let found = functions.binary_search_by(|function| (function.name.as_str(), function.file).cmp(&(name, None)));
        let other_name = || self.other_names(name).iter().find(|(_, file, _)| file.is_none());
        found.ok().map(FunctionId::from_index).or_else(|| other_name().map(|(_, _, function)| *function))
    }

    /// All functions of a name: the one with external linkage first, those with another name last.
    pub fn named(&self, name: &str) -> impl Iterator<Item = FunctionId> + use<> {
        let functions = self.functions.as_slice();
        let start = functions.partition_point(|function| function.name.as_str() < name);
        let end = functions.partition_point(|function| function.name.as_str() <= name);
        let mut others: Vec<FunctionId> = self.other_names(name).iter().map(|(_, _, function)| *function).collect();
        others.sort_unstable();
        others.dedup();
        others.retain(|function| !(start..end).contains(&function.index()));
        (start..end).map(FunctionId::from_index).chain(others)
    }

    /// The functions that have this as another name.
    fn other_names(&self, name: &str) -> &[(String, Option<FileId>, FunctionId)] {
        let start = self.aliases.partition_point(|(alias, _, _)| alias.as_str() < name);
        let end = self.aliases.partition_point(|(alias, _, _)| alias.as_str() <= name);
        &self.aliases[start..end]
    }

    /// The function that a bare name means: the one with external linkage, else the only one of this name, such as a
    /// `static inline` function of a header.
    pub fn by_name(&self, name: &str) -> Option<FunctionId> {
        let mut named = self.named(name);
        let first = named.next();
        self.external(name).or(if named.next().is_none() { first } else { None })
    }

    /// The sites that call a function by name, with their callers, sorted by location.
    pub fn calls_of(&self, callee: FunctionId) -> Vec<(CallSite, FunctionId)> {
        let mut sites: Vec<(CallSite, FunctionId)> = self.sites_of(callee).collect();
        sites.sort_by_key(|(site, _)| (self.call(*site).location, *site));
        sites
    }

    /// The same sites, in no particular order.
    pub fn sites_of(&self, callee: FunctionId) -> impl Iterator<Item = (CallSite, FunctionId)> {
        self.incoming(callee).iter().map(|call| (call.site, call.caller))
    }

    /// The calls that name a function, in no particular order.
    pub fn incoming(&self, callee: FunctionId) -> &[Incoming] {
        self.callers.of(callee)
    }

    /// Whether another function calls this one by name.
    pub fn has_callers(&self, callee: FunctionId) -> bool {
        self.incoming(callee).iter().any(|call| call.caller != callee)
    }

    /// The calls through a slot: a body and a position in [`Body::slot_calls`].
    pub fn calls_through(&self, slot: SlotId) -> &[(BodyId, u32)] {
        self.slot_callers.of(slot)
    }

    /// The call at a site.
    pub fn call(&self, site: CallSite) -> &Call {
        &self.body(site.body).calls[site.call as usize]
    }

    /// The stores of a function, sorted by location.
    pub fn stores_of(&self, function: FunctionId) -> &[Store] {
        let start = self.stores.partition_point(|store| store.function < function);
        let end = self.stores.partition_point(|store| store.function <= function);
        &self.stores[start..end]
    }

    /// The copies from a slot, sorted.
    pub fn copies_from(&self, slot: SlotId) -> &[PointerCopy] {
        let start = self.copies.partition_point(|copy| copy.from < slot);
        let end = self.copies.partition_point(|copy| copy.from <= slot);
        &self.copies[start..end]
    }

    /// Whether any function has this mark.
    pub fn declares_mark(&self, mark: MarkId) -> bool {
        let declarations = self.functions.iter().flat_map(|function| &function.declarations);
        declarations.flat_map(|declaration| &declaration.marks).any(|written| written.mark == mark)
    }

    /// The slot of a function's parameter, if the facts mention it.
    pub fn parameter(&self, function: FunctionId, position: u16) -> Option<SlotId> {
        self.find_slot(&SlotKey::Parameter { function, position })
    }

    /// The slot of a function's return value, if the facts mention it.
    pub fn result(&self, function: FunctionId) -> Option<SlotId> {
        self.find_slot(&SlotKey::Result { function })
    }

    /// The slot for what a slot points to, if the facts mention it.
    pub fn target(&self, pointer: SlotId) -> Option<SlotId> {
        self.find_slot(&SlotKey::Target(Box::new(self.slot(pointer).key.clone())))
    }

    /// The slot with this identity.
    pub fn find_slot(&self, key: &SlotKey) -> Option<SlotId> {
        let found = self.slots.as_slice().binary_search_by(|slot| slot.key.cmp(key)).ok()?;
        Some(SlotId::from_index(found))
    }
}

/// Serialises the shared list of files.
mod shared_paths {
    use std::path::PathBuf;

    use serde::{Deserializer, Serializer};

    use super::Shared;

    pub(super) fn serialize<S: Serializer>(paths: &Shared<Vec<PathBuf>>, serializer: S) -> Result<S::Ok, S::Error> {
        cowrap_facts::paths::serialize(paths, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Shared<Vec<PathBuf>>, D::Error> {
        cowrap_facts::paths::deserialize(deserializer).map(Shared::new)
    }
}

#[cfg(test)]
mod tests {
    use cowrap_facts::{
        self as facts, BodyReading, Context, ContextSet, FileFacts, PathCondition, SharedFileFacts, Symbol, SymbolId,
    };

    use super::*;

    fn at(line: u32) -> facts::Location {
        facts::Location { file: facts::FileId(0), line, column: 1 }
    }

    fn call(callee: SymbolId, line: u32, condition: PathCondition, after: Option<u32>) -> facts::Call {
        let (kind, arguments) = (CallKind::Written, Vec::new());
        let (ends, is_change) = (false, false);
        facts::Call { callee, location: at(line), spelling: None, condition, kind, after, ends, is_change, arguments }
    }

    /// `check` asserts that it runs inside, as the first pack reads it, and outside, as the second one does. `user`
    /// calls it, and then `work`. `other` calls `work` only inside, as the third pack reads it.
    fn unit(file: &str) -> SharedFileFacts {
        let always = PathCondition::always();
        let [check, user, other, work] = [0, 1, 2, 3].map(SymbolId);
        let asserting = |context| facts::Body {
            assertion: Some(facts::Assertion { context, location: at(2) }),
            ..facts::Body::new(check, at(1))
        };
        let calls_work =
            |condition| facts::Body { calls: vec![call(work, 12, condition, None)], ..facts::Body::new(other, at(11)) };
        let read = |number, body| vec![BodyReading { reading: ReadingId(number), body }];
        let user = facts::Body {
            calls: vec![call(check, 6, always, None), call(work, 7, always, Some(0))],
            ..facts::Body::new(user, at(5))
        };
        let bodies = vec![
            facts::Body { readings: read(1, asserting(Context::Outside)), ..asserting(Context::Inside) },
            user,
            facts::Body { readings: read(2, calls_work(always.within(ContextSet::INSIDE))), ..calls_work(always) },
        ];
        let symbol = |name: &str| Symbol { name: name.to_owned(), file: None };
        let symbols = ["check", "user", "other", "work"].map(symbol).to_vec();
        SharedFileFacts::new(FileFacts { files: vec![PathBuf::from(file)], symbols, bodies, ..FileFacts::default() })
    }

    /// The contexts in which `work` is called, by the names of the callers.
    fn calls_of_work(program: &Program, reading: u16) -> Vec<(String, ContextSet)> {
        let program = program.read_as(ReadingId(reading));
        let incoming = program.incoming(program.external("work").unwrap());
        let caller = |call: &Incoming| program.function(call.caller).name.clone();
        let mut calls: Vec<_> = incoming.iter().map(|call| (caller(call), call.condition.contexts())).collect();
        calls.sort_by(|one, other| one.0.cmp(&other.0));
        calls
    }

    #[test]
    fn each_pack_reads_the_program_in_its_way() {
        let mut linker = Linker::default();
        linker.add(0, &unit("/a.h"));
        linker.add(1, &unit("/a.h"));
        let linked = linker.finish(Path::to_path_buf);
        let stored = postcard::to_stdvec(&linked).unwrap();
        let mut loaded: Program = postcard::from_bytes(&stored).unwrap();
        loaded.connect();
        let named = |other, user| [("other".to_owned(), other), ("user".to_owned(), user)];
        for program in [linked, loaded] {
            use ContextSet as Set;
            assert_eq!(calls_of_work(&program, 0), named(Set::BOTH, Set::INSIDE));
            assert_eq!(calls_of_work(&program, 1), named(Set::BOTH, Set::OUTSIDE));
            assert_eq!(calls_of_work(&program, 2), named(Set::INSIDE, Set::INSIDE));
            assert_eq!(calls_of_work(&program, 3), named(Set::BOTH, Set::INSIDE));
            let third = program.read_as(ReadingId(2));
            let other = third.external("other").unwrap();
            assert_eq!(third.bodies_of(other).next().unwrap().units, [0, 1]);
            assert!(third.slots.is_same_copy(&program.slots));
        }
    }
}
