// The matrix: any two of what varies against each other; each cell shows its clips.

const MOST_COLUMNS = 40;
const MOST_LINES = 250;
const IN_CELL = 4; // clips of a cell that are shown

/** The two axes: as chosen, else the two that say most. One may be missing. */
function axes() {
  const down = AXES.includes(state.y) ? state.y : AXES.find((name) => name !== state.x) ?? "";
  const across = AXES.includes(state.x) && state.x !== down ? state.x : AXES.find((name) => name !== down) ?? "";
  return { down, across };
}

function matrixControls() {
  const { down, across } = axes();
  if (!down) return [];
  const options = AXES.map((name) => [name, label(name)]);
  return [
    choice(
      "Rows", options, down,
      (name) => change(() => { state.x = name === across ? down : across; state.y = name; })
    ),
    across ? choice(
      "Columns", options, across,
      (name) => change(() => { state.y = name === down ? across : down; state.x = name; })
    ) : null,
    RANGES.length ? choice(
      "Mean of",
      [["", "nothing"], ...RANGES.map((name) => [name, label(name)])],
      matrixScore(),
      (name) => change(() => (state.score = name || "job_id"))
    ) : null,
  ];
}

/** The score whose mean each cell tells: face similarity where there is one, unless another was chosen, or none. */
function matrixScore() {
  if (RANGES.includes(state.score)) return state.score;
  return state.score ? "" : ["face_similarity", "sharpness"].find((name) => RANGES.includes(name)) ?? "";
}

