//! Locksets: the locks that a body certainly holds at each call.
//!
//! Where paths meet, a lock is held if all of them hold it. Paths that control takes in no entry state do not count.
//! This must never know libclang or what a lock protects.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use cowrap_facts::{LockId, Release};

use super::graph::{Edge, EdgeId, FlowGraph, Scope, Step};
use super::order::Feasible;
use super::solver::{Lattice, Transfer, solve};
use super::tree::Site;
use crate::extract::LockAction;
use crate::extract::source_text::last_name;

/// What a call does with a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locking {
    /// The lock.
    pub lock: LockId,
    /// The action.
    pub action: LockAction,
    /// The lock's argument as written, without blanks.
    pub which: Rc<str>,
}

/// A lock that is held at a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lock.
    pub lock: LockId,
    /// Its argument.
    pub which: Rc<str>,
    /// The site that took it.
    pub taken: Site,
    /// For a guard, the scope at whose end it is released.
    scope: Option<Scope>,
}

/// The locks that a body holds and releases.
#[derive(Debug, Default)]
pub struct HeldLocks {
    /// For each site that is reached, the locks that are certainly held there.
    pub held: HashMap<Site, Rc<Vec<Held>>>,
    /// The locks that are released where the body may not have taken them, but perhaps its caller.
    pub releases: BTreeSet<Release>,
}

/// Finds the locks that are held at each site of a body.
pub fn held_locks(graph: &FlowGraph, feasible: &Feasible, locking: &HashMap<Site, Locking>) -> HeldLocks {
    let transfer = LockTransfer { graph, feasible, locking };
    let solution = solve(graph, &transfer);
    let mut found = HeldLocks::default();
    for &block in &graph.order {
        let Some(state) = solution.at(block) else { continue };
        let mut state = state.clone();
        for step in &graph.blocks[block].steps {
            if let Step::Call(site, _) = step {
                match locking.get(site) {
                    None => drop(found.held.insert(*site, Rc::clone(&state.0))),
                    Some(done) if done.action == LockAction::Release && !state.0.iter().any(|held| held.is(done)) => {
                        found.releases.insert(Release { lock: done.lock, name: last_name(&done.which) });
                    }
                    Some(_) => {}
                }
            }
            transfer.step(step, &mut state);
        }
    }
    found
}

/// How many locks are followed at a point at most, so that no body takes long.
const MOST_HELD: usize = 16;

/// The locks that are certainly held, in the order in which they were taken. Most points have those of another.
#[derive(Clone, Debug, Default)]
struct Lockset(Rc<Vec<Held>>);

impl Lockset {
    /// Keeps the locks of which this is true.
    fn retain(&mut self, is_kept: impl Fn(&Held) -> bool) {
        if !self.0.iter().all(&is_kept) {
            Rc::make_mut(&mut self.0).retain(is_kept);
        }
    }
}

impl Held {
    /// Whether an action is on this lock, by its argument.
    fn is(&self, locking: &Locking) -> bool {
        self.lock == locking.lock && self.which == locking.which
    }
}

impl Lattice for Lockset {
    fn join(&mut self, other: &Self) -> bool {
        if Rc::ptr_eq(&self.0, &other.0) {
            return false;
        }
        let before = self.0.len();
        self.retain(|held| other.0.contains(held));
        self.0.len() != before
    }

    fn forget(&mut self) {
        self.0 = Rc::default();
    }
}

struct LockTransfer<'g> {
    graph: &'g FlowGraph,
    feasible: &'g Feasible,
    locking: &'g HashMap<Site, Locking>,
}

