//! The checks of a unit that was parsed with precompiled headers.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::failure::Failure;
use crate::pch::compile::{Included, Pch, Skipped};
use crate::pch::headers::{HeaderId, Inclusions};
use crate::pch::interference::{Lines, OtherText};
use crate::pch::name_uses::{Declarations, WantedNames, undeclared_names};
use crate::pch::order::Order;
use crate::pch::parsed::Parsed;
use crate::pch::plan::SharingUnit;
use crate::pch::refusal::Refusal;
use crate::scan::{Name, Scan, scan_active};

use super::{Context, active_inclusions, check_mismatch};

/// A unit that was parsed with precompiled headers.
#[derive(Clone, Copy)]
pub struct SharedUnit<'a> {
    /// Its place in the plan.
    pub member: &'a SharingUnit,
    /// The precompiled headers that it was parsed with.
    pub pch: &'a Pch,
    /// What was read of it, with inclusions and text up to its [`last_early_line`].
    pub parsed: &'a Parsed,
    /// Its own file, with the path that facts use.
    pub main: &'a Path,
    /// What the compiler skipped in it and its files, as far as that is known.
    pub skipped: &'a Skipped,
}

/// Why a unit is not certified.
#[derive(Debug)]
pub enum UnitRejection {
    /// A check refused it.
    Refused(Refusal),
    /// The worker did not answer what a check asked.
    Failed(Failure),
}

impl From<Refusal> for UnitRejection {
    fn from(refusal: Refusal) -> UnitRejection {
        UnitRejection::Refused(refusal)
    }
}

/// The last line of a unit's main file that includes something of its precompiled headers. Behind
/// it, a plain parse has read all of their files too.
pub fn last_early_line(member: &SharingUnit, pch: &Pch) -> u32 {
    let listed = member.closure.order.iter().filter(|(file, ..)| pch.certificate.listed.contains(*file));
    listed.map(|(_, line, _)| *line).max().unwrap_or(0)
}

/// The parts of a unit that a plain parse reads before, or among, the files of the precompiled
/// headers.
struct Early<'a> {
    /// See [`last_early_line`].
    last_line: u32,
    /// The unit's own declarations of names that are declared several times, by the path of the
    /// file.
    redeclared: HashMap<&'a Path, Lines>,
    /// The unit's own declarations.
    declared: Declarations,
    /// The declarations of each precompiled header.
    levels: Vec<&'a Declarations>,
    order: Order<'a>,
}

/// What the checks of texts found out for the checks behind them.
#[derive(Default)]
struct TextsRead {
    /// The files that were read before the last line, or are the main file.
    early: HashSet<HeaderId>,
    /// Names that only precompiled headers declare, by the files that may refer to them.
    wanted: WantedNames,
}

/// Certifies that the facts of a unit, with those of the precompiled headers, are those of a plain
/// parse. `referred_names` finds which of some names files refer to.
pub fn certify_unit(
    context: &Context<'_>,
    unit: &SharedUnit<'_>,
    referred_names: impl FnOnce(&WantedNames) -> Result<Vec<(HeaderId, String)>, Failure>,
) -> Result<(), UnitRejection> {
    check_errors(unit)?;
    check_mismatch(unit.parsed.mismatch)?;
    check_main_file(unit)?;
    let mut included = Cow::Borrowed(unit.pch.included());
    if !unit.skipped.is_empty() {
        included.to_mut().extend(active_inclusions(context, unit.skipped));
    }
    let early = Early::new(context, unit, &included);
    let mut texts = TextsRead::default();
    texts.early.insert(unit.member.main);
    check_inclusions(context, unit, &early, &mut texts)?;
    check_counted_names(context, unit)?;
    check_main_text(context, unit, &early, &mut texts)?;
    let referred = referred_names(&texts.wanted).map_err(UnitRejection::Failed)?;
    check_name_uses(context, referred)?;
    Ok(check_field_uses(context, unit, &early, &texts)?)
}

