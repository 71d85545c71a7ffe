//! The checks of a precompiled header, after it was compiled and before it is used.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::pch::bit_set::BitSet;
use crate::pch::compile::{Active, Candidate, Compiled, Included, Pch, Skipped};
use crate::pch::headers::{HeaderId, Headers, Inclusions};
use crate::pch::interference::{Conflict, Lines, MovedFiles};
use crate::pch::macros::defines;
use crate::pch::name_uses::{Declarations, WantedNames, undeclared_names};
use crate::pch::order::Order;
use crate::pch::parsed::Parsed;
use crate::pch::plan::ListedHeader;
use crate::pch::refusal::Refusal;
use crate::scan::{Name, Scan};

use super::{Context, Rejection, check_mismatch};

/// What was certified of a precompiled header, for what is compiled on top of it.
#[derive(Debug)]
pub struct Certificate {
    /// The files that it read, with the paths that facts use.
    pub files: Vec<PathBuf>,
    /// The headers that its source includes, and those of the sources below it.
    pub listed: BitSet,
    /// The files that are read by the first header of the group, in this precompiled header or one
    /// below it.
    pub first: BitSet,
    /// The inclusions in it and below it.
    pub included: Inclusions,
    /// The macros that files define which were read in it or below it although the plan does not
    /// know them.
    pub unforeseen: HashSet<Name>,
    /// Its files that are read in another order than in a plain parse.
    pub moved: Arc<MovedFiles>,
    /// The names that files declare which are declared several times.
    pub redeclared: HashMap<HeaderId, Lines>,
    /// The macros that its files may define.
    pub defined: HashSet<Name>,
    /// The declarations in its files, without names that are declared by the first header.
    pub declared: Declarations,
    /// The names that the first header declares, in this precompiled header or one below it.
    pub declared_first: HashSet<Name>,
}

/// A refusal, and the two files that must not be together in one precompiled header.
struct Objection {
    refusal: Refusal,
    file: Option<HeaderId>,
    other: Option<HeaderId>,
}

/// Makes the checks that need the compiler. They come before anything is kept of the compilation.
pub fn check_compilation(context: &Context<'_>, candidate: Candidate<'_>, parsed: &Parsed) -> Result<(), Rejection> {
    // Those of the precompiled headers below.
    check_mismatch(parsed.mismatch)
        .map_err(|refusal| Rejection { refusals: vec![refusal], leave_out: BitSet::default() })?;
    check_messages(context, candidate, parsed)
}

/// Certifies what was compiled. `referred_names` finds which of some names files refer to; where it
/// cannot, the result is `None`.
pub fn certify_header(
    context: &Context<'_>,
    candidate: Candidate<'_>,
    compiled: &Compiled,
    referred_names: impl FnOnce(&WantedNames) -> Option<Vec<(HeaderId, String)>>,
) -> Option<Result<Certificate, Rejection>> {
    let mut read = match check_inclusions(context, candidate, compiled) {
        Ok(read) => read,
        Err(rejection) => return Some(Err(rejection)),
    };
    let skipped = compiled.skipped.as_ref();
    let constant =
        constant(context, candidate.below.map(|below| below.moved()), &read.first, &read.unforeseen, skipped);
    if let Some(skipped) = skipped {
        read.included.extend(active_inclusions(context, skipped));
    }
    let order = Order::new(context.headers, context.sources.scans.names(), &read.included, &read.unforeseen);
    let texts = texts(context, read.moved.iter().copied(), &read.first, skipped);
    let redeclared = redeclared(context, compiled, &read.first);
    let below = candidate.below.map(|below| Arc::clone(below.moved()));
    let (moved, conflicts) =
        MovedFiles::certify(below, texts, &read.first, &redeclared, constant, &order, context.macros);
    let mut objections = check_interference(context, conflicts);
    let (declared, declared_first) = declarations(context, candidate, compiled, &read.first);
    objections.extend(check_name_uses(context, candidate, &read, &moved, &declared, &order, referred_names)?);
    objections.extend(check_field_uses(context, compiled, &read.first, &order));
    objections.extend(check_counted_names(context, compiled, &moved, &read.first));
    if !objections.is_empty() {
        let leave_out = culprits(&objections, candidate.listed, context.headers);
        let refusals = objections.into_iter().map(|objection| objection.refusal).collect();
        return Some(Err(Rejection { refusals, leave_out }));
    }
    let mut listed: BitSet = candidate.listed.iter().map(|listed| listed.id).collect();
    if let Some(below) = candidate.below {
        listed.extend(&below.certificate.listed);
    }
    let FilesRead { files, first, included, unforeseen, defined, .. } = read;
    let moved = Arc::new(moved);
    Some(Ok(Certificate {
        files,
        listed,
        first,
        included,
        unforeseen,
        moved,
        redeclared,
        defined,
        declared,
        declared_first,
    }))
}

