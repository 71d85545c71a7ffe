//! Initialisers: which member or element each value of a braced list initialises, by C's rules (C11, 6.7.9).
//!
//! Designators may nest and mix, and braces of members may be left out, so that a list continues in a nested record or
//! array and comes back. The walk takes a step for each value and for each object that it enters or leaves, which is
//! linear in the list.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::clang::{Cursor, CursorKind, Type, TypeKind, Visit};
use cowrap_facts::{PairedFlag, PairedFlags, SlotId, Store};

use super::body::constant_type;
use super::cursor_tree::{CursorId, CursorTree};
use super::slots::{TypeClass, record_name};
use super::values::named_function;
use super::{Extractor, PairedWith};

/// The members of a record that an initialiser can initialise: all but unnamed bit-fields.
#[derive(Debug)]
pub(super) struct RecordLayout<'tu> {
    /// Its name, or that of the nearest record around it that has one.
    name: String,
    /// Whether it has a name itself.
    is_named: bool,
    /// Whether the packs pair fields of the record of this name with flags.
    is_paired: bool,
    is_union: bool,
    members: Vec<Cursor<'tu>>,
    /// The position of each member, by `Cursor::declaration_key`; for the members of an anonymous member, its position.
    positions: HashMap<usize, usize>,
}

/// A record, by `Type::key`.
type RecordKey = (usize, i32);

/// An object that a list is initialising.
struct Frame<'tu> {
    ty: Type<'tu>,
    object: Object<'tu>,
    /// The member or element that the next value without a designator initialises.
    next: u64,
    /// The members and elements that the list has left, and to which designators may return: `.a.x = 1, .a.y = 2`.
    /// Only kept where the packs pair fields with flags.
    parked: BTreeMap<u64, Frame<'tu>>,
}

enum Object<'tu> {
    Record(Rc<RecordLayout<'tu>>, RecordStores),
    Array {
        element: Type<'tu>,
        /// The number of elements; `None` if the list decides.
        count: Option<u64>,
        /// The slot of a table of function pointers.
        slot: Option<SlotId>,
    },
    Scalar {
        slot: Option<SlotId>,
    },
}

/// What a record's initialiser has stored, for the flags that the packs pair with slots.
#[derive(Default)]
struct RecordStores {
    /// The member that was initialised last.
    member: Option<String>,
    /// The positions of stores in the walk's result, with the name of the member.
    stores: Vec<(usize, String)>,
    /// The value of each member that is paired with another.
    flags: HashMap<String, CursorId>,
}

/// Walks over a braced list.
struct ListWalker<'e, 'a, 'tu> {
    extractor: &'e mut Extractor<'a, 'tu>,
    tree: &'e CursorTree<'tu>,
    stores: Vec<Store>,
}

