//! Fixing a tree: what can be done is planned on the whole program, made in memory, checked, and only then written.
//!
//! One round takes every fix that the findings offer. Each is a group of edits that is made whole or not at all. The units that
//! read a changed file are read again with the new texts; what does not turn out as planned is taken back, with everything
//! that belongs to it. Rounds go on until there is nothing more to fix.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use thiserror::Error as ThisError;

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::{Linker, Program};
use cowrap_analysis::rules::RULES;
use cowrap_base::files::{Digest, ON_DISK, Overlay, Texts, Tree, offset, place};
use cowrap_base::git::{GitError, dirty};
use cowrap_facts::{SharedFileFacts, UnitFacts};
use cowrap_fix::plan::{InputList, Order, Planner};
use cowrap_fix::{Change, EditSet, GroupId, Outcome as Writing, Refusal, write_all};
use cowrap_frontend::marks::{VisibleMarks, make_visible};
use cowrap_packs::Pack;
use cowrap_report::{Action, Edit, Finding, Fix, Level, Safety, Span};

use super::generate::{GenerateRequest, Job, generate_from, known_jobs, set_jobs};
use super::generation::generation;
use super::judge::judge;
use super::{Coverage, Error, Input, Opened, Problem, Progress, Report, Request, SharingRequest};
use super::{identify_paths, is_reported, mark_headers, open, read_unit, summarise, vet_rules};

/// How a tree is to be fixed.
#[derive(Clone, Debug)]
pub struct FixRequest {
    /// What to check; findings are fixed where they are reported.
    pub check: Request,
    /// The rules whose findings are fixed, by name; all when there are none.
    pub rules: Vec<String>,
    /// Whether also what can change the program's behaviour is done.
    pub with_unsafe: bool,
    /// Whether files may have changes that git does not have.
    pub allow_dirty: bool,
    /// How many rounds there may be.
    pub max_rounds: usize,
    /// Whether files are written.
    pub write: bool,
}

/// What came of fixing.
#[derive(Debug)]
pub struct Fixed {
    /// What was done, in the order in which it was planned.
    pub applied: Vec<Applied>,
    /// What was offered and not done.
    pub not_applied: Vec<NotApplied>,
    /// Every file that changed, before and after.
    pub changes: Vec<Change>,
    /// The same in steps: for each rule and directory at the top of the tree, what was done and the files before and after.
    pub steps: Vec<Step>,
    /// How many rounds it took.
    pub rounds: usize,
    /// The number of errors, warnings and notes before.
    pub before: [usize; 3],
    /// The state of the tree afterwards.
    pub report: Report,
}

/// A fix that was made.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The rule.
    pub rule: String,
    /// What it did.
    pub title: String,
    /// The same as actions; the first is what the others go with.
    pub actions: Vec<Action>,
    /// Whether it may be done without a person looking at it.
    pub safety: Safety,
    /// The finding that it took away.
    pub finding: Finding,
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotApplied {
    /// Where the finding is.
    pub at: Span,
    /// The rule.
    pub rule: String,
    /// What it would have done.
    pub title: String,
    /// Why it was not.
    pub reason: String,
}

/// What one rule's fixes for findings in one directory at the top of the tree changed.
#[derive(Debug)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// The directory, or the file when it is not in one.
    pub top: PathBuf,
    /// What was done.
    pub applied: Vec<Applied>,
    /// The files that changed.
    pub changes: Vec<Change>,
}

