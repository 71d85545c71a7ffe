//! Rounds of fixing: plan, make in memory, read again, compare.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cowrap_analysis::effects::Effects;
use cowrap_base::files::{Digest, Overlay, Texts, Tree};
use cowrap_facts::SharedFileFacts;
use cowrap_fix::{Dependencies, EditSet, GroupId, InputList, Planner};
use cowrap_report::{Action, Edit, Finding, Fix, Level, Safety};
use cowrap_report::{Details, Problem, Report};

use crate::Error;
use crate::check::{is_reported, rule_infos};
use crate::generate::{GenerateRequest, Job, generate_from};
use crate::generated_files::generation;
use crate::policy::apply_policy;
use crate::reading::link;
use crate::request::Progress;
use crate::session::{Session, UnitRead};
use crate::snapshot::Snapshot;
use crate::summary::summarise;

use super::inputs::{input_lists, is_generated, jobs};
use super::outcome::{Offer, State, compare, offer};
use super::{Applied, FixRequest};

/// One fix of a round.
pub(super) struct Group {
    pub(super) finding: Finding,
    pub(super) fix: Fix,
    pub(super) edits: Vec<Edit>,
}

/// What one round made.
pub(super) struct Round {
    /// The texts before it, of the files that it changed.
    pub(super) before: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    pub(super) groups: Vec<(GroupId, Group)>,
    pub(super) set: EditSet,
}

