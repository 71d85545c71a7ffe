//! Lists of numbers and of names in the form in which they are stored, which is quick to load: bytes that are read when
//! they are needed. Stored bytes may be damaged: what cannot be read ends the list.

use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;

/// Sorted numbers, as the gaps between them, which are small.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Numbers(#[serde(with = "crate::bytes")] Vec<u8>);

impl Numbers {
    /// The list of sorted numbers.
    pub fn of(sorted: impl IntoIterator<Item = u32>) -> Numbers {
        let mut bytes = Vec::new();
        let mut last = 0;
        for number in sorted {
            let mut gap = number.wrapping_sub(std::mem::replace(&mut last, number));
            while gap >= 0x80 {
                bytes.push(gap as u8 | 0x80);
                gap >>= 7;
            }
            bytes.push(gap as u8);
        }
        Numbers(bytes)
    }

    /// The numbers.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let mut bytes = self.0.iter();
        let mut last = 0u32;
        std::iter::from_fn(move || {
            let (mut gap, mut shift) = (0u32, 0);
            loop {
                let byte = *bytes.next()?;
                gap |= u32::from(byte & 0x7f).checked_shl(shift)?;
                if byte < 0x80 {
                    break;
                }
                shift += 7;
            }
            last = last.wrapping_add(gap);
            Some(last)
        })
    }
}

/// A set of numbers of which many follow on each other, as the borders of its ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ranges(Numbers);

impl Ranges {
    /// The numbers that are marked.
    pub fn of(marked: &[bool]) -> Ranges {
        let mut borders = Vec::new();
        let mut was_marked = false;
        for (number, is_marked) in marked.iter().chain([&false]).enumerate() {
            if *is_marked != was_marked {
                borders.push(number as u32);
            }
            was_marked = *is_marked;
        }
        Ranges(Numbers::of(borders))
    }

    /// The numbers below `end`.
    pub fn iter(&self, end: usize) -> impl Iterator<Item = u32> {
        let mut borders = self.0.iter();
        let mut last = 0;
        let ranges = std::iter::from_fn(move || {
            let (from, to) = (borders.next()?, borders.next()?);
            // Damaged borders may go back.
            (last <= from && from <= to).then(|| (from, std::mem::replace(&mut last, to).max(to)))
        });
        ranges.take_while(move |(from, _)| (*from as usize) < end).flat_map(move |(from, to)| from..to.min(end as u32))
    }

    /// Whether all numbers are below `end`.
    pub fn is_below(&self, end: usize) -> bool {
        self.0.iter().all(|border| border as usize <= end)
    }
}

/// Names, by numbers. No name contains a NUL byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Text", into = "Text")]
pub(super) struct Names {
    /// Each name with a NUL byte behind it.
    text: Vec<u8>,
    /// Where each name ends, before the NUL byte.
    ends: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct Text(#[serde(with = "crate::bytes")] Vec<u8>);

impl From<Text> for Names {
    fn from(Text(text): Text) -> Names {
        let ends = memchr::memchr_iter(0, &text).collect();
        Names { text, ends }
    }
}

impl From<Names> for Text {
    fn from(names: Names) -> Text {
        Text(names.text)
    }
}

impl Names {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The name with a number.
    pub fn get(&self, number: u32) -> Option<&[u8]> {
        let number = number as usize;
        let end = *self.ends.get(number)?;
        let start = if number == 0 { 0 } else { self.ends[number - 1] + 1 };
        self.text.get(start..end)
    }

    /// The names, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len() as u32).filter_map(|number| self.get(number))
    }

    /// Adds a name, and gives it the next number.
    pub fn push(&mut self, name: &[u8]) -> u32 {
        self.text.extend_from_slice(name);
        self.ends.push(self.text.len());
        self.text.push(0);
        self.ends.len() as u32 - 1
    }

    /// The names from a number on.
    pub fn tail(&self, from: usize) -> Names {
        let start = if from == 0 { 0 } else { self.ends.get(from - 1).map_or(self.text.len(), |end| end + 1) };
        Text(self.text[start..].to_vec()).into()
    }

    /// Adds names.
    pub fn extend(&mut self, names: &Names) {
        for name in names.iter() {
            self.push(name);
        }
    }
}

/// Finds the numbers of values. It does not contain them, so that it is quick to make.
#[derive(Debug, Default)]
pub(super) struct Index(FxHashMap<u64, u32>);

impl Index {
    /// An index of values, in the order of their numbers.
    pub fn of<T: std::hash::Hash>(values: impl Iterator<Item = T>) -> Index {
        let mut index = Index::default();
        for (value, number) in values.zip(0..) {
            let key = keys(&value).find(|key| !index.0.contains_key(key));
            index.0.extend(key.map(|key| (key, number)));
        }
        index
    }

