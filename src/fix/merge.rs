//! Merging the edits of many fixes into one set without overlaps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use cowrap_base::files::Shown;
use cowrap_report::Edit;

/// A group of edits that only make sense together: all of them are made, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u32);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}", self.0)
    }
}

/// Two edits that cannot both be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: at byte {offset}, {group} changes the same text differently; apply one of the two and run again", path.shown())]
pub struct Conflict {
    /// The file, relative to the tree's root.
    pub path: PathBuf,
    /// The first byte that both edits change; of insertions, where they insert.
    pub offset: usize,
    /// A group with the other edit. When the edits of one group collide, that group itself.
    pub group: GroupId,
}

/// An edit that does not fit the text that it is applied to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: an edit of the bytes {start} to {end} does not fit a file of {length} bytes; run again", path.shown())]
pub struct OutOfBounds {
    /// The file, relative to the tree's root.
    pub path: PathBuf,
    /// Where the edit starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How long the text is.
    pub length: usize,
}

/// Edits that can all be made, in one tree of files.
///
/// Invariant, which [`add_group`](EditSet::add_group) checks: the edits of a file are sorted and
/// disjoint, and no two have the same range. Two edits may touch, since an insertion directly before
/// or behind a replaced range still has one position. So the result does not depend on the order in
/// which groups were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditSet {
    /// By file; each has at least one edit. Since the edits are disjoint, both starts and ends ascend.
    files: BTreeMap<PathBuf, BTreeMap<ByteRange, SharedEdit>>,
}

/// Start and end of an edit. Of an insertion and a replacement with the same start, the insertion
/// comes first, in this order and in the text.
type ByteRange = (usize, usize);

/// The text of an edit, and the groups that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SharedEdit {
    text: String,
    /// Never empty.
    groups: BTreeSet<GroupId>,
}

impl EditSet {
    /// A set without edits.
    pub fn new() -> EditSet {
        EditSet::default()
    }

    /// Adds edits to a group. An edit that other groups have already is shared with them.
    ///
    /// # Errors
    ///
    /// When one of the edits overlaps another edit or replaces the same range with another text, and
    /// when it ends before it starts, which counts as a conflict with itself. The set is unchanged
    /// then.
    pub fn add_group(&mut self, group: GroupId, edits: &[Edit]) -> Result<(), Conflict> {
        // The edits are added one by one, which checks them against each other, too. A conflict takes
        // back those that were added.
        let mut added: Vec<&Edit> = Vec::new();
        for edit in edits {
            match self.add(group, edit) {
                Ok(true) => added.push(edit),
                Ok(false) => {}
                Err(conflict) => {
                    for edit in added {
                        self.remove(group, &edit.path, (edit.start, edit.end));
                    }
                    return Err(conflict);
                }
            }
        }
        Ok(())
    }

    /// The set as if these groups had never been added. Edits that other groups share stay.
    pub fn without(&self, groups: &BTreeSet<GroupId>) -> EditSet {
        let mut set = self.clone();
        for edits in set.files.values_mut() {
            edits.retain(|_, shared| {
                shared.groups.retain(|group| !groups.contains(group));
                !shared.groups.is_empty()
            });
        }
        set.files.retain(|_, edits| !edits.is_empty());
        set
    }

    /// The files that have edits, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// The edits of one file, in the order of the text.
    pub fn edits(&self, path: &Path) -> impl Iterator<Item = Edit> {
        let shared = self.files.get_key_value(path);
        shared.into_iter().flat_map(|(path, edits)| {
            edits.iter().map(|(&(start, end), shared)| Edit {
                path: path.clone(),
                start,
                end,
                text: shared.text.clone(),
            })
        })
    }

