//! Compares a tree's generated files with what the generator would write now, for the rules on
//! wrappers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cowrap_analysis::effects::{Difference, Effects, Generation, StaleFile};
use cowrap_analysis::program::{FileId, Location};
use cowrap_base::files::{Identities, NamedBy, Shown, Source, Texts};
use cowrap_wrapgen::defined_functions;

use crate::generate::{
    GenerateRequest, INTROSPECTION, Introspection, Job, configured_jobs, generate_from, require_own_headers,
};
use crate::request::Request;

/// Compares the generated files of each pack with what its generator would write now. The result says, for the report,
/// which files could not be compared, and why. Packs without wrapper marks have none. Meanwhile, other threads prepare
/// the effects for the rules.
pub(super) fn compare_generated(
    effects: &mut [Effects<'_>],
    request: &Request,
    introspection: Option<&Introspection>,
    texts: &Texts,
    added: &[PathBuf],
) -> Vec<String> {
    let mut not_compared = Vec::new();
    for effects in effects {
        if effects.pack.marks.iter().all(|mark| mark.wrapper.is_none()) {
            continue;
        }
        let (_, (generation, notes)) =
            rayon::join(|| effects.prepare(), || generation(effects, request, introspection, texts, added));
        effects.generation = generation;
        not_compared.extend(notes);
    }
    not_compared
}

/// Compares every generated file with what the generator would write now. The second result says,
/// for the report, which files could not be compared, and why.
///
/// The inputs of the generator are the first of these that exist: those of the request; those of
/// the tree's settings; those of meson's introspection data; the headers that declare the wrappers
/// that the file defines.
///
/// `added` are headers that the generator will read as soon as the build is configured again.
fn generation(
    effects: &Effects<'_>,
    request: &Request,
    introspection: Option<&Introspection>,
    texts: &Texts,
    added: &[PathBuf],
) -> (Generation, Vec<String>) {
    let packs = std::slice::from_ref(&effects.pack.origin);
    let identities = Identities::default();
    let identify = |paths: &[PathBuf]| -> Vec<PathBuf> {
        paths.iter().map(|path| identities.identify(&request.working_directory, path)).collect()
    };
    let mut notes = Vec::new();
    let mut outputs: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut inputs = None;
    let mut use_jobs = |mut jobs: Vec<Job>| {
        jobs.iter_mut().for_each(|job| job.inputs.extend_from_slice(added));
        inputs = Some(jobs.iter().flat_map(|job| identify(&job.inputs)).collect::<BTreeSet<_>>());
        let of = |job: &Job| Some((identify(job.output.as_slice()).pop()?, identify(&job.inputs)));
        outputs.extend(jobs.iter().filter_map(of));
    };
    if !request.inputs.is_empty() {
        inputs = Some(identify(&request.inputs).into_iter().collect());
    } else if !request.settings.generators.is_empty() {
        use_jobs(configured_jobs(&request.settings));
    } else if let Some((introspection, build)) = introspection.zip(effects.tree.build.as_ref())
        && build.join(INTROSPECTION).is_file()
    {
        match introspection.jobs(packs) {
            Ok(build) if build.jobs.is_empty() => {}
            Ok(build) => use_jobs(build.jobs),
            Err(error) => notes.push(error.to_string()),
        }
    }
    let homes: Vec<PathBuf> = std::iter::once(&effects.tree.root).chain(&effects.tree.build).cloned().collect();
    let mut stale = Vec::new();
    for (file, defined_from) in generated_files(effects) {
        let path = effects.program.path(file);
        let headers = match (outputs.get(path), &inputs) {
            (Some(headers), _) => headers.clone(),
            (None, Some(inputs)) if outputs.is_empty() => inputs.iter().cloned().collect(),
            (None, _) => defined_from.into_iter().map(|header| effects.program.path(header).clone()).collect(),
        };
        match compare(path, file, &headers, &homes, packs, texts) {
            Ok(differences) if differences.is_empty() => {}
            Ok(differences) => stale.push(StaleFile { inputs: headers, differences }),
            Err(reason) => {
                notes.push(format!("{} was not compared: {reason}", effects.tree.relative(path).shown()));
            }
        }
    }
    (Generation { inputs, stale }, notes)
}

/// The files that define generated wrappers, with the headers that declare these.
fn generated_files(effects: &Effects<'_>) -> BTreeMap<FileId, BTreeSet<FileId>> {
    let mut files: BTreeMap<FileId, BTreeSet<FileId>> = BTreeMap::new();
    for wrapper in effects.wrappers() {
        for body in &effects.program.function(wrapper.function).bodies {
            let location = effects.program.body(*body).location;
            if effects.is_generated(location) {
                files.entry(location.file).or_default().insert(wrapper.mark.location.file);
            }
        }
    }
    files
}

/// Where a file differs from what the generator would write. Functions that the file lacks are not
/// among the differences, because each missing wrapper is reported by itself.
fn compare(
    path: &Path,
    file: FileId,
    headers: &[PathBuf],
    homes: &[PathBuf],
    packs: &[PathBuf],
    texts: &Texts,
) -> Result<Vec<Difference>, String> {
    let request = GenerateRequest { packs: packs.to_vec(), ..GenerateRequest::default() };
    let job = Job { output: None, inputs: headers.to_vec() };
    require_own_headers(&job, &NamedBy::Tree(homes.to_vec())).map_err(|error| error.to_string())?;
    let read = |path: &Path| texts.text(path).map(|text| text.to_vec());
    let generated = generate_from(&request, &job, &read).map_err(|error| error.to_string())?;
    let Some(wanted) = &generated.text else {
        let first = generated.diagnostics.diagnostics.iter().find(|diagnostic| diagnostic.is_error);
        return Err(first.map_or_else(String::new, |diagnostic| diagnostic.message.clone()));
    };
    let bytes = texts.text(path).map_err(|error| error.to_string())?;
    let source = Source::new(&bytes);
    let wanted = defined_functions(wanted);
    let mut differences = Vec::new();
    for (function, own) in defined_functions(source.text()) {
        let is_asked_for = wanted.contains_key(&function);
        if wanted.get(&function).is_some_and(|wanted| wanted.calls == own.calls) {
            continue;
        }
        let line = source.line_starts().partition_point(|start| *start <= own.offset).max(1);
        let column = own.offset - source.line_starts()[line - 1] + 1;
        let location = Location { file, line: line as u32, column: column as u32 };
        differences.push(Difference { function, location, is_asked_for });
    }
    differences.sort_by_key(|difference| difference.location);
    Ok(differences)
}
