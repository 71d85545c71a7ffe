//! Baselines: known findings, in a file beside the sources.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::fingerprint::UNNAMED_PACK;
use super::{Finding, Fingerprints, Subject, lossy};
use cowrap_base::files::Shown;

/// The version of the format.
const VERSION: u32 = 2;

/// The previous version, which is still read. Its fingerprints were made of messages; its entries
/// have no subjects.
const PREVIOUS: u32 = 1;

/// Known findings.
///
/// In the file, each has a line of its own, sorted, and all these lines look alike: the comma
/// between two is at the start of the second. So git merges the changes of two branches, unless
/// they changed neighbouring lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: Vec<BaselineEntry>,
    /// Whether it was read from a file of the previous version.
    is_previous: bool,
}

/// A known finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineEntry {
    /// The file, relative to the root of the tree.
    #[serde(with = "lossy")]
    pub path: PathBuf,
    /// The rule.
    pub rule: String,
    /// The pack, if its name is part of the fingerprint. Entries of earlier releases have no pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
    /// The enclosing function.
    pub function: String,
    /// What else it is about, by name; nothing in the previous version.
    #[serde(default)]
    pub subjects: Vec<Subject>,
    /// The message, for people: nothing is compared with it.
    pub message: String,
    /// The fingerprint.
    pub fingerprint: String,
    /// The line in the baseline's file, from 1; 0 if it was not read from a file.
    #[serde(skip)]
    pub line: u32,
}

/// Why a baseline cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{path}:{line}: {problem}; run `cowrap baseline` to write a new one")]
pub struct BaselineError {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The problem, in lower case.
    pub problem: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(rename = "cowrap-baseline")]
    version: u32,
}

impl Baseline {
    /// The beginning of every baseline.
    pub const BEGINNING: &str = "[{\"cowrap-baseline\"";

    /// A baseline of all findings of a report, which have fingerprints.
    pub fn of(findings: &[Finding]) -> Baseline {
        let mut entries: Vec<BaselineEntry> = findings.iter().map(BaselineEntry::of).collect();
        entries.sort();
        Baseline { entries, is_previous: false }
    }

    /// Adds a finding, which has a fingerprint, unless it is in the baseline.
    pub fn add(&mut self, finding: &Finding) {
        let entry = BaselineEntry::of(finding);
        let is_known = |known: &BaselineEntry| (&known.pack, &known.fingerprint) == (&entry.pack, &entry.fingerprint);
        if !self.entries.iter().any(is_known) {
            self.entries.push(entry);
            self.entries.sort();
        }
    }

