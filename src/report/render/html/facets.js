// The filters beside the list.

const MOST_VALUES = 12;
const unfolded = new Set(); // the facets of which all values are shown

function drawFacets(counts) {
  const parts = FACETS.map((facet, i) => facetSet(facet, counts[i])).filter(part => part);
  const chosen = FACETS.some(facet => facet.chosen.size) || searched.length;
  const clear = element("button", { type: "button", disabled: !chosen, click: clearFilters }, "Clear filters");
  byId("facets").replaceChildren(...parts, clear);
}

// A facet is left out if it cannot divide the findings.
function facetSet(facet, counts) {
  const values = allValues(facet);
  if (values.length < 2) return null;
  const folded = new Set(values.filter(value => !isBelow(facet, value)).slice(0, MOST_VALUES));
  const isShown = value =>
    unfolded.has(facet) || folded.has(value) || facet.chosen.has(value) || facet.chosen.has(above(value));
  const shown = values.filter(isShown);
  const rows = shown.map(value => facetRow(facet, value, counts.get(value) || 0));
  if (shown.length < values.length) {
    const unfold = () => {
      unfolded.add(facet);
      refresh();
    };
    rows.push(element("button", { type: "button", class: "plain", click: unfold }, `Show all ${values.length}`));
  }
  return element("fieldset", {}, element("legend", {}, facet.title), ...rows);
}

function facetRow(facet, value, number) {
  const choose = event => {
    if (event.target.checked) facet.chosen.add(value);
    else facet.chosen.delete(value);
    refresh();
    // The filters were made anew.
    const again = byId(event.target.id);
    if (again) again.focus();
  };
  const id = `filter-${facet.name}-${value}`;
  const box = element("input", { type: "checkbox", id, change: choose });
  box.checked = facet.chosen.has(value);
  const below = isBelow(facet, value),
    name = below ? value.slice(value.lastIndexOf("/") + 1) : value;
  return element(
    "label",
    { class: `${below ? "below" : ""} ${number ? "" : "none"}` },
    box,
    element("span", { class: "value", title: value }, name),
    element("span", { class: "number" }, String(number)),
  );
}

// Directories below others are shown when all values are, or the one above them is chosen.
const isBelow = (facet, value) => facet.name === "subsystem" && value.includes("/");
const above = value => value.split("/")[0];

// The values of a facet: levels by weight, others with the most findings first, directories behind the one above them.
function allValues(facet) {
  if (facet.all) return facet.all;
  const totals = new Map();
  for (const finding of data.findings)
    for (const value of facet.values(finding)) totals.set(value, (totals.get(value) || 0) + 1);
  const order = (one, other) =>
    totals.get(above(other)) - totals.get(above(one)) ||
    (above(one) < above(other) ? -1 : above(one) > above(other) ? 1 : one < other ? -1 : 1);
  const values = [...totals.keys()];
  facet.all =
    facet.name === "level"
      ? LEVELS.filter(level => totals.has(level))
      : facet.name === "subsystem"
        ? values.sort(order)
        : values.sort((one, other) => totals.get(other) - totals.get(one) || (one < other ? -1 : 1));
  return facet.all;
}

function clearFilters() {
  for (const facet of FACETS) facet.chosen.clear();
  byId("search").value = "";
  searchFor("");
  refresh();
}

// Shows only the findings with one value of one facet.
function filterBy(name, value) {
  for (const facet of FACETS) facet.chosen.clear();
  FACETS.find(facet => facet.name === name).chosen.add(value);
  refresh();
}
