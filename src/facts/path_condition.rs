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
    /// Inside.
    Inside,
    /// Outside.
    Outside,
}

/// A set of contexts; the empty one is dead code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContextSet(u8);

/// From which *entry states* of a body control reaches a point, and in which context it is there. An entry state is a
/// context and a value for each flag.
///
/// The flags do not change while a body runs, and the context changes only at calls of what the pack says: of a lock,
/// for example. Each entry state is independent of the others. So a set of entry states, each with the contexts in
/// which control can be at the point, is everything that control flow can tell about the point.
///
/// The low half of the bits are entry states whose context is still the same at the point, the high half those whose
/// context is the other one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathCondition(u32);

impl Context {
    /// Both contexts.
    pub const ALL: [Context; 2] = [Context::Inside, Context::Outside];

    /// The other context.
    pub fn other(self) -> Context {
        match self {
            Context::Inside => Context::Outside,
            Context::Outside => Context::Inside,
        }
    }
}

impl ContextSet {
    /// No context: dead code.
    pub const EMPTY: ContextSet = ContextSet(0);
    /// Only inside.
    pub const INSIDE: ContextSet = ContextSet(1);
    /// Only outside.
    pub const OUTSIDE: ContextSet = ContextSet(2);
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
            Context::Inside => ContextSet::INSIDE,
            Context::Outside => ContextSet::OUTSIDE,
        }
    }
}

impl FromIterator<Context> for ContextSet {
    fn from_iter<I: IntoIterator<Item = Context>>(contexts: I) -> Self {
        contexts.into_iter().fold(ContextSet::EMPTY, |set, context| set.or(context.into()))
    }
}

/// How many entry states a body can have.
const ENTRY_STATES: usize = 2 << MAX_FLAGS;

// A bit for each entry state and each context at the point.
const _: () = assert!(u32::BITS as usize >= 2 * ENTRY_STATES);
// A bit for each value of the flags, in one context.
const _: () = assert!(u8::BITS as usize >= 1 << MAX_FLAGS);

impl PathCondition {
    /// Control never reaches the point.
    pub const NEVER: PathCondition = PathCondition(0);

    /// How far the bits of an entry context and a context at the point are shifted.
    fn shift(entry: Context, at: Context) -> usize {
        let half = |context| match context {
            Context::Inside => 0,
            Context::Outside => 1 << MAX_FLAGS,
        };
        half(entry) + if entry == at { 0 } else { ENTRY_STATES }
    }

    /// The bits of all values of the flags, for an entry context and a context at the point.
    fn all(entry: Context, at: Context) -> u32 {
        ((1 << (1 << MAX_FLAGS)) - 1) << Self::shift(entry, at)
    }

    /// Control reaches the point in every entry state of a body without flags, and the context does not change.
    pub fn always() -> PathCondition {
        let mut always = PathCondition::NEVER;
        Context::ALL.into_iter().for_each(|context| always.insert(context, 0, context));
        always
    }

    /// The same for a body whose flags can have these values, a bit for each.
    pub fn always_with(values: u8) -> PathCondition {
        let every = |context| u32::from(values) << Self::shift(context, context);
        PathCondition(every(Context::Inside) | every(Context::Outside))
    }

    /// Adds an entry state and the context at the point. `flags` has a bit for each flag, the first in bit 0. The bits
    /// of flags that the body does not have must be 0.
    pub fn insert(&mut self, entry: Context, flags: u8, at: Context) {
        self.0 |= 1 << (Self::shift(entry, at) + usize::from(flags));
    }

    /// Whether control reaches the point from this entry state, in any context.
    pub fn contains(self, entry: Context, flags: u8) -> bool {
        Context::ALL.into_iter().any(|at| self.reaches(entry, flags, at))
    }

    /// Whether control reaches the point from this entry state in this context.
    pub fn reaches(self, entry: Context, flags: u8, at: Context) -> bool {
        self.values_at(entry, at) & (1 << flags) != 0
    }

    /// The entry states of both.
    #[must_use]
    pub fn or(self, other: PathCondition) -> PathCondition {
        PathCondition(self.0 | other.0)
    }

    /// What is left if control can only be in these contexts at the point.
    #[must_use]
    pub fn within(self, contexts: ContextSet) -> PathCondition {
        let at = Context::ALL.into_iter().filter(|at| contexts.contains(*at));
        let bits = at.flat_map(|at| Context::ALL.map(|entry| Self::all(entry, at)));
        PathCondition(self.0 & bits.fold(0, |bits, more| bits | more))
    }

    /// What is left without the entry states from which control can be at the point in either context: nobody knows
    /// where they are.
    #[must_use]
    pub fn settled(self) -> PathCondition {
        let both = self.0 & self.0 >> ENTRY_STATES;
        PathCondition(self.0 & !(both | both << ENTRY_STATES))
    }

    /// The contexts in which control can be at the point from this entry state.
    pub fn from(self, entry: Context, flags: u8) -> ContextSet {
        Context::ALL.into_iter().filter(|at| self.reaches(entry, flags, *at)).collect()
    }

    /// The entry states of this context that are in the same context at the point: a bit for each value of the flags,
    /// bit 0 for all flags false.
    pub fn values(self, context: Context) -> u8 {
        self.values_at(context, context)
    }

