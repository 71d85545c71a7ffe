//! Parses and checks the file. Errors have the line of the problem.

use std::path::{Path, PathBuf};

use globset::GlobSet;
use toml::Spanned;

use cowrap_base::limits::{Limit, Limits};

use super::super::Cut;
use super::super::is_builtin;
use super::super::nearest::{hint, nearest};
use super::super::patterns::{path_pattern, path_patterns};
use super::written::{
    Rules, Written, WrittenCut, WrittenLevel, WrittenLevels, WrittenLimits, WrittenModel, WrittenSlot,
};
use super::{
    GeneratorFiles, LevelOf, MOST_RAISED, PackRules, Settings, SettingsError, TreeCut, TreeLimit, TreeModel, TreeSlot,
    Valued,
};
use cowrap_base::files::Shown;

impl Settings {
    /// Parses the text of a file. As in [`Settings::read`], names of packs and rules are not checked yet.
    pub fn parse(text: &str, file: &Path) -> Result<Settings, SettingsError> {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let source = Source { text, file, lines };
        let written: Written = toml::from_str(text).map_err(|error| {
            let message = error.message();
            let offset = error.span().map_or(0, |span| span.start);
            source.invalid(offset, &format!("{}{}", message.trim_end(), hint(message)))
        })?;
        for patterns in written.only.iter().chain(&written.exclude) {
            let set = path_patterns(patterns.get_ref().iter().map(String::as_str));
            set.map_err(|error| source.invalid(patterns.span().start, &error.to_string()))?;
        }
        source.check_reasons(&written)?;
        let (levels, patterns) = source.levels(&written.levels)?;
        let limits = source.limits(&written.limits)?;

        // Relative paths start from the directory of the file.
        let directory = file.parent().unwrap_or(Path::new("."));
        let absolute = |path: PathBuf| directory.join(path);
        let generators = written.generator.into_iter().map(|files| GeneratorFiles {
            inputs: files.inputs.into_iter().map(absolute).collect(),
            output: absolute(files.output),
        });
        let model = |WrittenModel { functions, effect, reason, level, library, pack }| {
            let effect = source.valued(effect);
            TreeModel { functions, effect, reason, level, library, pack: pack.map(|pack| source.valued(pack)) }
        };
        let cut = |WrittenCut { caller, callee, reason, pack }| TreeCut {
            cut: Cut { caller, callee, reason },
            pack: pack.map(|pack| source.valued(pack)),
        };
        let slot =
            |WrittenSlot { slot, effect, flag, constant, set, unset, nonzero, opaque, library, reason, pack }| {
                let valued = |word: Option<Spanned<String>>| word.map(|word| source.valued(word));
                let (effect, set, unset, pack) = (valued(effect), valued(set), valued(unset), valued(pack));
                let slot = Valued { line: source.line(slot.span().start), value: slot.into_inner() };
                TreeSlot { slot, effect, flag, constant, set, unset, nonzero, opaque, library, reason, pack }
            };
        Ok(Settings {
            file: Some(file.to_path_buf()),
            text: text.to_owned(),
            homes: vec![directory.to_path_buf()],
            packs: source.packs(written.pack, written.packs)?,
            build: source.value(written.build, absolute),
            paths: source.value(written.paths, |paths| paths.into_iter().map(absolute).collect()),
            only: source.value(written.only, |only| only),
            exclude: source.value(written.exclude, |exclude| exclude),
            enable: source.value(written.enable, |enable| enable),
            baseline: source.value(written.baseline, absolute),
            levels,
            patterns,
            generators: generators.collect(),
            models: written.model.into_iter().map(model).collect(),
            cuts: written.cut.into_iter().map(cut).collect(),
            slots: written.slot.into_iter().map(slot).collect(),
            limits,
        })
    }
}

