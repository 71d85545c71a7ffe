//! Header work that units share: what many of them include is compiled once, to precompiled headers that stand on one another.
//!
//! The facts are those of a plain parse, or the unit is parsed plainly: what a precompiled header may change is looked for
//! before it is made and after each unit that uses it, and any doubt is enough (see `check`).

mod interference;
mod cluster;
mod headers;
mod store;
mod plan;
mod name_uses;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use crate::clang::{File, Purpose, Severity, TranslationUnit, UnsavedFile};
use crate::compdb::Unit;
use crate::extract::{Extracted, Paths, extract};
use crate::scan::{Name, scan};
use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, Identities, Tree};
use cowrap_facts::{SharedFileFacts, UnitFacts};

use crate::parse::Input;
use crate::sources::Sources;
use crate::unit_reader::{UnitOutcome, UnitReader};

use self::cluster::BitSet;
use self::headers::{HeaderId, Headers, Inclusions};
use self::interference::{Conflict, Declared, Lines, Macros, Moved, Order, Other, defines, undeclared};
use self::name_uses::{Wanted, reference};
pub use self::plan::Plan;
use self::plan::{Listed, UnitGroup};
use self::store::{Compiled, Included, Referred, Store};

/// Arguments for precompiled headers alone: what is only a warning there can mean something else where more is declared.
pub(super) const STRICT: &[&str] = &["-Wno-everything", "-Wimplicit-function-declaration", "-Wvisibility"];

/// How often a precompiled header is tried, each time without the headers that were bad before.
const MOST_TRIES: usize = 4;

/// What sharing needs beside the plan.
#[derive(Debug)]
pub struct Sharing<'a> {
    /// Who shares what.
    pub plan: Plan,
    macros: Macros,
    sources: Arc<Sources>,
    /// Where the precompiled headers are.
    scratch: tempfile::TempDir,
    /// Where they are kept for later runs.
    store: Option<Store<'a>>,
    /// Whether every unit that shares is parsed plainly, too.
    verify: bool,
    seen: Mutex<SharingStats>,
}

/// What became of sharing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharingStats {
    /// Units whose facts were had by way of precompiled headers.
    pub units: usize,
    /// Precompiled headers that were made.
    pub headers: usize,
    /// Those of them that an earlier run made.
    pub kept: usize,
    /// Why units were parsed plainly after all, and precompiled headers not made or made without some headers; and how often.
    pub refusals: BTreeMap<String, usize>,
    /// Units whose facts were not those of a plain parse, and the first file whose facts are others. There must be none.
    pub differing: Vec<(PathBuf, PathBuf)>,
}

/// A precompiled header.
#[derive(Debug)]
pub struct Precompiled {
    /// Its file.
    pub file: CString,
    /// That file, if it is kept.
    lasting: Option<PathBuf>,
    /// What it stands on.
    below: Option<Arc<Precompiled>>,
    compiled: Compiled,
    /// The files that it read, as facts tell them.
    files: Vec<PathBuf>,
    /// The headers that it includes itself, and those below it too.
    listed: BitSet,
    /// The files that its first header, or that of the lowest below it, reads.
    first: BitSet,
    /// What it included, and those below it.
    included: Inclusions,
    /// The macros that files define which it and those below it read, though nobody foresaw it.
    unforeseen: HashSet<Name>,
    moved: Arc<Moved>,
    /// The macros that its files may define.
    defined: HashSet<Name>,
    /// What its files declare, without what is always declared.
    declared: Declared,
    /// What its first header declares, or that of the lowest below it.
    always: HashSet<Name>,
}

/// A precompiled header that is being made.
#[derive(Clone, Copy)]
struct Making<'a> {
    /// Its position in the plan.
    node: usize,
    /// What it stands on.
    below: Option<&'a Arc<Precompiled>>,
    /// The headers that it includes itself.
    listed: &'a [&'a Listed],
}

impl Precompiled {
    fn all(&self) -> impl Iterator<Item = &Precompiled> {
        std::iter::successors(Some(self), |precompiled| precompiled.below.as_deref())
    }
}