    /// The entry states of one context that are in another at the point, as in [`PathCondition::values`].
    pub fn values_at(self, entry: Context, at: Context) -> u8 {
        (self.0 >> Self::shift(entry, at)) as u8
    }

    /// The same for a body with one more flag, of this number, that says nothing of the point. `feasible` has a bit for
    /// each value of the flags that can occur.
    #[must_use]
    pub fn with_flag(self, flag: usize, feasible: u8) -> PathCondition {
        let bytes = self.0.to_le_bytes().map(|values| (values | values.checked_shl(1 << flag).unwrap_or(0)) & feasible);
        PathCondition(u32::from_le_bytes(bytes))
    }

    /// Whether the context at the point can be another than that of the entry state.
    pub fn changes(self) -> bool {
        self.0 >> ENTRY_STATES != 0
    }

    /// What is left if the body is entered in some states only. For each context, there is a bit for each value of the
    /// flags.
    #[must_use]
    pub fn entered(self, inside: u8, outside: u8) -> PathCondition {
        let states = u32::from(inside) << Self::shift(Context::Inside, Context::Inside)
            | u32::from(outside) << Self::shift(Context::Outside, Context::Outside);
        PathCondition(self.0 & (states | states << ENTRY_STATES))
    }

    /// The contexts in which control can be at the point, for some entry state.
    pub fn contexts(self) -> ContextSet {
        self.contexts_from(ContextSet::BOTH)
    }

    /// The contexts in which control can be at the point, for some entry state of these contexts.
    pub fn contexts_from(self, start: ContextSet) -> ContextSet {
        let reached = |entry: Context, at: Context| match start.contains(entry) && self.values_at(entry, at) != 0 {
            true => ContextSet::from(at),
            false => ContextSet::EMPTY,
        };
        let from = |entry: Context| reached(entry, entry).or(reached(entry, entry.other()));
        from(Context::Inside).or(from(Context::Outside))
    }
}

impl std::fmt::Debug for PathCondition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PathCondition({:?}, {:#010x})", self.contexts(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_come_from_any_value_of_the_flags() {
        let mut condition = PathCondition::NEVER;
        assert_eq!(condition.contexts(), ContextSet::EMPTY);
        condition.insert(Context::Inside, 0b101, Context::Inside);
        assert_eq!(condition.contexts(), ContextSet::INSIDE);
        condition.insert(Context::Outside, 0, Context::Outside);
        assert_eq!(condition.contexts(), ContextSet::BOTH);
        assert!(!condition.changes());
    }

    #[test]
    fn a_body_is_entered_with_every_value_of_its_flags() {
        assert_eq!(PathCondition::always_with(1), PathCondition::always());
        assert_eq!(PathCondition::always_with(0b11), PathCondition::always().with_flag(0, u8::MAX));
        assert_eq!(PathCondition::always_with(0b1011).values(Context::Outside), 0b1011);
        assert!(!PathCondition::always_with(u8::MAX).changes());
    }

    #[test]
    fn one_more_flag_says_nothing_of_a_point() {
        let mut condition = PathCondition::NEVER;
        condition.insert(Context::Inside, 0b1, Context::Inside);
        condition.insert(Context::Outside, 0b0, Context::Inside);
        let wider = condition.with_flag(1, 0b1111);
        assert_eq!(wider.values(Context::Inside), 0b1010);
        assert_eq!(wider.values_at(Context::Outside, Context::Inside), 0b0101);
        // No number has the second flag alone.
        assert_eq!(condition.with_flag(1, 0b1011).values_at(Context::Outside, Context::Inside), 0b0001);
        assert_eq!(wider.with_flag(2, u8::MAX).values(Context::Inside), 0b1010_1010);
    }

    #[test]
    fn a_change_of_context_is_seen_at_the_point_only() {
        let mut condition = PathCondition::NEVER;
        condition.insert(Context::Inside, 0b111, Context::Outside);
        assert_eq!(condition.contexts(), ContextSet::OUTSIDE);
        assert!(condition.changes() && condition.contains(Context::Inside, 0b111));
        assert_eq!([Context::Inside, Context::Outside].map(|context| condition.values(context)), [0, 0]);
        assert_eq!(condition.values_at(Context::Inside, Context::Outside), 0b1000_0000);
        assert_eq!(condition.within(ContextSet::INSIDE), PathCondition::NEVER);
        assert_eq!(condition.within(ContextSet::OUTSIDE), condition);
        assert_eq!(condition.settled(), condition);
        assert_eq!(condition.contexts_from(ContextSet::INSIDE), ContextSet::OUTSIDE);
        assert_eq!(condition.contexts_from(ContextSet::OUTSIDE), ContextSet::EMPTY);
        let mut open = condition;
        open.insert(Context::Inside, 0b111, Context::Inside);
        assert_eq!(open.from(Context::Inside, 0b111), ContextSet::BOTH);
        assert_eq!(open.settled(), PathCondition::NEVER);
        open.insert(Context::Outside, 1, Context::Outside);
        assert_eq!(open.settled().contexts(), ContextSet::OUTSIDE);
        assert_eq!(open.entered(0, 2).contexts(), ContextSet::OUTSIDE);
        assert_eq!(open.entered(1 << 7, 1).contexts(), ContextSet::BOTH);
        assert_eq!(open.entered(1, 1), PathCondition::NEVER);
    }
}