impl<'a> Early<'a> {
    fn new(context: &Context<'a>, unit: &SharedUnit<'a>, included: &'a Inclusions) -> Early<'a> {
        let names = context.sources.scans.names();
        let certificate = &unit.pch.certificate;
        let last_line = last_early_line(unit.member, unit.pch);
        let mut redeclared: HashMap<&Path, Lines> = HashMap::new();
        let summary = &unit.parsed.summary;
        for (name, declarations) in summary.redeclarations() {
            for (path, line) in declarations {
                if path != unit.main || line <= last_line {
                    redeclared.entry(path).or_default().push((names.intern(name.as_bytes()), line));
                }
            }
        }
        let mut declared = Declarations::new();
        let files = context.find_all(summary.files());
        for (name, declarations) in summary.declarations() {
            let Some(name) = names.find(name.as_bytes()) else { continue };
            let file = |number: u32| files.get(number as usize).copied().flatten();
            let found = declarations.iter().filter_map(|(number, line)| Some((file(*number)?, *line)));
            declared.insert(name, found.collect());
        }
        let levels = unit.pch.chain().map(|level| &level.certificate.declared).collect();
        let order = Order::new(context.headers, names, included, &certificate.unforeseen);
        Early { last_line, redeclared, declared, levels, order }
    }

    fn redeclared(&self, path: &Path) -> &[(Name, u32)] {
        self.redeclared.get(path).map(Vec::as_slice).unwrap_or_default()
    }
}

impl TextsRead {
    /// Notes the names of a text that only precompiled headers declare.
    fn want(&mut self, context: &Context<'_>, early: &Early<'_>, scan: &Scan, file: Option<HeaderId>) {
        let undeclared = undeclared_names(scan, file, &early.levels, &early.declared, &early.order);
        if let Some(file) = file.filter(|_| !undeclared.is_empty()) {
            let names = undeclared.iter().map(|(name, _)| context.name(*name));
            self.wanted.entry(file).or_default().extend(names);
        }
    }
}

/// The unit must have no errors: only a plain parse reports them as they are.
fn check_errors(unit: &SharedUnit<'_>) -> Result<(), Refusal> {
    if unit.parsed.facts.parse_status.errors > 0 { Err(Refusal::UnitErrors) } else { Ok(()) }
}

/// No header may include the unit's own file.
fn check_main_file(unit: &SharedUnit<'_>) -> Result<(), Refusal> {
    let includes_it = |level: &Pch| level.certificate.files.iter().any(|file| file == unit.main);
    if unit.pch.chain().any(includes_it) { Err(Refusal::IncludesUnit) } else { Ok(()) }
}

/// Files that a plain parse reads before or among those of the precompiled headers must say the
/// same behind them.
fn check_inclusions(
    context: &Context<'_>,
    unit: &SharedUnit<'_>,
    early: &Early<'_>,
    texts: &mut TextsRead,
) -> Result<(), Refusal> {
    let certificate = &unit.pch.certificate;
    for Included { file: identity, .. } in &unit.parsed.inclusions {
        let path = context.paths.absolute(identity);
        let file = context.headers.find(&path);
        let scan = match file {
            // What is read again has been read in another way before.
            Some(file) if certificate.first.contains(file) => Arc::clone(&context.headers.get(file).scan),
            Some(file) => context.active(file, unit.skipped),
            None => context.sources.scans.get(&path).ok_or(Refusal::UnreadableFile { file: path.clone() })?,
        };
        let is_first = file.is_some_and(|file| certificate.first.contains(file));
        let other = OtherText { scan: &scan, file, is_first, declares: early.redeclared(identity) };
        if let Some(conflict) = unit.pch.moved().conflict(&other, &early.order, context.macros) {
            return Err(context.interference(&conflict, Some(&path)));
        }
        let file = file.filter(|_| !is_first);
        texts.early.extend(file);
        texts.want(context, early, &scan, file);
    }
    Ok(())
}

/// No name may be numbered: precompiled headers do not tell how far they have counted.
fn check_counted_names(context: &Context<'_>, unit: &SharedUnit<'_>) -> Result<(), Refusal> {
    let may_count = |path: &&Path| {
        let path = context.paths.absolute(path);
        let skipped = unit.skipped.get(&path).map(Vec::as_slice).unwrap_or_default();
        let scan = context.sources.scans.get_active(&path, skipped);
        scan.is_none_or(|scan| context.macros.counts(&scan, context.sources.scans.names()))
    };
    match unit.parsed.summary.files_with_pasted_names().find(may_count) {
        Some(path) => Err(Refusal::CountedNames { file: Some(context.paths.absolute(path)) }),
        None => Ok(()),
    }
}

/// The main file, up to the last line that includes something of the precompiled headers, must say
/// the same behind them.
fn check_main_text(
    context: &Context<'_>,
    unit: &SharedUnit<'_>,
    early: &Early<'_>,
    texts: &mut TextsRead,
) -> Result<(), Refusal> {
    let main = unit.member.main;
    let skipped = unit.skipped.get(&context.path(main)).map(Vec::as_slice).unwrap_or_default();
    let start = scan_active(&unit.parsed.text, context.sources.scans.names(), skipped);
    let other = OtherText { scan: &start, file: Some(main), is_first: false, declares: early.redeclared(unit.main) };
    if let Some(conflict) = unit.pch.moved().conflict(&other, &early.order, context.macros) {
        return Err(context.interference(&conflict, Some(&context.path(main))));
    }
    texts.want(context, early, &start, Some(main));
    Ok(())
}

/// A text must not refer to a name that only precompiled headers declare.
fn check_name_uses(context: &Context<'_>, referred: Vec<(HeaderId, String)>) -> Result<(), Refusal> {
    match referred.into_iter().next() {
        Some((file, name)) => Err(Refusal::UndeclaredName { name, file: context.path(file) }),
        None => Ok(()),
    }
}

/// A text must not use fields of a record that only precompiled headers define.
fn check_field_uses(
    context: &Context<'_>,
    unit: &SharedUnit<'_>,
    early: &Early<'_>,
    texts: &TextsRead,
) -> Result<(), Refusal> {
    let pch = unit.pch;
    let uses = unit.parsed.summary.field_uses();
    for (user, defined_in, line) in uses.filter(|(user, _, line)| *user != unit.main || *line <= early.last_line) {
        let (Some(user), Some(definer)) = (context.find(user), context.find(defined_in)) else { continue };
        let is_certain = pch.certificate.first.contains(definer) || early.order.is_read_before(definer, user, line);
        let is_shared = pch.compiled.summary.has_read(defined_in);
        if is_shared && texts.early.contains(&user) && !is_certain {
            return Err(Refusal::UndeclaredFields { file: context.path(user) });
        }
    }
    Ok(())
}
