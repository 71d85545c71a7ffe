//! The rules as a pack presents them: visible names, levels, summaries and pages.
//!
//! This module must never know what a rule checks.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use cowrap_base::files::{ReadRefusal, Shown, read_regular, refusal};

use super::document::Document;
use super::template::Template;
use super::{PackError, Setting, builtin, words};

/// The ids of all rules that depend on a pack, sorted. Each has a file of its own in `analysis`.
pub const RULE_IDS: &[&str] = &[
    "assert-contradicts-mark",
    "assert-without-mark",
    "eligible-mark",
    "hand-written-wrapper",
    "inside-call",
    "lock-across-primitive",
    "mark-mismatch",
    "misplaced-mark",
    "mixed-call",
    "outside-call",
    "pointer-gains-mark",
    "pointer-loses-mark",
    "superfluous-mark",
    "suspect-mark",
    "unmarked-entry",
    "wrapper-duplicate",
    "wrapper-lock-variant",
    "wrapper-not-generated",
    "wrapper-signature-mismatch",
    "wrapper-stale",
    "wrapper-target-context",
    "wrapper-target-missing",
];

/// The ids of the rules about comments and the baseline, which are the same for all packs.
pub const ABOUT_NO_CONTEXT: &[&str] = &["malformed-suppression", "stale-baseline", "unused-suppression"];

/// The length of the longest page, in bytes.
const LONGEST_PAGE: u64 = 1 << 20;

/// What a pack says about a rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSpec {
    /// The name that users see.
    pub(super) name: Option<String>,
    /// The level of its gravest findings, and the limit of the others; `off` if it does not run.
    pub(super) level: Option<Setting>,
    /// What it reports, in one line.
    pub(super) summary: Option<String>,
    /// Its page: as written, a file relative to the pack's; later its text.
    pub(super) page: Option<String>,
}

/// What a pack says about rules, by their ids.
pub(super) type RuleSpecs = BTreeMap<String, RuleSpec>;

/// Reads the pages. `directory` is that of the pack's file, unless it is built in. Adds the files to `files`.
pub(super) fn read_pages(
    rules: &mut RuleSpecs,
    document: &Document<'_>,
    directory: Option<&Path>,
    files: &mut Vec<PathBuf>,
) -> Result<(), PackError> {
    for (id, offset, texts) in document.tables("rule") {
        let offset = texts.iter().find(|text| text.key == "page").map_or(offset, |text| text.value_offset);
        let Some(spec) = rules.get_mut(&id) else { continue };
        let Some(name) = &spec.page else { continue };
        spec.page = Some(match directory {
            None => builtin::page(name)
                .ok_or_else(|| document.error(offset, format!("no built-in page is named `{name}`")))?,
            Some(directory) => {
                let path = directory.join(name);
                let text = read_page(directory, name).map_err(|problem| {
                    let shown = path.shown();
                    document.error(
                        offset,
                        match problem {
                            PageProblem::Read(error) => format!("cannot read the page of `{id}`, {shown}: {error}"),
                            PageProblem::Refused(why) => format!("the page of `{id}`, {shown}, {why}"),
                        },
                    )
                })?;
                files.push(path);
                text
            }
        });
    }
    Ok(())
}

/// Why the page of a rule cannot be read.
enum PageProblem {
    Read(std::io::Error),
    Refused(&'static str),
}

impl From<std::io::Error> for PageProblem {
    fn from(error: std::io::Error) -> PageProblem {
        PageProblem::Read(error)
    }
}

/// The text of a page. A pack may come from anywhere, so that it may only name files of its own: others may be secret,
/// and devices have no end.
fn read_page(directory: &Path, name: &str) -> Result<String, PageProblem> {
    let outside = PageProblem::Refused("must be below the pack's directory; write a path relative to it");
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(name).components().all(is_plain) {
        return Err(outside);
    }
    let home = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let path = home.join(name).canonicalize()?;
    if !path.starts_with(home.canonicalize()?) {
        return Err(outside);
    }
    let bytes = read_regular(&path, LONGEST_PAGE).map_err(|error| match refusal(&error) {
        Some(ReadRefusal::NotRegular(_)) => PageProblem::Refused("is no file"),
        Some(ReadRefusal::TooLarge { .. }) => PageProblem::Refused("is longer than 1 MiB; shorten it"),
        None => PageProblem::Read(error),
    })?;
    String::from_utf8(bytes).map_err(|_| PageProblem::Refused("is not UTF-8"))
}

/// One pack's rules on top of another's.
pub(super) fn over(own: RuleSpecs, base: RuleSpecs) -> RuleSpecs {
    let mut joined = base;
    for (id, own) in own {
        let known = joined.entry(id).or_default();
        *known = RuleSpec {
            name: own.name.or(known.name.take()),
            level: own.level.or(known.level),
            summary: own.summary.or(known.summary.take()),
            page: own.page.or(known.page.take()),
        };
    }
    joined
}

/// The message about an unknown id.
pub(super) fn unknown_id(id: &str) -> Option<String> {
    if RULE_IDS.contains(&id) {
        return None;
    }
    let meant = super::nearest(id, RULE_IDS.iter().copied()).map(|id| format!("; did you mean `{id}`?"));
    let known: Vec<String> = RULE_IDS.iter().map(|id| format!("`{id}`")).collect();
    Some(format!("no rule has the id `{id}`; known are {}{}", known.join(", "), meant.unwrap_or_default()))
}

/// What is wrong with a text about a rule, and where in the text.
pub(super) fn problem(key: &str, text: &str) -> Option<(usize, String)> {
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
    };
    match key {
        "name" if !is_name(text) => {
            Some((0, format!("`{text}` cannot be a rule's name; use lower-case letters, digits and hyphens")))
        }
        "name" if ABOUT_NO_CONTEXT.contains(&text) => {
            Some((0, format!("`{text}` is a rule about comments or the baseline, which all packs share")))
        }
        "summary" => words::form_problem(text).map(|message| (0, message)).or_else(|| {
            let problem = Template::parse(text, words::KEYS).err()?;
            Some((problem.offset, problem.message))
        }),
        _ => None,
    }
}

/// Two rules with one name: their ids, and the message.
pub(super) fn clash(rules: &RuleSpecs) -> Option<([&'static str; 2], String)> {
    let visible = |id: &'static str| rules.get(id).and_then(|spec| spec.name.as_deref()).unwrap_or(id);
    RULE_IDS.iter().enumerate().find_map(|(position, id)| {
        let other = RULE_IDS[position + 1..].iter().find(|other| visible(other) == visible(id))?;
        let name = visible(id);
        Some(([*id, *other], format!("the rules `{id}` and `{other}` have one name, `{name}`; rename one of them")))
    })
}
