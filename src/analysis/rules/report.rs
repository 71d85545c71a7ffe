//! How rules make findings: labels, notes, help and fixes, and the wording that they share.

use std::collections::HashSet;

use crate::effects::{
    Callee, Effects, MAX_REQUIRED_MARKS, MarkClosure, Provenance, RequiredMark, SlotProvenance, SlotRequirement, Step,
    StoreMismatch, StoredValue, Violation,
};
use crate::program::{CallSite, FunctionId, Location, Origin, SlotId, SlotKey, Store};
use crate::wording::{self, MOST_LISTED, call_of, calls, name, span};
use cowrap_packs::Effect;
use cowrap_report::{Action, Finding, Fix, Label, Level, Note, Role, Safety, Span, Subject};

use super::Rule;

/// What a finding says first, and the names that it says it of.
pub struct Message<'t> {
    /// The function that the finding is about; empty when it is about none.
    pub function: &'t str,
    /// What else identifies the finding.
    pub subjects: Vec<Subject>,
    /// The fact, in lower case and without a full stop.
    pub text: String,
}

/// Builds a finding about a function.
pub struct Report<'e, 'a> {
    effects: &'e Effects<'a>,
    finding: Finding,
    /// The further locations, and what is said there.
    labelled: HashSet<Label>,
    /// Those that break the rule.
    further: HashSet<Span>,
}

impl<'e, 'a> Report<'e, 'a> {
    /// A finding at a location, at the rule's own level. `label` is in lower case and without a full stop.
    pub fn new(
        effects: &'e Effects<'a>,
        rule: &Rule,
        location: Location,
        label: impl Into<String>,
        message: Message<'_>,
    ) -> Self {
        let Message { function, subjects, text } = message;
        let primary = Label { at: span(effects, location), text: label.into() };
        let finding = Finding::new(effects.pack.rule_name(rule.id), rule.level, function, subjects, text, primary);
        Report { effects, finding, labelled: HashSet::new(), further: HashSet::new() }
    }

    /// What the finding is made from.
    pub fn effects(&self) -> &'e Effects<'a> {
        self.effects
    }

    /// Gives it another level than the rule's.
    pub fn level(mut self, level: Level) -> Self {
        self.finding.level = level;
        self
    }

    /// Remembers that a label or a note is about a function.
    pub fn mention(&mut self, function: FunctionId) {
        self.finding.mentions.insert(name(self.effects, function).to_owned());
    }

    /// The same by name.
    pub fn mention_name(&mut self, name: &str) {
        self.finding.mentions.insert(name.to_owned());
    }

    /// Remembers that a label or a note is about what is called.
    pub fn mention_callee(&mut self, callee: Callee) {
        match callee {
            Callee::Function(function) => self.mention(function),
            Callee::Slot(slot) => self.mention_slot(slot),
        }
    }

    /// Remembers that a label or a note is about a slot; of a parameter or a result, its function counts, and of what a
    /// slot points to, that slot.
    pub fn mention_slot(&mut self, slot: SlotId) {
        // What a pointer points to is written as `*pointer`.
        let shown = self.effects.slot_name(slot);
        if let Some(written) = shown.strip_prefix('`').and_then(|shown| shown.strip_suffix('`')) {
            self.finding.mentions.insert(written.to_owned());
        }
        let slot = self.effects.program.slot(slot);
        match (&slot.key, slot.base) {
            (SlotKey::Parameter { function, .. } | SlotKey::Result { function }, _) => self.mention(*function),
            (_, Some(base)) => self.mention_slot(base),
            _ => drop(self.finding.mentions.insert(slot.name.clone())),
        }
    }

    /// A further location.
    pub fn label(&mut self, location: Location, text: impl Into<String>) {
        let label = Label { at: span(self.effects, location), text: text.into() };
        if label.at != self.finding.primary.at && self.labelled.insert(label.clone()) {
            self.finding.secondary.push(label);
        }
    }

    /// A further location that breaks the rule just as the first one does.
    pub fn label_further(&mut self, location: Location, text: impl Into<String>) {
        let at = span(self.effects, location);
        if at != self.finding.primary.at && self.further.insert(at.clone()) {
            self.finding.further.push(at);
        }
        self.label(location, text);
    }

