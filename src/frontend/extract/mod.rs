//! Extraction: from one unit's cursors to its facts.
//!
//! It must never know other units, the cache or rules. It knows the pack only as a [`Vocabulary`]:
//! which words are marks, predicates and regions, and what takes locks.

mod body;
mod flow;
mod cursor_tree;
mod attributes;
mod blocks;
mod initialisers;
mod slots;
mod stores;
mod values;
mod statement_marks;
mod source_text;
mod macros;
mod readings;
mod pch_summary;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::clang::{Cursor, CursorKind, File, Linkage, Severity, TranslationUnit, Type, TypeKind, Visit};
use crate::scan::{Names, scan};
use cowrap_base::files::Shown;
use cowrap_facts::{
    Body, CallKind, CompilerError, Context, Declaration, EncodedFacts, FileFacts, FileId, Location, LockId, Mark,
    MarkId, NameSet, PairedFlags, ParseStatus, PathCondition, SlotCall, SlotId, SlotIdentity, SlotModelId, Store,
    Symbol, SymbolId, Value,
};
use serde::{Deserialize, Serialize};

use cursor_tree::{CursorId, CursorTree};
use initialisers::RecordLayout;
use macros::Definition;
use readings::{ReadingNames, ReadingSet};
use slots::TypeClass;

use pch_summary::OpenQuestions;

pub use pch_summary::{PchMismatch, PchSummary};

/// How annotations of the in-memory headers begin, to distinguish them from those of a code base.
pub const ANNOTATION_PREFIX: &str = "cowrap:";

/// The words of a pack that extraction needs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Vocabulary {
    /// The marks by name.
    pub marks: std::collections::HashMap<String, MarkId>,
    /// The marks that are statements in bodies, by name.
    pub statement_marks: std::collections::HashMap<String, MarkId>,
    /// How the packs read bodies. The first is [`ReadingId`](cowrap_facts::ReadingId) 0. There is at least one.
    pub readings: Vec<Reading>,
    /// What takes and releases locks, by the word in the source.
    pub locks: std::collections::HashMap<String, Vec<LockWord>>,
    /// What the packs say of fields, by record and field. A field of an anonymous record belongs to the nearest named
    /// one around it.
    pub slot_fields: std::collections::HashMap<(String, String), Vec<SlotModelId>>,
    /// What the packs say of parameters, by function and position.
    pub slot_parameters: std::collections::HashMap<(String, u16), Vec<SlotModelId>>,
    /// What the packs say of everything that is declared with a typedef.
    pub slot_typedefs: std::collections::HashMap<String, Vec<SlotModelId>>,
    /// The fields that are paired with a flag in another field, by record and field as above.
    pub paired_fields: std::collections::HashMap<(String, String), Vec<PairedWith<String>>>,
    /// The parameters that are paired with a flag in another parameter, by function and position.
    pub paired_parameters: std::collections::HashMap<(String, u16), Vec<PairedWith<u16>>>,
}

impl Vocabulary {
    /// The constants that the packs name.
    fn constants(&self) -> HashSet<&str> {
        let compared = self.readings.iter().flat_map(|reading| &reading.predicates).filter_map(|predicate| {
            match &predicate.compared {
                Some(Compared::Name(name)) => Some(name.as_str()),
                _ => None,
            }
        });
        let of_fields = self.paired_fields.values().flatten().filter_map(|paired| paired.constant.as_deref());
        let of_parameters = self.paired_parameters.values().flatten().filter_map(|paired| paired.constant.as_deref());
        compared.chain(of_fields).chain(of_parameters).collect()
    }

    /// All models of slots, some more than once.
    pub fn slot_models(&self) -> impl Iterator<Item = SlotModelId> {
        let lists = self.slot_fields.values().chain(self.slot_parameters.values()).chain(self.slot_typedefs.values());
        lists.flatten().copied()
    }
}

/// How a pack reads bodies: which names tell or change the context, and which calls do not come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What tells in which context the code runs.
    pub predicates: Vec<Predicate>,
    /// The functions, macros and guards that change the context.
    pub changes: Vec<ContextChange>,
    /// The macros that run their argument in another thread.
    pub regions: NameSet,
    /// The functions that do not return, and leave only the frame or the thread.
    pub leaves: NameSet,
    /// The functions that end the program in such a way that what it did on the way does not matter. Without it, those
    /// that do not return, and are not among `leaves`.
    pub crashes: Option<NameSet>,
    /// The functions that never return, whatever their declarations say.
    pub noreturn: NameSet,
}

/// A call of a function or a macro that tells the context, perhaps compared with something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// The function or macro.
    pub name: String,
    /// What its result is compared with; without it, the result is the answer.
    pub compared: Option<Compared>,
    /// The context if the answer is yes; else it is the other one.
    pub context: Context,
}

impl Predicate {
    /// The function or macro whose result the predicate's is compared with.
    fn other_call(&self) -> Option<&String> {
        match &self.compared {
            Some(Compared::Call(name)) => Some(name),
            _ => None,
        }
    }
}

/// What the result of a predicate is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compared {
    /// The result of a function or macro without arguments.
    Call(String),
    /// A constant or variable, by name.
    Name(String),
    /// A number.
    Number(i64),
}

/// A function, a macro or a guard that changes the context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextChange {
    /// Its name; `*` stands for any characters.
    pub name: String,
    /// The context behind it.
    pub to: Context,
    /// The only context from which it comes back; from the other one, it never does.
    pub from: Option<Context>,
    /// What the result is if it changed the context: not 0 or 0. Else nothing changed.
    pub result: Option<bool>,
    /// Whether the context is the earlier one again at the end of the block, or of the statement that follows it.
    pub guard: bool,
    /// The argument, from 0, that must be this constant (by name or number).
    pub when: Option<(u16, String)>,
}

