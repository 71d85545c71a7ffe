//! The pages of the repository: links lead somewhere, paths exist, tables are what they describe, prose is plain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Words that have a better one in `CONTRIBUTING.md` and `docs/semantics.md`.
const BANNED: &[&str] = &[
    "are believed",
    "are told",
    "bear no mark",
    "bears no mark",
    "complaint",
    "control can be",
    "coroutine only",
    "is believed",
    "is known of",
    "is told",
    "the whole job",
    "there is none of",
    "ways to fill",
    "worlds",
];

/// How wide prose may be.
const COLUMNS: usize = 100;

#[test]
fn links_lead_somewhere() {
    let (mut links, mut wrong) = (0, Vec::new());
    for page in pages() {
        for target in page.links() {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(path) };
            if !file.exists() || !anchor.is_empty() && !Page::read(&file).anchors().contains(anchor) {
                wrong.push(format!("{}: {target}", page.name()));
            }
            links += 1;
        }
    }
    assert!(links > 100, "{links} links");
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

/// Two pages say where things are in the sources.
#[test]
fn paths_in_the_sources_exist() {
    let (mut paths, mut wrong) = (0, Vec::new());
    for name in ["docs/ARCHITECTURE.md", "CONTRIBUTING.md"] {
        for code in Page::read(&root().join(name)).code() {
            if !["src/", "rules/", "testdata/", "tests/", "benches/", "docs/"]
                .iter()
                .any(|start| code.starts_with(start))
            {
                continue;
            }
            // `<name>` stands for any name: its directory exists.
            let path = match code.split_once('<') {
                Some((before, _)) => before.rsplit_once('/').unwrap().0,
                None => &code,
            };
            if !root().join(path).exists() {
                wrong.push(format!("{name}: {code}"));
            }
            paths += 1;
        }
    }
    assert!(paths > 30, "{paths} paths");
    assert!(wrong.is_empty(), "paths that do not exist:\n{}", wrong.join("\n"));
}

#[test]
fn prose_is_plain_and_not_too_wide() {
    let mut wrong = Vec::new();
    for page in pages() {
        let wide = |line: &str| !line.starts_with('|') && line.chars().count() > COLUMNS;
        let lines = page.lines().into_iter().filter(|(_, line)| wide(line));
        wrong.extend(lines.map(|(number, _)| format!("{}:{number}: wider than {COLUMNS} columns", page.name())));
        for paragraph in page.paragraphs() {
            let prose = without_code(&paragraph).to_lowercase().replace("told apart", "distinguished");
            let said = BANNED.iter().filter(|phrase| prose.contains(*phrase));
            wrong.extend(said.map(|phrase| format!("{}: says \"{phrase}\": {paragraph}", page.name())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table of `docs/ARCHITECTURE.md` says for each crate which others it uses.
#[test]
fn the_table_of_layers_is_what_cargo_has() {
    let page = Page::read(&root().join("docs/ARCHITECTURE.md"));
    let lines = page.lines().into_iter().map(|(_, line)| line);
    let rows = lines.skip_while(|line| *line != "## Layers").skip_while(|line| !line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.take_while(|line| line.starts_with('|')).skip(2).map(cells).collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let mut documented: BTreeSet<String> = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let uses: BTreeSet<&str> = match row[2] {
            "–" => BTreeSet::new(),
            "all of the above" => names[..index].iter().copied().collect(),
            listed => listed.split(", ").collect(),
        };
        // The command line is the root package.
        let directory =
            if names[index] == "cli" { root().to_path_buf() } else { root().join("src").join(names[index]) };
        let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        let dependencies =
            manifest.split("\n[").find_map(|section| section.strip_prefix("dependencies]")).unwrap_or("");
        let dependencies = dependencies.lines().filter_map(|line| line.strip_prefix("cowrap-")?.split_once('.'));
        let dependencies: BTreeSet<&str> = dependencies.map(|(name, _)| name).collect();
        assert_eq!(uses, dependencies, "what {} uses", names[index]);
        documented.insert(names[index].to_owned());
    }
    let crates = std::fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap());
    let crates = crates.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap());
    assert_eq!(documented, crates.collect());
}

/// The cells of a row of a table.
fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split(" | ").map(str::trim).collect()
}

struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: &Path) -> Self {
        Page { path: path.to_path_buf(), text: std::fs::read_to_string(path).unwrap() }
    }

    fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    /// The lines outside of blocks of code, with their numbers.
    fn lines(&self) -> Vec<(usize, &str)> {
        let mut is_code = false;
        let mut lines = Vec::new();
        for (index, line) in self.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
            } else if !is_code && !line.starts_with("    ") {
                lines.push((index + 1, line));
            }
        }
        lines
    }

    /// The paragraphs outside of blocks of code, each in one line.
    fn paragraphs(&self) -> Vec<String> {
        let lines: Vec<&str> = self.lines().into_iter().map(|(_, line)| line).collect();
        let paragraphs = lines.split(|line| line.is_empty());
        paragraphs.map(|lines| lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// The targets of links to files of the repository.
    fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for paragraph in self.paragraphs() {
            let text = without_code(&paragraph);
            let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
            links.extend(targets.filter(|target| !target.contains("://")).map(str::to_owned));
        }
        links
    }

    /// What stands between backquotes.
    fn code(&self) -> Vec<String> {
        let paragraphs = self.paragraphs();
        let code = paragraphs.iter().flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2));
        code.map(str::to_owned).collect()
    }

    /// The anchors that services make of the headings.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.lines().into_iter().filter(|(_, line)| line.starts_with('#'));
        let anchor = |heading: &str| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        headings.map(|(_, heading)| anchor(heading)).collect()
    }
}

/// A text without what stands between backquotes.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("…")
}

fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].iter().map(|name| Page::read(&root().join(name))).collect();
    for directory in ["docs", "rules", "rules/packs/qemu/pages"] {
        for entry in std::fs::read_dir(root().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "md") {
                pages.push(Page::read(&path));
            }
        }
    }
    assert!(pages.len() > 40);
    pages
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