    /// A note with a location.
    pub fn note_at(&mut self, location: Location, text: impl Into<String>) {
        let at = Some(span(self.effects, location));
        self.finding.notes.push(Note { text: text.into(), at });
    }

    /// A note.
    pub fn note(&mut self, text: impl Into<String>) {
        self.finding.notes.push(Note { text: text.into(), at: None });
    }

    /// What to do.
    pub fn help(&mut self, text: impl Into<String>) {
        self.finding.help.push(text.into());
    }

    /// Labels the mark, or whatever else says what a function requires.
    pub fn label_requirement(&mut self, function: FunctionId) {
        let name = name(self.effects, function);
        if self.effects.requirement(function).effect.is_some() {
            self.mention(function);
        }
        match self.effects.requirement(function).provenance {
            Provenance::Marked(mark) => {
                let mark_name = &self.effects.pack.mark(mark.mark).name;
                self.label(mark.location, format!("`{name}` is marked `{mark_name}` here"));
            }
            Provenance::Inferred(location) => {
                let words = &self.effects.pack.words;
                let (inferred, context) = match self.effects.requirement(function).effect {
                    Some(Effect::InsideOnly) => (&words.inside_only, &words.inside_context),
                    _ => (&words.outside_only, &words.outside_context),
                };
                self.label(location, format!("inferred {inferred}: `{name}` asserts {context} here"));
            }
            Provenance::Modelled(model) => {
                let reason = &self.effects.pack.models[model].reason;
                let described = wording::described(self.effects, function);
                self.note(format!("{described} in the pack: {reason}"));
            }
            Provenance::Polling => {
                let described = wording::described(self.effects, function);
                self.note(format!("{described} in the pack: it runs the event loop"));
            }
            Provenance::Installed => self.note_installation(function),
            Provenance::Unmarked | Provenance::Contradictory(..) => {}
        }
    }

    /// Where a call comes out of a macro, notes where it is written: the edit may have to be made there.
    pub fn note_spelling(&mut self, violation: &Violation) {
        if let Some(spelling) = violation.spelling {
            self.mention_callee(violation.callee);
            self.note_at(spelling, format!("{} is written here", call_of(self.effects, violation.callee)));
        }
    }

    /// Labels what says what a stored value requires.
    pub fn label_value(&mut self, value: StoredValue) {
        match value {
            StoredValue::Function(function) => self.label_requirement(function),
            StoredValue::Candidate(function, slot) => {
                self.label_requirement(function);
                self.mention_slot(slot);
            }
            StoredValue::Copy(slot) | StoredValue::Address(slot) => self.label_callee(Callee::Slot(slot)),
        }
    }

    /// Labels what says what a callee requires.
    pub fn label_callee(&mut self, callee: Callee) {
        match callee {
            Callee::Function(function) => {
                self.label_requirement(function);
                self.note_aliases(function);
            }
            Callee::Slot(slot) => {
                if self.effects.slot_requirement(slot).is_some() {
                    let marked = self.effects.marked_slot(slot);
                    self.mention_slot(marked);
                    self.label_slot_requirement(marked);
                }
            }
        }
    }

    /// Labels what says what a slot itself requires: its mark, or the pack.
    pub fn label_slot_requirement(&mut self, slot: SlotId) {
        let Some(SlotRequirement { effect, provenance }) = self.effects.slot_requirement(slot) else { return };
        let slot = self.effects.slot_name(slot);
        match provenance {
            SlotProvenance::Marked(mark) => {
                let mark_name = &self.effects.pack.mark(mark.mark).name;
                self.label(mark.location, format!("{slot} is marked `{mark_name}` here"));
            }
            SlotProvenance::Modelled(model) => {
                let reason = self.effects.slot_model(model).reason.as_ref();
                let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                let words = &self.effects.pack.words;
                self.note(match effect {
                    Effect::Entry => format!("what is stored in {slot} runs {}, by the pack{reason}", words.entered),
                    effect => format!("{slot} is {} in the pack{reason}", words.effect(effect)),
                });
            }
        }
    }

