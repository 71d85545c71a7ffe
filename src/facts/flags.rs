//! Flags: what a body asks of its parameters.

use serde::{Deserialize, Serialize};

use crate::MAX_FLAGS;

/// A truth value that a body derives from one of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flag {
    /// The parameter's position.
    pub position: u16,
    /// What is true of its value when the flag is set.
    pub test: FlagTest,
}

/// A test of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FlagTest {
    /// It is a `bool`, and true.
    True,
    /// It is not 0.
    NonZero,
    /// It is this number.
    Equals(i64),
    /// It has at least one of these bits.
    HasBits(i64),
}

impl FlagTest {
    /// Whether a number passes the test.
    pub fn holds(self, value: i64) -> bool {
        match self {
            FlagTest::True | FlagTest::NonZero => value != 0,
            FlagTest::Equals(number) => value == number,
            FlagTest::HasBits(bits) => value & bits != 0,
        }
    }
}

/// The values of these flags that integers can have: a bit for each value. In a value, bit 0 is the first flag.
///
/// Two tests of one parameter depend on each other: no number equals 1 and 2, and none has a bit of 6 and is 0.
pub fn feasible(flags: &[Flag]) -> u8 {
    feasible_nonzero(flags, &[])
}

/// The same if the parameters at some positions are never 0.
pub fn feasible_nonzero(flags: &[Flag], nonzero: &[u16]) -> u8 {
    let flags = &flags[..flags.len().min(MAX_FLAGS)];
    let is_feasible = |value: &u8| {
        flags.iter().enumerate().all(|(number, flag)| {
            // Each parameter once.
            let is_first = !flags[..number].iter().any(|other| other.position == flag.position);
            let of_parameter = flags.iter().enumerate().filter(|(_, other)| other.position == flag.position);
            let tests = of_parameter.map(|(bit, other)| (other.test, value >> bit & 1 != 0));
            let is_nonzero = nonzero.contains(&flag.position).then_some((FlagTest::NonZero, true));
            !is_first || has_number(&tests.chain(is_nonzero).collect::<Vec<_>>())
        })
    };
    (0..1u8 << flags.len()).filter(is_feasible).fold(0, |set, value| set | 1 << value)
}

/// The values in a set of values of flags, in order. Searches ask for them millions of times.
pub fn single_values(set: u8) -> impl Iterator<Item = u8> {
    let mut rest = set;
    std::iter::from_fn(move || {
        let value = rest.trailing_zeros() as u8;
        // Takes the lowest bit away.
        rest &= rest.checked_sub(1)?;
        Some(value)
    })
}

/// For each flag, the set of the values in which it is set.
const VALUES_WITH: [u8; MAX_FLAGS] = [0b1010_1010, 0b1100_1100, 0b1111_0000];

/// The set of the values in which a flag, by its number, is set.
pub fn values_with(flag: usize) -> u8 {
    VALUES_WITH.get(flag).copied().unwrap_or(0)
}

/// Whether a number passes exactly those tests that it should.
fn has_number(tests: &[(FlagTest, bool)]) -> bool {
    let fits = |number: i64| tests.iter().all(|(test, holds)| test.holds(number) == *holds);
    let forbidden = tests.iter().fold(0, |bits, (test, holds)| match test {
        FlagTest::HasBits(tested) if !holds => bits | tested,
        _ => bits,
    });
    // The numbers that are named, and one for each bit, which leaves enough whatever the others exclude.
    let named = tests.iter().map(|(test, _)| match test {
        FlagTest::Equals(number) => *number,
        FlagTest::True | FlagTest::NonZero | FlagTest::HasBits(_) => 0,
    });
    let others = (0..i64::BITS).flat_map(|bit| [!forbidden & !(1 << bit), !forbidden & (1 << bit)]);
    named.chain([0, !forbidden]).chain(others).any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use FlagTest::{Equals, HasBits, NonZero};

    fn of(tests: &[FlagTest]) -> Vec<u8> {
        let flags: Vec<Flag> = tests.iter().map(|&test| Flag { position: 0, test }).collect();
        single_values(feasible(&flags)).collect()
    }

    #[test]
    fn tests_of_one_parameter_exclude_each_other() {
        assert_eq!(of(&[]), [0]);
        assert_eq!(of(&[NonZero]), [0, 1]);
        assert_eq!(of(&[NonZero, Equals(1)]), [0, 1, 3]);
        assert_eq!(of(&[Equals(1), Equals(2)]), [0, 1, 2]);
        assert_eq!(of(&[Equals(1), Equals(2), NonZero]), [0, 4, 5, 6]);
        assert_eq!(of(&[NonZero, HasBits(4)]), [0, 1, 3]);
        assert_eq!(of(&[HasBits(4), HasBits(6)]), [0, 2, 3]);
        assert_eq!(of(&[HasBits(-1), NonZero]), [0, 3]);
        assert_eq!(of(&[Equals(4), HasBits(4)]), [0, 2, 3]);
        assert_eq!(of(&[Equals(8), HasBits(4)]), [0, 1, 2]);
    }

    #[test]
    fn a_parameter_that_is_never_0_passes_fewer_tests() {
        let flags = [NonZero, Equals(1)].map(|test| Flag { position: 0, test });
        assert_eq!(single_values(feasible_nonzero(&flags, &[0])).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(feasible_nonzero(&flags, &[1]), feasible(&flags));
        assert_eq!(feasible_nonzero(&[Flag { position: 0, test: Equals(0) }], &[0]), 1);
    }

    #[test]
    fn each_flag_is_a_bit_of_a_value() {
        assert_eq!([0, 1, 2].map(values_with), [0b1010_1010, 0b1100_1100, 0b1111_0000]);
        assert_eq!(single_values(0b1000_0101).collect::<Vec<_>>(), [0, 2, 7]);
        assert_eq!(single_values(0).count(), 0);
        for (flag, set) in VALUES_WITH.into_iter().enumerate() {
            assert!((0..1u8 << MAX_FLAGS).all(|value| (value >> flag & 1 != 0) == (set & 1 << value != 0)));
        }
    }

    #[test]
    fn tests_of_two_parameters_are_independent() {
        let flags = [(0, Equals(1)), (1, Equals(1)), (0, Equals(2))];
        let flags = flags.map(|(position, test)| Flag { position, test });
        // All but those in which the first parameter is 1 and 2.
        assert_eq!(feasible(&flags), !(1 << 0b101 | 1 << 0b111));
    }
}
