//! The data model of one translation unit: what was read in it, before anything is known of other units.
//!
//! A unit's facts are those of its files: what a header says is one value, shared by all units in which it says the
//! same.
//! Plain, serialisable data; the first of the two waists. It must never know libclang, and it draws no
//! conclusions: whether a call is allowed is decided by `effects`, over the whole program.

mod path_condition;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use cowrap_base::files::Digest;

pub use path_condition::{Context, ContextSet, MAX_FLAGS, PathCondition};

/// The version of this data model. Stored facts of another version are not read.
pub const SCHEMA: u32 = 8;

/// An index into [`FileFacts::files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// An index into [`FileFacts::symbols`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SymbolId(pub u32);

/// An index into the marks of the pack that the facts were read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MarkId(pub u16);

/// A location in a file: line and column count from 1, the column in bytes.
///
/// For what comes out of a macro this is where the outermost macro was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The column in bytes, from 1.
    pub column: u32,
}

/// Everything that was read in one translation unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFacts {
    /// Every file that was read: the main file first, the others sorted. Like all paths in facts, they do not tell
    /// where the tree is ([`Tree::portable`](cowrap_base::files::Tree::portable)).
    #[serde(with = "paths")]
    pub files: Vec<PathBuf>,
    /// What the tree's own files say, in the order of `files`; files that say nothing are left out.
    pub file_facts: Vec<SharedFileFacts>,
    /// How well the unit parsed.
    pub parse_status: ParseStatus,
}

/// What one file says in a unit, with what tells it from all else that files say. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFileFacts {
    digest: Digest,
    facts: Arc<FileFacts>,
}

impl SharedFileFacts {
    /// Facts, from now on unchanged.
    pub fn new(facts: FileFacts) -> SharedFileFacts {
        // Plain data can always be written to memory.
        let bytes = postcard::to_stdvec(&facts).unwrap_or_default();
        SharedFileFacts { digest: Digest::of(&bytes), facts: Arc::new(facts) }
    }

    /// The facts in a form to be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        // As in `new`.
        postcard::to_stdvec(&*self.facts).unwrap_or_default()
    }

    /// The facts of [`SharedFileFacts::to_bytes`]; `None` when they are not those with the digest.
    pub fn from_bytes(digest: Digest, bytes: &[u8]) -> Option<SharedFileFacts> {
        if Digest::of(bytes) != digest {
            return None;
        }
        Some(SharedFileFacts { digest, facts: Arc::new(postcard::from_bytes(bytes).ok()?) })
    }

    /// The digest of the facts.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The facts.
    pub fn facts(&self) -> &FileFacts {
        &self.facts
    }
}

/// What one file says in a unit. Nothing in it depends on which unit that is, as long as the compiler sees the same in
/// the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The file, and the others that locations and symbols refer to, in the order in which they come up.
    #[serde(with = "paths")]
    pub files: Vec<PathBuf>,
    /// The functions that are declared, defined, called or stored.
    pub symbols: Vec<Symbol>,
    /// Declarations of functions, in source order, definitions among them.
    pub declarations: Vec<Declaration>,
    /// Bodies of functions, in source order.
    pub bodies: Vec<Body>,
    /// Marks on something that can bear none.
    pub misplaced: Vec<Mark>,
    /// Stores outside of bodies: initialisers at file scope.
    pub stores: Vec<Store>,
    /// Copies outside of bodies.
    pub copies: Vec<PointerCopy>,
}

impl FileFacts {
    /// Whether the file says nothing.
    pub fn is_empty(&self) -> bool {
        self.declarations.is_empty()
            && self.bodies.is_empty()
            && self.misplaced.is_empty()
            && self.stores.is_empty()
            && self.copies.is_empty()
    }
}

/// A function's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Symbol {
    /// The name.
    pub name: String,
    /// For a function with internal linkage, the file that defines it: two `static` functions of one name
    /// in two files are two functions. `None` for external linkage.
    pub file: Option<FileId>,
}

/// A mark, written at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Which mark.
    pub mark: MarkId,
    /// Where it is written.
    pub location: Location,
}