impl<'tu> Extractor<'_, 'tu> {
    /// The stores of a braced list that initialises an object of a type. `slot` is the object, if it is a slot itself.
    pub(super) fn initialiser_stores(
        &mut self,
        tree: &CursorTree<'tu>,
        list: CursorId,
        ty: Type<'tu>,
        slot: Option<SlotId>,
    ) -> Vec<Store> {
        if !self.holds_slots(ty) {
            return Vec::new();
        }
        let mut walk = ListWalker { extractor: self, tree, stores: Vec::new() };
        walk.list(list, ty, slot, None);
        walk.stores
    }

    /// Whether an object of this type holds slots, at any depth.
    fn holds_slots(&mut self, ty: Type<'tu>) -> bool {
        let mut found = false;
        // The records around the type that is looked at, and the types of their members that are left.
        let mut around: Vec<(RecordKey, Vec<Type<'tu>>)> = Vec::new();
        let mut next = Some(ty);
        loop {
            if let Some(ty) = next.take() {
                match self.class(ty) {
                    TypeClass::Record => {
                        let key = ty.canonical().key();
                        match self.records_with_slots.get(&key) {
                            Some(known) => found |= *known,
                            None => {
                                let members: Vec<Type<'tu>> = ty.fields().iter().map(|member| member.ty()).collect();
                                if members.is_empty() {
                                    self.note_undefined(ty);
                                }
                                around.push((key, members));
                            }
                        }
                    }
                    TypeClass::Array => next = Some(ty.canonical().element()),
                    // A function can be stored in a `void *`.
                    class => found |= class.may_hold_functions(),
                }
                if next.is_some() {
                    continue;
                }
            }
            // What holds something is known for all records around it.
            if found {
                self.records_with_slots.extend(around.into_iter().map(|(key, _)| (key, true)));
                return true;
            }
            let Some((key, members)) = around.last_mut() else { return false };
            next = members.pop();
            if next.is_none() {
                self.records_with_slots.insert(*key, false);
                around.pop();
            }
        }
    }

    /// Notes a record that has no members, if that is because it is not defined.
    fn note_undefined(&mut self, ty: Type<'tu>) {
        let declaration = ty.canonical().declaration();
        if let Some(record) = declaration.filter(|record| record.definition().is_none()) {
            self.open.records.insert(record.spelling());
        }
    }

    /// Joins what two pointers to records point to.
    pub(super) fn join_pointed_records(&mut self, one: Type<'tu>, other: Type<'tu>) {
        if one.kind() == TypeKind::Pointer && other.kind() == TypeKind::Pointer {
            self.join_records(one.canonical().pointee(), other.canonical().pointee());
        }
    }

    /// Joins the slots of two records where a pointer to one becomes a pointer to the other, or one is copied over the
    /// other: the function pointers among the members of the same types with which both begin. A record that begins
    /// with the other as a member has these slots from it.
    pub(super) fn join_records(&mut self, one: Type<'tu>, other: Type<'tu>) {
        if one.kind() != TypeKind::Record || other.kind() != TypeKind::Record || one.is_same(other) {
            return;
        }
        let mut key = [one, other].map(|ty| ty.canonical().key());
        key.sort_unstable();
        if !self.piece().joined_records.insert(key) || !self.holds_slots(one) || !self.holds_slots(other) {
            return;
        }
        let (one, other) = (self.layout(one), self.layout(other));
        let pairs = one.members.iter().zip(&other.members);
        for (first, second) in pairs.take_while(|(first, second)| first.ty().is_same(second.ty())) {
            if self.class(first.ty()) == TypeClass::FunctionPointer {
                self.join(*first, *second);
            }
        }
    }

    fn layout(&mut self, ty: Type<'tu>) -> Rc<RecordLayout<'tu>> {
        let key = ty.canonical().key();
        if let Some(known) = self.layouts.get(&key) {
            return Rc::clone(known);
        }
        let declaration = ty.canonical().declaration();
        let is_union = declaration.is_some_and(|record| record.kind() == CursorKind::UnionDecl);
        let is_named = declaration.is_some_and(|record| !record.is_anonymous());
        let name = declaration.and_then(record_name).unwrap_or_default();
        let members: Vec<Cursor<'tu>> =
            ty.fields().into_iter().filter(|member| !is_unnamed_bit_field(*member)).collect();
        let mut positions = HashMap::default();
        for (position, member) in members.iter().enumerate() {
            positions.insert(member.declaration_key(), position);
            let mut open = vec![*member];
            while let Some(member) = open.pop() {
                let inner = if is_anonymous_member(member) { member.ty().fields() } else { Vec::new() };
                for inner in inner {
                    positions.entry(inner.declaration_key()).or_insert(position);
                    open.push(inner);
                }
            }
        }
        let is_paired = self.vocabulary.paired_fields.keys().any(|(record, _)| *record == name);
        let layout = Rc::new(RecordLayout { name, is_named, is_paired, is_union, members, positions });
        self.layouts.insert(key, Rc::clone(&layout));
        layout
    }
}

impl<'tu> ListWalker<'_, '_, 'tu> {
    /// Walks a braced list that initialises an object of a type, which is part of another one.
    fn list(&mut self, list: CursorId, ty: Type<'tu>, slot: Option<SlotId>, around: Option<&mut Frame<'tu>>) {
        let mut frames = vec![self.frame(ty, slot)];
        for element in self.tree.operands(list) {
            let (designators, value) = self.designation(element);
            let object = match designators.is_empty() {
                true => self.next_object(&mut frames),
                false => self.designated(&mut frames, &designators),
            };
            if let Some(object) = object {
                self.initialise(&mut frames, object, value);
            }
        }
        self.close(&mut frames, 1);
        if let Some(frame) = frames.pop() {
            self.park(frame, around);
        }
    }

    /// Leaves objects until so many are open.
    fn close(&mut self, frames: &mut Vec<Frame<'tu>>, open: usize) {
        while frames.len() > open
            && let Some(done) = frames.pop()
        {
            self.park(done, frames.last_mut());
        }
    }

    /// Leaves an object for now: a designator may return to it, and a flag may be there.
    fn park(&mut self, frame: Frame<'tu>, around: Option<&mut Frame<'tu>>) {
        let Some(around) = around.filter(|_| !self.extractor.vocabulary.paired_fields.is_empty()) else {
            return self.leave(frame, None);
        };
        if let Some(earlier) = around.parked.insert(around.next.saturating_sub(1), frame) {
            self.leave(earlier, Some(around));
        }
    }

    /// Enters the object that was stepped to last, perhaps again.
    fn enter(&mut self, frames: &mut Vec<Frame<'tu>>, ty: Type<'tu>, slot: Option<SlotId>) {
        let around = frames.last_mut();
        let earlier = around.and_then(|around| around.parked.remove(&around.next.saturating_sub(1)));
        let frame = match earlier {
            Some(earlier) if earlier.ty.is_same(ty) => earlier,
            Some(earlier) => {
                self.leave(earlier, frames.last_mut());
                self.frame(ty, slot)
            }
            None => self.frame(ty, slot),
        };
        frames.push(frame);
    }

    fn frame(&mut self, ty: Type<'tu>, slot: Option<SlotId>) -> Frame<'tu> {
        let object = match ty.kind() {
            TypeKind::Record => Object::Record(self.extractor.layout(ty), RecordStores::default()),
            TypeKind::Array | TypeKind::VariableArray => {
                let ty = ty.canonical();
                Object::Array { element: ty.element(), count: ty.element_count(), slot }
            }
            _ => Object::Scalar { slot },
        };
        Frame { ty, object, next: 0, parked: BTreeMap::new() }
    }

    /// The designators of an element and its value.
    fn designation(&mut self, element: CursorId) -> (Vec<CursorId>, CursorId) {
        let tree = self.tree;
        let children = tree.children(element);
        let is_designated = tree.kind(element) == CursorKind::UnexposedExpr
            && children.len() > 1
            && (tree.is_designated(element) || self.extractor.starts_with(tree.cursor(element), b"["));
        match children.split_last() {
            Some((&value, designators)) if is_designated => (designators.to_vec(), value),
            _ => (Vec::new(), element),
        }
    }

    /// The object that the next value without a designator initialises: a type, and the slot or the member.
    fn next_object(&mut self, frames: &mut Vec<Frame<'tu>>) -> Option<(Type<'tu>, Option<SlotId>)> {
        loop {
            let depth = frames.len();
            let frame = frames.last_mut()?;
            if let Some(object) = self.step(frame) {
                return Some(object);
            }
            // The outermost object of the list is full: the compiler ignores the rest.
            if depth == 1 {
                return None;
            }
            self.close(frames, depth - 1);
        }
    }

    /// Steps over the next member or element of an object; `None` at its end.
    fn step(&mut self, frame: &mut Frame<'tu>) -> Option<(Type<'tu>, Option<SlotId>)> {
        let position = frame.next;
        let object = match &mut frame.object {
            Object::Record(layout, found) => {
                let member = *layout.members.get(usize::try_from(position).ok()?)?;
                found.member = layout.is_paired.then(|| member.spelling());
                if layout.is_union {
                    frame.next = layout.members.len() as u64;
                    return Some(self.member(member));
                }
                self.member(member)
            }
            Object::Array { element, count, slot } => {
                count.is_none_or(|count| position < count).then_some((*element, *slot))?
            }
            Object::Scalar { slot } => (position == 0).then_some((frame.ty, *slot))?,
        };
        frame.next = position + 1;
        Some(object)
    }

    /// A member's type, and its slot if it is one.
    fn member(&mut self, member: Cursor<'tu>) -> (Type<'tu>, Option<SlotId>) {
        let ty = member.ty();
        let class = self.extractor.class(ty);
        (ty, if class.may_hold_functions() { self.extractor.declared_slot(member) } else { None })
    }

    /// The object that designators name. The values that follow continue behind it.
    fn designated(
        &mut self,
        frames: &mut Vec<Frame<'tu>>,
        designators: &[CursorId],
    ) -> Option<(Type<'tu>, Option<SlotId>)> {
        self.close(frames, 1);
        let mut rest = designators;
        let mut object = None;
        while let Some((&designator, others)) = rest.split_first() {
            if let Some((ty, slot)) = object.take() {
                self.enter(frames, ty, slot);
            }
            let is_outermost = frames.len() == 1;
            rest = others;
            let frame = frames.last_mut()?;
            match self.tree.kind(designator) {
                CursorKind::MemberRef => {
                    let field = self.tree.cursor(designator).referenced()?;
                    // A member of an anonymous member is named alone, or after the anonymous one.
                    let position = loop {
                        let frame = frames.last()?;
                        let Object::Record(layout, _) = &frame.object else { return None };
                        let position = *layout.positions.get(&field.declaration_key())?;
                        let member = layout.members[position];
                        if member.declaration_key() == field.declaration_key() {
                            break position;
                        }
                        if let Some(frame) = frames.last_mut() {
                            frame.next = position as u64 + 1;
                        }
                        self.enter(frames, member.ty(), None);
                    };
                    let frame = frames.last_mut()?;
                    frame.next = position as u64;
                }
                _ => {
                    // The elements of a table are one slot, wherever they are. Positions only matter where the list
                    // goes on behind an array without braces of its own.
                    let mut last = designator;
                    if let Some((&end, others)) = others.split_first()
                        && self.is_range(designator, end)
                    {
                        (last, rest) = (end, others);
                    }
                    let is_anywhere = is_outermost && self.extractor.vocabulary.paired_fields.is_empty();
                    let number = if is_anywhere { None } else { self.tree.cursor(last).evaluate_integer() };
                    frame.next = number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
                }
            }
            object = self.step(frames.last_mut()?);
        }
        object
    }

    /// Whether two index expressions in sequence are the ends of a range, `[first ... last]`, and not two designators.
    fn is_range(&mut self, first: CursorId, last: CursorId) -> bool {
        if self.tree.kind(last) == CursorKind::MemberRef {
            return false;
        }
        let [first, last] = [first, last].map(|index| self.tree.cursor(index));
        // Where both come out of one use of a macro, the text is in the macro's definition.
        let used = first.start().zip(last.start()).filter(|(first, last)| first != last);
        let Some((first, last)) = used.or(first.spelling_start().zip(last.spelling_start())) else { return true };
        let contents = self.extractor.contents(first.file);
        let between = contents.get(first.offset as usize..last.offset as usize).unwrap_or_default();
        first.file != last.file || !between.contains(&b']')
    }

    /// Initialises an object with a value, which can be for its first members only.
    fn initialise(&mut self, frames: &mut Vec<Frame<'tu>>, object: (Type<'tu>, Option<SlotId>), value: CursorId) {
        let (mut ty, mut slot) = object;
        let tree = self.tree;
        if tree.kind(value) == CursorKind::InitListExpr {
            if self.extractor.holds_slots(ty) {
                self.list(value, ty, slot, frames.last_mut());
            }
            return;
        }
        loop {
            let is_whole = match ty.kind() {
                TypeKind::Record => are_one_record(tree.cursor(value).ty(), ty),
                // A string fills an array of characters; GNU C lets a compound literal fill an array of its type.
                TypeKind::Array | TypeKind::VariableArray => {
                    let inner = tree.strip(value);
                    let element = ty.canonical().element();
                    let given = tree.cursor(inner).ty().canonical().element();
                    match tree.kind(inner) {
                        CursorKind::StringLiteral => element.kind() == TypeKind::Integer,
                        CursorKind::CompoundLiteralExpr => given.is_same(element),
                        _ => false,
                    }
                }
                _ => break,
            };
            if is_whole {
                return;
            }
            let inner = self.frame(ty, slot);
            frames.push(inner);
            match self.next_object(frames) {
                Some(next) => (ty, slot) = next,
                None => return,
            }
        }
        self.scalar(frames, ty, slot, value);
    }

    fn scalar(&mut self, frames: &mut [Frame<'tu>], ty: Type<'tu>, slot: Option<SlotId>, value: CursorId) {
        let first = self.stores.len();
        if let Some(slot) = slot
            && self.extractor.can_lead_to_functions(self.tree, ty, value)
        {
            let values = self.extractor.values(self.tree, value);
            let stores = self.extractor.stores_into(&[slot], values);
            self.stores.extend(stores);
        }
        let added = first..self.stores.len();
        if let Some(Frame { object: Object::Record(_, found), .. }) = frames.last_mut()
            && let Some(name) = &found.member
        {
            found.stores.extend(added.map(|store| (store, name.clone())));
            found.flags.insert(name.clone(), value);
        }
    }

    /// The list has left an object: the flags that the packs pair with its slots are known, unless they are members of
    /// the record around it.
    fn leave(&mut self, mut frame: Frame<'tu>, around: Option<&mut Frame<'tu>>) {
        while let Some((_, inner)) = frame.parked.pop_first() {
            self.leave(inner, Some(&mut frame));
        }
        let Object::Record(layout, found) = frame.object else { return };
        let mut around = around.and_then(|around| match &mut around.object {
            Object::Record(outer, found) if !layout.is_named && outer.name == layout.name => Some(found),
            _ => None,
        });
        for (store, member) in found.stores {
            let name = (layout.name.clone(), member);
            let vocabulary = self.extractor.vocabulary;
            let Some(paired) = vocabulary.paired_fields.get(&name) else { continue };
            let is_here = |paired: &&PairedWith<String>| layout.has_member(&paired.flag);
            if let Some(around) = &mut around
                && !paired.iter().all(|paired| is_here(&paired))
            {
                around.stores.push((store, name.1));
            }
            let is_outermost = around.is_none();
            let here = paired.iter().filter(|paired| is_outermost || is_here(paired));
            let flags = here.filter_map(|paired| {
                let set = match found.flags.get(&paired.flag) {
                    Some(value) => self.extractor.is_set(self.tree, *value, paired)?,
                    // A member that an initialiser does not name is 0.
                    None => false,
                };
                Some(PairedFlag { model: paired.model, set })
            });
            let flags: PairedFlags = self.stores[store].paired_flags.iter().chain(flags).collect();
            self.stores[store].paired_flags = flags;
        }
        if let Some(around) = around {
            around.flags.extend(found.flags);
        }
    }
}

impl RecordLayout<'_> {
    /// Whether a member has this name, also one of an anonymous member.
    fn has_member(&self, name: &str) -> bool {
        let mut open = self.members.clone();
        while let Some(member) = open.pop() {
            if member.spelling() == name {
                return true;
            }
            if is_anonymous_member(member) {
                open.extend(member.ty().fields());
            }
        }
        false
    }
}

impl<'tu> Extractor<'_, 'tu> {
    /// Whether a flag has the bits of its pair, or is the call that its pair names; `None` if it is not known, as of a
    /// value that is computed.
    pub(super) fn is_set<At>(
        &mut self,
        tree: &CursorTree<'tu>,
        value: CursorId,
        paired: &PairedWith<At>,
    ) -> Option<bool> {
        let Some(constant) = paired.constant.as_deref() else { return Some(constant_number(tree, value)? != 0) };
        if let Some(function) = called_name(constant) {
            return is_call(tree, value, function);
        }
        // What is written as the constant has its bits, also if it is a macro for an expression.
        if self.is_written_as(tree, tree.strip(value), constant) {
            return Some(true);
        }
        let number = constant_number(tree, value)?;
        match self.number_of_constant(constant) {
            Some(0) => Some(number == 0),
            Some(bits) => Some(number & bits == bits),
            None => (number == 0).then_some(false),
        }
    }

    /// The number of a constant of an enumeration, or of a macro.
    pub(super) fn number_of_constant(&mut self, name: &str) -> Option<i64> {
        if let Some(known) = self.constant_numbers.get(name) {
            return *known;
        }
        let declared = || self.declared_constants(&HashSet::from_iter([name])).remove(name);
        let found = self.before.and_then(|before| before.constant(name)).or_else(declared);
        if found.is_none() {
            self.open.constants.insert(name.to_owned());
        }
        let number = found.or_else(|| self.number_of_macro(name));
        self.constant_numbers.insert(name.to_owned(), number);
        number
    }

    /// The numbers of those of these constants that enumerations declare, without those of precompiled headers.
    pub(super) fn declared_constants(&self, wanted: &HashSet<&str>) -> HashMap<String, i64> {
        let mut found = HashMap::default();
        let Some(root) = self.unit.cursor().filter(|_| !wanted.is_empty()) else { return found };
        root.visit(|cursor, _| {
            use CursorKind::*;
            match cursor.kind() {
                EnumConstantDecl => {
                    let name = cursor.spelling();
                    if wanted.contains(name.as_str()) {
                        found.entry(name).or_insert_with(|| cursor.enumerator_value());
                    }
                }
                // An enumeration may be declared inside a record.
                EnumDecl | StructDecl | UnionDecl if found.len() < wanted.len() => return Visit::Recurse,
                _ => {}
            }
            Visit::Skip
        });
        found
    }
}

