// The matrix: any two of what varies against each other; each cell shows its clips.

const MOST_COLUMNS = 40;
const MOST_LINES = 250;
const AT_ONCE = 100; // videos that are drawn without waiting for the window to come near

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
    tr.fill = () => {
      const at = (other, x) => ({ down, across, code, other, x, y });
      const found = shownColumns.map((other, x) => cell(cells.get(`${code}/${other}`) ?? [], at(other, x), scale));
      tr.append(...found);
      tr.classList.add("filled");
      return found;
    };
    return tr;
  });
  const table = el(
    "table", { class: "matrix", onkeydown: matrixKeys, style: clipSize(host, shownColumns.length) },
    el("thead", {}, head),
    el("tbody", {}, body)
  );
  const box = el("div", { class: "sideways matrix-box", tabindex: "-1" }, table);
  host.replaceChildren(
    box,
    cutNote(lines, shownLines, columns, shownColumns, down, across)
  );
  fillSoon(body, box);
}

/** Few columns have large clips: half a cell's width, and the height that belongs to it. */
function clipSize(host, columns) {
  const heading = wide.matches ? 190 : 110;
  const width = (host.clientWidth - heading) / columns / 2 - 12;
  return { "--clip": `${Math.round(clampNumber(width, wide.matches ? 92 : 62, 170))}px`, "--shape": aspect() };
}

/** Lines get their cells, and cells their clips, when they come near what is seen of the box. */
function fillSoon(lines, box) {
  const near = (rootMargin, fill) => new IntersectionObserver((seen, watch) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      fill(target);
    }
    oneStop();
  }, { root: box, rootMargin });
  const cells = near("200px", (cell) => cell.fill());
  const rows = near("600px", (line) => line.fill().forEach((cell) => cells.observe(cell)));
  const all = selection.rows.length <= AT_ONCE;
  for (const [place, line] of lines.entries()) {
    if (!all && place > 2) rows.observe(line);
    else line.fill().forEach((cell, n) => (all || n < 5 ? cell.fill() : cells.observe(cell)));
  }
  oneStop();
}

/** One tab stop for the matrix: where one was, else its first clip. */
function oneStop() {
  if (document.querySelector(".matrix .clip[tabindex='0']")) return;
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
