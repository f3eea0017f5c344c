// The table: one line a video, columns that vary, or all of them; a click on a heading sorts.

const LINE = 44; // pixels
const HEADING = 34;
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
  const width = 72 + names.reduce((sum, name) => sum + widthOf(name), 0);
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
      style: { "--table-width": `${width}px` }
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
  return el("span", {
    class: "cell", role: "columnheader", "aria-sort": sorted ? (falls ? "descending" : "ascending") : "none",
    style: { width: `${widthOf(name)}px` }
  },
    button(`${label(name)}${sorted ? (falls ? " ↓" : " ↑") : ""}`, () => change(() => (state.sort = next)), { class: "sorts", title: COLUMNS.get(name).about || null, "data-keep": `sort ${name}` }));
}

function line(row, place, names) {
  const node = el("div", {
    class: "line data", role: "row", "data-stop": true, "aria-rowindex": place + 2, "aria-label": told(row),
    onclick: () => openDetail(row)
  },
    el("span", { class: "cell thumb", role: "cell" }, poster(row)),
    names.map((name) => {
      const cell = value(name, row);
      const kind = COLUMNS.get(name).kind === "number" || name === "seed" ? " number" : "";
      return el(
        "span",
        {
          class: `cell${kind}${name === "accepted" && cell !== null ? (cell ? " good-text" : " bad-text") : ""}`,
          role: "cell", style: { width: `${widthOf(name)}px` },
          title: typeof cell === "string" && cell.length > 16 ? cell : null, text: shown(name, cell)
        }
      );
    }));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the dialog's button, which has the focus then, would take it for itself
    openDetail(row);
  });
  node.addEventListener("focus", () => { list.current = place; markCurrent(); });
  previews(node, row);
  return node;
}
