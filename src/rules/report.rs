//! How rules make findings: places as labels, remarks, and what to do.

use crate::config::Effect;
use crate::effects::{Breach, Callee, Effects, Obliged, Origin, Step};
use crate::findings::{Finding, Label, Level, Note};
use crate::program::{FunctionId, Place, Site, Store};
use crate::words::{self, MOST_LISTED, called, name, span};

/// Builds a finding about a function.
pub struct Report<'e, 'a> {
    effects: &'e Effects<'a>,
    finding: Finding,
}

impl<'e, 'a> Report<'e, 'a> {
    /// A finding at a place. `message` and `label` are in lower case and without a full stop.
    pub fn new(
        effects: &'e Effects<'a>,
        rule: &str,
        level: Level,
        function: &str,
        place: Place,
        message: String,
        label: impl Into<String>,
    ) -> Self {
        let primary = Label { at: span(effects, place), text: label.into() };
        let finding = Finding {
            rule: rule.to_owned(),
            level,
            message,
            function: function.to_owned(),
            primary,
            secondary: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
        };
        Report { effects, finding }
    }

    /// A further place.
    pub fn label(&mut self, place: Place, text: impl Into<String>) {
        let label = Label { at: span(self.effects, place), text: text.into() };
        if label.at != self.finding.primary.at && !self.finding.secondary.contains(&label) {
            self.finding.secondary.push(label);
        }
    }

    /// A remark with a place.
    pub fn note_at(&mut self, place: Place, text: impl Into<String>) {
        let at = Some(span(self.effects, place));
        self.finding.notes.push(Note { text: text.into(), at });
    }

    /// A remark.
    pub fn note(&mut self, text: impl Into<String>) {
        self.finding.notes.push(Note { text: text.into(), at: None });
    }

    /// What to do.
    pub fn help(&mut self, text: impl Into<String>) {
        self.finding.help.push(text.into());
    }

    /// Labels the mark, or whatever else says what a function demands.
    pub fn label_demand(&mut self, function: FunctionId) {
        let name = name(self.effects, function);
        match self.effects.demand(function).origin {
            Origin::Marked(mark) => {
                let mark_name = &self.effects.pack.mark(mark.mark).name;
                self.label(mark.place, format!("`{name}` is marked `{mark_name}` here"));
            }
            Origin::Inferred(place) => {
                let context = match self.effects.demand(function).effect {
                    Some(Effect::CoroutineOnly) => "in a coroutine",
                    _ => "outside of coroutines",
                };
                self.label(place, format!("`{name}` bears no mark, but asserts here that it is {context} (inferred)"));
            }
            Origin::Modelled(model) => {
                let reason = &self.effects.pack.models[model].reason;
                self.note(format!("the pack says what `{name}` demands: {reason}"));
            }
            Origin::Unmarked | Origin::Contradictory(..) => {}
        }
    }

    /// Where a call comes out of a macro, notes where it is written: the edit may have to be made there.
    pub fn note_spelling(&mut self, breach: &Breach) {
        let calls = &self.effects.program.body(breach.body).calls;
        let written = calls.iter().filter(|call| call.place == breach.place);
        let same = |callee: FunctionId| breach.callee == Callee::Function(callee);
        let spelling = written.filter(|call| same(call.callee)).find_map(|call| call.spelling);
        if let Some(spelling) = spelling {
            self.note_at(spelling, format!("the call of {} is written here", called(self.effects, breach.callee)));
        }
    }

    /// Labels what says what a callee demands.
    pub fn label_callee(&mut self, callee: Callee) {
        match callee {
            Callee::Function(function) => self.label_demand(function),
            Callee::Slot(slot) => {
                if let Some((_, mark)) = self.effects.slot_demand(slot) {
                    let (slot, mark_name) = (self.effects.slot_name(slot), &self.effects.pack.mark(mark.mark).name);
                    self.label(mark.place, format!("{slot} is marked `{mark_name}` here"));
                }
            }
        }
    }

    /// Adds a note for each call, up to a limit, and counts the rest.
    pub fn note_calls(&mut self, calls: &[(Site, FunctionId)], text: impl Fn(&str) -> String) {
        for (site, caller) in calls.iter().take(MOST_LISTED) {
            let place = self.effects.program.call(*site).place;
            self.note_at(place, text(name(self.effects, *caller)));
        }
        if calls.len() > MOST_LISTED {
            self.note(format!("and {} more", calls.len() - MOST_LISTED));
        }
    }

    /// Tells whom a mark would oblige: notes for the nearest of them, and the whole number as help.
    pub fn note_obliged(&mut self, obliged: &[Obliged]) {
        for Obliged { function, callee, place } in obliged.iter().take(MOST_LISTED) {
            let (caller, callee) = (name(self.effects, *function), name(self.effects, *callee));
            self.note_at(*place, format!("`{caller}`, which bears no mark, calls `{callee}`"));
        }
        let functions: Vec<FunctionId> = obliged.iter().map(|obliged| obliged.function).collect();
        match functions.len() {
            0 => {}
            1 => self.help(format!("the mark would oblige {}, too", words::names(self.effects, &functions))),
            count => self.help(format!(
                "the mark would oblige {count} functions that lead to it, too: {}",
                words::names(self.effects, &functions)
            )),
        }
    }

    /// Adds a note for a call on a chain.
    pub fn note_step(&mut self, step: &Step) {
        let text = words::step(self.effects, step);
        self.note_at(step.place, text);
    }

    /// Adds a note for each store, up to a limit, and counts the rest.
    pub fn note_stores(&mut self, stores: &[Store], text: impl Fn(&str) -> String) {
        for store in stores.iter().take(MOST_LISTED) {
            self.note_at(store.place, text(name(self.effects, store.function)));
        }
        if stores.len() > MOST_LISTED {
            self.note(format!("and {} more", stores.len() - MOST_LISTED));
        }
    }

    /// The finding.
    pub fn finish(self) -> Finding {
        self.finding
    }
}