/// Why nothing was fixed.
#[derive(Debug, ThisError)]
pub enum FixError {
    /// The tree cannot be checked.
    #[error(transparent)]
    Check(#[from] Error),
    /// There is nothing to read anew.
    #[error("an index does not hold what fixing needs; name the build directory with -p instead of --index")]
    FromIndex,
    /// Files have changes that nobody could get back.
    #[error("these files have changes that git does not have: {0}\n  commit or stash them, or use --allow-dirty")]
    Dirty(String),
    /// Git cannot tell.
    #[error(transparent)]
    Git(GitError),
    /// Files cannot be written; none was.
    #[error("nothing was written:\n  {0}")]
    NotWritten(String),
    /// Some files were written, and others not.
    #[error("only {written} of {all} files were written, the others are as they were; run again:\n  {reasons}")]
    HalfWritten {
        /// How many were.
        written: usize,
        /// How many should have been.
        all: usize,
        /// Why the others were not.
        reasons: String,
    },
}

/// Fixes a tree.
///
/// # Errors
///
/// Then no file is changed, unless the error says so.
pub fn fix(request: &FixRequest, progress: &dyn Progress) -> Result<Fixed, FixError> {
    let check = &request.check;
    if matches!(check.input, Input::Index(_)) {
        return Err(FixError::FromIndex);
    }
    let report_on = identify_paths(check, &check.report_on)?;
    identify_paths(check, &check.inputs)?;
    vet_rules(&check.enable)?;
    vet_rules(&request.rules)?;
    let pack = super::pack_of(check.pack.as_deref()).map_err(Error::from)?.with(&check.settings);
    let since = SystemTime::now();
    let opened = open(check, pack)?;
    let mut workshop = Workshop::new(request, opened, report_on, since);
    workshop.read_all(progress);
    let mut state = workshop.judge(&BTreeSet::new());
    // As those afterwards: of what is reported.
    let before = counts(&state.report.findings);
    let mut rounds = 0;
    while rounds < request.max_rounds && workshop.round(&mut state, progress) {
        rounds += 1;
    }
    workshop.finish(state, before, rounds)
}

/// The findings of a state of the tree.
struct State {
    findings: Vec<Finding>,
    /// What a suspect mark explains: it may be told as findings of its own as soon as the mark is not suspect any more.
    explained: BTreeSet<Key>,
    report: Report,
}

/// A finding as it is known again after other texts: without its line and its words, which may name something else now.
type Key = (String, Level, String, PathBuf);

/// A fix as it is known again: where its finding is, the rule, and what it does.
type Offer = (Span, String, Vec<Action>);

/// What is known of units, by their numbers.
type Numbered<T> = Vec<(usize, T)>;

/// One fix of a round.
struct Group {
    finding: Finding,
    fix: Fix,
    edits: Vec<Edit>,
}

/// What one round made.
struct Round {
    /// The texts before it, of the files that it changed.
    before: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    groups: Vec<(GroupId, Group)>,
    set: EditSet,
}

/// Why what is still offered was not done, when nothing kept it from being done.
const NO_ROUND_LEFT: &str = "no round was left for it: --max-rounds allows more";

/// How many failures in one file are put down to single fixes, before all that change it are given up: each costs another look.
const MOST_NARROW: u32 = 8;

/// A tree, with all that is needed to change it and look again.
struct Workshop<'r> {
    request: &'r FixRequest,
    opened: Opened,
    report_on: Vec<PathBuf>,
    texts: Texts,
    /// The facts of each unit; nothing for one that could not be read.
    facts: Vec<Option<Vec<SharedFileFacts>>>,
    /// Every piece of facts once, so that units share what they have in common.
    pieces: HashMap<Digest, SharedFileFacts>,
    /// The files that each unit reads, by their numbers in `files`.
    reads: Vec<Vec<u32>>,
    files: HashMap<PathBuf, u32>,
    /// What may not be tried again, with the reason. The place is part of it, in the texts as they are now: what cannot be done
    /// for one call or one function says nothing of the next one with the same words.
    rejected: BTreeMap<Offer, String>,
    /// Headers that marks need: by the file that has to include them.
    includes: BTreeSet<(PathBuf, String)>,
    lists: Vec<InputList>,
    jobs: Vec<Job>,
    /// How often a unit could not be read because of a file.
    failed: BTreeMap<PathBuf, u32>,
    /// Headers that were given to the generator.
    added: BTreeSet<PathBuf>,
    made: Vec<Round>,
}

impl<'r> Workshop<'r> {
    fn new(request: &'r FixRequest, opened: Opened, report_on: Vec<PathBuf>, since: SystemTime) -> Self {
        let texts = Texts::new(&opened.tree.root, Some(since));
        let units = opened.inputs.units.len();
        let jobs = jobs(&opened.tree, &request.check);
        let lists = input_lists(&opened.tree, &jobs);
        Workshop {
            request,
            opened,
            report_on,
            texts,
            facts: vec![None; units],
            pieces: HashMap::new(),
            reads: vec![Vec::new(); units],
            files: HashMap::new(),
            rejected: BTreeMap::new(),
            includes: BTreeSet::new(),
            lists,
            jobs,
            failed: BTreeMap::new(),
            added: BTreeSet::new(),
            made: Vec::new(),
        }
    }

    /// Reads all units as they are on disk.
    fn read_all(&mut self, progress: &dyn Progress) {
        let Opened { indexer, inputs, tree, details, problems, .. } = &mut self.opened;
        progress.start(inputs.units.len());
        let (facts, pieces, reads, files) = (&mut self.facts, &mut self.pieces, &mut self.reads, &mut self.files);
        let sharing = match self.request.check.sharing {
            SharingRequest::No => None,
            _ => indexer.share(&inputs.units, &indexer.sources(&ON_DISK), false),
        };
        indexer.run(&inputs.units, sharing.as_ref(), |number, outcome| {
            progress.step();
            match read_unit(outcome, &inputs.units[number].file, tree, details) {
                Ok(read) => {
                    reads[number] = numbers(files, &read, tree);
                    facts[number] = Some(shared(pieces, &read));
                }
                Err(problem) => problems.push(problem),
            }
        });
        progress.finish();
        problems.sort();
    }

    /// Checks the program as it is known.
    fn judge(&self, added: &BTreeSet<PathBuf>) -> State {
        let program = link(&self.facts, &self.opened.tree);
        let Opened { inputs, tree, pack, details, problems, .. } = &self.opened;
        let mut effects = Effects::new(&program, pack, tree);
        let added: Vec<PathBuf> = self.added.union(added).cloned().collect();
        let not_compared;
        (effects.generation, not_compared) = generation(&effects, &self.request.check, &self.texts, &added);
        let mut enable = self.request.check.enable.clone();
        enable.extend(self.request.rules.iter().cloned());
        let findings =
            judge(&effects, &self.request.check, &enable, &self.texts, problems.is_empty() && inputs.is_whole);
        let mut shown = findings.clone();
        if !self.report_on.is_empty() {
            shown.retain(|finding| is_reported(finding, &self.report_on, tree));
        }
        let units = inputs.units.len() + inputs.refused.len();
        let coverage = Coverage { units, other_languages: inputs.other_languages.clone(), is_whole: inputs.is_whole };
        let summary = summarise(&effects, &shown, problems, &coverage, not_compared.len());
        let details = super::Details { parsing: details.parsing.clone(), not_compared, ..Default::default() };
        let report = Report {
            findings: shown,
            problems: problems.clone(),
            summary,
            tree: tree.clone(),
            details,
            is_partial: !coverage.is_whole,
            rules: super::rule_infos(),
            overlay: Overlay::default(),
            files: program.files.iter().cloned().collect(),
        };
        let explained = effects.suspects().iter().flat_map(|suspect| &suspect.calls).map(|violation| {
            let function = effects.program.function(violation.caller).name.clone();
            let path = tree.relative(effects.program.path(violation.location.file)).to_path_buf();
            ("coroutine-call".to_owned(), Level::Error, function, path)
        });
        let explained = explained.collect();
        State { findings, explained, report }
    }

