// The panel beside the graph: all about the selected box.

const HOW = {
  call: "calls",
  cleanup: "cleans up with",
  unresolved: "may call (unresolved)",
  pointer_call: "calls through",
  candidate: "may point to",
};
const MOST_SITES = 5;

function showDetails() {
  const parts = selected ? detailsOf(selected) : [];
  byId("details").replaceChildren(...parts, aboutGraph());
}

function detailsOf(node) {
  const words = ["defined", "external", "function_pointer", "unmarked", ...graph.legend.map(([, word]) => word)];
  const marks = node.labels.filter(label => !words.includes(label));
  const rows = [
    ["Requires", prose(node.requirement)],
    marks.length ? ["Marks", prose(marks.map(label => `\`${label}\``).join(", "))] : null,
    node.context ? ["May run", contextWords(node.context)] : null,
    node.at ? ["Location", element("span", { class: "path" }, siteText(node.at))] : null,
    [
      "Kind",
      isSlot(node)
        ? "function pointer"
        : node.labels.includes("external")
          ? "function without a body in the tree"
          : "function",
    ],
  ];
  const list = element(
    "dl",
    {},
    ...rows.filter(row => row).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
  const middleButton = element(
    "button",
    { type: "button", click: () => centre([node]), disabled: middle.length === 1 && middle[0] === node },
    "Put in the middle",
  );
  const parts = [element("h2", {}, node.name), list, middleButton];
  if (!isSlot(node))
    parts.push(element("p", { class: "quiet" }, prose(`\`cowrap why ${node.name}\` shows the evidence.`)));
  return [...parts, ...related(node, CALLERS), ...related(node, CALLEES)];
}

// The calls from or to other boxes; those that violate a rule first.
function related(node, direction) {
  const edges = [...node.edges[direction]].sort(
    (one, other) =>
      other.rules.length - one.rules.length ||
      (otherEnd(one, direction).name < otherEnd(other, direction).name ? -1 : 1),
  );
  const beyond = node.beyond[direction === CALLERS ? 0 : 1];
  if (!edges.length && !beyond) return [];
  const title = direction === CALLERS ? "Called by" : isSlot(node) ? "May point to" : "Calls";
  const items = edges.map(edge => relatedItem(edge, otherEnd(edge, direction)));
  if (beyond) items.push(element("li", { class: "quiet" }, `${beyond} that this page does not include`));
  return [element("h3", {}, `${title} (${edges.length + beyond})`), element("ul", {}, ...items)];
}

function relatedItem(edge, other) {
  const sites = edge.sites.slice(0, MOST_SITES).map(siteText);
  if (edge.sites.length > MOST_SITES) sites.push(`and ${edge.sites.length - MOST_SITES} more`);
  const notes = [edge.kind === "call" ? null : HOW[edge.kind], edge.context ? contextWords(edge.context) : null].filter(
    note => note,
  );
  return element(
    "li",
    {},
    element("button", { type: "button", class: "plain", click: () => show(other) }, element("code", {}, other.name)),
    notes.length ? ` ${notes.join(", ")}` : null,
    ...edge.rules.map(rule => element("span", { class: "violates" }, `violates ${rule}`)),
    ...sites.map(site => element("div", { class: "path" }, site)),
  );
}

function aboutGraph() {
  const broken = graph.edges.filter(edge => edge.rules.length);
  const [nodes, edges] = [count(graph.nodes.length, "function"), count(graph.edges.length, "edge")];
  const text = `This page includes ${nodes} and function pointers, and ${edges} between them.`;
  const parts = [element("h3", {}, "About this page"), element("p", {}, text)];
  if (graph.left_out)
    parts.push(
      element(
        "p",
        {},
        prose(
          `${graph.left_out.toLocaleString("en")} more are left out: the nearest ones are included. ` +
            "`--limit` includes more.",
        ),
      ),
    );
  if (broken.length) {
    const items = broken
      .slice(0, 50)
      .map(edge =>
        element(
          "li",
          {},
          element(
            "button",
            { type: "button", class: "plain", click: () => show(graph.nodes[edge.from], graph.nodes[edge.to]) },
            element("code", {}, graph.nodes[edge.from].name),
            " → ",
            element("code", {}, graph.nodes[edge.to].name),
          ),
          element("span", { class: "violates" }, edge.rules.join(", ")),
        ),
      );
    parts.push(element("h3", {}, `Calls that violate a rule (${broken.length})`), element("ul", {}, ...items));
  }
  return element("section", {}, ...parts);
}
