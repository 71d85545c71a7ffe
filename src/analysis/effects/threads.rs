//! Other threads: functions that the program passes to be run outside, and what must not happen there.

use rustc_hash::FxHashMap;

use crate::program::{FunctionId, Location, Program, SlotId};
use cowrap_packs::{Pack, ThreadParameter};

use super::Effects;
use super::names::functions_named;

/// What runs a function that is passed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thread {
    /// A thread of a pool, which has no event loop of its own.
    Worker,
    /// A new thread, which may have one.
    New,
}

/// The parameters that run functions in other threads, and these functions.
#[derive(Debug, Default)]
pub(super) struct Threads {
    slots: FxHashMap<SlotId, Thread>,
    /// The functions that may be passed there, each with such a parameter.
    functions: FxHashMap<FunctionId, (Thread, SlotId)>,
}

/// The slots of the pack's parameters.
pub(super) fn slots(program: &Program, pack: &Pack) -> Vec<(SlotId, Thread)> {
    let find = |parameters: &[ThreadParameter], thread: Thread| -> Vec<(SlotId, Thread)> {
        let named = parameters.iter().flat_map(|parameter| {
            functions_named(program, &parameter.function).into_iter().map(|function| (function, parameter.position))
        });
        named.filter_map(|(function, position)| Some((program.parameter(function, position)?, thread))).collect()
    };
    let mut slots = find(&pack.workers, Thread::Worker);
    slots.extend(find(&pack.threads, Thread::New));
    slots.sort_unstable_by_key(|(slot, thread)| (*thread, *slot));
    slots
}

impl Threads {
    /// Finds them in the points-to sets.
    pub(super) fn new(effects: &Effects<'_>) -> Threads {
        let mut threads = Threads::default();
        for (slot, thread) in slots(effects.program, effects.pack) {
            threads.slots.insert(slot, thread);
            for function in effects.points_to.candidates(slot) {
                threads.functions.entry(*function).or_insert((thread, slot));
            }
        }
        threads
    }

    /// The functions that may be passed there.
    pub(super) fn functions(&self) -> impl Iterator<Item = FunctionId> {
        self.functions.keys().copied()
    }
}

impl Effects<'_> {
    /// What runs the functions in a slot, if the pack says that it is another thread.
    pub fn thread_of_slot(&self, slot: SlotId) -> Option<Thread> {
        self.threads.slots.get(&slot).copied()
    }

    /// What runs a function, and the parameter that it is passed to, if the pack says that this is another thread.
    pub fn thread_of(&self, function: FunctionId) -> Option<(Thread, SlotId)> {
        self.threads.functions.get(&function).copied()
    }

    /// Where the source passes a function to be run in another thread, if it names the function there.
    pub fn passed_to_thread(&self, function: FunctionId) -> Option<Location> {
        let stores = self.program.stores_of(function).iter();
        let passed = stores.filter(|store| store.slot.is_some_and(|slot| self.thread_of_slot(slot).is_some()));
        passed.map(|store| store.location).next()
    }
}
