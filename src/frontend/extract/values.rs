//! Values: which functions, slots and addresses of slots an expression may be.
//!
//! Whatever stores a value (`stores`) asks here for it, and gets each value that the expression may have. What cannot be followed is a value like any other: [`Value::Unknown`].

use rustc_hash::FxHashSet as HashSet;

use crate::clang::{Cursor, CursorKind, Type, TypeKind, UnaryOperator};
use cowrap_facts::{Location, SlotId, Value};

use super::cursor_tree::{CursorId, CursorTree};
use super::slots::TypeClass;
use super::{Extractor, Role};

/// A value, and where the source names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NamedValue {
    pub value: Value,
    pub location: Location,
}

/// The values that are found, in their order.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub list: Vec<NamedValue>,
    known: HashSet<NamedValue>,
}

impl Values {
    /// Adds a value that is not there yet.
    fn push(&mut self, value: NamedValue) {
        if self.known.insert(value) {
            self.list.push(value);
        }
    }

    fn extend(&mut self, values: Vec<NamedValue>) {
        self.known.extend(&values);
        self.list.extend(values);
    }
}

/// Numbers that are cast to pointers mark states up to this one: no function is there (`SIG_IGN`, error numbers).
const MAX_MARKER: i64 = 4095;

/// What a built-in function does to the slots that its arguments point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotBuiltin {
    /// The result is what the first argument points to: `__atomic_load_n`.
    Load,
    /// The first argument's target is copied to that of another argument: `__atomic_load`.
    LoadTo(usize),
    /// An argument is stored to the first one's target: `__atomic_store_n`.
    Store(usize),
    /// What an argument points to is stored to the first one's target: `__atomic_store`, `memcpy`.
    StoreFrom(usize),
    /// As `Store`, and the result is what was there before: `__atomic_exchange_n`, `__sync_lock_test_and_set`.
    Exchange(usize),
    /// As `StoreFrom`, and what was there before is stored to the target of a third argument: `__atomic_exchange`.
    ExchangeTo { from: usize, to: usize },
    /// An argument may be stored to the first one's target, and what was there to the target of `expected`.
    CompareExchange { desired: usize, expected: usize, desired_is_pointer: bool },
    /// As `Exchange`, for `__sync_val_compare_and_swap`.
    CompareAndSwap(usize),
}

/// What the atomic built-in at the start of a text does; arguments are in the order in which libclang shows them:
/// pointer, memory order, first value, second memory order, second value (`AtomicExpr` in clang's AST).
fn atomic_builtin(text: &[u8]) -> Option<SlotBuiltin> {
    use SlotBuiltin::*;
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(text.len());
    let name = std::str::from_utf8(&text[..end]).ok()?;
    let scoped = name.strip_prefix("__scoped_atomic_").or_else(|| name.strip_prefix("__atomic_"));
    if let Some(operation) = scoped {
        return Some(match operation {
            "load_n" => Load,
            "load" => LoadTo(2),
            "store_n" => Store(2),
            "store" => StoreFrom(2),
            "exchange_n" => Exchange(2),
            "exchange" => ExchangeTo { from: 2, to: 4 },
            "compare_exchange_n" => CompareExchange { desired: 4, expected: 2, desired_is_pointer: false },
            "compare_exchange" => CompareExchange { desired: 4, expected: 2, desired_is_pointer: true },
            _ => return None,
        });
    }
    let operation = name.strip_prefix("__c11_atomic_").or_else(|| name.strip_prefix("__opencl_atomic_"))?;
    Some(match operation {
        "init" => Store(1),
        "load" => Load,
        "store" => Store(2),
        "exchange" => Exchange(2),
        "compare_exchange_strong" | "compare_exchange_weak" => {
            CompareExchange { desired: 4, expected: 2, desired_is_pointer: false }
        }
        _ => return None,
    })
}

