//! The data model of one translation unit: its declarations, calls, and flow of function pointers.
//!
//! Everything that the frontend tells the analysis is in here: plain data that can be stored. A unit's facts are
//! grouped by file, so that units can share those of their headers. This crate must never know libclang, and it draws
//! no conclusions: whether a call is allowed depends on the whole program, and `analysis` decides it.

mod shared;
mod flags;
mod path_condition;
mod paired_flags;
mod regions;
mod names;
mod references;
pub mod paths;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use flags::{Flag, FlagTest, feasible, feasible_nonzero, single_values, values_with};
pub use names::{NameSet, is_pattern, name_matches};
pub use paired_flags::{PairedFlag, PairedFlags};
pub use path_condition::{Context, ContextSet, MAX_FLAGS, PathCondition};
pub use references::is_order;
pub use regions::{Guard, GuardKind, LineRegion, are_ordered};
pub use shared::{EncodedFacts, SharedFileFacts};

/// The version of this data model. Stored facts of another version are ignored.
pub const SCHEMA: u32 = 13;

/// An index into [`FileFacts::files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// An index into [`FileFacts::symbols`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SymbolId(pub u32);

/// An index into [`FileFacts::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlotId(pub u32);

/// A number of a mark. All packs of a run share the numbers of marks, locks and slot models, so that facts are only
/// valid with the packs that they were extracted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MarkId(pub u16);

/// One of the ways in which the packs of a run read a body: packs that ask for different contexts, or know different
/// functions that change it, do not agree where control can be. The first is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadingId(pub u16);

/// A location in a file. For code from a macro it is that of the outermost use of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The column in bytes, from 1.
    pub column: u32,
}

/// The facts of one translation unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFacts {
    /// All files of the unit: the main file first, the others sorted. Paths in facts are valid wherever the tree is
    /// ([`Tree::portable`](cowrap_base::files::Tree::portable)).
    #[serde(with = "paths")]
    pub files: Vec<PathBuf>,
    /// The facts of the tree's own files, in the order of `files`. Files without facts are left out.
    pub file_facts: Vec<SharedFileFacts>,
    /// How libclang parsed the unit.
    pub parse_status: ParseStatus,
}

/// The facts of one file. They do not depend on the unit, as long as the preprocessor produces the same text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The file, then the files that locations and symbols refer to, in the order of their first use.
    #[serde(with = "paths")]
    pub files: Vec<PathBuf>,
    /// The functions that are declared, defined, called or stored.
    pub symbols: Vec<Symbol>,
    /// The function-pointer slots that stores and calls refer to, in the order of their first use. A slot comes after
    /// those that its identity refers to.
    pub slots: Vec<Slot>,
    /// Declarations of functions, definitions included, in source order.
    pub declarations: Vec<Declaration>,
    /// Bodies of functions, in source order.
    pub bodies: Vec<Body>,
    /// Marks on something that cannot have one.
    pub misplaced: Vec<Mark>,
    /// Stores at file scope, by initialisers.
    pub stores: Vec<Store>,
}

impl FileFacts {
    /// Whether the file has no facts.
    pub fn is_empty(&self) -> bool {
        self.declarations.is_empty() && self.bodies.is_empty() && self.misplaced.is_empty() && self.stores.is_empty()
    }
}

/// A function's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Symbol {
    /// The name.
    pub name: String,
    /// For internal linkage, the file that defines the function: `static` functions of one name in two files are
    /// different functions. `None` for external linkage.
    pub file: Option<FileId>,
}

/// A mark in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Which mark.
    pub mark: MarkId,
    /// Its location.
    pub location: Location,
}

/// One declaration of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// The function.
    pub symbol: SymbolId,
    /// The location of the function's name.
    pub location: Location,
    /// The marks on this declaration, without those that it inherits from earlier ones. Those of a definition include
    /// the statement marks in its body (`IO_CODE();`).
    pub marks: Vec<Mark>,
    /// Whether this is the definition.
    pub definition: bool,
    /// Whether it says that the function never returns to its caller.
    pub never_returns: bool,
    /// Whether it is weak: a definition gives way to another that is not.
    pub weak: bool,
    /// The function that this is another name for (`__attribute__((alias))`, `weakref`, `#pragma weak a = b`,
    /// `__asm__("b")`). Without a body in the program, the name is not one for a function of the tree.
    pub alias: Option<SymbolId>,
    /// The canonical type, for definitions and for declarations with marks.
    pub signature: Option<String>,
}

