//! Step 1, plan: which precompiled headers to make, and which units use which.
//!
//! It must never know libclang: a plan is made from texts and arguments alone.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rayon::prelude::*;

use crate::compdb::Unit;
use crate::scan::{FileId, IncludeKind, PathId};
use cowrap_base::files::{Identities, Tree};

use crate::sources::Sources;

use super::bit_set::BitSet;
use super::cluster::{Cluster, Costs, clusters};
use super::headers::{Follow, HeaderId, Headers, IncludeClosure, Inclusions};

/// What sharing costs, in units of the cost of compiling one word of a header. Measured with
/// libclang 19 and 22 on QEMU 10.2.0 (`docs/performance.md`).
const COSTS: Costs = Costs { make: 0.6, each: 2_000.0, load: 100.0 };

/// The most units that are clustered at once; the work grows with the square.
const MOST_CLUSTERED: usize = 2000;

/// The precompiled headers to make, and the units that use them.
#[derive(Debug, Default)]
pub struct Plan {
    /// Units with the same arguments, the same search path and the same first header.
    pub groups: Vec<UnitGroup>,
    /// The precompiled headers to make; each comes after the one below it.
    pub nodes: Vec<Node>,
    /// For each unit, its place in the plan; `None` when it shares nothing.
    pub units: Vec<Option<SharingUnit>>,
}

/// Units that could share headers.
#[derive(Debug)]
pub struct UnitGroup {
    /// The files that they may read.
    pub headers: Headers,
    /// Their search path.
    pub path: PathId,
    /// The header that all of them include before everything else.
    pub first: Option<HeaderId>,
}

/// A unit that shares.
#[derive(Debug)]
pub struct SharingUnit {
    /// Its group.
    pub group: usize,
    /// The files that it certainly reads.
    pub closure: IncludeClosure,
    /// Its own file.
    pub main: HeaderId,
}

/// A header that the source of a precompiled header includes.
#[derive(Clone, Debug)]
pub struct ListedHeader {
    /// The header.
    pub id: HeaderId,
    /// The file that includes it in the unit that lends the order.
    pub from: HeaderId,
    /// The line in the source that includes it.
    pub line: Vec<u8>,
}

/// A precompiled header to make.
#[derive(Debug)]
pub struct Node {
    /// Its group.
    pub group: usize,
    /// The node that it is compiled on top of.
    pub below: Option<usize>,
    /// The unit that lends its arguments and the order of the headers.
    pub unit: usize,
    /// The headers that its source includes, in order.
    pub listed: Vec<ListedHeader>,
    /// The nodes on top of it.
    pub above: Vec<usize>,
    /// The units that use it and no node on top of it.
    pub units: Vec<usize>,
}

/// What the units of a group have in common: all arguments that do not set the search path, the
/// search path, the first header.
type GroupKey = (Vec<OsString>, PathId, FileId);

/// Plans for these units.
pub fn plan(units: &[Unit], tree: &Tree, identities: &Identities, sources: &Sources) -> Plan {
    let keys: Vec<Option<GroupKey>> = units.par_iter().map(|unit| group_key(unit, sources)).collect();
    // In the order of their first units: the ids of paths differ from run to run.
    let mut numbers: HashMap<&GroupKey, usize> = HashMap::new();
    let mut members: Vec<(PathId, FileId, Vec<usize>)> = Vec::new();
    for (unit, key) in keys.iter().enumerate() {
        let Some(key) = key else { continue };
        let group = *numbers.entry(key).or_insert_with(|| {
            members.push((key.1, key.2, Vec::new()));
            members.len() - 1
        });
        members[group].2.push(unit);
    }
    let mut plan = Plan { units: (0..units.len()).map(|_| None).collect(), ..Plan::default() };
    for (path, first, numbers) in members {
        if numbers.len() < 2 {
            continue;
        }
        let follow = Follow { scans: &sources.scans, resolver: &sources.resolver, path, identities, tree };
        let mut headers = Headers::default();
        let mains: Vec<Option<HeaderId>> =
            numbers.iter().map(|number| headers.add(&units[*number].file, &follow)).collect();
        headers.settle(&units[numbers[0]].arguments, &sources.scans);
        let first = headers.find(&identities.identify(Path::new("/"), &sources.resolver.path_of(first)));
        plan.add_group(UnitGroup { headers, path, first }, &numbers, &mains);
    }
    plan
}

impl Plan {
    fn add_group(&mut self, group: UnitGroup, units: &[usize], mains: &[Option<HeaderId>]) {
        let headers = &group.headers;
        let weights: Vec<u64> = (0..headers.count()).map(|number| headers.get(number).scan.weight()).collect();
        let found = units.iter().zip(mains).filter_map(|(unit, main)| Some((*unit, (*main)?)));
        let mut closures: Vec<(usize, HeaderId, Option<IncludeClosure>)> =
            found.map(|(unit, main)| (unit, main, Some(headers.certain_closure(main, &Inclusions::new())))).collect();
        for closures in closures.chunks_mut(MOST_CLUSTERED) {
            let sets: Vec<BitSet> = closures
                .iter()
                .filter_map(|(.., closure)| closure.as_ref())
                .map(|closure| closure.set.clone())
                .collect();
            self.add_nodes(&group.headers, clusters(&sets, &weights, COSTS), closures);
        }
        self.groups.push(group);
    }

