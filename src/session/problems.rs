//! Translation units that could not be read, for the report.

use std::path::Path;

use cowrap_analysis::effects::Effects;
use cowrap_base::files::{Texts, Tree};
use cowrap_facts::UnitFacts;
use cowrap_frontend::compdb::RefusedEntry;
use cowrap_frontend::parse::Failure;
use cowrap_report::{Problem, ProblemKind, Span};

/// A unit whose entry of the database is refused.
pub(crate) fn refused(refusal: &RefusedEntry, tree: &Tree) -> Problem {
    Problem {
        file: tree.relative(&refusal.file).to_path_buf(),
        kind: ProblemKind::Refused,
        message: format!("entry {}: `{}` is refused: {}", refusal.entry, refusal.argument, refusal.reason),
        at: None,
        help: Some("remove the argument or the entry from the database".to_owned()),
    }
}

/// Notes the texts of the units that could not be read, so that nobody takes the callers in the
/// program for all callers.
pub(crate) fn note_unread_units(effects: &mut Effects<'_>, problems: &[Problem], texts: &Texts) {
    for problem in problems {
        if let Ok(text) = texts.text(&problem.file) {
            effects.add_unread_text(&text);
        }
    }
}

/// A unit that libclang could not read.
pub(crate) fn failed(failure: &Failure, file: &Path, tree: &Tree) -> Problem {
    let (message, help) = match file.symlink_metadata() {
        Ok(_) => (failure.to_string(), None),
        Err(_) => {
            let help = "configure the build again: the compilation database names a file that does not exist";
            ("no such file".to_owned(), Some(help.to_owned()))
        }
    };
    Problem { file: tree.relative(file).to_path_buf(), kind: ProblemKind::Failed, message, at: None, help }
}

/// The first error that libclang reported in a unit, if there is one.
pub(crate) fn parse_problem(file: &Path, facts: &UnitFacts, tree: &Tree) -> Option<Problem> {
    if facts.parse_status.errors == 0 {
        return None;
    }
    let error = facts.parse_status.first_error.as_ref();
    let message = error.map_or_else(|| "the compiler reported errors".to_owned(), |error| error.message.clone());
    let at = error.and_then(|error| error.location).map(|location| Span {
        path: tree.relative(&tree.absolute(&facts.files[location.file.0 as usize])).to_path_buf(),
        line: location.line,
        column: location.column,
    });
    // Only clang's message says that a header is missing. It decides nothing but this line of help.
    let help = message.ends_with("file not found").then(|| {
        "if the build generates this header, build the generated headers first; else install the package that has it"
            .to_owned()
    });
    Some(Problem { file: tree.relative(file).to_path_buf(), kind: ProblemKind::Parse, message, at, help })
}
