//! The file of a pack: parses and checks it, and joins it with the pack that it extends.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::builtin;
use super::generator::{Dialect, Feature, WrittenGenerator};
use super::rules::{self, RuleSpecs};
use super::{Change, Cut, Effect, Lock, MarkSpec, Model, PackError, Predicate, SlotModel, ThreadParameter};

/// A longer chain of `extends` is circular.
const MOST_PACKS: usize = 16;

/// The files that a pack consists of.
#[derive(Debug, Default)]
pub(super) struct FilesRead {
    /// The files, in the order in which they were read.
    pub(super) paths: Vec<PathBuf>,
    /// How many packs extend the one that is read.
    depth: usize,
}

/// The file as serde reads it, joined with the pack that it extends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) name: String,
    /// The pack that this one extends: a built-in name, or a file relative to this one.
    #[serde(default)]
    pub(super) extends: Option<PathBuf>,
    #[serde(default)]
    pub(super) headers: Vec<String>,
    #[serde(default)]
    pub(super) generated: Vec<String>,
    #[serde(default)]
    pub(super) predicates: Vec<Predicate>,
    #[serde(default)]
    pub(super) primitives: Vec<String>,
    #[serde(default)]
    pub(super) noreturn: Vec<String>,
    #[serde(default, rename = "change")]
    pub(super) changes: Vec<Change>,
    #[serde(default)]
    pub(super) creators: Vec<String>,
    #[serde(default)]
    pub(super) polling: Vec<String>,
    pub(super) infix: Option<String>,
    #[serde(default, rename = "mark")]
    pub(super) marks: Vec<MarkSpec>,
    #[serde(default, rename = "model")]
    pub(super) models: Vec<Model>,
    #[serde(default, rename = "cut")]
    pub(super) cuts: Vec<Cut>,
    #[serde(default)]
    pub(super) regions: Vec<String>,
    #[serde(default)]
    pub(super) leaves: Vec<String>,
    pub(super) crashes: Option<Vec<String>>,
    #[serde(default)]
    pub(super) workers: Vec<ThreadParameter>,
    #[serde(default)]
    pub(super) threads: Vec<ThreadParameter>,
    #[serde(default, rename = "lock")]
    pub(super) locks: Vec<Lock>,
    #[serde(default, rename = "slot")]
    pub(super) slots: Vec<SlotModel>,
    #[serde(default)]
    pub(super) trampolines: Vec<String>,
    /// Names, levels, summaries and pages of rules, by their ids.
    #[serde(default, rename = "rule")]
    pub(super) rules: RuleSpecs,
    /// Words of messages, by their keys.
    #[serde(default)]
    pub(super) words: BTreeMap<String, String>,
    pub(super) generator: Option<WrittenGenerator>,
    #[serde(default, rename = "feature")]
    pub(super) features: Vec<Feature>,
    #[serde(default, rename = "dialect")]
    pub(super) dialects: Vec<Dialect>,
    /// The directory of the generator's templates; `None` for built-in ones.
    #[serde(skip)]
    pub(super) generator_home: Option<PathBuf>,
}

impl Written {
    /// Parses and checks a pack. `directory` is its file's, unless it is built in. Adds the files that it reads to
    /// `files`.
    pub(super) fn parse(
        text: &str,
        origin: &Path,
        directory: Option<PathBuf>,
        files: &mut FilesRead,
    ) -> Result<Written, PackError> {
        let invalid = |message: String| PackError::Invalid { path: origin.display().to_string(), message };
        let mut written: Written = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        if written.headers.is_empty() && written.extends.is_none() && !written.marks.is_empty() {
            let message = "the pack has marks but no `headers`; add patterns of the headers that define the marks";
            return Err(invalid(message.to_owned()));
        }
        rules::read_pages(&mut written.rules, directory.as_deref(), &mut files.paths).map_err(invalid)?;
        written.generator_home = written.generator.as_ref().and(directory.clone());
        if let Some(extended) = written.extends.take() {
            let path = match directory {
                Some(directory) if !builtin::NAMES.iter().any(|name| extended == Path::new(name)) => {
                    directory.join(&extended)
                }
                _ => extended,
            };
            files.depth += 1;
            if files.depth > MOST_PACKS {
                return Err(invalid(format!("circular `extends` through {}", path.display())));
            }
            written = written.over(builtin::written_or_file(&path, files)?);
        }
        written.validate().map_err(invalid)?;
        Ok(written)
    }

