// The list of findings. Only the rows that can be seen are elements, so thousands cost no more than a few.

const ROW_HEIGHT = 68,
  GROUP_HEIGHT = 30,
  SPARE_ROWS = 6;
let rows = []; // { group, size } or { finding, position }
let tops = [0]; // where each row begins, and where the last one ends
let positions = new Map(); // the row of each finding
let current = null; // the finding that is open

function fillList(groups) {
  rows = [];
  for (const { name, findings } of groups) {
    rows.push({ group: name, size: findings.length });
    for (const finding of findings) rows.push({ finding });
  }
  tops = [0];
  positions = new Map();
  let position = 0;
  rows.forEach((row, i) => {
    tops.push(tops[i] + (row.finding ? ROW_HEIGHT : GROUP_HEIGHT));
    if (row.finding) {
      row.position = ++position;
      positions.set(row.finding, i);
    }
  });
  byId("rows").style.height = `${tops[rows.length]}px`;
  drawList();
}

// The last row that begins at or above a height.
function rowAt(height) {
  let low = 0,
    high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= height) low = middle;
    else high = middle - 1;
  }
  return low;
}

function drawList() {
  const list = byId("list"),
    made = [];
  if (rows.length) {
    const first = Math.max(0, rowAt(list.scrollTop) - SPARE_ROWS);
    const last = Math.min(rows.length - 1, rowAt(list.scrollTop + list.clientHeight) + SPARE_ROWS);
    for (let i = first; i <= last; i++) made.push(listRow(rows[i], tops[i]));
    // What is open is an element in any case: the list says by its id which row is active.
    const open = positions.get(current);
    if (open !== undefined && (open < first || open > last)) made.push(listRow(rows[open], tops[open]));
  }
  byId("rows").replaceChildren(...made);
  if (positions.has(current)) list.setAttribute("aria-activedescendant", `row-${current.number}`);
  else list.removeAttribute("aria-activedescendant");
}

function listRow({ group, size, finding, position }, top) {
  const row = finding
    ? element(
        "div",
        {
          id: `row-${finding.number}`,
          class: `item ${finding.level}`,
          role: "option",
          "aria-selected": String(finding === current),
          "aria-setsize": String(positions.size),
          "aria-posinset": String(position),
          click: () => openFinding(finding),
        },
        element(
          "div",
          { class: "item-message" },
          element("span", { class: "hidden-text" }, `${finding.level}: `),
          prose(finding.message),
        ),
        element(
          "div",
          { class: "item-place" },
          element("span", {}, data.rules[finding.rule].name),
          element("span", { class: "path" }, locationOf(finding.labels[0].at)),
          finding.state && element("span", { class: `badge ${finding.state}` }, finding.state),
        ),
      )
    : element("div", { class: "group-name", role: "presentation" }, group, element("span", {}, String(size)));
  row.style.top = `${top}px`;
  return row;
}

// Scrolls until a finding can be seen, and the name of its group if it is the first one there.
function reveal(finding) {
  const i = positions.get(finding),
    list = byId("list");
  if (i === undefined) return;
  const top = i > 0 && rows[i - 1].group !== undefined ? tops[i - 1] : tops[i];
  if (top < list.scrollTop) list.scrollTop = top;
  else if (tops[i + 1] > list.scrollTop + list.clientHeight) list.scrollTop = tops[i + 1] - list.clientHeight;
}

// The finding that is `steps` rows behind the one that is open.
function neighbour(steps) {
  const shown = rows.filter(row => row.finding);
  if (!shown.length) return null;
  const at = positions.has(current)
    ? rows[positions.get(current)].position - 1 + steps
    : steps > 0
      ? 0
      : shown.length - 1;
  return shown[Math.max(0, Math.min(shown.length - 1, at))].finding;
}
