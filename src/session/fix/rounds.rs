//! Rounds of fixing: plan, apply in memory, read again, compare.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cowrap_analysis::effects::{Effects, Violation};
use cowrap_base::files::{Digest, Overlay, Texts, Tree};
use cowrap_facts::SharedFileFacts;
use cowrap_fix::{Dependencies, EditSet, GroupId, InputList, Planner};
use cowrap_report::{Action, Details, Edit, Finding, Fix, Level, Problem, Report, Safety};

use crate::Error;
use crate::check::is_reported;
use crate::comments::find_comments;
use crate::generate::Introspection;
use crate::generate::{GenerateRequest, Job, generate_from};
use crate::generated_files::compare_generated;
use crate::policy::apply_policy;
use crate::readings::Readings;
use crate::request::Progress;
use crate::rule_names::rules_of;
use crate::session::{Session, UnitRead};
use crate::snapshot::Snapshot;
use crate::summary::summarise;
use crate::units::link;

use super::inputs::{input_lists, is_generated, jobs};
use super::outcome::{CheckResult, FindingKey, FixKey, compare, fix_key};
use super::{Applied, FixRequest};

/// A fix of a round, with its edits.
pub(super) struct PlannedFix {
    pub(super) finding: Finding,
    pub(super) fix: Fix,
    pub(super) edits: Vec<Edit>,
}

/// A round that was successful.
pub(super) struct Round {
    /// The files that it changed, with their texts before it.
    pub(super) before: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    pub(super) fixes: Vec<(GroupId, PlannedFix)>,
    pub(super) set: EditSet,
}

/// A tree that is being fixed, in memory.
pub(super) struct FixSession<'r> {
    pub(super) request: &'r FixRequest,
    pub(super) session: Session<'r>,
    /// Details for the report.
    details: Details,
    /// The units that could not be read. They are not read again.
    problems: Vec<Problem>,
    pub(super) report_on: Vec<PathBuf>,
    pub(super) texts: Texts,
    /// The facts of each unit; `None` if it could not be read.
    facts: Vec<Option<Vec<SharedFileFacts>>>,
    /// The facts of each file once, so that units share them.
    file_facts: HashMap<Digest, SharedFileFacts>,
    /// The files that each unit reads, by their numbers in `files`.
    pub(super) reads: Vec<Vec<u32>>,
    pub(super) files: HashMap<PathBuf, u32>,
    /// The fixes that failed with the current texts, with the reason.
    pub(super) rejected: BTreeMap<FixKey, String>,
    /// The headers that marks need, with the file that has to include them.
    pub(super) includes: BTreeSet<(PathBuf, String)>,
    introspection: Option<Introspection>,
    lists: Vec<InputList>,
    pub(super) jobs: Vec<Job>,
    /// The number of errors in each file that attempts have caused.
    pub(super) failed: BTreeMap<PathBuf, u32>,
    /// The headers that fixes added to the inputs of the generator.
    added: BTreeSet<PathBuf>,
    pub(super) done: Vec<Round>,
}

impl<'r> FixSession<'r> {
    /// Reads all units of a tree as they are on the disk.
    ///
    /// # Errors
    ///
    /// Those of [`Session::units`].
    pub(super) fn open(
        request: &'r FixRequest,
        mut session: Session<'r>,
        report_on: Vec<PathBuf>,
        since: SystemTime,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let texts = Texts::new(&session.tree.root, Some(since));
        let introspection = session.tree.build.as_deref().map(Introspection::new);
        let jobs = jobs(&request.check, introspection.as_ref());
        let lists = input_lists(&session.tree, &jobs);
        let all: Vec<usize> = (0..session.inputs.units.len()).collect();
        let (units, details) = session.units(&Snapshot::disk(), &all, progress)?;
        let problems = session.problems(units.iter().filter_map(|unit| unit.facts.as_ref().err()));
        let mut fix_session = FixSession {
            request,
            facts: vec![None; all.len()],
            reads: vec![Vec::new(); all.len()],
            session,
            details,
            problems,
            report_on,
            texts,
            file_facts: HashMap::new(),
            files: HashMap::new(),
            rejected: BTreeMap::new(),
            includes: BTreeSet::new(),
            introspection,
            lists,
            jobs,
            failed: BTreeMap::new(),
            added: BTreeSet::new(),
            done: Vec::new(),
        };
        fix_session.store(units);
        Ok(fix_session)
    }

    /// Replaces the facts of units.
    fn store(&mut self, units: Vec<UnitRead>) {
        for UnitRead { number, facts, files, .. } in units {
            let Ok(facts) = facts else { continue };
            self.reads[number] = numbers(&mut self.files, &files, &self.session.tree);
            self.facts[number] = Some(share(&mut self.file_facts, facts));
        }
    }

