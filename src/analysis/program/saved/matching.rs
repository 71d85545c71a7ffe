//! Which units of a new state are those of the saved one.

use std::hash::Hash;

use rustc_hash::FxHashMap as HashMap;

/// For each unit of the new state, the unit of the old one that it goes on from, if any, in rising order. Units have no
/// names here, so this goes by what they list and by their order. Any such matching gives the right program; a bad one
/// makes more facts look changed.
pub(super) fn match_units<T: Eq + Hash>(old: &[Vec<T>], new: &[Vec<T>]) -> Vec<Option<u32>> {
    let shorter = old.len().min(new.len());
    let start = (0..shorter).take_while(|at| old[*at] == new[*at]).count();
    let is_same_end = |at: &usize| old[old.len() - 1 - *at] == new[new.len() - 1 - *at];
    let end = (0..shorter - start).take_while(is_same_end).count();
    let mut matched: Vec<Option<u32>> = (0..start as u32).map(Some).collect();
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    let mut at = (start, start);
    let middle = anchors(&old[start..old_end], &new[start..new_end]);
    for (old_at, new_at) in middle.into_iter().map(|(old, new)| (old + start, new + start)).chain([(old_end, new_end)])
    {
        // What is between two anchors is matched in its order.
        let gap = (at.1..new_at).zip((at.0..old_at).map(|unit| Some(unit as u32)).chain(std::iter::repeat(None)));
        matched.extend(gap.map(|(_, unit)| unit));
        if new_at < new_end {
            matched.push(Some(old_at as u32));
        }
        at = (old_at + 1, new_at + 1);
    }
    matched.extend((old_end..old.len()).map(|unit| Some(unit as u32)));
    matched
}

/// Pairs of units that list the same, and which no other unit on either side lists, in rising order.
fn anchors<T: Eq + Hash>(old: &[Vec<T>], new: &[Vec<T>]) -> Vec<(usize, usize)> {
    // For each list, the units that have it, as long as there is only one.
    let mut places: HashMap<&[T], (Option<usize>, Option<usize>)> = HashMap::default();
    let mut repeated: Vec<&[T]> = Vec::new();
    for (at, list) in old.iter().enumerate() {
        if places.entry(list).or_default().0.replace(at).is_some() {
            repeated.push(list);
        }
    }
    for (at, list) in new.iter().enumerate() {
        if places.entry(list).or_default().1.replace(at).is_some() {
            repeated.push(list);
        }
    }
    for list in repeated {
        places.remove(list);
    }
    let mut pairs: Vec<(usize, usize)> = places.into_values().filter_map(|(old, new)| Some((old?, new?))).collect();
    pairs.sort_unstable_by_key(|(_, new)| *new);
    longest_rising(&pairs)
}

/// The longest part of a list of pairs in which both sides rise.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair with the lowest end with which such a part can end, and for each pair the one before.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (number, (old, _)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].0 < *old);
        before.push(length.checked_sub(1).map(|last| ends[last]));
        match ends.get_mut(length) {
            Some(end) => *end = number,
            None => ends.push(number),
        }
    }
    let mut rising: Vec<_> =
        std::iter::successors(ends.last().copied(), |number| before[*number]).map(|number| pairs[number]).collect();
    rising.reverse();
    rising
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(old: &str, new: &str) -> Vec<Option<u32>> {
        let units = |text: &str| text.chars().map(|list| vec![list]).collect::<Vec<_>>();
        match_units(&units(old), &units(new))
    }

    #[test]
    fn units_are_matched_in_their_order() {
        let all = |numbers: &[u32]| numbers.iter().map(|number| Some(*number)).collect::<Vec<_>>();
        assert_eq!(matched("abc", "abc"), all(&[0, 1, 2]));
        assert_eq!(matched("abc", "axc"), all(&[0, 1, 2]));
        assert_eq!(matched("abcde", "abde"), all(&[0, 1, 3, 4]));
        assert_eq!(matched("abcde", "bcxdey"), [Some(1), Some(2), None, Some(3), Some(4), None]);
        assert_eq!(matched("abcd", "dabc"), [None, Some(0), Some(1), Some(2)]);
        assert_eq!(matched("aaaa", "aa"), all(&[0, 1]));
        assert_eq!(matched("", "ab"), [None, None]);
        assert_eq!(matched("ab", ""), []);
        assert_eq!(matched("xbcy", "zbcw"), all(&[0, 1, 2, 3]));
    }
}