function drawMatrix(host) {
  const { down, across } = axes();
  if (!down || !selection.rows.length) {
    host.replaceChildren(
      empty(
        selection.rows.length ? "Nothing varies between these videos: there is nothing to set against each other." : ""
      )
    );
    return;
  }
  const cells = new Map();
  for (const row of selection.rows) {
    const key = `${COLUMNS.get(down).codes[row]}/${across ? COLUMNS.get(across).codes[row] : 0}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(row);
  }
  const lines = present(down), columns = across ? present(across) : [0];
  const shownLines = lines.slice(0, MOST_LINES), shownColumns = columns.slice(0, MOST_COLUMNS);
  const scale = scoreScale(cells);
  const head = el(
    "tr", {},
    el("td", { class: "corner" }),
    shownColumns.map((code) => el("th", { scope: "col" }, across ? axisLabel(across, code) : ""))
  );
  const body = shownLines.map((code, y) => {
    const tr = el("tr", {}, el("th", { scope: "row" }, axisLabel(down, code)));
    tr.fill = () => tr.append(
      ...shownColumns.map(
        (other, x) => cell(cells.get(`${code}/${other}`) ?? [], { down, across, code, other, x, y }, scale)
      )
    );
    return tr;
  });
  const table = el(
    "table", { class: "matrix", onkeydown: matrixKeys, style: clipSize(host, shownColumns.length) },
    el("thead", {}, head),
    el("tbody", {}, body)
  );
  host.replaceChildren(
    el("div", { class: "sideways matrix-box", tabindex: "-1" }, table),
    cutNote(lines, shownLines, columns, shownColumns, down, across)
  );
  fillSoon(body);
}

/** Few columns have large clips: half a cell's width, and the height that belongs to it. */
function clipSize(host, columns) {
  const heading = wide.matches ? 190 : 110;
  const width = (host.clientWidth - heading) / columns / 2 - 12;
  return { "--clip": `${Math.round(clampNumber(width, wide.matches ? 92 : 62, 170))}px`, "--shape": aspect() };
}

/** Lines get their cells when they come near the window. */
function fillSoon(lines) {
  const watch = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      target.fill();
      target.classList.add("filled");
    }
    if (
      !document.querySelector(".matrix .clip[tabindex='0']")
    ) document.querySelector(".matrix .clip")?.setAttribute("tabindex", "0");
  }, { rootMargin: "400px" });
  lines.forEach((line, number) => {
    if (number < 4) { line.fill(); line.classList.add("filled"); } else watch.observe(line);
  });
  document.querySelector(".matrix .clip")?.setAttribute("tabindex", "0");
}

/** The codes of a column's values among the shown rows, in order. */
const present = (name) => [...new Set(selection.rows.map((row) => COLUMNS.get(name).codes[row]))].sort((a, b) => a - b);

function axisLabel(name, code) {
  const column = COLUMNS.get(name);
  const row = selection.rows.find((each) => column.codes[each] === code);
  const text = shownValue(name, column.values[code], row);
  const reference = name === "identity" && value("reference", row);
  const number = name === "seed" ? "seed " : "";
  return el("span", { class: "axis", title: name === "prompt_name" ? value("prompt", row) : text },
    reference ? el("img", { src: address(reference), alt: "", loading: "lazy", class: "face" }) : null,
    el("span", { text: number + text }));
}

function cell(rows, at, scale) {
  const shownRows = rows.slice(0, rows.length > IN_CELL ? IN_CELL - 1 : IN_CELL);
  const td = el("td", { class: rows.length ? "" : "void" }, el("div", {
    class: `clips n${Math.min(rows.length, IN_CELL)}`
  },
    shownRows.map((row, n) => {
      const clip = button(
        "",
        () => openDetail(row),
        { class: "clip", "data-x": at.x, "data-y": at.y, "data-n": n, tabindex: "-1", "aria-label": told(row) }
      );
      clip.append(poster(row));
      previews(clip, row);
      return clip;
    }),
    rows.length > IN_CELL ? button(
      `+${rows.length - shownRows.length}`,
      () => showCell(at),
      {
        class: "clip more", "data-x": at.x, "data-y": at.y, "data-n": IN_CELL - 1, tabindex: "-1",
        "aria-label": `all ${rows.length} of this cell`
      }
    ) : null));
  const mean = scale.mean(rows);
  if (mean !== null) {
    td.append(el("span", { class: "mean mono", title: `mean ${label(scale.name)} of ${plural(rows.length, "video")}` },
      el("i", { style: { "--share": `${Math.round(scale.share(mean) * 100)}%` } }), number(mean)));
  }
  return td;
}

/** Filter to a cell, and look at it in the grid. */
function showCell({ down, across, code, other }) {
  change(() => {
    state.facets.set(down, new Set([written(COLUMNS.get(down).values[code])]));
    if (across) state.facets.set(across, new Set([written(COLUMNS.get(across).values[other])]));
    state.view = "grid";
  });
  scrollTo(0, 0);
}

/** Means of the chosen score, and where each lies between the least and the greatest of all cells. */
function scoreScale(cells) {
  const name = matrixScore();
  const mean = (rows) => {
    const found = name ? rows.map((row) => value(name, row)).filter((each) => each !== null) : [];
    return found.length ? found.reduce((sum, each) => sum + each, 0) / found.length : null;
  };
  const all = [...cells.values()].map(mean).filter((each) => each !== null);
  const low = Math.min(...all), high = Math.max(...all);
  return { name, mean, share: (each) => (high > low ? (each - low) / (high - low) : 1) };
}

function cutNote(lines, shownLines, columns, shownColumns, down, across) {
  const cut = [];
  if (lines.length > shownLines.length) cut.push(
    `the first ${shownLines.length} of ${lines.length} rows (${label(down)})`
  );
  if (columns.length > shownColumns.length) cut.push(
    `the first ${shownColumns.length} of ${columns.length} columns (${label(across)})`
  );
  return cut.length ? el(
    "p", { class: "soft note", text: `Shown are ${cut.join(" and ")}; filter to see others.` }
  ) : "";
}

/** Arrow keys go from clip to clip, through a cell's own first. */
function matrixKeys(event) {
  const at = event.target.closest(".clip");
  const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  if (!at || !(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const [dx, dy] = steps[event.key];
  const all = [...document.querySelectorAll(".matrix .clip")];
  const near = dy === 0 ? all[all.indexOf(at) + dx] : verticalNext(all, at, dy);
  if (!near || (dy === 0 && near.dataset.y !== at.dataset.y)) return;
  all.forEach((clip) => clip.setAttribute("tabindex", clip === near ? "0" : "-1"));
  near.focus();
  near.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function verticalNext(all, at, dy) {
  const column = all.filter((clip) => clip.dataset.x === at.dataset.x && (clip.dataset.n === "0" || clip === at));
  const others = column.filter(
    (clip) => clip.dataset.y !== at.dataset.y && (Number(clip.dataset.y) - Number(at.dataset.y)) * dy > 0
  );
  return dy > 0 ? others[0] : others.at(-1);
}
