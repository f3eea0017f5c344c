// The page as a whole: what is drawn when, keys, theme.

const DRAWN = { grid: drawGrid, table: drawTable, matrix: drawMatrix, charts: drawCharts, failed: drawFailed };
const CONTROLS = { table: tableControls, matrix: matrixControls, charts: chartsControls };

const KEYS = [
  ["/", "search"], ["← ↑ ↓ →", "move between videos"], ["Enter", "open a video"],
  ["Esc", "close; leave the search"],
  ["← →", "previous and next, in an open video"], ["c", "copy the job id, in an open video"],
  [
    "1 – 5", "grid, table, matrix, charts, failed jobs"
  ], ["f", "filters"], ["x", "clear the filters"], ["d", "light, dark, as the system"],
  ["r", "show what a run has made since"], ["?", "these keys"],
];

/** Change the state by `how`, and draw what follows from it. */
function change(how) {
  const before = state.view, text = stateText();
  how();
  draw();
  if (before === state.view) keepState();
  else pushState(text, null);
}

function draw() {
  const kept = document.activeElement?.getAttribute("data-keep");
  stopPreview();
  select();
  showFilters();
  for (const tab of byId("views").children) tab.toggleAttribute(
    "data-on", tab.dataset.view === state.view
  ), tab.setAttribute(
    "aria-current", tab.dataset.view === state.view ? "page" : "false"
  );
  byId("controls").replaceChildren(...(CONTROLS[state.view]?.() ?? []).filter(Boolean));
  byId("count").textContent = counted();
  document.body.dataset.view = state.view;
  list.host = null;
  const host = byId("view");
  if (!selection.rows.length && state.view !== "failed") host.replaceChildren(nothing());
  else DRAWN[state.view](host);
  // What was drawn anew under the keyboard gets the focus back.
  if (kept) document.querySelector(`[data-keep="${CSS.escape(kept)}"]`)?.focus({ preventScroll: true });
}

function counted() {
  if (state.view === "failed") {
    const some = failedShown().length;
    const all = plural(DATA.failed.length, "failed job");
    return some === DATA.failed.length ? all : `${whole(some)} of ${all}`;
  }
  const some = selection.rows.length;
  return some === ROWS ? plural(ROWS, "video") : `${whole(some)} of ${plural(ROWS, "video")}`;
}

/** What stands where no video does. */
function nothing() {
  if (ROWS) return empty(
    "No video passes these filters.", "",
    button("Clear the filters", clearFilters, { class: "primary" })
  );
  if (DATA.failed.length) return empty(
    `No video yet; ${plural(DATA.failed.length, "job")} failed.`, "",
    button("See why", () => change(() => (state.view = "failed")), { class: "primary" })
  );
  return empty(
    HEAD.running ? "No video yet: the run is at work." : "There are no videos here yet.",
    HEAD.running ? "" : "standin run manifest.yaml"
  );
}

function empty(text, command, action) {
  return el(
    "div", { class: "empty" },
    text ? el("p", { text }) : null,
    command ? el("code", { text: command }) : null,
    action
  );
}

function subtitle() {
  const parts = [];
  if (HEAD.running) parts.push(
    HEAD.total ? `run at work, ${whole(HEAD.done)} of ${plural(HEAD.total, "job")} done` : "run at work"
  );
  parts.push(moment(new Date(HEAD.version).toISOString()));
  return parts.join(" · ");
}

function buildTop() {
  byId("name").textContent = HEAD.name;
  byId("subtitle").textContent = subtitle();
  byId("subtitle").classList.toggle("running", HEAD.running);
  byId("views").append(...VIEWS.map(([view, name], place) => {
    const tab = button(
      name,
      () => change(() => (state.view = view)),
      { "data-view": view, title: `${name} (${place + 1})` }
    );
    if (view === "failed") tab.append(
      el("span", { class: DATA.failed.length ? "count some" : "count", text: whole(DATA.failed.length) })
    );
    return tab;
  }));
  byId("search").addEventListener("input", (event) => change(() => (state.q = event.target.value)));
  byId("skip").addEventListener("click", () => intoView());
  byId("filters-button").addEventListener("click", () => toggleFilters());
  byId("help-button").addEventListener("click", showHelp);
  byId("theme").addEventListener("click", turnTheme);
  showTheme();
}

