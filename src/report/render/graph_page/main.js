// What clicks and keys do.

const MOST_MATCHES = 12;
const former = []; // what was in the middle before: the nodes, and whether paths were shown

function redraw() {
  draw();
  showDetails();
  byId("back").disabled = former.length === 0;
}

function select(node) {
  selected = node;
  redraw();
  reveal(visible.get(node));
  // The box was made anew, and the keys follow it.
  byId(`node-${node.number}`).focus({ preventScroll: true });
}

function openMore(node, direction) {
  const before = visible;
  keepPlace(node, () => open(node, direction));
  // What was opened may be outside of the window: then the drawing moves until the nearest of it can be seen.
  const opened = node[direction]
    .filter(other => visible.has(other) && !before.has(other))
    .map(other => visible.get(other));
  const from = visible.get(node),
    away = shown => Math.abs(shown.y - from.y);
  if (opened.length) reveal(opened.reduce((one, other) => (away(other) < away(one) ? other : one)));
}
function closeAll(node, direction) {
  keepPlace(node, () => close(node, direction));
}

// Opens more callers or callees, or closes them if all are open.
function toggle(node, direction) {
  if (hidden(node, direction)) openMore(node, direction);
  else closeAll(node, direction);
}

// Changes what is shown, while the box stays where it is in the window.
function keepPlace(node, change) {
  const place = placeOf(visible.get(node));
  selected = node;
  change();
  redraw();
  showBox(visible.get(node), place);
  byId(`node-${node.number}`).focus({ preventScroll: true });
}

function centre(nodes, paths = false) {
  if (middle.length) former.push({ middle, paths: showsPaths });
  putInTheMiddle(nodes, paths);
  redraw();
  showMiddle();
  showAddress();
}

function goBack() {
  const last = former.pop();
  if (!last) return;
  putInTheMiddle(last.middle, last.paths);
  redraw();
  showMiddle();
  showAddress();
}

// Shows a node: where it is, else beside one that is shown already, else in the middle.
function show(node, neighbour) {
  if (!visible.has(node)) centre([node]);
  if (neighbour && !visible.has(neighbour)) {
    opened.set(openKey(node.number, CALLEES), node[CALLEES].length);
    decideVisible();
  }
  select(node);
}

function toggleLines() {
  showsAll = !showsAll;
  byId("all-lines").setAttribute("aria-pressed", String(showsAll));
  draw();
}

function showAddress() {
  const address = middle.length === 1 ? `#${encodeURIComponent(middle[0].name)}` : "#";
  history.replaceState(null, "", address);
}

// Puts the function that the address names in the middle. If the page does not have it, the search says so, and offers
// what is named alike.
function openAddress() {
  const name = addressed();
  const node = graph.nodes.find(known => known.name === name);
  if (node && !(middle.length === 1 && middle[0] === node)) centre([node]);
  if (!node && name) {
    byId("search").value = name;
    byId("search").focus();
    find(name);
  }
}

// The next box in a direction of the window: the nearest one, boxes beside it before those above and below.
function moveTo(x, y) {
  const from = visible.get(selected) || visible.get(middle[0]);
  if (!from) return;
  const away = shown => {
    const along = x ? (shown.column - from.column) * x : (shown.y - from.y) * y;
    const aside = x ? Math.abs(shown.y - from.y) : shown.column === from.column ? 0 : Infinity;
    return along > 0 ? (x ? along * 1000 : along) + aside : Infinity;
  };
  const best = [...visible.values()].reduce((one, other) => (away(other) < away(one) ? other : one));
  if (away(best) < Infinity) select(best.node);
}

// --- finding a function

let matches = [],
  match = 0;

function find(text) {
  const wanted = text.trim().toLowerCase();
  const rank = name => (name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2);
  matches = wanted === "" ? [] : graph.nodes.filter(node => node.name.toLowerCase().includes(wanted));
  matches.sort(
    (one, other) =>
      rank(one.name.toLowerCase()) - rank(other.name.toLowerCase()) ||
      one.name.length - other.name.length ||
      (one.name < other.name ? -1 : 1),
  );
  matches = matches.slice(0, MOST_MATCHES);
  match = 0;
  showMatches(wanted !== "");
}

function showMatches(isSearching) {
  const items = matches.map((node, i) =>
    element(
      "li",
      {
        id: `match-${i}`,
        role: "option",
        "aria-selected": String(i === match),
        mousedown: event => {
          event.preventDefault();
          choose(node);
        },
      },
      node.name,
    ),
  );
  if (isSearching && !matches.length) items.push(element("li", { class: "quiet" }, "this page has no such function"));
  byId("matches").replaceChildren(...items);
  byId("matches").hidden = !items.length;
  byId("search").setAttribute("aria-expanded", String(items.length > 0));
  if (matches.length) byId("search").setAttribute("aria-activedescendant", `match-${match}`);
  else byId("search").removeAttribute("aria-activedescendant");
}

function endSearch() {
  matches = [];
  byId("search").value = "";
  showMatches(false);
}

function choose(node) {
  endSearch();
  if (visible.has(node)) select(node);
  else centre([node]);
}

function searchKey(event) {
  if (event.key === "Enter" && matches[match]) choose(matches[match]);
  else if (event.key === "ArrowDown" && matches.length) {
    match = (match + 1) % matches.length;
    showMatches(true);
  } else if (event.key === "ArrowUp" && matches.length) {
    match = (match + matches.length - 1) % matches.length;
    showMatches(true);
  } else return;
  event.preventDefault();
}

// --- moving the drawing

function startDrag(event) {
  if (event.button !== 0) return;
  const start = { x: event.clientX - view.x, y: event.clientY - view.y };
  const move = now => {
    view.x = now.clientX - start.x;
    view.y = now.clientY - start.y;
    showView();
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", () => removeEventListener("pointermove", move), { once: true });
}

function start() {
  readGraph();
  byId("plain").remove();
  measureLetters();
  drawLegend();
  putInTheMiddle(firstMiddle(), graph.starts.length > 0);
  redraw();
  showMiddle();
  openAddress();
  addEventListener("hashchange", openAddress);
  addEventListener("resize", showMiddle);
  byId("canvas").addEventListener("pointerdown", startDrag);
  byId("canvas").addEventListener(
    "wheel",
    event => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 500), event.clientX, event.clientY);
    },
    { passive: false },
  );
  byId("search").addEventListener("input", event => find(event.target.value));
  byId("search").addEventListener("keydown", searchKey);
  byId("search").addEventListener("blur", () => showMatches(false));
  byId("back").addEventListener("click", goBack);
  byId("closer").addEventListener("click", () => zoom(1.2));
  byId("farther").addEventListener("click", () => zoom(1 / 1.2));
  byId("all-lines").addEventListener("click", toggleLines);
  byId("middle").addEventListener("click", showMiddle);
  startPage({
    "/": () => byId("search").focus(),
    Escape: () => {
      endSearch();
      byId("search").blur();
    },
    Backspace: goBack,
    ArrowLeft: () => moveTo(-1, 0),
    ArrowRight: () => moveTo(1, 0),
    ArrowUp: () => moveTo(0, -1),
    ArrowDown: () => moveTo(0, 1),
    "[": () => selected && toggle(selected, CALLERS),
    "]": () => selected && toggle(selected, CALLEES),
    // A button that has the focus is pressed instead.
    Enter: event => (event.target.closest("button") ? false : selected && centre([selected])),
    a: toggleLines,
    "+": () => zoom(1.2),
    "-": () => zoom(1 / 1.2),
    0: showMiddle,
  });
}

document.addEventListener("DOMContentLoaded", start);
