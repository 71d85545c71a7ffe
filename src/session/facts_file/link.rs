//! Links facts files into an index.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use cowrap_analysis::program::Linker;
use cowrap_base::files::{Digest, LONGEST_DATA, Shown, Tree, read_regular};
use cowrap_facts::{FileFacts, ReadingId, SharedFileFacts};
use cowrap_packs::{PackSet, Settings};
use cowrap_report::{Details, ParseDetails, Problem, ProblemKind};

use crate::Error as ReadError;
use crate::file_format::{ReadWith, damaged};
use crate::index_file::{Coverage, Index, counts_of};
use crate::inputs::packs_of;

use super::{EXTENSION, EncodedFileFacts, EncodedUnit, FORMAT, FactsError, FactsFile, Shard, UnitList};

/// How many units an error names.
const MAX_NAMED: usize = 3;

/// The facts files to link.
#[derive(Clone, Debug)]
pub struct LinkRequest {
    /// Facts files, and directories with facts files.
    pub facts: Vec<PathBuf>,
    /// The packs: built-in names or files; QEMU's if there is none.
    pub packs: Vec<PathBuf>,
    /// The settings of the tree.
    pub settings: Settings,
    /// The root of the tree, if it has moved since the facts were written.
    pub root: Option<PathBuf>,
    /// Whether units may be missing.
    pub allow_missing: bool,
}

/// Links facts files into an index. The order in which they are given does not matter.
///
/// # Errors
///
/// A file cannot be used, two files are not of the same tree, or units are missing.
pub fn link(request: &LinkRequest) -> Result<Index, FactsError> {
    let packs = packs_of(&request.packs, &request.settings)?;
    let root = match &request.root {
        Some(root) => Some(root.canonicalize().map_err(|_| ReadError::NoSuchPath { path: root.shown().to_string() })?),
        None => None,
    };
    let mut linker = FactsLinker::default();
    for path in files(&request.facts)? {
        let failed = |source| FactsError::Read { path: path.shown().to_string(), source };
        let bytes = read_regular(&path, LONGEST_DATA).map_err(failed)?;
        let unusable = |problem| FactsError::Unusable { path: path.shown().to_string(), problem };
        let body = FORMAT.decode(&bytes).map_err(unusable)?;
        let content: FactsFile<'_> = postcard::from_bytes(body).map_err(|_| unusable(damaged()))?;
        if linker.packs.is_none() {
            let (selected, readings) = content.read_with.select(packs.clone()).map_err(unusable)?;
            linker.packs = Some(LinkedPacks { selected, readings, read_with: content.read_with.clone() });
        }
        linker.add(&path, content, root.as_deref())?;
    }
    linker.finish(request.allow_missing)
}

/// The given files, and those in the given directories.
pub(crate) fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, FactsError> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |source| FactsError::Read { path: path.shown().to_string(), source };
        let mut in_directory = Vec::new();
        for entry in path.read_dir().map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|end| end == EXTENSION) {
                in_directory.push(file);
            }
        }
        if in_directory.is_empty() {
            return Err(FactsError::Empty { path: path.shown().to_string() });
        }
        in_directory.sort();
        files.extend(in_directory);
    }
    Ok(files)
}

/// Collects the contents of facts files.
#[derive(Default)]
struct FactsLinker {
    /// The packs, by the first file.
    packs: Option<LinkedPacks>,
    files: Vec<LinkedFile>,
    tree: Option<Tree>,
    /// The list of units, and the number of the file that has it.
    list: Option<(UnitList, usize)>,
    /// The libclang in use, for messages. Its path may differ between machines.
    clang: Option<String>,
    /// The facts of each source file once.
    file_facts: HashMap<Digest, SharedFileFacts>,
    /// The units, each with the number of the file that has it.
    units: HashMap<Digest, (LinkedUnit, usize)>,
}

/// The packs of facts files.
struct LinkedPacks {
    /// Those that the index is for.
    selected: PackSet,
    readings: Vec<ReadingId>,
    /// All that the facts were read with.
    read_with: ReadWith,
}

/// A facts file.
struct LinkedFile {
    path: PathBuf,
    version: String,
    shard: Option<Shard>,
}

/// A unit of a facts file.
struct LinkedUnit {
    unknown_arguments: BTreeMap<String, usize>,
    facts: Result<Vec<SharedFileFacts>, Problem>,
}

