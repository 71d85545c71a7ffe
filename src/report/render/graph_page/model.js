// What is shown: one or more functions in the middle, and what was opened from there on.

// Directions are -1, to callers, and 1, to callees.
const CALLERS = -1,
  CALLEES = 1;
// How many boxes open at once.
const STEP = 16;
// Up to so many boxes of paths are shown at first.
const MOST_ON_PATHS = 120;

let graph = { nodes: [], edges: [], files: [], starts: [], left_out: 0, legend: [], contexts: [] };
let middle = []; // the nodes in the middle
const opened = new Map(); // how many callers or callees of a node are shown, by the key of node and direction
let visible = new Map(); // the nodes that are shown: { node, column, order, parent, direction }
let selected = null;
let showsPaths = false; // whether paths between two functions are shown, not what is around one
let showsAll = false; // whether all lines between the boxes are shown

const openKey = (node, direction) => `${node} ${direction}`;

function readGraph() {
  graph = readData();
  graph.nodes.forEach((node, i) => {
    node.number = i;
    node.edges = { [CALLERS]: [], [CALLEES]: [] };
  });
  for (const edge of graph.edges) {
    graph.nodes[edge.to].edges[CALLERS].push(edge);
    graph.nodes[edge.from].edges[CALLEES].push(edge);
    if (edge.rules.length) graph.nodes[edge.from].violates = graph.nodes[edge.to].violates = true;
  }
  for (const node of graph.nodes) {
    for (const direction of [CALLERS, CALLEES]) node[direction] = neighbours(node, direction);
  }
}

const otherEnd = (edge, direction) => graph.nodes[direction === CALLERS ? edge.from : edge.to];

// The callers or callees of a node, the most telling first: calls that violate a rule, functions that do, functions
// that require something, other functions with a body.
function neighbours(node, direction) {
  const violating = new Set(
    node.edges[direction].filter(edge => edge.rules.length).map(edge => otherEnd(edge, direction)),
  );
  const found = new Set(node.edges[direction].map(edge => otherEnd(edge, direction)));
  found.delete(node);
  const weight = other =>
    violating.has(other) ? 0 : other.violates ? 1 : other.effect ? 2 : other.labels.includes("external") ? 4 : 3;
  return [...found].sort((one, other) => weight(one) - weight(other) || (one.name < other.name ? -1 : 1));
}

// Decides which nodes are shown, from the middle outwards.
function decideVisible() {
  visible = new Map();
  const queue = [];
  const add = (node, column, parent, direction) => {
    if (visible.has(node)) return false;
    visible.set(node, { node, column, parent, direction, order: visible.size });
    queue.push(node);
    return true;
  };
  if (showsPaths) for (const [node, column] of columnsOfPaths()) add(node, column, null, 0);
  for (const node of middle) add(node, 0, null, 0);
  for (let node; (node = queue.shift()) !== undefined;) {
    for (const direction of [CALLERS, CALLEES]) {
      let room = opened.get(openKey(node.number, direction)) || 0;
      for (const other of node[direction]) {
        if (room === 0) break;
        if (add(other, visible.get(node).column + direction, node, direction)) room--;
      }
    }
  }
  if (selected && !visible.has(selected)) selected = null;
}

// The nodes of the paths with their columns: the longest way there from where the paths begin, so that calls lead to
// the right. Calls that close a circle do not count.
function columnsOfPaths() {
  const columns = new Map(),
    finished = [],
    onTheWay = new Set();
  const visit = node => {
    if (columns.has(node) || columns.size >= MOST_ON_PATHS) return;
    columns.set(node, 0);
    onTheWay.add(node);
    node.ahead = node[CALLEES].filter(next => !onTheWay.has(next));
    node.ahead.forEach(visit);
    onTheWay.delete(node);
    finished.push(node);
  };
  graph.starts.forEach(number => visit(graph.nodes[number]));
  graph.nodes.filter(node => node.requested).forEach(visit);
  for (const node of finished.reverse()) {
    for (const next of node.ahead)
      if (columns.has(next)) columns.set(next, Math.max(columns.get(next), columns.get(node) + 1));
  }
  return columns;
}

// How many callers or callees could be opened, and whether some were.
function hidden(node, direction) {
  return node[direction].filter(other => !visible.has(other)).length;
}
const isOpened = (node, direction) => opened.has(openKey(node.number, direction));

function open(node, direction) {
  const key = openKey(node.number, direction);
  opened.set(key, (opened.get(key) || 0) + STEP);
  decideVisible();
}

function close(node, direction) {
  opened.delete(openKey(node.number, direction));
  decideVisible();
}

// Puts nodes in the middle, with their callers and callees.
function putInTheMiddle(nodes, paths = false) {
  middle = nodes;
  showsPaths = paths;
  opened.clear();
  if (!paths)
    for (const node of nodes)
      for (const direction of [CALLERS, CALLEES]) opened.set(openKey(node.number, direction), STEP);
  selected = nodes[0] || null;
  decideVisible();
}

// What the page begins with: what was asked for, with what paths begin at first; else the function with the most calls
// that violate rules, or the most calls.
function firstMiddle() {
  const requested = graph.nodes.filter(node => node.requested);
  const begins = node => (graph.starts.includes(node.number) ? 0 : 1);
  if (requested.length) return requested.sort((one, other) => begins(one) - begins(other));
  const weight = node =>
    [...node.edges[CALLERS], ...node.edges[CALLEES]].reduce((sum, edge) => sum + (edge.rules.length ? 1000 : 1), 0);
  return [...graph.nodes].sort((one, other) => weight(other) - weight(one)).slice(0, 1);
}

const siteText = ([file, line, column]) => `${graph.files[file]}:${line}:${column}`;
const isSlot = node => node.labels.includes("function_pointer");
const contextWords = reach => (graph.contexts.find(([known]) => known === reach) || [null, ""])[1];
