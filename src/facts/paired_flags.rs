//! The flags beside a slot, as each pack asks for them.

use serde::{Deserialize, Serialize};

use super::SlotModelId;

/// How many models with a flag the packs can have for one slot. More are rarer than packs in one run, and the flags of
/// those are unknown.
const MOST: usize = 4;

/// The value of a flag beside a slot: in the same initialiser, or in another argument of the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairedFlag {
    /// What the packs say of the slot and the flag.
    pub model: SlotModelId,
    /// Whether the flag is set.
    pub set: bool,
}

/// The known values of the flags beside a slot, at most one for each model, in the order of the models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairedFlags([Option<PairedFlag>; MOST]);

impl PairedFlags {
    /// No flag whose value is known.
    pub const NONE: PairedFlags = PairedFlags([None; MOST]);

    /// The values that are the same in both.
    #[must_use]
    pub fn and(self, other: PairedFlags) -> PairedFlags {
        if self == other {
            return self;
        }
        self.iter().filter(|flag| other.iter().any(|other| other == *flag)).collect()
    }

    /// The values, in the order of the models.
    pub fn iter(self) -> impl Iterator<Item = PairedFlag> {
        self.0.into_iter().flatten()
    }
}

impl FromIterator<PairedFlag> for PairedFlags {
    fn from_iter<I: IntoIterator<Item = PairedFlag>>(flags: I) -> Self {
        let mut sorted: Vec<PairedFlag> = flags.into_iter().collect();
        sorted.sort_unstable();
        sorted.dedup_by_key(|flag| flag.model);
        let mut found = PairedFlags::NONE;
        found.0.iter_mut().zip(sorted).for_each(|(place, flag)| *place = Some(flag));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_configurations_agree_on_is_known() {
        let flags = |values: &[(u16, bool)]| -> PairedFlags {
            values.iter().map(|(model, set)| PairedFlag { model: SlotModelId(*model), set: *set }).collect()
        };
        assert_eq!(flags(&[(2, true), (1, false)]), flags(&[(1, false), (2, true)]));
        assert_eq!(flags(&[(1, true), (2, true)]).and(flags(&[(1, false), (2, true)])), flags(&[(2, true)]));
        assert_eq!(flags(&[(1, true)]).and(PairedFlags::NONE), PairedFlags::NONE);
        assert_eq!(flags(&[(1, true), (2, true), (3, true), (4, true), (5, true)]).iter().count(), 4);
    }
}
