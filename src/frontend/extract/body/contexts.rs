//! Lowering what tells and what changes the context: calls and macros that the pack names.
//!
//! A macro counts wherever its code stands, whatever it expands to: its calls are lowered as well, and its value is the
//! answer. What cannot be decided, such as a change that depends on a number that is computed, is left open.

use std::collections::{HashMap, HashSet};

use crate::clang::{BinaryOperator, Cursor, CursorKind, Position};
use cowrap_facts::name_matches;

use super::super::cursor_tree::CursorId;
use super::super::flow::{
    CaseValues, Comparison, Entering, IntegerType, Label, NodeId, Op, Origin, Variable, VariableInfo,
};
use super::super::macros::{MacroUse, number};
use super::super::source_text::SourceCall;
use super::super::values::named_function;
use super::super::{Compared, ContextChange, Predicate};
use super::{Lowering, integer_type};

/// The macros of the pack in a body.
#[derive(Default)]
pub(super) struct ContextMacros<'tu> {
    /// Whether the code that is being lowered is that of one: other macros in it are its own.
    is_inside: bool,
    /// Whether that macro changes the context: what its code calls is a part of that change, and makes no other.
    is_changing: bool,
    /// The guard whose scope is about to begin.
    guard: Option<Guard<'tu>>,
    /// Where guards are used that were found.
    guards: HashSet<Position<'tu>>,
    /// The variables that keep what predicates returned, each with variables for the answers: whether what is kept
    /// equals what the predicate is compared with.
    kept: HashMap<usize, Vec<(Predicate, Variable)>>,
    /// The variables that keep what predicates are compared with, each with the names of the functions called.
    kept_calls: HashMap<usize, Vec<String>>,
    /// The `switch` statements around the code that is being lowered, each with the case that follows from the context.
    switches: Vec<Option<AnsweredCase>>,
    /// The variables that the body changes or may change, once they were looked for.
    changed: Option<HashSet<usize>>,
}

/// A guard that a macro declares, or that it puts before a statement.
#[derive(Clone, Copy)]
pub(super) struct Guard<'tu> {
    /// The node that changes the context.
    pub(super) enter: NodeId,
    /// Where the macro is used.
    used: Position<'tu>,
}

/// The case of a `switch` to which control goes if, and only if, a predicate's answer is yes.
#[derive(Clone, Copy)]
struct AnsweredCase {
    number: i64,
    label: Label,
    /// Whether the `switch` has it.
    is_there: bool,
}

/// Whether an argument is the constant that a change needs.
enum Fit {
    Yes,
    No,
    Unknown,
    /// If this is true.
    If(NodeId),
}

