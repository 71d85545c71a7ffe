//! A pack, ready for use.

use std::path::{Path, PathBuf};

use globset::GlobSet;
use thiserror::Error;

use cowrap_facts::MarkId;

use super::help::{Help, HelpTexts};
use super::patterns::path_patterns;
use super::rules::RuleSpecs;
use super::written::{FilesRead, Written};
use super::{
    Change, Cut, Lock, MarkSpec, Model, Predicate, RULE_IDS, Setting, Settings, SettingsError, SlotModel,
    ThreadParameter, Words, builtin, naming,
};
use cowrap_base::files::Shown;

/// A pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// Its file, for messages.
    pub origin: PathBuf,
    /// Its marks; [`MarkId`] counts them.
    pub marks: Vec<MarkSpec>,
    /// What tells a body in which context it runs.
    pub predicates: Vec<Predicate>,
    /// The functions that need the inside context themselves. All others need it only to call these.
    pub primitives: Vec<String>,
    /// The functions that create the inside context.
    pub creators: Vec<String>,
    /// Functions that never return, and whose declarations do not say so.
    pub noreturn: Vec<String>,
    /// What changes the context of the body that calls it.
    pub changes: Vec<Change>,
    /// The functions that run the event loop once. Code outside waits with them for what it entered.
    pub polling: Vec<String>,
    /// The word that joins a wrapper's name to its target's.
    pub infix: Option<String>,
    /// What the pack says of functions without marks.
    pub models: Vec<Model>,
    /// Calls that call chains do not follow.
    pub cuts: Vec<Cut>,
    /// Macros that run their argument in another thread, on behalf of the code inside.
    pub regions: Vec<String>,
    /// Functions that do not return, and leave only the frame or the thread: the program goes on.
    pub leaves: Vec<String>,
    /// The functions that end the program in such a way that what it did on the way does not matter, such as `abort`.
    /// Without it, all that never return, except `leaves`.
    pub crashes: Option<Vec<String>>,
    /// The parameters whose function a thread of a pool runs. It is not inside, and has no event loop to poll.
    pub workers: Vec<ThreadParameter>,
    /// The parameters whose function a new thread runs. It is not inside, and may poll an event loop of its
    /// own.
    pub threads: Vec<ThreadParameter>,
    /// Locks that belong to threads; [`LockId`](cowrap_facts::LockId) counts them.
    pub locks: Vec<Lock>,
    /// Slots without marks; [`PairId`](cowrap_facts::PairId) counts them.
    pub slots: Vec<SlotModel>,
    /// The functions in which the inside context begins. cowrap does not check their bodies.
    pub trampolines: Vec<String>,
    /// The names of the packs that it extends, directly or not.
    pub bases: Vec<String>,
    /// The files that it was read from, with those that it extends and its pages. Built-in ones are not among them.
    pub files: Vec<PathBuf>,
    /// The words of its messages.
    pub words: Words,
    help: HelpTexts,
    rules: RuleSpecs,
    headers: GlobSet,
    /// For each pattern of headers, the directories before its first wildcard.
    header_directories: Vec<PathBuf>,
    generated: GlobSet,
}

impl PackError {
    /// The error about a file whose text is not quoted, whatever is wrong with it.
    pub(super) fn foreign(path: &Path) -> PackError {
        let message = "not a valid pack; a link leads out of the tree to it, so its text is not quoted".to_owned();
        PackError::Invalid { path: path.shown().to_string(), message }
    }
}

/// Why a pack cannot be used.
#[derive(Debug, Error)]
pub enum PackError {
    /// It cannot be read.
    #[error("cannot read the pack {path}: {source}")]
    Read {
        /// The pack's file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// Its content is wrong. The message has the location.
    #[error("{path}: {message}")]
    Invalid {
        /// The pack's file.
        path: String,
        /// The problem and its location.
        message: String,
    },
    /// No built-in pack has this name.
    #[error("no built-in pack is named `{name}`; known are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names of the built-in packs.
        known: String,
    },
}

impl Pack {
    /// The built-in pack for QEMU.
    pub fn qemu() -> Result<Pack, PackError> {
        Pack::build(builtin::written(builtin::DEFAULT)?, Path::new("rules/packs/qemu.toml"), FilesRead::default())
    }

    /// Reads a pack: a built-in one by its name, else a file.
    pub fn read(path: &Path) -> Result<Pack, PackError> {
        let mut files = FilesRead::default();
        Pack::build(builtin::written_or_file(path, &mut files)?, path, files)
    }

    /// Reads a pack from its text; `origin` is for messages.
    pub fn parse(text: &str, origin: &Path) -> Result<Pack, PackError> {
        let directory = origin.parent().map(Path::to_path_buf);
        let mut files = FilesRead::default();
        Pack::build(Written::parse(text, origin, directory, &mut files)?, origin, files)
    }

