//! Lowering: the cursors of one body become the control flow tree that [`super::flow`] evaluates.
//! Calls and stores are collected on the way.

use std::collections::{HashMap, HashSet};

use crate::clang::{BinaryOperator, Cursor, CursorKind, TypeKind, UnaryOperator};
use cowrap_facts::{
    Argument, ArgumentValue, Assertion, Body, Call, CallKind, CriticalSection, FlagTest, Location, MAX_FLAGS,
    PathCondition, Release, SlotCall, SlotId, Store, SymbolId, Value,
};

use super::cursor_tree::{CursorId, CursorTree};
use super::flow::{Flag, FlowResult, FlowTree, Label, NodeId, Op, Site, TruthId, Variable};
use super::lockset::{HeldLocks, Locking, held_locks};
use super::source_text::{SourceCall, last_name};
use super::slots::TypeClass;
use super::stores::add_named;
use super::values::{called_type, library_builtin, named_function};
use super::{Extractor, LockAction, LockWord, Role, SlotKind};

/// A variable or parameter whose value may be followed.
#[derive(Clone, Copy)]
struct Local {
    variable: Variable,
    /// The position, for a boolean parameter.
    boolean_parameter: Option<u16>,
}

/// A call of the body, before its path condition is known.
struct PendingCall {
    site: Site,
    target: Target,
    location: Location,
    spelling: Option<Location>,
    kind: CallKind,
    /// The functions and slots among its arguments.
    passed: Vec<Argument>,
    /// The truth values among its arguments, by position.
    truths: Vec<(u16, TruthId)>,
    /// What it does with a lock.
    locking: Option<Locking>,
    /// The text between its parentheses, without blanks.
    written: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Target {
    Function(SymbolId),
    Slot(Option<SlotId>),
}

/// Lowers one body.
pub(super) struct Lowering<'e, 'a, 'tu> {
    extractor: &'e mut Extractor<'a, 'tu>,
    raw: CursorTree<'tu>,
    tree: FlowTree,
    calls: Vec<PendingCall>,
    stores: Vec<Store>,
    /// The functions that the body names other than to call them.
    named: Vec<(SymbolId, Location)>,
    /// The slot of the body's result.
    result: Option<SlotId>,
    locals: HashMap<usize, Local>,
    labels: HashMap<String, Label>,
    /// All assignments so far, in order. Those of a loop are those that its lowering adds.
    assigned: Vec<Variable>,
    /// Boolean parameters in conditions.
    asked: HashSet<Variable>,
    /// Boolean parameters that are passed on to other functions.
    passed_on: HashSet<Variable>,
    /// Whether an argument is being lowered.
    passing: bool,
    /// Whether the lowered code may not be what the compiler chose (`_Generic`).
    unresolved: bool,
    /// The type by which the last `_Generic` chose, as spelled.
    chosen_by: Option<String>,
}

impl<'tu> Extractor<'_, 'tu> {
    /// Reads the body of a function's definition.
    pub(super) fn body(&mut self, definition: Cursor<'tu>, symbol: SymbolId, location: Location) {
        let outer = std::mem::replace(&mut self.current_function, definition.spelling());
        let count = std::mem::take(&mut self.block_count);
        let result = definition.ty().result();
        let class = self.class(result);
        let can_be_function = class.leads_to_functions() || class == TypeClass::AnyPointer;
        let result = can_be_function.then(|| self.result_slot(symbol, Some(definition)));
        let body = Lowering::new(self, definition, result).body(symbol, location);
        self.facts().bodies.push(body);
        (self.current_function, self.block_count) = (outer, count);
    }
}

impl<'e, 'a, 'tu> Lowering<'e, 'a, 'tu> {
    pub(super) fn new(extractor: &'e mut Extractor<'a, 'tu>, root: Cursor<'tu>, result: Option<SlotId>) -> Self {
        Lowering {
            extractor,
            raw: CursorTree::new(root),
            tree: FlowTree::default(),
            calls: Vec::new(),
            stores: Vec::new(),
            named: Vec::new(),
            result,
            locals: HashMap::new(),
            labels: HashMap::new(),
            assigned: Vec::new(),
            asked: HashSet::new(),
            passed_on: HashSet::new(),
            passing: false,
            unresolved: false,
            chosen_by: None,
        }
    }