    /// Whether there are no edits.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The text of a file with its edits made; a file without edits keeps its text.
    ///
    /// # Errors
    ///
    /// When an edit is beyond the end of the text: the edits were made for another text.
    pub fn apply(&self, path: &Path, old: &[u8]) -> Result<Vec<u8>, OutOfBounds> {
        let mut new = Vec::with_capacity(old.len());
        let mut done = 0;
        for (&(start, end), shared) in self.files.get(path).into_iter().flatten() {
            let out_of_bounds = || OutOfBounds { path: path.to_path_buf(), start, end, length: old.len() };
            // Since starts and ends ascend, only the end of the text can be in the way.
            if end > old.len() {
                return Err(out_of_bounds());
            }
            new.extend_from_slice(old.get(done..start).ok_or_else(out_of_bounds)?);
            new.extend_from_slice(shared.text.as_bytes());
            done = end;
        }
        new.extend_from_slice(&old[done..]);
        Ok(new)
    }

    /// Where a byte of a file is after the edits; for a byte that is replaced, where its replacement
    /// begins.
    pub fn moved(&self, path: &Path, offset: usize) -> usize {
        let mut moved = offset;
        for (&(start, end), shared) in self.files.get(path).into_iter().flatten() {
            if end <= offset {
                moved = moved + shared.text.len() - (end - start);
            } else if start < offset {
                moved -= offset - start;
            }
        }
        moved
    }

    /// Adds one edit; returns whether it is new to the group.
    fn add(&mut self, group: GroupId, edit: &Edit) -> Result<bool, Conflict> {
        let range = (edit.start, edit.end);
        let conflict = |offset, group| Err(Conflict { path: edit.path.clone(), offset, group });
        if edit.end < edit.start {
            return conflict(edit.start, group);
        }
        if let Some(edits) = self.files.get_mut(&edit.path) {
            if let Some(shared) = edits.get_mut(&range) {
                if shared.text != edit.text {
                    return conflict(edit.start, shared.first_group());
                }
                return Ok(shared.groups.insert(group));
            }
            // Only the neighbours can overlap: of the edits before, the last ends last; of those behind,
            // the first starts first.
            if let Some((&(_, end), shared)) = edits.range(..range).next_back()
                && end > edit.start
            {
                return conflict(edit.start, shared.first_group());
            }
            if let Some((&(start, _), shared)) = edits.range(range..).next()
                && start < edit.end
            {
                return conflict(start, shared.first_group());
            }
        }
        let shared = SharedEdit { text: edit.text.clone(), groups: BTreeSet::from([group]) };
        self.files.entry(edit.path.clone()).or_default().insert(range, shared);
        Ok(true)
    }

    /// Removes one edit from a group, and from the set when no other group has it.
    fn remove(&mut self, group: GroupId, path: &Path, range: ByteRange) {
        let Some(edits) = self.files.get_mut(path) else { return };
        if let Some(shared) = edits.get_mut(&range) {
            shared.groups.remove(&group);
            if shared.groups.is_empty() {
                edits.remove(&range);
            }
        }
        if edits.is_empty() {
            self.files.remove(path);
        }
    }
}

