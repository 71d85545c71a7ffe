//! The program as each pack reads it, and what follows from it.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;

use cowrap_analysis::effects::{Effects, changed_through_pointers};
use cowrap_analysis::program::{PointsTo, Program};
use cowrap_base::files::{Texts, Tree};
use cowrap_facts::ReadingId;
use cowrap_packs::{Pack, PackSet};
use cowrap_report::Problem;

use crate::problems::note_unread_units;

/// A program as each of several packs reads it, in the order of the packs.
pub(crate) struct Readings<'p> {
    programs: Vec<(Cow<'p, Program>, &'p Pack)>,
    /// The points-to sets, which are the same for all of them.
    points_to: Arc<PointsTo>,
}

impl<'p> Readings<'p> {
    /// The program as packs read it. `readings` has the number of each pack's reading.
    pub(crate) fn of(program: &'p Program, packs: &'p PackSet, readings: &[ReadingId]) -> Readings<'p> {
        let packs: Vec<(&Pack, ReadingId)> = packs.packs().iter().zip(readings.iter().copied()).collect();
        let points_to = Arc::new(PointsTo::new(program));
        let programs = packs
            .into_par_iter()
            .map(|(pack, reading)| (changed_through_pointers(program.read_as(reading), pack, &points_to), pack));
        Readings { programs: programs.collect(), points_to }
    }

    /// What follows from the program with each pack. `problems` are the units that could not be read.
    pub(crate) fn effects<'r>(&'r self, tree: &'r Tree, problems: &[Problem], texts: &Texts) -> Vec<Effects<'r>> {
        let effects = |(program, pack): &'r (Cow<'p, Program>, &'p Pack)| {
            let mut effects = Effects::with_points_to(program, pack, tree, Arc::clone(&self.points_to));
            note_unread_units(&mut effects, problems, texts);
            effects
        };
        self.programs.par_iter().map(effects).collect()
    }
}