    pub(super) fn body(mut self, symbol: SymbolId, location: Location) -> Body {
        let mut root = Vec::new();
        let mut position = 0u16;
        let mut children = self.raw.operands(0);
        // A block literal has its parameters and statements in a declaration below it.
        if let [only] = children[..]
            && self.raw.kind(only) == CursorKind::UnexposedDecl
        {
            children = self.raw.operands(only);
        }
        for child in children {
            match self.raw.kind(child) {
                CursorKind::ParmDecl => {
                    self.parameter(child, position);
                    position += 1;
                }
                CursorKind::CompoundStmt => root.push(self.lower(child, false)),
                _ => {}
            }
        }
        let root = self.tree.node(Op::Sequence, root);
        let (flags, positions) = self.flags();
        let outcome = self.tree.run(root, &flags);
        let assertion = outcome.assertion.and_then(|(context, site)| {
            let call = self.calls.iter().find(|call| call.site == site)?;
            Some(Assertion { context, location: call.location })
        });
        let (critical_sections, releases) = self.held_locks(root);
        let mut calls: Vec<Call> = Vec::new();
        let mut slot_calls: Vec<SlotCall> = Vec::new();
        for pending in distinct(self.calls) {
            let reach = pending.reach(&outcome);
            let arguments = pending.arguments(&outcome, reach);
            let PendingCall { target, location, spelling, kind, .. } = pending.call;
            match target {
                Target::Function(callee) => {
                    let (after, ends) = (None, false);
                    calls.push(Call { callee, location, spelling, condition: reach, kind, after, ends, arguments })
                }
                Target::Slot(slot) => {
                    let (after, ends) = (None, false);
                    let condition = reach;
                    slot_calls.push(SlotCall { slot, location, condition, kind, after, ends, arguments })
                }
            }
        }
        let mut stores = self.stores;
        add_named(&mut stores, self.named);
        Body {
            symbol,
            location,
            flags: positions
                .into_iter()
                .map(|position| cowrap_facts::Flag { position, test: FlagTest::NonZero })
                .collect(),
            calls,
            slot_calls,
            stores,
            returns_after: None,
            assertion,
            critical_sections,
            releases,
        }
    }

    /// The locks that the body takes, with the calls that it makes while it holds them, and the
    /// locks that it releases.
    fn held_locks(&self, root: NodeId) -> (Vec<CriticalSection>, Vec<Release>) {
        let locking: HashMap<Site, Locking> =
            self.calls.iter().filter_map(|call| Some((call.site, call.locking.clone()?))).collect();
        if locking.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let HeldLocks { held, releases } = held_locks(&self.tree, root, &locking);
        let mut found: Vec<CriticalSection> = Vec::new();
        for taken in self.calls.iter().filter(|call| locking.contains_key(&call.site)) {
            // A function that gets the lock as an argument may release it, or is part of what takes
            // it.
            let certain = |call: &&PendingCall| {
                let held = held.get(&call.site).into_iter().flatten().find(|held| held.taken == taken.site);
                held.is_some_and(|held| held.which.is_empty() || !call.written.contains(&held.which))
            };
            let mut calls: Vec<Location> = self.calls.iter().filter(certain).map(|call| call.location).collect();
            calls.retain(|location| *location != taken.location);
            calls.sort_unstable();
            calls.dedup();
            if let (false, Some(done)) = (calls.is_empty(), &taken.locking) {
                let name = last_name(&done.which);
                found.push(CriticalSection { lock: done.lock, name, taken: taken.location, calls });
            }
        }
        (found, releases.into_iter().collect())
    }

    /// Whether a call is in the argument of a macro that runs its argument in another context.
    /// Calls of the macro itself are spelled elsewhere.
    fn is_in_region(&self, at: Cursor<'tu>, written: &SourceCall) -> bool {
        let (Some(used), Some(spelled)) = (at.location(), at.spelling_location()) else { return false };
        let in_argument = used.file == spelled.file && spelled.offset > used.offset;
        in_argument && self.extractor.vocabulary.regions.contains(&written.word)
    }

    /// What a call does with a lock, by the word at its location.
    fn locking(&self, written: &SourceCall, kind: CallKind) -> Option<Locking> {
        let fits = |word: &&LockWord| match word.action {
            LockAction::Guard => {
                let chosen = self.chosen_by.as_ref().is_some_and(|chosen| word.types.contains(chosen));
                kind == CallKind::Cleanup && (word.types.is_empty() || chosen)
            }
            LockAction::Acquire | LockAction::Release => kind == CallKind::Written,
        };
        let word = self.extractor.vocabulary.locks.get(&written.word)?.iter().find(fits)?;
        Some(Locking { lock: word.lock, action: word.action, which: written.argument.clone() })
    }

    /// The boolean parameters whose values are evaluated separately, and their positions.
    fn flags(&self) -> (Vec<Flag>, Vec<u16>) {
        let mut flags: Vec<(bool, u16, Variable)> = self
            .locals
            .values()
            .filter(|local| self.asked.contains(&local.variable) || self.passed_on.contains(&local.variable))
            .filter(|local| !self.tree.untracked.contains(&local.variable) && !self.assigned.contains(&local.variable))
            .filter_map(|local| Some((!self.asked.contains(&local.variable), local.boolean_parameter?, local.variable)))
            .collect();
        // Parameters in this body's conditions come first: they decide what it does itself.
        flags.sort_unstable();
        flags.truncate(MAX_FLAGS);
        flags.sort_unstable_by_key(|(_, position, _)| *position);
        flags.into_iter().map(|(_, position, variable)| (Flag(variable), position)).unzip()
    }

    fn parameter(&mut self, node: CursorId, position: u16) {
        let cursor = self.raw.cursor(node);
        self.extractor.slot_with_marks(cursor, SlotKind::Parameter);
        let kind = cursor.ty().kind();
        if kind == TypeKind::Bool || kind == TypeKind::Integer {
            self.track(cursor, (kind == TypeKind::Bool).then_some(position));
        }
    }