impl<'a> Sharing<'a> {
    /// Plans for units. With `verify`, the facts of each unit that shares are compared with those of a plain parse, which are
    /// the ones that are taken.
    ///
    /// # Errors
    ///
    /// There is no place for precompiled headers.
    pub fn new(
        units: &[Unit],
        tree: &Tree,
        identities: &Identities,
        sources: &Arc<Sources>,
        verify: bool,
    ) -> std::io::Result<Sharing<'a>> {
        let plan = plan::plan(units, tree, identities, sources);
        let mut macros = Macros::default();
        for group in &plan.groups {
            for number in 0..group.headers.count() {
                let header = group.headers.get(number);
                macros.add(&header.scan, header.own, sources.scans.names());
            }
        }
        macros.finish(units.iter().flat_map(|unit| &unit.arguments), sources.scans.names());
        let scratch = tempfile::Builder::new().prefix("cowrap-").tempdir()?;
        let (sources, seen) = (Arc::clone(sources), Mutex::default());
        Ok(Sharing { plan, macros, sources, scratch, store: None, verify, seen })
    }

    /// The same with precompiled headers kept for later runs; see [`Store::new`].
    pub fn keep(self, cache: &'a Cache, base: Digest, places: &[&Path], texts: &[UnsavedFile]) -> Sharing<'a> {
        Sharing { store: Some(Store::new(cache, base, places, texts)), ..self }
    }

    /// The headers that a node includes itself, without bad ones.
    fn listed(&self, node: usize, bad: &BitSet) -> Vec<&Listed> {
        self.plan.nodes[node].listed.iter().filter(|listed| !bad.contains(listed.number)).collect()
    }

    /// A text that includes headers, as a file in memory, and its path.
    ///
    /// Clang forgets a macro of a precompiled header when one on top of it uses the name for something else than a macro, as
    /// for a field that is called like a macro with arguments (seen with libclang 19). So for all names that could be such,
    /// the text ends with what makes clang write the macro down again.
    fn source(&self, node: usize, listed: &[&Listed], below: Option<&Precompiled>) -> Option<(CString, UnsavedFile)> {
        let path = self.scratch.path().join(format!("{node}.h"));
        let mut text: Vec<u8> = listed.iter().flat_map(|listed| &listed.line).copied().collect();
        if let Some(below) = below {
            let headers = &self.plan.groups[self.plan.nodes[node].group].headers;
            let read = headers.closure(listed.iter().map(|listed| listed.number));
            let words = read.iter().flat_map(|number| &headers.get(number).scan.words).map(|(name, _)| *name);
            let may_be_forgotten = |name: &Name| below.all().any(|level| level.defined.contains(name));
            let names: BTreeSet<Arc<[u8]>> =
                words.filter(may_be_forgotten).map(|name| self.sources.scans.names().text(name)).collect();
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            for name in names.iter().filter(|name| name.iter().all(is_plain)) {
                for order in ["push", "pop"] {
                    let name = String::from_utf8_lossy(name);
                    text.extend(format!("#pragma {order}_macro(\"{name}\")\n").bytes());
                }
            }
        }
        let file = UnsavedFile::new(path.clone(), text)?;
        Some((CString::new(path.into_os_string().as_bytes()).ok()?, file))
    }

    /// Where the precompiled header of a node goes.
    pub(super) fn target(&self, node: usize) -> Option<CString> {
        let path = self.scratch.path().join(format!("{node}.pch"));
        CString::new(path.into_os_string().as_bytes()).ok()
    }

    /// What became of it, as far as units were read.
    pub fn shared(&self) -> SharingStats {
        let mut shared = self.seen.lock().map(|seen| seen.clone()).unwrap_or_default();
        shared.differing.sort();
        shared
    }

    fn note(&self, note: impl FnOnce(&mut SharingStats)) {
        if let Ok(mut seen) = self.seen.lock() {
            note(&mut seen);
        }
    }

    fn group(&self, node: usize) -> &UnitGroup {
        &self.plan.groups[self.plan.nodes[node].group]
    }

    fn refuse(&self, reason: String) {
        self.note(|seen| *seen.refusals.entry(reason).or_default() += 1);
    }

    fn tell(&self, headers: &Headers, harm: &Conflict) -> String {
        let name =
            harm.macro_name.map(|name| String::from_utf8_lossy(&self.sources.scans.names().text(name)).into_owned());
        let file = harm.file.map(|file| headers.get(file).path.display().to_string());
        format!("{} in {}", name.unwrap_or_else(|| "a pragma".into()), file.unwrap_or_else(|| "it".into()))
    }

    /// What was compiled for a node, if that is of any use; else the headers that it must not include itself, if there is hope
    /// without them.
    fn compiled(
        &self,
        making: Making<'_>,
        unit: &TranslationUnit<'_>,
        directory: &Path,
        extracted: Extracted,
        paths: &dyn Paths,
    ) -> Result<Compiled, BitSet> {
        let Making { node, listed, .. } = making;
        let nothing = BitSet::default();
        if let Some(doubt) = extracted.doubt {
            self.refuse(format!("node: {doubt:?}"));
            return Err(nothing);
        }
        let headers = &self.group(node).headers;
        let identify = |file: File<'_>| paths.identify(directory, &file.path());
        let number = |file: File<'_>| headers.find(&paths.absolute(&identify(file)));
        if let Some(told) = unit.diagnostics().iter().find(|diagnostic| diagnostic.severity >= Severity::Warning) {
            self.refuse(format!("node: {}", told.message));
            let file = told.location.and_then(|place| number(place.file));
            return Err(culprits(&[Conflict { file, other: None, macro_name: None }], listed, headers));
        }
        let included = unit.inclusions().into_iter().filter_map(|inclusion| {
            let from = inclusion.from.map(|(from, line)| (identify(from), line));
            Some(Included { file: identify(inclusion.file), line: inclusion.line?, from })
        });
        let Extracted { facts, before, .. } = extracted;
        Ok(Compiled { inclusions: included.collect(), before: Arc::new(before), pieces: facts.file_facts })
    }

    /// Whether what was compiled for a node can be used, and how; else the headers that it must not include itself, if there
    /// is hope without them. `refer` tells which of some names files refer to; where it cannot, the result is `None`.
    fn accept(
        &self,
        making: Making<'_>,
        compiled: Compiled,
        paths: &dyn Paths,
        refer: impl FnOnce(&Wanted) -> Option<Vec<(HeaderId, String)>>,
    ) -> Option<Result<Precompiled, (Compiled, BitSet)>> {
        match self.accepted(making, &compiled, paths, refer)? {
            Ok(accepted) => Some(Ok(Precompiled { compiled, ..accepted })),
            Err(bad) => Some(Err((compiled, bad))),
        }
    }

    /// The same, without what was compiled.
    fn accepted(
        &self,
        making: Making<'_>,
        compiled: &Compiled,
        paths: &dyn Paths,
        refer: impl FnOnce(&Wanted) -> Option<Vec<(HeaderId, String)>>,
    ) -> Option<Result<Precompiled, BitSet>> {
        let Making { node, below, listed } = making;
        let nothing = BitSet::default();
        let UnitGroup { headers, first: group_first, .. } = self.group(node);
        let (mut files, mut moved, mut known) = (Vec::new(), Vec::new(), BitSet::default());
        let mut defined = HashSet::new();
        let mut first = below.map(|below| below.first.clone()).unwrap_or_default();
        let mut included = below.map(|below| below.included.clone()).unwrap_or_default();
        let mut unforeseen = below.map(|below| below.unforeseen.clone()).unwrap_or_default();
        let begins_with_first = below.is_none() && listed.first().map(|listed| listed.number) == *group_first;
        let listed_at = |line: u32| listed.get((line as usize).saturating_sub(1));
        let find = |path: &Path| headers.find(&paths.absolute(path));
        for Included { file, line, from } in &compiled.inclusions {
            let line = *line;
            files.push(file.clone());
            // What the first header reads comes first in every unit.
            let is_first = begins_with_first && line == 1;
            let Some(read) = find(file) else {
                if is_first {
                    let Some(scan) = self.sources.scans.get(&paths.absolute(file)) else {
                        self.refuse(format!("node: unreadable {}", file.display()));
                        return Some(Err(nothing));
                    };
                    defined.extend(scan.defines.iter().map(|(name, _)| *name));
                    unforeseen.extend(defines(&scan).map(|(name, _)| name));
                    continue;
                }
                self.refuse(format!("node: unforeseen {}", file.display()));
                return Some(Err(listed_at(line).map(|listed| listed.number).into_iter().collect()));
            };
            // What is listed behind what should have included it was not included by that.
            let is_direct = from.as_ref().is_none_or(|(from, _)| find(from).is_none());
            let parent = listed_at(line).filter(|listed| is_direct && listed.number == read).map(|listed| listed.from);
            if listed.iter().any(|listed| Some(listed.number) == parent) {
                self.refuse(format!("node: not included {}", file.display()));
                return Some(Err(nothing));
            }
            defined.extend(headers.get(read).scan.defines.iter().map(|(name, _)| *name));
            if is_first {
                first.insert(read);
            } else if known.insert(read) {
                moved.push(read);
            }
            if let Some((from, line)) = from
                && let Some(from) = find(from)
            {
                included.insert((from, *line, read));
            }
        }
        files.sort();
        files.dedup();
        let below_moved = below.map(|below| Arc::clone(&below.moved));
        let names = self.sources.scans.names();
        let order = Order::new(headers, names, &included, &unforeseen);
        let mut declares: HashMap<HeaderId, Lines> = HashMap::new();
        for (name, declarations) in compiled.before.again() {
            let found = declarations.iter().filter_map(|(path, line)| Some((find(path)?, *line)));
            for (number, line) in found.filter(|(number, _)| !first.contains(*number)) {
                declares.entry(number).or_default().push((names.intern(name.as_bytes()), line));
            }
        }
        let (moved, mut harm) = Moved::new(below_moved, moved, &first, &declares, &order, &self.macros);
        let mut declared = Declared::new();
        let mut always = below.map(|below| below.always.clone()).unwrap_or_default();
        for (name, declarations) in compiled.before.names() {
            let Some(name) = names.find(name.as_bytes()) else { continue };
            let numbers: Vec<Option<HeaderId>> = declarations.iter().map(|(path, _)| find(path)).collect();
            // Only what the first header reads may be unforeseen.
            if numbers.iter().any(|number| number.is_none_or(|number| first.contains(number))) {
                always.insert(name);
            } else if !always.contains(&name) {
                declared.insert(
                    name,
                    numbers.iter().zip(declarations).filter_map(|(n, (_, line))| Some(((*n)?, *line))).collect(),
                );
            }
        }
        let levels: Vec<&Declared> =
            below.into_iter().flat_map(|below| below.all()).map(|level| &level.declared).chain([&declared]).collect();
        let mut wanted = Wanted::new();
        let mut declarers: HashMap<(HeaderId, String), HeaderId> = HashMap::new();
        for file in moved.files().iter().filter(|file| !first.contains(**file)) {
            for (name, declarer) in undeclared(&headers.get(*file).scan, Some(*file), &levels, &Declared::new(), &order)
            {
                let name = String::from_utf8_lossy(&names.text(name)).into_owned();
                wanted.entry(*file).or_default().insert(name.clone());
                declarers.insert((*file, name), declarer);
            }
        }
        for (file, name) in refer(&wanted)? {
            let macro_name = names.find(name.as_bytes());
            harm.push(Conflict { file: declarers.get(&(file, name)).copied(), other: Some(file), macro_name });
        }
        for (user, definer, line) in compiled.before.used() {
            let (Some(user), Some(definer)) = (find(user), find(definer)) else { continue };
            if ![user, definer].iter().any(|file| first.contains(*file)) && !order.is_there(definer, user, line) {
                harm.push(Conflict { file: Some(definer), other: Some(user), macro_name: None });
            }
        }
        let counting = compiled.before.pasted().filter_map(find);
        // Precompiled headers do not tell how far they counted.
        let counting = counting.filter(|file| !first.contains(*file) && self.macros.counts(&headers.get(*file).scan));
        harm.extend(counting.map(|file| Conflict { file: Some(file), other: None, macro_name: None }));
        if !harm.is_empty() {
            for harm in &harm {
                self.refuse(format!("node: {}", self.tell(headers, harm)));
            }
            return Some(Err(culprits(&harm, listed, headers)));
        }
        let mut listed: BitSet = listed.iter().map(|listed| listed.number).collect();
        if let Some(below) = below {
            listed.extend(&below.listed);
        }
        Some(Ok(Precompiled {
            file: CString::default(),
            lasting: None,
            below: below.cloned(),
            compiled: Compiled::default(),
            files,
            listed,
            first,
            included,
            unforeseen,
            moved: Arc::new(moved),
            defined,
            declared,
            always,
        }))
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
        if extracted.facts.parse_status.errors > 0 {
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
        let names = self.sources.scans.names();
        let order = Order::new(headers, names, &precompiled.included, &precompiled.unforeseen);
        let main = extracted.facts.files.first()?.clone();
        if precompiled.all().any(|precompiled| precompiled.files.contains(&main)) {
            self.refuse("unit: a header includes it".into());
            return None;
        }
        // What is declared again, by the path of the file.
        let mut declares: HashMap<&Path, Lines> = HashMap::new();
        for (name, declarations) in extracted.before.again() {
            for (path, line) in declarations.into_iter().filter(|(path, line)| *path != main || *line <= last) {
                declares.entry(path).or_default().push((names.intern(name.as_bytes()), *line));
            }
        }
        let mut declared = Declared::new();
        for (name, declarations) in extracted.before.names() {
            let Some(name) = names.find(name.as_bytes()) else { continue };
            let find = |path: &Path| headers.find(&paths.absolute(path));
            let found = declarations.iter().filter_map(|(path, line)| Some((find(path)?, *line)));
            declared.insert(name, found.collect());
        }
        let levels: Vec<&Declared> = precompiled.all().map(|level| &level.declared).collect();
        // What is read before all that the precompiled headers read was read in any case.
        let mut early: HashSet<HeaderId> = HashSet::from([member.main]);
        let mut wanted = Wanted::new();
        let mut want = |number: Option<HeaderId>, undeclared: Vec<(Name, HeaderId)>| {
            let texts = undeclared.iter().map(|(name, _)| String::from_utf8_lossy(&names.text(*name)).into_owned());
            if let Some(number) = number.filter(|_| !undeclared.is_empty()) {
                wanted.entry(number).or_default().extend(texts);
            }
        };
        for inclusion in parsed.inclusions() {
            if inclusion.line.is_none_or(|line| line > last) {
                continue;
            }
            let identity = paths.identify(&unit.directory, &inclusion.file.path());
            let path = paths.absolute(&identity);
            let number = headers.find(&path);
            let scan = match number {
                Some(number) => Arc::clone(&headers.get(number).scan),
                None => self.sources.scans.get(&path)?,
            };
            let is_first = number.is_some_and(|number| precompiled.first.contains(number));
            let declares = declares.get(identity.as_path()).map(Vec::as_slice).unwrap_or_default();
            let other = Other { scan: &scan, number, is_first, declares };
            if let Some(harm) = precompiled.moved.harm(&other, &order, &self.macros) {
                self.refuse(format!("unit: {} for {}", self.tell(headers, &harm), path.display()));
                return None;
            }
            let number = number.filter(|_| !is_first);
            early.extend(number);
            want(number, undeclared(&scan, number, &levels, &declared, &order));
        }
        let text = parsed.main_file().map(|main| parsed.contents(main)).unwrap_or_default();
        let lines = text.split_inclusive(|byte| *byte == b'\n').take(last as usize).map(<[u8]>::len).sum();
        let start = scan(&text[..lines], names);
        let declares = declares.get(main.as_path()).map(Vec::as_slice).unwrap_or_default();
        let other = Other { scan: &start, number: Some(member.main), is_first: false, declares };
        // Precompiled headers do not tell how far they counted.
        let may_be_counted =
            |path: &Path| self.sources.scans.get(&paths.absolute(path)).is_none_or(|scan| self.macros.counts(&scan));
        if extracted.before.pasted().any(may_be_counted) {
            self.refuse("unit: names are counted".into());
            return None;
        }
        if let Some(harm) = precompiled.moved.harm(&other, &order, &self.macros) {
            self.refuse(format!("unit: {} for main {}", self.tell(headers, &harm), unit.file.display()));
            return None;
        }
        want(other.number, undeclared(&start, other.number, &levels, &declared, &order));
        let number = |file: File<'_>| headers.find(&paths.absolute(&paths.identify(&unit.directory, &file.path())));
        let in_start = |number: HeaderId, line: u32| number != member.main || line <= last;
        let found = reference(parsed, &wanted, number, in_start);
        if let Some((number, name)) = found.first() {
            self.refuse(format!("unit: {name} is not declared in {}", headers.get(*number).path.display()));
            return None;
        }
        // The same for what is inside of records.
        for (user, definer, line) in extracted.before.used().filter(|(user, _, line)| *user != main || *line <= last) {
            let is_shared = precompiled.compiled.before.has_read(definer);
            let find = |path: &Path| headers.find(&paths.absolute(path));
            let (Some(number), Some(definer)) = (find(user), find(definer)) else { continue };
            let is_certain = precompiled.first.contains(definer) || order.is_there(definer, number, line);
            let is_early = early.contains(&number);
            if is_shared && is_early && !is_certain {
                self.refuse(format!("unit: fields are not declared in {}", headers.get(number).path.display()));
                return None;
            }
        }
        let mut facts = extracted.facts;
        for precompiled in precompiled.all() {
            facts.file_facts.extend(precompiled.compiled.pieces.iter().cloned());
            facts.files.extend(precompiled.files.iter().cloned());
        }
        // As in a plain parse: the main file, and the others sorted.
        facts.files[1..].sort();
        facts.files.dedup();
        facts.file_facts.sort_by(|one, other| {
            let key = |piece: &SharedFileFacts| {
                let file = piece.facts().files.first().cloned();
                (file.as_ref() != Some(&main), file)
            };
            key(one).cmp(&key(other))
        });
        Some(facts)
    }
}

/// The first file that two units do not both read, or that does not say the same in both.
fn difference(one: &UnitFacts, other: &UnitFacts) -> Option<PathBuf> {
    let files = |facts: &UnitFacts| facts.files.iter().cloned().collect::<BTreeSet<PathBuf>>();
    let (these, those) = (files(one), files(other));
    if let Some(file) = these.symmetric_difference(&those).next() {
        return Some(file.clone());
    }
    let pieces = |facts: &UnitFacts| -> BTreeMap<PathBuf, Digest> {
        let named = |piece: &SharedFileFacts| Some((piece.facts().files.first()?.clone(), piece.digest()));
        facts.file_facts.iter().filter_map(named).collect()
    };
    let (these, those) = (pieces(one), pieces(other));
    let files: BTreeSet<&PathBuf> = these.keys().chain(those.keys()).collect();
    files.into_iter().find(|file| these.get(*file) != those.get(*file)).cloned()
}

/// The headers to leave out, so that nothing is left that does harm: for each pair, the lighter of what leads to one and what
/// leads to the other.
fn culprits(harm: &[Conflict], listed: &[&Listed], headers: &Headers) -> BitSet {
    let closures: Vec<(HeaderId, BitSet)> =
        listed.iter().map(|listed| (listed.number, headers.closure([listed.number]))).collect();
    let mut culprits = BitSet::default();
    for harm in harm {
        let leading = |file: Option<HeaderId>| -> Vec<usize> {
            let Some(file) = file else { return Vec::new() };
            let leads = |(_, (number, closure)): &(usize, &(HeaderId, BitSet))| {
                !culprits.contains(*number) && closure.contains(file)
            };
            closures.iter().enumerate().filter(leads).map(|(position, _)| position).collect()
        };
        let weigh = |positions: &[usize]| -> u64 {
            let mut all = BitSet::default();
            positions.iter().for_each(|position| all.extend(&closures[*position].1));
            all.iter().map(|number| headers.get(number).scan.weight()).sum()
        };
        let (one, other) = (leading(harm.file), leading(harm.other));
        // Where one side is gone, or lies below, the other one has to go if it is still there.
        let is_below =
            |file: Option<HeaderId>| !file.is_some_and(|file| closures.iter().any(|(_, c)| c.contains(file)));
        let chosen = match (one.is_empty(), other.is_empty()) {
            (true, true) => continue,
            (true, false) if is_below(harm.file) => other,
            (false, true) if is_below(harm.other) => one,
            (true, false) | (false, true) => continue,
            (false, false) if weigh(&one) <= weigh(&other) => one,
            (false, false) => other,
        };
        for position in chosen {
            culprits.insert(closures[position].0);
        }
    }
    culprits
}

/// Makes precompiled headers, each before what stands on it, and reads all units.
pub(crate) fn read_units(
    reader: &UnitReader,
    units: &[Unit],
    sharing: &Sharing<'_>,
    sender: Sender<(usize, UnitOutcome)>,
) {
    let run = Run { reader, units, sharing };
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
    reader: &'a UnitReader,
    units: &'a [Unit],
    sharing: &'a Sharing<'a>,
}

impl<'a> Run<'a> {
    fn node(
        self,
        node: usize,
        below: Option<Arc<Precompiled>>,
        sender: Sender<(usize, UnitOutcome)>,
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

    fn unit(self, number: usize, precompiled: Option<&Precompiled>, sender: &Sender<(usize, UnitOutcome)>) {
        let unit = &self.units[number];
        let shared = precompiled.and_then(|precompiled| self.shared(number, unit, precompiled));
        if shared.is_some() {
            self.sharing.note(|seen| seen.units += 1);
        }
        let outcome = match shared {
            Some(facts) if self.sharing.verify => self.verified(unit, &facts),
            Some(facts) => UnitOutcome::Read(Box::new(facts)),
            None => self.reader.read(unit),
        };
        // The receiver is gone only when the run is being abandoned.
        let _ = sender.send((number, outcome));
    }

    /// A plain parse of a unit, after its facts were compared with others.
    fn verified(self, unit: &Unit, shared: &UnitFacts) -> UnitOutcome {
        let outcome = self.reader.read(unit);
        let plain = match &outcome {
            UnitOutcome::Read(plain) => Some(&**plain),
            UnitOutcome::Failed(_) => None,
        };
        if plain != Some(shared) {
            let file = plain.and_then(|plain| difference(plain, shared)).unwrap_or_default();
            self.sharing.note(|seen| seen.differing.push((unit.file.clone(), file)));
        }
        outcome
    }

    /// The facts of a unit by way of precompiled headers, if they can be had so.
    fn shared(self, number: usize, unit: &Unit, precompiled: &Precompiled) -> Option<UnitFacts> {
        let input = Input { purpose: Purpose::Walk, pch: Some(&precompiled.file), source: None, more: &[] };
        let UnitReader { parser, paths: files, vocabulary } = self.reader;
        let read = || {
            parser.parse(unit, input, |parsed, unknown_arguments| {
                let extracted = extract(parsed, &unit.directory, files, vocabulary, Some(&precompiled.compiled.before));
                let facts = self.sharing.complete(number, unit, parsed, extracted, precompiled, files);
                facts.map(|mut facts| {
                    facts.parse_status.unknown_arguments = unknown_arguments;
                    facts
                })
            })
        };
        // A plain parse tells what is the matter.
        catch_unwind(AssertUnwindSafe(read)).ok()?.ok()?
    }

    fn precompile(self, node: usize, below: Option<&Arc<Precompiled>>) -> Option<Precompiled> {
        let mut bad = BitSet::default();
        for _ in 0..MOST_TRIES {
            let made = catch_unwind(AssertUnwindSafe(|| self.try_to_precompile(node, below, &bad))).ok()??;
            match made {
                Ok(made) => {
                    self.sharing.note(|seen| seen.headers += 1);
                    return Some(made);
                }
                Err(more) => bad.extend(&more),
            }
        }
        None
    }

    /// A precompiled header without what leads to bad files; or the files that are bad, too. `None` when there is no hope.
    fn try_to_precompile(
        self,
        node: usize,
        below: Option<&Arc<Precompiled>>,
        bad: &BitSet,
    ) -> Option<Result<Precompiled, BitSet>> {
        let unit = &self.units[self.sharing.plan.nodes[node].unit];
        let listed = self.sharing.listed(node, bad);
        if listed.is_empty() {
            return None;
        }
        let more: Vec<&str> = STRICT.iter().copied().chain(["-x", "c-header"]).collect();
        let UnitReader { parser, paths: files, vocabulary } = self.reader;
        let source = self.sharing.source(node, &listed, below.map(|below| &**below))?;
        let making = Making { node, below, listed: &listed };
        let group = self.sharing.group(node);
        let key = self.sharing.store.as_ref().and_then(|store| {
            let arguments = self.reader.parser.arguments(unit).ok()?;
            Some((store, store.key(making, group, &arguments, &source.1, &self.sharing.sources)?))
        });
        if let Some((store, key)) = &key
            && let Some(made) = self.remembered(store, key, making)
        {
            return Some(made).filter(|made| !matches!(made, Err(bad) if bad.is_empty()));
        }
        let input = Input {
            purpose: Purpose::Precompile,
            pch: below.map(|below| below.file.as_c_str()),
            source: Some(source),
            more: &more,
        };
        let target = self.sharing.target(node)?;
        let made = parser.parse(unit, input, |parsed, _| {
            let nothing = Arc::default();
            let known = below.map_or(&nothing, |below| &below.compiled.before);
            let extracted = extract(parsed, &unit.directory, files, vocabulary, Some(known));
            let compiled = match self.sharing.compiled(making, parsed, &unit.directory, extracted, files) {
                Ok(compiled) => compiled,
                Err(bad) => return Some(Err(bad)),
            };
            let mut referred = Referred::default();
            let number =
                |file: File<'_>| group.headers.find(&files.absolute(&files.identify(&unit.directory, &file.path())));
            let refer = |wanted: &Wanted| {
                let found = reference(parsed, wanted, number, |_, _| true);
                referred = Referred::new(wanted, &found, group);
                Some(found)
            };
            let accepted = self.sharing.accept(making, compiled, files, refer)?;
            let places: (&Sources, &dyn Paths) = (&self.sharing.sources, files);
            match accepted {
                Ok(made) => {
                    let kept = key.and_then(|(store, key)| {
                        let save = |path: &CStr| parsed.save(path);
                        store.keep(key, (making, group), (&made.compiled, referred), places, Some(&save))
                    });
                    match kept {
                        Some(path) => made.in_file(path).map(Ok),
                        None => parsed.save(&target).then(|| Ok(Precompiled { file: target, ..made })),
                    }
                }
                Err((compiled, bad)) => {
                    if let Some((store, key)) = key {
                        store.keep(key, (making, group), (&compiled, referred), places, None);
                    }
                    Some(Err(bad))
                }
            }
        });
        // Without any header to leave out, there is no hope.
        made.ok()?.filter(|made| !matches!(made, Err(bad) if bad.is_empty()))
    }

    /// What an earlier run made, or what it found out of what cannot be made.
    fn remembered(self, store: &Store<'_>, key: &Digest, making: Making<'_>) -> Option<Result<Precompiled, BitSet>> {
        let nothing = Arc::default();
        let known = making.below.map_or(&nothing, |below| &below.compiled.before);
        let (compiled, referred) = store.find(key, Some(known))?;
        let group = self.sharing.group(making.node);
        let refer = |wanted: &Wanted| referred.answer(wanted, group);
        match self.sharing.accept(making, compiled, &self.reader.paths, refer)? {
            Ok(made) => {
                let made = made.in_file(store.file(key)?)?;
                self.sharing.note(|seen| seen.kept += 1);
                Some(Ok(made))
            }
            Err((_, bad)) => Some(Err(bad)),
        }
    }
}