impl FactsLinker {
    fn add(&mut self, path: &Path, content: FactsFile<'_>, root: Option<&Path>) -> Result<(), FactsError> {
        let FactsFile { read_with, version, clang, root: old_root, build, shard, list, file_facts, units } = content;
        let unusable = || FactsError::Unusable { path: path.shown().to_string(), problem: damaged() };
        let number = self.files.len();
        self.files.push(LinkedFile { path: path.to_path_buf(), version, shard });
        if self.packs.as_ref().is_some_and(|packs| packs.read_with != read_with) {
            return Err(self.mismatch(number, 0, "they were written with different packs".to_owned()));
        }
        self.add_tree(number, moved(Tree { root: old_root, build }, root))?;
        self.add_list(number, list)?;
        if self.clang.as_ref().is_none_or(|other| clang < *other) {
            self.clang = Some(clang);
        }
        let file_facts = self.add_file_facts(file_facts).ok_or_else(unusable)?;
        for EncodedUnit { digest, unknown_arguments, facts } in units {
            let facts = match facts {
                Ok(positions) => {
                    let facts = |position: u32| file_facts.get(position as usize).cloned().ok_or_else(unusable);
                    Ok(positions.into_iter().map(facts).collect::<Result<Vec<SharedFileFacts>, FactsError>>()?)
                }
                Err(problem) => Err(problem),
            };
            if let Some((_, other)) = self.units.insert(digest, (LinkedUnit { unknown_arguments, facts }, number)) {
                let problem = match (self.files[number].shard, self.files[other].shard) {
                    (Some(one), Some(two)) if one == two => format!("both are shard {}/{}", one.number, one.of),
                    _ => format!("both contain {}", self.name(digest)),
                };
                return Err(self.mismatch(number, other, problem));
            }
        }
        Ok(())
    }

    /// Checks that a file is of the same tree as the first one, and was written with the same
    /// libclang.
    fn add_tree(&mut self, number: usize, tree: Tree) -> Result<(), FactsError> {
        let (version, first_version) = (&self.files[number].version, &self.files[0].version);
        if version != first_version {
            let problem = format!("they were written with libclang {version} and {first_version}");
            return Err(self.mismatch(number, 0, problem));
        }
        let first = self.tree.get_or_insert_with(|| tree.clone());
        if *first != tree {
            let problem =
                format!("the tree was at {} and at {}; name its current root with --root", shown(&tree), shown(first));
            return Err(self.mismatch(number, 0, problem));
        }
        Ok(())
    }

    /// Checks that all lists of units are the same.
    fn add_list(&mut self, number: usize, list: Option<UnitList>) -> Result<(), FactsError> {
        match (&self.list, list) {
            (Some((first, other)), Some(list)) if *first != list => {
                let problem = "the tree, its database or the selected units differ".to_owned();
                return Err(self.mismatch(number, *other, problem));
            }
            (None, Some(list)) => self.list = Some((list, number)),
            _ => {}
        }
        Ok(())
    }

    /// The facts of source files. They are decoded if no other file has them. `None` if they are
    /// damaged.
    fn add_file_facts(&mut self, encoded: Vec<EncodedFileFacts<'_>>) -> Option<Vec<SharedFileFacts>> {
        let mut file_facts = Vec::with_capacity(encoded.len());
        for EncodedFileFacts { digest, facts } in encoded {
            let facts = match self.file_facts.entry(digest) {
                Entry::Occupied(decoded) => decoded.get().clone(),
                Entry::Vacant(vacant) => {
                    let facts: FileFacts = postcard::from_bytes(&facts).ok()?;
                    if !facts.are_consistent() {
                        return None;
                    }
                    vacant.insert(SharedFileFacts::new(facts)).clone()
                }
            };
            if facts.digest() != digest {
                return None;
            }
            file_facts.push(facts);
        }
        Some(file_facts)
    }