    fn track(&mut self, declaration: Cursor<'tu>, boolean_parameter: Option<u16>) -> Variable {
        let variable = Variable(self.locals.len() as u32);
        self.locals.insert(declaration.canonical_key(), Local { variable, boolean_parameter });
        if declaration.ty().is_volatile() {
            self.tree.untracked.insert(variable);
        }
        variable
    }

    /// The variable that an expression is, if its value may be followed.
    fn local(&self, node: CursorId) -> Option<Local> {
        let node = self.raw.strip(node);
        if self.raw.kind(node) != CursorKind::DeclRefExpr {
            return None;
        }
        let declaration = self.raw.cursor(node).referenced()?;
        if !matches!(declaration.kind(), CursorKind::VarDecl | CursorKind::ParmDecl) {
            return None;
        }
        self.locals.get(&declaration.canonical_key()).copied()
    }

    fn node(&mut self, op: Op, children: Vec<NodeId>) -> NodeId {
        self.tree.node(op, children)
    }

    fn unknown(&mut self) -> NodeId {
        self.node(Op::Value(None), Vec::new())
    }

    /// Lowers all of them, for their effects.
    fn lower_all(&mut self, nodes: &[CursorId]) -> Vec<NodeId> {
        nodes.iter().map(|&node| self.lower(node, false)).collect()
    }

    /// Lowers one node. `wanted` says that its value decides something: then literals are evaluated, and boolean
    /// parameters become flags.
    fn lower(&mut self, node: CursorId, wanted: bool) -> NodeId {
        use CursorKind::*;
        let operands = self.raw.operands(node);
        match self.raw.kind(node) {
            UnexposedExpr => self.unexposed(node, &operands, wanted),
            ParenExpr => match operands.last() {
                Some(&inner) => self.lower(inner, wanted),
                None => self.unknown(),
            },
            // libclang shows `typeof(f())` in the type too, which is not evaluated.
            CStyleCastExpr => match operands.last() {
                Some(&inner) => self.lower(inner, wanted),
                None => self.unknown(),
            },
            CompoundLiteralExpr => match operands.last() {
                Some(&inner) => {
                    let literal = self.raw.cursor(node);
                    let stores = self.extractor.literal_stores(&self.raw, literal, inner);
                    self.stores.extend(stores);
                    self.lower(inner, false)
                }
                None => self.unknown(),
            },
            BlockExpr => {
                self.block(node);
                self.unknown()
            }
            // `sizeof`, `_Alignof` …: operands are not evaluated.
            UnaryExpr => self.unknown(),
            IntegerLiteral | BoolLiteral => {
                let value = if wanted { self.raw.cursor(node).evaluate_integer() } else { None };
                self.node(Op::Value(value), Vec::new())
            }
            DeclRefExpr => self.reference(node, wanted),
            CallExpr => self.call(node, &operands),
            kind @ (MemberRefExpr | ArraySubscriptExpr) => {
                if kind == MemberRefExpr {
                    self.extractor.note_member(self.raw.cursor(node));
                }
                let lowered = self.lower_all(&operands);
                self.node(Op::Opaque, lowered)
            }
            UnaryOperator => self.unary(node, &operands, wanted),
            BinaryOperator => self.binary(node, &operands, wanted),
            CompoundAssignOperator => {
                let lowered = self.lower_all(&operands);
                self.change(operands.first().copied(), lowered)
            }
            ConditionalOperator if operands.len() == 3 => {
                let condition = self.lower(operands[0], true);
                let yes = self.lower(operands[1], wanted);
                let no = self.lower(operands[2], wanted);
                self.node(Op::Conditional, vec![condition, yes, no])
            }
            StmtExpr | CompoundStmt => {
                let mut lowered = Vec::new();
                for (position, &child) in operands.iter().enumerate() {
                    // The last statement of `({ … })` is its value.
                    let last = position + 1 == operands.len();
                    lowered.push(self.lower(child, wanted && last));
                }
                self.node(Op::Sequence, lowered)
            }
            GenericSelectionExpr => self.generic_selection(&operands),
            DeclStmt => {
                let lowered = self.lower_all(&operands);
                self.node(Op::Opaque, lowered)
            }
            VarDecl => self.declaration(node),
            FunctionDecl => {
                let cursor = self.raw.cursor(node);
                if let Some(location) = cursor.location() {
                    let location = self.extractor.location(location);
                    self.extractor.function(cursor, location);
                }
                self.unknown()
            }
            StructDecl | UnionDecl | EnumDecl | TypedefDecl => {
                self.extractor.type_declaration(self.raw.cursor(node));
                self.unknown()
            }
            IfStmt if operands.len() >= 2 => {
                let condition = self.lower(operands[0], true);
                let mut children = vec![condition];
                children.extend(self.lower_all(&operands[1..]));
                self.node(Op::If, children)
            }
            WhileStmt if operands.len() == 2 => {
                let before = self.assigned.len();
                let condition = self.lower(operands[0], true);
                let body = self.lower(operands[1], false);
                let assigned = self.assigned_since(before);
                self.node(Op::While(assigned), vec![condition, body])
            }
            DoStmt if operands.len() == 2 => {
                let before = self.assigned.len();
                let body = self.lower(operands[0], false);
                let condition = self.lower(operands[1], true);
                let assigned = self.assigned_since(before);
                self.node(Op::Do(assigned), vec![body, condition])
            }
            ForStmt => self.for_statement(node, &operands),
            SwitchStmt if operands.len() == 2 => {
                let condition = self.lower(operands[0], false);
                let body = self.lower(operands[1], false);
                self.node(Op::Switch, vec![condition, body])
            }
            kind @ (CaseStmt | DefaultStmt) => match operands.last() {
                // The values before the statement are constants.
                Some(&statement) => {
                    let statement = self.lower(statement, false);
                    self.node(Op::Case { default: kind == DefaultStmt }, vec![statement])
                }
                None => self.unknown(),
            },
            LabelStmt => {
                let label = self.label(self.raw.cursor(node).spelling());
                let lowered = self.lower_all(&operands);
                self.node(Op::Label(label), lowered)
            }
            GotoStmt => {
                let name = self.raw.children(node).first().map(|&label| self.raw.cursor(label).spelling());
                match name {
                    Some(name) => {
                        let label = self.label(name);
                        self.node(Op::Goto(label), Vec::new())
                    }
                    None => self.node(Op::GotoAny, Vec::new()),
                }
            }
            IndirectGotoStmt => {
                let lowered = self.lower_all(&operands);
                self.node(Op::GotoAny, lowered)
            }
            BreakStmt => self.node(Op::Break, Vec::new()),
            ContinueStmt => self.node(Op::Continue, Vec::new()),
            ReturnStmt => {
                let value = operands.first().map(|&value| {
                    self.returned(value);
                    self.lower(value, false)
                });
                self.node(Op::Return, value.into_iter().collect())
            }
            GccAsmStmt => {
                // An output operand changes its variable without an assignment that could be seen.
                for &operand in &operands {
                    if let Some(local) = self.local(operand) {
                        self.tree.untracked.insert(local.variable);
                    }
                    let stores = self.extractor.assembly_stores(&self.raw, operand);
                    self.stores.extend(stores);
                }
                let lowered = self.lower_all(&operands);
                self.node(Op::Perhaps, lowered)
            }
            _ => {
                let lowered = self.lower_all(&operands);
                self.node(Op::Opaque, lowered)
            }
        }
    }