impl<'a, 'tu> Lowering<'_, 'a, 'tu> {
    /// Lowers one node. `wanted` says that its value decides something: then literals are evaluated.
    pub(super) fn lower(&mut self, node: CursorId, wanted: bool) -> NodeId {
        let lowered = self.lower_any(node, wanted);
        self.tree.comes_from(lowered, Origin(node as u32));
        lowered
    }

    /// Lowers one node, which may be code of a macro of the pack.
    fn lower_any(&mut self, node: CursorId, wanted: bool) -> NodeId {
        // The first reading also finds out which others can differ.
        let names = &self.extractor.reading_names;
        let [has_predicates, has_changes] = match self.is_first {
            true => [names.has_predicates, names.has_changes],
            false => [!self.reading.predicates.is_empty(), !self.reading.changes.is_empty()],
        };
        let may_tell = wanted && has_predicates;
        let may_change = has_changes && may_change(self.raw.kind(node));
        if self.context_macros.is_inside || !(may_tell || may_change) {
            return self.lower_node(node, wanted);
        }
        let Some(start) = self.raw.cursor(node).start_in_macro() else { return self.lower_node(node, wanted) };
        let raw = std::rc::Rc::clone(&self.raw);
        let uses = self.extractor.macro_uses(&raw, node, |this, word| !this.reading_names.of(word).is_empty());
        for used in &uses {
            self.mentioned |= self.extractor.reading_names.of(&used.name);
        }
        if wanted
            && let Some(answer) = uses.iter().filter(|used| used.is_whole).find_map(|used| self.answer(&used.name))
        {
            let inner = self.lower_inside(node);
            return self.node(Op::Sequence, vec![inner, answer]);
        }
        if !may_change {
            return self.lower_node(node, wanted);
        }
        let reading = self.reading;
        let named = |used: &MacroUse, change: &ContextChange| name_matches(&change.name, &used.name);
        let (mut entered, mut has_result) = (Vec::new(), false);
        let is_of_guard = self.context_macros.guards.contains(&start.used);
        for change in reading.changes.iter().filter(|change| !change.guard && !is_of_guard) {
            if let Some(used) = uses.iter().find(|used| used.is_whole && named(used, change)) {
                entered.extend(self.enter_by_macro(change, used, node));
                has_result |= change.result.is_some();
            }
        }
        if !entered.is_empty() {
            let known = self.calls.len();
            self.context_macros.is_changing = true;
            let mut lowered = vec![self.lower_inside(node)];
            self.context_macros.is_changing = false;
            self.calls[known..].iter_mut().for_each(|call| call.is_change = true);
            lowered.extend(entered);
            // The last is the result.
            return self.node(if has_result { Op::Sequence } else { Op::Opaque }, lowered);
        }
        for change in reading.changes.iter().filter(|change| change.guard) {
            if let Some(used) = uses.iter().find(|used| named(used, change))
                && self.context_macros.guards.insert(start.used)
                && let Some(enter) = self.enter_by_macro(change, used, node)
            {
                return self.guard(node, wanted, used.is_whole, Guard { enter, used: start.used });
            }
        }
        self.lower_node(node, wanted)
    }

    /// Lowers the code of a macro.
    fn lower_inside(&mut self, node: CursorId) -> NodeId {
        self.context_macros.is_inside = true;
        let lowered = self.lower_node(node, false);
        self.context_macros.is_inside = false;
        lowered
    }

    /// The value of a function or macro of this name, if it tells the context. The answer yes is 1.
    pub(super) fn answer(&mut self, name: &str) -> Option<NodeId> {
        let reading = self.reading;
        let named = || reading.predicates.iter().filter(|predicate| predicate.name == name);
        if let Some(predicate) = named().find(|predicate| predicate.compared.is_none()) {
            return Some(self.node(Op::Predicate(predicate.context), Vec::new()));
        }
        let number_of = |predicate: &&Predicate| matches!(predicate.compared, Some(Compared::Number(_)));
        let predicate = named().find(number_of)?;
        let answer = self.node(Op::Predicate(predicate.context), Vec::new());
        match predicate.compared {
            Some(Compared::Number(0)) => Some(self.node(Op::Not, vec![answer])),
            Some(Compared::Number(number)) => {
                let arms = [Some(number), None].map(|value| self.node(Op::Value(value), Vec::new()));
                Some(self.node(Op::Conditional, vec![answer, arms[0], arms[1]]))
            }
            _ => None,
        }
    }

    /// A comparison of what a predicate returns.
    pub(super) fn compared(&mut self, operator: BinaryOperator, operands: [CursorId; 2]) -> Option<NodeId> {
        let comparison = super::comparison(operator)?;
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) || self.reading.predicates.is_empty() {
            return None;
        }
        let [left, right] = operands;
        let value = self.compared_with(left, right).or_else(|| self.compared_with(right, left))?;
        let mut lowered = self.lower_all(&operands);
        lowered.push(if comparison == Comparison::Equal { value } else { self.node(Op::Not, vec![value]) });
        Some(self.node(Op::Sequence, lowered))
    }

    /// Whether what an operand returns equals another, if the operand is a predicate, or keeps what one returned.
    fn compared_with(&mut self, operand: CursorId, other: CursorId) -> Option<NodeId> {
        let answers = self.answers(operand);
        if answers.is_empty() {
            return None;
        }
        let number = self.number(other);
        for answer in &answers {
            let is_equal = match &answer.0.compared {
                None => false,
                Some(Compared::Number(wanted)) => number == Some(*wanted),
                Some(Compared::Call(name)) => self.is_result_of(other, name),
                Some(Compared::Name(name)) => {
                    self.is_named(other, name) || number.is_some() && self.extractor.number_of_constant(name) == number
                }
            };
            if is_equal {
                return Some(self.node(answer_op(answer), Vec::new()));
            }
        }
        let number = number?;
        for answer in &answers {
            let says_nothing = matches!(answer.0.compared, Some(Compared::Call(_) | Compared::Name(_)));
            if says_nothing {
                continue;
            }
            let yes = self.node(answer_op(answer), Vec::new());
            // With another number than the one of the predicate, the answer is no.
            let is_truth = answer.0.compared.is_none();
            let fits = if is_truth && number != 0 { yes } else { self.node(Op::Not, vec![yes]) };
            // Most functions return 1 for yes.
            if is_truth && (number == 0 || number == 1) {
                return Some(fits);
            }
            let unknown = self.unknown();
            return Some(self.node(Op::And, vec![fits, unknown]));
        }
        None
    }

    /// The predicates that an expression calls, and those whose results the variable keeps that it is, each with the
    /// variable for the answer.
    fn answers(&mut self, operand: CursorId) -> Vec<(Predicate, Option<Variable>)> {
        let mut answers: Vec<(Predicate, Option<Variable>)> =
            self.called_predicates(operand).into_iter().map(|predicate| (predicate.clone(), None)).collect();
        let named = self.variable_named(operand);
        if let Some(kept) = named.and_then(|named| self.context_macros.kept.get(&named.canonical_key())) {
            answers.extend(kept.iter().map(|(predicate, variable)| (predicate.clone(), Some(*variable))));
        }
        answers
    }

    /// Whether an expression is a call of a function or macro of this name, or a variable that keeps its result.
    fn is_result_of(&mut self, expression: CursorId, name: &String) -> bool {
        let named = self.variable_named(expression);
        named
            .and_then(|named| self.context_macros.kept_calls.get(&named.canonical_key()))
            .is_some_and(|calls| calls.contains(name))
            || self.called_names(expression, &|called| called == name).contains(name)
    }

    /// Lowers a `switch` statement. Where its value is what a predicate compares with a number, the context decides
    /// whether control goes to the case of that number.
    pub(super) fn switch(&mut self, value: CursorId, body: CursorId) -> NodeId {
        let ty = integer_type(self.raw.cursor(value));
        let known = if self.reading.predicates.is_empty() { None } else { self.answered_case(value) };
        let condition = self.lower(value, true);
        self.context_macros.switches.push(known.as_ref().map(|(_, case)| *case));
        let body = self.statement(body, false);
        let case = self.context_macros.switches.pop().flatten().filter(|case| case.is_there);
        let (Some((answer, _)), Some(AnsweredCase { label, .. })) = (known, case) else {
            return self.node(Op::Switch(ty), vec![condition, body]);
        };
        let (answer, goto) = (self.node(answer, Vec::new()), self.node(Op::Goto(label), Vec::new()));
        let jump = self.node(Op::If, vec![answer, goto]);
        let unknown = self.unknown();
        let switch = self.node(Op::Switch(ty), vec![unknown, body]);
        self.node(Op::Sequence, vec![condition, jump, switch])
    }

    /// The answer that decides whether a value is a number, and the case of that number.
    fn answered_case(&mut self, value: CursorId) -> Option<(Op, AnsweredCase)> {
        let answers = self.answers(value);
        answers.into_iter().find_map(|answer| {
            let number = match &answer.0.compared {
                Some(Compared::Number(number)) => *number,
                Some(Compared::Name(name)) => self.extractor.number_of_constant(name)?,
                Some(Compared::Call(_)) | None => return None,
            };
            let label = self.tree.label();
            Some((answer_op(&answer), AnsweredCase { number, label, is_there: false }))
        })
    }

    /// Lowers a case with its statement.
    pub(super) fn case(&mut self, values: CaseValues, statement: CursorId) -> NodeId {
        let mut label = None;
        let mut is_only = false;
        if let Some(Some(case)) = self.context_macros.switches.last_mut()
            && let CaseValues::Range(first, last) = values
            && (first..=last).contains(&case.number)
            && !case.is_there
        {
            case.is_there = true;
            label = Some(case.label);
            is_only = first == last;
        }
        let mut lowered = self.statement(statement, false);
        if !is_only {
            lowered = self.node(Op::Case(values), vec![lowered]);
        }
        match label {
            Some(label) => self.node(Op::Label(label), vec![lowered]),
            None => lowered,
        }
    }

    /// The predicates whose functions or macros an expression calls.
    fn called_predicates(&mut self, node: CursorId) -> Vec<&'a Predicate> {
        let predicates = &self.reading.predicates;
        let names = self.called_names(node, &|name| predicates.iter().any(|predicate| predicate.name == name));
        predicates.iter().filter(|predicate| names.contains(&predicate.name)).collect()
    }

    /// The variable that an expression is.
    pub(super) fn variable_named(&self, node: CursorId) -> Option<Cursor<'tu>> {
        let node = self.raw.strip(node);
        let named = self.raw.cursor(node).referenced().filter(|_| self.raw.kind(node) == CursorKind::DeclRefExpr);
        named.filter(|named| matches!(named.kind(), CursorKind::VarDecl | CursorKind::ParmDecl))
    }

    /// A local variable that is declared with what a predicate returns, and never changes, keeps it: nodes that note
    /// the answers, to stand behind the initialiser.
    pub(super) fn keep(&mut self, declared: Cursor<'tu>, initializer: CursorId) -> Vec<NodeId> {
        if declared.is_static() || !self.reading.predicates.iter().any(|predicate| predicate.compared.is_some()) {
            return Vec::new();
        }
        let mut predicates = self.called_predicates(initializer);
        predicates.retain(|predicate| predicate.compared.is_some());
        let others: Vec<&String> = self.reading.predicates.iter().filter_map(Predicate::other_call).collect();
        let calls = self.called_names(initializer, &|name| others.iter().any(|other| *other == name));
        let key = declared.canonical_key();
        if predicates.is_empty() && calls.is_empty() || self.changed_variables().contains(&key) {
            return Vec::new();
        }
        if !calls.is_empty() {
            self.context_macros.kept_calls.insert(key, calls);
        }
        let mut noted = Vec::new();
        for predicate in predicates {
            let variable = self.tree.variable(VariableInfo { ty: IntegerType::BOOL, parameter: None });
            let answer = self.node(Op::Predicate(predicate.context), Vec::new());
            noted.push(self.node(Op::Assign(variable), vec![answer]));
            self.context_macros.kept.entry(key).or_default().push((predicate.clone(), variable));
        }
        noted
    }

    /// The variables that the body assigns, or whose address it takes.
    pub(super) fn changed_variables(&mut self) -> &HashSet<usize> {
        let raw = std::rc::Rc::clone(&self.raw);
        self.context_macros.changed.get_or_insert_with(|| {
            use CursorKind::*;
            let mut changed = HashSet::new();
            let assigns = |node: &CursorId| match raw.kind(*node) {
                BinaryOperator => raw.cursor(*node).binary_operator() == crate::clang::BinaryOperator::Assign,
                UnaryOperator => {
                    use crate::clang::UnaryOperator::{AddressOf, Step};
                    matches!(raw.cursor(*node).unary_operator(), AddressOf | Step)
                }
                _ => true,
            };
            let kinds = [BinaryOperator, UnaryOperator, CompoundAssignOperator, GccAsmStmt, BlockExpr];
            for node in kinds.into_iter().flat_map(|kind| raw.of_kind(kind)).filter(assigns) {
                let is_any = matches!(raw.kind(node), GccAsmStmt | BlockExpr);
                let mut open = vec![node];
                if !is_any {
                    // `p->x = 1` does not change `p`.
                    open = raw.operands(node).first().map(|&changed| raw.strip(changed)).into_iter().collect();
                    open.retain(|&changed| raw.kind(changed) == DeclRefExpr);
                }
                while let Some(inner) = open.pop() {
                    open.extend(raw.children(inner));
                    if raw.kind(inner) == DeclRefExpr
                        && let Some(named) = raw.cursor(inner).referenced()
                    {
                        changed.insert(named.canonical_key());
                    }
                }
            }
            changed
        })
    }

    /// The wanted names of the functions and macros that an expression calls.
    fn called_names(&mut self, node: CursorId, is_wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
        let raw = std::rc::Rc::clone(&self.raw);
        let inner = raw.strip(node);
        let mut names = Vec::new();
        for node in [node, inner] {
            let uses = self.extractor.macro_uses(&raw, node, |_, word| is_wanted(word));
            names.extend(uses.into_iter().filter(|used| used.is_whole).map(|used| used.name));
        }
        if raw.kind(inner) == CursorKind::CallExpr
            && let Some(&callee) = raw.operands(inner).first()
            && let Some(function) = named_function(&raw, callee)
        {
            names.push(function.spelling());
        }
        names
    }

    /// Whether an expression is a variable or constant of this name.
    fn is_named(&mut self, node: CursorId, name: &str) -> bool {
        let raw = std::rc::Rc::clone(&self.raw);
        let inner = raw.strip(node);
        let is_reference = raw.kind(inner) == CursorKind::DeclRefExpr;
        is_reference && raw.cursor(inner).spelling() == name
            || [node, inner].into_iter().any(|node| self.extractor.is_written_as(&raw, node, name))
    }

    /// The changes of the context that a call of a function makes. What the code of a guard calls is part of the guard.
    pub(super) fn changes_of_call(&mut self, call: CursorId, name: &str, arguments: &[CursorId]) -> Vec<NodeId> {
        if self.context_macros.is_changing || self.is_of_guard(self.raw.cursor(call)) {
            return Vec::new();
        }
        let reading = self.reading;
        let changes = reading.changes.iter().filter(|change| name_matches(&change.name, name));
        let entered = changes.filter_map(|change| {
            let fit = match &change.when {
                None => Fit::Yes,
                Some((position, is)) => match arguments.get(usize::from(*position)) {
                    Some(&argument) => self.fit(argument, is),
                    None => Fit::No,
                },
            };
            self.enter(change, fit)
        });
        entered.collect()
    }

    /// Whether code is a guard's own, or the guard's variable.
    pub(super) fn is_of_guard(&self, code: Cursor<'tu>) -> bool {
        let guards = &self.context_macros.guards;
        !guards.is_empty() && code.start_in_macro().is_some_and(|start| guards.contains(&start.used))
    }

    /// The change of the context that a macro makes.
    fn enter_by_macro(&mut self, change: &ContextChange, used: &MacroUse, node: CursorId) -> Option<NodeId> {
        let fit = match (&change.when, &used.argument) {
            (None, _) => Fit::Yes,
            (Some(_), None) => Fit::Unknown,
            (Some((position, is)), Some(arguments)) => {
                match SourceCall::arguments(arguments).get(usize::from(*position)) {
                    Some(argument) => self.fit_text(argument, is, node),
                    None => Fit::No,
                }
            }
        };
        self.enter(change, fit)
    }

    fn enter(&mut self, change: &ContextChange, fit: Fit) -> Option<NodeId> {
        let guard = change.guard.then(|| self.tree.guard());
        if matches!(fit, Fit::No) {
            return None;
        }
        // What is already so cannot change.
        let from = change.from.or(change.result.map(|_| change.to.other()));
        let entering = Entering { to: change.to, from, guard };
        let mut enter = self.node(Op::Enter(entering), Vec::new());
        if let Some(result) = change.result {
            // The value: whether the context changed.
            let [unknown, yes, no] = [None, Some(i64::from(result)), Some(i64::from(!result))]
                .map(|value| self.node(Op::Value(value), Vec::new()));
            let changed = self.node(Op::Sequence, vec![enter, yes]);
            enter = self.node(Op::Conditional, vec![unknown, changed, no]);
        }
        Some(match fit {
            Fit::Unknown => self.node(Op::Perhaps, vec![enter]),
            Fit::If(condition) => self.node(Op::If, vec![condition, enter]),
            Fit::Yes | Fit::No => enter,
        })
    }

    /// Whether an argument is a constant.
    fn fit(&mut self, argument: CursorId, is: &str) -> Fit {
        if self.is_named(argument, is) {
            return Fit::Yes;
        }
        let wanted = number(is).or_else(|| self.other_enumerator(argument, is));
        let wanted = wanted.or_else(|| self.extractor.number_of_macro(is));
        if let (Some(variable), Some(ty)) = (self.local(argument), integer_type(self.raw.cursor(argument))) {
            let Some(wanted) = wanted else { return Fit::Unknown };
            let operands = [Op::Read(variable), Op::Value(Some(wanted))].map(|op| self.node(op, Vec::new()));
            return Fit::If(self.node(Op::Compare(Comparison::Equal, Some(ty)), operands.to_vec()));
        }
        let number = self.number(argument);
        match (number, wanted) {
            (Some(number), Some(wanted)) if number == wanted => Fit::Yes,
            (Some(_), Some(_)) => Fit::No,
            // The constants of a set of macros differ.
            (Some(_), None) if self.raw.cursor(argument).start_in_macro().is_some() => Fit::No,
            _ => Fit::Unknown,
        }
    }

    /// The number of another constant of the enumeration that an argument is of.
    fn other_enumerator(&mut self, argument: CursorId, name: &str) -> Option<i64> {
        let named = self.raw.cursor(self.raw.strip(argument)).referenced()?;
        let constants = Some(named).filter(|named| named.kind() == CursorKind::EnumConstantDecl)?.semantic_parent()?;
        let known = self.extractor.enumerators.entry((constants.declaration_key(), name.to_owned()));
        *known.or_insert_with(|| {
            let constant = constants.children().into_iter().find(|constant| constant.spelling() == name)?;
            Some(constant.enumerator_value())
        })
    }

    /// The number that an argument always is.
    fn number(&mut self, argument: CursorId) -> Option<i64> {
        let cursor = self.raw.cursor(self.raw.strip(argument));
        let named = cursor.referenced().filter(|_| cursor.kind() == CursorKind::DeclRefExpr);
        match named.map(|named| (named, named.kind())) {
            Some((named, CursorKind::EnumConstantDecl)) => Some(named.enumerator_value()),
            Some((named, CursorKind::VarDecl)) => self.constant_of(named),
            Some(_) => None,
            None => cursor.evaluate_integer(),
        }
    }

    /// Whether the text of a macro's argument is a constant. `node` is the code of the macro.
    fn fit_text(&mut self, argument: &str, is: &str, node: CursorId) -> Fit {
        if argument == is {
            return Fit::Yes;
        }
        if let Some(given) = number(argument) {
            let wanted = number(is).or_else(|| self.extractor.number_of_macro(is));
            return match wanted {
                Some(wanted) if wanted == given => Fit::Yes,
                Some(_) => Fit::No,
                None => Fit::Unknown,
            };
        }
        // A word that is no expression in the macro, such as the name of a lock's type, is another word.
        let mut open = vec![node];
        while let Some(inner) = open.pop() {
            let cursor = self.raw.cursor(inner);
            if self.raw.kind(inner) == CursorKind::DeclRefExpr && cursor.spelling() == argument {
                return self.fit(inner, is);
            }
            open.extend(self.raw.children(inner));
        }
        let is_word = argument.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_word { Fit::No } else { Fit::Unknown }
    }

    /// Lowers the code that a guard begins: a declaration, or a statement with the one that follows the macro.
    fn guard(&mut self, node: CursorId, wanted: bool, is_whole: bool, guard: Guard<'tu>) -> NodeId {
        use CursorKind::*;
        match self.raw.kind(node) {
            ForStmt | IfStmt | WhileStmt if !is_whole => {
                self.context_macros.guard = Some(guard);
                let lowered = self.lower_node(node, wanted);
                self.context_macros.guard = None;
                lowered
            }
            DoStmt | SwitchStmt | CompoundStmt if !is_whole => {
                let inner = self.lower_node(node, wanted);
                self.node(Op::Sequence, vec![guard.enter, inner])
            }
            kind if kind == DeclStmt || is_whole => {
                self.context_macros.guard = Some(guard);
                let mut lowered = vec![self.lower_node(node, false)];
                lowered.extend(self.take_guard().map(|guard| guard.enter));
                self.node(Op::Opaque, lowered)
            }
            _ => self.lower_node(node, wanted),
        }
    }

    /// The guard whose scope is about to begin; it is the caller's then.
    pub(super) fn take_guard(&mut self) -> Option<Guard<'tu>> {
        self.context_macros.guard.take()
    }

    /// Lowers a statement that may be the one that follows the macro of a guard. It is a scope then.
    pub(super) fn guarded(&mut self, statement: CursorId, guard: Option<Guard<'tu>>) -> NodeId {
        let Some(guard) = guard else { return self.statement(statement, false) };
        // The macro's own code may hold the statement.
        if self.raw.cursor(statement).start_in_macro().is_some_and(|start| start.used == guard.used) {
            self.context_macros.guard = Some(guard);
            let lowered = self.statement(statement, false);
            self.context_macros.guard = None;
            return lowered;
        }
        let inner = self.statement(statement, false);
        self.node(Op::Sequence, vec![guard.enter, inner])
    }
}

/// The node of an answer: the context, or the variable that keeps it.
fn answer_op((predicate, kept): &(Predicate, Option<Variable>)) -> Op {
    match kept {
        Some(variable) => Op::Read(*variable),
        None => Op::Predicate(predicate.context),
    }
}

/// Whether code of this kind can be all that a macro stands for, and do something.
fn may_change(kind: CursorKind) -> bool {
    use CursorKind::*;
    !matches!(
        kind,
        DeclRefExpr
            | MemberRefExpr
            | ArraySubscriptExpr
            | IntegerLiteral
            | CharacterLiteral
            | StringLiteral
            | BoolLiteral
            | NullPointerLiteral
            | AddrLabelExpr
            | InitListExpr
            | ReturnStmt
            | GotoStmt
            | BreakStmt
            | ContinueStmt
            | NullStmt
            | CaseStmt
            | DefaultStmt
            | LabelStmt
    )
}
