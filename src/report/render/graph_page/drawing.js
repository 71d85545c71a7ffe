// The graph as a drawing that can be moved and enlarged. It is never so small that it cannot be read.

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 0.85,
  LARGEST = 2.5; // letters have 13 pixels at 1
const view = { x: 0, y: 0, scale: 1 };

function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function showView() {
  byId("world").setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
}

function measureLetters() {
  const sample = shape("text", { class: "name" }, "m".repeat(100));
  byId("world").append(sample);
  letter = sample.getComputedTextLength() / 100 || letter;
  sample.remove();
}

// Moves the drawing so that a box is at a place of the window, else in the middle.
function showBox(shown, place) {
  const area = byId("canvas").getBoundingClientRect();
  const at = place || {
    x: area.width / 2 - (shown.width * view.scale) / 2,
    y: area.height / 2 - (BOX_HEIGHT * view.scale) / 2,
  };
  view.x = at.x - shown.x * view.scale;
  view.y = at.y - shown.y * view.scale;
  showView();
}

const placeOf = shown => ({ x: view.x + shown.x * view.scale, y: view.y + shown.y * view.scale });

// As much as fits while it can be read, with the middle in the middle if not everything fits.
function showMiddle() {
  const all = [...visible.values()];
  if (!all.length) return;
  const area = byId("canvas").getBoundingClientRect(),
    room = 60;
  const left = Math.min(...all.map(shown => shown.x)) - room,
    right = Math.max(...all.map(shown => shown.x + shown.width)) + room;
  const top = Math.min(...all.map(shown => shown.y)) - room,
    bottom = Math.max(...all.map(shown => shown.y + BOX_HEIGHT)) + room;
  const fitting = Math.min(area.width / (right - left), area.height / (bottom - top));
  view.scale = Math.max(SMALLEST, Math.min(1.1, fitting));
  const first = visible.get(middle[0]) || all[0];
  showBox(first);
  if (fitting < SMALLEST) return keepInside(left, right, top, bottom, area);
  view.x = (area.width - (left + right) * view.scale) / 2;
  view.y = (area.height - (top + bottom) * view.scale) / 2;
  return showView();
}

// What is wider than the window stays around the middle; what is not is whole.
function keepInside(left, right, top, bottom, area) {
  if ((right - left) * view.scale <= area.width) view.x = (area.width - (left + right) * view.scale) / 2;
  // Paths begin at the left.
  else if (showsPaths) view.x = -left * view.scale;
  if ((bottom - top) * view.scale <= area.height) view.y = (area.height - (top + bottom) * view.scale) / 2;
  showView();
}

// Moves the drawing only if a box is outside of the window.
function reveal(shown) {
  const area = byId("canvas").getBoundingClientRect(),
    { x, y } = placeOf(shown),
    edge = 40;
  if (x < edge) view.x += edge - x;
  if (x + shown.width * view.scale > area.width - edge) view.x -= x + shown.width * view.scale - area.width + edge;
  if (y < edge) view.y += edge - y;
  if (y + BOX_HEIGHT * view.scale > area.height - edge) view.y -= y + BOX_HEIGHT * view.scale - area.height + edge;
  showView();
}

function zoom(factor, x, y) {
  const area = byId("canvas").getBoundingClientRect();
  const at = {
    x: x === undefined ? area.width / 2 : x - area.left,
    y: y === undefined ? area.height / 2 : y - area.top,
  };
  const scale = Math.max(SMALLEST, Math.min(LARGEST, view.scale * factor)),
    real = scale / view.scale;
  view.x = at.x - (at.x - view.x) * real;
  view.y = at.y - (at.y - view.y) * real;
  view.scale = scale;
  showView();
}

