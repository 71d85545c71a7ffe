//! Packs: the marks, predicates, suspending functions and models of a code base.
//!
//! Only packs have a code base's own names. Those of `rules/packs/` are built in.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use cowrap_facts::{Context, ContextSet, MarkId};

use super::generator::{Dialect, Feature, WrittenGenerator};
use super::{Settings, builtin, naming};

/// What a function requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Requires the inside context.
    #[serde(alias = "coroutine-only")]
    InsideOnly,
    /// Runs in either context.
    #[serde(alias = "either")]
    Mixed,
    /// Requires the outside context.
    #[serde(alias = "non-coroutine-only")]
    OutsideOnly,
    /// Requires nothing, and starts inside: what cowrap cannot see, such as the kernel or a library, calls it there.
    Entry,
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// Shared with other readers.
    Read,
    /// Held alone.
    Write,
}

/// What a wrapper mark says about the generated function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapper {
    /// What the wrapper's target requires.
    pub calls: Effect,
    /// The lock that the wrapper takes around the call.
    pub lock: Option<LockMode>,
    /// For the pack's templates: where a wrapper that leaves the coroutine runs its target. Without this the template
    /// decides.
    pub context: Option<String>,
}

/// A mark of the code base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkSpec {
    /// The macro's name.
    pub name: String,
    /// What a function with this mark requires of its caller; `None` for a lock mark.
    pub effect: Option<Effect>,
    /// For a wrapper mark, the wrapper to generate.
    pub wrapper: Option<Wrapper>,
    /// For a lock mark, how the lock must be held.
    pub lock: Option<LockMode>,
    /// Whether the mark is a statement in the body of a function, as in `IO_CODE();`, and not on declarations.
    #[serde(default)]
    pub statement: bool,
    /// As in [`Lock::is_foreign`]. It says nothing then.
    #[serde(skip)]
    pub is_foreign: bool,
}

/// What functions without marks require of their callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The functions, by name. `*` stands for any characters, as in `*_from_isr`.
    pub functions: Vec<String>,
    /// What they require of their callers.
    pub effect: Effect,
    /// The reason, for people.
    pub reason: String,
    /// The gravest level of findings about these functions; the rule's without it.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub level: Option<cowrap_report::Level>,
}

/// A lock that belongs to a thread: the inside context that holds it must not suspend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Its name in findings.
    pub name: String,
    /// Functions or macros that acquire it.
    #[serde(default)]
    pub acquire: Vec<String>,
    /// Functions or macros that release it. Their argument identifies the lock.
    #[serde(default)]
    pub release: Vec<String>,
    /// Macros that declare a variable whose cleanup releases it.
    #[serde(default)]
    pub guards: Vec<String>,
    /// For guards that select by the type of their argument: the types of this lock.
    #[serde(default)]
    pub types: Vec<String>,
    /// Whether it is another pack's, and only here so that all packs of a run count the same ([`PackSet`]).
    #[serde(skip)]
    pub is_foreign: bool,
}

/// What is known of a function-pointer slot without a mark. Its requirement can depend on a flag beside it: another
/// field of the record, or another argument of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotModel {
    /// The slot.
    pub slot: SlotName,
    /// What the slot requires of those who call through it, and so of what is stored there. What is stored in a slot
    /// with the effect [`Effect::Entry`] starts inside.
    pub effect: Option<Effect>,
    /// The flag: a field of the same record, or a parameter of the same function. Without one the requirement is
    /// unknown, and cowrap does not check stores into the slot.
    pub flag: Option<SlotName>,
    /// The constant that must be among the flag's bits, or the function whose result the flag must be, as in
    /// `main_context()`. Without one, any value but 0 sets the flag.
    pub constant: Option<String>,
    /// The slot's requirement if the flag is set.
    pub set: Option<Effect>,
    /// The slot's requirement if it is not.
    pub unset: Option<Effect>,
    /// The reason, for people.
    pub reason: Option<String>,
    /// As in [`Lock::is_foreign`].
    #[serde(skip)]
    pub is_foreign: bool,
}

/// What tells a body in which context it runs: a call of a function or a macro, perhaps compared with something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Predicate {
    /// The function or macro.
    pub name: String,
    /// What its result is compared with. Without it, the result itself is the answer.
    pub compared: Option<Compared>,
    /// The context if the answer is yes.
    pub context: Context,
}

/// What the result of a predicate is compared with: `current_thread() == main_thread()`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Compared {
    /// The result of a function or macro without arguments.
    Call(String),
    /// A constant or variable, by name.
    Name(String),
    /// A number.
    Number(i64),
}