    /// Makes one round; false when there is nothing to do.
    fn round(&mut self, state: &mut State, progress: &dyn Progress) -> bool {
        loop {
            let (groups, set) = self.plan(&state.report.findings);
            if set.is_empty() {
                return false;
            }
            match self.attempt(state, &groups, &set, progress) {
                Attempt::Good(success) => {
                    self.take(success, state, groups, set);
                    return true;
                }
                // What was in conflict with these may come now.
                Attempt::Bad(mut blamed) => {
                    let order = Order::new(groups.iter().map(|(id, group)| (*id, &group.fix)));
                    for id in order.resting_on(blamed.keys().copied().collect::<Vec<_>>().into_iter()) {
                        blamed.entry(id).or_insert_with(|| "it needs another fix that cannot be made".to_owned());
                    }
                    for (id, reason) in blamed {
                        if let Some(group) = groups.get(&id) {
                            self.rejected.insert(offer(&group.finding, &group.fix), reason);
                        }
                    }
                }
                // The edits are other ones now.
                Attempt::Again => {}
            }
        }
    }

    /// Goes on from what a round made.
    fn take(&mut self, success: Success, state: &mut State, groups: BTreeMap<GroupId, Group>, set: EditSet) {
        let before = set.paths().filter_map(|path| Some((path.to_path_buf(), self.texts.text(path).ok()?)));
        let before: BTreeMap<PathBuf, Arc<Vec<u8>>> = before.collect();
        // What did not go before may go now.
        self.rejected.clear();
        for (path, text) in success.new_texts {
            self.texts.change(&path, Some(Arc::new(text)));
        }
        self.added.extend(self.added_by(&groups));
        for (unit, read) in success.facts {
            self.reads[unit] = numbers(&mut self.files, &read, &self.opened.tree);
            self.facts[unit] = Some(shared(&mut self.pieces, &read));
        }
        self.made.push(Round { before, groups: groups.into_iter().collect(), set });
        *state = *success.state;
    }

    /// Whether the findings of a rule are to be fixed.
    fn is_wanted(&self, finding: &Finding) -> bool {
        self.request.rules.is_empty() || self.request.rules.contains(&finding.rule)
    }

    /// The fixes that these findings offer, as edits that do not collide.
    fn plan(&mut self, findings: &[Finding]) -> (BTreeMap<GroupId, Group>, EditSet) {
        let offers: Vec<(Finding, Fix)> = findings
            .iter()
            .filter(|finding| self.is_wanted(finding))
            .flat_map(|finding| finding.fixes.iter().map(|fix| (finding.clone(), fix.clone())))
            .collect();
        let mut groups = BTreeMap::new();
        let mut set = EditSet::new();
        let order = Order::new(offers.iter().enumerate().map(|(number, (_, fix))| (number, fix))).groups();
        for number in order.into_iter().flatten() {
            let (finding, fix) = offers[number].clone();
            let offer = offer(&finding, &fix);
            if self.rejected.contains_key(&offer) {
                continue;
            }
            let id = GroupId(groups.len() as u32);
            let is_too_much = fix.safety == Safety::Unsafe && !self.request.with_unsafe;
            let edits = match is_too_much {
                true => Err("it can change what the program does: --unsafe-fixes does it".to_owned()),
                false => self.edits(&fix),
            };
            let reason = match edits {
                Ok(edits) if edits.is_empty() => "there is nothing to write".to_owned(),
                Ok(edits) => match set.add_group(id, &edits) {
                    Ok(()) => {
                        groups.insert(id, Group { finding, fix, edits });
                        continue;
                    }
                    Err(conflict) if conflict.group == id => "its own edits collide".to_owned(),
                    // A fix that collides with another one comes in the next round, when that one is made.
                    Err(_) => continue,
                },
                Err(reason) => reason,
            };
            self.rejected.insert(offer, reason);
        }
        (groups, set)
    }

    fn edits(&self, fix: &Fix) -> Result<Vec<Edit>, String> {
        let is_generated = is_generated(&self.opened.tree, &self.opened.pack);
        let planner =
            Planner { texts: &self.texts, is_generated: &is_generated, lists: &self.lists, includes: &self.includes };
        planner.edits(fix)
    }

    /// The texts of the files that a set of edits changes.
    fn new_texts(&self, set: &EditSet) -> BTreeMap<PathBuf, Vec<u8>> {
        let apply = |path: &Path| {
            let old = self.texts.text(path).ok()?;
            Some((path.to_path_buf(), set.apply(path, &old).ok()?))
        };
        set.paths().filter_map(apply).collect()
    }