    /// An expression for which libclang has no kind: most often an implicit cast.
    fn unexposed(&mut self, node: CursorId, operands: &[CursorId], wanted: bool) -> NodeId {
        match operands {
            [] => self.unknown(),
            // Its operands are types, and `typeof(f())` among them is a call that is not made.
            [inner]
                if self.raw.kind(*inner) == CursorKind::ParenExpr
                    && self.starts_with(node, b"__builtin_types_compatible_p") =>
            {
                self.unknown()
            }
            [inner] => self.lower(*inner, wanted),
            [condition, yes, no] if self.starts_with(node, b"__builtin_choose_expr") => {
                match self.raw.cursor(*condition).evaluate_integer() {
                    Some(0) => self.lower(*no, wanted),
                    Some(_) => self.lower(*yes, wanted),
                    None => {
                        let outer = std::mem::replace(&mut self.unresolved, true);
                        let arms = vec![self.lower(*yes, wanted), self.lower(*no, wanted)];
                        self.unresolved = outer;
                        self.node(Op::Perhaps, arms)
                    }
                }
            }
            // `x ?: y`, atomic operations, `[i] = value` …
            _ => {
                if let Some(builtin) = self.extractor.atomic(self.raw.cursor(node)) {
                    let stores = self.extractor.builtin_stores(&self.raw, builtin, operands);
                    self.stores.extend(stores);
                }
                let lowered = self.lower_all(operands);
                self.node(Op::Perhaps, lowered)
            }
        }
    }

    /// Whether the node's own text begins with these bytes.
    fn starts_with(&mut self, node: CursorId, text: &[u8]) -> bool {
        self.extractor.starts_with(self.raw.cursor(node), text)
    }

    fn reference(&mut self, node: CursorId, wanted: bool) -> NodeId {
        let cursor = self.raw.cursor(node);
        let Some(declaration) = cursor.referenced() else { return self.unknown() };
        match declaration.kind() {
            CursorKind::FunctionDecl => {
                self.named.extend(self.extractor.named_function_at(cursor));
                self.unknown()
            }
            CursorKind::VarDecl | CursorKind::ParmDecl => {
                let Some(local) = self.locals.get(&declaration.canonical_key()).copied() else {
                    return self.unknown();
                };
                if wanted && local.boolean_parameter.is_some() {
                    let set = if self.passing { &mut self.passed_on } else { &mut self.asked };
                    set.insert(local.variable);
                }
                self.node(Op::Read(local.variable), Vec::new())
            }
            _ => self.unknown(),
        }
    }