/// What is known of a certified precompiled header by what the compiler skipped in its files. The one
/// below is known so too.
pub fn active(context: &Context<'_>, pch: &Pch, skipped: &Skipped) -> Active {
    let Certificate { moved, first, redeclared, unforeseen, .. } = &pch.certificate;
    let below = pch.below.as_ref();
    let mut included = pch.certificate.included.clone();
    included.extend(below.into_iter().flat_map(|below| below.included()));
    included.extend(active_inclusions(context, skipped));
    let order = Order::new(context.headers, context.sources.scans.names(), &included, unforeseen);
    let texts = texts(context, moved.files().iter().map(|(file, _)| *file), first, Some(skipped));
    let constant = constant(context, below.map(|below| below.moved()), first, unforeseen, Some(skipped));
    let below = below.map(|below| Arc::clone(below.moved()));
    let (moved, _) = MovedFiles::new(below, texts, first, redeclared, constant, &order, context.macros);
    Active { moved: Arc::new(moved), included }
}

/// The inclusions that the compiler made, or did not make because it had read the file before.
pub fn active_inclusions(context: &Context<'_>, skipped: &Skipped) -> Inclusions {
    let found = skipped.iter().filter_map(|(path, lines)| Some((context.headers.find(path)?, lines)));
    found.flat_map(|(file, lines)| context.headers.active_inclusions(file, lines)).collect()
}

/// The macros that the first header has defined, and that are defined in no other way anywhere.
fn constant(
    context: &Context<'_>,
    below: Option<&Arc<MovedFiles>>,
    first: &BitSet,
    unforeseen: &HashSet<Name>,
    skipped: Option<&Skipped>,
) -> Arc<HashSet<Name>> {
    if let Some(below) = below {
        return Arc::clone(below.constant());
    }
    let mut constant = HashSet::new();
    for file in first.iter() {
        let path = &context.headers.get(file).path;
        // A file that is read several times may define something at any of these.
        if let Some(skipped) = skipped.filter(|skipped| skipped.contains_key(path)) {
            let scan = context.active(file, skipped);
            let names = scan.uniform.iter().map(|(name, _)| *name);
            constant.extend(names.filter(|name| context.macros.is_uniform(*name) && !unforeseen.contains(name)));
        }
    }
    Arc::new(constant)
}

/// What files say, without what the compiler skipped in them if that is known. What the first header
/// read has been read in another way before.
fn texts(
    context: &Context<'_>,
    files: impl Iterator<Item = HeaderId>,
    first: &BitSet,
    skipped: Option<&Skipped>,
) -> Vec<(HeaderId, Arc<Scan>)> {
    let text = |file: HeaderId| match skipped.filter(|_| !first.contains(file)) {
        Some(skipped) => context.active(file, skipped),
        None => Arc::clone(&context.headers.get(file).scan),
    };
    files.map(|file| (file, text(file))).collect()
}

/// The compiler must report nothing. Its arguments ask for those warnings alone that other
/// declarations could change.
fn check_messages(context: &Context<'_>, candidate: Candidate<'_>, parsed: &Parsed) -> Result<(), Rejection> {
    let Some((message, file)) = &parsed.message else { return Ok(()) };
    let refusal = Refusal::CompilerMessage { message: message.clone() };
    let file = file.as_ref().and_then(|file| context.find(file));
    let objection = Objection { refusal: refusal.clone(), file, other: None };
    let leave_out = culprits(&[objection], candidate.listed, context.headers);
    Err(Rejection { refusals: vec![refusal], leave_out })
}

/// The files that a compilation read.
struct FilesRead {
    /// See [`Certificate`] for these.
    files: Vec<PathBuf>,
    first: BitSet,
    included: Inclusions,
    unforeseen: HashSet<Name>,
    defined: HashSet<Name>,
    /// The files that are read in another order than in a plain parse, in the order in which they
    /// were read.
    moved: Vec<HeaderId>,
}