    /// Reads what the edits touch with the new texts, and compares what is found then.
    fn attempt(
        &mut self,
        state: &State,
        groups: &BTreeMap<GroupId, Group>,
        set: &EditSet,
        progress: &dyn Progress,
    ) -> Attempt {
        let mut new_texts = self.new_texts(set);
        new_texts.extend(self.generated(groups, &new_texts));
        let touched: BTreeSet<u32> =
            new_texts.keys().filter_map(|path| self.files.get(&self.opened.tree.root.join(path))).copied().collect();
        let units: Vec<usize> = (0..self.facts.len())
            .filter(|unit| self.facts[*unit].is_some() && self.reads[*unit].iter().any(|file| touched.contains(file)))
            .collect();
        let (facts, problems) = self.read_again(&units, &new_texts, progress);
        if !problems.is_empty() {
            return self.blame_problems(&problems, groups, set, &new_texts);
        }
        if let Some(blamed) = self.undeclared(groups, set, &facts) {
            return Attempt::Bad(blamed);
        }
        // The program with the new facts in place of the old ones.
        let mut old: Vec<(usize, Option<Vec<SharedFileFacts>>)> = Vec::new();
        for (unit, read) in &facts {
            old.push((*unit, self.facts[*unit].replace(read.file_facts.clone())));
        }
        let mut kept = Vec::new();
        for (path, text) in &new_texts {
            kept.push((path.clone(), self.texts.change(path, Some(Arc::new(text.clone())))));
        }
        let new = self.judge(&self.added_by(groups));
        for (path, text) in kept {
            self.texts.change(&path, text);
        }
        for (unit, facts) in old {
            self.facts[unit] = facts;
        }
        let blamed = compare(state, &new, groups);
        match blamed.is_empty() {
            true => Attempt::Good(Success { state: Box::new(new), facts, new_texts }),
            false => Attempt::Bad(blamed),
        }
    }

    /// Renamed calls whose new callee is not declared where it is called, or is something else there, and inputs of the generator that its output does not
    /// include. A call of what is not declared is no error where units are read, but one for today's compilers.
    fn undeclared(
        &self,
        groups: &BTreeMap<GroupId, Group>,
        set: &EditSet,
        facts: &Numbered<UnitFacts>,
    ) -> Option<BTreeMap<GroupId, String>> {
        let tree = &self.opened.tree;
        let reading = |path: &Path| {
            let path = tree.portable(&tree.root.join(path));
            facts.iter().map(|(_, facts)| facts).filter(move |facts| facts.files.contains(&path))
        };
        let lacks = |job: &Job, header: &Path| {
            let header = tree.portable(header);
            job.output.as_ref().is_some_and(|output| reading(output).any(|facts| !facts.files.contains(&header)))
        };
        let mut blamed = BTreeMap::new();
        for (id, group) in groups {
            for action in &group.fix.actions {
                match action {
                    Action::CallInstead { new, at, .. } => {
                        let declares = |facts: &UnitFacts| {
                            facts.file_facts.iter().map(SharedFileFacts::facts).any(|facts| {
                                let mut declared = facts.declarations.iter();
                                declared.any(|declared| facts.symbols[declared.symbol.0 as usize].name == *new)
                            })
                        };
                        if reading(&at.path).any(|facts| !declares(facts)) {
                            blamed.insert(*id, format!("`{new}` is not declared there"));
                        } else if !self.is_called(new, at, set, reading(&at.path)) {
                            blamed.insert(*id, format!("`{new}` would be something else there"));
                        }
                    }
                    Action::AddInput { header } => {
                        let path = tree.root.join(header);
                        if !self.jobs.is_empty() && self.jobs.iter().all(|job| lacks(job, &path)) {
                            blamed.insert(*id, format!("the generated file does not include {}", header.display()));
                        }
                    }
                    _ => {}
                }
            }
        }
        (!blamed.is_empty()).then_some(blamed)
    }