/// What a built-in function, or one of the C library that copies memory, does to slots.
pub(super) fn library_builtin(name: &str) -> Option<SlotBuiltin> {
    use SlotBuiltin::*;
    let sync = |operation: &str| name.strip_prefix("__sync_").is_some_and(|rest| rest.starts_with(operation));
    Some(match name {
        "memcpy" | "memmove" | "mempcpy" => StoreFrom(1),
        "__builtin_memcpy" | "__builtin_memmove" | "__builtin_mempcpy" => StoreFrom(1),
        "__builtin___memcpy_chk" | "__builtin___memmove_chk" | "__memcpy_chk" | "__memmove_chk" => StoreFrom(1),
        _ if sync("lock_test_and_set") || sync("swap") => Exchange(1),
        _ if sync("val_compare_and_swap") || sync("bool_compare_and_swap") => CompareAndSwap(2),
        _ => return None,
    })
}

impl<'tu> Extractor<'_, 'tu> {
    /// The values that an expression may have. Empty if none of them leads to a function.
    pub(super) fn values(&mut self, tree: &CursorTree<'tu>, node: CursorId) -> Vec<NamedValue> {
        let mut found = Values::default();
        self.collect(tree, node, &mut found);
        found.list.dedup();
        found.list
    }

    fn collect(&mut self, tree: &CursorTree<'tu>, node: CursorId, found: &mut Values) {
        use CursorKind::*;
        let cursor = tree.cursor(node);
        let operands = || tree.operands(node);
        match tree.kind(node) {
            ParenExpr => self.collect_last(tree, &operands(), found),
            CStyleCastExpr => self.cast(tree, node, &operands(), found),
            UnexposedExpr => self.unexposed_value(tree, node, &operands(), found),
            DeclRefExpr => {
                if let Some(followed) = &mut self.followed {
                    followed.insert(node);
                }
                self.named_value(cursor, found);
            }
            MemberRefExpr => self.named_value(cursor, found),
            ArraySubscriptExpr => {
                let array = self.indexed(tree, &operands());
                let mut values = Values::default();
                array.into_iter().for_each(|array| self.collect(tree, array, &mut values));
                let values = values.list;
                match self.class(cursor.ty()) {
                    // A row of a table is as good as the table: all elements are one slot.
                    TypeClass::Table => found.extend(values),
                    class => self.load(cursor, class, values, found),
                }
            }
            UnaryOperator => self.unary_value(tree, node, &operands(), found),
            BinaryOperator => match (cursor.binary_operator(), operands().as_slice()) {
                (crate::clang::BinaryOperator::Assign | crate::clang::BinaryOperator::Comma, [_, right]) => {
                    self.collect(tree, *right, found);
                }
                // A pointer plus a number points into the same table.
                (_, [left, right]) if tree.cursor(node).ty().kind() == TypeKind::Pointer => {
                    for operand in [left, right] {
                        if tree.cursor(*operand).ty().kind() != TypeKind::Integer {
                            self.collect(tree, *operand, found);
                        }
                    }
                }
                _ => {}
            },
            CompoundAssignOperator => {
                if let Some(&left) = operands().first() {
                    self.collect(tree, left, found);
                }
            }
            ConditionalOperator => {
                for &arm in operands().iter().skip(1) {
                    self.collect(tree, arm, found);
                }
            }
            // The first operand chooses, and is not evaluated.
            GenericSelectionExpr => {
                for &arm in operands().iter().skip(1) {
                    self.collect(tree, arm, found);
                }
            }
            StmtExpr | CompoundStmt => self.collect_last(tree, &operands(), found),
            CallExpr => self.call_result(tree, node, &operands(), found),
            CompoundLiteralExpr => match self.class(cursor.ty()) {
                TypeClass::Table => {
                    let literal = self.literal_slot(cursor);
                    self.push(cursor, literal.map_or(Value::Unknown, Value::Address), found);
                }
                class if class.leads_to_functions() => {
                    let literal = self.literal_slot(cursor);
                    self.push(cursor, literal.map_or(Value::Unknown, Value::Slot), found);
                }
                _ => {}
            },
            // `{f}` around a scalar.
            InitListExpr if self.class(cursor.ty()).leads_to_functions() => {
                if let Some(&first) = operands().first() {
                    self.collect(tree, first, found);
                }
            }
            BlockExpr => {
                if let Some(block) = self.block_symbol(cursor) {
                    self.push(cursor, Value::Function(block), found);
                }
            }
            _ => {}
        }
    }

    fn collect_last(&mut self, tree: &CursorTree<'tu>, operands: &[CursorId], found: &mut Values) {
        if let Some(&last) = operands.last() {
            self.collect(tree, last, found);
        }
    }

    pub(super) fn push(&mut self, at: Cursor<'tu>, value: Value, found: &mut Values) {
        if let Some(location) = at.location() {
            let location = self.location(location);
            found.push(NamedValue { value, location });
        }
    }

    /// The value of a reference to a function, variable, parameter or field.
    fn named_value(&mut self, cursor: Cursor<'tu>, found: &mut Values) {
        let Some(declaration) = cursor.referenced() else { return };
        match declaration.kind() {
            CursorKind::FunctionDecl => {
                let function = self.function_info(declaration).symbol;
                self.push(cursor, Value::Function(function), found);
            }
            CursorKind::ParmDecl | CursorKind::VarDecl | CursorKind::FieldDecl => {
                let class = self.class(declaration.ty());
                let is_table = class == TypeClass::Table && declaration.kind() != CursorKind::ParmDecl;
                if !class.may_hold_functions() {
                    return;
                }
                let Some(slot) = self.declared_slot(declaration) else { return };
                self.push(cursor, if is_table { Value::Address(slot) } else { Value::Slot(slot) }, found);
            }
            _ => {}
        }
    }

    /// The operand of `a[b]` that is indexed: either can be.
    fn indexed(&mut self, tree: &CursorTree<'tu>, operands: &[CursorId]) -> Option<CursorId> {
        let is_number =
            |operand: &&CursorId| matches!(tree.cursor(**operand).ty().kind(), TypeKind::Integer | TypeKind::Bool);
        operands.iter().find(|operand| !is_number(operand)).copied()
    }

    /// What is at the addresses in `values`, for an expression of this class.
    pub(super) fn load(&mut self, at: Cursor<'tu>, class: TypeClass, values: Vec<NamedValue>, found: &mut Values) {
        if !class.may_hold_functions() {
            return;
        }
        for NamedValue { value, .. } in values {
            let value = match value {
                Value::Address(slot) => Value::Slot(slot),
                Value::Slot(pointer) => Value::Slot(self.target_slot(pointer)),
                // `*f` of a function is the function.
                Value::Function(function) => Value::Function(function),
                Value::Unknown => Value::Unknown,
            };
            self.push(at, value, found);
        }
    }

    fn unary_value(&mut self, tree: &CursorTree<'tu>, node: CursorId, operands: &[CursorId], found: &mut Values) {
        let Some(&operand) = operands.first() else { return };
        let cursor = tree.cursor(node);
        match cursor.unary_operator() {
            UnaryOperator::AddressOf => self.address(tree, operand, found),
            UnaryOperator::Extension | UnaryOperator::Step => self.collect(tree, operand, found),
            UnaryOperator::Dereference => {
                let class = self.class(cursor.ty());
                match class {
                    // The target of a pointer to a function is the function; that of a pointer to a table, the table.
                    TypeClass::Function | TypeClass::Table => self.collect(tree, operand, found),
                    _ => {
                        let values = self.values(tree, operand);
                        self.load(cursor, class, values, found);
                    }
                }
            }
            _ => {}
        }
    }

    /// The values of `&operand`.
    fn address(&mut self, tree: &CursorTree<'tu>, operand: CursorId, found: &mut Values) {
        let operand = tree.strip(operand);
        let cursor = tree.cursor(operand);
        match tree.kind(operand) {
            CursorKind::DeclRefExpr | CursorKind::MemberRefExpr => {
                let Some(declaration) = cursor.referenced() else { return };
                if declaration.kind() == CursorKind::FunctionDecl {
                    return self.named_value(cursor, found);
                }
                let class = self.class(declaration.ty());
                if class.may_hold_functions()
                    && let Some(slot) = self.declared_slot(declaration)
                {
                    self.push(cursor, Value::Address(slot), found);
                }
            }
            CursorKind::UnaryOperator if cursor.unary_operator() == UnaryOperator::Dereference => {
                if let Some(&inner) = tree.operands(operand).first() {
                    self.collect(tree, inner, found);
                }
            }
            CursorKind::ArraySubscriptExpr => {
                if let Some(array) = self.indexed(tree, &tree.operands(operand)) {
                    self.collect(tree, array, found);
                }
            }
            CursorKind::CompoundLiteralExpr if self.class(cursor.ty()).leads_to_functions() => {
                let literal = self.literal_slot(cursor);
                self.push(cursor, literal.map_or(Value::Unknown, Value::Address), found);
            }
            _ => {}
        }
    }

    /// The values of a conversion, written or implicit.
    fn cast(&mut self, tree: &CursorTree<'tu>, node: CursorId, operands: &[CursorId], found: &mut Values) {
        let Some(&operand) = operands.last() else { return };
        let before = found.list.len();
        self.collect(tree, operand, found);
        let (to, from) = (tree.cursor(node).ty(), tree.cursor(operand).ty());
        if !self.class(to).leads_to_functions() {
            return;
        }
        let is_marker = || {
            let number = tree.cursor(tree.strip(operand)).evaluate_integer();
            number.is_some_and(|number| (-MAX_MARKER..=MAX_MARKER).contains(&number))
        };
        let is_unknown = match self.class(from) {
            // What a `void *` holds is only followed where a function is stored into it directly.
            TypeClass::AnyPointer if found.list.len() > before => {
                let any_pointers = &self.pieces[self.current].any_pointers;
                let is_any =
                    |found: &NamedValue| matches!(found.value, Value::Slot(slot) if any_pointers.contains(&slot));
                found.list[before..].iter().any(is_any)
            }
            TypeClass::AnyPointer | TypeClass::Number => found.list.len() == before && !is_marker(),
            // Among these is the list that `va_arg` reads: libclang shows no difference between that and a cast.
            TypeClass::Record => found.list.len() == before,
            TypeClass::Plain | TypeClass::Array => found.list.len() == before && is_pointer(from),
            TypeClass::Function | TypeClass::FunctionPointer | TypeClass::SlotPointer | TypeClass::Table => false,
        };
        if is_unknown {
            self.push(tree.cursor(node), Value::Unknown, found);
        }
    }

    /// The values of an expression for which libclang has no kind.
    fn unexposed_value(&mut self, tree: &CursorTree<'tu>, node: CursorId, operands: &[CursorId], found: &mut Values) {
        let cursor = tree.cursor(node);
        match operands {
            [] => {}
            [_] => self.cast(tree, node, operands, found),
            // `x ?: y`: libclang shows x three times.
            [value, _, _, otherwise] if tree.is_short_conditional(operands) => {
                self.collect(tree, *value, found);
                self.collect(tree, *otherwise, found);
            }
            [condition, yes, no] if self.starts_with(cursor, b"__builtin_choose_expr") => {
                match tree.cursor(*condition).evaluate_integer() {
                    Some(0) => self.collect(tree, *no, found),
                    Some(_) => self.collect(tree, *yes, found),
                    None => {
                        self.collect(tree, *yes, found);
                        self.collect(tree, *no, found);
                    }
                }
            }
            _ => match self.atomic(cursor) {
                Some(builtin) => self.builtin_result(tree, cursor, builtin, operands, found),
                None => operands.iter().for_each(|&operand| self.collect(tree, operand, found)),
            },
        }
    }

    /// The atomic built-in that an expression without a kind is.
    pub(super) fn atomic(&mut self, cursor: Cursor<'tu>) -> Option<SlotBuiltin> {
        let start = cursor.spelling_start()?;
        let contents = self.contents(start.file);
        atomic_builtin(contents.get(start.offset as usize..)?)
    }

    /// The result of a built-in that reads a slot.
    fn builtin_result(
        &mut self,
        tree: &CursorTree<'tu>,
        cursor: Cursor<'tu>,
        builtin: SlotBuiltin,
        arguments: &[CursorId],
        found: &mut Values,
    ) {
        use SlotBuiltin::*;
        if !matches!(builtin, Load | Exchange(_) | CompareAndSwap(_)) {
            return;
        }
        let Some(&pointer) = arguments.first() else { return };
        let values = self.values(tree, pointer);
        let class = self.class(cursor.ty());
        self.load(cursor, class, values, found);
    }

    /// The values that a call gives back.
    fn call_result(&mut self, tree: &CursorTree<'tu>, node: CursorId, operands: &[CursorId], found: &mut Values) {
        let cursor = tree.cursor(node);
        let Some((&callee, arguments)) = operands.split_first() else { return };
        let function = named_function(tree, callee);
        if let Some(function) = function
            && let Some(builtin) = library_builtin(&function.spelling())
        {
            return self.builtin_result(tree, cursor, builtin, arguments, found);
        }
        if let Some(function) = function
            && self.function_info(function).role == Role::Expect
        {
            return arguments.first().into_iter().for_each(|&value| self.collect(tree, value, found));
        }
        let class = self.class(cursor.ty());
        if !class.may_hold_functions() {
            return;
        }
        if let Some(function) = function {
            let symbol = self.function_info(function).symbol;
            let result = self.result_slot(symbol, Some(function));
            return self.push(cursor, Value::Slot(result), found);
        }
        let called = called_type(tree.cursor(callee).ty());
        for NamedValue { value, .. } in self.values(tree, callee) {
            let value = match value {
                Value::Function(function) => Value::Slot(self.result_slot(function, None)),
                Value::Slot(slot) => Value::Slot(self.pointed_result(slot, called)),
                Value::Address(_) | Value::Unknown => Value::Unknown,
            };
            self.push(cursor, value, found);
        }
    }

    /// The slots that an assignment to an expression stores into. Empty if these cannot be followed.
    pub(super) fn assigned_slots(&mut self, tree: &CursorTree<'tu>, left: CursorId) -> Vec<SlotId> {
        let mut addresses = Values::default();
        self.address(tree, left, &mut addresses);
        self.pointed_slots(addresses.list)
    }

    /// The slots at these addresses.
    pub(super) fn pointed_slots(&mut self, addresses: Vec<NamedValue>) -> Vec<SlotId> {
        let mut slots = Vec::new();
        for NamedValue { value, .. } in addresses {
            match value {
                Value::Address(slot) => slots.push(slot),
                Value::Slot(pointer) => slots.push(self.target_slot(pointer)),
                Value::Function(_) | Value::Unknown => {}
            }
        }
        slots
    }

    /// Whether an expression's own text begins with these bytes.
    pub(super) fn starts_with(&mut self, cursor: Cursor<'tu>, text: &[u8]) -> bool {
        let Some(start) = cursor.spelling_start() else { return false };
        let contents = self.contents(start.file);
        contents.get(start.offset as usize..).is_some_and(|rest| rest.starts_with(text))
    }
}

