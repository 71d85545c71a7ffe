//! The generated files of a build, and where the inputs of their generators are listed.

use std::path::Path;

use cowrap_base::files::Tree;
use cowrap_fix::InputList;
use cowrap_packs::PackSet;

use crate::generate::{Introspection, Job, configured_jobs};
use crate::request::Request;

/// Whether a file is generated, for the fixes of a pack's findings. The file is given by its path relative to the root.
/// What another pack says of it changes nothing: each pack's findings are the same with and without others.
pub(super) fn is_generated<'a>(
    tree: &'a Tree,
    packs: &'a PackSet,
    of: Option<&'a str>,
) -> impl Fn(&Path) -> bool + use<'a> {
    move |path| {
        let mut packs = packs.packs().iter().filter(|pack| of.is_none_or(|of| pack.name == of));
        tree.is_built(&tree.root.join(path)) || packs.any(|pack| pack.is_generated(path))
    }
}

/// The files of wrappers that the build generates.
pub(super) fn jobs(request: &Request, introspection: Option<&Introspection>) -> Vec<Job> {
    let configured = configured_jobs(&request.settings);
    let Some(build) = introspection.filter(|_| configured.is_empty()) else { return configured };
    build.jobs(&request.packs).map(|build| build.jobs).unwrap_or_default()
}

/// Where the inputs of these jobs are listed: in the `meson.build` of the directory whose build
/// directory has the output.
pub(super) fn input_lists(tree: &Tree, jobs: &[Job]) -> Vec<InputList> {
    let list = |job: &Job| {
        let output = job.output.as_ref()?.strip_prefix(tree.build.as_ref()?).ok()?;
        let file = output.parent()?.join("meson.build");
        let inputs = job.inputs.iter().rev();
        let known = inputs.filter_map(|input| input.strip_prefix(&tree.root).ok()).next()?.to_path_buf();
        Some(InputList { file, known })
    };
    jobs.iter().filter_map(list).collect()
}
