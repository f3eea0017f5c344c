// Charts: how the scores are spread, and one score by group. A bar is a filter, a point is a video.

const BINS = 24;

function chartsControls() {
  if (!RANGES.length) return [];
  const groups = FACETS.filter((name) => name !== "accepted");
  const { score, by } = chartChoice();
  return [
    choice("Score", RANGES.map((name) => [name, label(name)]), score, (name) => change(() => (state.score = name))),
    groups.length ? choice(
      "by",
      groups.map((name) => [name, label(name)]),
      by,
      (name) => change(() => (state.by = name))
    ) : null,
  ];
}

function chartChoice() {
  const groups = FACETS.filter((name) => name !== "accepted");
  return {
    score: RANGES.includes(state.score) ? state.score : RANGES[0] ?? "",
    by: groups.includes(state.by) ? state.by : AXES[0] ?? "",
  };
}

function drawCharts(host) {
  if (!RANGES.length) {
    host.replaceChildren(empty("There are no numbers that vary: no scores yet.", "standin dataset score"));
    return;
  }
  const { score, by } = chartChoice();
  host.replaceChildren(el("div", { class: "charts" },
    by ? el(
      "section", { class: "chart wide" },
      el("h2", { text: `${label(score)} by ${label(by)}` }),
      strips(score, by)
    ) : null,
    RANGES.map(
      (name) => el(
        "section", { class: "chart" },
        el("h2", { text: label(name), title: COLUMNS.get(name).about }),
        histogram(name)
      )
    )));
}

/** Bins of a column over all rows, with round edges. */
function bins(name) {
  bins.known ??= new Map();
  if (!bins.known.has(name)) {
    const cells = COLUMNS.get(name).values.filter((each) => each !== null);
    const low = cells[0], high = cells.at(-1);
    const step = roundStep((high - low) / BINS);
    const start = Math.floor(low / step + 1e-9) * step;
    const count = Math.max(1, Math.ceil((high - start) / step - 1e-9)); // the last bin has its upper edge, too
    bins.known.set(name, { low, high, step, start, count });
  }
  return bins.known.get(name);
}

function roundStep(step) {
  const size = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 2.5, 5, 10].find((each) => each * size >= step * 0.999) * size;
}

const edge = ({ start, step }, place) => Number((start + place * step).toPrecision(10));
const binOf = ({ start, step, count }, cell) => clampNumber(Math.floor((cell - start) / step + 1e-9), 0, count - 1);

/** How many of the rows that pass all other filters, and how many of those shown, are in each bin. */
function binned(name) {
  const spec = bins(name);
  const others = new Array(spec.count).fill(0), inside = new Array(spec.count).fill(0);
  const column = COLUMNS.get(name);
  spec.places ??= column.values.map((cell) => (cell === null ? -1 : binOf(spec, cell)));
  spec.spans ??= spans(spec, column.values);
  passingOthers(`in.${name}`, (row) => {
    const place = spec.places[column.codes[row]];
    if (place < 0) return;
    others[place]++;
    if (!selection.fails[row]) inside[place]++;
  });
  return { spec, others, inside };
}

/** The least and greatest value in each bin: as a range they hold just what the bar shows, also at its edges. */
function spans(spec, values) {
  const found = new Array(spec.count).fill(null);
  values.forEach((cell, code) => {
    const place = spec.places[code];
    if (place >= 0) found[place] = [found[place]?.[0] ?? cell, cell]; // values come in their order
  });
  return found;
}

function histogram(name) {
  const { spec, others, inside } = binned(name);
  const [width, height, bottom] = [420, 150, 22];
  const most = Math.max(1, ...others), each = width / spec.count;
  const scaled = (count) => (count ? Math.max(2, (count / most) * (height - bottom - 14)) : 0);
  const bars = others.map((count, place) => {
    const counted = `${plural(inside[place], "video")}${inside[place] === count ? "" : ` of ${count}`}`;
    const text = `${shown(name, edge(spec, place))} to ${shown(name, edge(spec, place + 1))}: ${counted}`;
    const choose = () => spec.spans[place] && toggleRange(name, spec.spans[place]);
    return svg("g", {
      class: "bin", role: "button", tabindex: "-1", "aria-label": text, onclick: choose,
      onkeydown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose()),
      "data-keep": `bin ${name} ${place}`
    },
      svg("title", { text }),
      svg("rect", { class: "field", x: place * each, y: 0, width: each, height: height - bottom }),
      svg(
        "rect",
        {
          class: "others", x: place * each + 1, width: Math.max(1, each - 2),
          y: height - bottom - scaled(count), height: scaled(count)
        }
      ),
      svg(
        "rect",
        {
          class: "inside", x: place * each + 1, width: Math.max(1, each - 2),
          y: height - bottom - scaled(inside[place]), height: scaled(inside[place])
        }
      ));
  });
  const cells = selection.rows.map((row) => value(name, row)).filter((cell) => cell !== null).sort((a, b) => a - b);
  const mean = cells.reduce((sum, cell) => sum + cell, 0) / cells.length;
  const told = `median ${shown(name, cells[cells.length >> 1])} · mean ${shown(name, mean)} · n ${whole(cells.length)}`;
  const ticks = [0, spec.count >> 1, spec.count].map(
    (place, n) => svg(
      "text",
      {
        class: "tick", x: place * each, y: height - 6, "text-anchor": ["start", "middle", "end"][n],
        text: shown(name, edge(spec, place))
      }
    )
  );
  const drawing = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "histogram", role: "group",
    "aria-label": `${label(name)}: ${spec.count} bars, arrow keys move, Enter filters`
  }, bars,
    svg("line", { class: "base", x1: 0, x2: width, y1: height - bottom, y2: height - bottom }), ticks);
  roving(drawing, ".bin");
  return el(
    "div", {},
    el(
      "p", { class: "facts mono soft" },
      cells.length ? told : "no value"
    ),
    drawing
  );
}

/** A click takes the bar as the range, a second one takes the range away. */
function toggleRange(name, [low, high]) {
  const now = state.ranges.get(name);
  change(
    () => (now && now[0] === low && now[1] === high ? state.ranges.delete(name) : state.ranges.set(name, [low, high]))
  );
}