    /// The value of `return value`.
    fn returned(&mut self, value: CursorId) {
        let Some(result) = self.result else { return };
        let ty = self.raw.cursor(value).ty();
        if self.extractor.can_lead_to_functions(&self.raw, ty, value) {
            let values = self.extractor.values(&self.raw, value);
            self.stores.extend(self.extractor.stores_into(&[result], values));
        }
    }

    /// A block literal is a body of its own.
    fn block(&mut self, node: CursorId) {
        let block = self.raw.cursor(node);
        // What it changes of the variables around it, it changes whenever it runs.
        let mut open = vec![node];
        while let Some(inner) = open.pop() {
            open.extend(self.raw.children(inner));
            let is_shared = |declaration: Cursor<'tu>| declaration.has_attributes();
            let referenced = self.raw.cursor(inner).referenced().filter(|_| self.raw.kind(inner) == CursorKind::DeclRefExpr);
            if referenced.is_some_and(is_shared)
                && let Some(local) = self.local(inner)
            {
                self.tree.untracked.insert(local.variable);
            }
        }
        self.extractor.block(block);
    }

    fn call(&mut self, node: CursorId, operands: &[CursorId]) -> NodeId {
        let Some((&callee, arguments)) = operands.split_first() else { return self.unknown() };
        let callee = self.raw.strip(callee);
        let function = named_function(&self.raw, callee);
        let info = function.map(|function| self.extractor.function_info(function));
        match info.map(|info| info.role) {
            Some(Role::Unevaluated) => return self.unknown(),
            Some(Role::Expect) => {
                let Some((&value, rest)) = arguments.split_first() else { return self.unknown() };
                let mut lowered = self.lower_all(rest);
                lowered.push(self.lower(value, true));
                return self.node(Op::Sequence, lowered);
            }
            _ => {}
        }
        let targets = self.targets(callee);
        let passed = self.pass(function, callee, arguments, &targets);
        let mut lowered = Vec::new();
        if function.is_none() {
            let before = self.named.len();
            lowered.push(self.lower(callee, false));
            // To name a function in the callee is to call it.
            let is_called = |(function, _): &mut (SymbolId, Location)| targets.contains(&Target::Function(*function));
            self.named.extract_if(before.., is_called).for_each(drop);
        }
        let mut truths = Vec::new();
        let outer = std::mem::take(&mut self.passing);
        for (position, &argument) in arguments.iter().enumerate() {
            let Ok(position) = u16::try_from(position) else {
                lowered.push(self.lower(argument, false));
                continue;
            };
            let bit = 1u32.checked_shl(u32::from(position)).unwrap_or(0);
            let is_bool = info.is_some_and(|info| info.bool_parameters & bit != 0);
            self.passing = is_bool;
            let value = self.lower(argument, is_bool);
            self.passing = false;
            if is_bool {
                let truth = self.tree.truth();
                truths.push((position, truth));
                lowered.push(self.node(Op::Truth(truth), vec![value]));
            } else {
                lowered.push(value);
            }
        }
        self.passing = outer;
        // A reader looks for the callee's name; in `a->b()` it is where the call begins.
        let at = if function.is_some() { self.raw.cursor(callee) } else { self.raw.cursor(node) };
        let kind = if self.unresolved { CallKind::Unresolved } else { CallKind::Written };
        let mut sites = Vec::new();
        for (number, target) in targets.into_iter().enumerate() {
            let site = self.tree.site();
            let made = self.pending(site, target, at, kind, passed.clone(), truths.clone());
            if !made {
                return self.node(Op::Opaque, lowered);
            }
            let returns = number > 0 || info.is_none_or(|info| info.returns);
            sites.push(self.node(Op::Call { site, returns }, std::mem::take(&mut lowered)));
        }
        if info.is_some_and(|info| info.role == Role::Predicate) {
            sites.push(self.node(Op::Predicate, Vec::new()));
            return self.node(Op::Sequence, sites);
        }
        match sites.as_slice() {
            [only] => *only,
            _ => self.node(Op::Opaque, sites),
        }
    }

    /// The possible callees: one function or slot, or several, as in `(c ? f : g)(…)`.
    fn targets(&mut self, callee: CursorId) -> Vec<Target> {
        let mut found = Vec::new();
        for named in self.extractor.values(&self.raw, callee) {
            let target = match named.value {
                Value::Function(function) => Target::Function(function),
                Value::Slot(slot) => Target::Slot(Some(slot)),
                Value::Address(_) | Value::Unknown => Target::Slot(None),
            };
            if !found.contains(&target) {
                found.push(target);
            }
        }
        if found.is_empty() {
            found.push(Target::Slot(None));
        }
        found
    }

