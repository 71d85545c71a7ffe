//! Compiles and runs random programs, and reads them with cowrap.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cowrap_analysis::effects::{Effects, Resolution};
use cowrap_analysis::program::Location;
use cowrap_analysis::queries::{self, Selection};
use cowrap_report::{EdgeKind, Reach, Report};
use cowrap_session::{Input, Progress, Request};
use tempfile::TempDir;

/// A program: declarations, and what each of its two units defines.
#[derive(Clone, Debug)]
pub struct Program {
    /// How all its names begin. It begins in a function of this name and `_main`.
    pub name: String,
    /// The part of the header.
    pub header: String,
    /// The parts of the two units.
    pub units: [String; 2],
    /// What calls it, which cowrap does not read.
    pub driver: String,
}

/// A place in a file, by its line.
pub type Spot = (String, u32);

/// A call that a run made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observed {
    /// The caller, see [`identity`].
    pub caller: String,
    /// The location of the call.
    pub at: Spot,
    /// The callee.
    pub callee: String,
    /// Whether it was in a coroutine.
    pub inside: bool,
    /// Whether a lock was held.
    pub held: bool,
    /// Whether a mark of the caller, or of a function above it, says that this cannot happen.
    pub excused: bool,
    /// The functions from the nearest marked one above, if that is a `coroutine_fn`, to the caller.
    pub chain: Vec<String>,
    /// Whether the run came to its end.
    pub returned: bool,
}

/// The calls in one line of one function, in cowrap's call graph.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The functions that are called by name.
    pub named: BTreeSet<String>,
    /// The functions that may be called through pointers.
    pub candidates: BTreeSet<String>,
    /// Whether a call through a pointer is counted as unknown, or as partly known.
    pub unknown: bool,
}

/// All calls, by caller and location.
pub type CallGraph = BTreeMap<(String, Spot), Line>;

/// A directory with programs.
pub struct Batch {
    directory: TempDir,
    sources: Vec<String>,
}

/// How the units of programs become files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Two files for all programs.
    Together,
    /// Two files for each program.
    Apart,
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _units: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

const FLAGS: &str = "-std=gnu11 -w";