function draw() {
  layOut();
  const edges = graph.edges.filter(isDrawn);
  // What violates a rule is drawn last, so that nothing covers it.
  edges.sort((one, other) => weightOf(one) - weightOf(other));
  const lines = shape("g", {}, ...edges.map(edgeShape)),
    words = shape("g");
  for (const edge of edges.filter(edge => edge.rules.length)) words.append(ruleShape(edge));
  const boxes = shape("g", {}, ...[...visible.values()].sort((one, other) => one.order - other.order).map(boxShape));
  byId("world").replaceChildren(tips(), lines, boxes, words);
}

// Among many boxes, only some lines help: those along which the boxes were opened, those of the selected box, and those
// that violate a rule.
function isDrawn(edge) {
  const from = visible.get(graph.nodes[edge.from]),
    to = visible.get(graph.nodes[edge.to]);
  if (!from || !to || from === to) return false;
  return showsAll || edge.rules.length > 0 || touchesSelected(edge) || connects(from, to);
}

const connects = (from, to) => showsPaths || to.parent === from.node || from.parent === to.node;

const touchesSelected = edge =>
  selected !== null && (graph.nodes[edge.from] === selected || graph.nodes[edge.to] === selected);
const weightOf = edge => (edge.rules.length ? 2 : touchesSelected(edge) ? 1 : 0);

// Arrowheads have the color of their line.
function tips() {
  const tip = shape("path", { d: "M0 0 8 4 0 8z", fill: "context-stroke" });
  return shape(
    "defs",
    {},
    shape(
      "marker",
      {
        id: "tip",
        viewBox: "0 0 8 8",
        refX: 8,
        refY: 4,
        markerWidth: 9,
        markerHeight: 9,
        markerUnits: "userSpaceOnUse",
        orient: "auto",
      },
      tip,
    ),
  );
}

function ends(edge) {
  const from = visible.get(graph.nodes[edge.from]),
    to = visible.get(graph.nodes[edge.to]);
  const start = { x: from.x + from.width + openerWidth(from, CALLEES), y: from.y + BOX_HEIGHT / 2 };
  const end = { x: to.x - openerWidth(to, CALLERS), y: to.y + BOX_HEIGHT / 2 };
  const bend = end.x > start.x ? (end.x - start.x) / 2 : 70 + Math.abs(start.x - end.x) / 4;
  return { start, end, bend };
}

function edgeShape(edge) {
  const { start, end, bend } = ends(edge),
    from = graph.nodes[edge.from],
    to = graph.nodes[edge.to];
  const kinds = ["edge", edge.kind, edge.context || "no-context"];
  if (edge.rules.length) kinds.push("violation");
  else if (touchesSelected(edge)) kinds.push("near");
  else if (!connects(visible.get(from), visible.get(to))) kinds.push("faint");
  const path = shape("path", {
    class: kinds.join(" "),
    "marker-end": "url(#tip)",
    d: `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`,
  });
  const context = edge.context ? ` ${contextWords(edge.context)}` : "";
  const said = [`${from.name} ${HOW[edge.kind]} ${to.name}${context}`, ...edge.rules.map(rule => `violates ${rule}`)];
  path.append(shape("title", {}, said.join("\n")));
  return path;
}

// The names of the violated rules, in the middle of the line.
function ruleShape(edge) {
  const { start, end } = ends(edge);
  return shape(
    "text",
    { class: "rule", x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 - 5, "text-anchor": "middle" },
    edge.rules.join(", "),
  );
}

function boxShape(shown) {
  const { node } = shown;
  const kinds = ["node", node.effect || "unmarked"];
  if (middle.includes(node)) kinds.push("middle");
  if (node === selected) kinds.push("selected");
  const calls = [count(node[CALLERS].length, "caller"), count(node[CALLEES].length, "callee")];
  const label = [node.name, node.requirement, ...calls].join(", ");
  const box = shape(
    "g",
    {
      class: kinds.join(" "),
      id: `node-${node.number}`,
      transform: `translate(${shown.x} ${shown.y})`,
      role: "button",
      "aria-label": label,
      tabindex: node === selected ? 0 : -1,
      click: () => select(node),
      dblclick: () => centre([node]),
    },
    shape("title", {}, node.name),
    shape("rect", { width: shown.width, height: BOX_HEIGHT, rx: isSlot(node) ? BOX_HEIGHT / 2 : 4 }),
    ...contextDot(node),
    shape("text", { class: "name", x: PADDING + 16, y: 17.5 }, shown.label),
  );
  box.append(...openerShapes(shown, CALLERS), ...openerShapes(shown, CALLEES));
  return box;
}

