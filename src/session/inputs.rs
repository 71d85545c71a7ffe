//! The translation units of a request, and the root of their tree.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cowrap_base::files::{Identities, Shown, Tree};
use cowrap_frontend::compdb::{self, Database, RefusedEntry, Unit};
use cowrap_packs::{Pack, PackSet, Settings};

use crate::caches::Checkout;
use crate::request::{Input, Request};
use crate::{Error, index_file};

/// The translation units to read.
pub(crate) struct Inputs {
    /// The compilation database that they come from: absolute.
    pub(crate) database: Option<PathBuf>,
    pub(crate) units: Vec<Unit>,
    pub(crate) refused: Vec<RefusedEntry>,
    pub(crate) other_languages: BTreeMap<String, usize>,
    /// Whether the units depend on more than the database, such as on response files.
    pub(crate) may_be_indirect: bool,
    /// Whether these are all units of the tree.
    pub(crate) is_whole: bool,
}

/// The units of a request, and their tree. `checkout` is what the cache knows about it.
pub(crate) fn inputs(request: &Request, checkout: Option<&Checkout>) -> Result<(Inputs, Tree), Error> {
    let (mut inputs, mut tree) = match &request.input {
        Input::Database(explicit) => from_database(request, explicit.as_deref(), checkout)?,
        Input::Index(path) => return Err(Error::NoSuchPath { path: path.shown().to_string() }),
        Input::Files { files, flags } => from_files(request, files, flags)?,
    };
    if let Some(root) = &request.root {
        let root = request.working_directory.join(root);
        tree.root = root.canonicalize().map_err(|_| Error::NoSuchPath { path: root.shown().to_string() })?;
    }
    if let Some(only) = &request.only {
        let identities = Identities::default();
        let wanted = |file: &Path| only.is_match(tree.relative(&identities.identify(&tree.root, file)));
        inputs.units.retain(|unit| wanted(&unit.file));
        inputs.refused.retain(|refusal| wanted(&refusal.file));
    }
    if let Some(exclude) = &request.exclude {
        let identities = Identities::default();
        let wanted = |file: &Path| !exclude.is_match(tree.relative(&identities.identify(&tree.root, file)));
        inputs.units.retain(|unit| wanted(&unit.file));
        inputs.refused.retain(|refusal| wanted(&refusal.file));
    }
    if inputs.units.is_empty() && inputs.refused.is_empty() {
        return Err(Error::NoUnits(no_units(request, &inputs)));
    }
    Ok((inputs, tree))
}

/// Why there is nothing to read.
fn no_units(request: &Request, inputs: &Inputs) -> String {
    let reason = match (&request.only, &request.exclude) {
        (Some(_), None) => "no C file of the compilation database matches `only`",
        (None, Some(_)) => "every C file of the compilation database matches `exclude`",
        (Some(_), Some(_)) => "no C file of the compilation database matches `only` but not `exclude`",
        (None, None) => "the compilation database has no C file",
    };
    let others = inputs.other_languages.iter().map(|(language, count)| format!("{count} {language}"));
    let others: Vec<String> = others.collect();
    match others.is_empty() {
        true => reason.to_owned(),
        false => format!("{reason} (other entries: {})", others.join(", ")),
    }
}

fn from_database(
    request: &Request,
    explicit: Option<&Path>,
    checkout: Option<&Checkout>,
) -> Result<(Inputs, Tree), Error> {
    let json = compdb::find(&request.working_directory, explicit)?;
    let most = request.limits.database_entries;
    let database: Database = match checkout {
        Some(checkout) => checkout.database(&json, most)?,
        None => compdb::read(&json, most)?,
    };
    let build = database.path.parent().unwrap_or(Path::new("/")).to_path_buf();
    let sources: Vec<&Path> = database.units.iter().map(|unit| unit.file.as_path()).collect();
    let tree = Tree::of_database(&build, &sources)?;
    let other_languages =
        database.other_languages.iter().map(|(language, count)| (language.to_string(), *count)).collect();
    let may_be_indirect = database.may_be_indirect;
    let is_whole = !request.is_partial;
    let Database { path, units, refused, .. } = database;
    Ok((Inputs { database: Some(path), units, refused, other_languages, may_be_indirect, is_whole }, tree))
}

