//! The whole-program analysis: its results against a naive reference, and very large programs.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use crate::support::synthetic::{Sketch, name, tree, unit};
use cowrap_analysis::effects::{Ambiguity, Callee, Effects, Goal, Search};
use cowrap_analysis::program::{Linker, Program};
use cowrap_analysis::queries;
use cowrap_analysis::rules;
use cowrap_facts::Context;
use cowrap_packs::Pack;
use cowrap_report::Level;
use proptest::prelude::*;

fn link(functions: &[Sketch], pack: &Pack) -> Program {
    let mut linker = Linker::default();
    linker.add(0, &unit(functions, pack));
    linker.finish(Path::to_path_buf)
}

fn is_blocking(sketch: &Sketch) -> bool {
    sketch.mark == Some("no_coroutine_fn")
}

/// Whether a call chain may continue through a function.
fn is_open(sketch: &Sketch) -> bool {
    matches!(sketch.mark, None | Some("coroutine_mixed_fn"))
}

/// The points-to set of each slot.
fn points_to(functions: &[Sketch], slots: usize) -> Vec<BTreeSet<usize>> {
    let mut sets = vec![BTreeSet::new(); slots];
    for (function, slot) in functions.iter().flat_map(|sketch| &sketch.stores) {
        sets[*slot].insert(*function);
    }
    sets
}

/// For each function, the length of its shortest call chain to a non-coroutine-only function: by iteration, until
/// nothing changes.
fn lengths(functions: &[Sketch], through: &[BTreeSet<usize>]) -> Vec<Option<u32>> {
    let mut lengths: Vec<Option<u32>> = vec![None; functions.len()];
    loop {
        let next: Vec<Option<u32>> = functions
            .iter()
            .map(|sketch| {
                if sketch.mark == Some("no_coroutine_fn") {
                    return None;
                }
                let slots = sketch.slot_calls.iter().filter_map(|slot| through.get(*slot)).flatten();
                let called = sketch.calls.iter().chain(slots).filter_map(|callee| {
                    let callee_is = &functions[*callee];
                    if is_blocking(callee_is) {
                        Some(1)
                    } else {
                        is_open(callee_is).then_some(lengths[*callee]?)?.checked_add(1)
                    }
                });
                called.min()
            })
            .collect();
        if next == lengths {
            return lengths;
        }
        lengths = next;
    }
}

const SLOTS: usize = 4;

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let mark = prop_oneof![
        6 => Just(None),
        1 => Just(Some("no_coroutine_fn")),
        1 => Just(Some("coroutine_fn")),
        1 => Just(Some("coroutine_mixed_fn")),
    ];
    let sketch = (
        mark,
        prop::collection::vec(0usize..30, 0..3),
        prop::collection::vec(0usize..SLOTS, 0..2),
        prop::collection::vec((0usize..30, 0usize..SLOTS), 0..2),
    );
    prop::collection::vec(sketch, 1..30).prop_map(|sketches| {
        let count = sketches.len();
        let inside = |number: usize| number % count;
        let sketch = |(mark, calls, slot_calls, stores): (_, Vec<usize>, _, Vec<(usize, usize)>)| Sketch {
            mark,
            calls: calls.into_iter().map(inside).collect(),
            slot_calls,
            stores: stores.into_iter().map(|(function, slot)| (inside(function), slot)).collect(),
        };
        sketches.into_iter().map(sketch).collect()
    })
}

