// The page as a whole: what is open, the address, and keys.

let overview = null;

// Shows what passes the filters.
function refresh() {
  const { shown, counts } = filtered();
  drawFacets(counts);
  fillList(grouped(shown, byId("group").value));
  const all = data.findings.length;
  byId("count").textContent =
    shown.length === all ? count(all, "finding") : `${shown.length.toLocaleString("en")} of ${count(all, "finding")}`;
}

// The page on narrow screens shows either the list or the details.
function showDetails(isShown) {
  document.body.classList.toggle("in-details", isShown);
}
function toggleFacets() {
  const isShown = document.body.classList.toggle("in-facets");
  byId("show-facets").setAttribute("aria-expanded", String(isShown));
}

function openFinding(finding, isShown = true) {
  current = finding;
  byId("details").replaceChildren(...details(finding));
  byId("details").scrollTop = 0;
  reveal(finding);
  drawList();
  showDetails(isShown);
  // Replaced, not added: the way back from the page is not through each finding that somebody looked at.
  history.replaceState(null, "", `#${finding.id}`);
}

function openOverview(isShown = false, remark = null) {
  current = null;
  byId("details").replaceChildren(
    ...(remark ? [element("p", { class: "warning-box", role: "alert" }, remark)] : []),
    overview,
  );
  byId("details").scrollTop = 0;
  drawList();
  showDetails(isShown);
  history.replaceState(null, "", "#");
}

// Opens what the address names.
function openAddress() {
  const id = addressed();
  if (current && current.id === id) return;
  const finding = data.findings.find(known => known.id === id);
  if (!finding) {
    openOverview(
      id !== "",
      id && `This report does not have the finding ${id}: it is fixed, suppressed or not part of this run.`,
    );
    return;
  }
  if (!positions.has(finding)) clearFilters();
  openFinding(finding);
}

// Leaves the search or the details for the list, and the list for the overview.
function leave() {
  const list = byId("list"),
    isInside = id => byId(id).contains(document.activeElement);
  if (isInside("tools") || isInside("details") || document.body.classList.contains("in-details")) {
    showDetails(false);
    list.focus();
  } else openOverview();
}

function move(steps) {
  const next = neighbour(steps);
  if (next) openFinding(next, document.body.classList.contains("in-details"));
}

// Enter in the details presses buttons there.
function enter(event) {
  if (event.target !== byId("list") && event.target !== document.body) return false;
  const finding = positions.has(current) ? current : neighbour(1);
  if (finding) {
    openFinding(finding);
    byId("details").focus();
  }
  return true;
}

// In the details, the arrows scroll.
function moveByArrow(steps) {
  return byId("details").contains(document.activeElement) ? false : move(steps);
}

function nextGrouping() {
  const group = byId("group");
  group.selectedIndex = (group.selectedIndex + 1) % group.options.length;
  refresh();
}

// What names a value in the overview is a filter.
function linkOverview() {
  for (const cell of overview.querySelectorAll("[data-facet]")) {
    const { facet, value } = cell.dataset;
    cell.replaceChildren(
      element("button", { type: "button", class: "plain", click: () => filterBy(facet, value) }, ...cell.childNodes),
    );
  }
}

// On paper there is no list to choose from: everything that is shown is there, up to a limit.
const MOST_PRINTED = 300;
function addPrinted() {
  const shown = rows.filter(row => row.finding).map(row => row.finding);
  const parts = shown.slice(0, MOST_PRINTED).map(finding => element("article", {}, ...details(finding)));
  for (const part of parts) for (const button of part.querySelectorAll("button.step")) button.openStep(true);
  if (shown.length > MOST_PRINTED)
    parts.push(
      element("p", {}, `${count(shown.length - MOST_PRINTED, "more finding")} not printed; filters select fewer.`),
    );
  document.body.append(element("section", { id: "printed" }, overview.cloneNode(true), ...parts));
}
function removePrinted() {
  const printed = byId("printed");
  if (printed) printed.remove();
}

function start() {
  data = readData();
  data.findings.forEach((finding, i) => {
    finding.number = i;
  });
  overview = byId("overview");
  byId("plain").remove();
  linkOverview();
  byId("details").append(overview);
  refresh();
  openAddress();
  byId("search").addEventListener("input", event => {
    searchFor(event.target.value);
    refresh();
  });
  byId("group").addEventListener("change", refresh);
  byId("home").addEventListener("click", event => {
    event.preventDefault();
    openOverview(true);
  });
  byId("leave").addEventListener("click", leave);
  byId("show-facets").addEventListener("click", toggleFacets);
  let isDue = false;
  byId("list").addEventListener("scroll", () => {
    if (!isDue)
      requestAnimationFrame(() => {
        isDue = false;
        drawList();
      });
    isDue = true;
  });
  addEventListener("resize", drawList);
  addEventListener("hashchange", openAddress);
  addEventListener("beforeprint", addPrinted);
  addEventListener("afterprint", removePrinted);
  startPage({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => moveByArrow(1),
    ArrowUp: () => moveByArrow(-1),
    Enter: enter,
    Escape: leave,
    e: toggleSteps,
    g: nextGrouping,
    "/": () => byId("search").focus(),
  });
}

document.addEventListener("DOMContentLoaded", start);