    /// Whether units call a function by its name, where another one was called before: a parameter or a variable may have that
    /// name, too.
    fn is_called<'f>(&self, name: &str, at: &Span, set: &EditSet, units: impl Iterator<Item = &'f UnitFacts>) -> bool {
        let tree = &self.opened.tree;
        let path = tree.portable(&tree.root.join(&at.path));
        let Ok(old) = self.texts.text(&at.path) else { return false };
        let new = set.apply(&at.path, &old).ok();
        let Some(at) = new.and_then(|new| moved(at, &old, &new, set)) else { return false };
        units.flat_map(|facts| &facts.file_facts).map(SharedFileFacts::facts).any(|facts| {
            facts.bodies.iter().flat_map(|body| &body.calls).any(|call| {
                (call.location.line, call.location.column) == (at.line, at.column)
                    && facts.symbols[call.callee.0 as usize].name == name
                    && facts.files[call.location.file.0 as usize] == path
            })
        })
    }

    /// The headers that these groups give to the generator; several may give one.
    fn added_by(&self, groups: &BTreeMap<GroupId, Group>) -> BTreeSet<PathBuf> {
        let added = groups.values().flat_map(|group| &group.fix.actions).filter_map(Action::added_input);
        added.map(|header| self.opened.tree.root.join(header)).collect()
    }

    /// The files of generators that would change, since wrappers are declared.
    fn generated(
        &self,
        groups: &BTreeMap<GroupId, Group>,
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> BTreeMap<PathBuf, Vec<u8>> {
        if !groups.values().any(Group::asks_for_wrappers) {
            return BTreeMap::new();
        }
        let root = &self.opened.tree.root;
        let text = |path: &Path| match new_texts.get(path.strip_prefix(root).unwrap_or(path)) {
            Some(text) => Ok(text.clone()),
            None => self.texts.text(path).map(|text| text.to_vec()),
        };
        let request = GenerateRequest { pack: self.request.check.pack.clone(), ..GenerateRequest::default() };
        let mut texts = BTreeMap::new();
        for job in &self.jobs {
            let Some(output) = &job.output else { continue };
            let mut job = job.clone();
            job.inputs.extend(self.added.union(&self.added_by(groups)).cloned());
            let generated = generate_from(&request, &job, &text).ok().and_then(|generated| generated.text);
            if let Some(generated) = generated {
                let path = output.strip_prefix(root).unwrap_or(output);
                texts.insert(path.to_path_buf(), generated.into_bytes());
            }
        }
        texts
    }

    /// Reads units with new texts: their facts, and what goes wrong.
    fn read_again(
        &mut self,
        units: &[usize],
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
        progress: &dyn Progress,
    ) -> (Numbered<UnitFacts>, Numbered<Problem>) {
        let root = self.opened.tree.root.clone();
        let mut texts: HashMap<PathBuf, Arc<Vec<u8>>> =
            self.texts.changed().map(|(path, text)| (root.join(path), Arc::clone(text))).collect();
        texts.extend(new_texts.iter().map(|(path, text)| (root.join(path), Arc::new(text.clone()))));
        let VisibleMarks { headers, .. } = make_visible(&root, &mark_headers(&self.opened.pack), &texts);
        let Opened { indexer, inputs, tree, .. } = &mut self.opened;
        indexer.set_headers(headers);
        let chosen: Vec<_> = units.iter().map(|unit| inputs.units[*unit].clone()).collect();
        let (mut facts, mut problems) = (Vec::new(), Vec::new());
        // What is said of arguments was said before.
        let mut details = super::Details::default();
        progress.start(chosen.len());
        indexer.run(&chosen, None, |position, outcome| {
            progress.step();
            match read_unit(outcome, &chosen[position].file, tree, &mut details) {
                Ok(read) => facts.push((units[position], read)),
                Err(problem) => problems.push((units[position], problem)),
            }
        });
        progress.finish();
        (facts, problems)
    }

    /// Says which groups keep units from being read: a mark may need its header, or it cannot be there.
    fn blame_problems(
        &mut self,
        problems: &[(usize, Problem)],
        groups: &BTreeMap<GroupId, Group>,
        set: &EditSet,
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> Attempt {
        let edits = |group: &Group, path: &Path| group.edits.iter().any(|edit| edit.path == path);
        let mut include = false;
        for (_, problem) in problems {
            let Some(at) = &problem.at else { continue };
            let marks = groups.values().filter(|group| edits(group, &at.path)).flat_map(|group| &group.fix.actions);
            let marks: BTreeSet<&String> = marks
                .filter_map(|action| match action {
                    Action::MarkFunction { mark, .. } | Action::MarkPointer { mark, .. } => Some(mark),
                    _ => None,
                })
                .collect();
            // The compiler's words differ with what is around a name that it takes for no mark.
            for mark in marks {
                include |= self.mark_header(mark).is_some_and(|header| self.includes.insert((at.path.clone(), header)));
            }
        }
        if include {
            return Attempt::Again;
        }
        let mut blamed = BTreeMap::new();
        for (unit, problem) in problems {
            let reason = format!("{} would not compile any more: {}", problem.file.display(), problem.message);
            let ids = self.suspected(*unit, problem, groups, set, new_texts);
            blamed.extend(ids.into_iter().map(|id| (id, reason.clone())));
        }
        // An include that did not help is no use to the others; what needs it asks for it again.
        let places: BTreeSet<&Path> =
            problems.iter().filter_map(|(_, problem)| Some(&*problem.at.as_ref()?.path)).collect();
        self.includes.retain(|(path, _)| !places.contains(path.as_path()));
        if blamed.is_empty() {
            let ids = groups.keys().copied();
            blamed.extend(ids.map(|id| (id, "units would not compile any more".to_owned())));
        }
        Attempt::Bad(blamed)
    }

    /// The groups of which one keeps a unit from being read: the fewest that the place of the error points to.
    fn suspected(
        &mut self,
        unit: usize,
        problem: &Problem,
        groups: &BTreeMap<GroupId, Group>,
        set: &EditSet,
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> Vec<GroupId> {
        let ids = |is_suspect: &dyn Fn(&Group) -> bool| -> Vec<GroupId> {
            groups.iter().filter(|(_, group)| is_suspect(group)).map(|(id, _)| *id).collect()
        };
        if let Some(at) = &problem.at {
            let in_file = ids(&|group| group.edits.iter().any(|edit| edit.path == at.path));
            let failed = self.failed.entry(at.path.clone()).or_default();
            *failed += 1;
            if !in_file.is_empty() && *failed > MOST_NARROW {
                return in_file;
            }
            let nearest = self.nearest(at, groups, set);
            if !nearest.is_empty() {
                return nearest;
            }
            if !in_file.is_empty() {
                return in_file;
            }
        }
        // A name that is declared in another way somewhere, or called as what it is not any more.
        if let Some(name) = problem.at.as_ref().and_then(|at| self.name_at(at, new_texts)) {
            let named = ids(&|group| group.names().contains(&name.as_str()));
            if !named.is_empty() {
                return named;
            }
        }
        // What a generator made of a new wrapper does not fit.
        let root = &self.opened.tree.root;
        let is_output = |path: &Path| self.jobs.iter().any(|job| job.output.as_ref() == Some(&root.join(path)));
        let asking = ids(&Group::asks_for_wrappers);
        if is_output(&problem.file) && !asking.is_empty() {
            return asking;
        }
        let reads = |path: &Path| {
            let file = self.files.get(&root.join(path));
            file.is_some_and(|file| self.reads[unit].contains(file))
        };
        // A header that cannot be included there, since it needs what comes later.
        let included = |edit: &Edit| self.includes.iter().any(|(path, _)| *path == edit.path) && reads(&edit.path);
        let including = ids(&|group| group.edits.iter().any(included));
        if !including.is_empty() {
            return including;
        }
        ids(&|group| group.edits.iter().any(|edit| reads(&edit.path)))
    }

    /// The name that is written at a place in the new texts, if one is: the compiler points to it.
    fn name_at(&self, at: &Span, new_texts: &BTreeMap<PathBuf, Vec<u8>>) -> Option<String> {
        let text = match new_texts.get(&at.path) {
            Some(text) => text.clone(),
            None => self.texts.text(&at.path).ok()?.to_vec(),
        };
        let start = offset(&text, at.line, at.column)?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let name: Vec<u8> = text.get(start..)?.iter().copied().take_while(is_part).collect();
        String::from_utf8(name).ok().filter(|name| !name.is_empty())
    }

    /// The groups that make the last edit up to a place: what is wrong shows at the place itself, or behind it.
    fn nearest(&self, at: &Span, groups: &BTreeMap<GroupId, Group>, set: &EditSet) -> Vec<GroupId> {
        let Ok(old) = self.texts.text(&at.path) else { return Vec::new() };
        let Ok(new) = set.apply(&at.path, &old) else { return Vec::new() };
        let mut nearest: (u32, Vec<GroupId>) = (0, Vec::new());
        for (id, group) in groups {
            let edits = group.edits.iter().filter(|edit| edit.path == at.path);
            let lines = edits.map(|edit| place(&new, set.moved(&at.path, edit.start)).0);
            match lines.filter(|line| *line <= at.line).max() {
                Some(line) if line > nearest.0 => nearest = (line, vec![*id]),
                Some(line) if line == nearest.0 => nearest.1.push(*id),
                _ => {}
            }
        }
        nearest.1
    }

    /// The name by which a mark's header is included.
    fn mark_header(&self, mark: &str) -> Option<String> {
        let path = &self.opened.details.parsing.marks.iter().find(|defined| defined.mark == mark)?.path;
        let name = path.strip_prefix("include").unwrap_or(path);
        Some(name.to_string_lossy().into_owned())
    }

    /// Writes what was made, and tells all of it.
    fn finish(mut self, state: State, before: [usize; 3], rounds: usize) -> Result<Fixed, FixError> {
        let root = &self.opened.tree.root;
        let changed = self.texts.changed().filter(|(path, _)| {
            // What is generated in a build is made again with the next one. It was only changed to see what comes of it.
            path.is_relative() && !self.opened.tree.is_built(&root.join(path))
        });
        let changes = changed.filter_map(|(path, new)| {
            let old = self.texts.original(path).ok()?.to_vec();
            (old != **new).then(|| Change { path: path.to_path_buf(), old, new: new.to_vec() })
        });
        let changes: Vec<Change> = changes.collect();
        if self.request.write {
            self.write(&changes)?;
        }
        let steps = self.steps();
        let applied = std::mem::take(&mut self.made).into_iter().flat_map(|round| round.groups);
        let mut applied: Vec<Applied> = applied.map(|(_, group)| group.applied()).collect();
        applied.sort_by(|one, other| one.finding.primary.at.cmp(&other.finding.primary.at));
        let wanted = state.report.findings.iter().filter(|finding| self.is_wanted(finding));
        let offered =
            wanted.flat_map(|finding| finding.fixes.iter().map(|fix| (offer(finding, fix), fix.title.clone())));
        let not_applied: BTreeMap<Offer, NotApplied> = offered
            .map(|(offer, title)| {
                let reason = self.rejected.get(&offer).cloned().unwrap_or_else(|| NO_ROUND_LEFT.to_owned());
                let (at, rule) = (offer.0.clone(), offer.1.clone());
                (offer, NotApplied { at, rule, title, reason })
            })
            .collect();
        let not_applied = not_applied.into_values().collect();
        Ok(Fixed { applied, not_applied, changes, steps, rounds, before, report: state.report })
    }

    fn write(&self, changes: &[Change]) -> Result<(), FixError> {
        let root = &self.opened.tree.root;
        let paths: Vec<PathBuf> = changes.iter().map(|change| change.path.clone()).collect();
        if !self.request.allow_dirty && !paths.is_empty() {
            match dirty(root, &paths) {
                Ok(dirty) if dirty.is_empty() => {}
                Ok(dirty) => {
                    let names: Vec<String> = dirty.iter().map(|path| path.display().to_string()).collect();
                    return Err(FixError::Dirty(names.join(", ")));
                }
                // Whoever keeps no history has to keep copies.
                Err(GitError::NotARepository { .. }) => {}
                Err(error) => return Err(FixError::Git(error)),
            }
        }
        let Writing { written, refused, .. } = write_all(root, changes);
        if refused.is_empty() {
            return Ok(());
        }
        let reasons: Vec<String> = refused.iter().map(Refusal::to_string).collect();
        let reasons = reasons.join("\n  ");
        match written.len() {
            0 => Err(FixError::NotWritten(reasons)),
            written => Err(FixError::HalfWritten { written, all: changes.len(), reasons }),
        }
    }

    /// What was done, by rule and directory. A fix goes with its finding, whatever else it touches; an edit that several
    /// fixes share is in the first step that has it.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for round in &self.made {
            let mut by_key: BTreeMap<(String, PathBuf), Vec<&(GroupId, Group)>> = BTreeMap::new();
            for entry in &round.groups {
                let finding = &entry.1.finding;
                let key = (finding.rule.clone(), top(&finding.primary.at.path));
                by_key.entry(key).or_default().push(entry);
            }
            // What is left out of a set leaves the state before its step.
            let mut without = round.set.clone();
            let mut states = vec![without.clone()];
            for groups in by_key.values().rev() {
                for (id, _) in groups {
                    without = without.without(*id);
                }
                states.push(without.clone());
            }
            for ((rule, top), groups) in by_key {
                let from = states.pop().unwrap_or_default();
                let to = states.last().cloned().unwrap_or_default();
                let changes = round.before.iter().filter_map(|(path, text)| {
                    let (old, new) = (from.apply(path, text).ok()?, to.apply(path, text).ok()?);
                    (old != new).then(|| Change { path: path.clone(), old, new })
                });
                let changes: Vec<Change> = changes.collect();
                let applied = groups.iter().map(|(_, group)| group.applied()).collect();
                if !changes.is_empty() {
                    steps.push(Step { rule, top, applied, changes });
                }
            }
        }
        steps
    }
}

