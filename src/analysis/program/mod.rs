//! The whole program: what the facts of all units say together, linked by identity.
//!
//! It must never know libclang or the logic of rules. Marks are numbers to it; what they mean is for
//! `effects`.

mod adjacency;
mod link;
mod points_to;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use cowrap_facts::{Assertion, CallKind, LockId, MarkId, PairedFlag, PathCondition, Release};

pub use adjacency::Adjacency;
pub use link::Linker;
pub use points_to::PointsTo;

/// An index into [`Program::files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A function of the program; also its node in the call graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FunctionId(pub u32);

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

/// A mark that is written at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Where.
    pub location: Location,
    /// Which.
    pub mark: MarkId,
}

/// The program.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Program {
    /// Every file that any unit read, by identity.
    #[serde(with = "cowrap_facts::paths")]
    pub files: Vec<PathBuf>,
    /// Every function that is declared, defined, called or stored.
    pub functions: Vec<Function>,
    /// Every body; a function may have several (stubs, configurations).
    pub bodies: Vec<Body>,
    /// Every slot that something is stored into or called through; [`SlotId`] counts them.
    pub slots: Vec<Slot>,
    /// Marks on something that can bear none, sorted by location.
    pub misplaced: Vec<Mark>,
    /// Where the address of a function is taken, sorted by function and location.
    pub stores: Vec<Store>,
    /// What goes from slot to slot, sorted. What calls pass is in the calls.
    pub copies: Vec<PointerCopy>,
    /// For each function, the calls of it by its name.
    #[serde(skip)]
    callers: Adjacency<Incoming>,
    /// For each slot, the calls through it: the body, and the position among its calls through slots.
    #[serde(skip)]
    through: Adjacency<(BodyId, u32)>,
}

/// A function: all declarations and bodies of one name, or of one name in one file when it is `static`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Function {
    /// The name.
    pub name: String,
    /// The file that defines it, for internal linkage.
    pub file: Option<FileId>,
    /// Its declarations, sorted by location; each location once, with the marks written there.
    pub declarations: Vec<Declaration>,
    /// Its bodies, sorted by location.
    pub bodies: Vec<BodyId>,
}

/// An index into [`Program::bodies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BodyId(pub u32);

/// A declaration of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// Where its name is.
    pub location: Location,
    /// The marks that are written on it.
    pub marks: Vec<Mark>,
    /// Whether it is a definition.
    pub definition: bool,
    /// Whether it says that the function never returns to its caller.
    pub never_returns: bool,
    /// The canonical type, where it was read.
    pub signature: Option<String>,
}

/// A body of a function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Body {
    /// The function.
    pub function: FunctionId,
    /// Where the definition's name is.
    pub location: Location,
    /// The positions of the boolean parameters that [`PathCondition`] distinguishes.
    pub flags: Vec<u16>,
    /// Calls of named functions, in source order.
    pub calls: Vec<Call>,
    /// Calls through slots, in source order.
    pub slot_calls: Vec<SlotCall>,
    /// An assertion on the context that every path passes.
    pub assertion: Option<(Assertion, Location)>,
    /// The locks that it takes, with the locations of the calls that it makes while it certainly holds them.
    pub critical_sections: Vec<CriticalSection>,
    /// The locks that it may release for its caller, sorted.
    pub releases: Vec<Release>,
    /// The units that hold this body, for functions with external linkage.
    pub units: Vec<u32>,
}

/// A lock that a body takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriticalSection {
    /// Which kind.
    pub lock: LockId,
    /// The last name in the argument that says which one.
    pub name: String,
    /// Where.
    pub taken: Location,
    /// Where the calls are that are made while it is certainly held, sorted.
    pub calls: Vec<Location>,
}

/// A call of a function by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The function that is called.
    pub callee: FunctionId,
    /// Where.
    pub location: Location,
    /// For a call out of a macro, where it is written.
    pub spelling: Option<Location>,
    /// Which worlds condition it.
    pub condition: PathCondition,
    /// What makes it.
    pub kind: CallKind,
    /// The arguments that can matter to what the callee does, sorted.
    pub arguments: Vec<Argument>,
}