/// The files that were read must be those that the plan knows, each included where the plan says.
fn check_inclusions(
    context: &Context<'_>,
    candidate: Candidate<'_>,
    compiled: &Compiled,
) -> Result<FilesRead, Rejection> {
    let Candidate { below, listed } = candidate;
    let below = below.map(|below| &below.certificate);
    let mut read = FilesRead {
        files: Vec::new(),
        first: below.map(|below| below.first.clone()).unwrap_or_default(),
        included: candidate.below.map(|below| below.included().clone()).unwrap_or_default(),
        unforeseen: below.map(|below| below.unforeseen.clone()).unwrap_or_default(),
        defined: HashSet::new(),
        moved: Vec::new(),
    };
    let begins_with_first = below.is_none() && listed.first().map(|listed| listed.id) == context.first;
    let listed_at = |line: u32| listed.get((line as usize).saturating_sub(1));
    let mut known = BitSet::default();
    for Included { file, line, from } in &compiled.inclusions {
        read.files.push(file.clone());
        // Every unit reads the files of the first header first.
        let is_first = begins_with_first && *line == 1;
        let Some(id) = context.find(file) else {
            if is_first {
                read_unforeseen(context, file, &mut read)?;
                continue;
            }
            let leave_out = listed_at(*line).map(|listed| listed.id).into_iter().collect();
            return Err(Rejection { refusals: vec![Refusal::UnforeseenFile { file: file.clone() }], leave_out });
        };
        let from = from.as_ref().and_then(|(from, line)| Some((context.find(from)?, *line)));
        // If the source itself includes it although a listed header should have included it before,
        // that header did not.
        let parent = listed_at(*line).filter(|listed| from.is_none() && listed.id == id).map(|listed| listed.from);
        if listed.iter().any(|listed| Some(listed.id) == parent) {
            let refusals = vec![Refusal::NotIncluded { file: file.clone() }];
            return Err(Rejection { refusals, leave_out: BitSet::default() });
        }
        read.defined.extend(context.headers.get(id).scan.defines.iter().map(|(name, _)| *name));
        if is_first {
            read.first.insert(id);
        } else if known.insert(id) {
            read.moved.push(id);
        }
        read.included.extend(from.map(|(from, line)| (from, line, id)));
    }
    read.files.sort();
    read.files.dedup();
    Ok(read)
}

/// Adds the macros of a file that the plan does not know, and that the first header reads.
fn read_unforeseen(context: &Context<'_>, file: &Path, read: &mut FilesRead) -> Result<(), Rejection> {
    let Some(scan) = context.sources.scans.get(&context.paths.absolute(file)) else {
        let refusals = vec![Refusal::UnreadableFile { file: file.to_path_buf() }];
        return Err(Rejection { refusals, leave_out: BitSet::default() });
    };
    read.defined.extend(scan.defines.iter().map(|(name, _)| *name));
    read.unforeseen.extend(defines(&scan).map(|(name, _)| name));
    Ok(())
}

/// The names that files declare which are declared several times.
fn redeclared(context: &Context<'_>, compiled: &Compiled, first: &BitSet) -> HashMap<HeaderId, Lines> {
    let mut redeclared: HashMap<HeaderId, Lines> = HashMap::new();
    for (name, declarations) in compiled.summary.redeclarations() {
        let name = context.sources.scans.names().intern(name.as_bytes());
        for (path, line) in declarations {
            if let Some(file) = context.find(path).filter(|file| !first.contains(*file)) {
                redeclared.entry(file).or_default().push((name, line));
            }
        }
    }
    redeclared
}

/// Files that are read in another order than in a plain parse must say the same.
fn check_interference(context: &Context<'_>, conflicts: Vec<Conflict>) -> Vec<Objection> {
    let object = |conflict: Conflict| {
        let refusal = context.interference(&conflict, None);
        Objection { refusal, file: conflict.file, other: conflict.other }
    };
    conflicts.into_iter().map(object).collect()
}

/// The names that a precompiled header declares: without those that the first header declares, and
/// the latter.
fn declarations(
    context: &Context<'_>,
    candidate: Candidate<'_>,
    compiled: &Compiled,
    first: &BitSet,
) -> (Declarations, HashSet<Name>) {
    let names = context.sources.scans.names();
    let mut declared = Declarations::new();
    let mut declared_first = candidate.below.map(|below| below.certificate.declared_first.clone()).unwrap_or_default();
    let found = context.find_all(compiled.summary.files());
    for (name, declarations) in compiled.summary.declarations() {
        let Some(name) = names.find(name.as_bytes()) else { continue };
        let file = |file: u32| found.get(file as usize).copied().flatten();
        let files: Vec<(Option<HeaderId>, u32)> =
            declarations.iter().map(|(number, line)| (file(*number), *line)).collect();
        // Only the first header reads files that the plan does not know.
        if files.iter().any(|(file, _)| file.is_none_or(|file| first.contains(file))) {
            declared_first.insert(name);
        } else if !declared_first.contains(&name) {
            declared.insert(name, files.into_iter().filter_map(|(file, line)| Some((file?, line))).collect());
        }
    }
    (declared, declared_first)
}

