//! What units say that were not read yet in a new state.
//!
//! When a header has changed, all units that include it have to be read. Most of what they say stays as it was, and what
//! they say about the header is what one of them says. So one unit is read for each version of what units say about the
//! header ([`representatives`]), and the others are taken to say the same ([`provisional`]). They are read later, and
//! what they really say counts then.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use cowrap_analysis::program::SavedProgram;
use cowrap_base::files::Digest;
use cowrap_facts::SharedFileFacts;

/// For how many versions of what units say about a file a unit is read. Few files have more than two.
const MOST_VERSIONS: usize = 3;

/// Units that show what the other units say about changed files. `now` are read anyway, `later` need not be.
pub(super) fn representatives(
    before: &SavedProgram,
    changed: &[PathBuf],
    now: &[usize],
    later: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let mut chosen: BTreeSet<usize> = now.iter().copied().collect();
    for file in changed {
        let mut versions = before.units_about(file);
        versions.sort_by_key(|units| std::cmp::Reverse(units.len()));
        for units in versions.iter().take(MOST_VERSIONS) {
            if !units.iter().any(|unit| chosen.contains(unit)) {
                // One that says little includes little.
                let length = |unit: &&usize| before.facts_of(**unit).map_or(0, |facts| facts.len());
                chosen.extend(units.iter().filter(|unit| later.contains(unit)).min_by_key(length));
            }
        }
    }
    chosen.retain(|unit| later.contains(unit));
    chosen
}

/// The digests of all units' facts. `now` has those of the units that were read; `before` is the last program, and `load`
/// returns the facts with a digest.
pub(super) fn provisional(
    before: &SavedProgram,
    now: Vec<Option<Vec<Digest>>>,
    load: &dyn Fn(&Digest) -> Option<SharedFileFacts>,
) -> Vec<Vec<Digest>> {
    let mut replaced: HashMap<Digest, Digest> = HashMap::new();
    for (unit, facts) in now.iter().enumerate() {
        if let (Some(facts), Some(old)) = (facts, before.facts_of(unit)) {
            replaced.extend(replacements(&old, facts, load));
        }
    }
    let unit = |(number, facts): (usize, Option<Vec<Digest>>)| {
        facts.unwrap_or_else(|| {
            let old = before.facts_of(number).unwrap_or_default();
            old.into_iter().map(|digest| replaced.get(&digest).copied().unwrap_or(digest)).collect()
        })
    };
    now.into_iter().enumerate().map(unit).collect()
}

/// The facts of a unit that others about the same files have replaced.
fn replacements(
    old: &[Digest],
    new: &[Digest],
    load: &dyn Fn(&Digest) -> Option<SharedFileFacts>,
) -> Vec<(Digest, Digest)> {
    let (of_old, of_new): (HashSet<&Digest>, HashSet<&Digest>) = (old.iter().collect(), new.iter().collect());
    let file = |digest: &Digest| load(digest)?.facts().files.first().cloned();
    let added = new.iter().filter(|digest| !of_old.contains(digest));
    let added: HashMap<PathBuf, Digest> = added.filter_map(|digest| Some((file(digest)?, *digest))).collect();
    if added.is_empty() {
        return Vec::new();
    }
    let gone = old.iter().filter(|digest| !of_new.contains(digest));
    gone.filter_map(|digest| Some((*digest, *added.get(Path::new(&file(digest)?))?))).collect()
}