impl Settings {
    /// Checks that all names of packs and rules are among those that are known.
    ///
    /// # Errors
    ///
    /// The line of a name that is not.
    pub fn check(&self, known: &[PackRules]) -> Result<(), SettingsError> {
        let invalid = |line: u32, problem: String| self.invalid(line, &problem);
        if let Some(enable) = &self.enable {
            for name in &enable.value {
                let (pack, rule) = split(name);
                check_rule(pack.as_deref(), &rule, known).map_err(|problem| invalid(enable.line, problem))?;
            }
        }
        for level in &self.levels {
            let checked = check_rule(level.pack.as_deref(), &level.rule, known);
            checked.map_err(|problem| invalid(level.line, problem))?;
        }
        let models = self.models.iter().filter_map(|model| model.pack.as_ref());
        let cuts = self.cuts.iter().filter_map(|cut| cut.pack.as_ref());
        let slots = self.slots.iter().filter_map(|slot| slot.pack.as_ref());
        for pack in models.chain(cuts).chain(slots) {
            check_pack(&pack.value, known).map_err(|problem| invalid(pack.line, problem))?;
        }
        Ok(())
    }
}

/// The parts of `pack/rule`, or of `rule`.
fn split(name: &str) -> (Option<String>, String) {
    match name.split_once('/') {
        Some((pack, rule)) => (Some(pack.to_owned()), rule.to_owned()),
        None => (None, name.to_owned()),
    }
}

/// Checks that a pack has this name.
fn check_pack(name: &str, known: &[PackRules]) -> Result<(), String> {
    if known.iter().any(|pack| pack.pack == name) {
        return Ok(());
    }
    let names: Vec<&str> = known.iter().map(|pack| pack.pack.as_str()).collect();
    let hint = nearest(name, names.iter().copied()).map(|pack| format!("; did you mean `{pack}`?"));
    let are =
        if let [one] = names.as_slice() { format!("pack is {one}") } else { format!("packs are {}", names.join(", ")) };
    Err(format!("no pack is named `{name}`; the {are}{}", hint.unwrap_or_default()))
}

/// Checks that a rule has this name: of a pack, or of any.
fn check_rule(pack: Option<&str>, name: &str, known: &[PackRules]) -> Result<(), String> {
    if let Some(pack) = pack {
        check_pack(pack, known)?;
    }
    let meant: Vec<&PackRules> = known.iter().filter(|of| pack.is_none_or(|pack| of.pack == pack)).collect();
    let rules = || meant.iter().flat_map(|pack| &pack.rules).map(String::as_str);
    if rules().any(|rule| rule == name) {
        return Ok(());
    }
    let names: Vec<&str> = meant.iter().map(|pack| pack.pack.as_str()).collect();
    let packs = if names.len() == 1 { "pack" } else { "packs" };
    let hint = nearest(name, rules()).map(|rule| format!("; did you mean `{rule}`?"));
    Err(format!("no rule of the {packs} {} is named `{name}`{}", names.join(", "), hint.unwrap_or_default()))
}

/// What errors need to know.
struct Source<'s> {
    text: &'s str,
    file: &'s Path,
    /// The offset of each line's first byte.
    lines: Vec<usize>,
}

