//! Places that a run writes to, and the files that it reads and so must not overwrite.

use std::io;
use std::path::{Path, PathBuf};

use cowrap_base::files::{Place, Tree};
use cowrap_frontend::compdb;
use cowrap_packs::Settings;
use cowrap_report::Report;

use crate::BaselineRequest;
use crate::facts_file::{LinkRequest, files};
use crate::gate::BASELINE;
use crate::generate::INTROSPECTION;
use crate::inputs::packs_of;
use crate::request::{Input, Request};

/// Refuses a place for an output if a C file is there, or a file that the request names: the
/// database, an index, the settings, a pack.
///
/// # Errors
///
/// The place is refused, or cannot be looked at.
pub fn refuse_inputs(place: &Place, request: &Request) -> io::Result<()> {
    place.refuse_source()?;
    place.refuse_inputs(request_inputs(request))
}

/// Refuses a place for a report if a file that the report is about is there, or one that was read
/// for it.
///
/// # Errors
///
/// As [`refuse_inputs`].
pub fn refuse_read(place: &Place, request: &Request, report: &Report) -> io::Result<()> {
    let tree = &report.tree;
    place.refuse_inputs(&report.files)?;
    place.refuse_inputs(report.problems.iter().map(|problem| tree.root.join(&problem.file)))?;
    if request.gate.baseline == BaselineRequest::IfExists {
        place.refuse_inputs([tree.root.join(BASELINE)])?;
    }
    refuse_tree(place, tree)?;
    refuse_inputs(place, request)
}

/// Refuses a place for an index if a file is there that it is linked from.
///
/// # Errors
///
/// As [`refuse_inputs`].
pub fn refuse_facts(place: &Place, request: &LinkRequest) -> io::Result<()> {
    place.refuse_source()?;
    place.refuse_inputs(files(&request.facts).unwrap_or_default())?;
    place.refuse_inputs(configuration(&request.settings, &request.packs))
}

/// Whether meson recorded that a build directory is the one of the tree with this root. A tree from
/// a stranger can name any directory, but not make its record.
pub fn is_built_from(build: &Path, root: &Path) -> bool {
    let root = root.canonicalize().ok();
    Tree::of_meson(build).ok().flatten().is_some_and(|tree| Some(tree.root) == root)
}

/// Refuses a place if one of these files of a program is there, or a file of its tree.
pub(crate) fn refuse_program(place: &Place, tree: &Tree, files: &[PathBuf]) -> io::Result<()> {
    place.refuse_source()?;
    place.refuse_inputs(files)?;
    refuse_tree(place, tree)
}

/// Refuses a place if a file is there that is read for what it says of a whole tree.
fn refuse_tree(place: &Place, tree: &Tree) -> io::Result<()> {
    let build = tree.build.iter();
    place.refuse_inputs(build.flat_map(|build| [build.join(compdb::FILE_NAME), build.join(INTROSPECTION)]))
}

/// The files that settings and packs are read from.
fn configuration(settings: &Settings, packs: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    let read = packs_of(packs, settings).ok();
    let files =
        read.into_iter().flat_map(|read| read.packs().iter().flat_map(|pack| pack.files.clone()).collect::<Vec<_>>());
    settings.file.clone().into_iter().chain(files)
}

/// The files that a request names.
fn request_inputs(request: &Request) -> impl Iterator<Item = PathBuf> + '_ {
    let at = |path: &Path| request.working_directory.join(path);
    let input = match &request.input {
        Input::Database(named) => compdb::find(&request.working_directory, named.as_deref()).ok().into_iter().collect(),
        Input::Index(index) => vec![at(index)],
        Input::Files { files, .. } => files.iter().map(|file| at(file)).collect(),
    };
    let baseline = match &request.gate.baseline {
        BaselineRequest::File(file) | BaselineRequest::Configured(file) => Some(at(file)),
        BaselineRequest::IfExists | BaselineRequest::No => None,
    };
    let inputs = request.inputs.iter().map(|header| request.working_directory.join(header));
    let more = configuration(&request.settings, &request.packs).map(|file| request.working_directory.join(file));
    input.into_iter().chain(baseline).chain(inputs).chain(more)
}
