//! Lowering: the cursors of one body become the tree of which [`super::flow`] makes a control-flow graph.
//! Calls and stores are collected on the way.

mod contexts;
mod lines;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::clang::{BinaryOperator, Cursor, CursorKind, TypeKind, UnaryOperator};
use cowrap_facts::{
    Argument, ArgumentValue, Assertion, Body, Call, CallKind, CriticalSection, Location, PairedFlags, PathCondition,
    Release, SlotCall, SlotId, SlotModelId, Store, SymbolId, Value, name_matches,
};

use super::cursor_tree::{CursorId, CursorTree};
use super::flow::{
    self, Arithmetic, CaseValues, Comparison, EntryStates, FlowGraph, FlowTree, HeldLocks, IntegerType, Label, Locking,
    NodeId, Op, Site, SiteOrder, TruthId, Variable, VariableInfo, held_locks,
};
use super::readings::ReadingSet;
use super::slots::TypeClass;
use super::source_text::{SourceCall, last_name};
use super::stores::add_named;
use super::values::{called_type, library_builtin, named_function};
use super::{Extractor, LockAction, LockWord, Reading, Role, SlotKind, UnitFile};

use contexts::ContextMacros;
use lines::Statement;

/// The functions of the C library that do not return and leave only the frame or the thread.
const LEAVING: [&str; 7] =
    ["longjmp", "_longjmp", "siglongjmp", "__longjmp_chk", "__builtin_longjmp", "pthread_exit", "thrd_exit"];

/// A call of the body, before its path condition is known.
struct PendingCall {
    site: Site,
    target: Target,
    location: Location,
    spelling: Option<Location>,
    kind: CallKind,
    /// Whether it is in the argument of a macro that runs it in another thread, as any of the packs says.
    is_in_argument: bool,
    /// The functions and slots among its arguments.
    passed: Vec<Argument>,
    /// What is known of the integers among its arguments, by position.
    integers: Vec<(u16, KnownInteger)>,
    /// What it does with a lock.
    locking: Option<Locking>,
    /// The text between its parentheses, without blanks.
    written: String,
    /// See [`Call::is_change`].
    is_change: bool,
}

/// What is known of an integer that a call passes.
#[derive(Clone, Copy)]
enum KnownInteger {
    /// It is this constant.
    Number(i64),
    /// Its truth may follow from the entry state. If it is just a variable, which one.
    Truth(TruthId, Option<Variable>),
}

/// How many functions and slots a call may name. With more, what is called is unknown.
const MOST_TARGETS: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Target {
    Function(SymbolId),
    Slot(Option<SlotId>),
}

/// Lowers one declaration.
pub(super) struct Lowering<'e, 'a, 'tu> {
    extractor: &'e mut Extractor<'a, 'tu>,
    raw: Rc<CursorTree<'tu>>,
    /// How the pack reads the body.
    reading: &'a Reading,
    /// Whether this is the first reading. The others add nothing else to the facts: no blocks, no declarations.
    is_first: bool,
    /// The readings that say something of what the body names.
    mentioned: ReadingSet,
    tree: FlowTree,
    /// The statements, each before those inside it.
    statements: Vec<Statement>,
    calls: Vec<PendingCall>,
    stores: Vec<Store>,
    /// The functions that the body names other than to call them.
    named: Vec<(SymbolId, Location)>,
    /// The slot of the body's result.
    result: Option<SlotId>,
    /// The variables and parameters whose values may be followed.
    locals: HashMap<usize, Variable>,
    /// The declaration of each variable, by its number.
    declarations: Vec<usize>,
    /// The local variables that are copies of a parameter, where the body changes neither: they are read as it.
    copies: HashMap<usize, Variable>,
    /// The labels, by the statements that they stand before. Local labels of statement expressions share names.
    labels: HashMap<usize, Label>,
    /// The labels whose addresses are taken.
    addressed: HashSet<Label>,
    /// The labels of each `asm goto`, once one was seen.
    asm_labels: Option<AsmLabels>,
    /// Whether the lowered code may not be what the compiler chose (`_Generic`).
    unresolved: bool,
    /// The type by which the last `_Generic` chose, as spelled.
    chosen_by: Option<String>,
    /// The fields that the body assigns, once somebody asked.
    assigned_fields: Option<HashMap<usize, Vec<String>>>,
    /// The macros that tell or change the context.
    context_macros: ContextMacros<'tu>,
}

impl<'tu> Extractor<'_, 'tu> {
    /// Reads the body of a function's definition.
    pub(super) fn body(&mut self, definition: Cursor<'tu>, symbol: SymbolId, location: Location) {
        let outer = std::mem::replace(&mut self.current_function, definition.spelling());
        let count = std::mem::take(&mut self.block_count);
        let result = definition.ty().result();
        let class = self.class(result);
        let result = class.may_hold_functions().then(|| self.result_slot(symbol, Some(definition)));
        let body = self.body_in_readings(definition, result, symbol, location);
        self.facts().bodies.push(body);
        (self.current_function, self.block_count) = (outer, count);
    }

    /// Whether the file that facts are being added to has a declaration. The facts of a unit's main file may depend on
    /// everything in the unit.
    fn is_in_current_file(&mut self, declaration: Cursor<'tu>) -> bool {
        let here = self.pieces[self.current].files.first().copied();
        here == Some(UnitFile(0))
            || declaration.location().is_some_and(|location| Some(self.file(location.file)) == here)
    }
}

impl<'e, 'a, 'tu> Lowering<'e, 'a, 'tu> {
    /// Prepares to lower the cursors of a body in a reading.
    pub(super) fn new(
        extractor: &'e mut Extractor<'a, 'tu>,
        raw: Rc<CursorTree<'tu>>,
        result: Option<SlotId>,
        reading: usize,
    ) -> Self {
        let readings = &extractor.vocabulary.readings;
        Lowering {
            reading: &readings[reading],
            is_first: reading == 0,
            mentioned: ReadingSet::default(),
            extractor,
            raw,
            tree: FlowTree::default(),
            statements: Vec::new(),
            calls: Vec::new(),
            stores: Vec::new(),
            named: Vec::new(),
            result,
            locals: HashMap::new(),
            declarations: Vec::new(),
            copies: HashMap::new(),
            labels: HashMap::new(),
            addressed: HashSet::new(),
            asm_labels: None,
            unresolved: false,
            chosen_by: None,
            assigned_fields: None,
            context_macros: ContextMacros::default(),
        }
    }