impl Group {
    fn applied(&self) -> Applied {
        let Group { finding, fix, .. } = self;
        Applied {
            rule: finding.rule.clone(),
            title: fix.title.clone(),
            actions: fix.actions.clone(),
            safety: fix.safety,
            finding: finding.clone(),
        }
    }

    /// Whether what is generated changes with it.
    fn asks_for_wrappers(&self) -> bool {
        let asks = |action: &Action| matches!(action, Action::DeclareWrapper { .. } | Action::AddInput { .. });
        self.fix.actions.iter().any(asks)
    }

    /// What it changes, by name.
    fn names(&self) -> Vec<&str> {
        let names = self.fix.actions.iter().flat_map(|action| match action {
            Action::MarkFunction { name, .. } | Action::MarkPointer { name, .. } => vec![name.as_str()],
            Action::CallInstead { old, new, .. } => vec![old.as_str(), new.as_str()],
            Action::DeclareWrapper { target, wrapper, .. } => vec![target.as_str(), wrapper.as_str()],
            Action::Unmark { .. } => vec![self.finding.function.as_str()],
            Action::AddInput { .. } => Vec::new(),
        });
        names.collect()
    }

    /// Whether a finding is about something that the group changes.
    fn concerns(&self, finding: &Finding) -> bool {
        self.names().into_iter().any(|name| finding.concerns(name))
    }
}

