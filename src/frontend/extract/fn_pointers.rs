//! Function pointers: the slot that each function value is stored into, and copies from slot to
//! slot.

use crate::clang::{Cursor, CursorKind, Linkage, Type, TypeKind, UnaryOperator};
use cowrap_facts::{Location, Mark, PairedFlag, PointerCopy, Slot, Store, SymbolId};

use super::cursor_tree::{CursorId, CursorTree};
use super::{Extractor, PairedWith, SlotKind, UnitFile};

/// Where the value of an expression goes.
#[derive(Clone, Copy)]
pub enum Sink<'a, 'tu> {
    /// Nowhere that can hold a function pointer.
    None,
    /// A variable, parameter or field, by its declaration.
    Declaration(Cursor<'tu>),
    /// The left side of an assignment.
    Assignment { left: CursorId },
    /// An argument of a call.
    Argument { call: CursorId, position: u16 },
    /// The return value of the body.
    Return,
    /// The object of a compound literal.
    Literal(Type<'tu>),
    /// The element of an initialiser list at a position.
    Element { of: &'a Sink<'a, 'tu>, list: CursorId, position: usize },
}

impl<'tu> Extractor<'_, 'tu> {
    /// Records that a function's address is taken at `cursor` and goes to `sink`.
    pub(super) fn store(
        &mut self,
        tree: &CursorTree<'tu>,
        function: SymbolId,
        cursor: Cursor<'tu>,
        sink: Sink<'_, 'tu>,
    ) -> Option<Store> {
        let location = cursor.location()?;
        let location = self.location(location);
        let (slot, declaration) = self.resolve_sink(tree, sink);
        let marks = declaration.map(|declaration| self.slot_marks(declaration)).unwrap_or_default();
        let declared = declaration.map(|declaration| self.mark_places(declaration)).unwrap_or_default();
        let paired_flag = self.paired_flag(tree, &slot, sink);
        Some(Store { function, slot, location, marks, declared, paired_flag })
    }

    /// The value of the flag that the pack pairs with a slot, if it is a constant in the same
    /// initialiser or call.
    fn paired_flag(&mut self, tree: &CursorTree<'tu>, slot: &Slot, sink: Sink<'_, 'tu>) -> Option<PairedFlag> {
        let vocabulary = self.vocabulary;
        match (slot, sink) {
            (Slot::Field { record_name, field, .. }, Sink::Element { of, list, .. }) => {
                let paired = vocabulary.paired_fields.get(&(record_name.clone(), field.clone()))?;
                let elements = tree.operands(list);
                let flag = (0..elements.len()).find(|&position| match self.element(tree, of, list, position) {
                    Some(InitializerMember::Field(field)) => field.spelling() == paired.flag,
                    _ => false,
                });
                let set = match flag {
                    Some(position) => is_set(tree, *tree.operands(elements[position]).last()?, paired)?,
                    // A field that an initialiser does not name is 0.
                    None => false,
                };
                Some(PairedFlag { pair: paired.pair, set })
            }
            (&Slot::Argument { function, position }, Sink::Argument { call, .. }) => {
                let name = self.facts().symbols.get(function.0 as usize)?.name.clone();
                let paired = vocabulary.paired_parameters.get(&(name, position))?;
                let flag = *tree.operands(call).get(usize::from(paired.flag) + 1)?;
                Some(PairedFlag { pair: paired.pair, set: is_set(tree, flag, paired)? })
            }
            _ => None,
        }
    }

    /// The copy from a slot to a sink, if the expression can hold a function pointer or a table of
    /// them.
    pub(super) fn flow(&mut self, tree: &CursorTree<'tu>, node: CursorId, sink: Sink<'_, 'tu>) -> Option<Flow> {
        if matches!(sink, Sink::None | Sink::Literal(_)) {
            return None;
        }
        let depth = table_depth(tree.cursor(node).ty())?;
        let (mut from, _) = self.named_slot(tree, node);
        if from == Slot::Other {
            return None;
        }
        if depth == 0
            && let Sink::Argument { call, position } = sink
        {
            return Some(Flow::Argument { call, position, from });
        }
        let (mut to, _) = self.resolve_sink(tree, sink);
        if matches!(to, Slot::Other | Slot::SlotArgument { .. }) {
            return None;
        }
        // The elements of a table are one slot, wherever the table goes.
        for _ in 0..depth {
            (from, to) = (Slot::Element(Box::new(from)), Slot::Element(Box::new(to)));
        }
        Some(Flow::Copy(PointerCopy { from, to }))
    }

    /// The slot that an expression names: the callee of an indirect call, or the left side of an
    /// assignment.
    pub(super) fn named_slot(&mut self, tree: &CursorTree<'tu>, node: CursorId) -> (Slot, Option<Cursor<'tu>>) {
        let node = tree.strip(node);
        match tree.kind(node) {
            CursorKind::DeclRefExpr | CursorKind::MemberRefExpr => match tree.cursor(node).referenced() {
                Some(declaration) => (self.declared_slot(declaration), Some(declaration)),
                None => (Slot::Other, None),
            },
            CursorKind::ArraySubscriptExpr => match tree.operands(node).first() {
                Some(&array) => {
                    let (slot, declaration) = self.named_slot(tree, array);
                    (Slot::Element(Box::new(slot)), declaration)
                }
                None => (Slot::Other, None),
            },
            CursorKind::CallExpr => {
                let callee = tree.operands(node).first().and_then(|&callee| named_function(tree, callee));
                match callee {
                    Some(function) => {
                        let function = self.function_info(function).symbol;
                        (Slot::Result { function }, None)
                    }
                    None => (Slot::Other, None),
                }
            }
            // `(*pointer)(…)` calls the target of the pointer itself.
            CursorKind::UnaryOperator => match tree.operands(node).first() {
                Some(&operand) if holds_function_pointer(tree.cursor(operand).ty()) => self.named_slot(tree, operand),
                _ => (Slot::Other, None),
            },
            _ => (Slot::Other, None),
        }
    }

    /// The slot of a declaration.
    fn declared_slot(&mut self, declaration: Cursor<'tu>) -> Slot {
        self.note_name(declaration);
        match declaration.kind() {
            CursorKind::FieldDecl => {
                let field = declaration.spelling();
                let Some(record) = declaration.semantic_parent() else { return Slot::Other };
                self.note_name(record);
                let Some(location) = record.location() else { return Slot::Other };
                let record_name = if record.is_anonymous() { String::new() } else { record.spelling() };
                Slot::Field { record: self.location(location), record_name, field }
            }
            CursorKind::ParmDecl => match parameter_position(declaration) {
                Some(position) => Slot::Parameter { position },
                None => Slot::Other,
            },
            CursorKind::VarDecl => {
                let name = declaration.spelling();
                let in_function =
                    declaration.semantic_parent().is_some_and(|parent| parent.kind() == CursorKind::FunctionDecl);
                match declaration.location() {
                    Some(declared) if in_function => Slot::Local { name, declared: self.location(declared) },
                    Some(declared) if declaration.linkage() == Linkage::Internal => {
                        let file = self.file(declared.file);
                        let file = Some(self.file_id(file));
                        Slot::Global { name, file }
                    }
                    _ => Slot::Global { name, file: None },
                }
            }
            _ => Slot::Other,
        }
    }

    fn resolve_sink(&mut self, tree: &CursorTree<'tu>, sink: Sink<'_, 'tu>) -> (Slot, Option<Cursor<'tu>>) {
        match sink {
            Sink::None | Sink::Literal(_) => (Slot::Other, None),
            Sink::Return => (Slot::Return, None),
            Sink::Declaration(declaration) => (self.declared_slot(declaration), Some(declaration)),
            Sink::Assignment { left } => self.named_slot(tree, left),
            Sink::Argument { call, position } => {
                let callee = tree.operands(call).first().and_then(|&callee| named_function(tree, callee));
                match callee {
                    Some(function) => {
                        let parameter = function
                            .children()
                            .into_iter()
                            .filter(|child| child.kind() == CursorKind::ParmDecl)
                            .nth(usize::from(position));
                        let function = self.function_info(function).symbol;
                        (Slot::Argument { function, position }, parameter)
                    }
                    None => (Slot::SlotArgument { position }, None),
                }
            }
            Sink::Element { of, list, position } => match self.element(tree, of, list, position) {
                Some(InitializerMember::Field(field)) => (self.declared_slot(field), Some(field)),
                Some(InitializerMember::Element) => {
                    let (slot, declaration) = self.resolve_sink(tree, *of);
                    (Slot::Element(Box::new(slot)), declaration)
                }
                None => (Slot::Other, None),
            },
        }
    }

    /// What the element at `position` of an initialiser list initialises.
    fn element(
        &mut self,
        tree: &CursorTree<'tu>,
        of: &Sink<'_, 'tu>,
        list: CursorId,
        position: usize,
    ) -> Option<InitializerMember<'tu>> {
        let elements = tree.operands(list);
        let fields = match self.sink_type(tree, of) {
            Some(ty) if ty.kind() == TypeKind::Record => ty.fields(),
            Some(ty) if ty.kind() == TypeKind::Array => {
                let designated = elements.get(position).and_then(|&element| designated_field(tree, element));
                return Some(designated.map_or(InitializerMember::Element, InitializerMember::Field));
            }
            _ => Vec::new(),
        };
        let mut next = 0;
        for (number, &element) in elements.iter().enumerate() {
            let designated = designated_field(tree, element);
            if let Some(field) = designated {
                // A nested designator (`.a.b`) names a field of another record. The next element
                // continues behind the outer field.
                let outer = outer_designated_field(tree, element).unwrap_or(field);
                next = fields
                    .iter()
                    .position(|known| known.declaration_key() == outer.declaration_key())
                    .unwrap_or(fields.len());
            }
            if number == position {
                return designated.or_else(|| fields.get(next).copied()).map(InitializerMember::Field);
            }
            next += 1;
        }
        None
    }

    /// The type of the object that a sink initialises.
    fn sink_type(&mut self, tree: &CursorTree<'tu>, sink: &Sink<'_, 'tu>) -> Option<Type<'tu>> {
        match sink {
            Sink::Declaration(declaration) => Some(declaration.ty().canonical()),
            Sink::Literal(ty) => Some(ty.canonical()),
            Sink::Element { of, list, position } => match self.element(tree, of, *list, *position)? {
                InitializerMember::Field(field) => Some(field.ty().canonical()),
                InitializerMember::Element => Some(self.sink_type(tree, of)?.element().canonical()),
            },
            _ => None,
        }
    }

    /// The marks of a slot: its own, and those of the typedef that its type is declared through.
    pub(super) fn slot_marks(&mut self, declaration: Cursor<'tu>) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        if declaration.has_attributes() {
            marks.extend(self.marks_of(declaration));
        }
        let mut ty = declaration.ty();
        // In `CoroutineEntry *entry` and `Handler table[4]`, the typedef is below pointers and
        // arrays.
        for _ in 0..8 {
            if let Some(typedef) = ty.typedef() {
                if typedef.has_attributes() {
                    marks.extend(self.marks_of(typedef));
                }
                ty = typedef.underlying();
                continue;
            }
            ty = match ty.kind() {
                TypeKind::Pointer => ty.pointee(),
                TypeKind::Array => ty.element(),
                _ => break,
            };
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// Where a mark of a slot would be written: see [`Store::declared`].
    fn mark_places(&mut self, declaration: Cursor<'tu>) -> Vec<Location> {
        let mut ty = declaration.ty();
        for _ in 0..8 {
            if let Some(typedef) = ty.typedef() {
                return typedef.location().map(|location| self.location(location)).into_iter().collect();
            }
            ty = match ty.kind() {
                TypeKind::Pointer => ty.pointee(),
                TypeKind::Array => ty.element(),
                _ => break,
            };
        }
        let mut declarations = vec![declaration];
        // Each declaration of a function declares its parameters, and libclang shows those of the
        // first one and of the definition. The facts of a header must not depend on a definition
        // elsewhere.
        if let (Some(function), Some(position)) = (declaration.semantic_parent(), parameter_position(declaration)) {
            let here = self.pieces[self.current].files.first().copied();
            let is_seen = |extractor: &mut Self, definition: &Cursor<'tu>| {
                here == Some(UnitFile(0))
                    || definition.location().is_some_and(|location| Some(extractor.file(location.file)) == here)
            };
            let definition = function.definition().filter(|definition| is_seen(self, definition));
            let others = [function.first_declaration(), definition].into_iter().flatten();
            let parameter = |function: Cursor<'tu>| {
                let mut parameters =
                    function.children().into_iter().filter(|child| child.kind() == CursorKind::ParmDecl);
                parameters.nth(usize::from(position))
            };
            declarations.extend(others.filter_map(parameter));
        }
        let mut locations: Vec<Location> = declarations
            .iter()
            .filter_map(|declaration| declaration.location())
            .map(|location| self.location(location))
            .collect();
        locations.sort_unstable();
        locations.dedup();
        locations
    }

    /// Reads the initialiser of a variable at file scope.
    pub(super) fn file_scope_initialiser(&mut self, variable: Cursor<'tu>) {
        if variable.initializer().is_none() {
            return;
        }
        let (stores, copies) = super::body::Lowering::at_file_scope(self, variable).initialiser();
        self.facts().stores.extend(stores);
        self.facts().copies.extend(copies);
    }

    /// A variable or parameter, for its own marks.
    pub(super) fn slot_with_marks(&mut self, declaration: Cursor<'tu>, kind: SlotKind) {
        if declaration.has_attributes() {
            self.slot(declaration, kind);
        }
    }
}

/// The value of a slot, on its way to a sink.
pub(super) enum Flow {
    /// To another slot.
    Copy(PointerCopy),
    /// To an argument of a call.
    Argument { call: CursorId, position: u16, from: Slot },
}

/// Whether a flag has the bit of its pair; `None` if it is not a constant.
fn is_set<At>(tree: &CursorTree<'_>, value: CursorId, paired: &PairedWith<At>) -> Option<bool> {
    let number = tree.cursor(value).evaluate_integer()?;
    let Some(constant) = &paired.constant else { return Some(number != 0) };
    let mut open = vec![value];
    while let Some(node) = open.pop() {
        let named = tree.cursor(node).referenced().filter(|_| tree.kind(node) == CursorKind::DeclRefExpr);
        if named.is_some_and(|named| named.spelling() == *constant) {
            return Some(true);
        }
        open.extend(tree.children(node));
    }
    // A number that is no constant of an enumeration may have the bit too.
    (number == 0 || names_constant(tree, value)).then_some(false)
}

/// Whether an expression names a constant of an enumeration.
fn names_constant(tree: &CursorTree<'_>, node: CursorId) -> bool {
    let is_constant = |named: Cursor<'_>| named.kind() == CursorKind::EnumConstantDecl;
    tree.cursor(node).referenced().is_some_and(is_constant)
        || tree.children(node).iter().any(|&child| names_constant(tree, child))
}

/// What an initialiser's element initialises.
enum InitializerMember<'tu> {
    Field(Cursor<'tu>),
    Element,
}

/// The innermost field that a designated initialiser names.
fn designated_field<'tu>(tree: &CursorTree<'tu>, element: CursorId) -> Option<Cursor<'tu>> {
    if !tree.is_designated(element) {
        return None;
    }
    let last = tree.children(element).iter().rev().find(|&&child| tree.kind(child) == CursorKind::MemberRef)?;
    tree.cursor(*last).referenced()
}