    /// Notes how a slot makes a function an entry: the store that names it, and the copies from there to the slot.
    pub fn note_installation(&mut self, function: FunctionId) {
        let Some(installation) = self.effects.installation(function) else { return };
        let before = self.finding.notes.len();
        self.note_stores_of(&installation.origin);
        self.mention_slot(installation.slot);
        if let Some(last) = self.finding.notes[before..].last_mut() {
            last.text.push_str(&format!(", which runs it {}", self.effects.pack.words.entered));
        }
        if let SlotProvenance::Modelled(model) = installation.provenance
            && let Some(reason) = &self.effects.slot_model(model).reason
        {
            self.note(format!("{} in the pack: {reason}", self.effects.slot_name(installation.slot)));
        }
    }

    /// The source may name a function by another of its names.
    fn note_aliases(&mut self, function: FunctionId) {
        let linked = self.effects.program.function(function);
        if !linked.aliases.is_empty() {
            self.finding.mentions.extend(linked.aliases.iter().cloned());
            let others: Vec<String> =
                linked.aliases.iter().take(MOST_LISTED).map(|alias| format!("`{alias}`")).collect();
            self.note(format!("`{}` is also named {}", linked.name, others.join(", ")));
        }
    }

    /// Adds a note for each call, up to a limit, and counts the rest.
    pub fn note_calls(&mut self, calls: &[(CallSite, FunctionId)], text: impl Fn(&str) -> String) {
        for (site, caller) in calls.iter().take(MOST_LISTED) {
            let location = self.effects.program.call(*site).location;
            self.mention(*caller);
            self.note_at(location, text(name(self.effects, *caller)));
        }
        self.note_more(calls.len());
    }

    /// Notes how many of so many are not listed.
    pub fn note_more(&mut self, count: usize) {
        if count > MOST_LISTED {
            self.note(format!("and {} more", count - MOST_LISTED));
        }
    }

    /// Labels where a function is passed to a parameter that runs it in another thread.
    pub fn label_passed_to_thread(&mut self, function: FunctionId, parameter: SlotId) {
        let (function_name, slot) = (name(self.effects, function), self.effects.slot_name(parameter));
        self.mention_slot(parameter);
        let text = format!("`{function_name}` is passed to {slot}, which runs it in another thread");
        let stores = self.effects.program.stores_of(function);
        let only_store = (stores.len() == 1).then(|| stores.first()).flatten().map(|store| store.location);
        match self.effects.passed_to_thread(function).or(only_store) {
            Some(location) => self.label(location, text),
            None => self.note(text),
        }
    }

    /// Says why a function without a mark runs only inside: notes for its callers and for the slots that
    /// it is stored in.
    pub fn note_only_inside(&mut self, function: FunctionId) {
        let (effects, function_name) = (self.effects, name(self.effects, function));
        let inside = &effects.pack.words.inside;
        self.note(format!("`{function_name}` is unmarked, and all its callers run {inside}"));
        let is_other = |(site, caller): &(CallSite, FunctionId)| {
            *caller != function && effects.program.call(*site).kind.is_in_place()
        };
        let calls: Vec<(CallSite, FunctionId)> =
            effects.program.calls_of(function).into_iter().filter(is_other).collect();
        self.note_calls(&calls, |caller| format!("`{caller}` calls `{function_name}` {inside}"));
        self.note_stores(effects.program.stores_of(function), |_| {
            format!("`{function_name}` is stored here, and called {inside}")
        });
    }

    /// Reports which other functions would need a mark: notes for the nearest, and the whole number as help.
    pub fn note_required_marks(&mut self, closure: &MarkClosure) {
        for RequiredMark { what, because, location } in closure.required_marks.iter().take(MOST_LISTED) {
            self.mention_callee(*what);
            self.mention_callee(*because);
            let text = match what {
                Callee::Function(caller) => {
                    format!("unmarked `{}` {}", name(self.effects, *caller), calls(self.effects, *because))
                }
                Callee::Slot(slot) if self.effects.program.slot(*slot).declared.contains(location) => {
                    format!("a mark here also marks {}", self.effects.slot_name(*slot))
                }
                Callee::Slot(slot) => {
                    let because = match because {
                        Callee::Function(function) => StoredValue::Function(*function),
                        Callee::Slot(slot) => StoredValue::Copy(*slot),
                    };
                    let because = wording::value(self.effects, because);
                    format!("{because} is stored in unmarked {}", self.effects.slot_name(*slot))
                }
            };
            self.note_at(*location, text);
        }
        let functions: Vec<FunctionId> =
            closure.required_marks.iter().filter_map(|obliged| obliged.what.function()).collect();
        match functions.len() {
            0 => {}
            1 => self.help(format!("{} would need the mark too", wording::names(self.effects, &functions))),
            _ if closure.is_truncated => {
                self.help(format!("more than {MAX_REQUIRED_MARKS} callers would need the mark too"))
            }
            count => self
                .help(format!("{count} callers would need the mark too: {}", wording::names(self.effects, &functions))),
        }
    }

