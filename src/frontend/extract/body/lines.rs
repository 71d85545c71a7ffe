//! The lines of a body, and where control can be on them.
//!
//! A line belongs to the first statement that begins on it; if none does, to the innermost one around it. Statements out
//! of a macro stand where it is used. Only bodies with a statement that control does not reach as it could at the
//! beginning need the locations of their statements; most have none.

use cowrap_facts::{Guard, LineRegion, PathCondition};

use crate::clang::{Cursor, CursorKind, File};

use super::super::cursor_tree::CursorId;
use super::super::flow::{Decider, Deciders, EntryStates, FlowGraph, NodeId, Point};
use super::super::source_text::SourceCall;
use super::Lowering;

/// A statement, or a part of one.
pub(super) struct Statement {
    node: CursorId,
    point: Point,
}

/// The lines of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    /// The line and column of its beginning.
    start: (u32, u32),
    last: u32,
    /// Whether it is a block of statements.
    is_block: bool,
    point: Point,
}

impl<'tu> Lowering<'_, '_, 'tu> {
    /// Lowers a statement, or a part of one that control may not come to, and notes it.
    pub(super) fn statement(&mut self, node: CursorId, wanted: bool) -> NodeId {
        let position = self.statements.len();
        // It comes before the statements inside it.
        self.statements.push(Statement { node, point: Point(0) });
        let lowered = self.lower(node, wanted);
        self.statements[position].point = self.tree.place(lowered);
        lowered
    }

    /// The last line of the body; `first` is the line of its name.
    pub(super) fn last_line(&self, first: u32) -> u32 {
        let root = self.raw.cursor(0);
        let (file, end) = (root.location().map(|location| location.file), root.end());
        end.filter(|end| Some(end.file) == file && end.line >= first).map_or(first, |end| end.line)
    }

    /// The lines that control does not reach as it could at the beginning of the body.
    pub(super) fn regions(
        &mut self,
        graph: &FlowGraph,
        states: &EntryStates,
        [first, last]: [u32; 2],
    ) -> Vec<LineRegion> {
        let always = states.always;
        let is_left_out = |point: Point| graph.points[point.0 as usize].is_none();
        let condition_of = |point: Point| states.points[point.0 as usize];
        self.statements.retain(|statement| !is_left_out(statement.point));
        if self.statements.iter().all(|statement| condition_of(statement.point) == always) {
            return Vec::new();
        }
        let Some(file) = self.raw.cursor(0).location().map(|location| location.file) else { return Vec::new() };
        let statements = std::mem::take(&mut self.statements);
        let extents: Vec<Extent> = statements.iter().filter_map(|statement| self.extent(statement, file)).collect();
        let lines = owners(extents, [first, last], condition_of);
        let deciders = Deciders::new(graph, states);
        let mut regions: Vec<LineRegion> = Vec::new();
        let mut known: Option<(Point, Option<Guard>)> = None;
        for (line, point) in (first..).zip(lines) {
            let Some(point) = point.filter(|point| condition_of(*point) != always) else { continue };
            let guard = match known {
                Some((known, guard)) if known == point => guard,
                _ => deciders.of(point).and_then(|decider| self.guard_at(decider, file)),
            };
            known = Some((point, guard));
            let condition = condition_of(point);
            match regions.last_mut() {
                Some(region) if (region.last + 1, region.condition, region.guard) == (line, condition, guard) => {
                    region.last = line;
                }
                _ => regions.push(LineRegion { first: line, last: line, condition, guard }),
            }
        }
        regions
    }

    /// The lines of a statement; `None` if it is in another file.
    fn extent(&mut self, statement: &Statement, file: File<'tu>) -> Option<Extent> {
        let cursor = self.raw.cursor(statement.node);
        let start = cursor.start().filter(|start| start.file == file)?;
        let end = cursor.end().filter(|end| end.file == file && end.line >= start.line);
        let last = end.map_or(start.line, |end| end.line);
        let last = if self.is_from_macro(cursor) { last.max(start.line + self.lines_of_macro(start)) } else { last };
        let is_block = cursor.kind() == CursorKind::CompoundStmt;
        Some(Extent { start: (start.line, start.column), last, is_block, point: statement.point })
    }

    fn is_from_macro(&self, cursor: Cursor<'tu>) -> bool {
        cursor.start() != cursor.spelling_start()
    }

    /// How many lines behind the first the use of a macro is long: libclang says where it begins.
    fn lines_of_macro(&mut self, start: crate::clang::Location<'tu>) -> u32 {
        let contents = self.extractor.contents(start.file);
        let text = contents.get(start.offset as usize..).unwrap_or_default();
        let used = &text[..SourceCall::length(text).min(text.len())];
        used.iter().filter(|byte| **byte == b'\n').count() as u32
    }

    fn guard_at(&self, decider: Decider, file: File<'tu>) -> Option<Guard> {
        let start = self.raw.cursor(decider.origin.0 as CursorId).start().filter(|start| start.file == file)?;
        Some(Guard { kind: decider.kind, line: start.line, column: start.column })
    }
}

/// For each line from the first to the last, the point of the statement that it belongs to.
fn owners(
    mut extents: Vec<Extent>,
    [first, last]: [u32; 2],
    condition: impl Fn(Point) -> PathCondition,
) -> Vec<Option<Point>> {
    /// What a line belongs to.
    #[derive(Clone, Copy, Default)]
    struct Owner {
        point: Option<Point>,
        /// Whether a statement begins there.
        is_start: bool,
        /// Whether it is only between the statements of a block.
        is_gap: bool,
    }
    let count = (last.saturating_sub(first) as usize) + 1;
    let mut lines = vec![Owner { is_gap: true, ..Owner::default() }; count];
    extents.sort_by_key(|extent| (extent.start, std::cmp::Reverse(extent.last)));
    // What a macro stands for begins where it is used, and so does everything inside it.
    extents.dedup_by_key(|extent| extent.start);
    for extent in extents.iter().filter(|extent| extent.start.0 >= first) {
        for line in extent.start.0..=extent.last.min(last) {
            let is_start = line == extent.start.0;
            let Some(owner) = lines.get_mut((line - first) as usize) else { break };
            if !(is_start && owner.is_start) {
                *owner = Owner {
                    point: Some(extent.point),
                    is_start: is_start || owner.is_start && line > extent.start.0,
                    is_gap: extent.is_block && !is_start,
                };
            }
        }
    }
    // Between two statements that control reaches in the same way, it cannot be otherwise.
    let mut before: Option<(usize, Point)> = None;
    for line in 0..lines.len() {
        let Owner { point, is_gap, .. } = lines[line];
        let Some(point) = point.filter(|_| !is_gap) else { continue };
        if let Some((last, earlier)) = before
            && condition(earlier) == condition(point)
        {
            lines[last + 1..line].iter_mut().for_each(|gap| gap.point = Some(earlier));
        }
        before = Some((line, point));
    }
    lines.into_iter().map(|owner| owner.point).collect()
}
