//! The file of a pack: parses and checks it, and joins it with the pack that it extends.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use cowrap_base::files::{Shown, home_of, is_below};

use super::document::Document;
use super::generator::{Dialect, Feature, WrittenGenerator};
use super::naming::pack_name_problem;
use super::predicates::{contrary_changes, contrary_predicates};
use super::rules::{self, RuleSpecs};
use super::{
    Change, Cut, Lock, MarkSpec, Model, PackError, Predicate, SlotModel, ThreadParameter, Words, builtin, help, words,
};

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
    /// Help texts, by their keys.
    #[serde(default)]
    pub(super) help: BTreeMap<String, String>,
    pub(super) generator: Option<WrittenGenerator>,
    #[serde(default, rename = "feature")]
    pub(super) features: Vec<Feature>,
    #[serde(default, rename = "dialect")]
    pub(super) dialects: Vec<Dialect>,
    /// The names of the packs that it extends.
    #[serde(skip)]
    pub(super) bases: Vec<String>,
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
        let mut document = Document::parse(text, origin)?;
        check_texts(&document)?;
        let base = match document.text("extends") {
            Some(extended) => Some(extended_pack(&document, Path::new(extended), directory.as_deref(), files)?),
            None => None,
        };
        // Its effects have the words of the pack that it extends, and its own.
        let mut words = base.as_ref().map(|base| base.words.clone()).unwrap_or_default();
        words.extend(document.texts("words").into_iter().map(|entry| (entry.key, entry.value)));
        let words = Words::new(&words);
        if let Some((keys, message)) = words.ambiguity() {
            let own = document.texts("words");
            // The later key, which may be the only one of the file.
            let entry = own.iter().rev().find(|entry| keys.contains(&entry.key.as_str()));
            return Err(document.error(entry.map_or(0, |entry| entry.offset(0)), message));
        }
        document.translate_effects(&words)?;

        let mut written: Written = document.read()?;
        let on_declarations = written.marks.iter().position(|mark| !mark.statement);
        if written.headers.is_empty()
            && written.extends.is_none()
            && let Some(mark) = on_declarations
        {
            let message = "the pack has marks but no `headers`; add patterns of the headers that define the marks";
            return Err(document.error(document.place("mark", mark), message));
        }
        written.validate(&document)?;
        rules::read_pages(&mut written.rules, &document, directory.as_deref(), &mut files.paths)?;
        written.generator_home = written.generator.as_ref().and(directory);
        let own = Lengths::new(&written);
        if let Some(base) = base {
            written = written.over(base);
        }
        written.validate_whole(&document, own)?;
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
            bases: base.bases.into_iter().chain([base.name]).collect(),
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
            help: base.help.into_iter().chain(self.help).collect(),
            generator,
            features: base.features.into_iter().chain(self.features).collect(),
            dialects: base.dialects.into_iter().chain(self.dialects).collect(),
            generator_home,
        }
    }

    /// Checks what the file has itself.
    fn validate(&self, document: &Document<'_>) -> Result<(), PackError> {
        if let Some(problem) = pack_name_problem(&self.name) {
            return Err(document.error(document.place_of("name"), problem));
        }
        for (index, mark) in self.marks.iter().enumerate() {
            if let Err(problem) = mark.validate() {
                return Err(document.error(document.place("mark", index), problem));
            }
        }
        for (index, model) in self.models.iter().enumerate() {
            if let Err(problem) = model.validate() {
                return Err(document.error(document.place("model", index), problem));
            }
        }
        for (index, slot) in self.slots.iter().enumerate() {
            if let Err(problem) = slot.validate() {
                return Err(document.error(document.place("slot", index), problem));
            }
        }
        for (index, change) in self.changes.iter().enumerate() {
            if let Err(problem) = change.validate() {
                return Err(document.error(document.place("change", index), problem));
            }
        }
        for (index, Cut { caller, callee, reason }) in self.cuts.iter().enumerate() {
            if reason.trim().is_empty() {
                let message =
                    format!("the cut from `{caller}` to `{callee}` has no reason; state why the call is harmless");
                return Err(document.error(document.place("cut", index), message));
            }
        }
        Ok(())
    }

    /// Checks what the file makes of the pack that it extends. The file has the last entries of each list itself.
    fn validate_whole(&self, document: &Document<'_>, own: Lengths) -> Result<(), PackError> {
        // Where an entry of a joined list is in the file.
        let place =
            |list: &str, index: usize, own: usize, all: usize| document.place(list, (index + own).saturating_sub(all));
        let mut names = HashSet::new();
        for (index, mark) in self.marks.iter().enumerate() {
            if !names.insert(mark.name.as_str()) {
                let place = place("mark", index, own.marks, self.marks.len());
                return Err(document.error(place, format!("duplicate mark `{}`; a mark has one entry", mark.name)));
            }
        }
        if let Some((index, message)) = contrary_predicates(&self.predicates) {
            return Err(document.error(place("predicates", index, own.predicates, self.predicates.len()), message));
        }
        if let Some((index, message)) = contrary_changes(&self.changes) {
            return Err(document.error(place("change", index, own.changes, self.changes.len()), message));
        }
        if let Some(both) = self.workers.iter().find(|parameter| self.threads.contains(parameter)) {
            let place = document.place_of("workers").max(document.place_of("threads"));
            let message =
                format!("`{both}` is among both `workers` and `threads`; a new thread is no worker of a pool");
            return Err(document.error(place, message));
        }
        match rules::clash(&self.rules) {
            Some((ids, message)) => {
                let own = document.tables("rule");
                let place = own.iter().find(|(id, ..)| ids.contains(&id.as_str())).map_or(0, |(_, place, _)| *place);
                Err(document.error(place, message))
            }
            None => Ok(()),
        }
    }
}

