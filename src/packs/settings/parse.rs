//! Parses and checks the file. Errors have the line of the problem.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder};
use toml::Spanned;

use super::super::Cut;
use super::super::is_builtin;
use super::super::nearest::{hint, nearest};
use super::written::{Rules, Written, WrittenCut, WrittenLevel, WrittenLevels, WrittenModel};
use super::{GeneratorFiles, LevelOf, Settings, SettingsError, TreeCut, TreeModel, Valued};

impl Settings {
    /// Parses the text of a file. `rules` are the names of all rules.
    pub fn parse(text: &str, file: &Path, rules: &[&str]) -> Result<Settings, SettingsError> {
        let source = Source { text, file, rules };
        let written: Written = toml::from_str(text).map_err(|error| {
            let message = error.message();
            let offset = error.span().map_or(0, |span| span.start);
            source.invalid(offset, &format!("{}{}", message.trim_end(), hint(message)))
        })?;
        if let Some(enable) = &written.enable {
            enable.get_ref().iter().try_for_each(|rule| source.check_rule(rule, enable.span().start))?;
        }
        for patterns in written.only.iter().chain(&written.exclude) {
            let mut globs = patterns.get_ref().iter().map(|pattern| source.glob(pattern, patterns.span().start));
            globs.try_for_each(|glob| glob.map(|_| ()))?;
        }
        source.check_reasons(&written)?;
        let levels = source.levels(&written.levels)?;

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
        let pack = |pack: PathBuf| if is_builtin(&pack) { pack } else { absolute(pack) };
        Ok(Settings {
            file: Some(file.to_path_buf()),
            text: text.to_owned(),
            pack: source.value(written.pack, pack),
            build: source.value(written.build, absolute),
            paths: source.value(written.paths, |paths| paths.into_iter().map(absolute).collect()),
            only: source.value(written.only, |only| only),
            exclude: source.value(written.exclude, |exclude| exclude),
            enable: source.value(written.enable, |enable| enable),
            baseline: source.value(written.baseline, absolute),
            levels,
            generators: generators.collect(),
            models: written.model.into_iter().map(model).collect(),
            cuts: written.cut.into_iter().map(cut).collect(),
        })
    }
}

/// What errors need to know.
struct Source<'s> {
    text: &'s str,
    file: &'s Path,
    rules: &'s [&'s str],
}

impl Source<'_> {
    /// The line of a position in the text.
    fn line(&self, offset: usize) -> u32 {
        self.text.get(..offset).map_or(1, |before| before.matches('\n').count() as u32 + 1)
    }

    fn invalid(&self, offset: usize, message: &str) -> SettingsError {
        let message = format!("{}: {message}", self.line(offset));
        SettingsError::Invalid { path: self.file.display().to_string(), message }
    }

    fn value<T, U>(&self, written: Option<Spanned<T>>, make: impl FnOnce(T) -> U) -> Option<Valued<U>> {
        written.map(|spanned| Valued { line: self.line(spanned.span().start), value: make(spanned.into_inner()) })
    }

    fn valued(&self, written: Spanned<String>) -> Valued<String> {
        Valued { line: self.line(written.span().start), value: written.into_inner() }
    }

    fn glob(&self, pattern: &str, offset: usize) -> Result<Glob, SettingsError> {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        glob.map_err(|error| self.invalid(offset, &error.to_string()))
    }

    /// Checks that a rule has this name.
    fn check_rule(&self, name: &str, offset: usize) -> Result<(), SettingsError> {
        if self.rules.contains(&name) {
            return Ok(());
        }
        let nearest = nearest(name, self.rules.iter().copied()).map(|rule| format!("; did you mean `{rule}`?"));
        Err(self.invalid(offset, &format!("no rule is named `{name}`{}", nearest.unwrap_or_default())))
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

    fn levels(&self, written: &WrittenLevels) -> Result<Vec<LevelOf>, SettingsError> {
        let mut levels = Vec::new();
        for (key, level) in &written.0 {
            let offset = key.span().start;
            match level {
                WrittenLevel::Everywhere(level) => {
                    self.check_rule(key.get_ref(), offset)?;
                    let (rule, line) = (key.get_ref().clone(), self.line(offset));
                    levels.push(LevelOf { rule, level: *level, files: None, line });
                }
                WrittenLevel::In(Rules(rules)) => {
                    let files = self.glob(key.get_ref(), offset)?.compile_matcher();
                    for (rule, level) in rules {
                        let offset = rule.span().start;
                        self.check_rule(rule.get_ref(), offset)?;
                        let (rule, line) = (rule.get_ref().clone(), self.line(offset));
                        levels.push(LevelOf { rule, level: *level, files: Some(files.clone()), line });
                    }
                }
            }
        }
        Ok(levels)
    }
}
