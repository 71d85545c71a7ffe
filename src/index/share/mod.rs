//! Header work that units share: what many of them include is compiled once, to precompiled headers that stand on one another.
//!
//! The facts are those of a plain parse, or the unit is parsed plainly: what a precompiled header may change is looked for
//! before it is made and after each unit that uses it, and any doubt is enough (see `check`).

mod check;
mod cluster;
mod headers;
mod plan;

use std::collections::{BTreeMap, HashMap};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use crate::clang::{Purpose, Severity, TranslationUnit, UnsavedFile};
use crate::compdb::Unit;
use crate::extract::{Before, Extracted, Paths, extract};
use crate::facts::{Piece, UnitFacts};
use crate::scan::{Names, Resolver, Scans, scan};
use crate::source::{Identities, Tree};

use super::{Indexer, Outcome, Parse};

use self::check::{Harm, Macros, Moved, Other};
use self::cluster::Set;
use self::headers::Headers;
pub use self::plan::Plan;

/// Arguments for precompiled headers alone: what is only a warning there can mean something else where more is declared.
pub(super) const STRICT: &[&str] = &["-Wno-everything", "-Wimplicit-function-declaration", "-Wvisibility"];

/// What sharing needs beside the plan.
#[derive(Debug)]
pub struct Sharing {
    /// Who shares what.
    pub plan: Plan,
    macros: Macros,
    scans: Scans,
    names: Arc<Names>,
    /// Where the precompiled headers are.
    scratch: tempfile::TempDir,
    /// How often sharing was given up, and why.
    pub refusals: Mutex<BTreeMap<String, usize>>,
}

/// A precompiled header.
#[derive(Debug)]
pub struct Precompiled {
    /// Its file.
    pub file: CString,
    /// What it stands on.
    below: Option<Arc<Precompiled>>,
    /// What it says.
    pub before: Arc<Before>,
    pieces: Vec<Piece>,
    /// The files that it read, as facts tell them.
    files: Vec<PathBuf>,
    /// The headers that it includes itself, and those below it too.
    listed: Set,
    moved: Arc<Moved>,
}

impl Precompiled {
    fn all(&self) -> impl Iterator<Item = &Precompiled> {
        std::iter::successors(Some(self), |precompiled| precompiled.below.as_deref())
    }
}

impl Sharing {
    /// Plans for units.
    ///
    /// # Errors
    ///
    /// There is no place for precompiled headers.
    pub fn new(
        units: &[Unit],
        tree: &Tree,
        identities: &Identities,
        resource_directory: &Path,
    ) -> std::io::Result<Sharing> {
        let names = Arc::new(Names::new());
        let (scans, resolver) = (Scans::new(Arc::clone(&names)), Resolver::default());
        let t = std::time::Instant::now();
        let plan = plan::plan(units, tree, identities, &scans, &resolver, resource_directory);
        let mut macros = Macros::default();
        for group in &plan.groups {
            for number in 0..group.headers.count() {
                macros.add(&group.headers.get(number).scan);
            }
        }
        eprintln!(
            "plan {:?}: {} groups {} nodes {} units of {}",
            t.elapsed(),
            plan.groups.len(),
            plan.nodes.len(),
            plan.units.iter().flatten().count(),
            units.len()
        );
        let scratch = tempfile::Builder::new().prefix("cowrap-").tempdir()?;
        Ok(Sharing { plan, macros, scans, names, scratch, refusals: Mutex::default() })
    }

    /// The text that a node compiles, as a file in memory, and its path.
    pub(super) fn source(&self, node: usize) -> Option<(CString, UnsavedFile)> {
        let path = self.scratch.path().join(format!("{node}.h"));
        let file = UnsavedFile::new(path.clone(), self.plan.nodes[node].text.clone())?;
        Some((CString::new(path.into_os_string().as_bytes()).ok()?, file))
    }

    /// Where the precompiled header of a node goes.
    pub(super) fn target(&self, node: usize) -> Option<CString> {
        let path = self.scratch.path().join(format!("{node}.pch"));
        CString::new(path.into_os_string().as_bytes()).ok()
    }

    fn refuse(&self, reason: String) {
        if let Ok(mut refusals) = self.refusals.lock() {
            *refusals.entry(reason).or_default() += 1;
        }
    }

    fn tell(&self, headers: &Headers, harm: &Harm) -> String {
        let name = harm.macro_name.map(|name| String::from_utf8_lossy(&self.names.text(name)).into_owned());
        let file = harm.file.map(|file| headers.get(file).path.display().to_string());
        format!("{} in {}", name.unwrap_or_else(|| "a pragma".into()), file.unwrap_or_else(|| "it".into()))
    }

