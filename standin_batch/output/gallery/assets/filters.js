// The filters: a chip for each value of what varies, ranges for numbers, and what is chosen said above the videos.

const FEW = 8; // chips that are shown of a long list

const filterParts = { facets: [], ranges: [] };

/** Built once; what changes later are counts and what is pressed, so that nothing loses the focus. */
function buildFilters() {
  const host = byId("filters");
  host.replaceChildren(
    el(
      "div", { class: "filters-head" },
      el("h2", { text: "Filters" }),
      button("Clear", clearFilters, { class: "link", id: "clear" }),
      button("×", () => toggleFilters(false), { class: "plain icon sheet-close", "aria-label": "Close the filters" })
    ),
    sorting(),
    ...FACETS.map(facet), ...RANGES.filter((name) => ASKED.includes(name)).map(range));
  if (!FACETS.length && !RANGES.length) host.append(
    el("p", { class: "soft small", text: "Nothing varies between the videos." })
  );
}

/** The order, which the table's headings set as well. */
function sorting() {
  const names = [...COLUMNS.keys()].filter((name) => !HIDDEN.has(name) && COLUMNS.get(name).varies);
  const select = el(
    "select",
    { onchange: () => change(() => (state.sort = (state.sort.startsWith("-") ? "-" : "") + select.value)) }
  );
  for (const name of names) select.append(el("option", { value: name, text: label(name) }));
  const turn = button(
    "",
    () => change(() => (state.sort = state.sort.startsWith("-") ? state.sort.slice(1) : `-${state.sort}`)),
    { class: "plain icon" }
  );
  filterParts.sort = () => {
    select.value = state.sort.replace(/^-/, "");
    turn.textContent = state.sort.startsWith("-") ? "↓" : "↑";
    turn.setAttribute("aria-label", state.sort.startsWith("-") ? "Descending; turn round" : "Ascending; turn round");
  };
  return names.length ? el(
    "div", { class: "facet sort" },
    el("label", { class: "choice" }, el("span", { text: "Sort" }), select),
    turn
  ) : "";
}

function facet(name) {
  const column = COLUMNS.get(name);
  const rowFor = column.values.map(() => -1);
  column.codes.forEach((code, row) => { if (rowFor[code] < 0) rowFor[code] = row; });
  const chips = column.values.map((each, code) => {
    const text = shownValue(name, each, rowFor[code]);
    const count = el("span", { class: "count" });
    const node = button(
      "",
      () => toggleFacet(name, written(each)),
      {
        class: "chip", "aria-pressed": "false",
        title: name === "prompt_name" ? value("prompt", rowFor[code]) : text.length > 18 ? text : null
      }
    );
    node.append(el("span", { class: "chip-text", text }), count);
    return { node, count, text: written(each) };
  });
  const order = [...chips];
  if (column.kind === "boolean") order.reverse(); // yes before no
  const box = el("div", { class: "chips" }, order.map((chip) => chip.node));
  const group = el(
    "fieldset", { class: "facet" },
    el("legend", { text: label(name), title: column.about || null }),
    box
  );
  if (chips.length > FEW + 2) {
    group.classList.add("cut");
    const more = button(`${chips.length - FEW} more`, () => {
      const isCut = group.classList.toggle("cut");
      more.textContent = isCut ? `${chips.length - FEW} more` : "fewer";
      more.setAttribute("aria-expanded", String(!isCut));
    }, { class: "link", "aria-expanded": "false" });
    group.append(more);
  }
  filterParts.facets.push({ name, column, chips });
  return group;
}

function range(name) {
  const column = COLUMNS.get(name);
  const { low, high } = bins(name);
  const ends = ["from", "to"].map((end, place) => el("input", {
    type: "number", step: "any", placeholder: number(place ? high : low), "aria-label": `${label(name)} ${end}`,
    oninput: (event) => setEnd(name, place, event.target.valueAsNumber),
  }));
  const spark = svg(
    "svg", { class: "spark", viewBox: "0 0 240 26", preserveAspectRatio: "none", "aria-hidden": "true" }
  );
  filterParts.ranges.push({ name, ends, spark });
  return el(
    "fieldset", { class: "facet range" },
    el("legend", { text: label(name), title: column.about }),
    spark,
    el("div", { class: "ends" }, ends[0], el("span", { class: "soft", text: "to" }), ends[1])
  );
}

