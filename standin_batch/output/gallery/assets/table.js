// The table: one line a video, columns that vary, or all of them; a click on a heading sorts.

const LINE = 44; // pixels
const HEADING = 34;
const THUMB = 72;
const FIRST_COLUMNS = [
  "identity", "prompt", "loras", "seed", "accepted", ...SCORES, "attempt", "mode", "model", "seconds", "name"
];

const WIDTHS = {
  prompt: 320, negative_prompt: 240, identity: 130, loras: 150, file_name: 320, seconds_by_phase: 360,
  accept: 220, job_id: 150, finished_at: 140, identity_sha256: 200, latents: 260, device: 160,
  attempt_of: 150, seed: 90, face_similarity: 120, face_similarity_min: 128, face_similarity_p10: 128,
  face_frames: 150, num_inference_steps: 80
};
const widthOf = (name) => WIDTHS[name] ?? (COLUMNS.get(name).kind === "number" ? 112 : 120);

/** Those that say something of each row, or all, the most looked at first. */
function tableColumns() {
  const usual = [...COLUMNS.keys()].filter((name) => !HIDDEN.has(name));
  const wanted = state.all ? usual : usual.filter((name) => COLUMNS.get(name).varies);
  const rest = wanted.filter((name) => !FIRST_COLUMNS.includes(name));
  return [...FIRST_COLUMNS.filter((name) => wanted.includes(name)), ...rest];
}

function tableControls() {
  const total = COLUMNS.size - [...HIDDEN].filter((name) => COLUMNS.has(name)).length;
  const text = state.all ? "Columns that vary" : `All ${total} columns`;
  return [button(text, () => change(() => (state.all = !state.all)), { class: "plain", "data-keep": "columns" })];
}

function drawTable(host) {
  const names = tableColumns();
  const widths = [THUMB, ...names.map(widthOf)];
  const width = widths.reduce((sum, each) => sum + each, 0);
  const body = el("div", { class: "lines", role: "rowgroup", onkeydown: listKeys });
  const head = el("div", { class: "table-head", role: "rowgroup" }, el("div", {
    class: "line", role: "row", "aria-rowindex": "1"
  },
    el(
      "span", { class: "cell thumb", role: "columnheader" },
      el("span", { class: "hidden", text: "Video" })
    ), names.map(heading)));
  const table = el(
    "div",
    {
      class: "table", role: "table", "aria-label": "Videos", "aria-rowcount": selection.rows.length + 1,
      style: { "--table-width": `${width}px`, "--columns": widths.map((each) => `${each}px`).join(" ") }
    },
    head, body
  );
  const scroller = el("div", { class: "sideways" }, table);
  host.replaceChildren(scroller);
  // The heading stays at the top of the window, which a box that scrolls sideways would keep it from.
  scroller.addEventListener("scroll", () => placeHead(head, scroller), { passive: true });
  showList(
    body, selection.rows,
    () => ({ columns: 1, width, height: LINE, gap: 0 }),
    (row, place) => line(row, place, names)
  );
  drawTable.place = () => placeHead(head, scroller);
  drawTable.place();
}

function placeHead(head, scroller) {
  const above = stickyHeight() - HEADING - scroller.getBoundingClientRect().top;
  head.style.transform = `translateY(${clampNumber(above, 0, Math.max(0, scroller.offsetHeight - 80))}px)`;
}

function heading(name) {
  const falls = state.sort === `-${name}`;
  const sorted = falls || state.sort === name;
  const first = COLUMNS.get(name).kind === "text" ? name : `-${name}`;
  const next = !sorted ? first : falls ? name : `-${name}`;
  const order = !sorted ? "none" : falls ? "descending" : "ascending";
  const sign = !sorted ? "" : falls ? " ↓" : " ↑";
  return el(
    "span", { class: "cell", role: "columnheader", "aria-sort": order },
    button(label(name) + sign, () => change(() => (state.sort = next)), {
      class: "sorts", title: COLUMNS.get(name).about || null, "data-keep": `sort ${name}`,
    })
  );
}

function line(row, place, names) {
  const node = el("div", {
    class: "line data", role: "row", "data-stop": true, "aria-rowindex": place + 2, "aria-label": told(row),
    onclick: () => openDetail(row),
  }, el("span", { class: "cell thumb", role: "cell" }, poster(row)), names.map((name) => lineCell(name, row)));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the dialog's button, which has the focus then, would take it for itself
    openDetail(row);
  });
  node.addEventListener("focus", () => { list.current = place; markCurrent(); });
  previews(node, row);
  return node;
}

function lineCell(name, row) {
  const cell = value(name, row);
  const isNumber = COLUMNS.get(name).kind === "number" || name === "seed";
  const verdict = name === "accepted" && cell !== null ? (cell ? " good-text" : " bad-text") : "";
  return el("span", {
    class: `cell${isNumber ? " number" : ""}${verdict}`, role: "cell", text: shown(name, cell),
    title: typeof cell === "string" && cell.length > 16 ? cell : null,
  });
}
