//! Function-pointer slots: what can hold a function or the address of something that can.

use std::rc::Rc;

use crate::clang::{Cursor, CursorKind, Linkage, Type, TypeKind};
use cowrap_facts::{Location, Mark, PairedFlags, Slot, SlotId, SlotIdentity, SlotModelId, Store, SymbolId, Value};

use super::{Extractor, UnitFile};

/// What values of a type mean for function pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeClass {
    /// Neither a function pointer nor something that could be converted to one.
    Plain,
    /// A number, which could have been a pointer.
    Number,
    /// `void *`: a pointer to anything.
    AnyPointer,
    /// A function.
    Function,
    /// A pointer to a function.
    FunctionPointer,
    /// A pointer to something that holds function pointers: to a pointer, or to an array of them.
    SlotPointer,
    /// An array of pointers of one of the last two kinds.
    Table,
    /// A structure or a union.
    Record,
    /// An array of anything else.
    Array,
}

impl TypeClass {
    /// Whether values of the type can lead to functions, as the type says.
    pub(super) fn leads_to_functions(self) -> bool {
        matches!(self, TypeClass::Function | TypeClass::FunctionPointer | TypeClass::SlotPointer | TypeClass::Table)
    }

    /// The same, or the type can hide such a value.
    pub(super) fn may_hold_functions(self) -> bool {
        self.leads_to_functions() || self == TypeClass::AnyPointer
    }
}

