// The grid of cards, and the part that it shares with the table: only what is near the window is in the page.

const NEAR = 400; // pixels above and below the window that are made beforehand
const CARD_TEXT = 73; // pixels below a card's poster
const BADGES = 23; // pixels more, where any card has one
const FEW_VIDEOS = 12; // have larger cards
const GAP = 14;

const list = { host: null, rows: [], make: null, shape: null, shown: new Map(), current: 0 };

/** Show `rows` in `host`; `shape()` gives columns, sizes and gaps, `make(row, place)` an element. */
function showList(host, rows, shape, make) {
  stopPreview();
  Object.assign(list, { host, rows, make, shape, shown: new Map() });
  list.current = clampNumber(list.current, 0, Math.max(0, rows.length - 1));
  host.replaceChildren();
  placeList();
}

/** Make what came near, drop what went away, keep what has the focus. */
function placeList() {
  if (!list.host?.isConnected) return;
  const { columns, width, height, gap } = list.measured = list.shape(list.host.clientWidth);
  const lines = Math.ceil(list.rows.length / columns);
  list.host.style.height = `${Math.max(0, lines * (height + gap) - gap)}px`;
  const top = list.host.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor((-top - NEAR) / (height + gap)) * columns);
  const end = Math.min(list.rows.length, Math.ceil((innerHeight - top + NEAR) / (height + gap)) * columns);
  const wanted = new Set([list.current]);
  for (let place = first; place < end; place++) wanted.add(place);
  for (const [place, node] of list.shown) {
    if (wanted.has(place) || node.contains(document.activeElement)) continue;
    node.remove();
    list.shown.delete(place);
  }
  let next = list.host.firstElementChild;
  for (const place of [...wanted].sort((a, b) => a - b)) {
    if (place >= list.rows.length) continue;
    let node = list.shown.get(place);
    if (!node) {
      node = list.make(list.rows[place], place);
      list.shown.set(place, node);
      while (next && Number(next.dataset.place) < place) next = next.nextElementSibling;
      list.host.insertBefore(node, next);
    }
    node.dataset.place = place;
    node.style.left = `${(place % columns) * (width + gap)}px`;
    node.style.top = `${Math.floor(place / columns) * (height + gap)}px`;
    node.style.width = `${width}px`;
    node.style.height = `${height}px`;
  }
  markCurrent();
}

const stopIn = (node) => (node?.matches("[data-stop]") ? node : node?.querySelector("[data-stop]"));

function markCurrent() {
  for (const [place, node] of list.shown) stopIn(node)?.setAttribute("tabindex", place === list.current ? "0" : "-1");
}

/** Move the focus to a place of the list, and the window with it. */
function focusPlace(place) {
  if (!list.rows.length) return;
  list.current = clampNumber(place, 0, list.rows.length - 1);
  const { columns, height, gap } = list.measured;
  const top = list.host.getBoundingClientRect().top + Math.floor(list.current / columns) * (height + gap);
  const head = stickyHeight();
  if (top < head) scrollBy({ top: top - head - 8, behavior: "instant" });
  else if (top + height > innerHeight) scrollBy({ top: top + height - innerHeight + 16, behavior: "instant" });
  placeList();
  stopIn(list.shown.get(list.current))?.focus({ preventScroll: true });
}

/** Pixels at the top of the window that cover the list. */
function stickyHeight() {
  const bar = wide.matches ? document.querySelector(".bar").offsetHeight : 0;
  return document.querySelector(".top").offsetHeight + bar + (state.view === "table" ? HEADING : 0);
}

/** Arrow keys, Home, End and Page keys within the list. */
function listKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest("[data-stop]")) return;
  const { columns, height, gap } = list.measured;
  const page = Math.max(1, Math.floor((innerHeight - stickyHeight()) / (height + gap))) * columns;
  const steps = {
    ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: page, PageUp: -page,
    Home: -Infinity, End: Infinity
  };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const to = clampNumber(list.current + steps[event.key], 0, list.rows.length - 1);
  if (event.key !== "ArrowUp" || list.current >= columns) focusPlace(to);
}

