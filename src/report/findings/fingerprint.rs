//! Fingerprints: names for findings that last while the sources and the wording change.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Finding, Subject};

/// The pack whose name is not part of fingerprints. They are older than other packs, and must last.
pub const UNNAMED_PACK: &str = "qemu";

/// Makes the fingerprints of one report: with them, programs that keep findings can see which are
/// new.
///
/// A fingerprint is made of the rule, the pack, the path, the enclosing function and the subjects. Lines and
/// columns, the level and all text are left out. So a finding keeps its fingerprint when its code
/// moves up or down in the file, and when a release words it differently; it gets another one when
/// the file, the function or a subject is renamed. Findings that are equal in all this differ by
/// their ordinal among equals: the fingerprints of one report are unique.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<Vec<String>, u32>,
}

impl Fingerprints {
    /// Gives each finding its own. They have to be all findings of a report, in their order.
    pub fn give(findings: &mut [Finding]) {
        let mut fingerprints = Fingerprints::default();
        findings.iter_mut().for_each(|finding| finding.fingerprint = fingerprints.of(finding));
    }

    /// The fingerprint of the report's next finding: 32 hexadecimal digits.
    pub fn of(&mut self, finding: &Finding) -> String {
        let path = finding.primary.at.path.to_string_lossy();
        self.of_parts(&finding.rule, finding.pack.as_deref(), &path, &finding.function, &finding.subjects)
    }

    /// The same from what identifies a finding. Also for what is reported among findings and is
    /// none: a rule's place is then taken by another name.
    pub fn of_parts(
        &mut self,
        rule: &str,
        pack: Option<&str>,
        path: &str,
        function: &str,
        subjects: &[Subject],
    ) -> String {
        let mut subjects: Vec<&Subject> = subjects.iter().collect();
        subjects.sort();
        let subjects = subjects.into_iter().flat_map(|subject| [subject.role.name(), subject.name.as_str()]);
        let pack = pack.filter(|pack| *pack != UNNAMED_PACK).into_iter().flat_map(|pack| ["pack", pack]);
        let parts = [rule, path, function].into_iter().chain(subjects).chain(pack);
        let parts: Vec<String> = parts.map(str::to_owned).collect();
        let mut hasher = Sha256::new();
        for part in &parts {
            // With its length, a part cannot run into the next one.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let ordinal = self.seen.entry(parts).or_default();
        *ordinal += 1;
        hasher.update(ordinal.to_le_bytes());
        hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Label, Level, Role, Span};
    use super::*;

    fn finding(rule: &str, path: &str, function: &str, callee: &str) -> Finding {
        let at = Span { path: PathBuf::from(path), line: 7, column: 5 };
        let label = Label { at, text: "called here".to_owned() };
        let subjects = vec![Role::Caller.of(function), Role::Callee.of(callee)];
        Finding::new(rule, Level::Error, function, subjects, format!("calls `{callee}`"), label)
    }

    fn of(finding: &Finding) -> String {
        Fingerprints::default().of(finding)
    }

    #[test]
    fn a_fingerprint_survives_moved_lines_and_other_words() {
        let known = finding("a-rule", "a.c", "f", "g2");
        let mut moved = known.clone();
        (moved.primary.at.line, moved.primary.at.column) = (70, 9);
        assert_eq!(of(&known), of(&moved));
        let mut reworded = known.clone();
        reworded.message = "`h` leads to 3 other functions in `b.c`".to_owned();
        reworded.primary.text = "here".to_owned();
        reworded.help.push("do not".to_owned());
        reworded.level = Level::Warning;
        assert_eq!(of(&known), of(&reworded));
        let mut reordered = known.clone();
        reordered.subjects.reverse();
        assert_eq!(of(&known), of(&reordered));
        // What was written into somebody's baseline must not change with a release.
        assert_eq!(of(&known), "7a028d719617487f84fc091d0cdc6eaf");
    }

    #[test]
    fn a_fingerprint_differs_when_the_rule_the_pack_the_path_the_function_or_a_subject_does() {
        let known = finding("a-rule", "a.c", "f", "g2");
        for other in [
            finding("b-rule", "a.c", "f", "g2"),
            finding("a-rule", "b.c", "f", "g2"),
            finding("a-rule", "a.c", "g", "g2"),
            finding("a-rule", "a.c", "f", "g3"),
        ] {
            assert_ne!(of(&known), of(&other), "{other:?}");
        }
        let with_pack = |pack: &str| of(&Finding { pack: Some(pack.to_owned()), ..known.clone() });
        assert_eq!(with_pack("qemu"), of(&known));
        assert_ne!(with_pack("pond"), of(&known));
        assert_ne!(with_pack("pond"), with_pack("lake"));
        let mut other_role = known.clone();
        other_role.subjects[1].role = Role::Slot;
        assert_ne!(of(&known), of(&other_role));
        let mut one_more = known.clone();
        one_more.subjects.push(Role::Mark.of("m"));
        assert_ne!(of(&known), of(&one_more));
        // Parts do not run into each other.
        let parts = |path, function| Fingerprints::default().of_parts("a-rule", None, path, function, &[]);
        assert_ne!(parts("a", "bc"), parts("ab", "c"));
    }

    #[test]
    fn equal_findings_of_a_report_have_fingerprints_of_their_own() {
        let twice = finding("a-rule", "a.c", "f", "g");
        let mut fingerprints = Fingerprints::default();
        let all: Vec<String> = (0..3).map(|_| fingerprints.of(&twice)).collect();
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
        assert_eq!(all[0], of(&twice));
    }
}
