//! The cursors below one declaration, as a tree with access to siblings and parents.
//!
//! libclang only walks. Finding a loop's condition needs siblings, and a callee needs its parent.

use crate::clang::{Cursor, CursorKind, Visit};

/// An index into a [`CursorTree`].
pub type CursorId = usize;

/// The cursors below a declaration, in the order in which libclang shows them; the root is node 0.
///
/// Whatever reads it goes down in it by recursion. So it is no deeper than the limit.
pub struct CursorTree<'tu> {
    nodes: Vec<RawNode<'tu>>,
    /// Whether cursors were left out because they are too deep.
    is_cut: bool,
}

struct RawNode<'tu> {
    cursor: Cursor<'tu>,
    kind: CursorKind,
    children: Vec<CursorId>,
}

impl<'tu> CursorTree<'tu> {
    /// Walks everything below `root` once, this many levels deep.
    pub fn new(root: Cursor<'tu>, deepest: usize) -> Self {
        let mut is_cut = false;
        let mut nodes = vec![RawNode { cursor: root, kind: root.kind(), children: Vec::new() }];
        let mut open: Vec<CursorId> = vec![0];
        root.visit(|cursor, parent| {
            // The walk is depth first: an open node other than the parent is finished.
            while let Some(&top) = open.last() {
                if nodes[top].cursor == parent || top == 0 {
                    break;
                }
                open.pop();
            }
            let id = nodes.len();
            nodes.push(RawNode { cursor, kind: cursor.kind(), children: Vec::new() });
            if let Some(&top) = open.last() {
                nodes[top].children.push(id);
            }
            if open.len() > deepest {
                is_cut = true;
                return Visit::Skip;
            }
            open.push(id);
            Visit::Recurse
        });
        CursorTree { nodes, is_cut }
    }

    /// Whether something was too deep to be in the tree.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The cursor of a node.
    pub fn cursor(&self, node: CursorId) -> Cursor<'tu> {
        self.nodes[node].cursor
    }

    /// The kind of a node's cursor.
    pub fn kind(&self, node: CursorId) -> CursorKind {
        self.nodes[node].kind
    }

    /// All nodes of a kind, in the order in which libclang shows them.
    pub fn of_kind(&self, kind: CursorKind) -> Vec<CursorId> {
        (0..self.nodes.len()).filter(|&node| self.kind(node) == kind).collect()
    }

    /// The children of a node.
    pub fn children(&self, node: CursorId) -> &[CursorId] {
        &self.nodes[node].children
    }

    /// The children that are expressions or statements, without references to types and members.
    pub fn operands(&self, node: CursorId) -> Vec<CursorId> {
        let is_operand = |kind: CursorKind| {
            !matches!(
                kind,
                CursorKind::TypeRef
                    | CursorKind::MemberRef
                    | CursorKind::LabelRef
                    | CursorKind::AnnotateAttr
                    | CursorKind::UnexposedAttr
            )
        };
        self.children(node).iter().copied().filter(|&child| is_operand(self.kind(child))).collect()
    }

    /// Looks through parentheses, implicit casts and written casts.
    pub fn strip(&self, mut node: CursorId) -> CursorId {
        loop {
            let operands = match self.kind(node) {
                CursorKind::ParenExpr | CursorKind::CStyleCastExpr => self.operands(node),
                CursorKind::UnexposedExpr if self.operands(node).len() == 1 && !self.is_designated(node) => {
                    self.operands(node)
                }
                _ => return node,
            };
            match operands.last() {
                Some(&inner) => node = inner,
                None => return node,
            }
        }
    }

    /// Whether these are the operands of `x ?: y`: libclang shows x for the value, for the condition and for the
    /// result, then y.
    pub fn is_short_conditional(&self, operands: &[CursorId]) -> bool {
        let [value, condition, result, _] = *operands else { return false };
        let [value, condition, result] = [value, condition, result].map(|node| self.cursor(node));
        value.is_same_node(condition) && condition.is_same_node(result)
    }

    /// Whether the node is a designated initialiser, `.field = value`.
    pub fn is_designated(&self, node: CursorId) -> bool {
        self.kind(node) == CursorKind::UnexposedExpr
            && self.children(node).first().is_some_and(|&first| self.kind(first) == CursorKind::MemberRef)
    }
}