/** The focus on the first thing of the view. */
function intoView() {
  if (["grid", "table"].includes(state.view) && selection.rows.length) return focusPlace(list.current);
  (byId("view").querySelector("[tabindex='0'], button:not([tabindex])") ?? byId("main")).focus();
}

function showHelp() {
  const help = byId("help");
  help.replaceChildren(
    el("h2", { id: "help-title", text: "Keys" }),
    el("dl", {}, KEYS.map(([key, does]) => [el("dt", {}, el("kbd", { text: key })), el("dd", { text: does })])),
    el(
      "p",
      {
        class: "soft small",
        text: "The address keeps filters, order and view. The page needs the folder beside it, and no network."
      }
    ),
    button("Close", () => help.close(), { class: "primary" }));
  if (!help.open) help.showModal();
}

const THEMES = ["", "light", "dark"];
const THEME_SIGNS = { "": "◐", light: "○", dark: "●" };

function showTheme() {
  let theme = "";
  try { theme = localStorage.getItem("standin-theme") ?? ""; } catch {}
  if (showTheme.now !== undefined) theme = showTheme.now;
  document.documentElement.dataset.theme = theme;
  const text = `Colours: ${theme || "as the system"} (d)`;
  byId("theme").textContent = THEME_SIGNS[theme] ?? THEME_SIGNS[""];
  byId("theme").setAttribute("aria-label", text);
  byId("theme").title = text;
}

function turnTheme() {
  showTheme.now = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
  try { localStorage.setItem("standin-theme", showTheme.now); } catch {}
  showTheme();
}

function keys(event) {
  const typing = event.target.matches?.("input, select, textarea");
  if (event.key === "Escape" && event.target === byId("search")) {
    if (state.q) change(() => (state.q = ""));
    else intoView();
    return;
  }
  if ((event.key === "Enter" || event.key === "ArrowDown") && event.target === byId("search")) {
    event.preventDefault();
    intoView();
    return;
  }
  if (
    event.key === "Escape" && !wide.matches && byId("filters").classList.contains("open")
  ) return toggleFilters(false);
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const view = VIEWS[Number(event.key) - 1];
  const does = view ? () => { change(() => (state.view = view[0])); } : {
    "/": () => { byId("search").focus(); byId("search").select(); },
    "?": showHelp, f: () => toggleFilters(), x: clearFilters, d: turnTheme,
    r: () => live.newer && reload(), R: () => live.newer && reload(),
  }[event.key];
  const nowhere = [document.body, byId("main")].includes(document.activeElement);
  const enters = event.key.startsWith("Arrow") && nowhere && ["grid", "table"].includes(state.view);
  if (!does && !enters) return;
  event.preventDefault();
  if (does) does();
  else focusPlace(list.current);
}

function followAddress() {
  const dialog = byId("detail");
  if (detail.goesBack) { // nothing but the dialog has changed, and the focus is where it should be
    detail.goesBack = false;
    return;
  }
  readState();
  draw();
  const row = ROW_OF.get(state.clip);
  if (row !== undefined) openDetail(row, true);
  else if (dialog.open) dialog.close();
}

let frame = 0;
const soon = () => {
  frame ||= requestAnimationFrame(() => { frame = 0; placeList(); if (state.view === "table") drawTable.place?.(); });
};

history.scrollRestoration = "manual";
readState();
buildTop();
buildFilters();
showFiltersBeside(wide.matches);
draw();
addEventListener("scroll", soon, { passive: true });
addEventListener("resize", soon);
addEventListener("keydown", keys);
addEventListener("popstate", followAddress);
byId("detail").addEventListener("close", closedDetail);
byId("detail").addEventListener("keydown", detailKeys);
byId("detail").addEventListener("click", (event) => event.target === byId("detail") && byId("detail").close());
byId("help").addEventListener("click", (event) => event.target === byId("help") && byId("help").close());
if (ROW_OF.has(state.clip)) openDetail(ROW_OF.get(state.clip), true);
startLive();
(window.requestIdleCallback ?? setTimeout)(
  () => { for (let row = 0; row < ROWS; row++) haystack(row); }
); // so that the first word is found at once