fn from_files(request: &Request, files: &[PathBuf], flags: &[OsString]) -> Result<(Inputs, Tree), Error> {
    let mut inputs = Inputs {
        database: None,
        units: Vec::new(),
        refused: Vec::new(),
        other_languages: BTreeMap::new(),
        may_be_indirect: false,
        is_whole: false,
    };
    for file in files {
        // What is no regular file is a problem of its unit.
        if !request.working_directory.join(file).metadata().is_ok_and(|found| !found.is_dir()) {
            return Err(Error::NoSuchPath { path: file.shown().to_string() });
        }
        match compdb::single(file, &request.working_directory, flags) {
            Ok(unit) => inputs.units.push(unit),
            Err(refusal) => inputs.refused.push(refusal),
        }
    }
    let paths: Vec<PathBuf> = files.iter().map(|file| request.working_directory.join(file)).collect();
    Ok((inputs, Tree::of_files(&request.working_directory, &paths)))
}

/// The tree of a request, without reading its units.
pub(crate) fn tree_of(request: &Request) -> Result<Tree, Error> {
    match &request.input {
        Input::Index(path) => {
            let packs = packs_of(&request.packs, &request.settings)?;
            Ok(index_file::load(&request.working_directory.join(path), packs)?.tree)
        }
        Input::Database(explicit) => {
            let json = compdb::find(&request.working_directory, explicit.as_deref())?;
            let json = std::path::absolute(&json).unwrap_or(json);
            let of_meson = match json.parent().filter(|_| request.root.is_none()) {
                Some(build) => Tree::of_meson(build)?,
                None => None,
            };
            of_meson.map_or_else(|| Ok(inputs(request, None)?.1), Ok)
        }
        Input::Files { .. } => Ok(inputs(request, None)?.1),
    }
}

/// The real paths of paths that are given on the command line.
pub(crate) fn identify_paths(request: &Request, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let identify = |path: &PathBuf| {
        let absolute = request.working_directory.join(path);
        absolute.canonicalize().map_err(|_| Error::NoSuchPath { path: path.shown().to_string() })
    };
    paths.iter().map(identify).collect()
}

/// The pack of a run that names none.
const DEFAULT_PACK: &str = "qemu";

/// The packs with these names or files, each once, with what the settings of the tree add; QEMU's if there is none.
///
/// # Errors
///
/// A pack cannot be used, two have the same name, or the settings do not fit a pack.
pub(crate) fn packs_of(given: &[PathBuf], settings: &Settings) -> Result<PackSet, Error> {
    let identify = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let default = [PathBuf::from(DEFAULT_PACK)];
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut packs: Vec<Pack> = Vec::new();
    for path in if given.is_empty() { &default } else { given } {
        let identity = identify(path);
        if paths.contains(&identity) {
            continue;
        }
        let pack = Pack::read(path)?;
        if let Some(known) = packs.iter().find(|known| known.name == pack.name) {
            let (one, other) = (known.origin.shown().to_string(), pack.origin.shown().to_string());
            return Err(Error::SamePackName { name: pack.name, one, other });
        }
        paths.push(identity);
        packs.push(pack);
    }
    // What the settings add without naming a pack is for the tree's first pack, even if this run uses another.
    let first = match settings.packs.as_ref().and_then(|packs| packs.value.first()) {
        Some(of_tree) => paths.iter().position(|path| *path == identify(of_tree)),
        None => Some(0),
    };
    settings.apply(&mut packs, first)?;
    let mut packs = packs.into_iter();
    // There is at least one.
    let first = packs.next().map_or_else(Pack::qemu, Ok)?;
    Ok(PackSet::new(first, packs.collect()))
}