    /// The body, and the readings that say something of what it names.
    pub(super) fn body(mut self, symbol: SymbolId, location: Location) -> (Body, ReadingSet) {
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
        let graph = FlowGraph::new(&self.tree, root);
        let flags = flow::flags(&self.tree, &graph);
        let outcome = EntryStates::new(&graph, &flags);
        let assertion = outcome.assertion.and_then(|(context, site)| {
            let call = self.calls.iter().find(|call| call.site == site)?;
            // What a pointer points to may come back in other ways.
            matches!(call.target, Target::Function(_)).then_some(Assertion { context, location: call.location })
        });
        let (critical_sections, releases) = self.held_locks(&graph, &outcome);
        let last_line = self.last_line(location.line);
        let regions = self.regions(&graph, &outcome, [location.line, last_line]);
        let mut calls: Vec<Call> = Vec::new();
        let mut slot_calls: Vec<SlotCall> = Vec::new();
        let pending_calls = distinct(self.calls);
        let order = CallOrder::new(&graph, &outcome, &pending_calls);
        for pending in pending_calls {
            let reach = pending.reach(&outcome);
            let mut arguments = pending.arguments(&outcome, reach);
            arguments.extend(pending.parameters(&self.tree));
            arguments.sort_unstable();
            let (after, ends) = (order.before(&pending.sites), order.sites.ends(&pending.sites));
            let PendingCall { target, location, spelling, kind, is_change, .. } = pending.call;
            match target {
                Target::Function(callee) => {
                    let condition = reach;
                    calls.push(Call { callee, location, spelling, condition, kind, after, ends, is_change, arguments })
                }
                Target::Slot(slot) => {
                    let condition = reach;
                    slot_calls.push(SlotCall { slot, location, condition, kind, after, ends, arguments })
                }
            }
        }
        let mut stores = self.stores;
        add_named(&mut stores, self.named);
        let body = Body {
            symbol,
            location,
            more_lines: last_line - location.line,
            regions,
            flags: flags.iter().map(|flag| flag.fact).collect(),
            calls,
            slot_calls,
            stores,
            returns_after: order.before_end(),
            exit: outcome.exit,
            assertion,
            critical_sections,
            releases,
            readings: Vec::new(),
        };
        (body, self.mentioned)
    }