/// A tree, with all that is needed to change it and look again.
pub(super) struct FixSession<'r> {
    pub(super) request: &'r FixRequest,
    pub(super) session: Session<'r>,
    /// What is known of the tree for the report.
    details: Details,
    /// The units that cannot be read, and are not looked at again.
    problems: Vec<Problem>,
    pub(super) report_on: Vec<PathBuf>,
    pub(super) texts: Texts,
    /// The facts of each unit; nothing for one that could not be read.
    pub(super) facts: Vec<Option<Vec<SharedFileFacts>>>,
    /// Every piece of facts once, so that units share what they have in common.
    pub(super) pieces: HashMap<Digest, SharedFileFacts>,
    /// The files that each unit reads, by their numbers in `files`.
    pub(super) reads: Vec<Vec<u32>>,
    pub(super) files: HashMap<PathBuf, u32>,
    /// What may not be tried again, with the reason. The place is part of it, in the texts as they are now: what cannot be done
    /// for one call or one function says nothing of the next one with the same words.
    pub(super) rejected: BTreeMap<Offer, String>,
    /// Headers that marks need: by the file that has to include them.
    pub(super) includes: BTreeSet<(PathBuf, String)>,
    pub(super) lists: Vec<InputList>,
    pub(super) jobs: Vec<Job>,
    /// How often a unit could not be read because of a file.
    pub(super) failed: BTreeMap<PathBuf, u32>,
    /// Headers that were given to the generator.
    pub(super) added: BTreeSet<PathBuf>,
    pub(super) made: Vec<Round>,
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
        let jobs = jobs(&session.tree, &request.check);
        let lists = input_lists(&session.tree, &jobs);
        let all: Vec<usize> = (0..session.inputs.units.len()).collect();
        let (units, details) = session.units(&Snapshot::disk(), &all, progress)?;
        let problems = session.problems(units.iter().filter_map(|unit| unit.facts.as_ref().err()));
        let mut fixes = FixSession {
            request,
            facts: vec![None; all.len()],
            reads: vec![Vec::new(); all.len()],
            session,
            details,
            problems,
            report_on,
            texts,
            pieces: HashMap::new(),
            files: HashMap::new(),
            rejected: BTreeMap::new(),
            includes: BTreeSet::new(),
            lists,
            jobs,
            failed: BTreeMap::new(),
            added: BTreeSet::new(),
            made: Vec::new(),
        };
        fixes.remember(units);
        Ok(fixes)
    }

    /// Puts what was read of units in the place of what was read before.
    fn remember(&mut self, units: Vec<UnitRead>) {
        for UnitRead { number, facts, files, .. } in units {
            let Ok(facts) = facts else { continue };
            self.reads[number] = numbers(&mut self.files, &files, &self.session.tree);
            self.facts[number] = Some(shared(&mut self.pieces, facts));
        }
    }

    /// Checks the program as it is known.
    pub(super) fn check(&self, added: &BTreeSet<PathBuf>) -> State {
        let FixSession { details, problems, .. } = self;
        let Session { inputs, tree, pack, .. } = &self.session;
        let program = link(self.facts.iter().map(Option::as_deref), tree);
        let mut effects = Effects::new(&program, pack, tree);
        let added: Vec<PathBuf> = self.added.union(added).cloned().collect();
        let not_compared;
        (effects.generation, not_compared) = generation(&effects, &self.request.check, &self.texts, &added);
        let mut enable = self.request.check.enable.clone();
        enable.extend(self.request.rules.iter().cloned());
        let findings =
            apply_policy(&effects, &self.request.check, &enable, &self.texts, problems.is_empty() && inputs.is_whole);
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
            rules: rule_infos(),
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
    pub(super) fn round(&mut self, state: &mut State, progress: &dyn Progress) -> Result<bool, Error> {
        loop {
            let (groups, set) = self.plan(&state.report.findings);
            if set.is_empty() {
                return Ok(false);
            }
            match self.attempt(state, &groups, &set, progress)? {
                Attempt::Good(success) => {
                    self.take(success, state, groups, set);
                    return Ok(true);
                }
                // What was in conflict with these may come now.
                Attempt::Bad(mut blamed) => {
                    let dependencies = Dependencies::new(groups.iter().map(|(id, group)| (*id, &group.fix)));
                    for id in dependencies.dependents(blamed.keys().copied().collect::<Vec<_>>().into_iter()) {
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
        self.remember(success.units);
        self.made.push(Round { before, groups: groups.into_iter().collect(), set });
        *state = *success.state;
    }

    /// Whether the findings of a rule are to be fixed.
    pub(super) fn is_wanted(&self, finding: &Finding) -> bool {
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
        let order = Dependencies::new(offers.iter().enumerate().map(|(number, (_, fix))| (number, fix))).in_order();
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
        let is_generated = is_generated(&self.session.tree, &self.session.pack);
        let planner =
            Planner { texts: &self.texts, is_generated: &is_generated, lists: &self.lists, includes: &self.includes };
        planner.edits(fix).map_err(|error| error.to_string())
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
    ) -> Result<Attempt, Error> {
        let mut new_texts = self.new_texts(set);
        new_texts.extend(self.generated(groups, &new_texts));
        let touched: BTreeSet<u32> =
            new_texts.keys().filter_map(|path| self.files.get(&self.session.tree.root.join(path))).copied().collect();
        let units: Vec<usize> = (0..self.facts.len())
            .filter(|unit| self.facts[*unit].is_some() && self.reads[*unit].iter().any(|file| touched.contains(file)))
            .collect();
        let (units, problems) = self.read_again(&units, &new_texts, progress)?;
        if !problems.is_empty() {
            return Ok(self.blame_problems(&problems, groups, set, &new_texts));
        }
        if let Some(blamed) = self.undeclared(groups, set, &units) {
            return Ok(Attempt::Bad(blamed));
        }
        // The program with the new facts in place of the old ones.
        let mut old: Vec<(usize, Option<Vec<SharedFileFacts>>)> = Vec::new();
        for UnitRead { number, facts, .. } in &units {
            old.push((*number, std::mem::replace(&mut self.facts[*number], facts.as_ref().ok().cloned())));
        }
        let mut kept = Vec::new();
        for (path, text) in &new_texts {
            kept.push((path.clone(), self.texts.change(path, Some(Arc::new(text.clone())))));
        }
        let new = self.check(&self.added_by(groups));
        for (path, text) in kept {
            self.texts.change(&path, text);
        }
        for (unit, facts) in old {
            self.facts[unit] = facts;
        }
        let blamed = compare(state, &new, groups);
        Ok(match blamed.is_empty() {
            true => Attempt::Good(Success { state: Box::new(new), units, new_texts }),
            false => Attempt::Bad(blamed),
        })
    }

    /// The headers that these groups give to the generator; several may give one.
    fn added_by(&self, groups: &BTreeMap<GroupId, Group>) -> BTreeSet<PathBuf> {
        let added = groups.values().flat_map(|group| &group.fix.actions).filter_map(Action::added_input);
        added.map(|header| self.session.tree.root.join(header)).collect()
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
        let root = &self.session.tree.root;
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

    /// Reads units with new texts: what they say, and which cannot be read any more.
    fn read_again(
        &mut self,
        units: &[usize],
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
        progress: &dyn Progress,
    ) -> Result<(Vec<UnitRead>, Vec<(usize, Problem)>), Error> {
        let root = self.session.tree.root.clone();
        let before = self.texts.changed().map(|(path, text)| (root.join(path), Arc::clone(text)));
        let new = new_texts.iter().map(|(path, text)| (root.join(path), Arc::new(text.clone())));
        let snapshot = Snapshot::disk().with_texts(before.chain(new));
        let (units, _) = self.session.units(&snapshot, units, progress)?;
        let problem = |unit: &UnitRead| Some((unit.number, unit.facts.as_ref().err()?.clone()));
        let problems = units.iter().filter_map(problem).collect();
        Ok((units, problems))
    }
}

impl Group {
    pub(super) fn applied(&self) -> Applied {
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
    pub(super) fn asks_for_wrappers(&self) -> bool {
        let asks = |action: &Action| matches!(action, Action::DeclareWrapper { .. } | Action::AddInput { .. });
        self.fix.actions.iter().any(asks)
    }

    /// What it changes, by name.
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

    /// Whether a finding is about something that the group changes.
    pub(super) fn concerns(&self, finding: &Finding) -> bool {
        self.names().into_iter().any(|name| finding.concerns(name))
    }
}

/// What an attempt made.
pub(super) struct Success {
    pub(super) state: Box<State>,
    pub(super) units: Vec<UnitRead>,
    pub(super) new_texts: BTreeMap<PathBuf, Vec<u8>>,
}

/// How an attempt ended.
pub(super) enum Attempt {
    /// As planned.
    Good(Success),
    /// These groups cannot stay, for these reasons.
    Bad(BTreeMap<GroupId, String>),
    /// It is to be planned anew.
    Again,
}

/// The pieces of a unit, with those that are known already in place of their copies.
fn shared(known: &mut HashMap<Digest, SharedFileFacts>, pieces: Vec<SharedFileFacts>) -> Vec<SharedFileFacts> {
    pieces.into_iter().map(|piece| known.entry(piece.digest()).or_insert(piece).clone()).collect()
}

/// The numbers of files.
fn numbers(known: &mut HashMap<PathBuf, u32>, files: &[PathBuf], tree: &Tree) -> Vec<u32> {
    let number = |path: &PathBuf| {
        let next = known.len() as u32;
        *known.entry(tree.absolute(path)).or_insert(next)
    };
    files.iter().map(number).collect()
}