    fn build(written: Written, origin: &Path, files: FilesRead) -> Result<Pack, PackError> {
        let invalid = |message: String| PackError::Invalid { path: origin.shown().to_string(), message };
        let globs = |patterns: &[String]| {
            path_patterns(patterns.iter().map(String::as_str)).map_err(|error| invalid(error.to_string()))
        };
        Ok(Pack {
            headers: globs(&written.headers)?,
            header_directories: written.headers.iter().map(|pattern| literal_directory(pattern)).collect(),
            generated: globs(&written.generated)?,
            name: written.name,
            origin: origin.to_path_buf(),
            marks: written.marks,
            predicates: written.predicates,
            primitives: written.primitives,
            noreturn: written.noreturn,
            changes: written.changes,
            creators: written.creators,
            polling: written.polling,
            infix: written.infix,
            models: written.models,
            cuts: written.cuts,
            regions: written.regions,
            leaves: written.leaves,
            crashes: written.crashes,
            workers: written.workers,
            threads: written.threads,
            locks: written.locks,
            slots: written.slots,
            trampolines: written.trampolines,
            bases: written.bases,
            files: files.paths,
            words: Words::new(&written.words),
            help: HelpTexts::new(&written.help),
            rules: written.rules,
        })
    }

    /// The pack with the models and cuts of a tree's settings, as the only pack of a run.
    ///
    /// # Errors
    ///
    /// As of [`Settings::apply`].
    pub fn with(mut self, settings: &Settings) -> Result<Pack, SettingsError> {
        settings.apply(std::slice::from_mut(&mut self), Some(0))?;
        Ok(self)
    }

    /// The name under which users see a rule.
    pub fn rule_name<'p>(&'p self, id: &'p str) -> &'p str {
        self.rules.get(id).and_then(|rule| rule.name.as_deref()).unwrap_or(id)
    }

    /// The id of the rule that users see under a name.
    pub fn rule_id(&self, name: &str) -> Option<&'static str> {
        RULE_IDS.iter().copied().find(|id| self.rule_name(id) == name)
    }

    /// The level that the pack gives the gravest findings of a rule, and that limits the others. The settings of a
    /// tree take precedence.
    pub fn rule_level(&self, id: &str) -> Option<Setting> {
        self.rules.get(id)?.level
    }

    /// What the pack says that a rule reports, in one line.
    pub fn rule_summary(&self, id: &str) -> Option<&str> {
        self.rules.get(id)?.summary.as_deref()
    }

    /// The pack's own page of a rule, in Markdown.
    pub fn rule_page(&self, id: &str) -> Option<&str> {
        self.rules.get(id)?.page.as_deref()
    }

    /// A help text with its values.
    pub fn help(&self, help: Help, values: &[(&str, &str)]) -> String {
        self.help.fill(help, &self.words, values)
    }

    /// Its own marks on declarations, without those that are statements.
    pub fn declared_marks(&self) -> impl Iterator<Item = &MarkSpec> {
        self.marks.iter().filter(|mark| !mark.is_foreign && !mark.statement)
    }

    /// A mark's description.
    pub fn mark(&self, id: MarkId) -> &MarkSpec {
        &self.marks[usize::from(id.0)]
    }

    /// The headers that may define marks, as patterns of paths relative to the root, and the directories before each
    /// pattern's first wildcard.
    pub fn mark_headers(&self) -> (&GlobSet, &[PathBuf]) {
        (&self.headers, &self.header_directories)
    }

    /// Whether a generator wrote this file. Its path is relative to the root.
    pub fn is_generated(&self, path: &Path) -> bool {
        self.generated.is_match(path)
    }

    /// The name of a wrapper's target: `bdrv_co_foo` for `bdrv_foo`; the subsystem ends at the first `_`. `None` for a
    /// name without `_`, or with the infix.
    pub fn target_name(&self, wrapper: &str) -> Option<String> {
        naming::with_infix(self.infix.as_deref()?, wrapper)
    }

    /// The name of a target's wrapper: `bdrv_foo` for `bdrv_co_foo`.
    pub fn wrapper_name(&self, target: &str) -> Option<String> {
        naming::without_infix(self.infix.as_deref()?, target)
    }
}

