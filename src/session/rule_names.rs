//! The rules of packs, by the names that users write: `rule`, or `pack/rule` for the rule of one pack.

use std::path::{Path, PathBuf};

use cowrap_analysis::rules::infos;
use cowrap_packs::{Pack, PackRules, PackSet, Settings, builtin_names};
use cowrap_report::RuleInfo;

use crate::Error;
use crate::inputs::packs_of;
use cowrap_base::files::Shown;

/// The rules of packs that are given as in a request.
///
/// # Errors
///
/// A pack cannot be used.
pub fn rules(packs: &[PathBuf]) -> Result<Vec<RuleInfo>, Error> {
    Ok(rules_of(&packs_of(packs, &Settings::default())?))
}

/// Checks that the settings of a tree name only packs and rules that there are: of the packs of a run, and of those
/// that the settings name, so that a run can use other packs than the tree's.
///
/// # Errors
///
/// The settings name another one, or a pack cannot be used.
pub fn check_settings(settings: &Settings, packs: &[PathBuf]) -> Result<(), Error> {
    if settings.file.is_none() {
        return Ok(());
    }
    require_own_packs(settings, packs)?;
    let mut known: Vec<PackRules> = packs_of(packs, settings)?.packs().iter().map(names_of_rules).collect();
    for path in settings.packs.iter().flat_map(|packs| &packs.value) {
        let pack = Pack::read(path)?;
        if !known.iter().any(|known| known.pack == pack.name) {
            known.push(names_of_rules(&pack));
        }
    }
    Ok(settings.check(&known)?)
}

/// Checks that the settings name only packs of the tree, built-in ones, or packs that the user names too.
fn require_own_packs(settings: &Settings, given: &[PathBuf]) -> Result<(), Error> {
    let Some(packs) = &settings.packs else { return Ok(()) };
    // Without packs of the user, those of the settings are given.
    let is_of_user = *given != packs.value;
    let real = |path: &Path| path.canonicalize().ok();
    for path in packs.value.iter().filter(|path| !is_builtin(path)) {
        let is_given =
            is_of_user && given.iter().any(|given| real(given).is_some_and(|given| real(path) == Some(given)));
        if !is_given {
            settings.require_own("pack", path, packs.line, &format!("--pack {}", path.shown()))?;
        }
    }
    Ok(())
}

/// Whether a path is the name of a built-in pack.
fn is_builtin(path: &Path) -> bool {
    builtin_names().iter().any(|name| path == Path::new(name))
}

fn names_of_rules(pack: &Pack) -> PackRules {
    PackRules { pack: pack.name.clone(), rules: infos(pack).into_iter().map(|rule| rule.name).collect() }
}

/// The rules of the packs that a tree's settings name, and of the packs that are compiled in: a comment in the sources
/// may name them although a run does not use them. A pack that cannot be read has none.
pub(crate) fn rules_elsewhere(settings: &Settings) -> Vec<RuleInfo> {
    let packs = settings.packs.iter().flat_map(|packs| &packs.value);
    let own = packs.filter(|path| is_builtin(path) || settings.require_own("pack", path, 0, "").is_ok());
    let of_settings = own.filter_map(|path| Pack::read(path).ok()).flat_map(|pack| infos(&pack));
    of_settings.chain(builtin_rules()).collect()
}

/// The rules of all packs that are compiled in, pack by pack.
pub fn builtin_rules() -> Vec<RuleInfo> {
    let packs = builtin_names().iter().filter_map(|name| Pack::read(Path::new(name)).ok());
    packs.flat_map(|pack| infos(&pack)).collect()
}

/// The rules of packs, sorted by name. Those of one name are in the order of the packs.
pub(crate) fn rules_of(packs: &PackSet) -> Vec<RuleInfo> {
    let mut rules: Vec<RuleInfo> = packs.packs().iter().flat_map(infos).collect();
    // A rule of no pack is the same for all packs.
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    rules.dedup_by(|one, other| one.pack.is_none() && one.name == other.name);
    rules
}

/// The names with which a user means rules of a pack, without the pack.
pub(crate) fn meant_in<'n>(names: &'n [String], pack: &str) -> Vec<&'n str> {
    let of_pack = |name: &'n String| match name.split_once('/') {
        Some((of, rule)) => (of == pack).then_some(rule),
        None => Some(name.as_str()),
    };
    names.iter().filter_map(of_pack).collect()
}

/// Checks that all names are names of rules.
pub(crate) fn require_rules(names: &[String], packs: &PackSet) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let rules = rules_of(packs);
    let is_rule = |name: &str| rules.iter().any(|rule| rule.is_named(name));
    let Some(unknown) = names.iter().find(|name| !is_rule(name)) else { return Ok(()) };
    let mut opt_in: Vec<&str> = rules.iter().filter(|rule| rule.opt_in).map(|rule| rule.name.as_str()).collect();
    opt_in.dedup();
    Err(Error::NoSuchRule { name: unknown.clone(), opt_in: opt_in.join(", ") })
}
