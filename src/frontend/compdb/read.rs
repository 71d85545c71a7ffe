//! Reading the JSON file and turning its entries into units.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::command_line::{self, RefusedWord};
use super::compiler::{self, Compiler};
use super::language::Language;
use super::vet::{Arguments, Vetted, vet};
use super::{Database, Error, RefusedEntry, Unit};
use cowrap_base::files::{LONGEST_DATA, Shown, leads_out, normalize, read_regular};

/// Reads a database and vets every entry.
///
/// A C entry that libclang must not get becomes a [`RefusedEntry`]. Entries that are equal after
/// vetting become one [`Unit`]. Response files are read if they are below the database's directory.
///
/// Fails when the file cannot be read, is not JSON of the right form, has more than `most` entries,
/// or has an entry without a file, without a command, or with a command that no shell could split.
pub fn read(json: &Path, most: usize) -> Result<Database, Error> {
    let unreadable = |source| Error::Unreadable { path: json.to_path_buf(), source };
    let path = normalize(&std::path::absolute(json).map_err(unreadable)?);
    let text = read_regular(&path, LONGEST_DATA).map_err(unreadable)?;
    parse(&text, json, path, most)
}

/// The database with a text, as [`read`] gives it. `json` is its path as messages name it, and
/// `path` the same path, absolute and normalised.
///
/// Fails as [`read`] does, and reads nothing besides response files.
pub fn parse(text: &[u8], json: &Path, path: PathBuf, most: usize) -> Result<Database, Error> {
    let entries = entries(text, most).map_err(|error| syntax_error(json, &error))?;
    let entries = entries.map_err(|entries| Error::TooManyEntries { path: json.to_path_buf(), entries, most })?;

    let base = path.parent().unwrap_or(Path::new("/"));
    let roots: Vec<PathBuf> = base.canonicalize().into_iter().collect();
    let mut units = Units::default();
    let mut refused = Vec::new();
    let mut other_languages = BTreeMap::new();
    let vetted = entries.into_par_iter().enumerate().with_min_len(64);
    let vetted = vetted.map(|(number, raw)| Ok(raw.normal(json, number, base)?.vetted(&roots)));
    // The first error in the file is reported.
    for outcome in vetted.collect::<Vec<Result<EntryOutcome, Error>>>() {
        match outcome? {
            EntryOutcome::Unit(unit) => units.add(unit),
            EntryOutcome::Refused(refusal) => refused.push(refusal),
            EntryOutcome::Other(language) => *other_languages.entry(language).or_default() += 1,
        }
    }
    let mut units = units.units;
    units.sort_by_key(|unit| unit.entry);
    // However arguments are quoted, the name of a response file follows this letter.
    let may_be_indirect = text.contains(&b'@');
    Ok(Database { path, units, refused, other_languages, may_be_indirect })
}

/// Makes a unit from one C file and its options, with the same vetting: `cowrap check FILE.c --
/// FLAGS`.
///
/// `file` is relative to `directory`. Response files are read when they are below `directory`. A
/// file that is not C is refused.
pub fn single(file: &Path, directory: &Path, flags: &[OsString]) -> Result<Unit, RefusedEntry> {
    let directory = normalize(&std::path::absolute(directory).unwrap_or_else(|_| directory.to_path_buf()));
    let roots: Vec<PathBuf> = directory.canonicalize().into_iter().collect();
    let file = normalize(&directory.join(file));
    let words = flags.iter().map(|flag| flag.as_bytes().to_vec()).collect();
    let entry = Entry { number: 0, file: file.clone(), directory, compiler: Compiler::default(), words, output: None };
    match entry.vetted(&roots) {
        EntryOutcome::Unit(unit) => Ok(unit),
        EntryOutcome::Refused(refusal) => Err(refusal),
        EntryOutcome::Other(language) => {
            let argument = file.shown().to_string();
            let reason = format!("it is compiled as {language}, but cowrap reads only C; pass `-x c` if it is C");
            Err(RefusedEntry { entry: 0, file, argument, reason })
        }
    }
}

/// An entry as it is in the file. Strings are bytes, since CMake writes the bytes of a path
/// unchanged.
#[derive(Deserialize)]
struct RawEntry {
    directory: Option<Bytes>,
    file: Option<Bytes>,
    command: Option<Bytes>,
    arguments: Option<Vec<Bytes>>,
    output: Option<Bytes>,
}

/// The entries of a database, or their number if there are more than `most`.
fn entries(text: &[u8], most: usize) -> serde_json::Result<Result<Vec<RawEntry>, usize>> {
    struct AtMost(usize);

    impl<'de> Visitor<'de> for AtMost {
        type Value = Result<Vec<RawEntry>, usize>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while entries.len() < self.0 {
                match sequence.next_element()? {
                    Some(entry) => entries.push(entry),
                    None => return Ok(Ok(entries)),
                }
            }
            let mut count = entries.len();
            while sequence.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(if count > self.0 { Err(count) } else { Ok(entries) })
        }
    }

    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let entries = deserializer.deserialize_seq(AtMost(most))?;
    deserializer.end()?;
    Ok(entries)
}

