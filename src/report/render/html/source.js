// Excerpts of sources, with labels below their lines as compilers show them.

// The text of a line; undefined if the page does not have it.
function lineText(file, line) {
  const { pieces } = data.files[file];
  if (!data.files[file].lines) {
    const lines = (data.files[file].lines = new Map());
    for (const [first, text] of pieces) text.split("\n").forEach((one, i) => lines.set(first + i, one));
  }
  return data.files[file].lines.get(line);
}

const hasSource = place => place.word[1] > place.word[0] && lineText(place.file, place.line) !== undefined;

// One excerpt for each file that labels are in, in the order of the labels. Each label: { at, text, kind }.
function excerpts(labels, around) {
  const byFile = new Map();
  for (const label of labels) {
    if (!byFile.has(label.at.file)) byFile.set(label.at.file, []);
    byFile.get(label.at.file).push(label);
  }
  return [...byFile.values()].map(inFile => excerpt(inFile, around));
}

// The labels of one file.
function excerpt(labels, around) {
  const first = labels[0].at;
  const caption = element("figcaption", {}, element("span", { class: "path" }, locationOf(first)));
  const shown = labels.filter(label => hasSource(label.at)),
    missing = labels.filter(label => !hasSource(label.at));
  const figure = element("figure", { class: "excerpt" }, caption);
  if (shown.length) figure.append(sourceLines(shown, around));
  for (const label of missing) {
    const where = labels.length > 1 ? `${locationOf(label.at)}: ` : "";
    figure.append(
      element("p", { class: "no-source" }, where, prose(label.text), " (this page does not have the source)"),
    );
  }
  return figure;
}

function sourceLines(labels, around) {
  const wanted = new Set(),
    { file } = labels[0].at;
  for (const { at } of labels) for (let line = at.line - around; line <= at.line + around; line++) wanted.add(line);
  const lines = [...wanted].filter(line => lineText(file, line) !== undefined).sort((one, other) => one - other);
  const body = element("div", { class: "source", tabindex: "0", role: "group", "aria-label": "Source" });
  let last = null;
  for (const line of lines) {
    if (last !== null && line > last + 1) body.append(element("div", { class: "gap" }, "⋮"));
    last = line;
    const here = labels.filter(label => label.at.line === line);
    const part = here.map(label => label.at.part).find(text => text !== undefined);
    const text = part === undefined ? lineText(file, line) : part;
    // Labels of another part of a long line cannot be shown in this one.
    const fitting = here.filter(label => label.at.part === part);
    body.append(sourceLine(line, text, fitting));
    for (const label of here) body.append(labelLine(text, fitting.includes(label) ? label.at.word : [0, 0], label));
  }
  return body;
}

function sourceLine(line, text, labels) {
  const content = element("span", { class: "text" });
  let at = 0;
  for (const {
    at: { word },
    kind,
  } of [...labels].sort((one, other) => one.at.word[0] - other.at.word[0])) {
    if (word[0] < at) continue;
    content.append(text.slice(at, word[0]), element("mark", { class: kind }, text.slice(...word)));
    at = word[1];
  }
  content.append(text.slice(at));
  return element(
    "div",
    { class: labels.length ? "row labelled" : "row" },
    element("span", { class: "line-number" }, String(line)),
    content,
  );
}

// The label stands below its word: behind an invisible copy of what is before the word, whatever its width is.
function labelLine(text, [start, end], label) {
  const space = element("span", { class: "space", "aria-hidden": "true" }, text.slice(0, start));
  const carets = (label.kind === "primary" ? "^" : "-").repeat(Math.max(1, Math.min(end - start, 80)));
  const note = element(
    "span",
    { class: `label ${label.kind}` },
    element("span", { "aria-hidden": "true" }, carets),
    " ",
    prose(label.text),
  );
  return element(
    "div",
    { class: "row" },
    element("span", { class: "line-number" }),
    element("span", { class: "text" }, space, note),
  );
}