fn is_pointer(ty: Type<'_>) -> bool {
    matches!(ty.kind(), TypeKind::Pointer | TypeKind::Array)
}

/// The function that an expression names, through `&` and `*`, which mean nothing for functions.
pub(super) fn named_function<'tu>(tree: &CursorTree<'tu>, node: CursorId) -> Option<Cursor<'tu>> {
    let mut node = tree.strip(node);
    while tree.kind(node) == CursorKind::UnaryOperator {
        let operator = tree.cursor(node).unary_operator();
        if !matches!(operator, UnaryOperator::AddressOf | UnaryOperator::Dereference) {
            return None;
        }
        node = tree.strip(*tree.operands(node).first()?);
    }
    if tree.kind(node) != CursorKind::DeclRefExpr {
        return None;
    }
    tree.cursor(node).referenced().filter(|found| found.kind() == CursorKind::FunctionDecl)
}

/// The type of the function that an expression of this type calls.
pub(super) fn called_type(callee: Type<'_>) -> Type<'_> {
    let mut ty = callee;
    // The typedef of a pointer hides what it points to, while that of the function may have a mark.
    while let Some(typedef) = ty.typedef().filter(|_| ty.kind() == TypeKind::Pointer) {
        ty = typedef.underlying();
    }
    if ty.kind() == TypeKind::Pointer { ty.pointee() } else { ty }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atomic_builtins_are_told_by_their_whole_name() {
        assert_eq!(atomic_builtin(b"__atomic_load_n(&f, 0)"), Some(SlotBuiltin::Load));
        assert_eq!(atomic_builtin(b"__atomic_load(&f, &g, 0)"), Some(SlotBuiltin::LoadTo(2)));
        assert_eq!(atomic_builtin(b"__c11_atomic_init (&f, g)"), Some(SlotBuiltin::Store(1)));
        assert_eq!(atomic_builtin(b"__atomic_load_now(&f)"), None);
        assert_eq!(atomic_builtin(b"f ?: g"), None);
    }
}
