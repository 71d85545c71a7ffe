//! Which fixes of a round are to blame if units no longer compile, or call another function than
//! planned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cowrap_base::files::{Shown, offset, place};
use cowrap_facts::SharedFileFacts;
use cowrap_fix::{EditSet, GroupId};
use cowrap_report::{Action, Edit, Problem, Span};

use crate::generate::Job;
use crate::session::UnitRead;

use super::rounds::{Attempt, FixSession, PlannedFix};

/// The number of failures in one file that single fixes are blamed for. Each costs another attempt,
/// so after that, all fixes of the file are blamed.
const MAX_SINGLE_BLAMES: u32 = 8;

impl FixSession<'_> {
    /// Blames fixes that units contradict, although they compile: a new callee is not declared at
    /// the call, or its name means something else there; the generated file does not include a
    /// header that the generator was given.
    ///
    /// A call of an undeclared function is an error for today's compilers, but not for libclang as
    /// cowrap runs it.
    pub(super) fn blame_ineffective(
        &self,
        fixes: &BTreeMap<GroupId, PlannedFix>,
        set: &EditSet,
        units: &[UnitRead],
    ) -> Option<BTreeMap<GroupId, String>> {
        let tree = &self.session.tree;
        let readers = |path: &Path| {
            let path = tree.portable(&tree.root.join(path));
            units.iter().filter(move |unit| unit.files.contains(&path))
        };
        let lacks = |job: &Job, header: &Path| {
            let header = tree.portable(header);
            job.output.as_ref().is_some_and(|output| readers(output).any(|unit| !unit.files.contains(&header)))
        };
        let mut blamed = BTreeMap::new();
        for (id, planned) in fixes {
            for action in &planned.fix.actions {
                match action {
                    Action::CallInstead { new, at, .. } => {
                        let declares = |unit: &UnitRead| {
                            unit.facts.iter().flatten().map(SharedFileFacts::facts).any(|facts| {
                                let mut declared = facts.declarations.iter();
                                declared.any(|declared| facts.symbols[declared.symbol.0 as usize].name == *new)
                            })
                        };
                        if readers(&at.path).any(|unit| !declares(unit)) {
                            blamed.insert(*id, format!("`{new}` is not declared at the call"));
                        } else if !self.is_called(new, at, set, readers(&at.path)) {
                            blamed.insert(*id, format!("`{new}` means something else at the call"));
                        }
                    }
                    Action::AddInput { header } => {
                        let path = tree.root.join(header);
                        if !self.jobs.is_empty() && self.jobs.iter().all(|job| lacks(job, &path)) {
                            blamed.insert(*id, format!("the generated file does not include {}", header.shown()));
                        }
                    }
                    _ => {}
                }
            }
        }
        (!blamed.is_empty()).then_some(blamed)
    }

    /// Whether units call this function at a location where they called another one before. A
    /// parameter or a variable may have the same name.
    fn is_called<'f>(&self, name: &str, at: &Span, set: &EditSet, units: impl Iterator<Item = &'f UnitRead>) -> bool {
        let tree = &self.session.tree;
        let path = tree.portable(&tree.root.join(&at.path));
        let Ok(old) = self.texts.text(&at.path) else { return false };
        let new = set.apply(&at.path, &old).ok();
        let Some(at) = new.and_then(|new| moved(at, &old, &new, set)) else { return false };
        units.flat_map(|unit| unit.facts.iter().flatten()).map(SharedFileFacts::facts).any(|facts| {
            facts.bodies.iter().flat_map(|body| &body.calls).any(|call| {
                (call.location.line, call.location.column) == (at.line, at.column)
                    && facts.symbols[call.callee.0 as usize].name == name
                    && facts.files[call.location.file.0 as usize] == path
            })
        })
    }

    /// Blames fixes for units that no longer compile. If a mark's header may be missing, the file
    /// is to include it first.
    pub(super) fn blame_problems(
        &mut self,
        problems: &[(usize, Problem)],
        fixes: &BTreeMap<GroupId, PlannedFix>,
        set: &EditSet,
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> Attempt {
        let edits = |planned: &PlannedFix, path: &Path| planned.edits.iter().any(|edit| edit.path == path);
        let mut added_include = false;
        for (_, problem) in problems {
            let Some(at) = &problem.at else { continue };
            let marks =
                fixes.values().filter(|planned| edits(planned, &at.path)).flat_map(|planned| &planned.fix.actions);
            let marks: BTreeSet<&String> = marks
                .filter_map(|action| match action {
                    Action::MarkFunction { mark, .. } | Action::MarkPointer { mark, .. } => Some(mark),
                    _ => None,
                })
                .collect();
            // An unknown mark gives different errors in different places, so all errors in the file
            // count.
            for mark in marks {
                added_include |=
                    self.mark_header(mark).is_some_and(|header| self.includes.insert((at.path.clone(), header)));
            }
        }
        if added_include {
            return Attempt::Replan;
        }
        let mut blamed = BTreeMap::new();
        for (unit, problem) in problems {
            let reason = format!("{} would no longer compile: {}", problem.file.shown(), problem.message);
            let ids = self.suspected(*unit, problem, fixes, set, new_texts);
            blamed.extend(ids.into_iter().map(|id| (id, reason.clone())));
        }
        // An include that did not help is removed. A fix that needs it adds it again.
        let failing: BTreeSet<&Path> =
            problems.iter().filter_map(|(_, problem)| Some(&*problem.at.as_ref()?.path)).collect();
        self.includes.retain(|(path, _)| !failing.contains(path.as_path()));
        if blamed.is_empty() {
            let ids = fixes.keys().copied();
            blamed.extend(ids.map(|id| (id, "a translation unit would no longer compile".to_owned())));
        }
        Attempt::Rejected(blamed)
    }

    /// The fixes of which one breaks a unit: as few as the location of the error allows.
    fn suspected(
        &mut self,
        unit: usize,
        problem: &Problem,
        fixes: &BTreeMap<GroupId, PlannedFix>,
        set: &EditSet,
        new_texts: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> Vec<GroupId> {
        let ids = |is_suspect: &dyn Fn(&PlannedFix) -> bool| -> Vec<GroupId> {
            fixes.iter().filter(|(_, planned)| is_suspect(planned)).map(|(id, _)| *id).collect()
        };
        if let Some(at) = &problem.at {
            let in_file = ids(&|planned| planned.edits.iter().any(|edit| edit.path == at.path));
            let failed = self.failed.entry(at.path.clone()).or_default();
            *failed += 1;
            if !in_file.is_empty() && *failed > MAX_SINGLE_BLAMES {
                return in_file;
            }
            let nearest = self.nearest(at, fixes, set);
            if !nearest.is_empty() {
                return nearest;
            }
            if !in_file.is_empty() {
                return in_file;
            }
        }
        // The error may name a function whose declarations now differ, or that is called with its
        // old type.
        if let Some(name) = problem.at.as_ref().and_then(|at| self.name_at(at, new_texts)) {
            let named = ids(&|planned| planned.names().contains(&name.as_str()));
            if !named.is_empty() {
                return named;
            }
        }
        // The generated code of a new wrapper may not compile.
        let root = &self.session.tree.root;
        let is_output = |path: &Path| self.jobs.iter().any(|job| job.output.as_ref() == Some(&root.join(path)));
        let asking = ids(&PlannedFix::asks_for_wrappers);
        if is_output(&problem.file) && !asking.is_empty() {
            return asking;
        }
        let reads = |path: &Path| {
            let file = self.files.get(&root.join(path));
            file.is_some_and(|file| self.reads[unit].contains(file))
        };
        // A header may not compile where it is included now, because it needs declarations that
        // come later.
        let included = |edit: &Edit| self.includes.iter().any(|(path, _)| *path == edit.path) && reads(&edit.path);
        let including = ids(&|planned| planned.edits.iter().any(included));
        if !including.is_empty() {
            return including;
        }
        ids(&|planned| planned.edits.iter().any(|edit| reads(&edit.path)))
    }

    /// The name at a location in the new texts, if there is one.
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

    /// The fixes with the last edit before a location: an error shows at the edit, or after it.
    fn nearest(&self, at: &Span, fixes: &BTreeMap<GroupId, PlannedFix>, set: &EditSet) -> Vec<GroupId> {
        let Ok(old) = self.texts.text(&at.path) else { return Vec::new() };
        let Ok(new) = set.apply(&at.path, &old) else { return Vec::new() };
        let mut nearest: (u32, Vec<GroupId>) = (0, Vec::new());
        for (id, planned) in fixes {
            let edits = planned.edits.iter().filter(|edit| edit.path == at.path);
            let lines = edits.map(|edit| place(&new, set.moved(&at.path, edit.start)).0);
            match lines.filter(|line| *line <= at.line).max() {
                Some(line) if line > nearest.0 => nearest = (line, vec![*id]),
                Some(line) if line == nearest.0 => nearest.1.push(*id),
                _ => {}
            }
        }
        nearest.1
    }

    /// The name by which the header that defines a mark is included.
    fn mark_header(&self, mark: &str) -> Option<String> {
        let path = &self.session.details.parsing.marks.iter().find(|defined| defined.mark == mark)?.path;
        let name = path.strip_prefix("include").unwrap_or(path);
        Some(name.to_string_lossy().into_owned())
    }
}

/// A location of an old text in the new one.
fn moved(at: &Span, old: &[u8], new: &[u8], set: &EditSet) -> Option<Span> {
    let (line, column) = place(new, set.moved(&at.path, offset(old, at.line, at.column)?));
    Some(Span { path: at.path.clone(), line, column })
}
