// One score by group: who keeps the face, which prompt loses it.

const MOST_GROUPS = 80;
const MOST_POINTS = 3000;

/** One line a group: every video a point, the box from quarter to quarter, the median a stroke. */
function strips(name, by) {
  const column = COLUMNS.get(by);
  const ordered = grouped(name, column);
  if (!ordered.length) return el("p", { class: "soft", text: "None of these videos has it." });
  const cut = ordered.slice(0, MOST_GROUPS);
  const every = Math.ceil(cut.reduce((sum, [, points]) => sum + points.length, 0) / MOST_POINTS);
  const { start, step, count } = bins(name);
  const end = start + step * count;
  const across = (cell) => ((cell - start) / (end - start)) * 100;
  const lines = cut.map(([code, points]) => strip(name, by, column.values[code], points, across, every));
  const axis = el(
    "div", { class: "strip-axis mono soft", "aria-hidden": "true" },
    el("span"),
    el(
      "span", { class: "strip-ticks" },
      [0, 0.25, 0.5, 0.75, 1].map((share) => el("i", { text: shown(name, start + (end - start) * share) }))
    ),
    el("span")
  );
  const box = el(
    "div", { class: "strips" }, lines, axis,
    cut.length < ordered.length && note(`Shown are the ${cut.length} of ${ordered.length} with the highest median.`),
    every > 1 && note(`One video in ${every} is a point; boxes and medians are of all.`)
  );
  followDots(box, name);
  roving(box, ".strip-name");
  return box;
}

/** The groups with their points in order, the group with the highest median first. */
function grouped(name, column) {
  const groups = new Map();
  for (const row of selection.rows) {
    const cell = value(name, row);
    if (cell === null) continue;
    if (!groups.has(column.codes[row])) groups.set(column.codes[row], []);
    groups.get(column.codes[row]).push([cell, row]);
  }
  for (const points of groups.values()) points.sort((a, b) => a[0] - b[0]);
  const median = (points) => points[points.length >> 1][0];
  return [...groups].sort((a, b) => median(b[1]) - median(a[1]));
}

const note = (text) => el("p", { class: "soft note", text });

function strip(name, by, group, points, across, every) {
  const at = (share) => points[Math.min(points.length - 1, Math.floor(points.length * share))][0];
  const text = shownValue(by, group, points[0][1]);
  const ends = `${shown(name, points[0][0])} to ${shown(name, points.at(-1)[0])}`;
  const summary = `median ${shown(name, at(0.5))}, ${ends}, ${plural(points.length, "video")}`;
  const drawing = svg("svg", {
    class: "strip", viewBox: "0 0 100 26", preserveAspectRatio: "none", role: "img",
    "aria-label": `${text}: ${summary}`
  },
    svg(
      "rect",
      { class: "box", x: across(at(0.25)), width: Math.max(0.3, across(at(0.75)) - across(at(0.25))), y: 4, height: 18 }
    ),
    svg("line", { class: "median", x1: across(at(0.5)), x2: across(at(0.5)), y1: 2, y2: 24 }));
  const few = points.filter((_, place) => place % every === 0 || place === points.length - 1);
  const dots = svg("svg", { class: "strip", "aria-hidden": "true" }, few.map((point, n) => dot(point, n, across)));
  const filters = button(text, () => toggleFacet(by, written(group)), {
    class: "strip-name", title: `${text}: filter`, "aria-label": `${text}: ${summary}; filter`,
    "aria-pressed": Boolean(state.facets.get(by)?.has(written(group))), "data-keep": `strip ${written(group)}`,
  });
  return el(
    "div", { class: "strip-line" }, filters, el("div", { class: "strip-box" }, drawing, dots),
    el("span", { class: "mono strip-median", text: shown(name, at(0.5)) })
  );
}

/** A video as a point; neighbours are put at different heights, always at the same. */
const dot = ([cell, row], n, across) => svg("circle", {
  class: value("accepted", row) === false ? "dot bad" : "dot", cx: `${across(cell)}%`,
  cy: 13 + (((n * 7) % 11) - 5), r: 3, "data-row": row,
});

/** Points open their videos, and say what they are when they are pointed at: there are thousands. */
function followDots(box, name) {
  box.addEventListener("click", (event) => event.target.dataset.row && openDetail(Number(event.target.dataset.row)));
  box.addEventListener("pointerover", ({ target }) => {
    if (!target.dataset.row || target.firstChild) return;
    const row = Number(target.dataset.row);
    target.append(svg("title", { text: `${shownAt(name, row)} · ${told(row)}` }));
  });
}