/// Functions or macros that change the context of the body that calls them: that take or drop a lock, or block signals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The functions and macros, by name.
    pub functions: Vec<String>,
    /// The context behind them.
    pub to: ContextName,
    /// Whether they are guards: the context is the earlier one again at the end of the block, or of the statement that
    /// follows the macro.
    #[serde(default)]
    pub guard: bool,
    /// An argument that must be a constant, for functions that do several things: `{ argument = 1, is = "SIG_BLOCK" }`.
    pub when: Option<When>,
}

/// What an argument must be for a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Which argument, from 1.
    pub argument: u16,
    /// The name of a constant, or a number.
    pub is: String,
}

/// A context in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContextName {
    /// [`Context::Inside`].
    Inside,
    /// [`Context::Outside`].
    Outside,
}

impl From<ContextName> for Context {
    fn from(name: ContextName) -> Context {
        match name {
            ContextName::Inside => Context::Inside,
            ContextName::Outside => Context::Outside,
        }
    }
}

/// The name of a slot: `Record::field`, or `function(2)` for the second parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SlotName {
    /// A field of a record.
    Field {
        /// The record's name, without `struct`.
        record: String,
        /// The field's name.
        field: String,
    },
    /// A parameter of a function.
    Parameter {
        /// The function's name.
        function: String,
        /// Which parameter, from 0.
        position: u16,
    },
    /// Everything that is declared with a typedef.
    Typedef {
        /// The typedef's name.
        name: String,
    },
}

/// A parameter whose function runs in another thread: `function(2)` for the second parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ThreadParameter {
    /// The function's name.
    pub function: String,
    /// Which parameter, from 0.
    pub position: u16,
}

/// A call that call chains do not follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The caller, by name.
    pub caller: String,
    /// The callee, by name; also if it is called through a pointer.
    pub callee: String,
    /// The reason, for people.
    pub reason: String,
}

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
    /// The functions that run the event loop once. Code outside waits for coroutines with them.
    pub polling: Vec<String>,
    /// The word that joins a wrapper's name to its target's.
    pub infix: Option<String>,
    /// What is known of functions without marks.
    pub models: Vec<Model>,
    /// Calls that are known to do no harm.
    pub cuts: Vec<Cut>,
    /// Macros that run their argument in another thread, on behalf of the coroutine.
    pub regions: Vec<String>,
    /// Functions that do not return, and leave only the frame or the thread: the program goes on.
    pub leaves: Vec<String>,
    /// The parameters whose function a thread of a pool runs. It is not inside, and has no event loop to poll.
    pub workers: Vec<ThreadParameter>,
    /// The parameters whose function a new thread runs. It is not inside, and may poll an event loop of its
    /// own.
    pub threads: Vec<ThreadParameter>,
    /// Locks that belong to threads; [`LockId`](cowrap_facts::LockId) counts them.
    pub locks: Vec<Lock>,
    /// Slots without marks; [`PairId`](cowrap_facts::PairId) counts them.
    pub slots: Vec<SlotModel>,
    /// The functions in which coroutines begin. cowrap does not check their bodies.
    pub trampolines: Vec<String>,
    headers: GlobSet,
    /// For each pattern of headers, the directories before its first wildcard.
    header_directories: Vec<PathBuf>,
    generated: GlobSet,
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

/// A longer chain of `extends` is circular.
const MOST_FILES: usize = 16;