/// What an attempt made.
struct Success {
    state: Box<State>,
    facts: Numbered<UnitFacts>,
    new_texts: BTreeMap<PathBuf, Vec<u8>>,
}

/// How an attempt ended.
enum Attempt {
    /// As planned.
    Good(Success),
    /// These groups cannot stay, for these reasons.
    Bad(BTreeMap<GroupId, String>),
    /// It is to be planned anew.
    Again,
}

/// The groups that did not turn out as planned: their finding is still there, or another one, as grave, came with them.
fn compare(old: &State, new: &State, groups: &BTreeMap<GroupId, Group>) -> BTreeMap<GroupId, String> {
    let count = |findings: &[Finding]| {
        let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
        for finding in findings {
            *counts.entry(key(finding)).or_default() += 1;
        }
        counts
    };
    let (before, after) = (count(&old.findings), count(&new.findings));
    let number = |counts: &BTreeMap<Key, usize>, key: &Key| counts.get(key).copied().unwrap_or(0);
    let mut blamed = BTreeMap::new();
    for (id, group) in groups {
        let key = key(&group.finding);
        let fixed = groups.values().filter(|other| self::key(&other.finding) == key).count();
        if number(&after, &key) + fixed > number(&before, &key) {
            blamed.insert(*id, "the finding would still be there".to_owned());
        }
    }
    for finding in &new.findings {
        let key = key(finding);
        if number(&after, &key) <= number(&before, &key) || old.explained.contains(&key) {
            continue;
        }
        let concerned: Vec<GroupId> =
            groups.iter().filter(|(_, group)| group.concerns(finding)).map(|(id, _)| *id).collect();
        // A graver fix may bring it, and is worth it: then the others are innocent.
        let is_graver = |group: &Group| group.finding.level < finding.level;
        let is_worth_it = match concerned.is_empty() {
            true => groups.values().any(is_graver),
            false => concerned.iter().filter_map(|id| groups.get(id)).any(is_graver),
        };
        if is_worth_it {
            continue;
        }
        // Advice goes on where it began, as from a function to its callers; but no rule undoes what another one did.
        let goes_on = |group: &Group| is_advice(finding) && finding.rule == group.finding.rule;
        let as_grave = |group: &&Group| finding.level <= group.finding.level && !goes_on(group);
        let reason = || {
            let at = &finding.primary.at;
            format!(
                "there would be a new finding: {}:{}: {} [{}]",
                at.path.display(),
                at.line,
                finding.message,
                finding.rule
            )
        };
        let ids: Vec<GroupId> = if concerned.is_empty() { groups.keys().copied().collect() } else { concerned };
        for id in ids.into_iter().filter(|id| groups.get(id).as_ref().is_some_and(as_grave)) {
            blamed.entry(id).or_insert_with(reason);
        }
    }
    blamed
}