impl SharedEdit {
    fn first_group(&self) -> GroupId {
        self.groups.first().copied().expect("an edit belongs to a group")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit(path: &str, start: usize, end: usize, text: &str) -> Edit {
        Edit { path: PathBuf::from(path), start, end, text: text.to_owned() }
    }

    fn set(groups: &[(u32, &[Edit])]) -> EditSet {
        let mut set = EditSet::new();
        for (group, edits) in groups {
            set.add_group(GroupId(*group), edits).unwrap();
        }
        set
    }

    fn applied(set: &EditSet, old: &str) -> String {
        String::from_utf8(set.apply(Path::new("a.c"), old.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn edits_are_applied_in_order_of_position() {
        let set = set(&[
            (1, &[edit("a.c", 4, 4, "microtask_fn "), edit("a.h", 0, 0, "x")]),
            (2, &[edit("a.c", 8, 9, "")]),
            (3, &[edit("a.c", 0, 3, "void")]),
        ]);
        assert_eq!(applied(&set, "int f();;\n"), "void microtask_fn f();\n");
        assert_eq!(set.apply(Path::new("b.c"), b"as it was").unwrap(), b"as it was");
        assert_eq!(set.paths().collect::<Vec<_>>(), [Path::new("a.c"), Path::new("a.h")]);
        let starts: Vec<usize> = set.edits(Path::new("a.c")).map(|edit| edit.start).collect();
        assert_eq!(starts, [0, 4, 8]);
    }

    #[test]
    fn offsets_move_with_edits() {
        let set = set(&[(1, &[edit("a.c", 0, 3, "void"), edit("a.c", 4, 4, "microtask_fn "), edit("a.c", 8, 9, "")])]);
        let (old, new) = ("int f();;\n", "void microtask_fn f();\n");
        assert_eq!(applied(&set, old), new);
        let at = |offset| set.moved(Path::new("a.c"), offset);
        assert_eq!([0, 2, 3, 4, 7, 8, 9].map(at), [0, 0, 4, 18, 21, 22, 22]);
        assert_eq!(set.moved(Path::new("b.c"), 7), 7);
    }

    #[test]
    fn edits_may_touch() {
        let set = set(&[
            (1, &[edit("a.c", 2, 4, "CD")]),
            (2, &[edit("a.c", 2, 2, "(")]),
            (3, &[edit("a.c", 4, 4, ")")]),
            (4, &[edit("a.c", 4, 6, "EF"), edit("a.c", 0, 2, "AB"), edit("a.c", 6, 6, "!")]),
        ]);
        assert_eq!(applied(&set, "abcdef"), "AB(CD)EF!");
    }

    #[test]
    fn a_conflict_refuses_the_whole_group() {
        let before = set(&[(1, &[edit("a.c", 4, 8, "x"), edit("a.c", 10, 10, "y")])]);
        let cases = [
            (edit("a.c", 4, 8, "other"), 4),
            (edit("a.c", 10, 10, "other"), 10),
            (edit("a.c", 2, 5, ""), 4),
            (edit("a.c", 7, 9, ""), 7),
            (edit("a.c", 5, 6, ""), 5),
            (edit("a.c", 0, 20, ""), 4),
            (edit("a.c", 4, 9, ""), 4),
            (edit("a.c", 6, 6, "in the middle"), 6),
            (edit("a.c", 9, 11, ""), 10),
        ];
        for (wrong, offset) in cases {
            let mut after = before.clone();
            let shared = edit("a.c", 4, 8, "x");
            let conflict = after.add_group(GroupId(2), &[shared, edit("b.c", 0, 0, "z"), wrong.clone()]).unwrap_err();
            assert_eq!(conflict, Conflict { path: "a.c".into(), offset, group: GroupId(1) }, "{wrong:?}");
            assert_eq!(after, before);
        }
        let mut after = before.clone();
        let own = after.add_group(GroupId(2), &[edit("b.c", 0, 4, ""), edit("b.c", 2, 6, "")]).unwrap_err();
        assert_eq!((own.group, own.offset), (GroupId(2), 2));
        assert!(after.add_group(GroupId(2), &[edit("b.c", 4, 2, "")]).is_err());
        assert_eq!(after, before);
        let message = own.to_string();
        assert!(message.starts_with("b.c: at byte 2, group 2 changes"), "{message}");
    }

    #[test]
    fn a_shared_edit_stays_while_one_group_has_it() {
        let shared = [edit("a.c", 0, 0, "x")];
        let both = set(&[(1, &shared), (2, &shared)]);
        assert_eq!(applied(&both, "y"), "xy");
        let without = |groups: &[u32]| both.without(&groups.iter().map(|group| GroupId(*group)).collect());
        assert_eq!(applied(&without(&[1]), "y"), "xy");
        assert_eq!(without(&[]), both);
        assert!(without(&[1, 2, 3]).is_empty());
    }

    #[test]
    fn a_shorter_text_is_refused() {
        let set = set(&[(1, &[edit("a.c", 3, 5, "x")])]);
        assert_eq!(set.apply(Path::new("a.c"), b"12345").unwrap(), b"123x");
        let error = set.apply(Path::new("a.c"), b"1234").unwrap_err();
        assert_eq!(error, OutOfBounds { path: "a.c".into(), start: 3, end: 5, length: 4 });
        assert!(set.apply(Path::new("a.c"), b"12").is_err());
    }

    const OLD: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCD";

    fn any_edit() -> impl Strategy<Value = Edit> {
        let text = prop_oneof![Just(""), Just("<one>"), Just("<two>")];
        (prop_oneof![Just("a.c"), Just("b.c")], 0..=OLD.len(), 0..4_usize, text)
            .prop_map(|(path, start, length, text)| edit(path, start, (start + length).min(OLD.len()), text))
    }

    fn any_plan() -> impl Strategy<Value = Vec<Vec<Edit>>> {
        proptest::collection::vec(proptest::collection::vec(any_edit(), 1..4), 0..12)
    }

    /// The set of a plan, and which of its groups were added.
    fn planned(plan: &[Vec<Edit>]) -> (EditSet, Vec<u32>) {
        let mut set = EditSet::new();
        let taken = |(number, edits): (usize, &Vec<Edit>)| {
            let number = u32::try_from(number).unwrap();
            set.add_group(GroupId(number), edits).is_ok().then_some(number)
        };
        let taken = plan.iter().enumerate().filter_map(taken).collect();
        (set, taken)
    }

    /// Makes one edit after the other in a text that changes under them, in the order of their starts.
    fn naive(edits: &[Edit]) -> String {
        let mut sorted = edits.to_vec();
        sorted.sort();
        sorted.dedup();
        let mut text = OLD.to_owned();
        for edit in sorted.iter().rev() {
            text.replace_range(edit.start..edit.end, &edit.text);
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn edits_never_overlap(plan in any_plan()) {
            let (set, taken) = planned(&plan);
            for path in set.paths() {
                let edits: Vec<Edit> = set.edits(path).collect();
                for pair in edits.windows(2) {
                    prop_assert!(pair[0].end <= pair[1].start && pair[0] < pair[1]);
                    prop_assert!((pair[0].start, pair[0].end) != (pair[1].start, pair[1].end));
                }
                let wanted: Vec<Edit> = taken.iter().flat_map(|number| plan[*number as usize].clone())
                    .filter(|edit| edit.path == path).collect();
                prop_assert_eq!(set.apply(path, OLD.as_bytes()).unwrap(), naive(&wanted).into_bytes());
            }
        }

        #[test]
        fn the_order_of_groups_does_not_matter(
            (plan, order) in any_plan().prop_flat_map(|plan| {
                let order: Vec<usize> = (0..plan.len()).collect();
                (Just(plan), Just(order).prop_shuffle())
            })
        ) {
            let (set, taken) = planned(&plan);
            let mut other = EditSet::new();
            for number in order.into_iter().map(|number| u32::try_from(number).unwrap()) {
                if taken.contains(&number) {
                    let mut edits = plan[number as usize].clone();
                    edits.reverse();
                    other.add_group(GroupId(number), &edits).unwrap();
                }
            }
            prop_assert_eq!(set, other);
        }

        #[test]
        fn adding_a_group_again_changes_nothing(plan in any_plan()) {
            let (set, taken) = planned(&plan);
            let mut again = set.clone();
            for number in taken {
                again.add_group(GroupId(number), &plan[number as usize]).unwrap();
            }
            prop_assert_eq!(set, again);
        }

        #[test]
        fn removing_a_group_equals_never_adding_it(plan in any_plan(), which in any::<prop::sample::Index>()) {
            let (set, taken) = planned(&plan);
            if !taken.is_empty() {
                let removed = *which.get(&taken);
                let mut never = EditSet::new();
                for number in taken.iter().filter(|number| **number != removed) {
                    never.add_group(GroupId(*number), &plan[*number as usize]).unwrap();
                }
                prop_assert_eq!(set.without(&BTreeSet::from([GroupId(removed)])), never);
            }
        }
    }
}