/// How many entries of some lists are the file's own.
#[derive(Clone, Copy)]
struct Lengths {
    marks: usize,
    predicates: usize,
    changes: usize,
}

impl Lengths {
    fn new(written: &Written) -> Lengths {
        let Written { marks, predicates, changes, .. } = written;
        Lengths { marks: marks.len(), predicates: predicates.len(), changes: changes.len() }
    }
}

/// Checks words, help texts and what is said about rules.
fn check_texts(document: &Document<'_>) -> Result<(), PackError> {
    for entry in document.texts("words") {
        if let Some((is_key, problem)) = words::problem(&entry.key, &entry.value) {
            let offset = if is_key { entry.key_offset } else { entry.offset(0) };
            return Err(document.error(offset, problem));
        }
    }
    for entry in document.texts("help") {
        if let Some((within, problem)) = help::problem(&entry.key, &entry.value) {
            let offset = within.map_or(entry.key_offset, |within| entry.offset(within));
            return Err(document.error(offset, problem));
        }
    }
    for (id, offset, texts) in document.tables("rule") {
        if let Some(problem) = rules::unknown_id(&id) {
            return Err(document.error(offset, problem));
        }
        for text in texts {
            if let Some((within, problem)) = rules::problem(&text.key, &text.value) {
                return Err(document.error(text.offset(within), problem));
            }
        }
    }
    Ok(())
}

