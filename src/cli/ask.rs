//! The subcommands that answer queries: `why`, `callers`, `callees`, `paths`, `graph`.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use cowrap_report::render::{AnswerFormat, render_answer};
use cowrap_report::{Answer, Direction};
use cowrap_session::Query;
use cowrap_session::Selection;

use super::input::InputArguments;
use super::{ColorArgument, fail, progress, warn};

/// What all queries have in common.
#[derive(Debug, Args)]
struct Common {
    /// When to use colors
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArgument::Auto)]
    color: ColorArgument,

    #[command(flatten)]
    input: InputArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArgument {
    /// Text with source excerpts, for people
    Human,
    /// One JSON document
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GraphFormatArgument {
    /// Graphviz DOT
    Dot,
    /// One JSON document
    Json,
    /// An HTML page, for a browser
    Html,
}

#[derive(Debug, Args)]
pub(super) struct Why {
    /// Function; `file.c:name` selects one of several static functions
    function: String,

    /// Show how the function leads to this one, whatever that requires
    #[arg(long, value_name = "FUNCTION")]
    to: Option<String>,

    /// Show a witness for every call that supports an answer, not only the most certain one
    #[arg(long)]
    all: bool,

    /// Format of the answer
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Related {
    /// Function; `file.c:name` selects one of several static functions
    function: String,

    /// Include indirect calls: callers of callers, or callees of callees
    #[arg(long)]
    transitive: bool,

    /// Ignore calls through function pointers
    #[arg(long)]
    named: bool,

    /// Format of the answer
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  0  at least one path found\n  1  no path found\n  2  query failed")]
pub(super) struct Paths {
    /// Path expression: names and patterns of functions, the caller first
    ///
    /// A step is a name, a /regular expression/ or a [label]; `!`, `*`, `|` and `...` combine
    /// steps. docs/queries.md describes the language.
    #[arg(value_name = "EXPR", required = true, num_args = 1..)]
    expression: Vec<String>,

    /// Maximum number of paths; each ends at another function
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,

    /// Format of the answer
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Graph {
    /// Only functions near FUNCTION: its callers and callees
    #[arg(long, value_name = "FUNCTION", conflicts_with = "between")]
    around: Option<String>,

    /// Only the shortest paths from one function to another
    #[arg(long, value_names = ["FROM", "TO"], num_args = 2)]
    between: Option<Vec<String>>,

    /// With --around: distance in calls [default: 4 in html, else 2]; with --between: extra calls
    /// allowed [default: 0]
    #[arg(long, value_name = "N")]
    depth: Option<u32>,

    /// Include at most N functions and slots, the nearest first [default: 1000 in html, else no limit]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Format of the graph
    #[arg(long, value_enum, default_value_t = GraphFormatArgument::Dot)]
    format: GraphFormatArgument,

    #[command(flatten)]
    common: Common,
}

impl Why {
    pub(super) fn run(self) -> ExitCode {
        let query = Query::Why { function: self.function, to: self.to, all: self.all };
        self.common.run(&query, self.format.into())
    }
}

impl Related {
    pub(super) fn run(self, direction: Direction) -> ExitCode {
        let Related { function, transitive, named, .. } = self;
        let query = Query::Related { function, direction, transitive, named };
        self.common.run(&query, self.format.into())
    }
}

impl Paths {
    pub(super) fn run(self) -> ExitCode {
        let query = Query::Paths { expression: self.expression.join(" "), limit: self.limit };
        self.common.run(&query, self.format.into())
    }
}

impl Graph {
    pub(super) fn run(self) -> ExitCode {
        // A page has more than it shows at first, since nobody answers when somebody asks it for more.
        let (depth, limit) = match self.format {
            GraphFormatArgument::Html => (4, Some(MOST_ON_A_PAGE)),
            GraphFormatArgument::Dot | GraphFormatArgument::Json => (2, None),
        };
        let limit = self.limit.or(limit);
        let selection = match (self.around, self.between.as_deref()) {
            (Some(function), _) => Selection::Around { function, depth: self.depth.unwrap_or(depth) },
            (None, Some([from, to])) => {
                Selection::Between { from: from.clone(), to: to.clone(), more: self.depth.unwrap_or(0) }
            }
            (None, _) if self.depth.is_some() => return fail("--depth requires --around or --between"),
            (None, _) => Selection::Everything,
        };
        let format = match self.format {
            GraphFormatArgument::Dot => AnswerFormat::Dot,
            GraphFormatArgument::Json => AnswerFormat::Json,
            GraphFormatArgument::Html => AnswerFormat::Html,
        };
        self.common.run(&Query::Graph { selection, limit }, format)
    }
}

impl From<FormatArgument> for AnswerFormat {
    fn from(format: FormatArgument) -> Self {
        match format {
            FormatArgument::Human => AnswerFormat::Human,
            FormatArgument::Json => AnswerFormat::Json,
        }
    }
}

/// How many functions and slots a page has unless somebody asks for more: it opens at once, and has what a reader looks
/// at.
const MOST_ON_A_PAGE: usize = 1000;

impl Common {
    fn run(&self, query: &Query, format: AnswerFormat) -> ExitCode {
        let request = match self.input.request() {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        let result = match cowrap_session::ask(&request, query, &progress::Bar::new()) {
            Ok(result) => result,
            Err(error) => return fail(&error.to_string()),
        };
        if result.unread_units > 0 {
            let units = if result.unread_units == 1 { "translation unit" } else { "translation units" };
            warn(&format!("{} {units} could not be read; the answer lacks them", result.unread_units));
        }
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let written =
            render_answer(&result, format, self.color.style(&std::io::stdout()), &mut out).and_then(|()| out.flush());
        match written {
            Ok(()) => {}
            // The reader stopped early.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => return fail(&format!("cannot write the answer: {error}")),
        }
        let nothing = matches!(&result.answer, Answer::Paths(paths) if paths.paths.is_empty());
        // The process ends and frees its memory as a whole; freeing the program piece by piece
        // takes longer than most queries.
        std::mem::forget(result);
        ExitCode::from(u8::from(nothing))
    }
}