    /// Checks the program of the current facts and texts. `added` are more headers that the
    /// generator would read.
    pub(super) fn check(&self, added: &BTreeSet<PathBuf>) -> CheckResult {
        let FixSession { details, problems, .. } = self;
        let Session { inputs, tree, packs, readings, .. } = &self.session;
        let program = link(self.facts.iter().map(Option::as_deref), tree);
        let programs = Readings::of(&program, packs, readings);
        let mut effects = programs.effects(tree, problems, &self.texts);
        let added: Vec<PathBuf> = self.added.union(added).cloned().collect();
        let (request, introspection) = (&self.request.check, self.introspection.as_ref());
        let not_compared = compare_generated(&mut effects, request, introspection, &self.texts, &added);
        let mut enable = self.request.check.enable.clone();
        enable.extend(self.request.rules.iter().cloned());
        let comments = find_comments(&program, tree, &self.texts, self.session.checkout());
        let is_whole = problems.is_empty() && inputs.is_whole;
        let findings = apply_policy(&effects, &self.request.check, &enable, &comments, is_whole);
        let mut shown = findings.clone();
        if !self.report_on.is_empty() {
            shown.retain(|finding| is_reported(finding, &self.report_on, tree));
        }
        let summary = summarise(&effects, &shown, problems, &self.session.coverage(), not_compared.len());
        let details = Details { not_compared, ..details.clone() };
        let report = Report {
            findings: shown,
            problems: problems.clone(),
            summary,
            tree: tree.clone(),
            details,
            is_partial: !self.session.inputs.is_whole,
            rules: rules_of(packs),
            overlay: Overlay::default(),
            files: program.files.iter().cloned().collect(),
        };
        let explained = effects.iter().flat_map(explained).collect();
        CheckResult { findings, explained, report }
    }

    /// Makes one round. The result is false if there is nothing left to fix.
    pub(super) fn round(&mut self, current: &mut CheckResult, progress: &dyn Progress) -> Result<bool, Error> {
        loop {
            let (fixes, set) = self.plan(&current.report.findings);
            if set.is_empty() {
                return Ok(false);
            }
            match self.attempt(current, &fixes, &set, progress)? {
                Attempt::Accepted(success) => {
                    self.accept(success, current, fixes, set);
                    return Ok(true);
                }
                // Without these fixes, others that overlap with them can be planned.
                Attempt::Rejected(mut blamed) => {
                    let dependencies = Dependencies::new(fixes.iter().map(|(id, planned)| (*id, &planned.fix)));
                    for id in dependencies.dependents(blamed.keys().copied().collect::<Vec<_>>().into_iter()) {
                        blamed.entry(id).or_insert_with(|| "it needs another fix that was not applied".to_owned());
                    }
                    for (id, reason) in blamed {
                        if let Some(planned) = fixes.get(&id) {
                            self.rejected.insert(fix_key(&planned.finding, &planned.fix), reason);
                        }
                    }
                }
                // The plan has other edits now.
                Attempt::Replan => {}
            }
        }
    }

    /// Makes the texts and facts of an attempt the current ones.
    fn accept(
        &mut self,
        success: Success,
        current: &mut CheckResult,
        fixes: BTreeMap<GroupId, PlannedFix>,
        set: EditSet,
    ) {
        let before = set.paths().filter_map(|path| Some((path.to_path_buf(), self.texts.text(path).ok()?)));
        let before: BTreeMap<PathBuf, Arc<Vec<u8>>> = before.collect();
        // With the new texts, fixes that failed may work.
        self.rejected.clear();
        for (path, text) in success.new_texts {
            self.texts.change(&path, Some(Arc::new(text)));
        }
        self.added.extend(self.added_by(&fixes));
        self.store(success.units);
        self.done.push(Round { before, fixes: fixes.into_iter().collect(), set });
        *current = *success.result;
    }

    /// Whether the findings of a rule are to be fixed.
    pub(super) fn is_wanted(&self, finding: &Finding) -> bool {
        self.request.rules.is_empty() || self.request.rules.iter().any(|name| finding.is_of_rule(name))
    }