/// The flag that a slot is paired with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PairedWith<At> {
    /// What the packs say of the slot and the flag.
    pub model: SlotModelId,
    /// The field or the parameter.
    pub flag: At,
    /// The constant of an enumeration that must be among its bits, or the function whose result the flag must be, as in
    /// `main_context()`.
    pub constant: Option<String>,
}

/// What a word in the source does with a lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LockWord {
    /// The lock.
    pub lock: LockId,
    /// The action.
    pub action: LockAction,
    /// For a guard, the types of its argument that mean this lock; all types if empty.
    pub types: Vec<String>,
}

/// An action on a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockAction {
    /// It is taken.
    Acquire,
    /// It is released.
    Release,
    /// It is taken until the end of the block.
    Guard,
}

/// What extraction needs to know about paths.
pub trait Paths {
    /// The path that facts use for the file that the compiler opened as `path`, with the working
    /// directory `directory`.
    fn identify(&self, directory: &Path, path: &Path) -> PathBuf;
    /// The text of such a file as the compiler got it. It is needed for files of precompiled
    /// headers, for which libclang would have to load everything.
    fn text(&self, file: &Path) -> Arc<[u8]>;
    /// The absolute path of such a file.
    fn absolute(&self, file: &Path) -> PathBuf;
    /// Whether such a file belongs to the tree, so that its declarations and bodies are read.
    fn is_own(&self, file: &Path) -> bool;
}

/// The result of an extraction, without what is in the precompiled headers below it.
#[derive(Debug)]
pub struct Extracted {
    /// See [`UnitFacts`](cowrap_facts::UnitFacts) for these.
    pub files: Vec<PathBuf>,
    #[allow(missing_docs)]
    pub file_facts: Vec<EncodedFacts>,
    #[allow(missing_docs)]
    pub parse_status: ParseStatus,
    /// What the extraction of what is compiled on top of it needs to know, for a unit that takes
    /// part in sharing.
    pub summary: Option<PchSummary>,
    /// Why facts of the precompiled headers may not be those of their headers in this unit.
    pub mismatch: Option<PchMismatch>,
    /// Whether something is nested too deep to be read, so that the facts lack it.
    pub is_too_deep: bool,
}

/// Reads the facts of a parsed unit. `directory` is the one that its relative paths start from.
/// `deepest` is how deep statements and expressions may be nested. `before` is the summary of the precompiled headers that it was parsed with; a unit that takes
/// part in sharing has one, even if empty.
pub fn extract(
    unit: &TranslationUnit,
    directory: &Path,
    paths: &dyn Paths,
    vocabulary: &Vocabulary,
    deepest: u32,
    before: Option<&Arc<PchSummary>>,
) -> Extracted {
    let mut extractor = Extractor {
        deepest: deepest as usize,
        is_too_deep: false,
        unit,
        directory,
        paths,
        vocabulary,
        reading_names: ReadingNames::new(&vocabulary.readings),
        files: Vec::new(),
        file_numbers: HashMap::default(),
        contents: HashMap::default(),
        path_numbers: HashMap::default(),
        pieces: Vec::new(),
        current: 0,
        functions: HashMap::default(),
        function_names: HashMap::default(),
        seen_marks: HashMap::default(),
        before,
        mismatch: None,
        type_classes: HashMap::default(),
        records_with_slots: HashMap::default(),
        layouts: HashMap::default(),
        block_parameters: HashMap::default(),
        definitions_of: HashMap::default(),
        parameters: HashMap::default(),
        parameter_positions: HashMap::default(),
        weak_functions: HashSet::default(),
        resolved_functions: Vec::new(),
        weak_pragmas: HashMap::default(),
        followed: None,
        current_function: String::new(),
        block_count: 0,
        definitions: HashMap::default(),
        macro_numbers: HashMap::default(),
        constant_numbers: HashMap::default(),
        enumerators: HashMap::default(),
        declared: HashMap::default(),
        redeclared: HashSet::default(),
        pasted_names: HashSet::default(),
        field_uses: HashMap::default(),
        open: OpenQuestions::default(),
        defined_records: HashSet::default(),
        defines_constant: false,
    };
    if let Some(main) = unit.main_file() {
        extractor.file(main);
    }
    let parse_status = extractor.parse_status();
    for file in unit.files() {
        extractor.file(file);
    }
    if let Some(root) = unit.cursor() {
        root.visit(|cursor, _| {
            extractor.top_level(cursor);
            Visit::Skip
        });
    }
    extractor.finish(parse_status)
}

/// The number of a file in the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct UnitFile(u32);

/// A file of the unit.
struct KnownFile {
    path: PathBuf,
    /// Whether it belongs to the tree.
    own: bool,
    /// The position of its facts among those of all files, once there are some.
    piece: Option<usize>,
}

/// The facts of one file, while they are being collected.
#[derive(Default)]
struct PieceBuilder {
    facts: FileFacts,
    /// The unit's number of each of the facts' files.
    files: Vec<UnitFile>,
    file_ids: HashMap<UnitFile, FileId>,
    /// The symbols of function declarations, by `Cursor::declaration_key`.
    functions: HashMap<usize, SymbolId>,
    symbols: HashMap<Symbol, SymbolId>,
    slots: HashMap<SlotIdentity, SlotId>,
    /// The slots of declarations, by `Cursor::declaration_key`; `None` for one that is no slot.
    declared_slots: HashMap<usize, Option<SlotId>>,
    /// The slots of parameters, by the function's `Cursor::declaration_key` and the position.
    parameter_slots: HashMap<(usize, u16), SlotId>,
    /// The slots of type `void *`.
    any_pointers: HashSet<SlotId>,
    /// The pairs of records whose slots are joined, by `Type::key`.
    joined_records: HashSet<[(usize, i32); 2]>,
    /// The functions that stand for block literals, by the literals' locations.
    blocks: HashMap<Location, SymbolId>,
}