/// The pack that a document extends.
fn extended_pack(
    document: &Document<'_>,
    extended: &Path,
    directory: Option<&Path>,
    files: &mut FilesRead,
) -> Result<Written, PackError> {
    let is_builtin = builtin::NAMES.iter().any(|name| extended == Path::new(name));
    let path = match directory {
        Some(directory) if !is_builtin => {
            let (path, home) = (directory.join(extended), home_of(document.origin()));
            if !is_below(&path, &[&home]) {
                let message =
                    format!("`extends` names {}, which is outside of {}; copy it there", path.shown(), home.shown());
                return Err(document.error(document.place_of("extends"), message));
            }
            path
        }
        _ => extended.to_path_buf(),
    };
    files.depth += 1;
    if files.depth > MOST_PACKS {
        let message = format!("circular `extends` through {}", path.shown());
        return Err(document.error(document.place_of("extends"), message));
    }
    builtin::written_or_file(&path, files)
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, Help, Pack};
    use super::*;

    fn parse(text: &str) -> Result<Pack, String> {
        Pack::parse(text, Path::new("mine.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pack_without_words_has_neutral_ones() {
        let pack = parse("name = \"x\"\n").unwrap();
        let words = &pack.words;
        assert_eq!(
            (words.inside.as_str(), words.inside_context.as_str()),
            ("in the inside context", "the inside context")
        );
        assert_eq!(
            (words.may.as_str(), words.never.as_str()),
            ("may need the inside context", "never needs the inside context")
        );
        let values = [("call", "call of `f`"), ("caller", "g"), ("callee", "f")];
        assert_eq!(pack.help(Help::MoveOut, &values), "move the call of `f` out of the inside context");
        assert_eq!(pack.rule_name("inside-call"), "inside-call");
        let on_thread = parse("name = \"x\"\n[words]\ninside = \"on the main thread\"\n").unwrap();
        assert_eq!(on_thread.words.inside_context, "the main thread");
    }

    #[test]
    fn what_is_contrary_has_a_place() {
        let problem = |text: &str| parse(&format!("name = \"x\"\n{text}\n")).unwrap_err();
        let words = problem("[words]\ninside_only = \"main\"\noutside_only = \"main\"");
        assert!(words.contains("mine.toml:4:17: `main` is the word for two effects"), "{words}");
        let general = problem("[words]\ninside_only = \"either\"");
        assert!(general.contains("mine.toml:3:16: `either` is the general name of another effect"), "{general}");
        assert!(parse("name = \"x\"\n[words]\nmixed = \"either\"\n").is_ok());
        let predicates = problem("predicates = [\"a\", \"b\",\n \"!a\"]");
        assert!(predicates.contains("mine.toml:3:2: the predicates have both `!a()`"), "{predicates}");
        assert!(parse("name = \"x\"\npredicates = [\"a\", \"a\", \"a() == 1\", \"!b\"]\n").is_ok());
        let change = |keys: &str| format!("[[change]]\nfunctions = [\"lock\"]\n{keys}\n");
        let both = format!("{}{}", change("to = \"inside\""), change("to = \"outside\""));
        let changes = problem(&both);
        assert!(changes.contains("mine.toml:5:1: `lock` changes to both contexts"), "{changes}");
        let told = format!("name = \"x\"\n{}", both.replace("\"outside\"", "\"outside\"\nresult = \"zero\""));
        assert!(parse(&told).is_ok());
        let name = problem("[[change]]\nfunctions = [\"a b\"]\nto = \"inside\"");
        assert!(name.contains("mine.toml:2:1: a change names `a b`, which is no function"), "{name}");
        let model = problem("[[model]]\nfunctions = [\"f\", \"\"]\neffect = \"mixed\"\nreason = \"r\"");
        assert!(model.contains("mine.toml:2:1: a model names ``, which is no function"), "{model}");
        let named = parse("name = \"a\\nb\"\n").unwrap_err();
        assert!(named.contains("mine.toml:1:8: the pack's name `a\\nb` has control characters"), "{named}");
    }

    #[test]
    fn pages_are_small_files_below_the_pack() {
        let scratch = tempfile::tempdir().unwrap();
        let own = scratch.path().join("own");
        std::fs::create_dir_all(own.join("pages")).unwrap();
        std::fs::write(own.join("pages/page.md"), "# page\n").unwrap();
        std::fs::write(own.join("pages/long.md"), vec![b'x'; (1 << 20) + 1]).unwrap();
        std::fs::write(scratch.path().join("other.md"), "# other\n").unwrap();
        let read = |page: &str| {
            let path = own.join("pack.toml");
            std::fs::write(&path, format!("name = \"x\"\n[rule.inside-call]\npage = \"{page}\"\n")).unwrap();
            Pack::read(&path).map_err(|error| error.to_string())
        };
        assert_eq!(read("pages/page.md").unwrap().rule_page("inside-call"), Some("# page\n"));
        let absolute = scratch.path().join("other.md").display().to_string();
        let problems = [
            (absolute.as_str(), "must be below the pack's directory"),
            ("../other.md", "must be below the pack's directory"),
            ("pages", "is no file"),
            ("pages/none.md", "cannot read the page of `inside-call`"),
            ("pages/long.md", "is longer than 1 MiB"),
        ];
        for (page, expected) in problems {
            let problem = read(page).unwrap_err();
            assert!(problem.contains("pack.toml:3:8: ") && problem.contains(expected), "{problem}");
        }
        #[cfg(unix)]
        for (link, to) in [("zero.md", Path::new("/dev/zero")), ("out.md", Path::new("../other.md"))] {
            std::os::unix::fs::symlink(to, own.join(link)).unwrap();
            let problem = read(link).unwrap_err();
            assert!(problem.contains("must be below the pack's directory"), "{problem}");
        }
    }

    #[test]
    fn effects_may_have_the_words_of_the_pack() {
        let text = "name = \"x\"\n[words]\ninside_only = \"fiber-only\"\nentry = \"start of a fiber\"\n\
                    [[model]]\nfunctions = [\"f\"]\neffect = \"fiber-only\"\nreason = \"r\"\n\
                    [[model]]\nfunctions = [\"g\"]\neffect = \"start of a fiber\"\nreason = \"r\"\n\
                    [[model]]\nfunctions = [\"h\"]\neffect = \"either\"\nreason = \"r\"\n\
                    [[slot]]\nslot = \"run(1)\"\nflag = \"run(2)\"\nset = \"fiber-only\"\nunset = \"outside-only\"\n";
        let pack = parse(text).unwrap();
        let effects: Vec<Effect> = pack.models.iter().map(|model| model.effect).collect();
        assert_eq!(effects, [Effect::InsideOnly, Effect::Entry, Effect::Mixed]);
        assert_eq!((pack.slots[0].set, pack.slots[0].unset), (Some(Effect::InsideOnly), Some(Effect::OutsideOnly)));
    }

    #[test]
    fn a_pack_extends_the_words_help_texts_and_rules_of_another() {
        let scratch = tempfile::tempdir().unwrap();
        let (base, own) = (scratch.path().join("base.toml"), scratch.path().join("own.toml"));
        std::fs::write(scratch.path().join("page.md"), "# fiber-call\n").unwrap();
        let text = "name = \"base\"\n[words]\ninside = \"in a fiber\"\ninside_only = \"fiber-only\"\n\
                    [help]\nrelease_lock = \"unlock first\"\n\
                    [rule.inside-call]\nname = \"fiber-call\"\npage = \"page.md\"\nlevel = \"warning\"\n";
        std::fs::write(&base, text).unwrap();
        let text = "name = \"own\"\nextends = \"base.toml\"\n[words]\noutside = \"elsewhere\"\n\
                    [rule.inside-call]\nlevel = \"off\"\n\
                    [[model]]\nfunctions = [\"f\"]\neffect = \"fiber-only\"\nreason = \"r\"\n";
        std::fs::write(&own, text).unwrap();
        let pack = Pack::read(&own).unwrap();
        assert_eq!((pack.words.inside.as_str(), pack.words.outside.as_str()), ("in a fiber", "elsewhere"));
        assert_eq!(pack.help(Help::ReleaseLock, &[]), "unlock first");
        assert_eq!(
            (pack.rule_name("inside-call"), pack.rule_page("inside-call")),
            ("fiber-call", Some("# fiber-call\n"))
        );
        assert_eq!(pack.rule_level("inside-call"), Some(super::super::Setting::Off));
        assert_eq!(pack.rule_id("fiber-call"), Some("inside-call"));
        assert_eq!(pack.files, [own, base, scratch.path().join("page.md")]);
    }

    #[test]
    fn wrong_texts_are_errors_with_line_and_column() {
        let no_call = "the help text `move_out` must have the placeholder `{call}`";
        for (text, at, expected) in [
            ("[words]\ninsid = \"x\"\n", "2:1", "unknown word `insid`; known are `inside`, `outside`,"),
            ("[words]\ninsid = \"x\"\n", "2:1", "did you mean `inside`?"),
            ("[words]\n  inside = \"\"\n", "2:12", "the text `` is empty; write a part of a sentence"),
            ("[words]\ninside = \"in.\"\n", "2:11", "ends with a full stop"),
            ("[words]\ninside = \"\"\"in\na\"\"\"\n", "2:13", "is more than one line"),
            ("[help]\nguarrd = \"x\"\n", "2:1", "unknown help text `guarrd`; known are `guard`, `only_inside`,"),
            (
                "[help]\nmove_out = \"move the {cal} away\"\n",
                "2:22",
                "unknown placeholder `{cal}`; known are `{caller}`,",
            ),
            (
                "[help]\nmove_out = \"move the {call away\"\n",
                "2:22",
                "unbalanced `{`; write `{{` for the character itself",
            ),
            ("[help]\nmove_out = \"move the call} away\"\n", "2:26", "unbalanced `}`"),
            ("[help]\nmove_out = \"move it away\"\n", "2:13", no_call),
            ("[help]\nmove_out = \"\\u006dove {cal} away\"\n", "2:12", "unknown placeholder `{cal}`"),
            (
                "[rule.insid-call]\nname = \"x\"\n",
                "1:7",
                "no rule has the id `insid-call`; known are `assert-contradicts-mark`,",
            ),
            (
                "[rule.inside-call]\nname = \"Fiber call\"\n",
                "2:9",
                "`Fiber call` cannot be a rule's name; use lower-case",
            ),
            ("[rule.inside-call]\nname = \"stale-baseline\"\n", "2:9", "is a rule about comments or the baseline"),
            ("[rule.inside-call]\nsummary = \"a {fiber} call\"\n", "2:14", "unknown placeholder `{fiber}`"),
            ("[rule.inside-call]\npage = \"no.md\"\n", "2:8", "cannot read the page of `inside-call`, no.md:"),
            (
                "[rule.inside-call]\nname = \"mixed-call\"\n",
                "1:7",
                "`inside-call` and `mixed-call` have one name, `mixed-call`",
            ),
            (
                "[[model]]\nfunctions = []\neffect = \"fibre\"\nreason = \"r\"\n",
                "3:10",
                "unknown effect `fibre`; known are `inside-only`,",
            ),
            ("[[model]]\nfunctions = []\neffect = \"mixt\"\nreason = \"r\"\n", "3:10", "did you mean `mixed`?"),
            ("[[mark]]\nname = \"m\"\nwrapper = { calls = \"x\" }\n", "3:21", "unknown effect `x`"),
            ("[[slot]]\nslot = \"f(1)\"\nset = \"x\"\n", "3:7", "unknown effect `x`"),
            ("[[model]]\nfunctions = [\"f\"]\neffect = \"mixed\"\nreason = \" \"\n", "1:1", "has no reason"),
            ("[[slot]]\nslot = \"f(1)\"\n[[slot]]\nslot = \"f(1)\"\nset = \"mixed\"\n", "3:1", "has no `flag`"),
            ("[[change]]\nfunctions = []\nto = \"inside\"\n", "1:1", "a change names no `functions`; add those that"),
            (
                "[[change]]\nfunctions = [\"f\"]\nto = \"inside\"\nwhen = { argument = 0, is = \"X\" }\n",
                "1:1",
                "the change by `f` has `argument = 0`; the first argument is 1",
            ),
            ("headers = [\"*\"]\n[[mark]]\nname = \"m\"\n", "2:1", "neither `effect` nor `lock`"),
            (
                "extends = \"qemu\"\n[[mark]]\nname = \"co_wrapper\"\neffect = \"mixed\"\n",
                "2:1",
                "duplicate mark `co_wrapper`",
            ),
            ("[[mark]]\nname = \"m\"\neffect = \"mixed\"\n", "1:1", "the pack has marks but no `headers`"),
        ] {
            // The name is in the first line, and the text begins in the second.
            let error = parse(&format!("name = \"x\"\n{text}")).map(|pack| pack.name).expect_err(text);
            let (line, column) = at.split_once(':').unwrap();
            let line = line.parse::<usize>().unwrap() + 1;
            let is_there = error.starts_with(&format!("mine.toml:{line}:{column}: "));
            assert!(is_there && error.contains(expected), "{text}{error}");
        }
    }
}