    /// The fixes of these findings whose edits do not overlap.
    fn plan(&mut self, findings: &[Finding]) -> (BTreeMap<GroupId, PlannedFix>, EditSet) {
        let candidates: Vec<(Finding, Fix)> = findings
            .iter()
            .filter(|finding| self.is_wanted(finding))
            .flat_map(|finding| finding.fixes.iter().map(|fix| (finding.clone(), fix.clone())))
            .collect();
        let mut fixes = BTreeMap::new();
        let mut set = EditSet::new();
        let order = Dependencies::new(candidates.iter().enumerate().map(|(number, (_, fix))| (number, fix))).in_order();
        for number in order.into_iter().flatten() {
            let (finding, fix) = candidates[number].clone();
            let key = fix_key(&finding, &fix);
            if self.rejected.contains_key(&key) {
                continue;
            }
            let id = GroupId(fixes.len() as u32);
            let needs_permission = fix.safety == Safety::Unsafe && !self.request.with_unsafe;
            let edits = match needs_permission {
                true => Err("it may change what the program does; allow it with --unsafe-fixes".to_owned()),
                false => self.edits(&finding, &fix),
            };
            let reason = match edits {
                Ok(edits) if edits.is_empty() => "it changes nothing".to_owned(),
                Ok(edits) => match set.add_group(id, &edits) {
                    Ok(()) => {
                        fixes.insert(id, PlannedFix { finding, fix, edits });
                        continue;
                    }
                    Err(conflict) if conflict.group == id => "its edits overlap".to_owned(),
                    // A fix that overlaps with another one is planned in the next round.
                    Err(_) => continue,
                },
                Err(reason) => reason,
            };
            self.rejected.insert(key, reason);
        }
        (fixes, set)
    }

    fn edits(&self, finding: &Finding, fix: &Fix) -> Result<Vec<Edit>, String> {
        let is_generated = is_generated(&self.session.tree, &self.session.packs, finding.pack.as_deref());
        let planner =
            Planner { texts: &self.texts, is_generated: &is_generated, lists: &self.lists, includes: &self.includes };
        planner.edits(fix).map_err(|error| error.to_string())
    }

    /// The new texts of the files that a set of edits changes.
    fn new_texts(&self, set: &EditSet) -> BTreeMap<PathBuf, Vec<u8>> {
        let apply = |path: &Path| {
            let old = self.texts.text(path).ok()?;
            Some((path.to_path_buf(), set.apply(path, &old).ok()?))
        };
        set.paths().filter_map(apply).collect()
    }

    /// Reads the units whose files the edits change, and compares the findings.
    fn attempt(
        &mut self,
        current: &CheckResult,
        fixes: &BTreeMap<GroupId, PlannedFix>,
        set: &EditSet,
        progress: &dyn Progress,
    ) -> Result<Attempt, Error> {
        let mut new_texts = self.new_texts(set);
        new_texts.extend(self.generated(fixes, &new_texts));
        let changed: BTreeSet<u32> =
            new_texts.keys().filter_map(|path| self.files.get(&self.session.tree.root.join(path))).copied().collect();
        let units: Vec<usize> = (0..self.facts.len())
            .filter(|unit| self.facts[*unit].is_some() && self.reads[*unit].iter().any(|file| changed.contains(file)))
            .collect();
        let units = self.reread(&units, &new_texts, progress)?;
        let problem = |unit: &UnitRead| Some((unit.number, unit.facts.as_ref().err()?.clone()));
        let problems: Vec<(usize, Problem)> = units.iter().filter_map(problem).collect();
        if !problems.is_empty() {
            return Ok(self.blame_problems(&problems, fixes, set, &new_texts));
        }
        if let Some(blamed) = self.blame_ineffective(fixes, set, &units) {
            return Ok(Attempt::Rejected(blamed));
        }
        // Check with the new facts and texts, and restore the old ones.
        let mut old: Vec<(usize, Option<Vec<SharedFileFacts>>)> = Vec::new();
        for UnitRead { number, facts, .. } in &units {
            old.push((*number, std::mem::replace(&mut self.facts[*number], facts.as_ref().ok().cloned())));
        }
        let mut old_texts = Vec::new();
        for (path, text) in &new_texts {
            old_texts.push((path.clone(), self.texts.change(path, Some(Arc::new(text.clone())))));
        }
        let new = self.check(&self.added_by(fixes));
        for (path, text) in old_texts {
            self.texts.change(&path, text);
        }
        for (unit, facts) in old {
            self.facts[unit] = facts;
        }
        let blamed = compare(current, &new, fixes);
        Ok(match blamed.is_empty() {
            true => Attempt::Accepted(Success { result: Box::new(new), units, new_texts }),
            false => Attempt::Rejected(blamed),
        })
    }

    /// The headers that these fixes add to the inputs of the generator.
    fn added_by(&self, fixes: &BTreeMap<GroupId, PlannedFix>) -> BTreeSet<PathBuf> {
        let added = fixes.values().flat_map(|planned| &planned.fix.actions).filter_map(Action::added_input);
        added.map(|header| self.session.tree.root.join(header)).collect()
    }