/// Whether a finding only says what could be better.
fn is_advice(finding: &Finding) -> bool {
    RULES.iter().any(|rule| rule.opt_in && rule.name == finding.rule)
}

fn offer(finding: &Finding, fix: &Fix) -> Offer {
    (finding.primary.at.clone(), finding.rule.clone(), fix.actions.clone())
}

/// A place of an old text in the new one.
fn moved(at: &Span, old: &[u8], new: &[u8], set: &EditSet) -> Option<Span> {
    let (line, column) = place(new, set.moved(&at.path, offset(old, at.line, at.column)?));
    Some(Span { path: at.path.clone(), line, column })
}

fn key(finding: &Finding) -> Key {
    let path = finding.primary.at.path.clone();
    (finding.rule.clone(), finding.level, finding.function.clone(), path)
}

/// The numbers of the files that a unit read.
fn numbers(files: &mut HashMap<PathBuf, u32>, facts: &UnitFacts, tree: &Tree) -> Vec<u32> {
    let number = |path: &PathBuf| {
        let next = files.len() as u32;
        *files.entry(tree.absolute(path)).or_insert(next)
    };
    facts.files.iter().map(number).collect()
}

/// The pieces of a unit, those that are known already in place of their copies.
fn shared(known: &mut HashMap<Digest, SharedFileFacts>, facts: &UnitFacts) -> Vec<SharedFileFacts> {
    facts.file_facts.iter().map(|piece| known.entry(piece.digest()).or_insert_with(|| piece.clone()).clone()).collect()
}

fn link(facts: &[Option<Vec<SharedFileFacts>>], tree: &Tree) -> Program {
    let mut linker = Linker::default();
    for (unit, pieces) in facts.iter().enumerate() {
        pieces.iter().flatten().for_each(|piece| linker.add(unit as u32, piece));
    }
    linker.finish(|path| tree.absolute(path))
}

fn counts(findings: &[Finding]) -> [usize; 3] {
    [Level::Error, Level::Warning, Level::Note]
        .map(|level| findings.iter().filter(|finding| finding.level == level).count())
}

/// The first part of a path.
fn top(path: &Path) -> PathBuf {
    path.components().next().map(|first| PathBuf::from(first.as_os_str())).unwrap_or_default()
}

fn is_generated<'a>(tree: &'a Tree, pack: &'a Pack) -> impl Fn(&Path) -> bool + 'a {
    |path| tree.is_built(&tree.root.join(path)) || pack.is_generated(path)
}

/// The files that the build generates wrappers into.
fn jobs(tree: &Tree, request: &Request) -> Vec<Job> {
    let set = set_jobs(&request.settings);
    let Some(build) = tree.build.as_ref().filter(|_| set.is_empty()) else { return set };
    known_jobs(build, request.pack.as_deref()).map(|known| known.jobs).unwrap_or_default()
}

/// Where the inputs of these jobs are listed: in the `meson.build` that makes the file, as its directory below the build
/// directory tells.
fn input_lists(tree: &Tree, jobs: &[Job]) -> Vec<InputList> {
    let list = |job: &Job| {
        let output = job.output.as_ref()?.strip_prefix(tree.build.as_ref()?).ok()?;
        let file = output.parent()?.join("meson.build");
        let inputs = job.inputs.iter().rev();
        let known = inputs.filter_map(|input| input.strip_prefix(&tree.root).ok()).next()?.to_path_buf();
        Some(InputList { file, known })
    };
    jobs.iter().filter_map(list).collect()
}

/// Writes the edits of all fixes that findings offer; nothing is changed.
pub(super) fn write_out(findings: &mut [Finding], texts: &Texts, tree: &Tree, pack: &Pack, request: &Request) {
    if findings.iter().all(|finding| finding.fixes.is_empty()) {
        return;
    }
    let lists = input_lists(tree, &jobs(tree, request));
    let (is_generated, includes) = (is_generated(tree, pack), BTreeSet::new());
    let planner = Planner { texts, is_generated: &is_generated, lists: &lists, includes: &includes };
    for fix in findings.iter_mut().flat_map(|finding| &mut finding.fixes) {
        match planner.edits(fix) {
            Ok(edits) => fix.edits = edits,
            Err(obstacle) => fix.obstacle = Some(obstacle),
        }
    }
}
