// The findings, and which of them are shown: those that pass every filter and have every word of the search.

const LEVELS = ["error", "warning", "note"];
let data = { findings: [], rules: [], files: [] };

// How findings are filtered: each facet has the values of a finding, and the values that are chosen.
const FACETS = [
  { name: "level", title: "Level", values: finding => [finding.level] },
  { name: "state", title: "Compared", values: finding => [finding.state || "not compared"] },
  { name: "rule", title: "Rule", values: finding => [data.rules[finding.rule].name] },
  { name: "subsystem", title: "Subsystem", values: finding => finding.subsystems },
  { name: "pack", title: "Pack", values: finding => [data.rules[finding.rule].pack || "no pack"] },
  { name: "fix", title: "Fix", values: finding => [fixOf(finding)] },
];
for (const facet of FACETS) facet.chosen = new Set();

let searched = [];

// The best fix that can be applied.
function fixOf(finding) {
  const fixes = finding.fixes.filter(fix => fix.obstacle === null && fix.changes.length);
  if (fixes.some(fix => fix.safety === "safe")) return "safe fix";
  return fixes.length ? "unsafe fix" : "no fix";
}

const pathOf = place => data.files[place.file].path;
const locationOf = place => `${pathOf(place)}:${place.line}:${place.column}`;

// All text of a finding that is searched, in lower case; made when it is needed first.
function textOf(finding) {
  if (finding.text === undefined) {
    const texts = [
      finding.message,
      finding.function,
      data.rules[finding.rule].name,
      finding.level,
      finding.id,
      ...finding.help,
    ];
    for (const part of [...finding.labels, ...finding.notes]) {
      texts.push(part.text);
      if (part.at) texts.push(locationOf(part.at));
    }
    for (const fix of finding.fixes) texts.push(fix.title);
    finding.text = texts.join("\n").toLowerCase();
  }
  return finding.text;
}

function passes(finding, facet) {
  return facet.chosen.size === 0 || facet.values(finding).some(value => facet.chosen.has(value));
}

// The findings that are shown; and for each facet how many findings each of its values has among those that pass
// everything else.
function filtered() {
  const shown = [],
    counts = FACETS.map(() => new Map());
  for (const finding of data.findings) {
    if (!searched.every(word => textOf(finding).includes(word))) continue;
    const failed = FACETS.filter(facet => !passes(finding, facet));
    if (failed.length === 0) shown.push(finding);
    FACETS.forEach((facet, i) => {
      if (failed.some(other => other !== facet)) return;
      for (const value of facet.values(finding)) counts[i].set(value, (counts[i].get(value) || 0) + 1);
    });
  }
  return { shown, counts };
}

function searchFor(text) {
  searched = text
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word);
}

// How findings are grouped: the name of a finding's group.
const GROUPS = {
  level: finding => ({ error: "Errors", warning: "Warnings", note: "Notes" })[finding.level],
  rule: finding => data.rules[finding.rule].name,
  subsystem: finding => finding.subsystems[finding.subsystems.length - 1],
  file: finding => pathOf(finding.labels[0].at),
};

// Groups in the order of their names, levels by weight; in a group, errors come first, then the order of the report.
function grouped(findings, by) {
  const groups = new Map();
  for (const finding of findings) {
    const name = GROUPS[by](finding);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(finding);
  }
  const weight = finding => LEVELS.indexOf(finding.level);
  for (const group of groups.values())
    group.sort((one, other) => weight(one) - weight(other) || one.number - other.number);
  const names = [...groups.keys()];
  if (by === "level") names.sort((one, other) => weight(groups.get(one)[0]) - weight(groups.get(other)[0]));
  else names.sort((one, other) => (one < other ? -1 : 1));
  return names.map(name => ({ name, findings: groups.get(name) }));
}
