//! Block literals, `^{ … }`: bodies of their own, stored where the literal stands.

use crate::clang::{Cursor, CursorKind};
use cowrap_facts::SymbolId;

use super::Extractor;

impl<'tu> Extractor<'_, 'tu> {
    /// The function that stands for a block literal.
    pub(super) fn block_symbol(&mut self, block: Cursor<'tu>) -> Option<SymbolId> {
        let raw = block.location()?;
        let location = self.location(raw);
        if let Some(&known) = self.piece().blocks.get(&location) {
            return Some(known);
        }
        self.block_count += 1;
        let name = match self.current_function.as_str() {
            "" => format!("block {}", self.block_count),
            function => format!("{function}/block {}", self.block_count),
        };
        let file = self.file(raw.file);
        let symbol = self.symbol(&name, Some(file));
        self.piece().blocks.insert(location, symbol);
        Some(symbol)
    }

    /// Reads the body of a block literal.
    pub(super) fn block(&mut self, block: Cursor<'tu>) {
        let (Some(symbol), Some(raw)) = (self.block_symbol(block), block.location()) else { return };
        let location = self.location(raw);
        let declaration = block.children().into_iter().find(|child| child.kind() == CursorKind::UnexposedDecl);
        let children = declaration.unwrap_or(block).children();
        let parameters = children.iter().filter(|child| child.kind() == CursorKind::ParmDecl);
        for (position, parameter) in (0..=u16::MAX).zip(parameters) {
            self.block_parameters.insert(parameter.declaration_key(), (symbol, position));
        }
        let result = self.result_slot(symbol, None);
        let body = self.body_in_readings(block, Some(result), symbol, location);
        self.facts().bodies.push(body);
    }
}
