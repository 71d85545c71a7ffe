// Where the boxes are: columns by how far they are from the middle, and in a column near to what opened them.

const BOX_HEIGHT = 26,
  ROW = 34,
  COLUMN_GAP = 110,
  PADDING = 10,
  LONGEST_NAME = 36;
let letter = 8; // the width of a letter, measured when the page opens

// A long name loses its middle: names of one code base begin alike.
function shortName(name) {
  if (name.length <= LONGEST_NAME) return name;
  const end = Math.floor(LONGEST_NAME / 2);
  return `${name.slice(0, LONGEST_NAME - end - 1)}…${name.slice(-end)}`;
}

function layOut() {
  const columns = new Map();
  for (const shown of visible.values()) {
    shown.label = shortName(shown.node.name);
    // The dot before the name needs room as well.
    shown.width = shown.label.length * letter + 2 * PADDING + 16;
    if (!columns.has(shown.column)) columns.set(shown.column, []);
    columns.get(shown.column).push(shown);
  }
  const numbers = [...columns.keys()].sort((one, other) => Math.abs(one) - Math.abs(other) || one - other);
  for (const number of numbers) placeColumn(columns.get(number));
  // Callers end, and callees begin, at a common edge.
  const width = number => Math.max(...columns.get(number).map(shown => shown.width));
  let right = 0;
  for (let number = 0; columns.has(number); number++) {
    for (const shown of columns.get(number)) shown.x = right;
    right += width(number) + COLUMN_GAP;
  }
  let left = -COLUMN_GAP;
  for (let number = -1; columns.has(number); number--) {
    for (const shown of columns.get(number)) shown.x = left - shown.width;
    left -= width(number) + COLUMN_GAP;
  }
}

// Each box wants to be at the height of what it is connected with nearer to the middle. Boxes must not overlap.
function placeColumn(column) {
  const isPlaced = shown => shown !== undefined && Math.abs(shown.column) < Math.abs(column[0].column);
  for (const shown of column) {
    const near = [...shown.node[CALLERS], ...shown.node[CALLEES]].map(node => visible.get(node)).filter(isPlaced);
    const parent = visible.get(shown.parent);
    shown.wish = isPlaced(parent)
      ? parent.y
      : near.length
        ? near.reduce((sum, other) => sum + other.y, 0) / near.length
        : 0;
  }
  // What one box opened stays together, in its order.
  column.sort((one, other) => one.wish - other.wish || one.order - other.order);
  let next = -Infinity,
    i = 0;
  while (i < column.length) {
    let end = i;
    while (end < column.length && column[end].wish === column[i].wish) end++;
    let y = Math.max(next, column[i].wish - ((end - i - 1) * ROW) / 2);
    for (; i < end; i++) {
      column[i].y = y;
      y += ROW;
    }
    next = y;
  }
  const shift = column.reduce((sum, shown) => sum + shown.y - shown.wish, 0) / column.length;
  for (const shown of column) shown.y -= shift;
}
