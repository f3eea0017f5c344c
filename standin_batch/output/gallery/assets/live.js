// News of a run at work. A page from a disk can fetch nothing, but it can load a script: the run writes a small one.

const ASK_EVERY = 5000; // milliseconds
const REST = 8000; // without a hand on the page, after which it may load itself anew
const LONG_REST = 60000; // the same where a video plays under the pointer or the focus: somebody may watch it

const live = { touched: 0, newer: null };

window.standinGallery = (told) => {
  if (!(told.version > HEAD.version)) return;
  live.newer = told;
  if (mayReload()) reload();
  else showNews(told);
};

function startLive() {
  restorePlace();
  if (!HEAD.running) return;
  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(
    kind,
    () => (live.touched = performance.now()),
    { passive: true }
  );
  live.touched = performance.now() - REST + 2000;
  setInterval(askNews, ASK_EVERY);
}

function askNews() {
  if (document.hidden) return;
  if (live.newer && mayReload()) return reload();
  if (live.newer && !live.newer.running) return; // there is nothing newer than the last page
  const script = el("script", { src: `.standin/gallery.js?t=${Date.now()}` });
  script.onload = script.onerror = () => script.remove();
  document.head.append(script);
}

/** Whether nobody watches, types or reads closely. */
function mayReload() {
  const active = document.activeElement;
  const typing = active && active.matches("input, select, textarea");
  const rest = preview.host ? LONG_REST : REST;
  return !typing && !document.querySelector("dialog[open]") && performance.now() - live.touched > rest;
}

function showNews(told) {
  const more = told.completed - HEAD.completed;
  const what = more > 0 ? plural(more, "new video") : told.running ? "something changed" : "the run has ended";
  byId("news").hidden = false;
  byId("news").replaceChildren(
    el("span", { text: `${what} · ` }),
    button("show", reload, { class: "link" }),
    el("kbd", { text: "R" })
  );
}

function reload() {
  writeState();
  try {
    sessionStorage.setItem(
      "standin-place",
      JSON.stringify([scrollY, list.current, Boolean(document.activeElement?.closest("[data-stop]"))])
    );
  } catch {} // a page from a disk may have no storage: then it begins at the top
  location.reload();
}

/** Where one was before the page loaded itself. */
function restorePlace() {
  try {
    const [top, current, focused] = JSON.parse(sessionStorage.getItem("standin-place") ?? "[]");
    sessionStorage.removeItem("standin-place");
    if (top === undefined) return;
    list.current = current;
    scrollTo(0, top);
    placeList();
    if (focused) stopIn(list.shown.get(current))?.focus({ preventScroll: true });
  } catch {}
}