/// An argument of a call; one that may be this or that is there once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Argument {
    /// Which argument, from 0.
    pub position: u16,
    /// What is passed.
    pub value: ArgumentValue,
}

/// What a call passes.
#[allow(missing_docs)] // each variant's comment tells of its fields
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ArgumentValue {
    /// A function.
    Function(FunctionId),
    /// Whatever a slot holds.
    Slot(SlotId),
    /// A truth value: the worlds of the caller in which it may be true, and those in which it may be false.
    Truth { may_be_true: PathCondition, may_be_false: PathCondition },
}

/// A call by name as seen from what is called: what searches need of it, without a look at the caller's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Which call.
    pub site: CallSite,
    /// Who calls.
    pub caller: FunctionId,
    /// Which worlds condition it.
    pub condition: PathCondition,
    /// What makes it.
    pub kind: CallKind,
    /// Whether there are arguments that can matter.
    pub has_arguments: bool,
}

/// Which call of the program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    /// The body.
    pub body: BodyId,
    /// The position among the body's calls.
    pub call: u32,
}

/// An index into [`Program::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlotId(pub u32);

/// A location that holds a function pointer, the same for all units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// What it is.
    pub key: SlotKey,
    /// Its name, for people: `BlockDriver::bdrv_co_preadv`; for a parameter and a result, what is left of it to say
    /// besides the function.
    pub name: String,
    /// The marks that it bears, by its own declaration or by the typedef of its type.
    pub marks: Vec<Mark>,
    /// Where a mark of it would be written: at the names of its declarations, or at that of the typedef of its type. Known
    /// of slots that something is stored into; sorted.
    pub declared: Vec<Location>,
}

/// A slot's identity.
#[allow(missing_docs)] // each variant's comment tells of its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SlotKey {
    /// A field, by the location of its record's declaration.
    Field { record: Location, field: String },
    /// A variable at file scope; a `static` one with its file.
    Global { name: String, file: Option<FileId> },
    /// A local variable, by the location of its declaration.
    Local { declared: Location, name: String },
    /// A parameter, by its position.
    Parameter { function: FunctionId, position: u16 },
    /// What a function returns.
    Result { function: FunctionId },
    /// An element of an array that a slot holds.
    Element(Box<SlotKey>),
}

/// A call through a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCall {
    /// The slot, when it is known which.
    pub slot: Option<SlotId>,
    /// Where.
    pub location: Location,
    /// Which worlds condition it.
    pub condition: PathCondition,
    /// What makes it.
    pub kind: CallKind,
    /// The arguments that can matter to what is called, sorted.
    pub arguments: Vec<Argument>,
}

/// What one slot holds, put into another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PointerCopy {
    /// Where it comes from.
    pub from: SlotId,
    /// Where it goes.
    pub to: SlotId,
}

/// A function whose address is put somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Store {
    /// The function.
    pub function: FunctionId,
    /// Where the function is named.
    pub location: Location,
    /// Where it goes, when that is known.
    pub slot: Option<SlotId>,
    /// What a flag beside the slot says.
    pub paired_flag: Option<PairedFlag>,
}

impl Program {
    /// Makes the call graph from the bodies; what is deserialised has none.
    pub fn connect(&mut self) {
        let bodies = || self.bodies.iter().enumerate().map(|(number, body)| (BodyId(number as u32), body));
        let calls = bodies().flat_map(|(id, body)| {
            body.calls.iter().enumerate().map(move |(position, call)| {
                let site = CallSite { body: id, call: position as u32 };
                let Call { callee, condition, kind, .. } = *call;
                let has_arguments = !call.arguments.is_empty();
                (callee.0 as usize, Incoming { site, caller: body.function, condition, kind, has_arguments })
            })
        });
        let callers = Adjacency::new(self.functions.len(), calls);
        let slot_calls = bodies().flat_map(|(id, body)| {
            let calls = body.slot_calls.iter().enumerate();
            calls.filter_map(move |(position, call)| Some((call.slot?.0 as usize, (id, position as u32))))
        });
        let through = Adjacency::new(self.slots.len(), slot_calls);
        (self.callers, self.through) = (callers, through);
    }