    /// Whether what was compiled for a node can be used, and how.
    pub(super) fn accept(
        &self,
        node: usize,
        unit: &TranslationUnit<'_>,
        directory: &Path,
        extracted: Extracted,
        below: Option<&Arc<Precompiled>>,
        paths: &dyn Paths,
    ) -> Option<Precompiled> {
        if let Some(message) = unit.diagnostics().iter().find(|diagnostic| diagnostic.severity >= Severity::Warning) {
            self.refuse(format!("node: {}", message.message));
            return None;
        }
        if let Some(doubt) = extracted.doubt {
            self.refuse(format!("node: {doubt:?}"));
            return None;
        }
        let plan = &self.plan.nodes[node];
        let headers = &self.plan.groups[plan.group].headers;
        let (mut files, mut moved) = (Vec::new(), Set::default());
        for inclusion in unit.inclusions() {
            let Some(line) = inclusion.line else { continue };
            let path = paths.identify(directory, &inclusion.file.path());
            // What the first header reads comes first in every unit.
            if below.is_some() || line > 1 {
                let Some(number) = headers.find(&paths.absolute(&path)) else {
                    self.refuse(format!("node: unforeseen file {}", path.display()));
                    return None;
                };
                moved.insert(number);
            }
            files.push(path);
        }
        files.sort();
        files.dedup();
        let below_moved = below.map(|below| Arc::clone(&below.moved));
        let (moved, harm) = Moved::new(below_moved, moved.iter().collect(), headers, &self.macros);
        if let Some(first) = harm.first() {
            self.refuse(format!("node: {} harms, {}", harm.len(), self.tell(headers, first)));
            for harm in &harm {
                self.refuse(format!("harm: {}", self.tell(headers, harm)));
            }
            return None;
        }
        let mut listed: Set = plan.listed.iter().copied().collect();
        if let Some(below) = below {
            listed.extend(&below.listed);
        }
        let Extracted { facts, before, .. } = extracted;
        Some(Precompiled {
            file: self.target(node)?,
            below: below.cloned(),
            before: Arc::new(before),
            pieces: facts.pieces,
            files,
            listed,
            moved: Arc::new(moved),
        })
    }

    /// The facts of a unit that was parsed with a precompiled header; `None` when they may not be those of a plain parse.
    pub(super) fn complete(
        &self,
        number: usize,
        unit: &Unit,
        parsed: &TranslationUnit<'_>,
        extracted: Extracted,
        precompiled: &Precompiled,
        paths: &dyn Paths,
    ) -> Option<UnitFacts> {
        if extracted.facts.health.errors > 0 {
            self.refuse("unit: errors".into());
            return None;
        }
        if let Some(doubt) = extracted.doubt {
            self.refuse(format!("unit: {doubt:?}"));
            return None;
        }
        let member = self.plan.units[number].as_ref()?;
        let headers = &self.plan.groups[member.group].headers;
        // Behind this line of the main file, all that the precompiled headers read was read in any case.
        let listed = member.walk.order.iter().filter(|(number, ..)| precompiled.listed.contains(*number));
        let last = listed.map(|(_, line, _)| *line).max().unwrap_or(0);
        let nothing = HashMap::new();
        for inclusion in parsed.inclusions() {
            let Some(line) = inclusion.line.filter(|line| *line <= last) else { continue };
            let _ = line;
            let path = paths.absolute(&paths.identify(&unit.directory, &inclusion.file.path()));
            let harm = match headers.find(&path) {
                Some(number) => {
                    let (scan, reach) = (&headers.get(number).scan, headers.reach(number));
                    precompiled.moved.harm(&Other { scan, reach, number: Some(number) }, headers, &self.macros)
                }
                None => {
                    let scan = self.scans.get(&path)?;
                    let other = Other { scan: &scan, reach: &nothing, number: None };
                    precompiled.moved.harm(&other, headers, &self.macros)
                }
            };
            if let Some(harm) = harm {
                self.refuse(format!("unit: {} for {}", self.tell(headers, &harm), path.display()));
                return None;
            }
        }
        let text = parsed.main_file().map(|main| parsed.contents(main)).unwrap_or_default();
        let lines = text.split_inclusive(|byte| *byte == b'\n').take(last as usize).map(<[u8]>::len).sum();
        let start = scan(&text[..lines], &self.names);
        let other = Other { scan: &start, reach: headers.reach(member.main), number: Some(member.main) };
        if let Some(harm) = precompiled.moved.harm(&other, headers, &self.macros) {
            self.refuse(format!("unit: {} for main {}", self.tell(headers, &harm), unit.file.display()));
            return None;
        }
        let mut facts = extracted.facts;
        let main = facts.files.first()?.clone();
        for precompiled in precompiled.all() {
            facts.pieces.extend(precompiled.pieces.iter().cloned());
            facts.files.extend(precompiled.files.iter().cloned());
        }
        // As in a plain parse: the main file, and the others sorted.
        facts.files[1..].sort();
        facts.files.dedup();
        facts.pieces.sort_by(|one, other| {
            let key = |piece: &Piece| {
                let file = piece.facts().files.first().cloned();
                (file.as_ref() != Some(&main), file)
            };
            key(one).cmp(&key(other))
        });
        Some(facts)
    }
}