    fn add_nodes(
        &mut self,
        headers: &Headers,
        found: Vec<Cluster>,
        closures: &mut [(usize, HeaderId, Option<IncludeClosure>)],
    ) {
        let (group, first) = (self.groups.len(), self.nodes.len());
        // Any unit that uses the cluster or one on top of it may lend its order.
        let mut lenders: Vec<Option<usize>> = found.iter().map(|cluster| cluster.members.first().copied()).collect();
        for at in (0..found.len()).rev() {
            if let Some(below) = found[at].below {
                lenders[below] = lenders[below].or(lenders[at]);
            }
        }
        for (cluster, lender) in found.iter().zip(&lenders) {
            // Every cluster has a lender, since it was made of members.
            let Some((unit, _, Some(closure))) = lender.map(|lender| &closures[lender]) else { continue };
            let listed = list(headers, closure, &cluster.items);
            let below = cluster.below.map(|below| first + below);
            let node = Node { group, below, unit: *unit, listed, above: Vec::new(), units: Vec::new() };
            self.nodes.push(node);
            if let Some(below) = below {
                let above = self.nodes.len() - 1;
                self.nodes[below].above.push(above);
            }
        }
        for (node, cluster) in found.iter().enumerate() {
            for member in &cluster.members {
                let (unit, main, closure) = &mut closures[*member];
                let Some(closure) = closure.take() else { continue };
                self.nodes[first + node].units.push(*unit);
                self.units[*unit] = Some(SharingUnit { group, closure, main: *main });
            }
        }
    }
}

/// The headers of a cluster in the order of a unit, with the lines that include them.
///
/// A header that is not the tree's own is listed only if a file of the tree includes it, and by the
/// name used there: under another name it may not find its own includes.
fn list(headers: &Headers, closure: &IncludeClosure, items: &BitSet) -> Vec<ListedHeader> {
    let mut listed = Vec::new();
    for (id, _, (from, position)) in &closure.order {
        let header = headers.get(*id);
        if !items.contains(*id) || !header.can_be_listed() {
            continue;
        }
        let (id, from_id) = (*id, *from);
        let from = headers.get(from_id);
        let line = match header.own {
            true => quoted(&header.path),
            false if from.own => from
                .scan
                .includes
                .get(*position)
                .filter(|include| include.kind == IncludeKind::Angled)
                .map(|include| [b"<", include.name.as_slice(), b">"].concat()),
            false => None,
        };
        if let Some(line) = line {
            let line = [b"#include ", line.as_slice(), b"\n"].concat();
            listed.push(ListedHeader { id, from: from_id, line });
        }
    }
    listed
}

/// A path between quotes; `None` for one that cannot be written so.
fn quoted(path: &Path) -> Option<Vec<u8>> {
    let bytes = path.as_os_str().as_bytes();
    // In some dialects, `??/` is a `\\`.
    let is_odd = bytes.iter().any(|byte| b"\"\n\r\\".contains(byte)) || bytes.windows(2).any(|two| two == b"??");
    (!is_odd).then(|| [b"\"", bytes, b"\""].concat())
}

fn group_key(unit: &Unit, sources: &Sources) -> Option<GroupKey> {
    let Sources { scans, resolver, .. } = sources;
    let path = sources.search_path(unit)?.without_empty();
    let rest = without_search(&unit.arguments);
    // A file that an argument includes comes before everything else.
    let comes_before = |argument: &OsString| {
        let bytes = argument.as_bytes();
        matches!(bytes, b"-include" | b"-imacros" | b"--imacros") || bytes.starts_with(b"--imacros=")
    };
    if rest.iter().any(comes_before) {
        return None;
    }
    let path = resolver.path(&path);
    let scan = scans.get(&unit.file)?;
    scan.includes.first().filter(|first| first.leading && !first.conditional)?;
    let found = resolver.of_file(path, resolver.file(&unit.file), &scan);
    let first = (*found.includes.first()?)?;
    Some((rest, path, first))
}

/// The arguments that do not set the search path. Those that do have their value in a separate
/// argument.
fn without_search(arguments: &[OsString]) -> Vec<OsString> {
    let mut rest = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_bytes() {
            b"-iquote" | b"-I" | b"--include-directory" | b"-isystem" | b"-idirafter" => {
                words.next();
            }
            _ if word.as_bytes().starts_with(b"--include-directory=") => {}
            _ => rest.push(word.clone()),
        }
    }
    rest
}