    /// The locks that the body takes, with the calls that it makes while it holds them, and the
    /// locks that it releases.
    fn held_locks(&self, graph: &FlowGraph, states: &EntryStates) -> (Vec<CriticalSection>, Vec<Release>) {
        let locking: HashMap<Site, Locking> =
            self.calls.iter().filter_map(|call| Some((call.site, call.locking.clone()?))).collect();
        if locking.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let HeldLocks { held, releases } = held_locks(graph, &states.feasible, &locking);
        let mut found: Vec<CriticalSection> = Vec::new();
        let mut inside: HashMap<Site, Vec<Location>> = HashMap::new();
        for call in &self.calls {
            for lock in held.get(&call.site).into_iter().flat_map(|held| held.iter()) {
                // A function that gets the lock as an argument may release it, or is part of what takes
                // it.
                if lock.which.is_empty() || !call.written.contains(&*lock.which) {
                    inside.entry(lock.taken).or_default().push(call.location);
                }
            }
        }
        for taken in self.calls.iter().filter(|call| locking.contains_key(&call.site)) {
            let mut calls = inside.remove(&taken.site).unwrap_or_default();
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

    /// Whether a call is in the argument of a macro that runs its argument in another context, as any pack says, and
    /// as this one does. Calls of the macro itself are spelled elsewhere.
    fn is_in_region(&self, at: Cursor<'tu>, written: &SourceCall) -> [bool; 2] {
        let is_region = |reading: &Reading| reading.regions.contains(&written.word);
        let readings = &self.extractor.vocabulary.readings;
        let (Some(used), Some(spelled)) = (at.location(), at.spelling_location()) else { return [false; 2] };
        let in_argument = used.file == spelled.file && spelled.offset > used.offset;
        [in_argument && readings.iter().any(is_region), in_argument && is_region(self.reading)]
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
        Some(Locking { lock: word.lock, action: word.action, which: written.argument.as_str().into() })
    }

    fn parameter(&mut self, node: CursorId, position: u16) {
        let cursor = self.raw.cursor(node);
        if self.is_first {
            self.extractor.slot_with_marks(cursor, SlotKind::Parameter);
        }
        if let Some(ty) = integer_type(cursor) {
            self.track(cursor, ty, Some(position));
        }
    }

    fn track(&mut self, declaration: Cursor<'tu>, ty: IntegerType, parameter: Option<u16>) -> Variable {
        let variable = self.tree.variable(VariableInfo { ty, parameter });
        let key = declaration.canonical_key();
        self.locals.insert(key, variable);
        self.declarations.resize(variable.0 as usize + 1, key);
        if declaration.ty().is_volatile() {
            self.tree.untracked.insert(variable);
        }
        variable
    }

    /// The variable that an expression is, if its value may be followed.
    fn local(&self, node: CursorId) -> Option<Variable> {
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

    /// Lowers one node that is no macro of the pack.
    fn lower_node(&mut self, node: CursorId, wanted: bool) -> NodeId {
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
                Some(&inner) => {
                    let [to, from] = [node, self.raw.strip(inner)].map(|node| self.raw.cursor(node).ty());
                    self.extractor.join_pointed_records(to, from);
                    let value = self.lower(inner, wanted);
                    self.converted(node, inner, value, wanted)
                }
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
            // The operands of `sizeof`, `_Alignof` … are not evaluated.
            UnaryExpr | IntegerLiteral | CharacterLiteral | BoolLiteral => {
                let value = if wanted { self.raw.cursor(node).evaluate_integer() } else { None };
                self.node(Op::Value(value), Vec::new())
            }
            NullPointerLiteral => self.node(Op::Value(Some(0)), Vec::new()),
            // It is true: `assert(!in_handler() && "why")`.
            StringLiteral if wanted => self.node(Op::Value(Some(1)), Vec::new()),
            AddrLabelExpr => {
                if let Some(label) = self.named_label(node)
                    && self.addressed.insert(label)
                {
                    self.tree.address_taken.push(label);
                }
                self.unknown()
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
            CompoundAssignOperator => self.compound_assignment(node, &operands),
            ConditionalOperator if operands.len() == 3 => {
                let condition = self.lower(operands[0], true);
                let yes = self.statement(operands[1], wanted);
                let no = self.statement(operands[2], wanted);
                self.node(Op::Conditional, vec![condition, yes, no])
            }
            StmtExpr | CompoundStmt => {
                let mut lowered = Vec::new();
                for (position, &child) in operands.iter().enumerate() {
                    // The last statement of `({ … })` is its value.
                    let last = position + 1 == operands.len();
                    lowered.push(self.statement(child, wanted && last));
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
                if let Some(location) = cursor.location().filter(|_| self.is_first) {
                    let location = self.extractor.location(location);
                    self.extractor.function(cursor, location);
                }
                self.unknown()
            }
            StructDecl | UnionDecl | EnumDecl | TypedefDecl => {
                if self.is_first {
                    self.extractor.type_declaration(self.raw.cursor(node));
                }
                self.unknown()
            }
            IfStmt if operands.len() >= 2 => {
                let guard = self.take_guard();
                let condition = self.lower(operands[0], true);
                let mut children = vec![condition];
                children.extend(operands[1..].iter().map(|&arm| self.guarded(arm, guard)));
                self.node(Op::If, children)
            }
            WhileStmt if operands.len() == 2 => {
                let guard = self.take_guard();
                let condition = self.lower(operands[0], true);
                let body = self.guarded(operands[1], guard);
                self.node(Op::While, vec![condition, body])
            }
            DoStmt if operands.len() == 2 => {
                let body = self.statement(operands[0], false);
                let condition = self.lower(operands[1], true);
                self.node(Op::Do, vec![body, condition])
            }
            ForStmt => self.for_statement(node, &operands),
            SwitchStmt if operands.len() == 2 => self.switch(operands[0], operands[1]),
            kind @ (CaseStmt | DefaultStmt) => match operands.split_last() {
                // The values before the statement are constants.
                Some((&statement, values)) => {
                    let values = if kind == DefaultStmt { CaseValues::Default } else { self.case_values(values) };
                    self.case(values, statement)
                }
                None => self.unknown(),
            },
            LabelStmt => {
                let label = self.label(self.raw.cursor(node));
                let lowered = operands.iter().map(|&operand| self.statement(operand, false)).collect();
                self.node(Op::Label(label), lowered)
            }
            GotoStmt => {
                let op = self.named_label(node).map_or(Op::GotoAny, Op::Goto);
                self.node(op, Vec::new())
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
                    if let Some(variable) = self.local(operand) {
                        self.tree.untracked.insert(variable);
                    }
                    let stores = self.extractor.assembly_stores(&self.raw, operand);
                    self.stores.extend(stores);
                }
                let lowered = self.lower_all(&operands);
                let jumps = self.jumps_of_asm(node);
                let lowered = self.node(Op::Perhaps, lowered);
                self.node(jumps, vec![lowered])
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
            [inner] => {
                let value = self.lower(*inner, wanted);
                self.converted(node, *inner, value, wanted)
            }
            // libclang shows `x ?: y` as x for the value, x for the condition, x for the result, and y.
            [value, _, _, otherwise] if self.raw.is_short_conditional(operands) => {
                let value = self.lower(*value, true);
                let otherwise = self.lower(*otherwise, wanted);
                self.node(Op::Otherwise, vec![value, otherwise])
            }
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
            // Atomic operations, `[i] = value` …
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
                match self.locals.get(&declaration.canonical_key()).copied() {
                    Some(variable) => self.read(declaration, variable),
                    None if wanted => {
                        let value = self.constant_of(declaration);
                        self.node(Op::Value(value), Vec::new())
                    }
                    None => self.unknown(),
                }
            }
            CursorKind::EnumConstantDecl => self.node(Op::Value(Some(declaration.enumerator_value())), Vec::new()),
            _ => self.unknown(),
        }
    }

    /// The value of a variable that may be followed.
    fn read(&mut self, declaration: Cursor<'tu>, variable: Variable) -> NodeId {
        let Some(parameter) = self.copies.get(&declaration.canonical_key()).copied() else {
            return self.node(Op::Read(variable), Vec::new());
        };
        let [own, copied] = [variable, parameter].map(|variable| self.tree.variables()[variable.0 as usize].ty);
        let read = self.node(Op::Read(parameter), Vec::new());
        if own == copied { read } else { self.node(Op::Convert(own), vec![read]) }
    }

    /// Notes that a variable is a copy of a parameter, if its initialiser is just that and the body changes neither.
    /// What is known of the parameter then holds for the variable.
    fn note_copy(&mut self, declared: Cursor<'tu>, variable: Variable, initializer: CursorId, value: NodeId) {
        let own = self.tree.variables()[variable.0 as usize].ty;
        let read = match self.tree.look(value) {
            (Op::Convert(ty), [inner]) if *ty == own => *inner,
            _ => value,
        };
        let (Some(parameter), Some(source)) = (self.read_variable(read), self.variable_named(initializer)) else {
            return;
        };
        let is_parameter = self.tree.variables()[parameter.0 as usize].parameter.is_some();
        if !is_parameter || [variable, parameter].iter().any(|variable| self.tree.untracked.contains(variable)) {
            return;
        }
        let copied = self.declarations.get(parameter.0 as usize).copied();
        let copied = copied.filter(|key| self.locals.get(key) == Some(&parameter));
        let keys = [Some(declared.canonical_key()), Some(source.canonical_key()), copied];
        let changed = self.changed_variables();
        if keys.into_iter().flatten().all(|key| !changed.contains(&key)) {
            self.copies.insert(declared.canonical_key(), parameter);
        }
    }

    /// The value of a variable that is a constant.
    fn constant_of(&mut self, variable: Cursor<'tu>) -> Option<i64> {
        let integer = constant_type(variable)?;
        let initializer = match variable.initializer() {
            Some(initializer) => initializer,
            None => {
                // The facts of a header must not depend on a definition elsewhere.
                let definition = self.extractor.definition(variable)?;
                self.extractor.is_in_current_file(definition).then(|| definition.initializer())??
            }
        };
        Some(integer.convert(initializer.evaluate_integer()?))
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
            let referenced =
                self.raw.cursor(inner).referenced().filter(|_| self.raw.kind(inner) == CursorKind::DeclRefExpr);
            if referenced.is_some_and(is_shared)
                && let Some(variable) = self.local(inner)
            {
                self.tree.untracked.insert(variable);
            }
        }
        if self.is_first {
            self.extractor.block(block);
        }
    }

    fn call(&mut self, node: CursorId, operands: &[CursorId]) -> NodeId {
        let Some((&callee, arguments)) = operands.split_first() else { return self.unknown() };
        let callee = self.raw.strip(callee);
        let function = named_function(&self.raw, callee);
        let info = function.map(|function| self.extractor.function_info(function));
        self.mentioned |= info.map(|info| info.readings).unwrap_or_default();
        let told = function.filter(|_| info.is_some_and(|info| !info.readings.is_empty()));
        let told = told.map(|function| function.spelling());
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
        let mut integers = Vec::new();
        let integer_parameters = info.map_or(0, |info| info.integer_parameters);
        for (position, &argument) in arguments.iter().enumerate() {
            let Ok(position) = u16::try_from(position) else {
                lowered.push(self.lower(argument, false));
                continue;
            };
            let bit = 1u32.checked_shl(u32::from(position)).unwrap_or(0);
            let is_integer = integer_parameters & bit != 0;
            let value = self.lower(argument, is_integer);
            if let (true, Some(number)) = (is_integer, self.tree.constant(value)) {
                integers.push((position, KnownInteger::Number(number)));
                lowered.push(value);
            } else if is_integer && self.is_informative(value) {
                let truth = self.tree.truth();
                integers.push((position, KnownInteger::Truth(truth, self.read_variable(value))));
                lowered.push(self.node(Op::Truth(truth), vec![value]));
            } else {
                lowered.push(value);
            }
        }
        // A reader looks for the callee's name; in `a->b()` it is where the call begins.
        let at = if function.is_some() { self.raw.cursor(callee) } else { self.raw.cursor(node) };
        let kind = if self.unresolved { CallKind::Unresolved } else { CallKind::Written };
        let mut sites = Vec::new();
        let returns = match info {
            Some(info) => info.returns && !told.as_ref().is_some_and(|name| self.reading.noreturn.contains(name)),
            None => !super::is_noreturn_type(called_type(self.raw.cursor(callee).ty())),
        };
        if !returns {
            self.mentioned |= self.extractor.reading_names.with_crashes;
        }
        let is_leaving = !returns && function.is_some_and(|function| self.is_leaving(&function.spelling()));
        for (number, target) in targets.into_iter().enumerate() {
            let site = self.tree.site();
            let made = self.pending(site, target, at, kind, passed.clone(), integers.clone());
            if !made {
                return self.node(Op::Opaque, lowered);
            }
            let returns = number > 0 || returns;
            if is_leaving {
                self.tree.leaving.insert(site);
            }
            sites.push(self.node(Op::Call { site, returns }, std::mem::take(&mut lowered)));
        }
        if let Some(name) = told {
            if let Some(answer) = self.answer(&name) {
                sites.push(answer);
                return self.node(Op::Sequence, sites);
            }
            let is_elsewhere = self.calls.last().is_some_and(|call| call.kind == CallKind::Region);
            if !is_elsewhere {
                let entered = self.changes_of_call(node, &name, arguments);
                if !entered.is_empty() {
                    self.calls.iter_mut().rev().take(sites.len()).for_each(|call| call.is_change = true);
                }
                sites.extend(entered);
            }
            if self.reading.changes.iter().any(|change| change.result.is_some() && name_matches(&change.name, &name)) {
                // The last is the result.
                return self.node(Op::Sequence, sites);
            }
        }
        match sites.as_slice() {
            [only] => *only,
            _ => self.node(Op::Opaque, sites),
        }
    }

    /// Whether a function that does not return leaves only the frame or the thread, or ends the program in a way that
    /// the pack does not count.
    fn is_leaving(&self, name: &str) -> bool {
        let Reading { leaves, crashes, .. } = self.reading;
        LEAVING.contains(&name)
            || leaves.contains(name)
            || crashes.as_ref().is_some_and(|crashes| !crashes.contains(name))
    }

    /// The possible callees: one function or slot, or several, as in `(c ? f : g)(…)`.
    fn targets(&mut self, callee: CursorId) -> Vec<Target> {
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        for named in self.extractor.values(&self.raw, callee) {
            let target = match named.value {
                Value::Function(function) => Target::Function(function),
                Value::Slot(slot) => Target::Slot(Some(slot)),
                Value::Address(_) | Value::Unknown => Target::Slot(None),
            };
            if known.insert(target.clone()) {
                found.push(target);
            }
        }
        if found.is_empty() || found.len() > MOST_TARGETS {
            found = vec![Target::Slot(None)];
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
            let mut values = self.extractor.values(&self.raw, argument);
            // `free(table)` gets a pointer to memory, and not what is in it.
            if self.extractor.class(inner) == TypeClass::SlotPointer
                && self.extractor.class(called.parameter(position)) == TypeClass::AnyPointer
            {
                values.retain(|named| !matches!(named.value, Value::Slot(_)));
            }
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
        integers: Vec<(u16, KnownInteger)>,
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
        let [is_in_argument, in_region] = self.is_in_region(at, &written);
        let kind = if in_region && kind == CallKind::Written { CallKind::Region } else { kind };
        let written = written.argument;
        let is_change = self.is_of_guard(at);
        self.calls.push(PendingCall {
            site,
            target,
            location,
            spelling,
            kind,
            is_in_argument,
            passed,
            integers,
            locking,
            written,
            is_change,
        });
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
                if let Some(variable) = self.local(operand) {
                    self.tree.untracked.insert(variable);
                }
                let inner = self.lower(operand, false);
                self.node(Op::Opaque, vec![inner])
            }
            UnaryOperator::Step => {
                let lowered = self.lower_all(operands);
                self.change(Some(operand), lowered)
            }
            operator @ (UnaryOperator::Minus | UnaryOperator::Complement | UnaryOperator::Plus) if wanted => {
                let inner = self.lower(operand, true);
                let Some(ty) = integer_type(self.raw.cursor(node)) else {
                    return self.node(Op::Opaque, vec![inner]);
                };
                let (operation, number) = match operator {
                    UnaryOperator::Minus => (Arithmetic::Subtract, 0),
                    UnaryOperator::Complement => (Arithmetic::Xor, -1),
                    _ => (Arithmetic::Add, 0),
                };
                let number = self.node(Op::Value(Some(number)), Vec::new());
                self.node(Op::Arithmetic(operation, ty), vec![number, inner])
            }
            _ => {
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
        let operator = self.raw.cursor(node).binary_operator();
        if let Some(compared) = self.compared(operator, [*left, *right]) {
            return compared;
        }
        match operator {
            BinaryOperator::LogicalAnd | BinaryOperator::LogicalOr => {
                let op = if operator == BinaryOperator::LogicalAnd { Op::And } else { Op::Or };
                let left = self.lower(*left, true);
                let right = self.statement(*right, true);
                self.node(op, vec![left, right])
            }
            BinaryOperator::Comma => {
                let first = self.lower(*left, false);
                let second = self.lower(*right, wanted);
                self.node(Op::Sequence, vec![first, second])
            }
            BinaryOperator::Assign => {
                let stores = self.extractor.assignment(&self.raw, *left, *right);
                self.stores.extend(stores);
                let local = self.local(*left);
                let value = self.lower(*right, local.is_some());
                match local {
                    Some(variable) => self.node(Op::Assign(variable), vec![value]),
                    None => {
                        let target = self.lower(*left, false);
                        self.node(Op::Opaque, vec![target, value])
                    }
                }
            }
            _ => self.operation(operator, node, [*left, *right], wanted),
        }
    }

    /// A comparison or arithmetic.
    fn operation(
        &mut self,
        operator: BinaryOperator,
        node: CursorId,
        [left, right]: [CursorId; 2],
        wanted: bool,
    ) -> NodeId {
        // A constant expression, such as `1 << 3`, makes no calls.
        if wanted && let Some(value) = self.raw.cursor(node).evaluate_integer() {
            return self.node(Op::Value(Some(value)), Vec::new());
        }
        let ty = integer_type(self.raw.cursor(left));
        if let Some(comparison) = comparison(operator) {
            let is_wanted = wanted || matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            let operands = [left, right].map(|operand| self.lower(operand, is_wanted)).to_vec();
            return self.node(Op::Compare(comparison, ty), operands);
        }
        if let (Some(arithmetic), Some(ty), true) = (arithmetic(operator), ty, wanted) {
            let operands = [left, right].map(|operand| self.lower(operand, true)).to_vec();
            return self.node(Op::Arithmetic(arithmetic, ty), operands);
        }
        let lowered = self.lower_all(&[left, right]);
        self.node(Op::Opaque, lowered)
    }

    /// `x |= y` and the like.
    fn compound_assignment(&mut self, node: CursorId, operands: &[CursorId]) -> NodeId {
        if let [left, right] = *operands
            && let Some(variable) = self.local(left)
            && let Some(arithmetic) = arithmetic(self.raw.cursor(node).binary_operator())
            && let Some(ty) = self.type_of_operation(left, right)
        {
            let value = self.lower(right, true);
            if arithmetic == Arithmetic::Or && integer_type(self.raw.cursor(left)).is_some_and(IntegerType::is_bool) {
                let yes = self.node(Op::Value(Some(1)), Vec::new());
                let yes = self.node(Op::Assign(variable), vec![yes]);
                return self.node(Op::If, vec![value, yes]);
            }
            let read = self.node(Op::Read(variable), Vec::new());
            let result = self.node(Op::Arithmetic(arithmetic, ty), vec![read, value]);
            return self.node(Op::Assign(variable), vec![result]);
        }
        let lowered = self.lower_all(operands);
        self.change(operands.first().copied(), lowered)
    }

    /// The type in which `x |= y` is computed: that of `x`, but for `bool` that of an integer.
    fn type_of_operation(&self, left: CursorId, right: CursorId) -> Option<IntegerType> {
        let [left, right] = [left, right].map(|node| integer_type(self.raw.cursor(node)));
        let int = IntegerType { bits: 32, signed: true };
        left.map(|ty| if ty.is_bool() { right.filter(|right| right.bits > int.bits).unwrap_or(int) } else { ty })
    }

    /// A value behind a cast, written or implicit.
    fn converted(&mut self, cast: CursorId, inner: CursorId, value: NodeId, wanted: bool) -> NodeId {
        if !wanted {
            return value;
        }
        match [cast, inner].map(|node| integer_type(self.raw.cursor(node))) {
            [Some(to), Some(from)] if to != from => self.node(Op::Convert(to), vec![value]),
            // A pointer is true if it is not null.
            [Some(to), None] if !to.is_bool() => self.node(Op::Opaque, vec![value]),
            _ => value,
        }
    }

    /// Whether an argument's truth may follow from the entry state.
    fn is_informative(&self, node: NodeId) -> bool {
        match self.tree.look(node) {
            (Op::Read(_) | Op::Predicate(_) | Op::Not | Op::And | Op::Or | Op::Compare(..), _) => true,
            (Op::Conditional | Op::Otherwise | Op::Arithmetic(Arithmetic::And, _), _) => true,
            (Op::Convert(_) | Op::Sequence, [.., last]) => self.is_informative(*last),
            _ => false,
        }
    }

    /// The variable that a node reads, if that is all it does.
    fn read_variable(&self, node: NodeId) -> Option<Variable> {
        match self.tree.look(node) {
            (Op::Read(variable), _) => Some(*variable),
            (Op::Convert(ty), [inner]) => {
                let read = self.read_variable(*inner)?;
                (self.tree.variables().get(read.0 as usize)?.ty == *ty).then_some(read)
            }
            _ => None,
        }
    }

    fn case_values(&mut self, values: &[CursorId]) -> CaseValues {
        let number = |node: Option<&CursorId>| self.raw.cursor(*node?).evaluate_integer();
        match (number(values.first()), number(values.last())) {
            (Some(first), Some(last)) => CaseValues::Range(first, last),
            _ => CaseValues::Unknown,
        }
    }

    /// The jumps of an `asm` statement. libclang does not show its labels, so they are read from the body as clang
    /// prints it, in which macros are expanded.
    fn jumps_of_asm(&mut self, node: CursorId) -> Op {
        if self.asm_labels.is_none() {
            self.asm_labels = Some(self.read_asm_labels());
        }
        let labels = self.asm_labels.as_ref().and_then(|read| {
            let printed = read.printed.get(&self.raw.cursor(node).node_key())?;
            let named = |name: &String| read.by_name.get(name).into_iter().flatten().copied();
            let labels: Vec<Label> = printed.iter().flat_map(named).collect();
            Some((printed.len(), labels))
        });
        match labels {
            Some((names, labels)) if labels.len() > names + MOST_SAME_LABELS => Op::MayGotoAny,
            Some((_, labels)) => Op::MayGoto(labels),
            // clang does not print a block by itself.
            None if self.may_be_asm_goto(node) => Op::MayGotoAny,
            None => Op::MayGoto(Vec::new()),
        }
    }

    fn read_asm_labels(&mut self) -> AsmLabels {
        let mut read = AsmLabels::default();
        let mut labels = HashSet::new();
        for label in self.raw.of_kind(CursorKind::LabelStmt) {
            let cursor = self.raw.cursor(label);
            let label = self.label(cursor);
            // Local labels of statement expressions have the same name. Any of them may be meant.
            if labels.insert(label) {
                read.by_name.entry(cursor.spelling()).or_default().push(label);
            }
        }
        // A statement that the tree shows twice is printed once.
        let mut statements: Vec<usize> = Vec::new();
        let mut known = HashSet::new();
        for statement in self.raw.of_kind(CursorKind::GccAsmStmt) {
            let key = self.raw.cursor(statement).node_key();
            if known.insert(key) {
                statements.push(key);
            }
        }
        let printed = if read.by_name.is_empty() {
            vec![Vec::new(); statements.len()]
        } else {
            asm_labels(&self.raw.cursor(0).printed_with_body())
        };
        if printed.len() == statements.len() {
            read.printed = statements.into_iter().zip(printed).collect();
        }
        read
    }

    /// Whether an `asm` statement is perhaps an `asm goto`, as its text says. What a macro says is unknown.
    fn may_be_asm_goto(&mut self, node: CursorId) -> bool {
        let Some(start) = self.raw.cursor(node).spelling_start() else { return true };
        let contents = self.extractor.contents(start.file);
        let text = contents.get(start.offset as usize..).unwrap_or_default();
        let words = text.split(|byte| *byte == b'(').next().unwrap_or_default();
        let is_plain = |word: &[u8]| {
            matches!(word, b"asm" | b"__asm" | b"__asm__" | b"volatile" | b"__volatile" | b"__volatile__")
                || matches!(word, b"inline" | b"__inline" | b"__inline__")
        };
        let mut words = words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        !words.all(is_plain)
    }

    /// A node behind which a variable has an unknown value.
    fn change(&mut self, changed: Option<CursorId>, lowered: Vec<NodeId>) -> NodeId {
        match changed.and_then(|changed| self.local(changed)) {
            Some(variable) => self.node(Op::Change(variable), lowered),
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
        if self.is_first {
            self.extractor.slot_with_marks(cursor, SlotKind::Variable);
        }
        let ty = cursor.ty().kind();
        let integer = integer_type(cursor).filter(|_| !cursor.is_static());
        let variable = integer.map(|integer| self.track(cursor, integer, None));
        let initializer = cursor.initializer();
        self.chosen_by = None;
        let mut lowered = Vec::new();
        let (mut value, mut kept) = (None, Vec::new());
        for operand in self.raw.operands(node) {
            let operand_cursor = self.raw.cursor(operand);
            if !operand_cursor.is_expression() {
                continue;
            }
            if initializer.is_some_and(|initializer| initializer.is_same_node(operand_cursor)) {
                let mut stores = self.extractor.initialisation(&self.raw, cursor, operand);
                self.forget_assigned_flags(cursor, &mut stores);
                self.stores.extend(stores);
                let lowered = self.lower(operand, variable.is_some());
                value = Some(lowered);
                if let Some(variable) = variable {
                    self.note_copy(cursor, variable, operand, lowered);
                }
                kept = self.keep(cursor, operand);
            } else if ty == TypeKind::VariableArray {
                // A size that is computed here; anything else is `typeof(…)`, which is not
                // evaluated.
                lowered.push(self.lower(operand, false));
            }
        }
        match (variable, value) {
            (Some(variable), Some(value)) => {
                lowered.push(self.node(Op::Assign(variable), vec![value]));
            }
            (Some(variable), None) => {
                lowered.push(self.node(Op::Change(variable), Vec::new()));
            }
            (None, value) => lowered.extend(value),
        }
        lowered.extend(kept);
        if let Some(callee) = self.extractor.cleanup_function(cursor) {
            let stores = self.extractor.cleanup_stores(cursor, callee);
            self.stores.extend(stores);
            // A guard's cleanup runs at the end of its scope.
            lowered.extend(self.take_guard().map(|guard| guard.enter));
            let site = self.tree.site();
            let kind = if self.unresolved { CallKind::Unresolved } else { CallKind::Cleanup };
            if self.pending(site, Target::Function(callee), cursor, kind, Vec::new(), Vec::new()) {
                lowered.push(self.node(Op::Call { site, returns: true }, Vec::new()));
            }
        }
        self.node(Op::Opaque, lowered)
    }

    /// The fields that the body assigns, by the variable that they are part of.
    fn assigned_fields(&mut self) -> &HashMap<usize, Vec<String>> {
        let raw = Rc::clone(&self.raw);
        self.assigned_fields.get_or_insert_with(|| {
            let variable_of = |mut node: CursorId| {
                while matches!(raw.kind(node), CursorKind::MemberRefExpr | CursorKind::ArraySubscriptExpr)
                    && let Some(&object) = raw.operands(node).first()
                {
                    node = raw.strip(object);
                }
                raw.cursor(node).referenced().filter(|_| raw.kind(node) == CursorKind::DeclRefExpr)
            };
            let mut assigned: HashMap<usize, Vec<String>> = HashMap::new();
            let assignments = raw.of_kind(CursorKind::BinaryOperator).into_iter();
            for node in assignments.filter(|node| raw.cursor(*node).binary_operator() == BinaryOperator::Assign) {
                let left = raw.operands(node).first().map(|&left| raw.strip(left));
                if let Some(left) = left.filter(|left| raw.kind(*left) == CursorKind::MemberRefExpr)
                    && let Some(variable) = variable_of(left)
                {
                    assigned.entry(variable.declaration_key()).or_default().push(raw.cursor(left).spelling());
                }
            }
            assigned
        })
    }

    /// Forgets the flags beside slots of a variable that the body assigns after its initialiser.
    fn forget_assigned_flags(&mut self, declared: Cursor<'tu>, stores: &mut [Store]) {
        if stores.iter().all(|store| store.paired_flags == PairedFlags::NONE) {
            return;
        }
        let Some(assigned) = self.assigned_fields().get(&declared.declaration_key()).cloned() else { return };
        let paired = self.extractor.vocabulary.paired_fields.values().flatten();
        let models: Vec<SlotModelId> =
            paired.filter(|paired| assigned.contains(&paired.flag)).map(|paired| paired.model).collect();
        for store in stores {
            store.paired_flags = store.paired_flags.iter().filter(|flag| !models.contains(&flag.model)).collect();
        }
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
        let guard = self.take_guard();
        let condition = match condition {
            Some(condition) => self.lower(condition, true),
            None => self.node(Op::Value(Some(1)), Vec::new()),
        };
        let body = self.guarded(body, guard);
        let increment = match increment {
            Some(increment) => self.lower(increment, false),
            None => self.unknown(),
        };
        let whole = self.node(Op::For, vec![condition, increment, body]);
        // A block of its own: what the initialisation declares ends with the loop.
        let mut sequence: Vec<NodeId> = init.into_iter().collect();
        sequence.push(whole);
        self.node(Op::Sequence, sequence)
    }

    /// A loop whose condition could not be identified: nothing is refined.
    fn for_of_unknown_parts(&mut self, parts: &[CursorId], body: CursorId) -> NodeId {
        let parts = self.lower_all(parts);
        let parts = self.node(Op::Perhaps, parts);
        let guard = self.take_guard();
        let body = self.guarded(body, guard);
        let unknown = self.unknown();
        self.node(Op::For, vec![parts, unknown, body])
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
        // Parentheses that macros close are never closed in the text.
        let semicolons = semicolons_of_for(&text[..text.len().min(LONGEST_FOR)])?;
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

    /// The label before a statement.
    fn label(&mut self, statement: Cursor<'tu>) -> Label {
        *self.labels.entry(statement.node_key()).or_insert_with(|| self.tree.label())
    }

    /// The label that `goto` or `&&` names.
    fn named_label(&mut self, node: CursorId) -> Option<Label> {
        let &label = self.raw.children(node).first()?;
        let statement = self.raw.cursor(label).referenced()?;
        (statement.kind() == CursorKind::LabelStmt).then(|| self.label(statement))
    }
}

/// A call, with all sites at which the tree shows it.
struct DistinctCall {
    call: PendingCall,
    sites: Vec<Site>,
    /// For each site, what is known of the integers that it passes.
    integers: Vec<Vec<(u16, KnownInteger)>>,
}

/// Merges the sites of each call, however often the tree shows it: calls by target and location, in
/// source order.
fn distinct(calls: Vec<PendingCall>) -> Vec<DistinctCall> {
    let mut found: Vec<DistinctCall> = Vec::new();
    let mut known: HashMap<(Target, Location, bool), usize> = HashMap::new();
    for call in calls {
        // A macro's own calls and those of its argument are at one location. All readings have the same calls.
        let key = match &call.target {
            Target::Function(function) => (Target::Function(*function), call.location, call.is_in_argument),
            Target::Slot(slot) => (Target::Slot(*slot), call.location, call.is_in_argument),
        };
        match known.get(&key) {
            Some(&at) => {
                let first = &mut found[at];
                first.sites.push(call.site);
                first.call.kind = first.call.kind.min(call.kind);
                first.call.is_change |= call.is_change;
                first.call.passed.extend(call.passed);
                first.integers.push(call.integers);
            }
            None => {
                known.insert(key, found.len());
                let integers = vec![call.integers.clone()];
                found.push(DistinctCall { sites: vec![call.site], integers, call });
            }
        }
    }
    found
}

impl DistinctCall {
    /// Its path condition.
    fn reach(&self, outcome: &EntryStates) -> PathCondition {
        let sites = self.sites.iter().map(|site| outcome.reach[site.0 as usize]);
        sites.fold(PathCondition::NEVER, PathCondition::or)
    }

    /// Its arguments, sorted; truth values only where something is known about them.
    fn arguments(&self, outcome: &EntryStates, reach: PathCondition) -> Vec<Argument> {
        let mut arguments = self.call.passed.clone();
        let positions = self.integers.iter().flatten().map(|(position, _)| *position).collect::<BTreeSet<u16>>();
        arguments.extend(positions.into_iter().filter_map(|position| {
            let value = self.integer(position, outcome)?;
            let is_informative = match value {
                ArgumentValue::Truth { may_be_true, may_be_false } => {
                    may_be_true.or(reach) != may_be_true || may_be_false.or(reach) != may_be_false
                }
                _ => true,
            };
            is_informative.then_some(Argument { position, value })
        }));
        arguments.sort_unstable();
        arguments.dedup();
        arguments
    }

    /// The arguments that are just a parameter of the body, at all sites, and that the body does not change.
    fn parameters(&self, tree: &FlowTree) -> Vec<Argument> {
        let Some((first, others)) = self.integers.split_first() else { return Vec::new() };
        let passed = |integers: &[(u16, KnownInteger)], at: u16| {
            integers.iter().find_map(|(position, known)| match known {
                KnownInteger::Truth(_, variable) if *position == at => *variable,
                _ => None,
            })
        };
        let positions = first.iter().map(|(position, _)| *position);
        let parameters = positions.filter_map(|position| {
            let variable = passed(first, position)?;
            let is_kept = !tree.untracked.contains(&variable) && !tree.is_assigned(variable);
            let is_same = others.iter().all(|integers| passed(integers, position) == Some(variable));
            let parameter = tree.variables().get(variable.0 as usize)?.parameter.filter(|_| is_kept && is_same)?;
            Some(Argument { position, value: ArgumentValue::Parameter(parameter) })
        });
        parameters.collect()
    }

    /// What is known of the integer at a position, whichever site passes it. Calls in an argument of a macro have one
    /// location, and pass different arguments.
    fn integer(&self, position: u16, outcome: &EntryStates) -> Option<ArgumentValue> {
        let mut number = None;
        let mut is_same = true;
        let (mut may_be_true, mut may_be_false) = (PathCondition::NEVER, PathCondition::NEVER);
        for (site, integers) in self.sites.iter().zip(&self.integers) {
            let (_, known) = integers.iter().find(|(known, _)| *known == position)?;
            let [yes, no] = match *known {
                KnownInteger::Number(value) => {
                    is_same &= number.is_none_or(|number| number == value);
                    number = Some(value);
                    let reach = outcome.reach[site.0 as usize];
                    if value != 0 { [reach, PathCondition::NEVER] } else { [PathCondition::NEVER, reach] }
                }
                KnownInteger::Truth(truth, _) => {
                    is_same = false;
                    outcome.truths[truth.0 as usize]
                }
            };
            (may_be_true, may_be_false) = (may_be_true.or(yes), may_be_false.or(no));
        }
        match number.filter(|_| is_same) {
            Some(number) => Some(ArgumentValue::Number(number)),
            None => Some(ArgumentValue::Truth { may_be_true, may_be_false }),
        }
    }
}

/// The order of a body's calls.
struct CallOrder {
    sites: SiteOrder,
    /// The positions in [`Body::calls`] of the calls that certainly run in place.
    positions: HashMap<Site, u32>,
}

impl CallOrder {
    fn new(graph: &FlowGraph, states: &EntryStates, calls: &[DistinctCall]) -> CallOrder {
        let mut positions = HashMap::new();
        let named = calls.iter().filter(|call| matches!(call.call.target, Target::Function(_)));
        for (position, call) in named.enumerate().filter(|(_, call)| call.call.kind.is_in_place()) {
            positions.extend(call.sites.iter().map(|site| (*site, position as u32)));
        }
        let landmarks: HashSet<Site> = positions.keys().copied().collect();
        CallOrder { sites: SiteOrder::new(graph, &states.feasible, &landmarks), positions }
    }

    fn before(&self, sites: &[Site]) -> Option<u32> {
        self.positions.get(&self.sites.before(sites)?).copied()
    }

    fn before_end(&self) -> Option<u32> {
        self.positions.get(&self.sites.before_end()?).copied()
    }
}

/// The integer type of a variable whose value never changes.
pub(super) fn constant_type(variable: Cursor<'_>) -> Option<IntegerType> {
    let ty = variable.ty();
    (ty.is_const() && !ty.is_volatile()).then(|| integer_type(variable))?
}

/// The integer type of an expression or declaration.
fn integer_type(cursor: Cursor<'_>) -> Option<IntegerType> {
    cursor.ty().integer().map(|(bits, signed)| IntegerType { bits, signed })
}

fn comparison(operator: BinaryOperator) -> Option<Comparison> {
    Some(match operator {
        BinaryOperator::Equal => Comparison::Equal,
        BinaryOperator::NotEqual => Comparison::NotEqual,
        BinaryOperator::Less => Comparison::Less,
        BinaryOperator::LessOrEqual => Comparison::LessOrEqual,
        BinaryOperator::Greater => Comparison::Greater,
        BinaryOperator::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(operator: BinaryOperator) -> Option<Arithmetic> {
    Some(match operator {
        BinaryOperator::And => Arithmetic::And,
        BinaryOperator::Or => Arithmetic::Or,
        BinaryOperator::Xor => Arithmetic::Xor,
        BinaryOperator::Add => Arithmetic::Add,
        BinaryOperator::Subtract => Arithmetic::Subtract,
        _ => return None,
    })
}

/// How many labels of the same name an `asm goto` is followed to. With more, it may jump to any label.
const MOST_SAME_LABELS: usize = 64;

/// What the `asm` statements of a body may jump to.
#[derive(Default)]
struct AsmLabels {
    /// The labels by name.
    by_name: HashMap<String, Vec<Label>>,
    /// The names that each statement lists, if clang prints the statements.
    printed: HashMap<usize, Vec<String>>,
}

/// For each `asm` statement of a printed body, the labels to which it may jump.
fn asm_labels(printed: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = next_asm(printed, at) {
        let Some((words, inner)) = printed[start..].split_once('(') else { break };
        let is_goto = words.split_whitespace().any(|word| word == "goto");
        let Some(last) = behind_last_colon(inner) else { break };
        let names = last.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        found.push(if is_goto { names.collect() } else { Vec::new() });
        // There may be others in its operands.
        at = start + words.len() + 1;
    }
    found
}

/// Where the next `asm` statement begins, behind the word itself. clang prints each statement on a line of its own; the
/// name that a declaration gives its variable for the assembler stands behind something else.
fn next_asm(printed: &str, start: usize) -> Option<usize> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = printed.as_bytes();
    let mut at = start;
    let mut is_first = false;
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = end_of_quoted(bytes, at),
            b'\n' => {
                (at, is_first) = (at + 1, true);
                continue;
            }
            b' ' => {
                at += 1;
                continue;
            }
            byte if is_word(byte) => {
                let end = at + bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
                if is_first && &bytes[at..end] == b"asm" {
                    return Some(end);
                }
                at = end;
            }
            _ => at += 1,
        }
        is_first = false;
    }
    None
}

/// The text between the last colon and the closing parenthesis, outside of other parentheses.
fn behind_last_colon(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let (mut depth, mut at, mut colon) = (0usize, 0, None);
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => {
                at = end_of_quoted(bytes, at);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' if depth == 0 => return text.get(colon.map_or(at, |colon: usize| colon + 1)..at),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => colon = Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a string or a character constant ends that begins at an offset.
fn end_of_quoted(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() && text[at] != text[start] {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// How far to look for the end of what is between the parentheses of a `for`, in bytes.
const LONGEST_FOR: usize = 1 << 14;

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
            b'"' if raw_string(text, at).is_some() => at += raw_string(text, at).unwrap_or_default(),
            // In a number, it separates digits.
            b'\'' if is_in_number(text, at) => {}
            b'"' | b'\'' => {
                at = end_of_quoted(text, at);
                continue;
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

/// Whether the quote at an offset is inside a number, as in `1'000`.
fn is_in_number(text: &[u8], at: usize) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'\'');
    let word = text[..at].iter().rev().take_while(is_part).count();
    text[at - word..].first().is_some_and(u8::is_ascii_digit)
}

/// The length of a raw string less one, as in `R"x(…)x"`, whose opening quote is at an offset.
fn raw_string(text: &[u8], at: usize) -> Option<usize> {
    if at == 0 || text[at - 1] != b'R' {
        return None;
    }
    let before = text[..at - 1].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if !matches!(&text[at - 1 - before..at - 1], b"" | b"L" | b"u" | b"U" | b"u8") {
        return None;
    }
    let inner = &text[at + 1..];
    let open = inner.iter().take(17).position(|byte| *byte == b'(')?;
    let end = [b")", &inner[..open], b"\""].concat();
    let close = inner[open..].windows(end.len()).position(|window| window == end)?;
    Some(open + close + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_asm_are_read_from_what_clang_prints() {
        let printed = r#"void f(void) {
    register int fixed asm("rax") = 'a';
    extern int other(void) asm("asm");
    asm ("nop : (" : "=r" (x) : "r" (a[1]));
    if (x)
        asm volatile goto ("jmp %l[out]" : : "r" (({
        asm goto ("" : : : : inner);
        g(1);
    })) : "memory" : out, other);
  out:
    asm goto ("" : : : : out);
    int asmx = 'a';
}"#;
        assert_eq!(asm_labels(printed), [vec![], vec!["out", "other"], vec!["inner"], vec!["out"]]);
        assert_eq!(asm_labels("\n asm goto (\"x\" : : : "), Vec::<Vec<String>>::new());
        assert_eq!(asm_labels("\n asm volatile"), Vec::<Vec<String>>::new());
    }

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
        assert_eq!(offsets("for (; a < 1'000; a++)"), Some([5, 16]));
        assert_eq!(offsets("for (a = 0x1'F'u; b; u8';')"), Some([16, 19]));
        assert_eq!(offsets("for (R\"(;\")\"; uR\"x(;)\")x\"; c)"), Some([12, 25]));
    }
}