    /// Stores the arguments of a call into the parameters of whatever it may call. Returns those that are functions or
    /// slots.
    fn pass(
        &mut self,
        function: Option<Cursor<'tu>>,
        callee: CursorId,
        arguments: &[CursorId],
        targets: &[Target],
    ) -> Vec<Argument> {
        let mut passed = Vec::new();
        if let Some(builtin) = function.and_then(|function| library_builtin(&function.spelling())) {
            let stores = self.extractor.builtin_stores(&self.raw, builtin, arguments);
            self.stores.extend(stores);
            return passed;
        }
        let called = called_type(self.raw.cursor(callee).ty());
        for (position, &argument) in (0..=u16::MAX).zip(arguments) {
            let ty = self.raw.cursor(argument).ty();
            let inner = self.raw.cursor(self.raw.strip(argument)).ty();
            if ![ty, inner].into_iter().any(|ty| self.extractor.class(ty).leads_to_functions()) {
                continue;
            }
            let values = self.extractor.values(&self.raw, argument);
            if values.is_empty() {
                continue;
            }
            passed.extend(values.iter().filter_map(|named| match named.value {
                Value::Function(function) => Some(Argument { position, value: ArgumentValue::Function(function) }),
                Value::Slot(slot) => Some(Argument { position, value: ArgumentValue::Slot(slot) }),
                Value::Address(_) | Value::Unknown => None,
            }));
            let mut slots = Vec::new();
            for target in targets {
                match target {
                    Target::Function(symbol) => {
                        slots.push(self.extractor.parameter_slot(*symbol, position, function));
                    }
                    Target::Slot(Some(slot)) => slots.push(self.extractor.pointed_parameter(*slot, position, called)),
                    Target::Slot(None) => {}
                }
            }
            let mut stores = self.extractor.stores_into(&slots, values);
            if let Some(function) = function {
                self.extractor.pair_argument(&self.raw, function, position, arguments, &mut stores);
            }
            self.stores.extend(stores);
        }
        passed
    }

    /// Notes a call; false if it is in no file.
    fn pending(
        &mut self,
        site: Site,
        target: Target,
        at: Cursor<'tu>,
        kind: CallKind,
        passed: Vec<Argument>,
        truths: Vec<(u16, TruthId)>,
    ) -> bool {
        let Some(location) = at.location() else { return false };
        let location = self.extractor.location(location);
        let spelling = at.spelling_location().map(|spelling| self.extractor.location(spelling));
        let spelling = spelling.filter(|spelling| *spelling != location);
        let used = at.location();
        let contents = used.map(|at| self.extractor.contents(at.file));
        let text = contents.as_deref().zip(used).and_then(|(contents, at)| contents.get(at.offset as usize..));
        let written = SourceCall::read(text.unwrap_or_default());
        let locking = self.locking(&written, kind);
        let in_region = kind == CallKind::Written && self.is_in_region(at, &written);
        let kind = if in_region { CallKind::Region } else { kind };
        let written = written.argument;
        self.calls.push(PendingCall { site, target, location, spelling, kind, passed, truths, locking, written });
        true
    }

    fn unary(&mut self, node: CursorId, operands: &[CursorId], wanted: bool) -> NodeId {
        let Some(&operand) = operands.first() else { return self.unknown() };
        match self.raw.cursor(node).unary_operator() {
            UnaryOperator::LogicalNot => {
                let inner = self.lower(operand, true);
                self.node(Op::Not, vec![inner])
            }
            UnaryOperator::Extension => self.lower(operand, wanted),
            UnaryOperator::AddressOf => {
                if let Some(local) = self.local(operand) {
                    self.tree.untracked.insert(local.variable);
                }
                let inner = self.lower(operand, false);
                self.node(Op::Opaque, vec![inner])
            }
            UnaryOperator::Step => {
                let lowered = self.lower_all(operands);
                self.change(Some(operand), lowered)
            }
            UnaryOperator::Dereference | UnaryOperator::Other => {
                let lowered = self.lower_all(operands);
                self.node(Op::Opaque, lowered)
            }
        }
    }

    fn binary(&mut self, node: CursorId, operands: &[CursorId], wanted: bool) -> NodeId {
        let [left, right] = operands else {
            let lowered = self.lower_all(operands);
            return self.node(Op::Perhaps, lowered);
        };
        let op = match self.raw.cursor(node).binary_operator() {
            BinaryOperator::LogicalAnd => Op::And,
            BinaryOperator::LogicalOr => Op::Or,
            BinaryOperator::Equal => Op::Equal,
            BinaryOperator::NotEqual => Op::NotEqual,
            BinaryOperator::Comma => {
                let first = self.lower(*left, false);
                let second = self.lower(*right, wanted);
                return self.node(Op::Sequence, vec![first, second]);
            }
            BinaryOperator::Assign => {
                let stores = self.extractor.assignment(&self.raw, *left, *right);
                self.stores.extend(stores);
                let local = self.local(*left);
                let value = self.lower(*right, local.is_some());
                return match local {
                    Some(local) => {
                        self.assigned.push(local.variable);
                        self.node(Op::Assign(local.variable), vec![value])
                    }
                    None => {
                        let target = self.lower(*left, false);
                        self.node(Op::Opaque, vec![target, value])
                    }
                };
            }
            BinaryOperator::Other => {
                let lowered = self.lower_all(operands);
                return self.node(Op::Opaque, lowered);
            }
        };
        let left = self.lower(*left, true);
        let right = self.lower(*right, true);
        self.node(op, vec![left, right])
    }