// A dot says in which contexts the function may run: one color, or half of each.
function contextDot(node) {
  if (!node.context) return [];
  const x = PADDING + 5,
    y = BOX_HEIGHT / 2,
    half = (side, context) => shape("path", { class: `dot ${context}`, d: `M${x} ${y - 5}a5 5 0 0 ${side} 0 10z` });
  if (node.context === "both") return [half(0, "inside"), half(1, "outside")];
  return [shape("circle", { class: `dot ${node.context}`, cx: x, cy: y, r: 5 })];
}

// The buttons beside a box: the first says how many callers or callees it opens, the second closes them.
function openers({ node }, direction) {
  const more = hidden(node, direction),
    isOpen = isOpened(node, direction) && more < node[direction].length;
  return [more && { text: `+${more}`, opens: true }, isOpen && { text: "−", opens: false }].filter(button => button);
}

// How much room a button takes, with the gap before it; and all buttons on one side of a box.
const buttonWidth = ({ text }) => Math.max(22, text.length * 7.5 + 10) + 4;
const openerWidth = (shown, direction) =>
  openers(shown, direction).reduce((sum, button) => sum + buttonWidth(button), 0);

function openerShapes(shown, direction) {
  const { node } = shown,
    what = direction === CALLERS ? "callers" : "callees";
  const more = hidden(node, direction);
  let right = shown.width,
    left = 0;
  return openers(shown, direction).map(button => {
    const width = buttonWidth(button) - 4;
    const x = direction === CALLERS ? left - width - 4 : right + 4;
    left -= width + 4;
    right += width + 4;
    const label = button.opens
      ? `show ${Math.min(more, STEP)} of ${more} ${what} of ${node.name}`
      : `hide ${what} of ${node.name}`;
    const press = event => {
      event.stopPropagation();
      if (button.opens) openMore(node, direction);
      else closeAll(node, direction);
    };
    return shape(
      "g",
      {
        class: "opener",
        transform: `translate(${x} 3)`,
        role: "button",
        "aria-label": label,
        click: press,
        dblclick: event => event.stopPropagation(),
      },
      shape("title", {}, label),
      shape("rect", { width, height: BOX_HEIGHT - 6, rx: 10 }),
      shape("text", { x: width / 2, y: 14, "text-anchor": "middle" }, button.text),
    );
  });
}

function drawLegend() {
  const entry = (sample, text) => element("li", {}, sample, ` ${text}`);
  const box = kind => element("span", { class: `sample box ${kind}` });
  const line = kind => element("span", { class: `sample line ${kind}` });
  const effects = graph.legend.map(([effect, word]) => entry(box(effect), word));
  const contexts = graph.contexts.filter(([reach]) => reach !== "dead");
  byId("legend").replaceChildren(
    element("h2", {}, "Box: what it requires of its caller"),
    element("ul", {}, ...effects, entry(box("unmarked"), "nothing"), entry(box("slot"), "function pointer")),
    element("h2", {}, "Line: where the call may run"),
    element(
      "ul",
      {},
      ...contexts.map(([reach, words]) => entry(line(reach), words)),
      entry(line("candidate"), "may point to"),
      entry(line("violation"), "violates a rule"),
    ),
    element("h2", {}, "Dot: where the function may run"),
    element(
      "ul",
      {},
      ...contexts.map(([reach, words]) => entry(element("span", { class: `sample dot ${reach}` }), words)),
    ),
  );
}