    /// Parses the text of a file.
    pub fn parse(text: &str, path: &Path) -> Result<Baseline, BaselineError> {
        let wrong = |line: usize, problem: &str| {
            let (path, problem) = (path.shown().to_string(), problem.to_owned());
            BaselineError { path, line: line as u32 + 1, problem }
        };
        let mut lines = text.lines().enumerate().map(|(number, line)| (number, line.trim_end())).peekable();
        let head = lines.next().and_then(|(_, line)| line.strip_prefix('['));
        let head: Option<Head> = head.and_then(|head| serde_json::from_str(head).ok());
        let is_previous = match head {
            Some(Head { version: VERSION }) => false,
            Some(Head { version: PREVIOUS }) => true,
            Some(Head { version }) => {
                return Err(wrong(0, &format!("unsupported format version {version}")));
            }
            None => return Err(wrong(0, "not a cowrap baseline")),
        };
        let mut entries = Vec::new();
        let mut is_whole = false;
        for (number, line) in lines {
            is_whole |= line == "]";
            if line.is_empty() || line == "]" {
                continue;
            }
            if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
                return Err(wrong(number, "unresolved merge conflict"));
            }
            let entry = line.strip_prefix(',').ok_or_else(|| wrong(number, "not a baseline entry"))?;
            let entry: BaselineEntry = serde_json::from_str(entry)
                .map_err(|error| wrong(number, &format!("not a baseline entry ({error})")))?;
            entries.push(BaselineEntry { line: number as u32 + 1, ..entry });
        }
        match is_whole {
            true => Ok(Baseline { entries, is_previous }),
            false => Err(wrong(entries.len(), "truncated after this line")),
        }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = format!("[{}\n", json(&Head { version: VERSION }));
        for entry in &self.entries {
            text.push_str(&format!(",{}\n", json(entry)));
        }
        text + "]\n"
    }

    /// The findings.
    pub fn entries(&self) -> &[BaselineEntry] {
        &self.entries
    }

    /// Whether its file is of the previous version of the format, and should be written anew.
    pub fn is_previous(&self) -> bool {
        self.is_previous
    }

    /// For each finding, whether it is known; and the entries that are none of them.
    ///
    /// An entry is a finding with its fingerprint. Of the previous version's entries, each is a
    /// finding of its rule in its file and function: so many of them are known as there are
    /// entries, the first ones of the report. Entries without a pack are about findings of the pack `unnamed`.
    pub fn compare(&self, findings: &[Finding], unnamed: &str) -> (Vec<bool>, Vec<&BaselineEntry>) {
        if self.is_previous {
            let place = |finding: &Finding| {
                may_be_of(finding, unnamed).then(|| BaselineEntry::of(finding).place()).into_iter().collect()
            };
            return self.compare_by(findings, place, BaselineEntry::place);
        }
        // As releases that knew one pack at a time wrote them.
        let mut without_pack = Fingerprints::default();
        let keys = |finding: &Finding| {
            let mut keys = vec![(named_pack(finding), finding.fingerprint.clone())];
            if finding.pack.as_deref() == Some(unnamed) && unnamed != UNNAMED_PACK {
                keys.push((None, without_pack.of(&Finding { pack: None, ..finding.clone() })));
            }
            keys
        };
        self.compare_by(findings, keys, |entry| (entry.pack.clone(), entry.fingerprint.clone()))
    }

    /// The pack that entries without one are about, in a run with these packs.
    pub fn unnamed_pack<'p>(packs: &[&'p str]) -> &'p str {
        let known = packs.iter().find(|pack| **pack == UNNAMED_PACK).or(packs.first());
        known.copied().unwrap_or(UNNAMED_PACK)
    }

    /// Whether each entry of a baseline of the previous version means one finding: no function has
    /// more findings of a rule than entries.
    pub fn is_unambiguous(&self, findings: &[Finding], unnamed: &str) -> bool {
        let mut entries: HashMap<(String, PathBuf, String), usize> = HashMap::new();
        for entry in &self.entries {
            *entries.entry(entry.place()).or_default() += 1;
        }
        let mut found: HashMap<(String, PathBuf, String), usize> = HashMap::new();
        for finding in findings.iter().filter(|finding| may_be_of(finding, unnamed)) {
            let at = finding.primary.at.path.clone();
            *found.entry((finding.rule.clone(), at, finding.function.clone())).or_default() += 1;
        }
        entries.iter().all(|(place, count)| found.get(place).is_none_or(|found| found <= count))
    }

    fn compare_by<K: Eq + Hash>(
        &self,
        findings: &[Finding],
        mut of_finding: impl FnMut(&Finding) -> Vec<K>,
        of_entry: impl Fn(&BaselineEntry) -> K,
    ) -> (Vec<bool>, Vec<&BaselineEntry>) {
        // What a merge wrote twice is one, even if a release worded it in another way in between.
        let mut unique: Vec<&BaselineEntry> = self.entries.iter().collect();
        unique.sort();
        let mut seen = HashSet::new();
        unique.retain(|entry| seen.insert(entry.fingerprint.as_str()));
        let mut entries: HashMap<K, VecDeque<&BaselineEntry>> = HashMap::new();
        for entry in unique {
            entries.entry(of_entry(entry)).or_default().push_back(entry);
        }
        let is_known = |finding: &Finding| {
            let keys = of_finding(finding);
            keys.iter().any(|key| entries.get_mut(key).and_then(VecDeque::pop_front).is_some())
        };
        let known = findings.iter().map(is_known).collect();
        let mut stale: Vec<&BaselineEntry> = entries.into_values().flatten().collect();
        stale.sort();
        (known, stale)
    }

    /// Gives entries other paths, and the fingerprints that go with them.
    pub fn rename(&mut self, renamed: impl Fn(&Path) -> Option<PathBuf>) {
        let mut fingerprints = Fingerprints::default();
        for entry in &mut self.entries {
            if let Some(path) = renamed(&entry.path) {
                entry.path = path;
                if !self.is_previous {
                    let path = entry.path.to_string_lossy();
                    let BaselineEntry { rule, pack, function, subjects, .. } = &*entry;
                    entry.fingerprint = fingerprints.of_parts(rule, pack.as_deref(), &path, function, subjects);
                }
            }
        }
    }
}