function drawGrid(host) {
  const grid = el("div", {
    class: "grid", role: "list", "aria-label": "Videos", onkeydown: listKeys, style: { "--shape": aspect() },
  });
  host.replaceChildren(grid);
  showList(grid, selection.rows, gridShape, card);
}

/** As many columns as fit; the posters have the shape that most clips have. */
function gridShape(width) {
  const usual = aspect() < 1 ? 180 : 232;
  const least = width < 480 ? 150 : ROWS <= FEW_VIDEOS ? 1.35 * usual : usual;
  const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const each = (width - (columns - 1) * GAP) / columns;
  return {
    columns, width: each, height: Math.round(each / aspect()) + CARD_TEXT + (anyBadges() ? BADGES : 0),
    gap: GAP
  };
}

function anyBadges() {
  const varying = ["model", "mode", "loras", "attempt"].some((name) => COLUMNS.get(name)?.varies);
  return varying || COLUMNS.has("accepted") || COLUMNS.has("face_similarity");
}

/** Width over height of the middle clip, between that of a phone and of a cinema. */
function aspect() {
  aspect.known ??= (() => {
    const all = Array.from({ length: ROWS }, (_, row) => shape(row)).sort((a, b) => a - b);
    return clampNumber(all[all.length >> 1] || 16 / 9, 0.66, 1.9);
  })();
  return aspect.known;
}

function shape(row) {
  const [width, height] = String(value("size", row)).split(" × ").map(Number);
  return width / height || 16 / 9;
}

function card(row, place) {
  const open = button("", () => openDetail(row), { class: "card", "data-stop": true, "aria-label": told(row) });
  open.append(
    poster(row),
    el("span", { class: "card-text" },
      el(
        "span", { class: "card-head" },
        el("b", { text: shownAt("identity", row) }),
        el("span", { class: "mono soft", text: `#${value("seed", row)}` })
      ),
      el("span", { class: "prompt", text: value("prompt", row) ?? "" }),
      el("span", { class: "badges" }, badges(row))),
  );
  open.addEventListener("focus", () => { list.current = place; markCurrent(); });
  previews(open, row);
  return el(
    "div", { class: "place", role: "listitem", "aria-setsize": list.rows.length, "aria-posinset": place + 1 },
    open
  );
}

/** A card in words. */
function told(row) {
  const parts = [shownAt("identity", row), value("prompt", row), `seed ${value("seed", row)}`];
  if (value("face_similarity", row) !== null) parts.push(`face similarity ${shownAt("face_similarity", row)}`);
  if (value("accepted", row) !== null) parts.push(shownAt("accepted", row));
  return parts.filter(Boolean).join(", ");
}

/** What tells clips apart at a glance: the verdict, the score, the attempt, and what varies. */
function badges(row) {
  const found = [];
  const accepted = value("accepted", row);
  if (accepted !== null) found.push(
    el("span", { class: accepted ? "badge good" : "badge bad", title: value("accept", row) }, accepted ? "✓" : "✗")
  );
  const similarity = value("face_similarity", row);
  if (similarity !== null) found.push(
    el("span", { class: "badge mono", title: "face similarity", text: similarity.toFixed(2) })
  );
  if (value("attempt", row) > 1) found.push(el("span", { class: "badge", text: `attempt ${value("attempt", row)}` }));
  for (const name of ["model", "mode"]) if (COLUMNS.get(name)?.varies) found.push(
    el("span", { class: "badge plain-badge", text: value(name, row) })
  );
  if (COLUMNS.get("loras")?.varies && value("loras", row)) found.push(
    el("span", { class: "badge plain-badge", text: value("loras", row) })
  );
  return found;
}
