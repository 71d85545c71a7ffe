//! How ambiguous a call chain is.

/// The number of ways to choose a target for each slot on a call chain: the product of the sizes of their points-to
/// sets. [`Ambiguity::NONE`] if all calls name their callees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ambiguity(u32);

impl Ambiguity {
    /// All calls name their callees.
    pub const NONE: Ambiguity = Ambiguity(0);

    /// Larger products are not distinguished.
    const MAX: u32 = 1 << 16;

    /// The ambiguity of a call through a slot with this number of candidates.
    pub(super) fn of_candidates(candidates: usize) -> Ambiguity {
        Ambiguity(u32::try_from(candidates).map_or(Ambiguity::MAX, |count| count.clamp(1, Ambiguity::MAX)))
    }

    /// The ambiguity of two chains in sequence.
    #[must_use]
    pub(super) fn and(self, other: Ambiguity) -> Ambiguity {
        match (self, other) {
            (Ambiguity::NONE, ambiguity) | (ambiguity, Ambiguity::NONE) => ambiguity,
            (Ambiguity(one), Ambiguity(other)) => Ambiguity(one.saturating_mul(other).min(Ambiguity::MAX)),
        }
    }

    /// The number of ways to choose the targets; 0 if there are no slots on the chain.
    pub fn ways(self) -> u32 {
        self.0
    }
}