/// The file as serde reads it, joined with the pack that it extends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) name: String,
    /// The pack that this one extends: a built-in name, or a file relative to this one.
    #[serde(default)]
    extends: Option<PathBuf>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    generated: Vec<String>,
    #[serde(default)]
    predicates: Vec<Predicate>,
    #[serde(default)]
    primitives: Vec<String>,
    #[serde(default)]
    noreturn: Vec<String>,
    #[serde(default, rename = "change")]
    changes: Vec<Change>,
    #[serde(default)]
    creators: Vec<String>,
    #[serde(default)]
    polling: Vec<String>,
    pub(super) infix: Option<String>,
    #[serde(default, rename = "mark")]
    pub(super) marks: Vec<MarkSpec>,
    #[serde(default, rename = "model")]
    models: Vec<Model>,
    #[serde(default, rename = "cut")]
    cuts: Vec<Cut>,
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    leaves: Vec<String>,
    #[serde(default)]
    workers: Vec<ThreadParameter>,
    #[serde(default)]
    threads: Vec<ThreadParameter>,
    #[serde(default, rename = "lock")]
    locks: Vec<Lock>,
    #[serde(default, rename = "slot")]
    slots: Vec<SlotModel>,
    #[serde(default)]
    trampolines: Vec<String>,
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
        files: &mut Vec<PathBuf>,
    ) -> Result<Written, PackError> {
        let invalid = |message: String| PackError::Invalid { path: origin.display().to_string(), message };
        let mut written: Written = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        if written.headers.is_empty() && written.extends.is_none() && !written.marks.is_empty() {
            let message = "the pack has marks but no `headers`; add patterns of the headers that define the marks";
            return Err(invalid(message.to_owned()));
        }
        written.generator_home = written.generator.as_ref().and(directory.clone());
        if let Some(extended) = written.extends.take() {
            let path = match directory {
                Some(directory) if !builtin::NAMES.iter().any(|name| extended == Path::new(name)) => {
                    directory.join(&extended)
                }
                _ => extended,
            };
            if files.len() > MOST_FILES {
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
            workers: base.workers.into_iter().chain(self.workers).collect(),
            threads: base.threads.into_iter().chain(self.threads).collect(),
            locks: base.locks.into_iter().chain(self.locks).collect(),
            slots: base.slots.into_iter().chain(self.slots).collect(),
            trampolines: join(base.trampolines, self.trampolines),
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

impl Pack {
    /// The built-in pack for QEMU.
    pub fn qemu() -> Result<Pack, PackError> {
        Pack::build(builtin::written(builtin::DEFAULT)?, Path::new("rules/packs/qemu.toml"))
    }

    /// Reads a pack: a built-in one by its name, else a file.
    pub fn read(path: &Path) -> Result<Pack, PackError> {
        Pack::build(builtin::written_or_file(path, &mut Vec::new())?, path)
    }

    /// Reads a pack from its text; `origin` is for messages.
    pub fn parse(text: &str, origin: &Path) -> Result<Pack, PackError> {
        let directory = origin.parent().map(Path::to_path_buf);
        Pack::build(Written::parse(text, origin, directory, &mut Vec::new())?, origin)
    }

    fn build(written: Written, origin: &Path) -> Result<Pack, PackError> {
        let invalid = |message: String| PackError::Invalid { path: origin.display().to_string(), message };
        let globs = |patterns: &[String]| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns {
                let glob = GlobBuilder::new(pattern).literal_separator(true).build();
                set.add(glob.map_err(|error| invalid(error.to_string()))?);
            }
            set.build().map_err(|error| invalid(error.to_string()))
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
            workers: written.workers,
            threads: written.threads,
            locks: written.locks,
            slots: written.slots,
            trampolines: written.trampolines,
        })
    }

    /// The pack with the models and cuts of a tree's settings.
    pub fn with(mut self, settings: &Settings) -> Pack {
        self.models.extend(settings.models.iter().cloned());
        self.cuts.extend(settings.cuts.iter().cloned());
        self
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

impl SlotModel {
    fn validate(&self) -> Result<(), String> {
        let SlotModel { slot, effect, flag, constant, set, unset, .. } = self;
        let Some(flag) = flag else {
            if constant.is_some() || set.is_some() || unset.is_some() {
                return Err(format!(
                    "the model of `{slot}` has no `flag`; add it, or remove `constant`, `set` and `unset`"
                ));
            }
            return Ok(());
        };
        if effect.is_some() {
            return Err(format!(
                "the model of `{slot}` has both `effect` and `flag`; use `set` and `unset` with a flag"
            ));
        }
        let beside = match (slot, flag) {
            (SlotName::Field { record, .. }, SlotName::Field { record: other, .. }) => record == other,
            (SlotName::Parameter { function, .. }, SlotName::Parameter { function: other, .. }) => function == other,
            _ => false,
        };
        if !beside || slot == flag {
            return Err(format!("`{flag}` and `{slot}` must be fields of one record, or parameters of one function"));
        }
        if set.is_none() && unset.is_none() {
            return Err(format!("the model of `{slot}` has neither `set` nor `unset`"));
        }
        Ok(())
    }

    /// What the slot requires with this value of the flag.
    pub fn effect(&self, set: bool) -> Option<Effect> {
        if set { self.set } else { self.unset }
    }
}

impl TryFrom<String> for SlotName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if let Some((record, field)) = text.split_once("::")
            && is_name(record)
            && is_name(field)
        {
            return Ok(SlotName::Field { record: record.to_owned(), field: field.to_owned() });
        }
        let parameter = text.strip_suffix(')').and_then(|text| text.split_once('('));
        if let Some((function, position)) = parameter
            && is_name(function)
            && let Some(position) = position.parse::<u16>().ok().and_then(|position| position.checked_sub(1))
        {
            return Ok(SlotName::Parameter { function: function.to_owned(), position });
        }
        if let Some(name) = text.strip_prefix("typedef ")
            && is_name(name)
        {
            return Ok(SlotName::Typedef { name: name.to_owned() });
        }
        Err(format!(
            "`{text}` is not a slot; expected `Record::field`, `function(2)` for the second parameter, or `typedef Name`"
        ))
    }
}

impl TryFrom<String> for Predicate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_name = |name: &str| {
            !name.bytes().next().is_none_or(|byte| byte.is_ascii_digit())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let invalid = || {
            format!(
                "`{text}` is not a predicate; expected `name`, `!name`, or a comparison such as `name() == other()`"
            )
        };
        let comparison = text.split_once("==").map(|parts| (parts, Context::Inside));
        let comparison = comparison.or_else(|| text.split_once("!=").map(|parts| (parts, Context::Outside)));
        let without_parentheses = |call: &str| call.trim().strip_suffix("()").map(str::to_owned);
        if let Some(((left, right), context)) = comparison {
            let name = without_parentheses(left).filter(|name| is_name(name)).ok_or_else(invalid)?;
            let right = right.trim();
            let compared = match without_parentheses(right) {
                Some(call) if is_name(&call) => Compared::Call(call),
                _ if is_name(right) => Compared::Name(right.to_owned()),
                _ => Compared::Number(right.parse().map_err(|_| invalid())?),
            };
            return Ok(Predicate { name, compared: Some(compared), context });
        }
        let (name, context) = match text.strip_prefix('!') {
            Some(name) => (name, Context::Outside),
            None => (text.as_str(), Context::Inside),
        };
        let name = without_parentheses(name).unwrap_or_else(|| name.trim().to_owned());
        if !is_name(&name) {
            return Err(invalid());
        }
        Ok(Predicate { name, compared: None, context })
    }
}