/// A file must not use a name that only files declare which it may not have read in a plain parse.
fn check_name_uses(
    context: &Context<'_>,
    candidate: Candidate<'_>,
    read: &FilesRead,
    moved: &MovedFiles,
    declared: &Declarations,
    order: &Order<'_>,
    referred_names: impl FnOnce(&WantedNames) -> Option<Vec<(HeaderId, String)>>,
) -> Option<Vec<Objection>> {
    let levels: Vec<&Declarations> =
        candidate.chain_below().map(|level| &level.certificate.declared).chain([declared]).collect();
    let mut wanted = WantedNames::new();
    let mut declarers: HashMap<(HeaderId, String), HeaderId> = HashMap::new();
    for (file, scan) in moved.files().iter().filter(|(file, _)| !read.first.contains(*file)) {
        for (name, declarer) in undeclared_names(scan, Some(*file), &levels, &Declarations::new(), order) {
            let name = context.name(name);
            wanted.entry(*file).or_default().insert(name.clone());
            declarers.insert((*file, name), declarer);
        }
    }
    let object = |(user, name): (HeaderId, String)| {
        let refusal = Refusal::UndeclaredName { name: name.clone(), file: context.path(user) };
        Objection { refusal, file: declarers.get(&(user, name)).copied(), other: Some(user) }
    };
    Some(referred_names(&wanted)?.into_iter().map(object).collect())
}

/// A file must not use fields of a record that a file defines which it may not have read in a plain
/// parse.
fn check_field_uses(context: &Context<'_>, compiled: &Compiled, first: &BitSet, order: &Order<'_>) -> Vec<Objection> {
    let object = |(user, definer, line): (&Path, &Path, u32)| {
        let (user, definer) = (context.find(user)?, context.find(definer)?);
        let is_first = [user, definer].iter().any(|file| first.contains(*file));
        (!is_first && !order.is_read_before(definer, user, line)).then(|| {
            let refusal = Refusal::UndeclaredFields { file: context.path(user) };
            Objection { refusal, file: Some(definer), other: Some(user) }
        })
    };
    compiled.summary.field_uses().filter_map(object).collect()
}

/// No name may be numbered: a precompiled header does not tell its users how far it has counted.
fn check_counted_names(
    context: &Context<'_>,
    compiled: &Compiled,
    moved: &MovedFiles,
    first: &BitSet,
) -> Vec<Objection> {
    let files = compiled.summary.files_with_pasted_names().filter_map(|file| context.find(file));
    let names = context.sources.scans.names();
    let text = |file: HeaderId| {
        let moved = moved.files().iter().find(|(moved, _)| *moved == file);
        moved.map_or(&context.headers.get(file).scan, |(_, scan)| scan)
    };
    let may_count = |file: &HeaderId| !first.contains(*file) && context.macros.counts(text(*file), names);
    let object = |file| {
        let refusal = Refusal::CountedNames { file: Some(context.path(file)) };
        Objection { refusal, file: Some(file), other: None }
    };
    files.filter(may_count).map(object).collect()
}

/// The headers to leave out so that nothing is left to object to: for each pair of files, the
/// lighter of the headers that lead to one and the headers that lead to the other.
fn culprits(objections: &[Objection], listed: &[&ListedHeader], headers: &Headers) -> BitSet {
    let closures: Vec<(HeaderId, BitSet)> =
        listed.iter().map(|listed| (listed.id, headers.closure([listed.id]))).collect();
    let mut culprits = BitSet::default();
    for Objection { file, other, .. } in objections {
        let leading = |file: Option<HeaderId>| -> Vec<usize> {
            let Some(file) = file else { return Vec::new() };
            let leads =
                |(_, (id, closure)): &(usize, &(HeaderId, BitSet))| !culprits.contains(*id) && closure.contains(file);
            closures.iter().enumerate().filter(leads).map(|(position, _)| position).collect()
        };
        let weigh = |positions: &[usize]| -> u64 {
            let mut all = BitSet::default();
            positions.iter().for_each(|position| all.extend(&closures[*position].1));
            all.iter().map(|id| headers.get(id).scan.weight()).sum()
        };
        let (one, two) = (leading(*file), leading(*other));
        // When one side was left out already, nothing more has to go. When it lies below, the other
        // side has to go.
        let is_below = |file: Option<HeaderId>| {
            !file.is_some_and(|file| closures.iter().any(|(_, closure)| closure.contains(file)))
        };
        let chosen = match (one.is_empty(), two.is_empty()) {
            (true, true) => continue,
            (true, false) if is_below(*file) => two,
            (false, true) if is_below(*other) => one,
            (true, false) | (false, true) => continue,
            (false, false) if weigh(&one) <= weigh(&two) => one,
            (false, false) => two,
        };
        for position in chosen {
            culprits.insert(closures[position].0);
        }
    }
    culprits
}
