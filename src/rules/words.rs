//! What rules have in common: places as labels, and the words for contexts and marks.

use crate::config::Effect;
use crate::effects::{Callee, Effects, Origin, Step};
use crate::findings::{Finding, Label, Level, Note, Span};
use crate::program::{FunctionId, Place, Site, Store};

/// How many places of one kind a finding lists before it only counts them.
const MOST_LISTED: usize = 8;

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

    /// Adds a note for a call on a chain.
    pub fn note_step(&mut self, step: &Step) {
        let caller = name(self.effects, step.caller);
        let callee = called(self.effects, step.callee);
        let text = match step.through.filter(|slot| step.callee != Callee::Slot(*slot)) {
            Some(_) if step.passed => format!("`{caller}` calls what it was passed: {callee}"),
            Some(slot) => {
                let count = self.effects.candidates.of_slot(slot).len();
                let slot = self.effects.slot_name(slot);
                let others = match count - 1 {
                    0 => "the only function that is stored there".to_owned(),
                    1 => "one of 2 functions that are stored there".to_owned(),
                    _ => format!("one of {count} functions that are stored there"),
                };
                format!("`{caller}` calls through {slot}, which may be {callee}: {others}")
            }
            None => format!("`{caller}` calls {callee}"),
        };
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

/// A place as findings name it.
pub fn span(effects: &Effects<'_>, place: Place) -> Span {
    let path = effects.tree.relative(effects.program.path(place.file)).to_path_buf();
    Span { path, line: place.line, column: place.column }
}

/// A function's name.
pub fn name<'p>(effects: &Effects<'p>, function: FunctionId) -> &'p str {
    &effects.program.function(function).name
}

/// What is called, in words: a function's name, or what is called through a slot.
pub fn called(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => format!("`{}`", name(effects, function)),
        Callee::Slot(slot) => format!("what {} holds", effects.slot_name(slot)),
    }
}

/// What is called, as the beginning of a message: with what it demands.
pub fn demanding(effects: &Effects<'_>, callee: Callee, effect: Effect) -> String {
    let (callee_words, effect) = (called(effects, callee), effect.describe());
    match callee {
        Callee::Function(_) => format!("{effect} {callee_words} is called"),
        Callee::Slot(_) => format!("{callee_words} is {effect}, and is called"),
    }
}

/// The name of the plain mark for an effect, or the words for it when the pack has none.
pub fn mark_for<'p>(effects: &Effects<'p>, effect: Effect) -> &'p str {
    effects.plain_mark(effect).map_or(effect.describe(), |mark| effects.pack.mark(mark).name.as_str())
}

/// The names of functions, quoted, joined by commas; long lists are cut and counted.
pub fn names(effects: &Effects<'_>, functions: &[FunctionId]) -> String {
    let mut names: Vec<&str> = functions.iter().map(|function| name(effects, *function)).collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(MOST_LISTED);
    let listed: Vec<String> = names.iter().take(MOST_LISTED).map(|name| format!("`{name}`")).collect();
    match more {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}
