//! The flags of a body: the tests of its parameters that its conditions make.

use std::collections::BTreeMap;

use cowrap_facts::{Flag, FlagTest, MAX_FLAGS};

use super::graph::{FlowGraph, Operand, Test};
use super::tree::{Comparison, FlowTree, IntegerType, Variable};

/// A flag of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyFlag {
    /// The parameter.
    pub variable: Variable,
    /// Its position and the test.
    pub fact: Flag,
}

/// Which flags count first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A `bool` in the body's own conditions.
    Truth,
    /// Another integer in the body's own conditions.
    Number,
    /// What the body only passes on.
    PassedOn,
}

/// The flags of a body: at most [`MAX_FLAGS`], by position and test.
pub fn flags(tree: &FlowTree, graph: &FlowGraph) -> Vec<BodyFlag> {
    let mut found: BTreeMap<Flag, (Rank, Variable)> = BTreeMap::new();
    let mut add = |operand: Operand, test: FlagTest, passed_on: bool| {
        let Operand::Variable(variable) = operand else { return };
        let Some(info) = tree.variables().get(variable.0 as usize) else { return };
        let Some(position) = info.parameter else { return };
        if tree.untracked.contains(&variable) || tree.is_assigned(variable) {
            return;
        }
        let test = match test {
            // All other numbers are none of its values.
            FlagTest::NonZero | FlagTest::Equals(0 | 1) | FlagTest::HasBits(_) if info.ty.is_bool() => FlagTest::True,
            FlagTest::Equals(0) => FlagTest::NonZero,
            test => test,
        };
        let rank = match (passed_on, info.ty.is_bool()) {
            (true, _) => Rank::PassedOn,
            (false, true) => Rank::Truth,
            (false, false) => Rank::Number,
        };
        let (known, _) = found.entry(Flag { position, test }).or_insert((rank, variable));
        *known = rank.min(*known);
    };
    let own = |operand: Operand| match operand {
        Operand::Variable(variable) => tree.variables().get(variable.0 as usize).map(|info| info.ty),
        _ => None,
    };
    let equals = |operand: Operand, ty: IntegerType, number: i64| own(operand)?.equal_in(ty, ty.convert(number));
    for condition in &graph.conditions {
        let (left, passed_on) = (condition.operand, condition.passed_on);
        match condition.test {
            Test::NonZero => add(left, FlagTest::NonZero, passed_on),
            Test::Compare(Comparison::Equal | Comparison::NotEqual, ty, right) => {
                for (operand, other) in [(left, right), (right, left)] {
                    match other {
                        Operand::Number(number) => {
                            if let Some(number) = equals(operand, ty, number) {
                                add(operand, FlagTest::Equals(number), passed_on);
                            }
                        }
                        // Only the truth of a `bool` says everything about it.
                        _ if own(operand).is_some_and(IntegerType::is_bool) => {
                            add(operand, FlagTest::NonZero, passed_on);
                        }
                        _ => {}
                    }
                }
            }
            Test::Compare(..) => {}
            Test::HasBits(ty, right) => {
                for (operand, other) in [(left, right), (right, left)] {
                    if let (Operand::Number(bits), Some(own)) = (other, own(operand))
                        && let Some(bits) = own.bits_in(ty, bits)
                        && bits != 0
                    {
                        add(operand, FlagTest::HasBits(bits), passed_on);
                    }
                }
            }
        }
    }
    for switch in &graph.switches {
        for (first, _) in switch.cases.iter().filter(|(first, last)| first == last) {
            if let Some(number) = equals(switch.operand, switch.ty, *first) {
                add(switch.operand, FlagTest::Equals(number), false);
            }
        }
    }
    // What the body decides by itself comes first.
    let mut ranked: Vec<(Rank, BodyFlag)> =
        found.into_iter().map(|(fact, (rank, variable))| (rank, BodyFlag { variable, fact })).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(MAX_FLAGS);
    ranked.sort_by_key(|(_, flag)| flag.fact);
    ranked.into_iter().map(|(_, flag)| flag).collect()
}