    /// This pack on top of another. Lists are joined, the other's entries first. Single values are this one's.
    fn over(self, base: Written) -> Written {
        let join = |base: Vec<String>, own: Vec<String>| base.into_iter().chain(own).collect();
        let (generator, generator_home) = match self.generator {
            Some(own) => (Some(own), self.generator_home),
            None => (base.generator, base.generator_home),
        };
        Written {
            name: self.name,
            extends: None,
            headers: join(base.headers, self.headers),
            generated: join(base.generated, self.generated),
            predicates: base.predicates.into_iter().chain(self.predicates).collect(),
            primitives: join(base.primitives, self.primitives),
            noreturn: join(base.noreturn, self.noreturn),
            changes: base.changes.into_iter().chain(self.changes).collect(),
            creators: join(base.creators, self.creators),
            polling: join(base.polling, self.polling),
            infix: self.infix.or(base.infix),
            marks: base.marks.into_iter().chain(self.marks).collect(),
            models: base.models.into_iter().chain(self.models).collect(),
            cuts: base.cuts.into_iter().chain(self.cuts).collect(),
            regions: join(base.regions, self.regions),
            leaves: join(base.leaves, self.leaves),
            crashes: self.crashes.or(base.crashes),
            workers: base.workers.into_iter().chain(self.workers).collect(),
            threads: base.threads.into_iter().chain(self.threads).collect(),
            locks: base.locks.into_iter().chain(self.locks).collect(),
            slots: base.slots.into_iter().chain(self.slots).collect(),
            trampolines: join(base.trampolines, self.trampolines),
            rules: rules::over(self.rules, base.rules),
            words: base.words.into_iter().chain(self.words).collect(),
            generator,
            features: base.features.into_iter().chain(self.features).collect(),
            dialects: base.dialects.into_iter().chain(self.dialects).collect(),
            generator_home,
        }
    }

    fn validate(&self) -> Result<(), String> {
        let mut names = HashSet::new();
        for mark in &self.marks {
            let identifier = mark.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !mark.name.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
            if !identifier {
                return Err(format!("the mark `{}` is not a C identifier", mark.name));
            }
            if !names.insert(mark.name.as_str()) {
                return Err(format!("duplicate mark `{}`", mark.name));
            }
            if mark.wrapper.as_ref().is_some_and(|wrapper| wrapper.calls == Effect::Entry) {
                return Err(format!("the wrapper mark `{}` calls an entry, which nobody calls", mark.name));
            }
            if mark.effect.is_none() && mark.lock.is_none() {
                return Err(format!("the mark `{}` has neither `effect` nor `lock`", mark.name));
            }
        }
        for model in &self.models {
            if model.reason.trim().is_empty() {
                return Err(format!("the model of {:?} has no reason; state why it is correct", model.functions));
            }
        }
        if let Some(problem) = rules::problem(&self.rules) {
            return Err(problem);
        }
        self.slots.iter().try_for_each(SlotModel::validate)?;
        if let Some(both) = self.workers.iter().find(|parameter| self.threads.contains(parameter)) {
            return Err(format!("`{both}` is among both `workers` and `threads`; a new thread is no worker of a pool"));
        }
        for Cut { caller, callee, reason } in &self.cuts {
            if reason.trim().is_empty() {
                return Err(format!(
                    "the cut from `{caller}` to `{callee}` has no reason; state why the call is harmless"
                ));
            }
        }
        Ok(())
    }
}
