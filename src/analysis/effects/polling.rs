//! Event loops that are polled in a thread of a pool. Only the thread that an event loop belongs to may poll it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::program::{Argument, BodyId, CallSite, FunctionId, SlotId};
use cowrap_facts::{CallKind, Context, PathCondition, single_values};
use cowrap_packs::Effect;

use super::entry_contexts::passed_values;
use super::{Callee, Effects, Provenance, Step, Thread};

/// A call in another thread that leads, by name, to a function that polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollingThread {
    /// The function that the thread runs, or whose body has the region.
    pub function: FunctionId,
    /// The parameter that the function is passed to; `None` for a call in a region.
    pub parameter: Option<SlotId>,
    /// The calls, from that in the thread to that of the function that polls.
    pub steps: Vec<Step>,
    /// Whether that depends on the value of a parameter of the function.
    pub conditional: bool,
}

/// A body that is entered outside, with one value of its flags.
type Node = (BodyId, u8);

/// For each node that leads to a function that polls, the call that does, and the node that it enters; `None` if it
/// calls that function.
type Leading = FxHashMap<Node, (CallSite, Option<Node>)>;

impl Effects<'_> {
    /// Every call in another thread that leads to a function that polls: the first for each function that is called,
    /// by body.
    pub fn polling_threads(&self) -> Vec<PollingThread> {
        let mut starts: Vec<(BodyId, Option<SlotId>)> = Vec::new();
        for (body, outline) in self.calls.bodies() {
            match self.thread_of(outline.function) {
                Some((Thread::Worker, parameter)) => starts.push((body, Some(parameter))),
                _ if outline.has_regions => starts.push((body, None)),
                _ => {}
            }
        }
        if starts.is_empty() {
            return Vec::new();
        }
        let leading = self.leading_to_polling();
        starts.into_iter().flat_map(|(body, parameter)| self.polling_calls(body, parameter, &leading)).collect()
    }

    /// Whether a function that is called outside polls the event loop: the pack lists it, or it is generated to wait for
    /// code inside.
    fn polls(&self, function: FunctionId) -> bool {
        let waits = || {
            let marks = self.context_marks(function);
            marks.iter().any(|(mark, _)| self.wraps(mark).is_some_and(|wraps| wraps.calls == Effect::InsideOnly))
        };
        self.is_polling(function) || (self.is_marked(function) && waits())
    }

    /// All nodes that lead to a function that polls, each by a shortest chain.
    fn leading_to_polling(&self) -> Leading {
        let program = self.program;
        let mut leading = Leading::default();
        let mut level: Vec<(Node, CallSite, Option<Node>)> = Vec::new();
        for function in program.function_ids().filter(|function| self.polls(*function)) {
            for call in program.incoming(function).iter().filter(|call| call.kind.is_in_place()) {
                let values = single_values(call.condition.values(Context::Outside));
                level.extend(values.map(|value| ((call.site.body, value), call.site, None)));
            }
        }
        while !level.is_empty() {
            level.sort_unstable();
            let mut next = Vec::new();
            for (node, site, enters) in level {
                let function = program.body(node.0).function;
                if leading.contains_key(&node) || !self.may_lead(function) {
                    continue;
                }
                leading.insert(node, (site, enters));
                for call in program.incoming(function).iter().filter(|call| call.kind.is_in_place()) {
                    let arguments: &[Argument] =
                        if call.has_arguments { &program.call(call.site).arguments } else { &[] };
                    let reached = single_values(call.condition.values(Context::Outside));
                    let enters = |value: &u8| {
                        let callee = program.body(node.0);
                        passed_values(arguments, Context::Outside, *value, callee) & (1 << node.1) != 0
                    };
                    next.extend(reached.filter(enters).map(|value| ((call.site.body, value), call.site, Some(node))));
                }
            }
            level = next;
        }
        leading
    }

    /// Whether a chain may go through a function: its body is what runs, outside, and it returns.
    fn may_lead(&self, function: FunctionId) -> bool {
        let declarations = &self.program.function(function).declarations;
        self.start(function).contains(Context::Outside)
            && !self.polls(function)
            && !matches!(self.requirement(function).provenance, Provenance::Modelled(_))
            && !declarations.iter().any(|declared| declared.never_returns)
    }

    /// The calls of a body that lead there: all calls of a function that the thread runs, else those in regions.
    fn polling_calls(&self, body: BodyId, parameter: Option<SlotId>, leading: &Leading) -> Vec<PollingThread> {
        let linked = self.program.body(body);
        let context_of = |condition: PathCondition| match parameter {
            Some(_) => Context::Outside,
            // The predicate returns in a region what it returns around it.
            None if condition.contexts().contains(Context::Inside) => Context::Inside,
            None => Context::Outside,
        };
        let is_in_thread = |kind: CallKind| match parameter {
            Some(_) => kind.is_in_place(),
            None => kind == CallKind::Region,
        };
        let mut found: BTreeMap<FunctionId, PollingThread> = BTreeMap::new();
        for (position, call) in linked.calls.iter().enumerate().filter(|(_, call)| is_in_thread(call.kind)) {
            let context = context_of(call.condition);
            let entered = match self.entry_contexts().possible.values(context, body) {
                0 => linked.values,
                values => values,
            };
            let leads = |value: u8| self.leads_to(call.callee, &call.arguments, (context, value), leading);
            let reached = single_values(call.condition.values(context) & entered);
            let through: Vec<Option<Node>> = reached.filter_map(leads).collect();
            let Some(first) = through.first() else { continue };
            let site = CallSite { body, call: position as u32 };
            found.entry(call.callee).or_insert_with(|| PollingThread {
                function: linked.function,
                parameter,
                steps: self.polling_steps(site, *first, leading),
                conditional: through.len() < single_values(entered).count(),
            });
        }
        found.into_values().collect()
    }

    /// Whether a call leads to a function that polls: the node that it enters, or `None` if it calls that function.
    fn leads_to(
        &self,
        callee: FunctionId,
        arguments: &[Argument],
        (context, value): (Context, u8),
        leading: &Leading,
    ) -> Option<Option<Node>> {
        if self.polls(callee) {
            return Some(None);
        }
        let nodes = self.program.function(callee).bodies.iter().flat_map(|body| {
            let values = passed_values(arguments, context, value, self.program.body(*body));
            single_values(values).map(|value| (*body, value))
        });
        nodes.map(Some).find(|node| node.is_some_and(|node| leading.contains_key(&node)))
    }

    /// The steps of the chain that a call starts.
    fn polling_steps(&self, first: CallSite, enters: Option<Node>, leading: &Leading) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some((first, enters));
        while let Some((site, enters)) = at {
            let (caller, call) = (self.program.body(site.body).function, self.program.call(site));
            let callee = Callee::Function(call.callee);
            steps.push(Step { caller, location: call.location, through: None, passed: false, callee });
            at = enters.and_then(|node| leading.get(&node).copied());
        }
        steps
    }
}