/// The directories of a pattern before its first wildcard.
fn literal_directory(pattern: &str) -> PathBuf {
    let is_plain = |part: &&str| !part.contains(['*', '?', '[', '{']);
    let mut parts: Vec<&str> = pattern.split('/').take_while(is_plain).collect();
    if parts.len() == pattern.split('/').count() {
        parts.pop();
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_packs_are_valid() {
        let pack = Pack::qemu().unwrap();
        assert_eq!(pack.name, "qemu");
        assert!(pack.mark_headers().0.is_match(Path::new("include/qemu/osdep.h")));
        assert!(!pack.mark_headers().0.is_match(Path::new("docs/osdep.h")));
        assert!(pack.is_generated(Path::new("build/block/block-gen.c")));
    }

    #[test]
    fn a_pack_extends_another() {
        let scratch = tempfile::tempdir().unwrap();
        let (base, own) = (scratch.path().join("base.toml"), scratch.path().join("own.toml"));
        let mark = |name: &str| format!("[[mark]]\nname = \"{name}\"\neffect = \"either\"\n");
        let text = format!("name = \"base\"\nheaders = [\"*.h\"]\ninfix = \"co\"\n{}", mark("one"));
        std::fs::write(&base, text).unwrap();
        std::fs::write(&own, format!("name = \"own\"\nextends = \"base.toml\"\n{}", mark("two"))).unwrap();
        let pack = Pack::read(&own).unwrap();
        let names: Vec<&str> = pack.marks.iter().map(|mark| mark.name.as_str()).collect();
        assert_eq!((pack.name.as_str(), names), ("own", vec!["one", "two"]));
        assert!(pack.mark_headers().0.is_match(Path::new("a.h")) && pack.infix.as_deref() == Some("co"));
        // A mark in both is an error.
        std::fs::write(&own, format!("name = \"own\"\nextends = \"base.toml\"\n{}", mark("one"))).unwrap();
        assert!(Pack::read(&own).unwrap_err().to_string().contains("duplicate mark `one`"));
        std::fs::write(&own, "name = \"own\"\nextends = \"own.toml\"\n").unwrap();
        assert!(Pack::read(&own).unwrap_err().to_string().contains("circular `extends`"));
    }

    #[test]
    fn errors_have_a_location() {
        let parse = |text: &str| Pack::parse(text, Path::new("mine.toml")).unwrap_err().to_string();
        let unknown = parse("name = \"x\"\nheaders = []\nheadres = []\n");
        assert!(
            unknown.contains("mine.toml") && unknown.contains("headres") && unknown.contains("line 3"),
            "{unknown}"
        );
        let twice = parse(
            "name = \"x\"\nheaders = [\"*.h\"]\n[[mark]]\nname = \"a\"\neffect = \"either\"\n[[mark]]\nname = \"a\"\n\
             effect = \"either\"\n",
        );
        assert!(twice.contains("duplicate mark `a`"), "{twice}");
        let silent = parse("name = \"x\"\nheaders = [\"*.h\"]\n[[mark]]\nname = \"a\"\n");
        assert!(silent.contains("neither `effect` nor `lock`"), "{silent}");
        let pair = |text: &str| parse(&format!("name = \"x\"\nheaders = []\n[[slot]]\n{text}\n"));
        let no_slot = pair("slot = \"table.run\"");
        assert!(no_slot.contains("is not a slot") && no_slot.contains("line 4"), "{no_slot}");
        let zeroth = pair("slot = \"run(0)\"");
        assert!(zeroth.contains("is not a slot"), "{zeroth}");
        let apart = pair("slot = \"a::run\"\nflag = \"b::flag\"\nset = \"either\"");
        assert!(apart.contains("`b::flag` and `a::run` must be"), "{apart}");
        let mute = pair("slot = \"run(1)\"\nflag = \"run(2)\"");
        assert!(mute.contains("neither `set` nor `unset`"), "{mute}");
        let no_flag = pair("slot = \"run(1)\"\nset = \"either\"");
        assert!(no_flag.contains("has no `flag`"), "{no_flag}");
        let digit = pair("slot = \"1run(1)\"");
        assert!(digit.contains("is not a slot"), "{digit}");
        let zero = pair("slot = \"run(1)\"\neffect = \"entry\"\nnonzero = [0]");
        assert!(zero.contains("mine.toml:3:") && zero.contains("the first parameter is 1"), "{zero}");
        let no_entry = pair("slot = \"run(1)\"\neffect = \"mixed\"\nnonzero = [1]");
        assert!(no_entry.contains("which is about entries"), "{no_entry}");
        let empty = parse("name = \"x\"\n[[model]]\nfunctions = []\neffect = \"mixed\"\nreason = \"r\"\n");
        assert!(empty.contains("mine.toml:2:") && empty.contains("names no `functions`"), "{empty}");
        let workers = parse("name = \"x\"\nworkers = [\"submit(1)\", \"submit\"]\n");
        assert!(workers.contains("`submit` is not a parameter") && workers.contains("line 2"), "{workers}");
        let field = parse("name = \"x\"\nthreads = [\"Pool::func\"]\n");
        assert!(field.contains("`Pool::func` is not a parameter") && field.contains("line 2"), "{field}");
        let both = parse("name = \"x\"\nthreads = [\"run(1)\"]\nworkers = [\"run(1)\"]\n");
        assert!(both.contains("`run(1)` is among both"), "{both}");
        let glob = parse("name = \"x\"\nheaders = [\"a[\"]\n");
        assert!(glob.contains("mine.toml"), "{glob}");
    }
}