/// Makes precompiled headers, each before what stands on it, and reads all units.
pub(super) fn run(indexer: &Indexer, units: &[Unit], sharing: &Sharing, sender: Sender<(usize, Outcome)>) {
    let run = Run { indexer, units, sharing };
    rayon::scope(|scope| {
        for (node, plan) in sharing.plan.nodes.iter().enumerate() {
            if plan.below.is_none() {
                let sender = sender.clone();
                scope.spawn(move |scope| run.node(node, None, sender, scope));
            }
        }
        for number in 0..units.len() {
            if sharing.plan.units[number].is_none() {
                let sender = sender.clone();
                scope.spawn(move |_| run.unit(number, None, &sender));
            }
        }
    });
}

#[derive(Clone, Copy)]
struct Run<'a> {
    indexer: &'a Indexer,
    units: &'a [Unit],
    sharing: &'a Sharing,
}

impl<'a> Run<'a> {
    fn node(
        self,
        node: usize,
        below: Option<Arc<Precompiled>>,
        sender: Sender<(usize, Outcome)>,
        scope: &rayon::Scope<'a>,
    ) {
        // Whatever stands on what could not be made stands on what is below it.
        let made = self.precompile(node, below.as_ref()).map(Arc::new).or(below);
        let plan = &self.sharing.plan.nodes[node];
        for &number in &plan.units {
            let (made, sender) = (made.clone(), sender.clone());
            scope.spawn(move |_| self.unit(number, made.as_deref(), &sender));
        }
        for &above in &plan.above {
            let (made, sender) = (made.clone(), sender.clone());
            scope.spawn(move |scope| self.node(above, made, sender, scope));
        }
    }

    fn unit(self, number: usize, precompiled: Option<&Precompiled>, sender: &Sender<(usize, Outcome)>) {
        let unit = &self.units[number];
        let shared = precompiled.and_then(|precompiled| self.shared(number, unit, precompiled));
        let outcome = match shared {
            Some(facts) => Outcome::Read(Box::new(facts)),
            None => self.indexer.read(unit),
        };
        // The receiver is gone only when the run is being abandoned.
        let _ = sender.send((number, outcome));
    }

    /// The facts of a unit by way of precompiled headers, if they can be had so.
    fn shared(self, number: usize, unit: &Unit, precompiled: &Precompiled) -> Option<UnitFacts> {
        let parse = Parse { purpose: Purpose::Walk, below: Some(&precompiled.file), source: None, more: &[] };
        let Indexer { files, vocabulary, .. } = self.indexer;
        let read = || {
            self.indexer.parse(unit, parse, |parsed, unknown_arguments| {
                let extracted = extract(parsed, &unit.directory, files, vocabulary, Some(&precompiled.before));
                let facts = self.sharing.complete(number, unit, parsed, extracted, precompiled, files);
                facts.map(|mut facts| {
                    facts.health.unknown_arguments = unknown_arguments;
                    facts
                })
            })
        };
        // A plain parse tells what is the matter.
        catch_unwind(AssertUnwindSafe(read)).ok()?.ok()?
    }

    fn precompile(self, node: usize, below: Option<&Arc<Precompiled>>) -> Option<Precompiled> {
        let plan = &self.sharing.plan.nodes[node];
        let unit = &self.units[plan.unit];
        let more: Vec<&str> = STRICT.iter().copied().chain(["-x", "c-header"]).collect();
        let parse = Parse {
            purpose: Purpose::Precompile,
            below: below.map(|below| below.file.as_c_str()),
            source: Some(self.sharing.source(node)?),
            more: &more,
        };
        let target = self.sharing.target(node)?;
        let Indexer { files, vocabulary, .. } = self.indexer;
        let make = || {
            self.indexer.parse(unit, parse, |parsed, _| {
                let known = below.map(|below| &below.before);
                let extracted = extract(parsed, &unit.directory, files, vocabulary, known);
                let made = self.sharing.accept(node, parsed, &unit.directory, extracted, below, files)?;
                parsed.save(&target).then_some(made)
            })
        };
        catch_unwind(AssertUnwindSafe(make)).ok()?.ok()?
    }
}
