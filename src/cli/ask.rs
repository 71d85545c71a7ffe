//! The subcommands that answer questions: `why`, `callers`, `callees`, `paths`, `graph`.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use cowrap_report::render::{AnswerFormat, render_answer};
use cowrap_report::{Answer, Direction};
use cowrap_session::Query;
use cowrap_session::Selection;

use super::input::InputArguments;
use super::{ColorArgument, fail, progress};

/// What all questions have in common.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    input: InputArguments,

    /// Whether the answer is coloured; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = ColorArgument::Auto)]
    color: ColorArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArgument {
    /// Text, for people
    Human,
    /// One JSON document
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GraphFormatArgument {
    /// For Graphviz
    Dot,
    /// One JSON document
    Json,
    /// A page for a browser
    Html,
}

#[derive(Debug, Args)]
pub(super) struct Why {
    /// The function; `file.c:name` for one of several `static` ones
    function: String,

    /// Tell how it leads to this function, whatever that demands
    #[arg(long, value_name = "FUNCTION")]
    to: Option<String>,

    /// Show a witness for every call that a conclusion can rest on, not only the best
    #[arg(long)]
    all: bool,

    /// The format of the answer
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Related {
    /// The function; `file.c:name` for one of several `static` ones
    function: String,

    /// Go on from those that are found
    #[arg(long)]
    transitive: bool,

    /// Leave out what goes through pointers
    #[arg(long)]
    named: bool,

    /// The format of the answer
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 with a path, 1 without one, 2 if the question cannot be answered.")]
pub(super) struct Paths {
    /// What the functions on a path are, the caller first: names, /regular expressions/, [labels], `!`, `*`, `|`,
    /// `...`; see docs/questions.md
    #[arg(value_name = "EXPR", required = true, num_args = 1..)]
    expression: Vec<String>,

    /// Show at most so many, each to another end
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,

    /// The format of the answer
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    format: FormatArgument,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Graph {
    /// Only what calls this function, and what it calls
    #[arg(long, value_name = "FUNCTION", conflicts_with = "between")]
    around: Option<String>,

    /// Only the shortest ways from one function to another
    #[arg(long, value_names = ["FROM", "TO"], num_args = 2)]
    between: Option<Vec<String>>,

    /// With --around, how many calls away; with --between, how many calls longer than the shortest [default: 2, 0]
    #[arg(long, value_name = "N")]
    depth: Option<u32>,

    /// The format of the graph
    #[arg(long, value_enum, default_value_t = GraphFormatArgument::Dot)]
    format: GraphFormatArgument,

    #[command(flatten)]
    common: Common,
}

impl Why {
    pub(super) fn run(self) -> ExitCode {
        let question = Query::Why { function: self.function, to: self.to, all: self.all };
        self.common.ask(&question, self.format.into())
    }
}

impl Related {
    pub(super) fn run(self, direction: Direction) -> ExitCode {
        let Related { function, transitive, named, .. } = self;
        let question = Query::Related { function, direction, transitive, named };
        self.common.ask(&question, self.format.into())
    }
}

impl Paths {
    pub(super) fn run(self) -> ExitCode {
        let question = Query::Paths { expression: self.expression.join(" "), limit: self.limit };
        self.common.ask(&question, self.format.into())
    }
}

impl Graph {
    pub(super) fn run(self) -> ExitCode {
        let selection = match (self.around, self.between.as_deref()) {
            (Some(function), _) => Selection::Around { function, depth: self.depth.unwrap_or(2) },
            (None, Some([from, to])) => {
                Selection::Between { from: from.clone(), to: to.clone(), more: self.depth.unwrap_or(0) }
            }
            (None, _) if self.depth.is_some() => return fail("--depth goes with --around or --between"),
            (None, _) => Selection::Everything,
        };
        let format = match self.format {
            GraphFormatArgument::Dot => AnswerFormat::Dot,
            GraphFormatArgument::Json => AnswerFormat::Json,
            GraphFormatArgument::Html => AnswerFormat::Html,
        };
        self.common.ask(&Query::Graph(selection), format)
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

/// How many nodes a page can show so that a browser stays quick and a reader finds something.
const MOST_ON_A_PAGE: usize = 3000;

impl Common {
    fn ask(&self, question: &Query, format: AnswerFormat) -> ExitCode {
        let request = match self.input.request() {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        let answered = match cowrap_session::ask(&request, question, &progress::Bar::new()) {
            Ok(answered) => answered,
            Err(error) => return fail(&error.to_string()),
        };
        if answered.unread_units > 0 {
            eprintln!(
                "cowrap: warning: {} of the units were not read: the answer knows nothing of them",
                answered.unread_units
            );
        }
        if let (Answer::Graph(drawing), AnswerFormat::Html) = (&answered.answer, format)
            && drawing.nodes.len() > MOST_ON_A_PAGE
        {
            return fail(&format!(
                "{} functions and slots are too many for a page (at most {MOST_ON_A_PAGE}); choose some with --around \
                 or --between and a smaller --depth, or take another --format",
                drawing.nodes.len()
            ));
        }
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let written =
            render_answer(&answered, format, self.color.is_on(&std::io::stdout()), &mut out).and_then(|()| out.flush());
        match written {
            Ok(()) => {}
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => return fail(&format!("cannot write the answer: {error}")),
        }
        let nothing = matches!(&answered.answer, Answer::Paths(paths) if paths.paths.is_empty());
        // The process ends, and takes its memory along; to give the program back piece by piece takes longer than to
        // answer most questions.
        std::mem::forget(answered);
        ExitCode::from(u8::from(nothing))
    }
}