proptest! {
    /// The functions that lead to a non-coroutine-only one are those of the naive reference. Without slots, the witness
    /// is the shortest chain. Every call of a witness exists.
    #[test]
    fn chains_match_a_naive_fixpoint(functions in sketches()) {
        let pack = Pack::qemu().unwrap();
        let program = link(&functions, &pack);
        let tree = tree();
        let effects = Effects::new(&program, &pack, &tree);
        let search = Search::new(&effects, Context::Inside, Goal::AnyRequirement);
        let slots = points_to(&functions, SLOTS);
        let (any, named) = (lengths(&functions, &slots), lengths(&functions, &[]));
        let number = |callee: Callee| match callee {
            Callee::Function(function) => program.function(function).name[1..].parse::<usize>().unwrap(),
            Callee::Slot(slot) => panic!("no slot is marked: {slot:?}"),
        };
        for (position, sketch) in functions.iter().enumerate() {
            let chains = search.chains_from(program.external(&name(position)).unwrap());
            prop_assert_eq!(!chains.is_empty(), any[position].is_some(), "{}", position);
            let Some(best) = chains.first() else { continue };
            prop_assert_eq!(best.ambiguity == Ambiguity::NONE, named[position].is_some(), "{}", position);
            if let Some(length) = named[position] {
                prop_assert_eq!(best.steps.len() as u32, length, "{}", position);
            }
            prop_assert!(!is_blocking(sketch));
            for chain in &chains {
                let mut at = position;
                for (number_of_step, step) in chain.steps.iter().enumerate() {
                    prop_assert_eq!(number(Callee::Function(step.caller)), at);
                    let next = number(step.callee);
                    let through = functions[at].slot_calls.iter().any(|slot| slots[*slot].contains(&next));
                    let has = if step.through.is_some() { through } else { functions[at].calls.contains(&next) };
                    prop_assert!(has, "{} has no such call", at);
                    let last = number_of_step + 1 == chain.steps.len();
                    prop_assert_eq!(last, is_blocking(&functions[next]));
                    prop_assert!(last || is_open(&functions[next]));
                    at = next;
                }
            }
        }
    }

    /// The path to each end is the shortest.
    #[test]
    fn paths_match_a_breadth_first_search(functions in sketches()) {
        let pack = Pack::qemu().unwrap();
        let program = link(&functions, &pack);
        let tree = tree();
        let effects = Effects::new(&program, &pack, &tree);
        let slots = points_to(&functions, SLOTS);
        let mut distances: Vec<Option<usize>> = vec![None; functions.len()];
        let mut open = VecDeque::from([(0, 0)]);
        while let Some((at, distance)) = open.pop_front() {
            if distances[at].is_some() {
                continue;
            }
            distances[at] = Some(distance);
            // A slot is a vertex of its own.
            let through = functions[at].slot_calls.iter().flat_map(|slot| &slots[*slot]);
            open.extend(functions[at].calls.iter().map(|next| (*next, distance + 1)));
            open.extend(through.map(|next| (*next, distance + 2)));
            open.make_contiguous().sort_by_key(|(_, distance)| *distance);
        }
        let found = queries::paths(&effects, "f0 ...", usize::MAX).unwrap();
        prop_assert_eq!(found.more, 0);
        for (function, distance) in distances.iter().enumerate() {
            let ends = |path: &&str| path.split(" → ").last() == Some(name(function).as_str());
            let shown: Vec<&str> = found.paths.iter().map(|path| path.remarks[0].as_str()).collect();
            let path = shown.iter().copied().find(|path| ends(path));
            prop_assert_eq!(path.map(|path| path.matches('→').count()), *distance, "{}", function);
        }
    }
}

/// The findings: rule, function, and number of notes.
fn findings(functions: &[Sketch]) -> Vec<(String, String, usize)> {
    let pack = Pack::qemu().unwrap();
    let program = link(functions, &pack);
    let tree = tree();
    let effects = Effects::new(&program, &pack, &tree);
    let findings = rules::check(&effects, &[]).into_iter();
    findings.map(|finding| (finding.rule, finding.function, finding.notes.len())).collect()
}

#[test]
fn the_search_follows_a_chain_of_ten_thousand_functions() {
    const LENGTH: usize = 10_000;
    let mut functions: Vec<Sketch> =
        (0..LENGTH).map(|number| Sketch { calls: vec![number + 1], ..Sketch::default() }).collect();
    functions.push(Sketch { mark: Some("no_coroutine_fn"), ..Sketch::default() });
    functions[0].mark = Some("coroutine_fn");
    assert_eq!(findings(&functions), [("blocking-call".to_owned(), "f0".to_owned(), LENGTH)]);
    // A blocking function in the middle ends the chain there.
    functions[LENGTH / 2].mark = Some("no_coroutine_fn");
    assert_eq!(findings(&functions), [("blocking-call".to_owned(), "f0".to_owned(), LENGTH / 2)]);
}

#[test]
fn the_search_ends_in_a_circle_of_ten_thousand_functions() {
    const LENGTH: usize = 10_000;
    let mut functions: Vec<Sketch> =
        (0..LENGTH).map(|number| Sketch { calls: vec![(number + 1) % LENGTH], ..Sketch::default() }).collect();
    functions.push(Sketch { mark: Some("coroutine_fn"), calls: vec![0], ..Sketch::default() });
    assert_eq!(findings(&functions), []);
}

#[test]
fn a_slot_with_a_thousand_candidates_gives_a_note_and_an_answer_of_why() {
    const CANDIDATES: usize = 1000;
    // f0 calls through the slot, f1 blocks, f2 calls f1. The slot points to all but f0 and f1.
    let mut functions = vec![Sketch::default(); CANDIDATES + 2];
    functions[0] = Sketch { mark: Some("coroutine_fn"), slot_calls: vec![0], ..Sketch::default() };
    functions[0].stores = (2..CANDIDATES + 2).map(|function| (function, 0)).collect();
    functions[1].mark = Some("no_coroutine_fn");
    functions[2].calls = vec![1];
    let pack = Pack::qemu().unwrap();
    let program = link(&functions, &pack);
    let tree = tree();
    let effects = Effects::new(&program, &pack, &tree);
    let findings = rules::check(&effects, &[]);
    let [note] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((note.rule.as_str(), note.function.as_str(), note.level), ("blocking-call", "f0", Level::Note));
    assert!(
        note.notes.iter().any(|said| said.text.contains("through a function pointer with 1000 candidates")),
        "{note:?}"
    );
    let explanation = queries::why(&effects, "f0", None, false).unwrap().remove(0);
    let leads = &explanation.inferences[0];
    assert!(leads.text.contains("may lead to"), "{}", leads.text);
    assert!(
        leads.witnesses[0].remarks[1].contains("through a function pointer with 1000 candidates"),
        "{:?}",
        leads.witnesses[0]
    );
    assert!(leads.witnesses[0].steps[0].text.contains("one of 1000 candidates"), "{:?}", leads.witnesses[0]);
}