    /// Links the units in the order of the list.
    fn finish(mut self, allow_missing: bool) -> Result<Index, FactsError> {
        let Some((list, lister)) = self.list.take() else { return Err(FactsError::NoList) };
        let (Some(tree), Some(packs)) = (self.tree.take(), self.packs.take()) else { return Err(FactsError::NoList) };
        let listed: BTreeSet<&Digest> = list.units.iter().collect();
        let strays = self.units.iter().filter(|(digest, _)| !listed.contains(digest));
        if let Some(stray) = strays.map(|(_, (_, number))| *number).min() {
            let problem = "the first has units that the list of the second does not have".to_owned();
            return Err(self.mismatch(stray, lister, problem));
        }
        let absent = list.units.iter().zip(&list.files).filter(|(digest, _)| !self.units.contains_key(digest));
        let missing: Vec<&Path> = absent.map(|(_, file)| file.as_path()).collect();
        if !missing.is_empty() && !allow_missing {
            let what = self.missing(&missing);
            return Err(FactsError::Missing { missing: missing.len(), all: list.units.len(), what });
        }
        let mut parsing =
            ParseDetails { clang: self.clang.unwrap_or_default(), marks: list.marks, ..ParseDetails::default() };
        let mut problems = list.refused;
        let units = list.units.len() + problems.len();
        let mut linker = Linker::default();
        for (number, (digest, file)) in list.units.iter().zip(&list.files).enumerate() {
            let Some((unit, _)) = self.units.remove(digest) else {
                let file = tree.relative(&tree.absolute(file)).to_path_buf();
                let message = "its facts are missing".to_owned();
                problems.push(Problem { file, kind: ProblemKind::Failed, message, at: None, help: None });
                continue;
            };
            for (argument, count) in unit.unknown_arguments {
                *parsing.unknown_arguments.entry(argument).or_default() += count;
            }
            match unit.facts {
                Ok(file_facts) => file_facts.iter().for_each(|facts| linker.add(number as u32, facts)),
                Err(problem) => problems.push(problem),
            }
        }
        problems.sort();
        let details = Details { parsing, ..Details::default() };
        let coverage = Coverage { units, other_languages: list.other_languages, is_whole: list.is_whole };
        let program = linker.finish(|path| tree.absolute(path));
        let LinkedPacks { selected: packs, readings, read_with } = packs;
        // The facts may number marks that no pack has.
        if !program.is_consistent(counts_of(&packs)) {
            let path = self.files[lister].path.shown().to_string();
            return Err(FactsError::Unusable { path, problem: damaged() });
        }
        Ok(Index { program, packs, readings, read_with, tree, details, problems, coverage })
    }

    /// The error that two files cannot be linked.
    fn mismatch(&self, one: usize, other: usize, problem: String) -> FactsError {
        let path = |number: usize| self.files[number].path.shown().to_string();
        FactsError::Mismatch { path: path(one), other: path(other), problem }
    }

    /// The name of a unit, for messages.
    fn name(&self, unit: Digest) -> String {
        let file = self.list.as_ref().and_then(|(list, _)| {
            let number = list.units.iter().position(|digest| *digest == unit)?;
            Some(list.files.get(number)?.shown().to_string())
        });
        file.unwrap_or_else(|| format!("the unit {unit}"))
    }

    /// Names what is missing: the shards if shards were given, else some of the units.
    fn missing(&self, files: &[&Path]) -> String {
        let given: BTreeSet<Shard> = self.files.iter().filter_map(|file| file.shard).collect();
        let mut what = Vec::new();
        if let Some(of) = given.first().map(|shard| shard.of)
            && given.iter().all(|shard| shard.of == of)
        {
            let absent = (1..=of).filter(|number| !given.contains(&Shard { number: *number, of }));
            what.extend(absent.take(MAX_NAMED * 10).map(|number| format!("shard {number}/{of}")));
        }
        if what.is_empty() {
            what.extend(files.iter().take(MAX_NAMED).map(|file| file.shown().to_string()));
            if files.len() > MAX_NAMED {
                what.push("others".to_owned());
            }
        }
        what.join(", ")
    }
}

/// A tree moved to another root, together with a build directory below it.
fn moved(tree: Tree, root: Option<&Path>) -> Tree {
    let Some(root) = root else { return tree };
    let build = tree.build.map(|build| match build.strip_prefix(&tree.root) {
        Ok(below) if below.as_os_str().is_empty() => root.to_path_buf(),
        Ok(below) => root.join(below),
        Err(_) => build,
    });
    Tree { root: root.to_path_buf(), build }
}

fn shown(tree: &Tree) -> String {
    match &tree.build {
        Some(build) => format!("{} (built in {})", tree.root.shown(), build.shown()),
        None => tree.root.shown().to_string(),
    }
}