/// One declaration of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// The function.
    pub symbol: SymbolId,
    /// Where its name is.
    pub location: Location,
    /// The marks that are written on this declaration; inherited ones are not among them.
    pub marks: Vec<Mark>,
    /// Whether this is the definition.
    pub definition: bool,
    /// Whether it says that the function never returns to its caller.
    pub never_returns: bool,
    /// The canonical type, for definitions and for declarations with marks.
    pub signature: Option<String>,
}

/// The body of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The function.
    pub symbol: SymbolId,
    /// Where the definition's name is.
    pub location: Location,
    /// The parameters that [`PathCondition`] distinguishes, by their position: boolean, unchanged by the body, and
    /// asked for in a condition or passed on. At most [`MAX_FLAGS`].
    pub flags: Vec<u16>,
    /// Calls of named functions, in source order; one for each callee and location.
    pub calls: Vec<Call>,
    /// Calls through slots, in source order.
    pub slot_calls: Vec<SlotCall>,
    /// Functions stored into slots, in source order.
    pub stores: Vec<Store>,
    /// What slots hold, stored into other slots, in source order. What is passed as an argument is in the calls.
    pub copies: Vec<PointerCopy>,
    /// An assertion on the context that holds on every path before anything returns.
    pub assertion: Option<Assertion>,
    /// The locks that the body takes, with what it does meanwhile, in the order in which they are taken.
    pub critical_sections: Vec<CriticalSection>,
    /// The locks that the body releases where it is not certain that it took them itself, sorted.
    pub releases: Vec<Release>,
}

/// A lock that a body may release for its caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Release {
    /// Which kind.
    pub lock: LockId,
    /// The last name in the argument, such as the field's in `&s->lock`; empty when there is none.
    pub name: String,
}

/// An index into the locks of the pack that the facts were read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockId(pub u16);

/// A lock that is taken, and the calls that are made while it is certainly held: on every path, as far as structured
/// control flow tells, and without those that are given the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriticalSection {
    /// Which.
    pub lock: LockId,
    /// The last name in the argument, as in [`Release`].
    pub name: String,
    /// Where it is taken.
    pub taken: Location,
    /// Where the calls are, in source order.
    pub calls: Vec<Location>,
}

/// A call of a function by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The function that is called.
    pub callee: SymbolId,
    /// Where its name is; for a call out of a macro, where the macro is used; for a `cleanup` attribute, where
    /// its variable is declared.
    pub location: Location,
    /// For a call out of a macro, where it is written.
    pub spelling: Option<Location>,
    /// In which contexts, and for which values of the body's flags, control can be here.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// The arguments that can matter to what the callee does, by position.
    pub arguments: Vec<Argument>,
}

/// An argument of a call: a function, a function pointer, or a truth value that is known. An argument that may be one
/// or the other, as in `f(c ? g : h)`, is there once for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Argument {
    /// Which argument, from 0.
    pub position: u16,
    /// What is passed.
    pub value: ArgumentValue,
}

/// What a call passes.
#[allow(missing_docs)] // each variant's comment tells of its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ArgumentValue {
    /// A function, by its name.
    Function(SymbolId),
    /// Whatever a slot holds.
    Slot(Slot),
    /// A truth value, for a `bool` parameter: the worlds of the body in which it may be true, and those in which it may
    /// be false. Not there when both are possible in every world.
    Truth { may_be_true: PathCondition, may_be_false: PathCondition },
}

/// What makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallKind {
    /// A call expression.
    Written,
    /// `__attribute__((cleanup(f)))` on a variable: `f` is called at the end of the variable's scope.
    Cleanup,
    /// A call in a region: in the argument of a macro of the pack that runs it in another thread, where the predicate
    /// still says what it said before.
    Region,
    /// An arm of `_Generic` or of a `__builtin_choose_expr` that may not be the chosen one: libclang does not
    /// tell. No rule takes this for a call; it is counted as unknown.
    Unresolved,
}

impl CallKind {
    /// Whether the call is made, and where its body runs: neither in another thread nor perhaps not at all.
    pub fn is_in_place(self) -> bool {
        matches!(self, CallKind::Written | CallKind::Cleanup)
    }
}

