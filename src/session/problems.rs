//! Translation units that could not be read, as the report has them.

use std::path::Path;

use cowrap_base::files::Tree;
use cowrap_facts::UnitFacts;
use cowrap_frontend::compdb::RefusedEntry;
use cowrap_frontend::parse::Failure;
use cowrap_report::Span;
use cowrap_report::{Problem, ProblemKind};

/// A unit whose entry in the database is refused.
pub(crate) fn refused(refusal: &RefusedEntry, tree: &Tree) -> Problem {
    Problem {
        file: tree.relative(&refusal.file).to_path_buf(),
        kind: ProblemKind::Refused,
        message: format!("entry {}: `{}` is refused: {}", refusal.entry, refusal.argument, refusal.reason),
        at: None,
        help: Some("remove the argument or the entry from the database".to_owned()),
    }
}

/// A unit of which libclang made nothing.
pub(crate) fn failed(failure: &Failure, file: &Path, tree: &Tree) -> Problem {
    let (message, help) = match file.symlink_metadata() {
        Ok(_) => (failure.to_string(), None),
        Err(_) => ("no such file".to_owned(), Some("build again: the database is older than the tree".to_owned())),
    };
    Problem { file: tree.relative(file).to_path_buf(), kind: ProblemKind::Failed, message, at: None, help }
}

/// The first error that libclang reported in a unit, if there was one.
pub(crate) fn parse_problem(file: &Path, facts: &UnitFacts, tree: &Tree) -> Option<Problem> {
    if facts.parse_status.errors == 0 {
        return None;
    }
    let error = facts.parse_status.first_error.as_ref();
    let message = error.map_or_else(|| "the compiler reported errors".to_owned(), |error| error.message.clone());
    let at = error.and_then(|error| error.location).map(|place| Span {
        path: tree.relative(&tree.absolute(&facts.files[place.file.0 as usize])).to_path_buf(),
        line: place.line,
        column: place.column,
    });
    // Clang's own words say that a header is missing; the advice is only a help line, and nothing depends on it.
    let help = message.ends_with("file not found").then(|| {
        "if the build generates this header, build the generated headers first; otherwise install what provides it"
            .to_owned()
    });
    Some(Problem { file: tree.relative(file).to_path_buf(), kind: ProblemKind::Parse, message, at, help })
}
