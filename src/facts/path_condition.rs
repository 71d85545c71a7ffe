//! Contexts, and the path conditions of points in a body.

use serde::{Deserialize, Serialize};

/// How many flags of one body path conditions distinguish.
///
/// Each one more would double the size of a [`PathCondition`], of which every call has one, and the number of times
/// that a body is analysed, to tell more apart than a body asks on the way to a call.
pub const MAX_FLAGS: usize = 3;

/// One of the two contexts that code can run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Context {
    /// Inside a coroutine.
    Coroutine,
    /// Outside any coroutine.
    NonCoroutine,
}

/// A set of contexts; the empty one is dead code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContextSet(u8);

/// The *entry states* of a body from which control reaches a point: pairs of a context and a value for each flag.
///
/// Neither the context nor the flags change while a body runs. So each entry state is independent of the others, and a
/// set of them is everything that control flow can tell about a point.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathCondition(u16);

impl Context {
    /// Both contexts.
    pub const ALL: [Context; 2] = [Context::Coroutine, Context::NonCoroutine];

    /// The other context.
    pub fn other(self) -> Context {
        match self {
            Context::Coroutine => Context::NonCoroutine,
            Context::NonCoroutine => Context::Coroutine,
        }
    }
}

impl ContextSet {
    /// No context: dead code.
    pub const EMPTY: ContextSet = ContextSet(0);
    /// Only inside coroutines.
    pub const COROUTINE: ContextSet = ContextSet(1);
    /// Only outside coroutines.
    pub const NON_COROUTINE: ContextSet = ContextSet(2);
    /// Both contexts.
    pub const BOTH: ContextSet = ContextSet(3);

    /// Whether the set has this context.
    pub fn contains(self, context: Context) -> bool {
        self.0 & ContextSet::from(context).0 != 0
    }

    /// The contexts in both sets.
    #[must_use]
    pub fn and(self, other: ContextSet) -> ContextSet {
        ContextSet(self.0 & other.0)
    }

    /// The contexts in at least one of the sets.
    #[must_use]
    pub fn or(self, other: ContextSet) -> ContextSet {
        ContextSet(self.0 | other.0)
    }

    /// The context of a set with one element.
    pub fn only(self) -> Option<Context> {
        Context::ALL.into_iter().find(|context| self == (*context).into())
    }

    /// Whether the set has no context.
    pub fn is_empty(self) -> bool {
        self == ContextSet::EMPTY
    }
}

impl From<Context> for ContextSet {
    fn from(context: Context) -> Self {
        match context {
            Context::Coroutine => ContextSet::COROUTINE,
            Context::NonCoroutine => ContextSet::NON_COROUTINE,
        }
    }
}

impl FromIterator<Context> for ContextSet {
    fn from_iter<I: IntoIterator<Item = Context>>(contexts: I) -> Self {
        contexts.into_iter().fold(ContextSet::EMPTY, |set, context| set.or(context.into()))
    }
}

// A bit for each entry state.
const _: () = assert!(u16::BITS as usize >= 2 << MAX_FLAGS);
// A bit for each value of the flags, in one context.
const _: () = assert!(u8::BITS as usize >= 1 << MAX_FLAGS);

impl PathCondition {
    /// Control never reaches the point.
    pub const NEVER: PathCondition = PathCondition(0);

    /// The bit of an entry state. `flags` has a bit for each flag, the first in bit 0.
    fn bit(context: Context, flags: u8) -> u16 {
        let context = match context {
            Context::Coroutine => 0,
            Context::NonCoroutine => 1 << MAX_FLAGS,
        };
        1 << (context | flags)
    }

    /// Control reaches the point in every entry state of a body without flags.
    pub fn always() -> PathCondition {
        let mut always = PathCondition::NEVER;
        Context::ALL.into_iter().for_each(|context| always.insert(context, 0));
        always
    }

    /// Adds an entry state. `flags` has a bit for each flag, the first in bit 0. The bits of flags that the body does
    /// not have must be 0.
    pub fn insert(&mut self, context: Context, flags: u8) {
        self.0 |= Self::bit(context, flags);
    }

    /// Whether control reaches the point from this entry state.
    pub fn contains(self, context: Context, flags: u8) -> bool {
        self.0 & Self::bit(context, flags) != 0
    }

    /// The entry states of both.
    #[must_use]
    pub fn or(self, other: PathCondition) -> PathCondition {
        PathCondition(self.0 | other.0)
    }

    /// The entry states of these contexts.
    #[must_use]
    pub fn within(self, contexts: ContextSet) -> PathCondition {
        let half = (1u16 << (1 << MAX_FLAGS)) - 1;
        let coroutine = if contexts.contains(Context::Coroutine) { half } else { 0 };
        let outside = if contexts.contains(Context::NonCoroutine) { !half } else { 0 };
        PathCondition(self.0 & (coroutine | outside))
    }

    /// The entry states of one context: a bit for each value of the flags, bit 0 for all flags false.
    pub fn values(self, context: Context) -> u8 {
        let shift = match context {
            Context::Coroutine => 0,
            Context::NonCoroutine => 1 << MAX_FLAGS,
        };
        (self.0 >> shift) as u8
    }

    /// The contexts in which control reaches the point for some value of the flags.
    pub fn contexts(self) -> ContextSet {
        let half = (1u16 << (1 << MAX_FLAGS)) - 1;
        let coroutine = if self.0 & half != 0 { ContextSet::COROUTINE } else { ContextSet::EMPTY };
        let outside = if self.0 & !half != 0 { ContextSet::NON_COROUTINE } else { ContextSet::EMPTY };
        coroutine.or(outside)
    }
}

impl std::fmt::Debug for PathCondition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PathCondition({:?}, {:#06x})", self.contexts(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_come_from_any_value_of_the_flags() {
        let mut condition = PathCondition::NEVER;
        assert_eq!(condition.contexts(), ContextSet::EMPTY);
        condition.insert(Context::Coroutine, 0b101);
        assert_eq!(condition.contexts(), ContextSet::COROUTINE);
        condition.insert(Context::NonCoroutine, 0);
        assert_eq!(condition.contexts(), ContextSet::BOTH);
    }
}