/// The number that an expression always is.
fn constant_number(tree: &CursorTree<'_>, value: CursorId) -> Option<i64> {
    if let Some(number) = tree.cursor(value).evaluate_integer() {
        return Some(number);
    }
    let inner = tree.strip(value);
    let named = tree.cursor(inner).referenced().filter(|_| tree.kind(inner) == CursorKind::DeclRefExpr)?;
    let variable = Some(named).filter(|named| named.kind() == CursorKind::VarDecl)?;
    Some(constant_type(variable)?.convert(variable.initializer()?.evaluate_integer()?))
}

/// The function in `main_context()`.
fn called_name(constant: &str) -> Option<&str> {
    Some(constant.strip_suffix(')')?.trim_end().strip_suffix('(')?.trim())
}

/// Whether an expression is a call of a function of this name. `None` if it may have the same value in another way: from
/// a variable, for example.
fn is_call(tree: &CursorTree<'_>, value: CursorId, function: &str) -> Option<bool> {
    let value = tree.strip(value);
    match tree.kind(value) {
        CursorKind::CallExpr => {
            let called = tree.operands(value).first().and_then(|callee| named_function(tree, *callee))?;
            Some(called.spelling() == function)
        }
        _ => tree.cursor(value).evaluate_integer().map(|_| false),
    }
}

/// Whether two types are the same record, whatever their qualifiers.
fn are_one_record(one: Type<'_>, other: Type<'_>) -> bool {
    let record =
        |ty: Type<'_>| Some(ty.canonical().declaration()?.canonical_key()).filter(|_| ty.kind() == TypeKind::Record);
    record(one).is_some_and(|one| record(other) == Some(one))
}

/// Whether a field is an unnamed bit-field, which no initialiser reaches.
fn is_unnamed_bit_field(field: Cursor<'_>) -> bool {
    field.is_bit_field() && !has_name(field)
}

/// Whether a field is a record without a name, whose members are named as if they were the outer record's.
fn is_anonymous_member(field: Cursor<'_>) -> bool {
    field.ty().kind() == TypeKind::Record && !has_name(field)
}

/// Whether a field has a name. Some versions of libclang spell what has none.
fn has_name(field: Cursor<'_>) -> bool {
    field.spelling().starts_with(|c: char| c.is_alphabetic() || c == '_' || !c.is_ascii())
}