impl Batch {
    /// Writes programs that have these types.
    pub fn new(types: &str, programs: &[Program], layout: Layout) -> Batch {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it is below the root")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        };
        let headers: String = programs.iter().map(|program| program.header.as_str()).collect();
        write("include/run.h", include_str!("run.h"));
        write("include/batch.h", &format!("{types}{headers}"));
        write("run.c", include_str!("run.c"));
        write("main.c", &main_file(programs));
        let mut files: Vec<(String, String)> = Vec::new();
        for (unit, short) in ["a", "b"].into_iter().enumerate() {
            let text = |program: &Program| program.units[unit].clone();
            match layout {
                Layout::Together => files.push((format!("{short}.c"), programs.iter().map(text).collect())),
                Layout::Apart => {
                    files.extend(programs.iter().map(|program| (format!("{}_{short}.c", program.name), text(program))))
                }
            }
        }
        for (path, text) in &files {
            write(path, &format!("#include \"batch.h\"\n{text}"));
        }
        let sources = files.into_iter().map(|(path, _)| path).collect();
        let batch = Batch { directory, sources };
        batch.write_database(&batch.sources);
        batch
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// The units.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Writes a database with the units in this order.
    pub fn write_database(&self, sources: &[String]) {
        let entry = |file: &String| {
            let command = format!("cc {FLAGS} -Iinclude -c {file}");
            serde_json::json!({ "directory": self.root(), "file": file, "command": command })
        };
        let entries: Vec<_> = sources.iter().map(entry).collect();
        let text = serde_json::to_string(&entries).expect("plain data");
        std::fs::write(self.root().join("compile_commands.json"), text).expect("a file");
    }

    /// Compiles the programs and runs each of them many times.
    ///
    /// # Errors
    ///
    /// They do not compile, or one of them crashes: what the compiler or the run said.
    pub fn run(&self, times: usize) -> Result<BTreeSet<Observed>, String> {
        let output = Command::new("cc")
            .args(FLAGS.split(' '))
            .args(["-DRUN", "-O0", "-Iinclude", "-o", "run", "run.c", "main.c"])
            .args(&self.sources)
            .current_dir(self.root())
            .output()
            .map_err(|error| format!("cc: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let output = Command::new(self.root().join("run")).arg(times.to_string()).output().expect("it was made");
        let text = String::from_utf8_lossy(&output.stdout);
        if let Some(crash) = text.lines().find(|line| line.starts_with("crash")) {
            return Err(crash.to_owned());
        }
        Ok(text.lines().map(ran).collect())
    }

    fn request(&self) -> Request {
        let root = self.root().canonicalize().expect("it is there");
        Request { root: Some(root.clone()), jobs: 1, ..Request::new(Input::Database(Some(root.clone())), root) }
    }

    /// What cowrap reports.
    ///
    /// # Errors
    ///
    /// The programs do not compile.
    pub fn report(&self) -> Result<Report, String> {
        let report = cowrap_session::check(&self.request(), &Silent).map_err(|error| error.to_string())?;
        if report.problems.is_empty() { Ok(report) } else { Err(format!("{:?}", report.problems)) }
    }

    /// Where the lines of these places run, as an editor shows it.
    ///
    /// # Errors
    ///
    /// The programs do not compile.
    pub fn lines<'s>(&self, spots: impl Iterator<Item = &'s Spot>) -> Result<BTreeMap<&'s Spot, Reach>, String> {
        let index = cowrap_session::index(&self.request(), &Silent).map_err(|error| error.to_string())?;
        if !index.problems.is_empty() {
            return Err(format!("{:?}", index.problems));
        }
        let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
        effects.prepare();
        let context = |spot: &'s Spot| {
            let path = index.tree.root.join(&spot.0);
            Some((spot, queries::editor::line_context(&effects, &path, spot.1)?.reach))
        };
        Ok(spots.filter_map(context).collect())
    }

    /// The call graph.
    ///
    /// # Errors
    ///
    /// The programs do not compile.
    pub fn call_graph(&self) -> Result<CallGraph, String> {
        let index = cowrap_session::index(&self.request(), &Silent).map_err(|error| error.to_string())?;
        if !index.problems.is_empty() {
            return Err(format!("{:?}", index.problems));
        }
        let effects = Effects::new(&index.program, index.packs.first(), &index.tree);
        let graph = queries::graph(&effects, &Selection::Everything, None, &[]).expect("a graph");
        let name = |node: usize| {
            let node = &graph.nodes[node];
            let file = node.at.as_ref().map_or(String::new(), |at| at.path.display().to_string());
            identity(&node.name, &file)
        };
        let mut candidates: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for edge in graph.edges.iter().filter(|edge| edge.kind == EdgeKind::Candidate) {
            candidates.entry(edge.from).or_default().insert(name(edge.to));
        }
        let mut calls = CallGraph::new();
        for edge in graph.edges.iter().filter(|edge| edge.kind != EdgeKind::Candidate) {
            for site in &edge.sites {
                let at = (site.path.display().to_string(), site.line);
                let line = calls.entry((name(edge.from), at)).or_default();
                match edge.kind {
                    EdgeKind::PointerCall => {
                        line.candidates.extend(candidates.get(&edge.to).into_iter().flatten().cloned());
                    }
                    EdgeKind::Unresolved => line.unknown = true,
                    _ => drop(line.named.insert(name(edge.to))),
                }
            }
        }
        let spot = |location: Location| {
            let path = index.tree.relative(index.program.path(location.file));
            (path.display().to_string(), location.line)
        };
        for body in &index.program.bodies {
            let caller = identity(&index.program.function(body.function).name, &spot(body.location).0);
            for call in body.slot_calls.iter().filter(|call| effects.resolution(call.slot) != Resolution::Known) {
                calls.entry((caller.clone(), spot(call.location))).or_default().unknown = true;
            }
        }
        Ok(calls)
    }
}