    /// A function.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.0 as usize]
    }

    /// A body.
    pub fn body(&self, id: BodyId) -> &Body {
        &self.bodies[id.0 as usize]
    }

    /// A file's identity.
    pub fn path(&self, file: FileId) -> &PathBuf {
        &self.files[file.0 as usize]
    }

    /// A slot.
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id.0 as usize]
    }

    /// All functions.
    pub fn function_ids(&self) -> impl Iterator<Item = FunctionId> + use<> {
        (0..self.functions.len() as u32).map(FunctionId)
    }

    /// The function with external linkage of this name.
    pub fn external(&self, name: &str) -> Option<FunctionId> {
        let found =
            self.functions.binary_search_by(|function| (function.name.as_str(), function.file).cmp(&(name, None)));
        found.ok().map(|position| FunctionId(position as u32))
    }

    /// All functions of a name, the one with external linkage first.
    pub fn named(&self, name: &str) -> impl Iterator<Item = FunctionId> + use<> {
        let start = self.functions.partition_point(|function| function.name.as_str() < name);
        let end = self.functions.partition_point(|function| function.name.as_str() <= name);
        (start..end).map(|position| FunctionId(position as u32))
    }

    /// The function that a name means to everybody: the one with external linkage, else the only one there is,
    /// such as a `static inline` function of a header.
    pub fn by_name(&self, name: &str) -> Option<FunctionId> {
        let mut named = self.named(name);
        let first = named.next();
        self.external(name).or(if named.next().is_none() { first } else { None })
    }

    /// The sites at which a function is called by its name, sorted by location.
    pub fn calls_of(&self, callee: FunctionId) -> Vec<(CallSite, FunctionId)> {
        let mut sites: Vec<(CallSite, FunctionId)> = self.sites_of(callee).collect();
        sites.sort_by_key(|(site, _)| (self.call(*site).location, *site));
        sites
    }

    /// The same sites, in no particular order.
    pub fn sites_of(&self, callee: FunctionId) -> impl Iterator<Item = (CallSite, FunctionId)> {
        self.incoming(callee).iter().map(|call| (call.site, call.caller))
    }

    /// The calls of a function by its name, in no particular order.
    pub fn incoming(&self, callee: FunctionId) -> &[Incoming] {
        self.callers.of(callee.0 as usize)
    }

    /// Whether a function is called by its name from a body of another one.
    pub fn has_callers(&self, callee: FunctionId) -> bool {
        self.incoming(callee).iter().any(|call| call.caller != callee)
    }

    /// The calls through a slot: the body, and the position among its calls through slots.
    pub fn calls_through(&self, slot: SlotId) -> &[(BodyId, u32)] {
        self.through.of(slot.0 as usize)
    }

    /// The call at a site.
    pub fn call(&self, site: CallSite) -> &Call {
        &self.body(site.body).calls[site.call as usize]
    }

    /// Where a function's address is taken, sorted by location.
    pub fn stores_of(&self, function: FunctionId) -> &[Store] {
        let start = self.stores.partition_point(|store| store.function < function);
        let end = self.stores.partition_point(|store| store.function <= function);
        &self.stores[start..end]
    }

    /// Where what a slot holds is put into other slots, sorted.
    pub fn copies_from(&self, slot: SlotId) -> &[PointerCopy] {
        let start = self.copies.partition_point(|copy| copy.from < slot);
        let end = self.copies.partition_point(|copy| copy.from <= slot);
        &self.copies[start..end]
    }

    /// Whether any function bears this mark.
    pub fn declares_mark(&self, mark: MarkId) -> bool {
        let declarations = self.functions.iter().flat_map(|function| &function.declarations);
        declarations.flat_map(|declaration| &declaration.marks).any(|written| written.mark == mark)
    }
}