/// An entry whose paths are absolute and whose words are split.
struct Entry {
    number: usize,
    file: PathBuf,
    directory: PathBuf,
    compiler: Compiler,
    words: Vec<Vec<u8>>,
    output: Option<PathBuf>,
}

/// The result of vetting an entry.
enum EntryOutcome {
    Unit(Unit),
    Refused(RefusedEntry),
    Other(Language),
}

/// Bytes of a JSON string, which need not be UTF-8.
struct Bytes(Vec<u8>);

impl RawEntry {
    fn normal(self, json: &Path, number: usize, base: &Path) -> Result<Entry, Error> {
        let Some(file) = self.file.filter(|file| !file.0.is_empty()).map(Bytes::into_path) else {
            return Err(Error::NoFile { path: json.to_path_buf(), entry: number });
        };
        let mut words: Vec<Vec<u8>> = match (self.arguments, self.command) {
            (Some(arguments), _) => arguments.into_iter().map(|word| word.0).collect(),
            (None, Some(command)) => match command_line::split(&command.0) {
                Some(words) => words,
                None => return Err(Error::Quotes { path: json.to_path_buf(), entry: number, file }),
            },
            (None, None) => Vec::new(),
        };
        if words.is_empty() {
            return Err(Error::NoCommand { path: json.to_path_buf(), entry: number, file });
        }
        let directory = normalize(&base.join(self.directory.map(Bytes::into_path).unwrap_or_default()));
        let (compiler, rest) = compiler::split_off(&words);
        let words = words.split_off(words.len() - rest.len());
        Ok(Entry {
            number,
            file: normalize(&directory.join(file)),
            output: self.output.map(Bytes::into_path),
            compiler,
            words,
            directory,
        })
    }
}

impl Entry {
    fn vetted(self, roots: &[PathBuf]) -> EntryOutcome {
        let Entry { number, file, directory, compiler, words, output } = self;
        match vet(&file, &directory, compiler, words, roots) {
            Vetted::Unit(Arguments { kept, dropped, output: by_option }) => {
                let outputs = output.or(by_option).map(|output| normalize(&directory.join(output)));
                let outputs = outputs.into_iter().collect();
                EntryOutcome::Unit(Unit { file, directory, arguments: kept.into(), outputs, entry: number, dropped })
            }
            Vetted::Refused(RefusedWord { word, reason }) => {
                let argument = String::from_utf8_lossy(&word).into_owned();
                EntryOutcome::Refused(RefusedEntry { entry: number, file, argument, reason })
            }
            Vetted::Other(language) => EntryOutcome::Other(language),
        }
    }
}

impl Bytes {
    fn into_path(self) -> PathBuf {
        OsString::from_vec(self.0).into()
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(BytesVisitor)
    }
}

/// The units of a database, each once.
#[derive(Default)]
struct Units {
    units: Vec<Unit>,
    hasher: RandomState,
    /// Their positions, by what tells them apart.
    known: HashMap<u64, Vec<usize>>,
    /// The outputs of the units at these positions.
    outputs: HashSet<(usize, PathBuf)>,
    /// Their lists of arguments.
    arguments: HashSet<Arc<[OsString]>>,
}

impl Units {
    /// Adds a unit. If an equal one is there, that one gets its outputs.
    fn add(&mut self, mut unit: Unit) {
        fn identity(unit: &Unit) -> (&Path, &Path, &[OsString]) {
            (&unit.file, &unit.directory, &unit.arguments)
        }
        let same = self.known.entry(self.hasher.hash_one(identity(&unit))).or_default();
        let known = same.iter().copied().find(|known| identity(&self.units[*known]) == identity(&unit));
        let at = known.unwrap_or(self.units.len());
        let mut outputs = std::mem::take(&mut unit.outputs);
        if known.is_none() {
            same.push(at);
            match self.arguments.get(&unit.arguments) {
                Some(known) => unit.arguments = Arc::clone(known),
                None => drop(self.arguments.insert(Arc::clone(&unit.arguments))),
            }
            self.units.push(unit);
        }
        outputs.retain(|output| self.outputs.insert((at, output.clone())));
        self.units[at].outputs.append(&mut outputs);
    }
}

fn syntax_error(json: &Path, error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    // The reader quotes values, which may be another file's.
    let text = if leads_out(json) { "it does not have the form of one".to_owned() } else { error.to_string() };
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
    Error::Syntax { path: json.to_path_buf(), line, column, message }
}