    /// Offers to mark something as inside-only, with everything that needs the mark then, when that is certainly
    /// right.
    pub fn fix_by_marks(&mut self, first: Callee, closure: &MarkClosure) {
        if let Some((title, actions)) = self.plan_marks(first, closure) {
            self.fix(Safety::Safe, title, actions);
        }
    }

    /// The same together with a change that the marks allow, described by `title`: both are made, or neither.
    pub fn fix_by_marks_and(&mut self, safety: Safety, first: Callee, closure: &MarkClosure, change: (String, Action)) {
        if let Some((marks, mut actions)) = self.plan_marks(first, closure) {
            let (title, action) = change;
            actions.push(action);
            self.fix(safety, format!("{marks}, and {title}"), actions);
        }
    }

    /// The marks of something and of everything that needs the mark then, when that is certainly right.
    fn plan_marks(&self, first: Callee, closure: &MarkClosure) -> Option<(String, Vec<Action>)> {
        let mark = self.effects.usable_mark(Effect::InsideOnly)?;
        if !self.effects.can_be_marked(first, closure) {
            return None;
        }
        let all = [first].into_iter().chain(closure.required_marks.iter().map(|obliged| obliged.what));
        let actions = all.map(|what| self.mark_action(what, mark)).collect();
        let what = |callee: Callee| match callee {
            Callee::Function(function) => format!("`{}`", name(self.effects, function)),
            Callee::Slot(slot) => self.effects.slot_name(slot),
        };
        let obliged: Vec<String> =
            closure.required_marks.iter().take(MOST_LISTED).map(|obliged| what(obliged.what)).collect();
        let more = match closure.required_marks.len() {
            0 => String::new(),
            count if count > MOST_LISTED => {
                format!(", also {} and {} more", obliged.join(", "), count - MOST_LISTED)
            }
            _ => format!(", also {}", obliged.join(", ")),
        };
        Some((format!("mark {} as `{mark}`{more}", what(first)), actions))
    }

    /// Offers a change.
    pub fn fix(&mut self, safety: Safety, title: String, actions: Vec<Action>) {
        self.finding.fixes.push(Fix { title, safety, actions, edits: Vec::new(), obstacle: None });
    }

    /// Offers to call another function at a location.
    pub fn fix_call(&mut self, safety: Safety, location: Location, old: &str, new: &str) {
        let at = span(self.effects, location);
        let action = Action::CallInstead { old: old.to_owned(), new: new.to_owned(), at };
        self.fix(safety, call_instead(old, new), vec![action]);
    }

    /// A mark on a function or a slot, wherever it is declared without one.
    pub fn mark_action(&self, what: Callee, mark: &str) -> Action {
        let spans = |locations: &[Location]| locations.iter().map(|location| span(self.effects, *location)).collect();
        let mark = mark.to_owned();
        match what {
            Callee::Function(function) => {
                let name = name(self.effects, function).to_owned();
                Action::MarkFunction { name, mark, at: spans(&self.effects.unmarked_declarations(function)) }
            }
            Callee::Slot(slot) => {
                let slot = self.effects.program.slot(slot);
                Action::MarkPointer { name: slot.name.clone(), mark, at: spans(&slot.declared) }
            }
        }
    }

    /// Adds a note for a call on a chain.
    pub fn note_step(&mut self, step: &Step) {
        self.mention(step.caller);
        self.mention_callee(step.callee);
        if let Some(slot) = step.through.filter(|_| !step.passed) {
            self.mention_slot(slot);
        }
        let text = wording::step(self.effects, step);
        self.note_at(step.location, text);
        self.note_origin(step);
    }

    /// Adds notes for the store and the copies that bring a candidate into its slot, from which it is copied here.
    pub fn note_candidate(&mut self, value: StoredValue, location: Location) {
        if let StoredValue::Candidate(function, slot) = value {
            let origin = self.effects.points_to.origin(self.effects.program, slot, function, location.file);
            origin.iter().for_each(|origin| self.note_stores_of(origin));
        }
    }

