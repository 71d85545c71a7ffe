//! Which fixes of a round are to blame when units cannot be read any more, or read something else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cowrap_base::files::{offset, place};
use cowrap_facts::SharedFileFacts;
use cowrap_fix::{EditSet, GroupId};
use cowrap_report::Problem;
use cowrap_report::{Action, Edit, Span};

use crate::generate::Job;
use crate::session::UnitRead;

use super::rounds::{Attempt, FixSession, Group};

/// How many failures in one file are put down to single fixes, before all that change it are given up: each costs another look.
const MOST_NARROW: u32 = 8;

impl FixSession<'_> {
    /// Renamed calls whose new callee is not declared where it is called, or is something else there, and inputs of the generator that its output does not
    /// include. A call of what is not declared is no error where units are read, but one for today's compilers.
    pub(super) fn undeclared(
        &self,
        groups: &BTreeMap<GroupId, Group>,
        set: &EditSet,
        units: &[UnitRead],
    ) -> Option<BTreeMap<GroupId, String>> {
        let tree = &self.session.tree;
        let reading = |path: &Path| {
            let path = tree.portable(&tree.root.join(path));
            units.iter().filter(move |unit| unit.files.contains(&path))
        };
        let lacks = |job: &Job, header: &Path| {
            let header = tree.portable(header);
            job.output.as_ref().is_some_and(|output| reading(output).any(|unit| !unit.files.contains(&header)))
        };
        let mut blamed = BTreeMap::new();
        for (id, group) in groups {
            for action in &group.fix.actions {
                match action {
                    Action::CallInstead { new, at, .. } => {
                        let declares = |unit: &UnitRead| {
                            unit.facts.iter().flatten().map(SharedFileFacts::facts).any(|facts| {
                                let mut declared = facts.declarations.iter();
                                declared.any(|declared| facts.symbols[declared.symbol.0 as usize].name == *new)
                            })
                        };
                        if reading(&at.path).any(|unit| !declares(unit)) {
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

    /// Says which groups keep units from being read: a mark may need its header, or it cannot be there.
    pub(super) fn blame_problems(
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
        let root = &self.session.tree.root;
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
        let path = &self.session.details.parsing.marks.iter().find(|defined| defined.mark == mark)?.path;
        let name = path.strip_prefix("include").unwrap_or(path);
        Some(name.to_string_lossy().into_owned())
    }
}

/// A place of an old text in the new one.
fn moved(at: &Span, old: &[u8], new: &[u8], set: &EditSet) -> Option<Span> {
    let (line, column) = place(new, set.moved(&at.path, offset(old, at.line, at.column)?));
    Some(Span { path: at.path.clone(), line, column })
}