/** Set one end of a range; NaN, as an empty field gives it, takes it away. */
function setEnd(name, place, to) {
  const now = [...(state.ranges.get(name) ?? [null, null])];
  now[place] = Number.isNaN(to) ? null : to;
  change(() => (now[0] === null && now[1] === null ? state.ranges.delete(name) : state.ranges.set(name, now)));
}

function toggleFacet(name, text) {
  change(() => {
    const chosen = new Set(state.facets.get(name));
    if (!chosen.delete(text)) chosen.add(text);
    if (chosen.size) state.facets.set(name, chosen);
    else state.facets.delete(name);
  });
}

function clearFilters() {
  change(() => { state.q = ""; state.facets.clear(); state.ranges.clear(); });
}

/** Counts, pressed chips, ends of ranges and the list of what is chosen, after each change. */
function showFilters() {
  if (byId("search").value !== state.q) byId("search").value = state.q;
  filterParts.sort?.();
  for (const { name, column, chips } of filterParts.facets) {
    const counts = new Array(column.values.length).fill(0);
    passingOthers(name, (row) => counts[column.codes[row]]++);
    chips.forEach(({ node, count, text }, code) => {
      const pressed = Boolean(state.facets.get(name)?.has(text));
      const now = `${pressed} ${counts[code]}`;
      if (node.dataset.now === now) return;
      node.dataset.now = now;
      node.setAttribute("aria-pressed", String(pressed));
      node.classList.toggle("none", !counts[code] && !pressed);
      count.textContent = whole(counts[code]);
    });
    showFew(chips, counts);
  }
  for (const { name, ends, spark } of filterParts.ranges) {
    const now = state.ranges.get(name) ?? [null, null];
    ends.forEach((end, place) => { if (document.activeElement !== end) end.value = now[place] ?? ""; });
    drawSpark(spark, name);
  }
  showActive();
}

/** Of a long list the first chips that would leave anything. */
function showFew(chips, counts) {
  const places = [...chips.keys()].sort((a, b) => !counts[a] - !counts[b] || a - b);
  places.forEach((code, place) => chips[code].node.classList.toggle("late", chips.length > FEW + 2 && place >= FEW));
}

function drawSpark(spark, name) {
  const { spec, others, inside } = binned(name);
  const most = Math.max(1, ...others), each = 240 / spec.count;
  const path = (counts) => counts.map(
    (count, place) => (
      count ? `M${place * each} 26v${-Math.max(1, (count / most) * 26)}h${Math.max(1, each - 1)}V26z` : ""
    )
  ).join("");
  spark.replaceChildren(
    svg("path", { class: "others", d: path(others) }),
    svg("path", { class: "inside", d: path(inside) })
  );
}

/** What is chosen, each with a way to take it back. */
function showActive() {
  const chosen = [];
  const off = (text, undo) => chosen.push(
    button(`${text} ×`, () => change(undo), { class: "chip on", "aria-label": `remove the filter ${text}` })
  );
  if (state.q) off(`“${state.q}”`, () => (state.q = ""));
  for (const [name, texts] of state.facets) {
    const column = COLUMNS.get(name);
    const words = [...texts].map((text) => {
      const code = column.values.findIndex((each) => written(each) === text);
      return code < 0 ? text : shownValue(name, column.values[code], column.codes.indexOf(code));
    });
    off(`${label(name)}: ${words.join(", ")}`, () => state.facets.delete(name));
  }
  for (const [name, [low, high]] of state.ranges) {
    const both = low !== null && high !== null;
    const ends = both ? `${number(low)} – ${number(high)}` : low === null ? `≤ ${number(high)}` : `≥ ${number(low)}`;
    off(`${label(name)} ${ends}`, () => state.ranges.delete(name));
  }
  byId("active").replaceChildren(...chosen);
  byId("clear").hidden = !chosen.length;
  byId("filters-button").textContent = chosen.length ? `Filters ${chosen.length}` : "Filters";
}

const wide = matchMedia("(min-width: 861px)");

/** On a phone the filters are a sheet over the page, elsewhere a column that can be put away. */
function toggleFilters(open) {
  const filters = byId("filters");
  const shows = open ?? !filters.classList.contains("open");
  showFiltersBeside(shows);
  if (!wide.matches) (shows ? filters.querySelector("button, select, input") : byId("filters-button"))?.focus();
  placeList();
}

function showFiltersBeside(shows) {
  byId("filters").classList.toggle("open", shows);
  byId("filters").inert = !shows;
  document.body.classList.toggle("with-filters", shows);
  byId("filters-button").setAttribute("aria-expanded", String(shows));
}
