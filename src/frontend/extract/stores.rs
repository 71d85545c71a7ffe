//! Stores: the slots that assignments, initialisers, arguments and results put values into.

use rustc_hash::FxHashSet as HashSet;

use crate::clang::{Cursor, CursorKind, Type, TypeKind};
use cowrap_facts::{Location, PairedFlag, PairedFlags, SlotId, Store, SymbolId, Value};

use super::cursor_tree::{CursorId, CursorTree};
use super::slots::TypeClass;
use super::values::{NamedValue, SlotBuiltin, Values};
use super::{Extractor, PairedWith};

impl<'tu> Extractor<'_, 'tu> {
    /// The stores of the initialisers of a variable at file scope.
    pub(super) fn file_scope_initialiser(&mut self, variable: Cursor<'tu>) {
        if variable.initializer().is_none() || is_plain_table(variable.ty()) {
            return;
        }
        let tree = self.cursor_tree(variable);
        let (mut stores, mut named) = (Vec::new(), Vec::new());
        // Blocks are counted for each variable, so that they have the same names in all units.
        self.current_function = variable.spelling();
        self.block_count = 0;
        self.followed = Some(HashSet::default());
        for child in tree.operands(0) {
            if tree.cursor(child).is_expression() {
                stores.extend(self.initialisation(&tree, variable, child));
            }
        }
        let followed = self.followed.take().unwrap_or_default();
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            // A block is read as a body.
            if tree.kind(node) != CursorKind::BlockExpr {
                open.extend(tree.children(node).iter().rev());
            }
            match tree.kind(node) {
                CursorKind::CompoundLiteralExpr => {
                    if let Some(&list) = tree.operands(node).last() {
                        stores.extend(self.literal_stores(&tree, tree.cursor(node), list));
                    }
                }
                CursorKind::BlockExpr => self.block(tree.cursor(node)),
                CursorKind::CStyleCastExpr => {
                    let from = tree.operands(node).last().map(|&inner| tree.cursor(tree.strip(inner)).ty());
                    if let Some(from) = from {
                        self.join_pointed_records(tree.cursor(node).ty(), from);
                    }
                }
                CursorKind::DeclRefExpr if !followed.contains(&node) => {
                    named.extend(self.named_function_at(tree.cursor(node)));
                }
                CursorKind::MemberRefExpr => self.note_member(tree.cursor(node)),
                _ => {}
            }
        }
        add_named(&mut stores, named);
        self.facts().stores.extend(stores);
        self.current_function.clear();
    }

    /// The function that an expression names, and where.
    pub(super) fn named_function_at(&mut self, expression: Cursor<'tu>) -> Option<(SymbolId, Location)> {
        let function = expression.referenced().filter(|named| named.kind() == CursorKind::FunctionDecl)?;
        let location = self.location(expression.location()?);
        Some((self.function_info(function).symbol, location))
    }

    /// The stores of a variable's initialiser.
    pub(super) fn initialisation(
        &mut self,
        tree: &CursorTree<'tu>,
        variable: Cursor<'tu>,
        value: CursorId,
    ) -> Vec<Store> {
        let ty = variable.ty();
        let class = self.class(ty);
        if tree.kind(value) == CursorKind::InitListExpr {
            let slot = if class.leads_to_functions() { self.declared_slot(variable) } else { None };
            return self.initialiser_stores(tree, value, ty, slot);
        }
        if !self.can_lead_to_functions(tree, ty, value) {
            return Vec::new();
        }
        let values = self.values(tree, value);
        let slot = self.declared_slot(variable);
        self.stores_into(slot.as_slice(), values)
    }

    /// The stores of a compound literal's list.
    pub(super) fn literal_stores(
        &mut self,
        tree: &CursorTree<'tu>,
        literal: Cursor<'tu>,
        list: CursorId,
    ) -> Vec<Store> {
        let ty = literal.ty();
        let slot = if self.class(ty).leads_to_functions() { self.literal_slot(literal) } else { None };
        self.initialiser_stores(tree, list, ty, slot)
    }

    /// What the end of a variable's scope passes to its `cleanup` function: the variable's address.
    pub(super) fn cleanup_stores(&mut self, variable: Cursor<'tu>, function: SymbolId) -> Vec<Store> {
        // Only a slot has a name in the facts: macros number the variables of guards.
        if !self.class(variable.ty()).leads_to_functions() {
            return Vec::new();
        }
        let (Some(slot), Some(location)) = (self.declared_slot(variable), variable.location()) else {
            return Vec::new();
        };
        let location = self.location(location);
        let parameter = self.parameter_slot(function, 0, None);
        self.stores_into(&[parameter], vec![NamedValue { value: Value::Address(slot), location }])
    }

    /// The stores of an operand of inline assembly: it can put anything there.
    pub(super) fn assembly_stores(&mut self, tree: &CursorTree<'tu>, operand: CursorId) -> Vec<Store> {
        let cursor = tree.cursor(operand);
        let (class, Some(location)) = (self.class(cursor.ty()), cursor.location()) else { return Vec::new() };
        if !matches!(class, TypeClass::FunctionPointer | TypeClass::SlotPointer) {
            return Vec::new();
        }
        let location = self.location(location);
        let slots = self.assigned_slots(tree, operand);
        self.stores_into(&slots, vec![NamedValue { value: Value::Unknown, location }])
    }

    /// The flags that the packs pair with a parameter, beside the stores of an argument.
    pub(super) fn pair_argument(
        &mut self,
        tree: &CursorTree<'tu>,
        function: Cursor<'tu>,
        position: u16,
        arguments: &[CursorId],
        stores: &mut [Store],
    ) {
        let vocabulary = self.vocabulary;
        if vocabulary.paired_parameters.is_empty() {
            return;
        }
        let Some(paired) = vocabulary.paired_parameters.get(&(function.spelling(), position)) else { return };
        let flag = |paired: &PairedWith<u16>| {
            let set = self.is_set(tree, *arguments.get(usize::from(paired.flag))?, paired)?;
            Some(PairedFlag { model: paired.model, set })
        };
        let flags: PairedFlags = paired.iter().filter_map(flag).collect();
        stores.iter_mut().for_each(|store| store.paired_flags = flags);
    }

    /// Whether a value that goes from one expression to a place of a type can lead to functions.
    pub(super) fn can_lead_to_functions(&mut self, tree: &CursorTree<'tu>, to: Type<'tu>, value: CursorId) -> bool {
        match self.class(to) {
            TypeClass::AnyPointer => {
                let inner = tree.cursor(tree.strip(value)).ty();
                self.class(inner).leads_to_functions()
            }
            class => class.leads_to_functions(),
        }
    }

    /// The stores of `left = right`.
    pub(super) fn assignment(&mut self, tree: &CursorTree<'tu>, left: CursorId, right: CursorId) -> Vec<Store> {
        let ty = tree.cursor(left).ty();
        if !self.can_lead_to_functions(tree, ty, right) {
            // `*(void **)&slot = …`
            let target = tree.strip(left);
            let is_dereference = tree.kind(target) == CursorKind::UnaryOperator;
            let pointer = tree.operands(target).first().filter(|_| is_dereference).map(|&inner| tree.strip(inner));
            let pointer_class = pointer.map(|pointer| self.class(tree.cursor(pointer).ty()));
            let is_slot = pointer_class.is_some_and(TypeClass::leads_to_functions);
            if !is_slot || self.class(ty) != TypeClass::AnyPointer {
                return Vec::new();
            }
        }
        let values = self.values(tree, right);
        if values.is_empty() {
            return Vec::new();
        }
        let slots = self.assigned_slots(tree, left);
        self.stores_into(&slots, values)
    }

    /// The stores of a built-in function's call.
    pub(super) fn builtin_stores(
        &mut self,
        tree: &CursorTree<'tu>,
        builtin: SlotBuiltin,
        arguments: &[CursorId],
    ) -> Vec<Store> {
        use SlotBuiltin::*;
        let Some(&first) = arguments.first() else { return Vec::new() };
        let argument = |position: usize| arguments.get(position).copied();
        match builtin {
            Load => Vec::new(),
            LoadTo(to) => self.copy_target(tree, first, argument(to)),
            Store(value) | Exchange(value) | CompareAndSwap(value) => {
                self.store_to_target(tree, first, argument(value))
            }
            StoreFrom(from) => match argument(from) {
                Some(from) => {
                    let [to, of] = [first, from].map(|pointer| tree.cursor(tree.strip(pointer)).ty());
                    self.join_pointed_records(to, of);
                    self.copy_target(tree, from, Some(first))
                }
                None => Vec::new(),
            },
            ExchangeTo { from, to } => {
                let mut stores = self.copy_target(tree, first, argument(to));
                if let Some(from) = argument(from) {
                    stores.extend(self.copy_target(tree, from, Some(first)));
                }
                stores
            }
            CompareExchange { desired, expected, desired_is_pointer } => {
                let mut stores = self.copy_target(tree, first, argument(expected));
                match argument(desired) {
                    Some(desired) if desired_is_pointer => {
                        stores.extend(self.copy_target(tree, desired, Some(first)));
                    }
                    desired => stores.extend(self.store_to_target(tree, first, desired)),
                }
                stores
            }
        }
    }

    /// The stores of `*pointer = value`.
    fn store_to_target(&mut self, tree: &CursorTree<'tu>, pointer: CursorId, value: Option<CursorId>) -> Vec<Store> {
        let Some(value) = value else { return Vec::new() };
        let addresses = self.values(tree, pointer);
        let values = self.values(tree, value);
        let slots = self.pointed_slots(addresses);
        self.stores_into(&slots, values)
    }

    /// The stores of `*to = *from`.
    fn copy_target(&mut self, tree: &CursorTree<'tu>, from: CursorId, to: Option<CursorId>) -> Vec<Store> {
        let Some(to) = to else { return Vec::new() };
        let (sources, destinations) = (self.values(tree, from), self.values(tree, to));
        let mut values = Values::default();
        let slots = self.pointed_slots(destinations);
        match sources.is_empty() {
            // Bytes that cannot be followed become a pointer.
            true => self.push(tree.cursor(from), Value::Unknown, &mut values),
            false => self.load(tree.cursor(from), TypeClass::FunctionPointer, sources, &mut values),
        }
        let values = values.list;
        if slots.is_empty() && values.iter().all(|value| value.value == Value::Unknown) {
            return Vec::new();
        }
        self.stores_into(&slots, values)
    }

    /// The stores of an expression's values into some slots, or out of sight if there are none.
    pub(super) fn stores_into(&mut self, slots: &[SlotId], values: Vec<NamedValue>) -> Vec<Store> {
        let mut stores = Vec::new();
        for NamedValue { value, location } in values {
            let store = |to| Store { to, value, location, paired_flags: PairedFlags::NONE };
            match slots {
                [] => stores.push(store(None)),
                _ => stores.extend(slots.iter().map(|slot| store(Some(*slot)))),
            }
        }
        // What goes out of sight only matters if it can be called there.
        stores.retain(|store| store.to.is_some() || store.value != Value::Unknown);
        stores.retain(|store| store.to.is_none_or(|to| store.value != Value::Slot(to)));
        // A copy from one `void *` to another is most often of something else.
        let any_pointers = &self.pieces[self.current].any_pointers;
        stores.retain(|store| match store.value {
            Value::Slot(from) => {
                !any_pointers.contains(&from) || store.to.is_some_and(|to| !any_pointers.contains(&to))
            }
            Value::Function(_) | Value::Address(_) | Value::Unknown => true,
        });
        stores
    }
}

/// Adds stores of the functions that are named and not stored anywhere that can be followed: they may be called from
/// anywhere. Removes what is there twice.
pub(super) fn add_named(stores: &mut Vec<Store>, named: Vec<(SymbolId, Location)>) {
    let mut seen: HashSet<Store> = HashSet::default();
    stores.retain(|store| seen.insert(store.clone()));
    let mut stored: HashSet<(Value, Location)> = stores.iter().map(|store| (store.value, store.location)).collect();
    for (function, location) in named {
        let value = Value::Function(function);
        if stored.insert((value, location)) {
            stores.push(Store { to: None, value, location, paired_flags: PairedFlags::NONE });
        }
    }
}

/// Whether a variable is an array of numbers or of text, whose initialiser can be long and names no function.
fn is_plain_table(ty: Type<'_>) -> bool {
    let mut ty = ty.canonical();
    let mut is_array = false;
    while matches!(ty.kind(), TypeKind::Array) {
        ty = ty.element().canonical();
        is_array = true;
    }
    is_array && matches!(ty.kind(), TypeKind::Integer | TypeKind::Bool)
}
