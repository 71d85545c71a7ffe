//! Locksets: the locks that a body certainly holds at each call.
//!
//! It follows structured control flow only, and never guesses: where paths meet, a lock is held if
//! all paths hold it, and at a label no lock is held. It must never know libclang or what a lock
//! protects.

use std::collections::{BTreeSet, HashMap};

use cowrap_facts::{LockId, Release};

use super::LockAction;
use super::flow::{FlowTree, NodeId, Op, Site};
use super::source_text::last_name;

/// What a call does with a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locking {
    /// The lock.
    pub lock: LockId,
    /// The action.
    pub action: LockAction,
    /// The lock's argument as written, without blanks.
    pub which: String,
}

/// A lock that is held at a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lock.
    pub lock: LockId,
    /// Its argument.
    pub which: String,
    /// The site that took it.
    pub taken: Site,
    /// For a guard, the depth of the block at whose end it is released.
    block: Option<u32>,
}

/// The locks that are certainly held; `None` where control cannot be.
type Lockset = Option<Vec<Held>>;

/// The locks that a body holds and releases.
#[derive(Debug, Default)]
pub struct HeldLocks {
    /// For each site that is reached, the locks that are certainly held there.
    pub held: HashMap<Site, Vec<Held>>,
    /// The locks that are released where the body may not have taken them, but perhaps its caller.
    pub releases: BTreeSet<Release>,
}

/// A walk over a body.
pub fn held_locks(tree: &FlowTree, root: NodeId, locking: &HashMap<Site, Locking>) -> HeldLocks {
    let mut walk = LocksetWalk { tree, locking, found: HeldLocks::default(), depth: 0, jumps: Vec::new() };
    walk.node(root, Some(Vec::new()));
    walk.found
}

/// The locksets at jumps out of a loop or a `switch`.
struct Jumps {
    is_loop: bool,
    depth: u32,
    breaks: Lockset,
    continues: Lockset,
    /// For a `switch`, the lockset at its condition.
    head: Lockset,
}

struct LocksetWalk<'t> {
    tree: &'t FlowTree,
    locking: &'t HashMap<Site, Locking>,
    found: HeldLocks,
    depth: u32,
    jumps: Vec<Jumps>,
}

/// Loops that are nested deeper than this hold no locks, so that no body takes long.
const MOST_LOOPS: usize = 6;

impl LocksetWalk<'_> {
    fn node(&mut self, node: NodeId, state: Lockset) -> Lockset {
        let (op, children) = self.tree.look(node);
        match op {
            Op::Sequence => {
                self.depth += 1;
                let after = self.all(children, state);
                self.depth -= 1;
                ends_with_block(after, self.depth)
            }
            Op::Perhaps => children.iter().fold(state, |state, &child| {
                let after = self.node(child, state.clone());
                meet(state, after)
            }),
            Op::And | Op::Or => {
                let [left, right] = children else { return self.all(children, state) };
                let left = self.node(*left, state);
                let right = self.node(*right, left.clone());
                meet(left, right)
            }
            Op::If | Op::Conditional => {
                let Some((&condition, arms)) = children.split_first() else { return state };
                let condition = self.node(condition, state);
                let mut after = if arms.len() < 2 { condition.clone() } else { None };
                for &arm in arms {
                    let arm = self.node(arm, condition.clone());
                    after = meet(after, arm);
                }
                after
            }
            Op::While(_) | Op::Do(_) | Op::For(_) => self.repeated(op, children, state),
            Op::Switch => {
                let [condition, body] = children else { return self.all(children, state) };
                let head = self.node(*condition, state);
                self.enter(false, head.clone());
                let end = self.node(*body, None);
                let jumps = self.leave();
                meet(meet(end, jumps.breaks), head)
            }
            Op::Case { .. } => {
                let head = self.jumps.iter().rev().find(|jumps| !jumps.is_loop).and_then(|jumps| jumps.head.clone());
                self.all(children, meet(state, head))
            }
            // The jumps to this label are not examined.
            Op::Label(_) => self.all(children, Some(Vec::new())),
            Op::Goto(_) | Op::GotoAny | Op::Return => {
                self.all(children, state);
                None
            }
            Op::Break | Op::Continue => {
                let is_break = *op == Op::Break;
                if let Some(jumps) = self.jumps.iter_mut().rev().find(|jumps| is_break || jumps.is_loop) {
                    let state = ends_with_block(state, jumps.depth);
                    let target = if is_break { &mut jumps.breaks } else { &mut jumps.continues };
                    *target = meet(target.take(), state);
                }
                None
            }
            Op::Call { site, returns } => {
                let state = self.all(children, state);
                let state = self.call(*site, state);
                if *returns { state } else { None }
            }
            Op::Opaque
            | Op::Value(_)
            | Op::Read(_)
            | Op::Assign(_)
            | Op::Change(_)
            | Op::Predicate
            | Op::Truth(_)
            | Op::Not
            | Op::Equal
            | Op::NotEqual => self.all(children, state),
        }
    }

    fn all(&mut self, nodes: &[NodeId], state: Lockset) -> Lockset {
        nodes.iter().fold(state, |state, &node| self.node(node, state))
    }

    fn call(&mut self, site: Site, state: Lockset) -> Lockset {
        let mut held = state?;
        let Some(Locking { lock, action, which }) = self.locking.get(&site) else {
            self.found.held.insert(site, held.clone());
            return Some(held);
        };
        let same = |known: &Held| known.lock == *lock && known.which == *which;
        match action {
            LockAction::Acquire | LockAction::Guard => {
                let block = (*action == LockAction::Guard).then_some(self.depth);
                if !held.iter().any(same) {
                    held.push(Held { lock: *lock, which: which.clone(), taken: site, block });
                }
            }
            // Another argument may name the same lock.
            LockAction::Release => match held.iter().position(same) {
                Some(position) => drop(held.remove(position)),
                None => {
                    self.found.releases.insert(Release { lock: *lock, name: last_name(which) });
                    held.retain(|known| known.lock != *lock);
                }
            },
        }
        Some(held)
    }

    fn repeated(&mut self, op: &Op, children: &[NodeId], state: Lockset) -> Lockset {
        let nested = self.jumps.iter().filter(|jumps| jumps.is_loop).count();
        let mut entry = if nested < MOST_LOOPS { state } else { state.map(|_| Vec::new()) };
        loop {
            self.enter(true, None);
            let (exit, end) = match (op, children) {
                (Op::Do(_), [body, condition]) => {
                    let body = self.node(*body, entry.clone());
                    let continues = self.jumps.last_mut().and_then(|jumps| jumps.continues.take());
                    let end = self.node(*condition, meet(body, continues));
                    (end.clone(), end)
                }
                (Op::For(_), [condition, increment, body]) => {
                    let condition = self.node(*condition, entry.clone());
                    let body = self.node(*body, condition.clone());
                    let continues = self.jumps.last_mut().and_then(|jumps| jumps.continues.take());
                    (condition, self.node(*increment, meet(body, continues)))
                }
                (_, [condition, body]) => {
                    let condition = self.node(*condition, entry.clone());
                    let body = self.node(*body, condition.clone());
                    let continues = self.jumps.last_mut().and_then(|jumps| jumps.continues.take());
                    (condition, meet(body, continues))
                }
                _ => (self.all(children, entry.clone()), None),
            };
            let jumps = self.leave();
            let next = meet(entry.clone(), end);
            // The lockset at the start of an iteration only shrinks.
            if next == entry {
                return meet(exit, jumps.breaks);
            }
            entry = next;
        }
    }

    fn enter(&mut self, is_loop: bool, head: Lockset) {
        self.jumps.push(Jumps { is_loop, depth: self.depth, breaks: None, continues: None, head });
    }

    fn leave(&mut self) -> Jumps {
        let outside = Jumps { is_loop: true, depth: self.depth, breaks: None, continues: None, head: None };
        self.jumps.pop().unwrap_or(outside)
    }
}