/// A call through a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCall {
    /// What holds the function.
    pub slot: Slot,
    /// Where the call is.
    pub location: Location,
    /// In which contexts, and for which values of the body's flags, control can be here.
    pub condition: PathCondition,
    /// What makes the call.
    pub kind: CallKind,
    /// The marks that the slot bears by its own declaration or by the typedef of its type.
    pub marks: Vec<Mark>,
    /// The arguments that can matter to what is called, by position.
    pub arguments: Vec<Argument>,
}

/// What one slot holds, put into another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PointerCopy {
    /// Where it comes from.
    pub from: Slot,
    /// Where it goes.
    pub to: Slot,
}

/// A function whose address is put somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The function.
    pub function: SymbolId,
    /// Where it goes.
    pub slot: Slot,
    /// Where the function is named.
    pub location: Location,
    /// The marks that the slot bears by its own declaration or by the typedef of its type.
    pub marks: Vec<Mark>,
    /// Where a mark of the slot would be written: at the names of its declarations, or at that of the typedef of its
    /// type. Sorted.
    pub declared: Vec<Location>,
    /// What a flag beside the slot says, where the pack pairs the two and the flag's value is known.
    pub paired_flag: Option<PairedFlag>,
}

/// What a flag says that is beside a slot: in the same initialiser, or in an argument of the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairedFlag {
    /// Which pair of slot and flag.
    pub pair: PairId,
    /// Whether the flag is set.
    pub set: bool,
}

/// An index into the pairs of the pack that the facts were read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairId(pub u16);

/// A location that holds a function pointer.
#[allow(missing_docs)] // each variant's comment tells of its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Slot {
    /// A field of a record. The record is known by the location of its declaration, so that anonymous records
    /// work; the name is for people.
    Field { record: Location, record_name: String, field: String },
    /// A variable at file scope, by its name; a `static` one also by its file.
    Global { name: String, file: Option<FileId> },
    /// A local variable, by the location of its declaration.
    Local { name: String, declared: Location },
    /// A parameter of the function whose body this is, by its position.
    Parameter { position: u16 },
    /// An argument of a call of `function`, by its position.
    Argument { function: SymbolId, position: u16 },
    /// An argument of a call through a slot, by its position.
    SlotArgument { position: u16 },
    /// What the function of this body returns.
    Return,
    /// What a call of `function` gives.
    Result { function: SymbolId },
    /// An element of an array that is itself held by a slot.
    Element(Box<Slot>),
    /// Anything else: what a pointer to a function pointer points to, the result of a call through a slot …
    Other,
}

/// An assertion on the context, such as `assert(qemu_in_coroutine())`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// The context that it demands.
    pub context: Context,
    /// Where it is.
    pub location: Location,
}

/// How well a unit parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseStatus {
    /// How many errors the compiler reported. Facts of a unit with errors are not to be trusted.
    pub errors: u32,
    /// The first of them.
    pub first_error: Option<CompilerError>,
    /// Arguments that this libclang did not know and that were left out.
    pub unknown_arguments: Vec<String>,
}

/// An error of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompilerError {
    /// The compiler's own words.
    pub message: String,
    /// Where; `None` when it is about the arguments. Its file is one of [`UnitFacts::files`].
    pub location: Option<Location>,
}

/// Paths as bytes, since a path need not be UTF-8.
pub mod paths {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    enum Stored {
        Text(String),
        Bytes(Vec<u8>),
    }

    /// Writes paths.
    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| match path.to_str() {
            Some(text) => Stored::Text(text.to_owned()),
            None => Stored::Bytes(path.as_os_str().as_bytes().to_vec()),
        }))
    }

    /// Reads paths.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        let stored = Vec::<Stored>::deserialize(deserializer)?;
        Ok(stored
            .into_iter()
            .map(|path| match path {
                Stored::Text(text) => PathBuf::from(text),
                Stored::Bytes(bytes) => PathBuf::from(OsString::from_vec(bytes)),
            })
            .collect())
    }
}