/// A function declaration, independent of the file that refers to it.
#[derive(Clone, Debug)]
struct FunctionOfUnit {
    name: String,
    file: Option<UnitFile>,
    returns: bool,
    role: Role,
    /// The readings that say something of it.
    readings: ReadingSet,
    integer_parameters: u32,
}

/// A mark of a function, and the location where it is written: its file, line and column.
type SeenMark = (String, MarkId, UnitFile, u32, u32);

/// A function declaration, as the current file refers to it.
#[derive(Clone, Copy, Debug)]
struct FunctionInfo {
    symbol: SymbolId,
    returns: bool,
    role: Role,
    /// The readings that say something of it.
    readings: ReadingSet,
    /// For a function of the tree, a bit for each of the first parameters that is an integer.
    integer_parameters: u32,
}

/// The role of a function in control flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Ordinary,
    /// `__builtin_expect` and similar functions: the value is that of the first argument.
    Expect,
    /// Does not evaluate its arguments.
    Unevaluated,
}

/// A function that is whatever a resolver gives back. The resolver may be declared later.
struct ResolvedFunction {
    piece: usize,
    symbol: SymbolId,
    location: Location,
    /// The resolver's name.
    resolver: String,
}

struct Extractor<'a, 'tu> {
    unit: &'tu TranslationUnit<'tu>,
    /// How deep statements and expressions may be nested, and whether some are deeper.
    deepest: usize,
    is_too_deep: bool,
    directory: &'a Path,
    paths: &'a dyn Paths,
    vocabulary: &'a Vocabulary,
    /// Which readings say something of a name.
    reading_names: ReadingNames,
    files: Vec<KnownFile>,
    file_numbers: HashMap<File<'tu>, UnitFile>,
    /// The contents of files, each looked up once: libclang searches all inclusions for it.
    contents: HashMap<File<'tu>, Arc<[u8]>>,
    path_numbers: HashMap<PathBuf, UnitFile>,
    pieces: Vec<PieceBuilder>,
    /// The position of the file facts that are being added to.
    current: usize,
    /// All function declarations, by `Cursor::declaration_key`.
    functions: HashMap<usize, FunctionOfUnit>,
    /// The tree's own functions by name, with the file of `static` ones, for names that are only
    /// found as text (`cleanup` attributes).
    function_names: HashMap<String, Option<UnitFile>>,
    /// The declaration on which each written mark was seen first; later declarations inherit it.
    seen_marks: HashMap<SeenMark, usize>,
    /// The summary of the precompiled headers below.
    before: Option<&'a Arc<PchSummary>>,
    mismatch: Option<PchMismatch>,
    /// What values of a type mean for function pointers, by `Type::key`.
    type_classes: HashMap<(usize, i32), TypeClass>,
    /// Whether records hold slots, by `Type::key`.
    records_with_slots: HashMap<(usize, i32), bool>,
    /// The members of records, by `Type::key`.
    layouts: HashMap<(usize, i32), Rc<RecordLayout<'tu>>>,
    /// The parameters of block literals, by `Cursor::declaration_key`.
    block_parameters: HashMap<usize, (SymbolId, u16)>,
    /// The definitions of functions and variables, by `Cursor::canonical_key`: libclang searches all declarations.
    definitions_of: HashMap<usize, Option<Cursor<'tu>>>,
    /// The parameters of function declarations, by `Cursor::declaration_key`.
    parameters: HashMap<usize, Rc<[Cursor<'tu>]>>,
    /// The positions of parameters, by the keys of the function's declaration and of the parameter.
    parameter_positions: HashMap<(usize, usize), u16>,
    /// The functions that a declaration makes weak.
    weak_functions: HashSet<String>,
    /// The functions whose bodies their resolvers choose.
    resolved_functions: Vec<ResolvedFunction>,
    /// The functions that `#pragma weak` says others are, by the name of the other, for each file that was asked.
    weak_pragmas: HashMap<UnitFile, HashMap<String, String>>,
    /// While an initialiser at file scope is read, the references whose values were followed to where they are stored.
    followed: Option<HashSet<CursorId>>,
    /// The name of the function whose body is being read, and how many block literals it has had.
    current_function: String,
    block_count: u32,
    /// The macros' definitions around places of files that were asked for.
    definitions: HashMap<(File<'tu>, u32), Option<Definition<'tu>>>,
    /// The numbers that macros stand for, for those that were asked for.
    macro_numbers: HashMap<String, Option<i64>>,
    /// The numbers of the constants that the packs pair with slots, for those that were asked for.
    constant_numbers: HashMap<String, Option<i64>>,
    /// The numbers of constants, by the key of their enumeration, for those that were asked for.
    enumerators: HashMap<(usize, String), Option<i64>>,
    /// See [`PchSummary`].
    declared: HashMap<String, Vec<(UnitFile, u32)>>,
    redeclared: HashSet<String>,
    pasted_names: HashSet<UnitFile>,
    field_uses: HashMap<(UnitFile, UnitFile), u32>,
    open: OpenQuestions,
    /// The records that are defined, for a unit that takes part in sharing.
    defined_records: HashSet<String>,
    defines_constant: bool,
}

impl<'a, 'tu> Extractor<'a, 'tu> {
    fn file(&mut self, file: File<'tu>) -> UnitFile {
        if let Some(&number) = self.file_numbers.get(&file) {
            return number;
        }
        let path = self.paths.identify(self.directory, &file.path());
        let number = self.file_of_path(&path);
        self.file_numbers.insert(file, number);
        number
    }

    /// The number of a file; all names of a file have one number.
    fn file_of_path(&mut self, path: &Path) -> UnitFile {
        if let Some(&number) = self.path_numbers.get(path) {
            return number;
        }
        let number = UnitFile(self.files.len() as u32);
        let own = self.paths.is_own(path);
        self.files.push(KnownFile { path: path.to_path_buf(), own, piece: None });
        self.path_numbers.insert(path.to_path_buf(), number);
        number
    }

    /// The contents of a file as the compiler saw it.
    fn contents(&mut self, file: File<'tu>) -> Arc<[u8]> {
        if let Some(known) = self.contents.get(&file) {
            return Arc::clone(known);
        }
        let number = self.file(file);
        let path = &self.known(number).path;
        let contents = match self.before {
            Some(before) if before.has_read(path) => self.paths.text(path),
            _ => Arc::from(self.unit.contents(file)),
        };
        self.contents.insert(file, Arc::clone(&contents));
        contents
    }

    fn known(&self, file: UnitFile) -> &KnownFile {
        &self.files[file.0 as usize]
    }

    /// The file facts that are being added to.
    fn piece(&mut self) -> &mut PieceBuilder {
        &mut self.pieces[self.current]
    }

    /// The facts of the current file.
    fn facts(&mut self) -> &mut FileFacts {
        &mut self.piece().facts
    }

    /// Adds to the facts of this file from now on.
    fn enter(&mut self, file: UnitFile) {
        self.current = match self.known(file).piece {
            Some(piece) => piece,
            None => {
                self.pieces.push(PieceBuilder::default());
                self.files[file.0 as usize].piece = Some(self.pieces.len() - 1);
                self.pieces.len() - 1
            }
        };
        self.file_id(file);
    }

    /// A file's number in the current file's facts.
    fn file_id(&mut self, file: UnitFile) -> FileId {
        let piece = &mut self.pieces[self.current];
        if let Some(&id) = piece.file_ids.get(&file) {
            return id;
        }
        let id = FileId(piece.files.len() as u32);
        piece.files.push(file);
        piece.facts.files.push(self.files[file.0 as usize].path.clone());
        piece.file_ids.insert(file, id);
        id
    }

    fn location(&mut self, location: crate::clang::Location<'tu>) -> Location {
        let file = self.file(location.file);
        Location { file: self.file_id(file), line: location.line, column: location.column }
    }

    /// The facts of the unit, its files in their order.
    fn finish(mut self, mut parse_status: ParseStatus) -> Extracted {
        for function in std::mem::take(&mut self.resolved_functions) {
            self.resolved_function(function);
        }
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        if let Some(others) = order.get_mut(1..) {
            others.sort_by(|one, other| self.files[*one].path.cmp(&self.files[*other].path));
        }
        if let Some(location) = parse_status.first_error.as_mut().and_then(|error| error.location.as_mut()) {
            let position = order.iter().position(|number| *number == location.file.0 as usize);
            location.file = FileId(position.unwrap_or_default() as u32);
        }
        if self.settles_open_questions() {
            self.mismatch.get_or_insert(PchMismatch::DeclaredLater);
        }
        let summary = self.before.is_some().then(|| self.pch_summary());
        let mut facts: Vec<FileFacts> = self.pieces.into_iter().map(|piece| piece.facts).collect();
        let pieces = order.iter().filter_map(|number| Some(std::mem::take(&mut facts[self.files[*number].piece?])));
        let pieces: Vec<FileFacts> = pieces.filter(|facts| !facts.is_empty()).collect();
        if let Some(below) = self.before
            && pieces.iter().filter_map(|piece| piece.files.first()).any(|file| below.has_read(file))
        {
            self.mismatch.get_or_insert(PchMismatch::ReadAgain);
        }
        let files = order.iter().map(|number| self.files[*number].path.clone()).collect();
        let file_facts = pieces.iter().map(EncodedFacts::new).collect();
        let mismatch = self.mismatch.or(self.defines_constant.then_some(PchMismatch::ConstantDefined));
        Extracted { files, file_facts, parse_status, summary, mismatch, is_too_deep: self.is_too_deep }
    }

    /// What the extraction of what is compiled on top of this needs to know, without what is below.
    fn pch_summary(&mut self) -> PchSummary {
        let mut marks: HashMap<String, Vec<(MarkId, u32, u32, u32)>> = HashMap::default();
        for (name, mark, file, line, column) in self.seen_marks.keys() {
            marks.entry(name.clone()).or_default().push((*mark, file.0, *line, *column));
        }
        let lines = |declarations: Vec<(UnitFile, u32)>| declarations.into_iter().map(|(file, line)| (file.0, line));
        let declared = std::mem::take(&mut self.declared).into_iter();
        let functions = self.function_names.iter().map(|(name, file)| (name.clone(), file.map(|file| file.0)));
        PchSummary {
            files: self.files.iter().map(|file| file.path.clone()).collect(),
            functions: functions.collect(),
            marks,
            declarations: declared.map(|(name, declarations)| (name, lines(declarations).collect())).collect(),
            redeclared: std::mem::take(&mut self.redeclared),
            pasted_names: self.pasted_names.iter().map(|file| file.0).collect(),
            field_uses: self.field_uses.iter().map(|((user, file), line)| ((user.0, file.0), *line)).collect(),
            weak: self.weak_functions.iter().cloned().collect(),
            constants: self.declared_constants(&self.vocabulary.constants()),
            open: OpenQuestions { macros: self.macro_numbers.clone(), ..std::mem::take(&mut self.open) },
            ..PchSummary::default()
        }
    }

    /// Whether what this declares changes what facts of the precompiled headers rest on: in a plain parse, they would
    /// be other facts.
    fn settles_open_questions(&mut self) -> bool {
        let Some(before) = self.before else { return false };
        before.open().any(|open| {
            let constants: HashSet<&str> = open.constants.iter().map(String::as_str).collect();
            open.records.iter().any(|record| self.defined_records.contains(record))
                || open.functions.iter().any(|function| self.function_names.contains_key(function))
                || open.macros.iter().any(|(name, number)| {
                    self.defined_numbers(name).into_iter().any(|defined| Some(defined) != *number)
                })
                || !self.declared_constants(&constants).is_empty()
        })
    }

    /// How the unit parsed. The file of an error's location is a number of the unit's files, in the
    /// order in which they were seen.
    fn parse_status(&mut self) -> ParseStatus {
        let mut parse_status = ParseStatus::default();
        for diagnostic in self.unit.diagnostics() {
            if diagnostic.severity < Severity::Error {
                continue;
            }
            parse_status.errors += 1;
            if parse_status.first_error.is_none() {
                let location = diagnostic.location.map(|location| {
                    let file = FileId(self.file(location.file).0);
                    Location { file, line: location.line, column: location.column }
                });
                // The message may have values of the embedded file, wherever that is.
                let message = match self.embedding_file() {
                    None => diagnostic.message,
                    Some(path) => format!(
                        "the compiler reported an error; its message is not quoted, since {} embeds a file",
                        path.shown()
                    ),
                };
                parse_status.first_error = Some(CompilerError { message, location });
            }
        }
        parse_status
    }

    /// A file of the unit that may embed another one, which libclang does not tell.
    fn embedding_file(&self) -> Option<PathBuf> {
        let embeds = |file: &File<'tu>| scan(self.unit.contents(*file), &Names::default()).embeds;
        let found = self.unit.files().into_iter().find(embeds)?;
        Some(self.paths.identify(self.directory, &found.path()))
    }

    fn top_level(&mut self, cursor: Cursor<'tu>) {
        use CursorKind::*;
        if !matches!(cursor.kind(), FunctionDecl | VarDecl | StructDecl | UnionDecl | EnumDecl | TypedefDecl) {
            return;
        }
        let Some(location) = cursor.location() else { return };
        let file = self.file(location.file);
        self.note(cursor, file, location.line);
        if !self.known(file).own {
            return;
        }
        self.enter(file);
        let location = self.location(location);
        match cursor.kind() {
            FunctionDecl => self.function(cursor, location),
            VarDecl => {
                self.slot_with_marks(cursor, SlotKind::Variable);
                self.file_scope_initialiser(cursor);
            }
            _ => self.type_declaration(cursor),
        }
    }

    /// Notes a declaration at file scope, for PCH sharing.
    fn note(&mut self, cursor: Cursor<'tu>, file: UnitFile, line: u32) {
        if self.before.is_none() {
            return;
        }
        if cursor.kind() == CursorKind::EnumDecl {
            for constant in cursor.children().iter().filter(|child| child.kind() == CursorKind::EnumConstantDecl) {
                self.declared.entry(constant.spelling()).or_default().push((file, line));
            }
        }
        self.note_definitions(cursor);
        let name = if cursor.is_anonymous() { String::new() } else { cursor.spelling() };
        if name.is_empty() {
            return;
        }
        if cursor.first_declaration().is_some_and(|first| first != cursor) && self.is_told_by_order(cursor) {
            self.redeclared.insert(name.clone());
        }
        self.declared.entry(name).or_default().push((file, line));
    }

    /// Notes the records that a declaration defines, and whether it gives a constant of a precompiled header its value.
    fn note_definitions(&mut self, cursor: Cursor<'tu>) {
        use CursorKind::*;
        if cursor.kind() == VarDecl
            && body::constant_type(cursor).is_some()
            && cursor.initializer().is_some()
            && self.is_declared_before(cursor)
        {
            self.defines_constant = true;
        }
        if !matches!(cursor.kind(), StructDecl | UnionDecl) {
            return;
        }
        let mut open = vec![cursor];
        while let Some(record) = open.pop() {
            let inner = record.children();
            if !inner.is_empty() && !record.is_anonymous() {
                self.defined_records.insert(record.spelling());
            }
            open.extend(inner.into_iter().filter(|inner| matches!(inner.kind(), StructDecl | UnionDecl)));
        }
    }

    /// Whether facts depend on the position of this declaration among others of the same name.
    fn is_told_by_order(&mut self, cursor: Cursor<'tu>) -> bool {
        let has_marks = |cursor: Cursor<'tu>| {
            let is_mark = |child: &Cursor<'tu>| child.kind() == CursorKind::AnnotateAttr;
            cursor.has_attributes() && cursor.children().iter().any(is_mark)
        };
        match cursor.kind() {
            CursorKind::FunctionDecl => {
                let typedef = cursor.ty().typedef();
                let children = cursor.children();
                let mut parameters = children.iter().filter(|child| child.kind() == CursorKind::ParmDecl);
                let result = self.class(cursor.ty().result());
                has_marks(cursor)
                    || result.leads_to_functions()
                    || typedef.is_some_and(has_marks)
                    || cursor.linkage() == Linkage::Internal
                    || is_noreturn(cursor, &cursor.spelling())
                    || (self.is_own(cursor) && attributes::says_identity(cursor))
                    // A parameter that is written as an array or as a function is a pointer, too.
                    || parameters.any(|parameter| {
                        let kind = parameter.ty().kind();
                        matches!(kind, TypeKind::Pointer | TypeKind::Array | TypeKind::VariableArray | TypeKind::Function)
                    })
            }
            CursorKind::VarDecl => {
                // The value of a constant is a fact wherever a condition asks for it.
                has_marks(cursor)
                    || cursor.linkage() == Linkage::Internal
                    || holds_function(cursor, SlotKind::Variable)
                    || body::constant_type(cursor).is_some()
            }
            CursorKind::TypedefDecl => has_marks(cursor) || holds_function(cursor, SlotKind::Typedef),
            _ => has_marks(cursor),
        }
    }

    /// The cursors below a declaration.
    fn cursor_tree(&mut self, declaration: Cursor<'tu>) -> CursorTree<'tu> {
        let tree = CursorTree::new(declaration, self.deepest);
        self.is_too_deep |= tree.is_cut();
        tree
    }

    /// The definition of a function or variable in this unit.
    fn definition(&mut self, declaration: Cursor<'tu>) -> Option<Cursor<'tu>> {
        let known = self.definitions_of.entry(declaration.canonical_key());
        *known.or_insert_with(|| declaration.definition())
    }

    /// Whether a declaration is in a file of the tree, so that it is a fact.
    fn is_own(&mut self, cursor: Cursor<'tu>) -> bool {
        let file = cursor.location().map(|location| self.file(location.file));
        file.is_some_and(|file| self.known(file).own)
    }

    /// Notes the use of a field, for PCH sharing: its record must be defined before.
    fn note_member(&mut self, expression: Cursor<'tu>) {
        let here = self.pieces[self.current].files.first().copied();
        let (Some(_), Some(here), Some(location)) = (self.before, here, expression.location()) else { return };
        let record = expression.referenced().and_then(|field| field.semantic_parent());
        let Some(defined) = record.and_then(|record| record.location()) else { return };
        let file = self.file(defined.file);
        if file != here {
            let first = self.field_uses.entry((here, file)).or_insert(location.line);
            *first = location.line.min(*first);
        }
    }

    /// Notes a name in facts that macros may have pasted together.
    fn note_name(&mut self, cursor: Cursor<'tu>) {
        if self.before.is_none() || cursor.spelling_location().is_some() {
            return;
        }
        if let Some(location) = cursor.location()
            && cursor.spelling().bytes().any(|byte| byte.is_ascii_digit())
        {
            let file = self.file(location.file);
            self.pasted_names.insert(file);
        }
    }

    /// A function's declaration, at file scope or in a block.
    fn function(&mut self, cursor: Cursor<'tu>, location: Location) {
        let info = self.function_info(cursor);
        let definition = attributes::is_definition(cursor);
        let symbol = info.symbol;
        let name = self.facts().symbols[symbol.0 as usize].name.clone();
        self.compare_with_before(cursor, definition);
        if !self.function_names.contains_key(&name) {
            let file = self.functions.get(&cursor.declaration_key()).and_then(|function| function.file);
            self.function_names.insert(name.clone(), file);
        }
        let marks = if cursor.has_attributes() { self.marks_of(cursor) } else { Vec::new() };
        let mut written = self.written_here(&name, cursor, &marks);
        // `HandlerEntry foo;` declares a function with the marks of the typedef, and no attribute
        // of its own. Later declarations take over the type, so the reference to it in the source
        // must be there too.
        if let Some(typedef) = cursor.ty().typedef().filter(|typedef| typedef.has_attributes()) {
            let names_it = |child: &Cursor<'tu>| {
                child.kind() == CursorKind::TypeRef && child.referenced().is_some_and(|found| found == typedef)
            };
            if cursor.children().iter().any(names_it) {
                written.extend(self.marks_of(typedef));
            }
        }
        let signature =
            (definition || !marks.is_empty()).then(|| self.with_portable_paths(&cursor.ty().canonical().spelling()));
        let never_returns = !info.returns;
        let printed = cursor.has_attributes().then(|| cursor.printed());
        let attributes = self.link_attributes(cursor, printed.as_deref());
        // The linker looks for the function of this name, whatever this unit knows of it.
        let alias = attributes.alias.map(|alias| self.symbol(&alias, None)).filter(|alias| *alias != symbol);
        let is_weak = match attributes.weak {
            true => {
                self.weak_functions.insert(name.clone());
                true
            }
            // A definition inherits the attribute of an earlier declaration, perhaps in a precompiled header.
            false => {
                let is_weak = |before: &Arc<PchSummary>| before.is_weak(&name);
                let inherits = || self.weak_functions.contains(&name) || self.before.is_some_and(is_weak);
                definition && (inherits() || attributes::is_weak_from_the_start(cursor))
            }
        };
        if attributes.is_entry {
            let value = Value::Function(symbol);
            self.facts().stores.push(Store { to: None, value, location, paired_flags: PairedFlags::NONE });
        }
        if let Some(resolver) = attributes.resolver {
            let piece = self.current;
            self.resolved_functions.push(ResolvedFunction { piece, symbol, location, resolver });
        }
        if definition {
            written.extend(self.statement_marks(cursor));
        }
        self.facts().declarations.push(Declaration {
            symbol,
            location,
            marks: written,
            definition,
            never_returns,
            weak: is_weak,
            alias,
            signature,
        });
        if definition {
            self.body(cursor, symbol, location);
        } else {
            for child in cursor.children() {
                if child.kind() == CursorKind::ParmDecl && child.has_attributes() {
                    self.slot(child, SlotKind::Parameter);
                }
            }
        }
    }

    /// A function that is whatever a resolver gives back (`ifunc`): its body calls that.
    fn resolved_function(&mut self, function: ResolvedFunction) {
        let ResolvedFunction { piece, symbol, location, resolver } = function;
        self.current = piece;
        let resolver = self.function_by_name(&resolver);
        let slot = Some(self.result_slot(resolver, None));
        let condition = PathCondition::always();
        let (kind, after, ends, arguments) = (CallKind::Written, None, false, Vec::new());
        let call = SlotCall { slot, location, condition, kind, after, ends, arguments };
        self.facts().bodies.push(Body { slot_calls: vec![call], ..Body::new(symbol, location) });
    }

    /// Notes a mismatch if a `static` function of a precompiled header is defined here: the
    /// header's facts name another file.
    fn compare_with_before(&mut self, cursor: Cursor<'tu>, definition: bool) {
        if definition && cursor.linkage() == Linkage::Internal && self.is_declared_before(cursor) {
            self.mismatch.get_or_insert(PchMismatch::StaticElsewhere);
        }
    }

    /// Whether a precompiled header declares the function.
    fn is_declared_before(&mut self, cursor: Cursor<'tu>) -> bool {
        let Some(before) = self.before else { return false };
        let first = cursor.first_declaration().filter(|first| *first != cursor);
        let file = first.and_then(|first| first.location()).map(|location| self.file(location.file));
        file.is_some_and(|file| before.has_read(&self.known(file).path))
    }

    /// A record, enumeration or typedef, and what is declared inside it.
    fn type_declaration(&mut self, declaration: Cursor<'tu>) {
        use CursorKind::*;
        let mut open = vec![declaration];
        while let Some(cursor) = open.pop() {
            let kind = cursor.kind();
            if cursor.has_attributes() {
                match kind {
                    FieldDecl => self.slot(cursor, SlotKind::Field),
                    TypedefDecl => self.slot(cursor, SlotKind::Typedef),
                    _ => self.misplaced(cursor),
                }
            }
            if matches!(kind, StructDecl | UnionDecl) {
                let mut inner = cursor.children();
                inner.retain(|child| matches!(child.kind(), FieldDecl | StructDecl | UnionDecl | EnumDecl));
                open.extend(inner.into_iter().rev());
            }
        }
    }

    /// A variable or parameter, for its own marks.
    fn slot_with_marks(&mut self, declaration: Cursor<'tu>, kind: SlotKind) {
        if declaration.has_attributes() {
            self.slot(declaration, kind);
        }
    }

    /// A declaration with attributes that is not a function. A mark is misplaced there unless it
    /// holds a function.
    fn slot(&mut self, cursor: Cursor<'tu>, kind: SlotKind) {
        let marks = self.marks_of(cursor);
        if !holds_function(cursor, kind) {
            self.facts().misplaced.extend(marks);
        }
    }

    fn misplaced(&mut self, cursor: Cursor<'tu>) {
        let marks = self.marks_of(cursor);
        self.facts().misplaced.extend(marks);
    }

    /// The marks among a declaration's attributes, inherited ones included, sorted by location.
    fn marks_of(&mut self, cursor: Cursor<'tu>) -> Vec<Mark> {
        let mut found: Vec<(Mark, crate::clang::Location<'tu>)> = Vec::new();
        let mut known: HashSet<Mark> = HashSet::default();
        for child in cursor.children() {
            if child.kind() != CursorKind::AnnotateAttr {
                continue;
            }
            let text = child.spelling();
            let name = text.strip_prefix(ANNOTATION_PREFIX).unwrap_or(&text);
            let Some(&mark) = self.vocabulary.marks.get(name) else { continue };
            let Some(raw) = child.location() else { continue };
            let mark = Mark { mark, location: self.location(raw) };
            if known.insert(mark) {
                found.push((mark, raw));
            }
        }
        // `co_wrapper_mixed` expands to two other marks: what is written is the word at the
        // location.
        let mut written = Vec::new();
        for (mark, raw) in &found {
            let word = self.word_at(*raw);
            let named = self.vocabulary.marks.get(word.as_str());
            let outermost = named.filter(|named| known.contains(&Mark { mark: **named, ..*mark }));
            if outermost.is_none_or(|outermost| *outermost == mark.mark) {
                written.push(*mark);
            }
        }
        written.sort_by_key(|mark| (mark.location, mark.mark));
        written
    }

    /// The marks that are written on this declaration, and not inherited from an earlier one.
    fn written_here(&mut self, name: &str, cursor: Cursor<'tu>, marks: &[Mark]) -> Vec<Mark> {
        let key = cursor.declaration_key();
        let (piece, seen) = (&self.pieces[self.current], &mut self.seen_marks);
        let (files, before) = (&self.files, self.before);
        let mut is_first = |mark: &Mark| {
            let Location { file, line, column } = mark.location;
            let file = piece.files[file.0 as usize];
            let path = &files[file.0 as usize].path;
            let inherited = before.is_some_and(|before| before.has_mark(name, mark.mark, path, line, column));
            let mark = (name.to_owned(), mark.mark, file, line, column);
            !inherited && *seen.entry(mark).or_insert(key) == key
        };
        marks.iter().copied().filter(|mark| is_first(mark)).collect()
    }

    /// The identifier at a location of the source.
    fn word_at(&mut self, location: crate::clang::Location<'tu>) -> String {
        let contents = self.contents(location.file);
        let rest = contents.get(location.offset as usize..).unwrap_or_default();
        let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        String::from_utf8_lossy(&rest[..end]).into_owned()
    }

    /// A function's number in the current file's facts.
    fn symbol(&mut self, name: &str, file: Option<UnitFile>) -> SymbolId {
        let file = file.map(|file| self.file_id(file));
        let symbol = Symbol { name: name.to_owned(), file };
        let piece = self.piece();
        if let Some(&id) = piece.symbols.get(&symbol) {
            return id;
        }
        let id = SymbolId(piece.facts.symbols.len() as u32);
        piece.facts.symbols.push(symbol.clone());
        piece.symbols.insert(symbol, id);
        id
    }

    /// A function, by any of its declarations.
    fn function_info(&mut self, cursor: Cursor<'tu>) -> FunctionInfo {
        let key = cursor.declaration_key();
        if !self.functions.contains_key(&key) {
            let function = self.function_of_unit(cursor);
            self.functions.insert(key, function);
        }
        let FunctionOfUnit { name, file, returns, role, readings, integer_parameters } = &self.functions[&key];
        let (file, returns, role, readings) = (*file, *returns, *role, *readings);
        let integer_parameters = *integer_parameters;
        let symbol = match self.pieces[self.current].functions.get(&key) {
            Some(symbol) => *symbol,
            None => {
                let name = name.clone();
                let symbol = self.symbol(&name, file);
                self.piece().functions.insert(key, symbol);
                symbol
            }
        };
        FunctionInfo { symbol, returns, role, readings, integer_parameters }
    }

    /// A type as clang spells it, with the paths that facts use: the spelling of a record without a
    /// name has the path through which its file was found.
    fn with_portable_paths(&self, spelling: &str) -> String {
        let mut parts = spelling.split(" at ");
        let mut portable = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            portable.push_str(" at ");
            let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // `<path>:<line>:<column>)`
            let location = part.split_once(')').and_then(|(location, _)| {
                let (rest, column) = location.rsplit_once(':')?;
                let (path, line) = rest.rsplit_once(':')?;
                (is_number(line) && is_number(column)).then_some(path)
            });
            match location {
                Some(path) => {
                    portable.push_str(&self.paths.identify(self.directory, Path::new(path)).to_string_lossy());
                    portable.push_str(&part[path.len()..]);
                }
                None => portable.push_str(part),
            }
        }
        portable
    }

    fn function_of_unit(&mut self, cursor: Cursor<'tu>) -> FunctionOfUnit {
        self.note_name(cursor);
        let name = cursor.spelling();
        let file = match cursor.linkage() {
            Linkage::Internal => {
                let defined = self.definition(cursor).unwrap_or(cursor);
                defined.location().map(|location| self.file(location.file))
            }
            _ => None,
        };
        let role = match name.as_str() {
            "__builtin_expect" | "__builtin_expect_with_probability" | "__builtin_assume_aligned" => Role::Expect,
            "__builtin_constant_p" | "__builtin_object_size" | "__builtin_dynamic_object_size" => Role::Unevaluated,
            _ => Role::Ordinary,
        };
        let readings = self.reading_names.of(&name);
        let returns = !is_noreturn(cursor, &name);
        let declared = cursor.location().map(|location| self.file(location.file));
        // No body of a library's function is read, so that nothing depends on its arguments.
        let is_own = declared.is_some_and(|file| self.known(file).own);
        let integer_parameters = if is_own { integer_parameters(cursor) } else { 0 };
        FunctionOfUnit { name, file, returns, role, readings, integer_parameters }
    }
}

/// The kinds of declaration that may hold a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotKind {
    Field,
    Variable,
    Parameter,
    Typedef,
}

/// Whether a declaration can hold a function: a function pointer, an array of them, or a typedef of
/// a function.
fn holds_function(cursor: Cursor<'_>, kind: SlotKind) -> bool {
    let mut ty = cursor.ty().canonical();
    while matches!(ty.kind(), TypeKind::Array | TypeKind::VariableArray) {
        ty = ty.element().canonical();
    }
    while ty.kind() == TypeKind::Pointer {
        ty = ty.pointee().canonical();
        if ty.kind() == TypeKind::Function {
            return true;
        }
    }
    // A parameter that is written as a function is a pointer to it.
    matches!(kind, SlotKind::Typedef | SlotKind::Parameter) && ty.kind() == TypeKind::Function
}

/// A bit for each of a function's first parameters that is an integer.
fn integer_parameters(function: Cursor<'_>) -> u32 {
    let parameters = function.ty().parameters();
    let positions = parameters.iter().enumerate().filter(|(_, parameter)| parameter.integer().is_some());
    positions.filter_map(|(position, _)| 1u32.checked_shl(u32::try_from(position).ok()?)).sum()
}

/// Whether a call of the function never returns.
///
/// libclang has no cursor for it. The GNU attribute is part of the function's type; `_Noreturn` and `[[noreturn]]` are
/// not, and stand before the name in the printed declaration.
fn is_noreturn(cursor: Cursor<'_>, name: &str) -> bool {
    if matches!(name, "__builtin_unreachable" | "__builtin_trap" | "__builtin_abort" | "__builtin_exit") {
        return true;
    }
    if is_noreturn_type(cursor.ty()) {
        return true;
    }
    cursor.has_attributes() && says_noreturn(&cursor.printed(), name)
}

/// Whether a function of this type never returns.
///
/// The spelling of the type has the attribute. Those of the types of its result and parameters, which can be pointers to
/// functions that never return, are part of it.
fn is_noreturn_type(ty: Type<'_>) -> bool {
    let ty = ty.canonical();
    if ty.kind() != TypeKind::Function {
        return false;
    }
    let count = |ty: Type<'_>| ty.canonical().spelling().matches("__attribute__((noreturn))").count();
    let all = count(ty);
    all > 0 && all > count(ty.result()) + ty.parameters().into_iter().map(count).sum::<usize>()
}

/// Whether a printed declaration has a word for never returning before the function's name.
fn says_noreturn(printed: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = printed.split(|c| !is_word(c)).take_while(|word| *word != name);
    words.any(|word| matches!(word, "_Noreturn" | "noreturn" | "__noreturn__"))
}

#[cfg(test)]
mod tests {
    use super::says_noreturn;

    #[test]
    fn never_returning_is_said_before_the_name() {
        assert!(says_noreturn("_Noreturn void stop(int code)", "stop"));
        assert!(says_noreturn("[[noreturn]] extern void stop(void)", "stop"));
        assert!(!says_noreturn("void test_noreturn(void) __attribute__((cold))", "test_noreturn"));
        assert!(!says_noreturn("void noreturn(void) __attribute__((cold))", "noreturn"));
        assert!(!says_noreturn("void run(void (*f)(void) __attribute__((noreturn)))", "run"));
    }
}