    /// A node behind which a variable has an unknown value.
    fn change(&mut self, changed: Option<CursorId>, lowered: Vec<NodeId>) -> NodeId {
        match changed.and_then(|changed| self.local(changed)) {
            Some(local) => {
                self.assigned.push(local.variable);
                self.node(Op::Change(local.variable), lowered)
            }
            None => self.node(Op::Opaque, lowered),
        }
    }

    /// libclang does not show which arm was chosen, so calls in the arms may not be made.
    fn generic_selection(&mut self, operands: &[CursorId]) -> NodeId {
        if let Some(&control) = operands.first() {
            let ty = self.raw.cursor(control).ty().pointee().spelling();
            self.chosen_by = Some(ty.trim_start_matches("struct ").to_owned());
        }
        let outer = std::mem::replace(&mut self.unresolved, true);
        // The first is the controlling expression, which is not evaluated.
        let arms = operands.iter().skip(1).map(|&arm| self.lower(arm, false)).collect();
        self.unresolved = outer;
        self.node(Op::Perhaps, arms)
    }

    /// A variable in a block: its initialiser, and what its `cleanup` attribute calls.
    fn declaration(&mut self, node: CursorId) -> NodeId {
        let cursor = self.raw.cursor(node);
        self.extractor.slot_with_marks(cursor, SlotKind::Variable);
        let ty = cursor.ty().kind();
        let is_static = cursor.is_static();
        let scalar = ty == TypeKind::Bool || ty == TypeKind::Integer;
        let variable = (scalar && !is_static).then(|| self.track(cursor, None));
        let initializer = cursor.initializer();
        self.chosen_by = None;
        let mut lowered = Vec::new();
        let mut value = None;
        for operand in self.raw.operands(node) {
            let operand_cursor = self.raw.cursor(operand);
            if !operand_cursor.is_expression() {
                continue;
            }
            if initializer.is_some_and(|initializer| initializer.is_same_node(operand_cursor)) {
                let stores = self.extractor.initialisation(&self.raw, cursor, operand);
                self.stores.extend(stores);
                value = Some(self.lower(operand, variable.is_some()));
            } else if ty == TypeKind::VariableArray {
                // A size that is computed here; anything else is `typeof(…)`, which is not
                // evaluated.
                lowered.push(self.lower(operand, false));
            }
        }
        match (variable, value) {
            (Some(variable), Some(value)) => {
                self.assigned.push(variable);
                lowered.push(self.node(Op::Assign(variable), vec![value]));
            }
            (Some(variable), None) => {
                self.assigned.push(variable);
                lowered.push(self.node(Op::Change(variable), Vec::new()));
            }
            (None, value) => lowered.extend(value),
        }
        if let Some(callee) = self.extractor.cleanup_function(cursor) {
            let site = self.tree.site();
            let kind = if self.unresolved { CallKind::Unresolved } else { CallKind::Cleanup };
            if self.pending(site, Target::Function(callee), cursor, kind, Vec::new(), Vec::new()) {
                lowered.push(self.node(Op::Call { site, returns: true }, Vec::new()));
            }
        }
        self.node(Op::Opaque, lowered)
    }

    fn for_statement(&mut self, node: CursorId, operands: &[CursorId]) -> NodeId {
        let Some((&body, parts)) = operands.split_last() else { return self.unknown() };
        let [init, condition, increment] = match parts {
            [init, condition, increment] => [Some(*init), Some(*condition), Some(*increment)],
            [] => [None; 3],
            _ => match self.for_parts(node, parts) {
                Some(parts) => parts,
                None => return self.for_of_unknown_parts(parts, body),
            },
        };
        let init = init.map(|init| self.lower(init, false));
        let before = self.assigned.len();
        let condition = match condition {
            Some(condition) => self.lower(condition, true),
            None => self.node(Op::Value(Some(1)), Vec::new()),
        };
        let body = self.lower(body, false);
        let increment = match increment {
            Some(increment) => self.lower(increment, false),
            None => self.unknown(),
        };
        let assigned = self.assigned_since(before);
        let whole = self.node(Op::For(assigned), vec![condition, increment, body]);
        // A block of its own: what the initialisation declares ends with the loop.
        let mut sequence: Vec<NodeId> = init.into_iter().collect();
        sequence.push(whole);
        self.node(Op::Sequence, sequence)
    }

    /// A loop whose condition could not be identified: nothing is refined.
    fn for_of_unknown_parts(&mut self, parts: &[CursorId], body: CursorId) -> NodeId {
        let before = self.assigned.len();
        let parts = self.lower_all(parts);
        let parts = self.node(Op::Perhaps, parts);
        let body = self.lower(body, false);
        let unknown = self.unknown();
        let assigned = self.assigned_since(before);
        self.node(Op::For(assigned), vec![parts, unknown, body])
    }