/// The lockset where two paths meet.
fn meet(one: Lockset, other: Lockset) -> Lockset {
    match (one, other) {
        (None, state) | (state, None) => state,
        (Some(mut one), Some(other)) => {
            one.retain(|held| other.contains(held));
            Some(one)
        }
    }
}

/// The lockset after all deeper blocks have ended.
fn ends_with_block(state: Lockset, depth: u32) -> Lockset {
    let mut held = state?;
    held.retain(|held| held.block.is_none_or(|block| block <= depth));
    Some(held)
}

#[cfg(test)]
mod tests {
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
            self.locking.insert(site, Locking { lock: LOCK, action, which: which.to_owned() });
            node
        }

        fn node(&mut self, op: Op, children: &[NodeId]) -> NodeId {
            self.tree.node(op, children.to_vec())
        }

        fn held(&self, root: NodeId, site: Site) -> Option<usize> {
            held_locks(&self.tree, root, &self.locking).held.get(&site).map(Vec::len)
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
        assert!(held_locks(&sketch.tree, root, &sketch.locking).releases.is_empty());
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
            held_locks(&sketch.tree, root, &sketch.locking).releases,
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
        let whole = sketch.node(Op::While(Vec::new()), &[condition, body]);
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
        let whole = sketch.node(Op::While(Vec::new()), &[condition, body]);
        let (after, second) = sketch.call();
        let root = sketch.node(Op::Sequence, &[lock, whole, second]);
        // The site that took it differs between paths, so behind the loop the lock counts as not
        // held.
        assert_eq!([between, after].map(|site| sketch.held(root, site)), [Some(0), Some(0)]);
    }

    #[test]
    fn at_a_label_nothing_is_held() {
        let mut sketch = Sketch::new();
        let lock = sketch.lock(Acquire, "m");
        let (after, call) = sketch.call();
        let label = sketch.tree.label();
        let labelled = sketch.node(Op::Label(label), &[call]);
        let root = sketch.node(Op::Sequence, &[lock, labelled]);
        assert_eq!(sketch.held(root, after), Some(0));
    }

    #[test]
    fn breaks_take_with_them_what_they_hold() {
        let mut sketch = Sketch::new();
        let condition = sketch.node(Op::Value(None), &[]);
        let lock = sketch.lock(Acquire, "m");
        let guard = sketch.lock(Guard, "g");
        let out = sketch.node(Op::Break, &[]);
        let body = sketch.node(Op::Sequence, &[lock, guard, out]);
        let whole = sketch.node(Op::Do(Vec::new()), &[body, condition]);
        let (after, call) = sketch.call();
        let root = sketch.node(Op::Sequence, &[whole, call]);
        assert_eq!(sketch.held(root, after), Some(1));
    }
}
