//! Call hierarchies, and the functions that belong to another one or to a slot.
//!
//! It must never know how calls are found.

use std::path::Path;

use gen_lsp_types::{
    CallHierarchyIncomingCall, CallHierarchyItem, CallHierarchyOutgoingCall, Location, Position, Range, SymbolKind,
};

use cowrap_report::{CallItem, CallRelation};
use cowrap_session::live::Analysis;

use crate::texts::FileTexts;
use crate::word_at::word_at;

/// The functions and slots at a position.
pub(crate) fn items(
    analysis: &Analysis<'_>,
    texts: &FileTexts<'_>,
    path: &Path,
    position: Position,
) -> Vec<CallHierarchyItem> {
    let text = texts.text(path);
    let word = word_at(&text, path, text.offset(position, texts.encoding));
    let items = word.map(|word| analysis.call_item(&word)).unwrap_or_default();
    items.iter().map(|found| item(found, &found.detail, texts)).collect()
}

/// The calls that lead to an item; none if the program does not have it any more.
pub(crate) fn incoming(
    analysis: &Analysis<'_>,
    texts: &FileTexts<'_>,
    to: &CallHierarchyItem,
) -> Option<Vec<CallHierarchyIncomingCall>> {
    let relations = analysis.incoming(&known(to)?)?;
    let call = |relation: &CallRelation| CallHierarchyIncomingCall {
        from: item(&relation.item, &detail(relation), texts),
        // The protocol has them in the file of the caller.
        from_ranges: ranges(relation, &relation.item, texts),
    };
    Some(relations.iter().map(call).collect())
}

/// The calls that an item makes; none if the program does not have it any more.
pub(crate) fn outgoing(
    analysis: &Analysis<'_>,
    texts: &FileTexts<'_>,
    from: &CallHierarchyItem,
) -> Option<Vec<CallHierarchyOutgoingCall>> {
    let from = known(from)?;
    let relations = analysis.outgoing(&from)?;
    let call = |relation: &CallRelation| CallHierarchyOutgoingCall {
        to: item(&relation.item, &detail(relation), texts),
        from_ranges: ranges(relation, &from, texts),
    };
    Some(relations.iter().map(call).collect())
}

/// The wrapper, the target or the candidates of the word at a position.
///
/// They are what the protocol calls implementations: of a function, the one that does its work or gives access to it;
/// of a slot, the functions that may be called through it. Definitions are for the server of the language.
pub(crate) fn targets(
    analysis: &Analysis<'_>,
    texts: &FileTexts<'_>,
    path: &Path,
    position: Position,
) -> Vec<Location> {
    let text = texts.text(path);
    let word = word_at(&text, path, text.offset(position, texts.encoding));
    let targets = word.map(|word| analysis.targets(&word)).unwrap_or_default();
    targets.iter().map(|target| texts.location(&target.at)).collect()
}

/// An item as the client shows it. The client sends it back with its data.
fn item(item: &CallItem, detail: &str, texts: &FileTexts<'_>) -> CallHierarchyItem {
    let Location { uri, range: selection_range } = texts.location(&item.at);
    let range = match item.lines {
        Some((first, last)) => {
            let text = texts.text(&item.at.path);
            let body = text.range(text.offset_of(first, 1), text.offset_of(last, u32::MAX), texts.encoding);
            // The one must contain the other, whatever macros do.
            Range { start: body.start.min(selection_range.start), end: body.end.max(selection_range.end) }
        }
        None => selection_range,
    };
    CallHierarchyItem {
        name: item.name.clone(),
        kind: if item.is_slot { SymbolKind::Field } else { SymbolKind::Function },
        tags: None,
        detail: (!detail.is_empty()).then(|| detail.to_owned()),
        uri,
        range,
        selection_range,
        data: serde_json::to_value(item).ok(),
    }
}

/// The item that a client sends back.
fn known(item: &CallHierarchyItem) -> Option<CallItem> {
    serde_json::from_value(item.data.clone()?).ok()
}

/// What there is to say about the other end of a relation: its marks, and where the calls run.
fn detail(relation: &CallRelation) -> String {
    let pointer = if relation.through_pointer { "through a function pointer" } else { "" };
    let parts = [relation.item.detail.as_str(), relation.context.as_str(), pointer];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The calls of a relation in the file of its caller.
fn ranges(relation: &CallRelation, caller: &CallItem, texts: &FileTexts<'_>) -> Vec<Range> {
    relation.sites.iter().filter(|site| site.path == caller.at.path).map(|site| texts.range(site)).collect()
}