impl Source<'_> {
    /// The line of a position in the text.
    fn line(&self, offset: usize) -> u32 {
        self.lines.partition_point(|start| *start <= offset) as u32
    }

    fn invalid(&self, offset: usize, message: &str) -> SettingsError {
        let message = format!("{}: {message}", self.line(offset));
        SettingsError::Invalid { path: self.file.shown().to_string(), message }
    }

    fn value<T, U>(&self, written: Option<Spanned<T>>, make: impl FnOnce(T) -> U) -> Option<Valued<U>> {
        written.map(|spanned| Valued { line: self.line(spanned.span().start), value: make(spanned.into_inner()) })
    }

    fn valued(&self, written: Spanned<String>) -> Valued<String> {
        Valued { line: self.line(written.span().start), value: written.into_inner() }
    }

    /// The packs, by their names or absolute paths.
    fn packs(
        &self,
        one: Option<Spanned<PathBuf>>,
        several: Option<Spanned<Vec<PathBuf>>>,
    ) -> Result<Option<Valued<Vec<PathBuf>>>, SettingsError> {
        if let (Some(_), Some(several)) = (&one, &several) {
            return Err(self.invalid(several.span().start, "both `pack` and `packs` are set; use one of them"));
        }
        if let Some(empty) = several.as_ref().filter(|packs| packs.get_ref().is_empty()) {
            return Err(self.invalid(empty.span().start, "`packs` is empty; name a pack or remove the key"));
        }
        let directory = self.file.parent().unwrap_or(Path::new("."));
        let pack = |pack: PathBuf| if is_builtin(&pack) { pack } else { directory.join(pack) };
        let one = self.value(one, |one| vec![pack(one)]);
        Ok(one.or(self.value(several, |packs| packs.into_iter().map(pack).collect())))
    }

    /// Checks that every model and every cut has a reason.
    fn check_reasons(&self, written: &Written) -> Result<(), SettingsError> {
        let models = written.model.iter().map(|model| ("model", &model.reason));
        let cuts = written.cut.iter().map(|cut| ("cut", &cut.reason));
        match models.chain(cuts).find(|(_, reason)| reason.trim().is_empty()) {
            None => Ok(()),
            Some((table, _)) => {
                // The table's own line is unknown. Its kind is a good hint.
                let offset = self.text.find(&format!("[[{table}]]")).unwrap_or(0);
                Err(self.invalid(offset, &format!("a {table} has no reason; state why it is correct")))
            }
        }
    }

    /// The limits, none of which may be far above its default.
    fn limits(&self, written: &WrittenLimits) -> Result<Vec<TreeLimit>, SettingsError> {
        let WrittenLimits { time, memory, source, depth, entries, facts } = written;
        let written = Limit::ALL.into_iter().zip([time, memory, source, depth, entries, facts]);
        let written = written.filter_map(|(limit, value)| Some((limit, value.as_ref()?)));
        let checked = written.map(|(limit, value)| {
            let (most, offset, value) =
                (MOST_RAISED * Limits::default().get(limit), value.span().start, *value.get_ref());
            match u64::from(value.get()) <= most {
                true => Ok(TreeLimit { limit, value, line: self.line(offset) }),
                false => {
                    let (key, option) = (limit.key(), limit.option());
                    let message =
                        format!("`{key}` can be at most {most} in a settings file; use the option {option} for more");
                    Err(self.invalid(offset, &message))
                }
            }
        });
        checked.collect()
    }

    fn levels(&self, written: &WrittenLevels) -> Result<(Vec<LevelOf>, GlobSet), SettingsError> {
        let (mut levels, mut patterns) = (Vec::new(), Vec::new());
        for (key, level) in &written.0 {
            let offset = key.span().start;
            match level {
                WrittenLevel::Everywhere(level) => {
                    let (pack, rule) = split(key.get_ref());
                    let line = self.line(offset);
                    levels.push(LevelOf { pack, rule, level: *level, files: None, pattern: 0, line });
                }
                WrittenLevel::In(Rules(rules)) => {
                    let files = key.get_ref();
                    path_pattern(files).map_err(|error| self.invalid(offset, &error.to_string()))?;
                    let pattern = patterns.len();
                    patterns.push(key);
                    for (key, level) in rules {
                        let line = self.line(key.span().start);
                        let (pack, rule) = split(key.get_ref());
                        levels.push(LevelOf { pack, rule, level: *level, files: Some(files.clone()), pattern, line });
                    }
                }
            }
        }
        let set = path_patterns(patterns.iter().map(|pattern| pattern.get_ref().as_str()));
        let first = patterns.first().map_or(0, |pattern| pattern.span().start);
        Ok((levels, set.map_err(|error| self.invalid(first, &error.to_string()))?))
    }
}