impl From<Predicate> for String {
    fn from(predicate: Predicate) -> String {
        predicate.to_string()
    }
}

impl std::fmt::Display for Predicate {
    /// The expression that is true inside, as C writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Predicate { name, compared, context } = self;
        let is_inside = *context == Context::Inside;
        match compared {
            None if is_inside => write!(f, "{name}()"),
            None => write!(f, "!{name}()"),
            Some(compared) => {
                write!(f, "{name}() {} ", if is_inside { "==" } else { "!=" })?;
                match compared {
                    Compared::Call(call) => write!(f, "{call}()"),
                    Compared::Name(name) => write!(f, "{name}"),
                    Compared::Number(number) => write!(f, "{number}"),
                }
            }
        }
    }
}

impl TryFrom<String> for ThreadParameter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match SlotName::try_from(text.clone()) {
            Ok(SlotName::Parameter { function, position }) => Ok(ThreadParameter { function, position }),
            _ => Err(format!("`{text}` is not a parameter; expected `function(2)` for the second parameter")),
        }
    }
}

impl std::fmt::Display for ThreadParameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.function, self.position + 1)
    }
}

impl From<SlotName> for String {
    fn from(name: SlotName) -> String {
        name.to_string()
    }
}

impl std::fmt::Display for SlotName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SlotName::Field { record, field } => write!(f, "{record}::{field}"),
            SlotName::Parameter { function, position } => write!(f, "{function}({})", position + 1),
            SlotName::Typedef { name } => write!(f, "typedef {name}"),
        }
    }
}

impl Effect {
    /// Whether what has this effect may run in a context.
    pub fn allows(self, context: Context) -> bool {
        match self {
            Effect::InsideOnly => context == Context::Inside,
            Effect::Mixed | Effect::Entry => true,
            Effect::OutsideOnly => context == Context::Outside,
        }
    }

    /// The contexts in which the body of what has this effect starts.
    pub fn contexts(self) -> ContextSet {
        match self {
            Effect::InsideOnly | Effect::Entry => ContextSet::INSIDE,
            Effect::Mixed => ContextSet::BOTH,
            Effect::OutsideOnly => ContextSet::OUTSIDE,
        }
    }

    /// The words that users read.
    pub fn describe(self) -> &'static str {
        match self {
            Effect::InsideOnly => "coroutine-only",
            Effect::Mixed => "mixed",
            Effect::OutsideOnly => "non-coroutine-only",
            Effect::Entry => "an entry",
        }
    }
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