impl<'tu> Extractor<'_, 'tu> {
    /// What values of a type mean for function pointers.
    pub(super) fn class(&mut self, ty: Type<'tu>) -> TypeClass {
        let key = ty.key();
        if let Some(class) = self.type_classes.get(&key) {
            return *class;
        }
        let class = classify(ty);
        self.type_classes.insert(key, class);
        class
    }

    /// The slot that a variable, parameter or field is. `None` if the declaration has no name that tells it from
    /// others.
    pub(super) fn declared_slot(&mut self, declaration: Cursor<'tu>) -> Option<SlotId> {
        let key = declaration.declaration_key();
        if let Some(known) = self.pieces[self.current].declared_slots.get(&key) {
            return *known;
        }
        let slot = self.identity(declaration).map(|(identity, is_foreign)| {
            let marks = self.slot_marks(declaration);
            let models = self.slot_models(declaration);
            let declared = self.mark_places(declaration);
            // libclang shows a parameter's type as it is written, before an array becomes a pointer.
            let is_variable = declaration.kind() != CursorKind::ParmDecl;
            let class = self.class(declaration.ty());
            let is_array = is_variable && class == TypeClass::Table;
            let slot = self.slot_id(Slot { identity, is_array, is_foreign, models, marks, declared });
            self.note_class(slot, class);
            slot
        });
        self.piece().declared_slots.insert(key, slot);
        if slot.is_some() {
            self.join_union(declaration);
        }
        slot
    }

    /// The members of a union are one place in memory: what one of them holds, the others of its type hold.
    fn join_union(&mut self, member: Cursor<'tu>) {
        let union = member.semantic_parent().filter(|parent| parent.kind() == CursorKind::UnionDecl);
        let Some(union) = union.filter(|_| self.class(member.ty()) == TypeClass::FunctionPointer) else { return };
        for other in union.ty().fields() {
            if other.declaration_key() != member.declaration_key() && other.ty().is_same(member.ty()) {
                // Each pair is joined once: by the one that comes second.
                match self.pieces[self.current].declared_slots.contains_key(&other.declaration_key()) {
                    true => self.join(member, other),
                    false => drop(self.declared_slot(other)),
                }
            }
        }
    }

    /// Makes two slots hold the same. Slots with marks stay apart: a mark says which of them is meant.
    pub(super) fn join(&mut self, one: Cursor<'tu>, other: Cursor<'tu>) {
        let (Some(location), Some(first), Some(second)) =
            (one.location(), self.declared_slot(one), self.declared_slot(other))
        else {
            return;
        };
        let location = self.location(location);
        let facts = self.facts();
        if [first, second].into_iter().any(|slot| !facts.slots[slot.0 as usize].marks.is_empty()) {
            return;
        }
        for (to, from) in [(first, second), (second, first)] {
            facts.stores.push(Store {
                to: Some(to),
                value: Value::Slot(from),
                location,
                paired_flags: PairedFlags::NONE,
            });
        }
    }

    /// The number of a slot in the current file's facts.
    pub(super) fn slot_id(&mut self, mut slot: Slot) -> SlotId {
        let piece = &mut self.pieces[self.current];
        if let (SlotIdentity::Parameter { function, position }, false) =
            (&slot.identity, self.vocabulary.slot_parameters.is_empty())
        {
            let name = &piece.facts.symbols[function.0 as usize].name;
            let models = self.vocabulary.slot_parameters.get(&(name.clone(), *position));
            merge(&mut slot.models, models.cloned().unwrap_or_default());
        }
        if let Some(&id) = piece.slots.get(&slot.identity) {
            let known = &mut piece.facts.slots[id.0 as usize];
            known.is_array |= slot.is_array;
            known.is_foreign |= slot.is_foreign;
            merge(&mut known.models, slot.models);
            merge(&mut known.marks, slot.marks);
            merge(&mut known.declared, slot.declared);
            return id;
        }
        let id = SlotId(piece.facts.slots.len() as u32);
        piece.slots.insert(slot.identity.clone(), id);
        piece.facts.slots.push(slot);
        id
    }

    fn note_class(&mut self, slot: SlotId, class: TypeClass) {
        if class == TypeClass::AnyPointer {
            self.piece().any_pointers.insert(slot);
        }
    }

    /// What a slot points to.
    pub(super) fn target_slot(&mut self, of: SlotId) -> SlotId {
        let pointer = &self.pieces[self.current].facts.slots[of.0 as usize];
        // The mark of `HandlerEntry **entry` is below both pointers.
        let Slot { models, marks, declared, .. } = pointer.clone();
        let identity = SlotIdentity::Target(of);
        self.slot_id(Slot { identity, is_array: false, is_foreign: false, models, marks, declared })
    }

    /// The result of a function, by any of its declarations.
    pub(super) fn result_slot(&mut self, function: SymbolId, declaration: Option<Cursor<'tu>>) -> SlotId {
        let result = declaration.map(|declaration| declaration.ty().result());
        let marks = result.map(|ty| self.type_marks(ty)).unwrap_or_default();
        let models = result.map(|ty| self.type_models(ty)).unwrap_or_default();
        let declared = match result.and_then(first_typedef) {
            Some(typedef) => self.locations(&[typedef]),
            None => Vec::new(),
        };
        let identity = SlotIdentity::Result { function };
        let slot = self.slot_id(Slot { identity, is_array: false, is_foreign: false, models, marks, declared });
        if let Some(result) = result {
            let class = self.class(result);
            self.note_class(slot, class);
        }
        slot
    }

    /// The result of whatever a slot points to. `function` is the type that is called.
    pub(super) fn pointed_result(&mut self, slot: SlotId, function: Type<'tu>) -> SlotId {
        let identity = SlotIdentity::PointedResult { slot };
        let result = self.slot_of_type(identity, function.result(), false);
        let class = self.class(function.result());
        self.note_class(result, class);
        result
    }

    /// A parameter of whatever a slot points to. `function` is the type that is called.
    pub(super) fn pointed_parameter(&mut self, slot: SlotId, position: u16, function: Type<'tu>) -> SlotId {
        let identity = SlotIdentity::PointedParameter { slot, position };
        self.slot_of_type(identity, function.parameter(position), false)
    }

    /// The number of a slot of which only the type is known.
    fn slot_of_type(&mut self, identity: SlotIdentity, ty: Type<'tu>, is_array: bool) -> SlotId {
        let (models, marks, declared) = (self.type_models(ty), self.type_marks(ty), Vec::new());
        self.slot_id(Slot { identity, is_array, is_foreign: false, models, marks, declared })
    }

    /// A parameter of a function that is called. `declaration` is the declaration that the call sees.
    pub(super) fn parameter_slot(
        &mut self,
        function: SymbolId,
        position: u16,
        declaration: Option<Cursor<'tu>>,
    ) -> SlotId {
        let key = declaration.map(|declaration| (declaration.declaration_key(), position));
        if let Some(known) = key.and_then(|key| self.pieces[self.current].parameter_slots.get(&key)) {
            return *known;
        }
        let parameter = declaration.and_then(|function| self.parameter_at(function, position));
        let slot = match parameter.and_then(|parameter| self.declared_slot(parameter)) {
            Some(slot) => slot,
            None => {
                let identity = SlotIdentity::Parameter { function, position };
                let (marks, declared) = (Vec::new(), Vec::new());
                self.slot_id(Slot { identity, is_array: false, is_foreign: false, models: Vec::new(), marks, declared })
            }
        };
        if let Some(key) = key {
            self.piece().parameter_slots.insert(key, slot);
        }
        slot
    }

    /// The parameters of a function's declaration.
    fn parameters(&mut self, function: Cursor<'tu>) -> Rc<[Cursor<'tu>]> {
        let key = function.declaration_key();
        if let Some(known) = self.parameters.get(&key) {
            return Rc::clone(known);
        }
        let children = function.children().into_iter();
        let parameters: Rc<[Cursor<'tu>]> = children.filter(|child| child.kind() == CursorKind::ParmDecl).collect();
        for (position, parameter) in (0..=u16::MAX).zip(&*parameters) {
            self.parameter_positions.insert((key, parameter.declaration_key()), position);
        }
        self.parameters.insert(key, Rc::clone(&parameters));
        parameters
    }

    /// The parameter at a position of a function's declaration.
    fn parameter_at(&mut self, function: Cursor<'tu>, position: u16) -> Option<Cursor<'tu>> {
        self.parameters(function).get(usize::from(position)).copied()
    }

    /// A parameter's position in its function.
    fn parameter_position(&mut self, function: Cursor<'tu>, parameter: Cursor<'tu>) -> Option<u16> {
        if function.kind() != CursorKind::FunctionDecl {
            return None;
        }
        self.parameters(function);
        self.parameter_positions.get(&(function.declaration_key(), parameter.declaration_key())).copied()
    }

    /// The object of a compound literal.
    pub(super) fn literal_slot(&mut self, literal: Cursor<'tu>) -> Option<SlotId> {
        let declared = literal.location()?;
        let declared = self.location(declared);
        let identity = SlotIdentity::Local { name: "compound literal".to_owned(), declared };
        let is_array = self.class(literal.ty()) == TypeClass::Table;
        Some(self.slot_of_type(identity, literal.ty(), is_array))
    }

    /// What tells a declared slot from others, and whether code outside the tree may store into it.
    fn identity(&mut self, declaration: Cursor<'tu>) -> Option<(SlotIdentity, bool)> {
        self.note_name(declaration);
        match declaration.kind() {
            CursorKind::FieldDecl => {
                let field = declaration.spelling();
                let record = declaration.semantic_parent()?;
                self.note_name(record);
                let location = record.location()?;
                let record_name = if record.is_anonymous() { String::new() } else { record.spelling() };
                let is_foreign = self.is_foreign(location);
                Some((SlotIdentity::Field { record: self.location(location), record_name, field }, is_foreign))
            }
            CursorKind::ParmDecl => {
                if let Some(&(function, position)) = self.block_parameters.get(&declaration.declaration_key()) {
                    return Some((SlotIdentity::Parameter { function, position }, false));
                }
                let function = declaration.semantic_parent()?;
                let position = self.parameter_position(function, declaration)?;
                let function = self.function_info(function).symbol;
                Some((SlotIdentity::Parameter { function, position }, false))
            }
            CursorKind::VarDecl => {
                let name = declaration.spelling();
                let parent = declaration.semantic_parent();
                let in_function = parent.is_some_and(|parent| parent.kind() != CursorKind::TranslationUnit);
                let location = declaration.location();
                match location {
                    // A local declaration of a variable at file scope is not one of its own.
                    Some(declared) if in_function && declaration.linkage() == Linkage::None => {
                        Some((SlotIdentity::Local { name, declared: self.location(declared) }, false))
                    }
                    Some(declared) if declaration.linkage() == Linkage::Internal => {
                        let file = self.file(declared.file);
                        let file = Some(self.file_id(file));
                        Some((SlotIdentity::Global { name, file }, false))
                    }
                    _ => {
                        let is_foreign = location.is_some_and(|location| self.is_foreign(location));
                        Some((SlotIdentity::Global { name, file: None }, is_foreign))
                    }
                }
            }
            _ => None,
        }
    }

    /// Whether something is declared outside the tree.
    fn is_foreign(&mut self, location: crate::clang::Location<'tu>) -> bool {
        let file = self.file(location.file);
        !self.known(file).own
    }

    /// The marks of a slot: its own, and those of the typedef that its type is declared through.
    fn slot_marks(&mut self, declaration: Cursor<'tu>) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        if declaration.has_attributes() {
            marks.extend(self.marks_of(declaration));
        }
        marks.extend(self.type_marks(declaration.ty()));
        if declaration.kind() == CursorKind::VarDecl
            && is_deduced(declaration.ty())
            && let Some(named) = deduced_from(declaration)
        {
            marks.extend(self.slot_marks(named));
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// The marks of the typedefs that a type is written through: in `HandlerEntry *entry` and `Handler table[4]`, the
    /// typedef is below pointers and arrays.
    fn type_marks(&mut self, ty: Type<'tu>) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        for typedef in typedefs(ty).into_iter().filter(|typedef| typedef.has_attributes()) {
            marks.extend(self.marks_of(typedef));
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// What the packs say of a declared slot: by its name, or by a typedef that its type is written through. Parameters
    /// have their models by their identity.
    fn slot_models(&mut self, declaration: Cursor<'tu>) -> Vec<SlotModelId> {
        let vocabulary = self.vocabulary;
        let mut models = self.type_models(declaration.ty());
        if declaration.kind() == CursorKind::FieldDecl
            && !vocabulary.slot_fields.is_empty()
            && let Some(record) = declaration.semantic_parent().and_then(record_name)
        {
            let known = vocabulary.slot_fields.get(&(record, declaration.spelling()));
            merge(&mut models, known.cloned().unwrap_or_default());
        }
        if declaration.kind() == CursorKind::VarDecl
            && is_deduced(declaration.ty())
            && let Some(named) = deduced_from(declaration)
        {
            merge(&mut models, self.type_models(named.ty()));
        }
        models
    }

    /// What the packs say of everything that is declared with the typedefs that a type is written through.
    fn type_models(&mut self, ty: Type<'tu>) -> Vec<SlotModelId> {
        let known = &self.vocabulary.slot_typedefs;
        let mut models = Vec::new();
        if !known.is_empty() {
            for typedef in typedefs(ty) {
                merge(&mut models, known.get(&typedef.spelling()).cloned().unwrap_or_default());
            }
        }
        models
    }

    /// Where a mark of a slot would be written: see [`Slot::declared`].
    fn mark_places(&mut self, declaration: Cursor<'tu>) -> Vec<Location> {
        if let Some(typedef) = first_typedef(declaration.ty()) {
            return self.locations(&[typedef]);
        }
        let mut declarations = vec![declaration];
        // Each declaration of a function declares its parameters, and libclang shows those of the
        // first one and of the definition. The facts of a header must not depend on a definition
        // elsewhere.
        let function = declaration.semantic_parent().filter(|parent| parent.kind() == CursorKind::FunctionDecl);
        let position = function.and_then(|function| self.parameter_position(function, declaration));
        if let (Some(function), Some(position)) = (function, position) {
            let here = self.pieces[self.current].files.first().copied();
            let is_seen = |extractor: &mut Self, definition: &Cursor<'tu>| {
                here == Some(UnitFile(0))
                    || definition.location().is_some_and(|location| Some(extractor.file(location.file)) == here)
            };
            let definition = self.definition(function).filter(|definition| is_seen(self, definition));
            let others = [function.first_declaration(), definition].into_iter().flatten();
            declarations.extend(others.filter_map(|function| self.parameter_at(function, position)));
        }
        self.locations(&declarations)
    }

    /// The locations of declarations, sorted.
    fn locations(&mut self, declarations: &[Cursor<'tu>]) -> Vec<Location> {
        let raw = declarations.iter().filter_map(|declaration| declaration.location());
        let mut locations: Vec<Location> = raw.map(|location| self.location(location)).collect();
        locations.sort_unstable();
        locations.dedup();
        locations
    }
}

/// Pointers and arrays are followed this deep. No program nests deeper.
const MAX_NESTING: usize = 8;

/// Adds items to a sorted list.
fn merge<T: Ord>(known: &mut Vec<T>, other: Vec<T>) {
    for item in other {
        if let Err(at) = known.binary_search(&item) {
            known.insert(at, item);
        }
    }
}

/// The typedefs that a type is written through, from the outermost one on: also below pointers and arrays.
fn typedefs(ty: Type<'_>) -> Vec<Cursor<'_>> {
    let mut found = Vec::new();
    let mut ty = ty;
    for _ in 0..MAX_NESTING {
        if let Some(typedef) = ty.typedef() {
            found.push(typedef);
            ty = typedef.underlying();
            continue;
        }
        match below(ty) {
            Some(inner) => ty = inner,
            None => break,
        }
    }
    found
}

/// The name of a record, or of the nearest one around it that has a name.
pub(super) fn record_name(record: Cursor<'_>) -> Option<String> {
    let mut record = record;
    while matches!(record.kind(), CursorKind::StructDecl | CursorKind::UnionDecl) {
        if !record.is_anonymous() {
            return Some(record.spelling());
        }
        // In C, a record that is declared in another one belongs to what is around both.
        record = record.lexical_parent()?;
    }
    None
}

/// What a pointer points to, or what an array or an atomic type is made of.
fn below(ty: Type<'_>) -> Option<Type<'_>> {
    match ty.kind() {
        TypeKind::Pointer => Some(ty.pointee()),
        TypeKind::Array | TypeKind::VariableArray => Some(ty.element()),
        TypeKind::Atomic => Some(ty.atomic_value()),
        _ => None,
    }
}

/// Whether a type, or what it points to or is made of, is that of an expression.
fn is_deduced(ty: Type<'_>) -> bool {
    let mut ty = ty;
    for _ in 0..MAX_NESTING {
        if ty.is_deduced() {
            return true;
        }
        match below(ty) {
            Some(inner) if ty.typedef().is_none() => ty = inner,
            _ => return false,
        }
    }
    false
}

/// The variable, parameter or field whose type a variable takes over by `__typeof__(…)` or `__auto_type`.
fn deduced_from<'tu>(variable: Cursor<'tu>) -> Option<Cursor<'tu>> {
    let initializer = variable.initializer();
    let is_initializer = |child: &Cursor<'tu>| initializer.is_some_and(|initializer| initializer.is_same_node(*child));
    let children: Vec<Cursor<'tu>> = variable.children().into_iter().filter(|child| child.is_expression()).collect();
    let written = children.iter().find(|child| !is_initializer(child));
    let mut at = written.copied().or(initializer)?;
    for _ in 0..MAX_NESTING {
        match at.kind() {
            CursorKind::DeclRefExpr | CursorKind::MemberRefExpr => {
                let can_have_marks = |named: &Cursor<'tu>| {
                    use CursorKind::*;
                    matches!(named.kind(), VarDecl | ParmDecl | FieldDecl | FunctionDecl)
                };
                return at.referenced().filter(|named| can_have_marks(named) && *named != variable);
            }
            // The value of a statement expression is that of its last statement.
            CursorKind::StmtExpr => at = *at.children().first()?.children().last()?,
            CursorKind::ParenExpr | CursorKind::UnexposedExpr | CursorKind::UnaryOperator => {
                at = *at.children().first()?;
            }
            _ => return None,
        }
    }
    None
}

/// The first typedef that a type is written through, below pointers and arrays.
fn first_typedef(ty: Type<'_>) -> Option<Cursor<'_>> {
    let mut ty = ty;
    for _ in 0..MAX_NESTING {
        if let Some(typedef) = ty.typedef() {
            return Some(typedef);
        }
        ty = below(ty)?;
    }
    None
}

fn classify(ty: Type<'_>) -> TypeClass {
    let mut ty = ty.canonical();
    let (mut pointers, mut arrays) = (0, 0);
    for _ in 0..MAX_NESTING {
        match ty.kind() {
            TypeKind::Atomic => ty = ty.atomic_value().canonical(),
            TypeKind::Array | TypeKind::VariableArray => {
                arrays += usize::from(pointers == 0);
                ty = ty.element().canonical();
            }
            TypeKind::Pointer => {
                pointers += 1;
                ty = ty.pointee().canonical();
            }
            TypeKind::Function => {
                return match (arrays, pointers) {
                    (0, 0) => TypeClass::Function,
                    (0, 1) => TypeClass::FunctionPointer,
                    (0, _) => TypeClass::SlotPointer,
                    _ => TypeClass::Table,
                };
            }
            _ if arrays > 0 => return TypeClass::Array,
            TypeKind::Record if pointers == 0 => return TypeClass::Record,
            TypeKind::Void if pointers == 1 => return TypeClass::AnyPointer,
            TypeKind::Integer if pointers == 0 => return TypeClass::Number,
            _ => return TypeClass::Plain,
        }
    }
    TypeClass::Plain
}
