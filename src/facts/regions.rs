//! Regions: the lines of a body where control cannot be as it could at the body's beginning.

use serde::{Deserialize, Serialize};

use crate::PathCondition;

/// Lines of a body, in the file of the body's location. Control reaches the first statement on each of them in the same
/// entry states: not in all of them, or not in the context of the entry state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineRegion {
    /// The first line.
    pub first: u32,
    /// The last line.
    pub last: u32,
    /// The entry states that reach these lines, and the contexts there.
    pub condition: PathCondition,
    /// What decided that, if it is in the file: what is nearest before the lines.
    pub guard: Option<Guard>,
}

/// What decides where control goes, or in which context it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Guard {
    /// What it is.
    pub kind: GuardKind,
    /// Its line, in the file of the body's location.
    pub line: u32,
    /// Its column in bytes, from 1.
    pub column: u32,
}

/// What decides where control goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GuardKind {
    /// A condition that depends on the context.
    Condition,
    /// A condition that depends on parameters.
    Parameter,
    /// A condition that is never as the lines need it.
    Never,
    /// A condition on the context without which the program ends.
    Assertion,
    /// A change of the context.
    Change,
    /// A call that does not return.
    NoReturn,
    /// `return`.
    Return,
    /// `goto`, `break` or `continue`.
    Jump,
}

/// Whether regions are in source order, and none overlaps another.
pub fn are_ordered(regions: &[LineRegion]) -> bool {
    regions.iter().all(|region| region.first <= region.last)
        && regions.windows(2).all(|pair| matches!(pair, [one, other] if one.last < other.first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_in_order_and_apart() {
        let of = |lines: &[(u32, u32)]| {
            let region = |(first, last): &(u32, u32)| LineRegion {
                first: *first,
                last: *last,
                condition: PathCondition::NEVER,
                guard: None,
            };
            lines.iter().map(region).collect::<Vec<_>>()
        };
        assert!(are_ordered(&of(&[])));
        assert!(are_ordered(&of(&[(1, 1), (2, 4), (9, u32::MAX)])));
        assert!(!are_ordered(&of(&[(2, 1)])));
        assert!(!are_ordered(&of(&[(1, 3), (3, 4)])));
        assert!(!are_ordered(&of(&[(5, 6), (1, 2)])));
    }
}