impl Transfer for LockTransfer<'_> {
    type Fact = Lockset;

    fn start(&self) -> Lockset {
        Lockset::default()
    }

    fn step(&self, step: &Step, state: &mut Lockset) {
        match step {
            Step::Call(site, scope) => {
                let Some(done) = self.locking.get(site) else { return };
                let known = state.0.iter().position(|held| held.is(done));
                match (done.action, known) {
                    (LockAction::Acquire | LockAction::Guard, Some(_)) => {}
                    (LockAction::Acquire | LockAction::Guard, None) if state.0.len() == MOST_HELD => {}
                    (LockAction::Acquire | LockAction::Guard, None) => {
                        let scope = (done.action == LockAction::Guard).then_some(*scope);
                        let held = Held { lock: done.lock, which: Rc::clone(&done.which), taken: *site, scope };
                        Rc::make_mut(&mut state.0).push(held);
                    }
                    (LockAction::Release, Some(position)) => drop(Rc::make_mut(&mut state.0).remove(position)),
                    // Another argument may name the same lock.
                    (LockAction::Release, None) => state.retain(|held| held.lock != done.lock),
                }
            }
            Step::Leave(scope) => {
                state.retain(|held| held.scope.is_none_or(|guarded| self.graph.is_within(*scope, guarded)));
            }
            Step::Set(..) | Step::Note(..) | Step::Enter(..) | Step::Point(_) => {}
        }
    }

    fn refine(&self, id: EdgeId, _: Edge, _: &mut Lockset) -> bool {
        self.feasible.0[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry_states::EntryStates;
    use super::super::tree::{FlowTree, NodeId, Op};
    use super::*;

    const LOCK: LockId = LockId(0);

    /// A body that is built from the outside in.
    struct Sketch {
        tree: FlowTree,
        locking: HashMap<Site, Locking>,
    }

    impl Sketch {
        fn new() -> Self {
            Sketch { tree: FlowTree::default(), locking: HashMap::new() }
        }

        fn call(&mut self) -> (Site, NodeId) {
            let site = self.tree.site();
            (site, self.tree.node(Op::Call { site, returns: true }, Vec::new()))
        }

        fn lock(&mut self, action: LockAction, which: &str) -> NodeId {
            let (site, node) = self.call();
            self.locking.insert(site, Locking { lock: LOCK, action, which: which.into() });
            node
        }

        fn node(&mut self, op: Op, children: &[NodeId]) -> NodeId {
            self.tree.node(op, children.to_vec())
        }

        fn locks(&self, root: NodeId) -> HeldLocks {
            let graph = FlowGraph::new(&self.tree, root);
            let states = EntryStates::new(&graph, &[]);
            held_locks(&graph, &states.feasible, &self.locking)
        }

        fn held(&self, root: NodeId, site: Site) -> Option<usize> {
            self.locks(root).held.get(&site).map(|held| held.len())
        }
    }

    use LockAction::{Acquire, Guard, Release};

    #[test]
    fn a_lock_is_held_between_acquire_and_release() {
        let mut sketch = Sketch::new();
        let (before, first) = sketch.call();
        let lock = sketch.lock(Acquire, "m");
        let (inside, second) = sketch.call();
        let unlock = sketch.lock(Release, "m");
        let (after, third) = sketch.call();
        let root = sketch.node(Op::Sequence, &[first, lock, second, unlock, third]);
        assert_eq!([before, inside, after].map(|site| sketch.held(root, site)), [Some(0), Some(1), Some(0)]);
        assert!(sketch.locks(root).releases.is_empty());
    }

    #[test]
    fn a_release_by_another_name_releases_all() {
        let mut sketch = Sketch::new();
        let lock = sketch.lock(Acquire, "&s->m");
        let unlock = sketch.lock(Release, "m");
        let (after, call) = sketch.call();
        let root = sketch.node(Op::Sequence, &[lock, unlock, call]);
        assert_eq!(sketch.held(root, after), Some(0));
        assert_eq!(
            sketch.locks(root).releases,
            BTreeSet::from([cowrap_facts::Release { lock: LOCK, name: "m".to_owned() }])
        );
    }

    #[test]
    fn what_one_branch_releases_is_not_held_behind_both() {
        for leaves in [false, true] {
            let mut sketch = Sketch::new();
            let lock = sketch.lock(Acquire, "m");
            let condition = sketch.node(Op::Value(None), &[]);
            let unlock = sketch.lock(Release, "m");
            let out = sketch.node(Op::Return, &[]);
            let arm = if leaves { vec![unlock, out] } else { vec![unlock] };
            let arm = sketch.node(Op::Sequence, &arm);
            let branch = sketch.node(Op::If, &[condition, arm]);
            let (after, call) = sketch.call();
            let root = sketch.node(Op::Sequence, &[lock, branch, call]);
            assert_eq!(sketch.held(root, after), Some(usize::from(leaves)), "{leaves}");
        }
    }

    #[test]
    fn a_guard_ends_with_its_block() {
        let mut sketch = Sketch::new();
        let guard = sketch.lock(Guard, "m");
        let (inside, first) = sketch.call();
        let block = sketch.node(Op::Sequence, &[guard, first]);
        let (after, second) = sketch.call();
        let root = sketch.node(Op::Sequence, &[block, second]);
        assert_eq!([inside, after].map(|site| sketch.held(root, site)), [Some(1), Some(0)]);
    }

    #[test]
    fn what_a_loop_releases_is_not_held_at_its_beginning() {
        let mut sketch = Sketch::new();
        let lock = sketch.lock(Acquire, "m");
        let condition = sketch.node(Op::Value(None), &[]);
        let (inside, call) = sketch.call();
        let unlock = sketch.lock(Release, "m");
        let body = sketch.node(Op::Sequence, &[call, unlock]);
        let whole = sketch.node(Op::While, &[condition, body]);
        let root = sketch.node(Op::Sequence, &[lock, whole]);
        assert_eq!(sketch.held(root, inside), Some(0));
    }

    #[test]
    fn a_lock_that_a_loop_takes_again_is_held_in_each_turn() {
        let mut sketch = Sketch::new();
        let lock = sketch.lock(Acquire, "m");
        let condition = sketch.node(Op::Value(None), &[]);
        let unlock = sketch.lock(Release, "m");
        let (between, first) = sketch.call();
        let again = sketch.lock(Acquire, "m");
        let body = sketch.node(Op::Sequence, &[unlock, first, again]);
        let whole = sketch.node(Op::While, &[condition, body]);
        let (after, second) = sketch.call();
        let root = sketch.node(Op::Sequence, &[lock, whole, second]);
        // The site that took it differs between paths, so behind the loop the lock counts as not
        // held.
        assert_eq!([between, after].map(|site| sketch.held(root, site)), [Some(0), Some(0)]);
    }

    #[test]
    fn at_a_label_is_held_what_all_jumps_to_it_hold() {
        for jumps_before in [false, true] {
            // if (x) goto out; lock(m); out: call();
            let mut sketch = Sketch::new();
            let label = sketch.tree.label();
            let condition = sketch.node(Op::Value(None), &[]);
            let jump = sketch.node(Op::Goto(label), &[]);
            let branch = sketch.node(Op::If, &[condition, jump]);
            let lock = sketch.lock(Acquire, "m");
            let (after, call) = sketch.call();
            let labelled = sketch.node(Op::Label(label), &[call]);
            let parts = if jumps_before { [branch, lock, labelled] } else { [lock, branch, labelled] };
            let root = sketch.node(Op::Sequence, &parts);
            assert_eq!(sketch.held(root, after), Some(usize::from(!jumps_before)), "{jumps_before}");
        }
    }

    #[test]
    fn a_jump_out_of_a_block_ends_its_guards() {
        // { guard(m); if (x) goto inside; goto out; inside: call(); } out: call();
        let mut sketch = Sketch::new();
        let [inside, out] = [(); 2].map(|()| sketch.tree.label());
        let guard = sketch.lock(Guard, "m");
        let condition = sketch.node(Op::Value(None), &[]);
        let to_inside = sketch.node(Op::Goto(inside), &[]);
        let branch = sketch.node(Op::If, &[condition, to_inside]);
        let to_out = sketch.node(Op::Goto(out), &[]);
        let (first, first_call) = sketch.call();
        let at_inside = sketch.node(Op::Label(inside), &[first_call]);
        let (second, second_call) = sketch.call();
        let at_out = sketch.node(Op::Label(out), &[second_call]);
        let block = sketch.node(Op::Sequence, &[guard, branch, to_out, at_inside]);
        let root = sketch.node(Op::Sequence, &[block, at_out]);
        assert_eq!([first, second].map(|site| sketch.held(root, site)), [Some(1), Some(0)]);
    }

    #[test]
    fn breaks_take_with_them_what_they_hold() {
        let mut sketch = Sketch::new();
        let condition = sketch.node(Op::Value(None), &[]);
        let lock = sketch.lock(Acquire, "m");
        let guard = sketch.lock(Guard, "g");
        let out = sketch.node(Op::Break, &[]);
        let body = sketch.node(Op::Sequence, &[lock, guard, out]);
        let whole = sketch.node(Op::Do, &[body, condition]);
        let (after, call) = sketch.call();
        let root = sketch.node(Op::Sequence, &[whole, call]);
        assert_eq!(sketch.held(root, after), Some(1));
    }
}
