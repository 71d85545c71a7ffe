//! Translation units that could not be read, for the report.

use std::path::Path;

use cowrap_analysis::effects::Effects;
use cowrap_base::files::{ReadRefusal, Shown, Texts, Tree};
use cowrap_base::limits::Limit;
use cowrap_facts::UnitFacts;
use cowrap_frontend::compdb::RefusedEntry;
use cowrap_frontend::failure::Failure;
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
        Ok(_) => (message(failure, tree), help(failure)),
        Err(_) => {
            let help = "configure the build again: the compilation database names a file that does not exist";
            ("no such file".to_owned(), Some(help.to_owned()))
        }
    };
    Problem { file: tree.relative(file).to_path_buf(), kind: ProblemKind::Failed, message, at: None, help }
}

/// The message for a failure.
fn message(failure: &Failure, tree: &Tree) -> String {
    match failure {
        Failure::Refused { file, why } => format!("{}: {why}", tree.relative(file).shown()),
        _ => failure.to_string(),
    }
}

/// What to do about a failure.
fn help(failure: &Failure) -> Option<String> {
    let raise = |limit: Limit| format!("raise the limit with {}, or leave the file out with `exclude`", limit.option());
    match failure {
        Failure::Exceeded { limit, .. } => Some(raise(*limit)),
        Failure::Refused { why: ReadRefusal::TooLarge { .. }, .. } => Some(raise(Limit::Source)),
        Failure::Killed { .. } => {
            Some("the system does so when memory is short; read fewer units at the same time with --jobs".to_owned())
        }
        _ => None,
    }
}

/// The first error that libclang reported in a unit, if there is one.
pub(crate) fn parse_problem(file: &Path, facts: &UnitFacts, tree: &Tree) -> Option<Problem> {
    if facts.parse_status.errors == 0 {
        return None;
    }
    let error = facts.parse_status.first_error.as_ref();
    let foreign = tree.find_foreign(facts.files.iter().map(|file| tree.absolute(file)));
    let message = match (error, &foreign) {
        (None, _) => "the compiler reported errors".to_owned(),
        (Some(error), None) => error.message.clone(),
        // The message may have words of that file, wherever the error is.
        (Some(_), Some(foreign)) => format!(
            "the compiler reported an error; its message is not quoted, since {} is read, which is outside of the tree",
            foreign.shown()
        ),
    };
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