    /// Adds notes for the store and the copies that a call through a slot rests on.
    fn note_origin(&mut self, step: &Step) {
        if let Some(origin) = wording::origin_of_step(self.effects, step) {
            self.note_stores_of(&origin);
        }
    }

    fn note_stores_of(&mut self, origin: &Origin) {
        for slot in origin.store.slot.into_iter().chain(origin.copies.iter().flat_map(|copy| [copy.from, copy.to])) {
            self.mention_slot(slot);
        }
        for (location, text) in wording::origin(self.effects, origin) {
            self.note_at(location, text);
        }
    }

    /// Adds a note for each further value that does not fit a slot, up to a limit, and counts the rest.
    pub fn note_mismatches(&mut self, mismatches: &[StoreMismatch]) {
        for mismatch in mismatches.iter().take(MOST_LISTED) {
            match mismatch.value {
                StoredValue::Function(function) => self.mention(function),
                StoredValue::Candidate(function, slot) => {
                    self.mention(function);
                    self.mention_slot(slot);
                }
                StoredValue::Copy(slot) | StoredValue::Address(slot) => self.mention_slot(slot),
            }
            let value = wording::value(self.effects, mismatch.value);
            self.note_at(mismatch.location, format!("{value} is stored there too"));
        }
        self.note_more(mismatches.len());
    }

    /// Adds a note for each store, up to a limit, and counts the rest.
    pub fn note_stores(&mut self, stores: &[Store], text: impl Fn(&str) -> String) {
        for store in stores.iter().take(MOST_LISTED) {
            self.mention(store.function);
            self.note_at(store.location, text(name(self.effects, store.function)));
        }
        self.note_more(stores.len());
    }

    /// The finding.
    pub fn finish(self) -> Finding {
        self.finding
    }
}

/// The level of a finding about something that is called or stored, of at most this one: its model can limit it.
pub fn gravest_level(effects: &Effects<'_>, what: Callee, level: Level) -> Level {
    let limit = what.function().and_then(|function| effects.level_of(function));
    limit.map_or(level, |limit| level.max(limit))
}

/// The title of a fix that calls another function.
pub fn call_instead(old: &str, new: &str) -> String {
    format!("call `{new}` instead of `{old}`")
}

/// What is called, as a subject.
pub fn callee_subject(effects: &Effects<'_>, callee: Callee) -> Subject {
    match callee {
        Callee::Function(function) => Role::Callee.of(name(effects, function)),
        Callee::Slot(slot) => slot_subject(effects, slot),
    }
}

/// A slot, as a subject: `Struct::field`, `f(1)` for a parameter, `f()` for a result, `*p` for what `p` points to.
pub fn slot_subject(effects: &Effects<'_>, slot: SlotId) -> Subject {
    Role::Slot.of(subject_name(effects, slot))
}

fn subject_name(effects: &Effects<'_>, slot: SlotId) -> String {
    let slot = effects.program.slot(slot);
    let base = || slot.base.map_or_else(String::new, |base| subject_name(effects, base));
    match &slot.key {
        SlotKey::Parameter { function, position } => format!("{}({})", name(effects, *function), position + 1),
        SlotKey::Result { function } => format!("{}()", name(effects, *function)),
        SlotKey::PointedParameter { position, .. } => format!("{}({})", base(), position + 1),
        SlotKey::PointedResult { .. } => format!("{}()", base()),
        SlotKey::Target(_) => format!("*{}", base()),
        SlotKey::Field { .. } | SlotKey::Global { .. } | SlotKey::Local { .. } => slot.name.clone(),
    }
}

/// What is stored, as a subject: a function, or the slot that the value comes from.
pub fn value_subject(effects: &Effects<'_>, value: StoredValue) -> Subject {
    match value {
        StoredValue::Function(function) | StoredValue::Candidate(function, _) => {
            Role::Function.of(name(effects, function))
        }
        StoredValue::Copy(slot) | StoredValue::Address(slot) => slot_subject(effects, slot),
    }
}

/// The label of a place where a value is stored.
pub fn stored_here(value: StoredValue) -> &'static str {
    match value {
        StoredValue::Function(_) | StoredValue::Address(_) => "stored here",
        StoredValue::Copy(_) | StoredValue::Candidate(..) => "copied here",
    }
}