    /// Which parts of a `for` exist: libclang shows those that do, without saying which they are.
    ///
    /// The semicolons tell. They are found in the text, since libclang has no cursor for them.
    fn for_parts(&mut self, node: CursorId, parts: &[CursorId]) -> Option<[Option<CursorId>; 3]> {
        let start = self.raw.cursor(node).start()?;
        let spelled = self.raw.cursor(node).spelling_start()?;
        if start != spelled {
            return None;
        }
        let contents = self.extractor.contents(start.file);
        let text = contents.get(start.offset as usize..)?;
        let semicolons = semicolons_of_for(text)?;
        let mut found = [None; 3];
        for &part in parts {
            let at = self.raw.cursor(part).start()?;
            if at.file != start.file {
                return None;
            }
            let offset = (at.offset as usize).checked_sub(start.offset as usize)?;
            let number = semicolons.iter().filter(|&&semicolon| semicolon < offset).count();
            found[number] = Some(part);
        }
        Some(found)
    }

    fn assigned_since(&self, before: usize) -> Vec<Variable> {
        let mut assigned = self.assigned[before..].to_vec();
        assigned.sort_unstable();
        assigned.dedup();
        assigned
    }

    fn label(&mut self, name: String) -> Label {
        if let Some(&label) = self.labels.get(&name) {
            return label;
        }
        let label = self.tree.label();
        self.labels.insert(name, label);
        label
    }
}

/// A call, with all sites at which the tree shows it.
struct DistinctCall {
    call: PendingCall,
    sites: Vec<Site>,
}

/// Merges the sites of each call, however often the tree shows it: calls by target and location, in
/// source order.
fn distinct(calls: Vec<PendingCall>) -> Vec<DistinctCall> {
    let mut found: Vec<DistinctCall> = Vec::new();
    let mut known: HashMap<(Target, Location, bool), usize> = HashMap::new();
    for call in calls {
        // A macro's own calls and those of its argument are at one location.
        let region = call.kind == CallKind::Region;
        let key = match &call.target {
            Target::Function(function) => (Target::Function(*function), call.location, region),
            Target::Slot(slot) => (Target::Slot(*slot), call.location, region),
        };
        match known.get(&key) {
            Some(&at) => {
                let first = &mut found[at];
                first.sites.push(call.site);
                first.call.kind = first.call.kind.min(call.kind);
                first.call.passed.extend(call.passed);
                first.call.truths.extend(call.truths);
            }
            None => {
                known.insert(key, found.len());
                found.push(DistinctCall { sites: vec![call.site], call });
            }
        }
    }
    found
}

impl DistinctCall {
    /// Its path condition.
    fn reach(&self, outcome: &FlowResult) -> PathCondition {
        let sites = self.sites.iter().map(|site| outcome.reach[site.0 as usize]);
        sites.fold(PathCondition::NEVER, PathCondition::or)
    }

    /// Its arguments, sorted; truth values only where something is known about them.
    fn arguments(&self, outcome: &FlowResult, reach: PathCondition) -> Vec<Argument> {
        let mut truths: Vec<(u16, [PathCondition; 2])> = Vec::new();
        for (position, truth) in &self.call.truths {
            let [may_be_true, may_be_false] = outcome.truths[truth.0 as usize];
            match truths.iter_mut().find(|(known, _)| known == position) {
                Some((_, known)) => *known = [known[0].or(may_be_true), known[1].or(may_be_false)],
                None => truths.push((*position, [may_be_true, may_be_false])),
            }
        }
        let informative = truths.into_iter().filter(|(_, [yes, no])| yes.or(reach) != *yes || no.or(reach) != *no);
        let mut arguments = self.call.passed.clone();
        arguments.extend(informative.map(|(position, [may_be_true, may_be_false])| Argument {
            position,
            value: ArgumentValue::Truth { may_be_true, may_be_false },
        }));
        arguments.sort_unstable();
        arguments.dedup();
        arguments
    }
}

/// The offsets of the two semicolons of `for (…; …; …)` in a text that begins with `for`.
fn semicolons_of_for(text: &[u8]) -> Option<[usize; 2]> {
    let mut depth = 0usize;
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        match text[at] {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    break;
                }
            }
            b';' if depth == 1 => found.push(at),
            quote @ (b'"' | b'\'') => {
                let mut end = 1;
                while rest.get(end).is_some_and(|&byte| byte != quote) {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                at += end;
            }
            b'/' if rest.starts_with(b"//") => {
                at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len() - 1);
            }
            b'/' if rest.starts_with(b"/*") => {
                at += rest.windows(2).skip(2).position(|two| two == b"*/").map_or(rest.len() - 1, |end| end + 3);
            }
            _ => {}
        }
        at += 1;
    }
    found.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_are_found_through_strings_comments_and_blocks() {
        let offsets = |text: &str| semicolons_of_for(text.as_bytes());
        assert_eq!(offsets("for (;;) x;"), Some([5, 6]));
        assert_eq!(offsets("for (a = ({ int b; b; }); c; d)"), Some([24, 27]));
        assert_eq!(offsets("for (a = ';'; s != \";\\\";\"; )"), Some([12, 25]));
        assert_eq!(offsets("for (/* ; */ a; // ;\n b; c)"), Some([14, 23]));
        assert_eq!(offsets("for (a, b)"), None);
        assert_eq!(offsets("for (a"), None);
        assert_eq!(offsets("for (\"\\"), None);
    }
}