    /// The number of a value, or the next one, `new`; then the second result is true. `is_same` says whether a number
    /// is that of the value.
    pub fn number<T: std::hash::Hash>(&mut self, value: T, new: usize, is_same: impl Fn(u32) -> bool) -> (u32, bool) {
        for key in keys(&value) {
            match self.0.get(&key) {
                Some(number) if is_same(*number) => return (*number, false),
                Some(_) => {}
                None => {
                    self.0.insert(key, new as u32);
                    break;
                }
            }
        }
        (new as u32, true)
    }
}

/// The keys that a value may have. There are few, so that stored values that are all the same cost nothing.
fn keys(value: &impl std::hash::Hash) -> impl Iterator<Item = u64> {
    let first = FxBuildHasher.hash_one(value);
    (0..8).map(move |more| first.wrapping_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_numbers_come_back() {
        for numbers in [vec![], vec![0, 1, 7, 4_000_000_000], vec![127, 128, 300]] {
            assert_eq!(Numbers::of(numbers.clone()).iter().collect::<Vec<_>>(), numbers);
        }
        // Damage.
        assert_eq!(Numbers(vec![1, 0x80]).iter().collect::<Vec<_>>(), [1]);
        assert_eq!(Numbers(vec![0xff; 9]).iter().count(), 0);
    }

    #[test]
    fn marked_numbers_come_back() {
        for marked in [&[][..], &[true], &[false, true, true, false, true], &[true, false, false]] {
            let expected: Vec<u32> = (0..).zip(marked).filter(|(_, marked)| **marked).map(|(at, _)| at).collect();
            let ranges = Ranges::of(marked);
            assert_eq!(ranges.iter(marked.len()).collect::<Vec<_>>(), expected);
            assert!(ranges.is_below(marked.len()));
        }
        let damaged = Ranges(Numbers::of([1, u32::MAX]));
        assert_eq!(damaged.iter(3).collect::<Vec<_>>(), [1, 2]);
        assert!(!damaged.is_below(3));
    }

    #[test]
    fn names_come_back() {
        let mut names = Names::default();
        assert_eq!(["a", "", "\u{fc}"].map(|name| names.push(name.as_bytes())), [0, 1, 2]);
        let bytes = postcard::to_stdvec(&names).unwrap();
        let mut back: Names = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back, names);
        assert_eq!((back.get(0), back.get(1), back.get(3)), (Some(&b"a"[..]), Some(&b""[..]), None));
        let tail = names.tail(1);
        assert_eq!(tail.iter().collect::<Vec<_>>(), [b"", "\u{fc}".as_bytes()]);
        assert_eq!((names.tail(3).len(), names.tail(0)), (0, names));
        back.extend(&tail);
        assert_eq!((back.len(), back.get(4)), (5, Some("\u{fc}".as_bytes())));
    }

    #[test]
    fn an_index_finds_the_first_number_of_a_value() {
        let values = ["a", "b", "a"];
        let mut index = Index::of(values.iter());
        let mut number = |value: &str| index.number(value, values.len(), |at| values.get(at as usize) == Some(&value));
        assert_eq!([number("a"), number("b"), number("c")], [(0, false), (1, false), (3, true)]);
    }
}