/// A function's name; with its file if each unit has one of this name.
fn identity(name: &str, file: &str) -> String {
    if name.ends_with("_twin") { format!("{file}:{name}") } else { name.to_owned() }
}

/// A call that a run printed.
fn ran(line: &str) -> Observed {
    let words: Vec<&str> = line.split(' ').collect();
    let [file, caller, number, callee_file, callee, inside, held, excused, chain, returned] = words[..] else {
        panic!("{line}")
    };
    Observed {
        caller: identity(caller, file),
        at: (file.to_owned(), number.parse().expect("a line")),
        callee: identity(callee, callee_file),
        inside: inside == "1",
        held: held == "1",
        excused: excused == "1",
        chain: chain.split(',').filter(|name| *name != "-").map(str::to_owned).collect(),
        returned: returned == "1",
    }
}

/// The drivers, and the table of programs that the run goes through.
fn main_file(programs: &[Program]) -> String {
    let all = |text: &dyn Fn(&Program) -> String| programs.iter().map(text).collect::<String>();
    format!(
        "#include \"run.h\"\n{}{}const struct program {{ const char *name; void (*run)(void); }} programs[] = {{\n\
         {}    {{ 0, 0 }}\n}};\n",
        all(&|program| format!("void {}_main(void);\n", program.name)),
        all(&|program| program.driver.clone()),
        all(&|program| format!("    {{ \"{0}\", {0}_main }},\n", program.name)),
    )
}

/// The smallest program that is made by leaving out lines and still fails, as far as it is found in time.
pub fn reduce(program: &Program, time: Duration, fails: &dyn Fn(&Program) -> bool) -> Program {
    let start = Instant::now();
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (part, text) in [&program.header, &program.units[0], &program.units[1]].into_iter().enumerate() {
        lines.extend(text.lines().map(|line| (part, format!("{line}\n"))));
    }
    let build = |lines: &[(usize, String)]| {
        let part = |wanted: usize| -> String {
            lines.iter().filter(|(part, _)| *part == wanted).map(|(_, line)| line.as_str()).collect()
        };
        Program { header: part(0), units: [part(1), part(2)], ..program.clone() }
    };
    let without = |lines: &[(usize, String)], out: &dyn Fn(usize) -> bool| -> Vec<(usize, String)> {
        let kept = lines.iter().enumerate().filter(|(at, _)| !out(*at));
        kept.map(|(_, line)| line.clone()).collect()
    };
    let mut size = lines.len() / 2;
    while size > 0 {
        let (mut at, before) = (0, lines.len());
        while at < lines.len() && start.elapsed() < time {
            // Some lines, or a block, or the beginning and the end of a block.
            let end = at + size;
            let close = if size == 1 { matching(&lines, at) } else { None };
            let mut tries = vec![without(&lines, &|line| (at..end).contains(&line))];
            if let Some(close) = close {
                tries.push(without(&lines, &|line| (at..=close).contains(&line)));
                tries.push(without(&lines, &|line| line == at || line == close));
            }
            match tries.into_iter().find(|fewer| fails(&build(fewer))) {
                Some(fewer) => lines = fewer,
                None => at = end,
            }
        }
        // What was needed may not be any more.
        size = if size == 1 && lines.len() < before && start.elapsed() < time { 1 } else { size / 2 };
    }
    build(&lines)
}

/// The line that ends the block that begins in a line.
fn matching(lines: &[(usize, String)], begin: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, (_, line)) in lines.iter().enumerate().skip(begin) {
        let count = |brace: char| line.matches(brace).count() as isize;
        // `} else {` ends a block and begins another.
        if at > begin && line.starts_with('}') && depth == 1 {
            return Some(at);
        }
        depth += count('{') - count('}');
        if depth <= 0 {
            return None;
        }
    }
    None
}