    /// The generated files with the wrappers that these fixes declare.
    fn generated(
        &self,
        fixes: &BTreeMap<GroupId, PlannedFix>,
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> BTreeMap<PathBuf, Vec<u8>> {
        if !fixes.values().any(PlannedFix::asks_for_wrappers) {
            return BTreeMap::new();
        }
        let root = &self.session.tree.root;
        let text = |path: &Path| match new_texts.get(path.strip_prefix(root).unwrap_or(path)) {
            Some(text) => Ok(text.clone()),
            None => self.texts.text(path).map(|text| text.to_vec()),
        };
        let request = GenerateRequest { packs: self.request.check.packs.clone(), ..GenerateRequest::default() };
        let mut texts = BTreeMap::new();
        for job in &self.jobs {
            let Some(output) = &job.output else { continue };
            let mut job = job.clone();
            job.inputs.extend(self.added.union(&self.added_by(fixes)).cloned());
            let generated = generate_from(&request, &job, &text).ok().and_then(|generated| generated.text);
            if let Some(generated) = generated {
                let path = output.strip_prefix(root).unwrap_or(output);
                texts.insert(path.to_path_buf(), generated.into_bytes());
            }
        }
        texts
    }

    /// Reads units with new texts.
    fn reread(
        &mut self,
        units: &[usize],
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
        progress: &dyn Progress,
    ) -> Result<Vec<UnitRead>, Error> {
        let root = self.session.tree.root.clone();
        let before = self.texts.changed().map(|(path, text)| (root.join(path), Arc::clone(text)));
        let new = new_texts.iter().map(|(path, text)| (root.join(path), Arc::new(text.clone())));
        let snapshot = Snapshot::disk().with_texts(before.chain(new));
        let (units, _) = self.session.units(&snapshot, units, progress)?;
        Ok(units)
    }
}

impl PlannedFix {
    pub(super) fn applied(&self) -> Applied {
        let PlannedFix { finding, fix, .. } = self;
        Applied {
            rule: finding.rule.clone(),
            title: fix.title.clone(),
            actions: fix.actions.clone(),
            safety: fix.safety,
            finding: finding.clone(),
        }
    }

    /// Whether it changes what the generator writes.
    pub(super) fn asks_for_wrappers(&self) -> bool {
        let asks = |action: &Action| matches!(action, Action::DeclareWrapper { .. } | Action::AddInput { .. });
        self.fix.actions.iter().any(asks)
    }

    /// The names of the functions that it changes.
    pub(super) fn names(&self) -> Vec<&str> {
        let names = self.fix.actions.iter().flat_map(|action| match action {
            Action::MarkFunction { name, .. } | Action::MarkPointer { name, .. } => vec![name.as_str()],
            Action::CallInstead { old, new, .. } => vec![old.as_str(), new.as_str()],
            Action::DeclareWrapper { target, wrapper, .. } => vec![target.as_str(), wrapper.as_str()],
            Action::Unmark { .. } => vec![self.finding.function.as_str()],
            Action::AddInput { .. } => Vec::new(),
        });
        names.collect()
    }
}

/// The result of an attempt that had the planned effect.
pub(super) struct Success {
    pub(super) result: Box<CheckResult>,
    pub(super) units: Vec<UnitRead>,
    pub(super) new_texts: BTreeMap<PathBuf, Vec<u8>>,
}

/// How an attempt ended.
pub(super) enum Attempt {
    /// All fixes had the planned effect.
    Accepted(Success),
    /// These fixes did not, for these reasons.
    Rejected(BTreeMap<GroupId, String>),
    /// The round has to be planned again, because files must include more headers.
    Replan,
}

/// The findings that suspect marks stand for.
fn explained(effects: &Effects<'_>) -> Vec<FindingKey> {
    let calls = effects.suspects().iter().flat_map(|suspect| &suspect.calls);
    let key = |violation: &Violation| FindingKey {
        pack: Some(effects.pack.name.clone()),
        rule: effects.pack.rule_name("inside-call").to_owned(),
        level: Level::Error,
        function: effects.program.function(violation.caller).name.clone(),
        path: effects.tree.relative(effects.program.path(violation.location.file)).to_path_buf(),
    };
    calls.map(key).collect()
}

/// The facts of a unit's files. Facts that are in memory already replace their copies.
fn share(in_memory: &mut HashMap<Digest, SharedFileFacts>, facts: Vec<SharedFileFacts>) -> Vec<SharedFileFacts> {
    facts.into_iter().map(|facts| in_memory.entry(facts.digest()).or_insert(facts).clone()).collect()
}

/// The numbers of files. New files get the next ones.
fn numbers(numbered: &mut HashMap<PathBuf, u32>, files: &[PathBuf], tree: &Tree) -> Vec<u32> {
    let number = |path: &PathBuf| {
        let next = numbered.len() as u32;
        *numbered.entry(tree.absolute(path)).or_insert(next)
    };
    files.iter().map(number).collect()
}
