// What is being looked at. It stands in the address, so that it can be shared and survives a reload.

const VIEWS = [["grid", "Grid"], ["table", "Table"], ["matrix", "Matrix"], ["charts", "Charts"], ["failed", "Failed"]];
const NOTHING = "\u2205"; // a null in the address

const state = emptyState();

function emptyState() {
  return {
    view: ROWS || !DATA.failed.length ? "grid" : "failed",
    q: "", facets: new Map(), ranges: new Map(), sort: "-finished_at",
    x: "", y: "", score: "", by: "", all: false, clip: "",
  };
}

const written = (value) => (value === null ? NOTHING : String(value));

function stateText() {
  const parts = new URLSearchParams();
  const usual = emptyState();
  for (
    const key of ["view", "q", "sort", "x", "y", "score", "by", "clip"]
  ) if (state[key] !== usual[key]) parts.set(key, state[key]);
  if (state.all) parts.set("all", "1");
  for (const [name, chosen] of state.facets) for (const each of chosen) parts.append(`is.${name}`, each);
  for (const [name, [low, high]] of state.ranges) parts.set(`in.${name}`, `${low ?? ""}..${high ?? ""}`);
  return parts.toString();
}

/** Take the state from the address; what it does not know is passed over. */
function readState() {
  const parts = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, emptyState(), { facets: new Map(), ranges: new Map(), all: parts.get("all") === "1" });
  for (const key of ["q", "clip"]) state[key] = parts.get(key) ?? state[key];
  const view = parts.get("view");
  if (VIEWS.some(([name]) => name === view)) state.view = view;
  for (const key of ["x", "y", "by", "score", "sort"]) {
    const name = parts.get(key);
    if (name && COLUMNS.has(name.replace(/^-/, ""))) state[key] = name;
  }
  for (const [key, text] of parts) {
    const name = key.slice(3);
    if (!COLUMNS.has(name)) continue;
    if (key.startsWith("is.")) state.facets.set(name, (state.facets.get(name) ?? new Set()).add(text));
    if (key.startsWith("in.")) {
      const [low, high] = text.split("..").map((end) => (end === "" || Number.isNaN(Number(end)) ? null : Number(end)));
      if (low !== null || high !== null) state.ranges.set(name, [low ?? null, high ?? null]);
    }
  }
}

let addressTimer = 0;

/** Write the state into the address, soon: browsers slow down pages that do so at every key. */
function keepState() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(writeState, 150);
}

const addressOf = (text) => (text ? `#${text}` : location.pathname + location.search);

/** A step that the browser's back button takes back: to what `before` says. */
function pushState(before, note) {
  clearTimeout(addressTimer);
  addressTimer = 0;
  history.replaceState(history.state, "", addressOf(before));
  history.pushState(note, "", addressOf(stateText()));
}

function writeState() {
  clearTimeout(addressTimer);
  addressTimer = 0;
  const text = stateText();
  if (location.hash.slice(1) !== text) history.replaceState(history.state, "", addressOf(text));
}