/// The outermost field that a designated initialiser names.
fn outer_designated_field<'tu>(tree: &CursorTree<'tu>, element: CursorId) -> Option<Cursor<'tu>> {
    let first = tree.children(element).iter().find(|&&child| tree.kind(child) == CursorKind::MemberRef)?;
    tree.cursor(*first).referenced()
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

/// How many times a type must be indexed to get a function pointer; `None` if it holds none.
fn table_depth(ty: Type<'_>) -> Option<u8> {
    let mut ty = ty.canonical();
    for depth in 0..4 {
        if holds_function_pointer(ty) {
            return Some(depth);
        }
        ty = match ty.kind() {
            TypeKind::Pointer => ty.pointee().canonical(),
            TypeKind::Array | TypeKind::VariableArray => ty.element().canonical(),
            _ => return None,
        };
    }
    None
}

fn holds_function_pointer(ty: Type<'_>) -> bool {
    let ty = ty.canonical();
    ty.kind() == TypeKind::Pointer && ty.pointee().kind() == TypeKind::Function
}

/// A parameter's position in its function.
fn parameter_position(parameter: Cursor<'_>) -> Option<u16> {
    let function = parameter.semantic_parent().filter(|parent| parent.kind() == CursorKind::FunctionDecl)?;
    let position = function
        .children()
        .into_iter()
        .filter(|child| child.kind() == CursorKind::ParmDecl)
        .position(|child| child.declaration_key() == parameter.declaration_key())?;
    u16::try_from(position).ok()
}
