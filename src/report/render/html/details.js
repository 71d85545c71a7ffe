// All about one finding.

const FIX_NOTES = {
  safe: "Safe: it changes only marks, declarations and comments. `cowrap fix` applies it.",
  unsafe: "Unsafe: it can change what the program does, so review it. `cowrap fix --unsafe-fixes` applies it.",
};

function details(finding) {
  const rule = data.rules[finding.rule];
  return [
    element(
      "div",
      { class: "badges" },
      element("span", { class: `badge ${finding.level}` }, finding.level),
      finding.state && element("span", { class: `badge ${finding.state}` }, finding.state),
      element("span", { class: "badge" }, rule.name),
      element(
        "a",
        { class: "permalink", href: `#${finding.id}`, title: "The address of the page leads here, too" },
        "link to this finding",
      ),
    ),
    element("h2", { id: "message" }, prose(finding.message)),
    finding.function && element("p", { class: "quiet" }, "in ", element("code", {}, finding.function)),
    ...excerpts(labelsOf(finding), 3),
    ...section("Notes", notes(finding)),
    ...section(
      "What to do",
      finding.help.length ? element("ul", {}, ...finding.help.map(help => element("li", {}, prose(help)))) : null,
    ),
    ...finding.fixes.flatMap(fixSection),
    ...ruleSection(rule),
  ].filter(part => part);
}

const labelsOf = finding => finding.labels.map((label, i) => ({ ...label, kind: i === 0 ? "primary" : "secondary" }));

function section(title, content) {
  return content ? [element("h3", {}, title), content] : [];
}

// The notes. Those with a location are steps that open their source.
function notes(finding) {
  if (!finding.notes.length) return null;
  const items = finding.notes.map(note =>
    note.at ? step(note) : element("li", { class: "remark" }, prose(note.text)),
  );
  const steps = finding.notes.filter(note => note.at).length;
  const all =
    steps > 1 &&
    element(
      "button",
      { type: "button", class: "plain", id: "open-all", click: toggleSteps, "aria-keyshortcuts": "e" },
      "Open all sources",
    );
  return element("div", {}, all || null, element("ol", { class: "steps" }, ...items));
}

function step(note) {
  const source = element("div", { class: "step-source", hidden: true });
  const button = element(
    "button",
    { type: "button", class: "step", "aria-expanded": "false", click: () => toggleStep(button) },
    element("span", { class: "step-text" }, prose(note.text)),
    element("span", { class: "path" }, locationOf(note.at)),
  );
  button.openStep = open => {
    button.setAttribute("aria-expanded", String(open));
    source.hidden = !open;
    // Excerpts are made when they are opened first.
    if (open && !source.hasChildNodes()) source.append(excerpt([{ at: note.at, text: "", kind: "secondary" }], 2));
  };
  return element("li", {}, button, source);
}

const isOpen = button => button.getAttribute("aria-expanded") === "true";
function toggleStep(button) {
  button.openStep(!isOpen(button));
}

// Opens all steps if one is closed, else closes them.
function toggleSteps() {
  const buttons = [...byId("details").querySelectorAll("button.step")],
    open = !buttons.every(isOpen);
  for (const button of buttons) button.openStep(open);
  if (byId("open-all")) byId("open-all").textContent = open ? "Close all sources" : "Open all sources";
}

function fixSection(fix) {
  const parts = [
    element("h3", {}, "Fix ", element("span", { class: `badge ${fix.safety}` }, fix.safety)),
    element("p", {}, prose(fix.title)),
  ];
  if (fix.obstacle !== null)
    return [...parts, element("p", { class: "quiet" }, "It cannot be applied: ", prose(fix.obstacle))];
  if (fix.changes.length) parts.push(element("p", { class: "quiet" }, prose(FIX_NOTES[fix.safety])));
  for (const change of fix.changes) parts.push(diff(change));
  if (fix.more)
    parts.push(
      element("p", { class: "quiet" }, prose(`${count(fix.more, "more line")}; \`cowrap fix --diff\` shows all.`)),
    );
  return parts;
}

function diff(change) {
  const body = element("div", { class: "source diff", tabindex: "0", role: "group", "aria-label": "Changed lines" });
  for (const hunk of change.hunks) {
    let line = hunk.line;
    if (body.hasChildNodes()) body.append(element("div", { class: "gap" }, "⋮"));
    for (const text of hunk.lines) {
      const kind = { " ": "same", "-": "removed", "+": "added" }[text[0]];
      const number = kind === "added" ? "" : String(line++);
      body.append(
        element(
          "div",
          { class: `row ${kind}` },
          element("span", { class: "line-number" }, number),
          element("span", { class: "text" }, text),
        ),
      );
    }
  }
  if (!change.hunks.length)
    body.append(element("p", { class: "no-source" }, "this page does not have the changed lines"));
  return element(
    "figure",
    { class: "excerpt" },
    element("figcaption", {}, element("span", { class: "path" }, change.path)),
    body,
  );
}

function ruleSection(rule) {
  if (!rule.summary) return [];
  const parts = [element("h3", {}, "Rule ", element("code", {}, rule.name)), element("p", {}, prose(rule.summary))];
  if (rule.page) {
    const page = element(
      "details",
      {
        class: "rule-page",
        toggle: () => {
          if (page.childElementCount === 1) page.append(markdown(rule.page));
        },
      },
      element("summary", {}, "The page of this rule: why it matters, an example, limits"),
    );
    parts.push(page);
  }
  return parts;
}