/// The body of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The function.
    pub symbol: SymbolId,
    /// The location of the name in the definition.
    pub location: Location,
    /// How many lines behind that of its location the body ends.
    pub more_lines: u32,
    /// The lines that control does not reach in every entry state, or in another context, in source order.
    pub regions: Vec<LineRegion>,
    /// The flags: the tests of parameters that a [`PathCondition`] distinguishes. The body does not change these
    /// parameters. At most [`MAX_FLAGS`].
    pub flags: Vec<Flag>,
    /// Calls that name a function, in source order; one for each callee and location.
    pub calls: Vec<Call>,
    /// Calls through slots, in source order.
    pub slot_calls: Vec<SlotCall>,
    /// Stores into slots, in source order. The arguments of calls are among them.
    pub stores: Vec<Store>,
    /// The nearest call, as a position in `calls`, that every path to the end of the body passes.
    pub returns_after: Option<u32>,
    /// The context in which the body returns, from each entry state. [`PathCondition::NEVER`] if it never does.
    pub exit: PathCondition,
    /// An assertion on the context that every path passes.
    pub assertion: Option<Assertion>,
    /// The locks that the body takes, with the calls that it makes while it holds them, in source order.
    pub critical_sections: Vec<CriticalSection>,
    /// The locks that the body releases without certainly having taken them, sorted.
    pub releases: Vec<Release>,
    /// How other packs of the run read the body, where that differs, sorted by number. This body is how the first pack
    /// reads it, and the other packs that are not listed.
    #[serde(deserialize_with = "references::readings")]
    pub readings: Vec<BodyReading>,
}

/// A body as another pack reads it: with other conditions, and perhaps other calls that end the program or run
/// elsewhere. The calls are the same, in the same order. Its stores are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyReading {
    /// The number of the reading, which is not 0.
    pub reading: ReadingId,
    /// The body, without stores and without readings.
    pub body: Body,
}

impl Body {
    /// A body without calls and stores.
    pub fn new(symbol: SymbolId, location: Location) -> Body {
        Body {
            symbol,
            location,
            more_lines: 0,
            regions: Vec::new(),
            flags: Vec::new(),
            calls: Vec::new(),
            slot_calls: Vec::new(),
            stores: Vec::new(),
            returns_after: None,
            exit: PathCondition::always(),
            assertion: None,
            critical_sections: Vec::new(),
            releases: Vec::new(),
            readings: Vec::new(),
        }
    }
}

/// A lock that a body may release for its caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Release {
    /// Which lock of the pack.
    pub lock: LockId,
    /// The last name in the argument, such as `lock` in `&s->lock`; empty if the argument has no name.
    pub name: String,
}

/// A number of a lock, as [`MarkId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockId(pub u16);

/// A lock that the body takes, and the calls that it makes while it certainly holds the lock: on every path that
/// control can take, by jumps as well. Calls with the lock as an argument are not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriticalSection {
    /// Which lock of the pack.
    pub lock: LockId,
    /// The last name in the argument, as in [`Release`].
    pub name: String,
    /// Where the body takes it.
    pub taken: Location,
    /// The locations of the calls, in source order.
    pub calls: Vec<Location>,
}

/// A call that names a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The function.
    pub callee: SymbolId,
    /// The location of its name; for a call from a macro, that of the macro's use; for a `cleanup` attribute, that of
    /// the variable's declaration.
    pub location: Location,
    /// For a call from a macro, its location in the macro's definition.
    pub spelling: Option<Location>,
    /// The contexts and the values of the body's flags with which control reaches the call.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// The nearest earlier call, as a position in [`Body::calls`], that every path to this one passes.
    pub after: Option<u32>,
    /// Whether the program certainly ends behind the call: all paths from it lead to other calls that end it.
    pub ends: bool,
    /// Whether the call is a part of what the pack says changes the context: the conditions behind it say how.
    pub is_change: bool,
    /// The arguments that can matter to what the callee does, by position.
    pub arguments: Vec<Argument>,
}

/// An argument of a call: a function, a function pointer, or a known truth value or number. An argument with several
/// possible values, as in `f(c ? g : h)`, is listed once for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Argument {
    /// The argument's position, from 0.
    pub position: u16,
    /// Its value.
    pub value: ArgumentValue,
}

/// The value of an argument.
#[allow(missing_docs)] // the comment of each variant describes its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ArgumentValue {
    /// A function.
    Function(SymbolId),
    /// Whatever a slot points to.
    Slot(SlotId),
    /// For an integer or enumeration parameter: the constant that is always passed.
    Number(i64),
    /// For an integer or enumeration parameter: the parameter of the body at this position, which the body does not
    /// change. Its truth can be known besides.
    Parameter(u16),
    /// For a `bool`, integer or enumeration parameter: the body's entry states in which the argument may be true, and
    /// those in which it may be false. An argument that can always be both is not listed.
    Truth { may_be_true: PathCondition, may_be_false: PathCondition },
}