/// The pack of a finding, if its name is part of the fingerprint.
fn named_pack(finding: &Finding) -> Option<String> {
    finding.pack.clone().filter(|pack| pack != UNNAMED_PACK)
}

/// Whether a finding is of a pack, or of none.
fn may_be_of(finding: &Finding, pack: &str) -> bool {
    finding.pack.as_deref().is_none_or(|of| of == pack)
}

/// Strings and numbers, which can always be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl BaselineEntry {
    fn of(finding: &Finding) -> BaselineEntry {
        BaselineEntry {
            path: finding.primary.at.path.clone(),
            rule: finding.rule.clone(),
            pack: named_pack(finding),
            function: finding.function.clone(),
            subjects: finding.subjects.clone(),
            message: finding.message.clone(),
            fingerprint: finding.fingerprint.clone(),
            line: 0,
        }
    }

    /// What it has in common with other findings of its rule in its function.
    fn place(&self) -> (String, PathBuf, String) {
        (self.rule.clone(), self.path.clone(), self.function.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Label, Level, Role, Span};
    use super::*;

    fn finding(path: &str, callee: &str, line: u32) -> Finding {
        let at = Span { path: PathBuf::from(path), line, column: 5 };
        let label = Label { at, text: "called here".to_owned() };
        let subjects = vec![Role::Caller.of("f"), Role::Callee.of(callee)];
        Finding::new("a-rule", Level::Error, "f", subjects, format!("calls {callee}"), label)
    }

    fn given(mut findings: Vec<Finding>) -> Vec<Finding> {
        Fingerprints::give(&mut findings);
        findings
    }

    fn parse(text: &str) -> Result<Baseline, String> {
        Baseline::parse(text, Path::new("b.json")).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_of_the_previous_version_must_mean_one_finding() {
        let finding = |line: u32| {
            let at = Span { path: PathBuf::from("a.c"), line, column: 1 };
            Finding::new("a-rule", Level::Error, "f", Vec::new(), "m".to_owned(), Label { at, text: String::new() })
        };
        let text = "[{\"cowrap-baseline\":1}\n,{\"path\":\"a.c\",\"rule\":\"a-rule\",\"function\":\"f\",\
                    \"message\":\"m\",\"fingerprint\":\"0\"}\n]\n";
        let baseline = Baseline::parse(text, Path::new("b.json")).unwrap();
        assert!(baseline.is_unambiguous(&[finding(1)], "qemu"));
        assert!(!baseline.is_unambiguous(&[finding(1), finding(2)], "qemu"), "either of the two may be the known one");
    }

    #[test]
    fn what_is_written_is_read_and_is_json() {
        let all = given(vec![finding("b.c", "\n]\n,{\"}", 1), finding("a.c", "\u{0}\u{2028}", 9)]);
        let text = Baseline::of(&all).to_text();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.starts_with(Baseline::BEGINNING));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((json[0]["cowrap-baseline"].as_u64(), json[1]["path"].as_str()), (Some(2), Some("a.c")));
        let back = parse(&text).unwrap();
        assert!(!back.is_previous());
        assert_eq!(back.to_text(), text);
        assert_eq!(back.compare(&all, "qemu"), (vec![true, true], vec![]));
        assert_eq!(parse(&Baseline::default().to_text()).unwrap(), Baseline::default());
        // As an editor on another system leaves it, and after a merge that kept a line twice.
        let twice = text.replace('\n', "\r\n") + text.lines().nth(1).unwrap();
        assert_eq!(parse(&twice).unwrap().compare(&all, "qemu"), (vec![true, true], vec![]));
    }

    #[test]
    fn a_finding_is_added_once() {
        let all = given(vec![finding("a.c", "x", 1), finding("b.c", "y", 2), finding("c.c", "z", 3)]);
        let mut baseline = parse(&Baseline::of(&[all[2].clone(), all[0].clone()]).to_text()).unwrap();
        baseline.add(&all[1]);
        baseline.add(&all[0]);
        assert_eq!(baseline.to_text(), Baseline::of(&all).to_text());
    }

    #[test]
    fn findings_are_known_by_their_fingerprints_alone() {
        let known = Baseline::of(&given(vec![finding("a.c", "x", 1), finding("a.c", "x", 2), finding("a.c", "y", 3)]));
        let mut now = given(vec![finding("a.c", "x", 70), finding("a.c", "z", 80)]);
        now[0].message = "other words of a later release".to_owned();
        let (is_known, stale) = known.compare(&now, "qemu");
        assert_eq!(is_known, [true, false]);
        let stale: Vec<&str> = stale.iter().map(|entry| entry.message.as_str()).collect();
        assert_eq!(stale, ["calls x", "calls y"], "one of two equal ones is gone");
    }

    #[test]
    fn entries_are_about_findings_of_their_pack() {
        let of = |pack: &str, callee: &str| Finding { pack: Some(pack.to_owned()), ..finding("a.c", callee, 1) };
        let all = given(vec![of("qemu", "x"), of("pond", "x"), of("pond", "y")]);
        let known = Baseline::of(&all);
        assert_eq!(known.to_text().matches("\"pack\":\"pond\"").count(), 2, "{}", known.to_text());
        assert!(!known.to_text().contains("\"qemu\""), "as earlier releases wrote it");
        assert_eq!(known.compare(&all, "qemu"), (vec![true, true, true], vec![]));
        let (is_known, stale) = known.compare(&given(vec![of("pond", "y")]), "pond");
        assert_eq!(is_known, [true]);
        let stale: Vec<_> = stale.iter().map(|entry| entry.pack.as_deref()).collect();
        assert_eq!(stale, [None, Some("pond")]);
        // An earlier release checked with `pond` alone.
        let earlier = Baseline::of(&given(vec![finding("a.c", "x", 1), finding("a.c", "y", 2)]));
        assert_eq!(earlier.compare(&given(vec![of("pond", "x"), of("pond", "y")]), "pond"), (vec![true, true], vec![]));
        assert_eq!(earlier.compare(&given(vec![of("pond", "x"), of("lake", "x")]), "pond").0, [true, false]);
    }

    #[test]
    fn a_file_that_moved_takes_its_findings_along() {
        let mut known =
            Baseline::of(&given(vec![finding("a.c", "x", 1), finding("a.c", "x", 2), finding("c.c", "x", 3)]));
        known.rename(|path| (path == Path::new("a.c")).then(|| PathBuf::from("d/b.c")));
        let now = given(vec![finding("c.c", "x", 1), finding("d/b.c", "x", 7), finding("d/b.c", "x", 8)]);
        assert_eq!(known.compare(&now, "qemu"), (vec![true, true, true], vec![]));
    }

    /// As version 1 had it: two findings in `f` of `a.c`, one of them twice after a merge, and one
    /// in `g`.
    const PREVIOUS_TEXT: &str = r#"[{"cowrap-baseline":1}
,{"path":"a.c","rule":"a-rule","function":"f","message":"x is called","fingerprint":"01"}
,{"path":"a.c","rule":"a-rule","function":"f","message":"y is called","fingerprint":"02"}
,{"path":"a.c","rule":"a-rule","function":"f","message":"y is called","fingerprint":"02"}
,{"path":"b.c","rule":"a-rule","function":"g","message":"x is called","fingerprint":"03"}
]
"#;

    #[test]
    fn the_previous_version_is_matched_by_rule_file_and_function() {
        let mut previous = parse(PREVIOUS_TEXT).unwrap();
        assert!(previous.is_previous());
        previous.rename(|path| (path == Path::new("a.c")).then(|| PathBuf::from("d/a.c")));
        let mut now = vec![finding("d/a.c", "x", 1), finding("d/a.c", "y", 2), finding("d/a.c", "z", 3)];
        now.push(finding("b.c", "x", 1));
        let now = given(now);
        let (is_known, stale) = previous.compare(&now, "qemu");
        assert_eq!(is_known, [true, true, false, false], "as many as there were; none in another function");
        assert_eq!(stale.iter().map(|entry| (entry.function.as_str(), entry.line)).collect::<Vec<_>>(), [("g", 5)]);
    }

    #[test]
    fn what_is_no_baseline_is_told_with_its_line() {
        let text = Baseline::of(&given(vec![finding("a.c", "x", 1)])).to_text();
        for (text, expected) in [
            (String::new(), "b.json:1: not a cowrap baseline"),
            ("[]".to_owned(), "b.json:1: not a cowrap baseline"),
            (text.replacen('2', "3", 1), "b.json:1: unsupported format version 3"),
            (text.replace("\n]", "\nx]"), "b.json:3: not a baseline entry"),
            (text.replace("\n,", "\n<<<<<<< ours\n,"), "b.json:2: unresolved merge conflict"),
            (text.replace("\n]", ""), "b.json:2: truncated"),
            (text.replace("path", "pth"), "b.json:2: not a baseline entry (unknown field `pth`"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
