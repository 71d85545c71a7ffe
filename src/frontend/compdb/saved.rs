//! A database in the form in which caches store it: its units, without the commands that they were made of.
//!
//! A cache may be an attacker's too, who could pass options to libclang that no database can. So all arguments are vetted
//! again: vetting does not change what it has made.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::compiler::Compiler;
use super::language::{Language, name_of_file};
use super::vet::{Arguments, Vetted, vet};
use super::{Database, RefusedEntry, Unit};
use cowrap_base::files::normalize;

#[derive(Serialize, Deserialize)]
struct Saved {
    units: Vec<SavedUnit>,
    /// The lists of arguments; many units have the same.
    arguments: Vec<Vec<Bytes>>,
    directories: Vec<Bytes>,
    refused: Vec<SavedRefusal>,
    other_languages: Vec<(Language, usize)>,
}

#[derive(Serialize, Deserialize)]
struct SavedUnit {
    file: Bytes,
    directory: u32,
    arguments: u32,
    outputs: Vec<Bytes>,
    entry: usize,
}

#[derive(Serialize, Deserialize)]
struct SavedRefusal {
    entry: usize,
    file: Bytes,
    argument: String,
    reason: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Bytes(#[serde(with = "crate::bytes")] Vec<u8>);

/// Numbers different values in their order.
struct Numbers<T> {
    known: HashMap<T, u32>,
    values: Vec<T>,
}

impl<T: Clone + Eq + std::hash::Hash> Numbers<T> {
    fn number(&mut self, value: T) -> u32 {
        let Numbers { known, values } = self;
        *known.entry(value).or_insert_with_key(|value| {
            values.push(value.clone());
            values.len() as u32 - 1
        })
    }
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Numbers { known: HashMap::new(), values: Vec::new() }
    }
}

impl Database {
    /// The bytes from which [`Database::from_bytes`] makes the database again. `None` if it depends on more than the
    /// JSON file.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        if self.may_be_indirect {
            return None;
        }
        let bytes = |path: &Path| Bytes(path.as_os_str().as_bytes().to_vec());
        let (mut directories, mut arguments) = (Numbers::default(), Numbers::default());
        let units = self.units.iter().map(|unit| SavedUnit {
            file: bytes(&unit.file),
            directory: directories.number(bytes(&unit.directory)),
            arguments: arguments.number(Arc::clone(&unit.arguments)),
            outputs: unit.outputs.iter().map(|output| bytes(output)).collect(),
            entry: unit.entry,
        });
        let units = units.collect();
        let words = |list: &Arc<[OsString]>| list.iter().map(|word| Bytes(word.as_bytes().to_vec())).collect();
        let refused = self.refused.iter().map(|refusal| SavedRefusal {
            entry: refusal.entry,
            file: bytes(&refusal.file),
            argument: refusal.argument.clone(),
            reason: refusal.reason.clone(),
        });
        let other_languages = self.other_languages.iter().map(|(language, count)| (*language, *count));
        let saved = Saved {
            units,
            arguments: arguments.values.iter().map(words).collect(),
            directories: directories.values,
            refused: refused.collect(),
            other_languages: other_languages.collect(),
        };
        postcard::to_stdvec(&saved).ok()
    }

    /// The database with this path from [`Database::to_bytes`], without the arguments that were dropped. `None` if
    /// vetting could not have made it.
    pub fn from_bytes(path: PathBuf, bytes: &[u8]) -> Option<Database> {
        let saved: Saved = postcard::from_bytes(bytes).ok()?;
        let path_of = |bytes: Bytes| PathBuf::from(OsString::from_vec(bytes.0));
        let words = |list: Vec<Bytes>| list.into_iter().map(|word| OsString::from_vec(word.0)).collect();
        let arguments: Vec<Arc<[OsString]>> = saved.arguments.into_iter().map(words).collect();
        let directories: Vec<PathBuf> = saved.directories.into_iter().map(path_of).collect();
        let mut vetted = HashSet::new();
        let units = saved.units.into_iter().map(|unit| {
            let (file, directory) = (path_of(unit.file), directories.get(unit.directory as usize)?);
            let list = arguments.get(unit.arguments as usize)?;
            let is_new = vetted.insert((unit.arguments, unit.directory, name_of_file(&file, false)));
            if !is_plain(&file) || is_new && !(is_plain(directory) && is_vetted(&file, directory, list)) {
                return None;
            }
            let outputs = unit.outputs.into_iter().map(path_of).collect();
            let (directory, arguments, dropped) = (directory.clone(), Arc::clone(list), Vec::new());
            Some(Unit { file, directory, arguments, outputs, entry: unit.entry, dropped })
        });
        let units = units.collect::<Option<Vec<Unit>>>()?;
        let refused = saved.refused.into_iter().map(|refusal| {
            let SavedRefusal { entry, file, argument, reason } = refusal;
            RefusedEntry { entry, file: path_of(file), argument, reason }
        });
        let other_languages: BTreeMap<Language, usize> = saved.other_languages.into_iter().collect();
        Some(Database { path, units, refused: refused.collect(), other_languages, may_be_indirect: false })
    }
}

/// Whether a path is absolute and normalised.
fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    path.is_absolute() && !bytes.contains(&0) && normalize(path).as_os_str().as_bytes() == bytes
}

/// Whether vetting gives these arguments.
fn is_vetted(file: &Path, directory: &Path, arguments: &[OsString]) -> bool {
    let words = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
    match vet(file, directory, Compiler::default(), words, &[]) {
        Vetted::Unit(Arguments { kept, .. }) => kept == arguments,
        Vetted::Refused(_) | Vetted::Other(_) => false,
    }
}