/// What makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallKind {
    /// A call expression.
    Written,
    /// `__attribute__((cleanup(f)))` on a variable: the end of the variable's scope calls `f`.
    Cleanup,
    /// A call in a region: in the argument of a macro that runs it in another thread. The pack lists these macros. The
    /// predicate returns the same there as outside the region.
    Region,
    /// A call in an arm of `_Generic` or `__builtin_choose_expr`. libclang does not reveal which arm is chosen, so the
    /// call may not exist. Rules ignore it, and the summary counts it as unknown.
    Unresolved,
}

impl CallKind {
    /// Whether the call certainly exists, and runs in the same thread as its body.
    pub fn is_in_place(self) -> bool {
        matches!(self, CallKind::Written | CallKind::Cleanup)
    }
}

/// A call through a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCall {
    /// The slot; `None` if what is called cannot be followed, such as a number that is cast to a pointer.
    pub slot: Option<SlotId>,
    /// The location of the call.
    pub location: Location,
    /// The contexts and the values of the body's flags with which control reaches the call.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// As in [`Call::after`].
    pub after: Option<u32>,
    /// As in [`Call::ends`].
    pub ends: bool,
    /// The arguments that can matter to what the callee does, by position.
    pub arguments: Vec<Argument>,
}

/// A value that goes into a slot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Store {
    /// The slot; `None` if the value goes where it cannot be followed.
    pub to: Option<SlotId>,
    /// The value.
    pub value: Value,
    /// Where the source names the value: the function, or the slot that it comes from.
    pub location: Location,
    /// The values of the flags that the packs pair with the slot, as far as they are constant.
    pub paired_flags: PairedFlags,
}

/// A value that a slot can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// A function.
    Function(SymbolId),
    /// Whatever another slot holds.
    Slot(SlotId),
    /// The address of another slot.
    Address(SlotId),
    /// Something that cannot be followed: a number that is cast to a pointer, an argument from `va_arg`, an output of
    /// inline assembly, a value out of a `void *`.
    Unknown,
}

/// A number of what the packs say of slots without marks, as [`MarkId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlotModelId(pub u16);

/// A function-pointer slot: anything that can point to a function, or to another slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// What tells it from other slots.
    pub identity: SlotIdentity,
    /// Whether it is an array. All its elements are one slot.
    pub is_array: bool,
    /// Whether code outside the tree may store into it: a field of a library's record, or a library's variable.
    pub is_foreign: bool,
    /// What the packs say of it, by its name or by the typedef of its type; sorted.
    pub models: Vec<SlotModelId>,
    /// The marks on its own declaration or on the typedef of its type.
    pub marks: Vec<Mark>,
    /// Where to write a mark: at the names of its declarations, or at that of the typedef of its type. Sorted.
    pub declared: Vec<Location>,
}

/// What tells a slot from other slots.
#[allow(missing_docs)] // the comment of each variant describes its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SlotIdentity {
    /// A field of a record. The location of its declaration identifies the record, which can be anonymous. The name is
    /// for messages.
    Field { record: Location, record_name: String, field: String },
    /// A variable at file scope, by its name; a `static` one also by its file.
    Global { name: String, file: Option<FileId> },
    /// A local variable or a compound literal, by the location of its declaration.
    Local { name: String, declared: Location },
    /// A parameter of a function, by its position.
    Parameter { function: SymbolId, position: u16 },
    /// The result of a function.
    Result { function: SymbolId },
    /// A parameter of whatever function another slot points to.
    PointedParameter { slot: SlotId, position: u16 },
    /// The result of whatever function another slot points to.
    PointedResult { slot: SlotId },
    /// Whatever slot another slot points to: `*p`.
    Target(SlotId),
}

/// An assertion on the context, such as `assert(is_inside())`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// The asserted context.
    pub context: Context,
    /// Its location.
    pub location: Location,
}

/// How libclang parsed a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseStatus {
    /// The number of errors. The facts of a unit with errors may be wrong.
    pub errors: u32,
    /// The first error.
    pub first_error: Option<CompilerError>,
    /// Arguments that were left out because libclang does not know them.
    pub unknown_arguments: Vec<String>,
}

/// An error of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompilerError {
    /// The compiler's message.
    pub message: String,
    /// Its location, in one of [`UnitFacts::files`]; `None` for an error in the arguments.
    pub location: Option<Location>,
}
