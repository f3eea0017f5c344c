// One video, large, beside the photograph that it was made from, with all that is known of it.

const detail = { row: -1, opener: null, goesBack: false };

function openDetail(row, quietly) {
  stopPreview();
  const dialog = byId("detail");
  const before = stateText();
  const focused = dialog.open ? document.activeElement?.getAttribute("aria-label") : null;
  if (!dialog.open) detail.opener = document.activeElement;
  detail.row = row;
  state.clip = value("job_id", row);
  dialog.replaceChildren(...detailParts(row));
  dialog.setAttribute("aria-label", told(row));
  if (!dialog.open) {
    dialog.showModal();
    if (!quietly) pushState(before, { clip: true });
  } else keepState();
  dialog.scrollTop = 0;
  const video = dialog.querySelector("video");
  if (!calm.matches) video.play().catch(() => {});
  const again = [...dialog.querySelectorAll("button:not(:disabled)")].find(
    (each) => focused && each.getAttribute("aria-label") === focused
  );
  (again ?? dialog.querySelector(".close")).focus({ preventScroll: true });
}

/** After the dialog has closed, by whatever way: the focus goes to the card of the last video seen. */
function closedDetail() {
  const dialog = byId("detail");
  dialog.replaceChildren();
  const row = detail.row;
  detail.row = -1;
  state.clip = "";
  if (history.state?.clip) {
    clearTimeout(addressTimer); // the address to go back to is what is shown
    addressTimer = 0;
    detail.goesBack = true;
    history.back();
  } else writeState();
  const place = selection.order.get(row);
  if (["grid", "table"].includes(state.view) && place !== undefined) focusPlace(place);
  else if (detail.opener?.isConnected) detail.opener.focus();
}

function stepDetail(by) {
  const place = selection.order.get(detail.row);
  const next = place === undefined ? undefined : selection.rows[place + by];
  if (next !== undefined) openDetail(next, true);
}

function detailParts(row) {
  const place = selection.order.get(row);
  const reference = value("reference", row);
  const video = el(
    "video",
    {
      src: videoOf(row), controls: true, loop: true, playsinline: true, preload: "auto",
      poster: value("has_poster", row) ? address(`posters/${value("job_id", row)}.webp`) : null,
      "aria-label": told(row)
    }
  );
  video.muted = true;
  video.addEventListener(
    "error",
    () => video.replaceWith(el("p", { class: "gone", text: "This browser cannot play the video, or it is gone." }))
  );
  const step = (by, text, sign) => button(
    sign,
    () => stepDetail(by),
    {
      class: "plain icon", "aria-label": text, title: text,
      disabled: place === undefined || selection.rows[place + by] === undefined
    }
  );
  return [
    el("div", { class: "detail-bar" },
      step(-1, "Previous (←)", "←"), step(1, "Next (→)", "→"),
      el(
        "span",
        { class: "soft mono", text: place === undefined ? "" : `${whole(place + 1)} / ${whole(selection.rows.length)}` }
      ),
      el("span", { class: "grow" }),
      button("Copy id", () => copy(value("job_id", row), "Job id"), { class: "plain", title: "Copy the job id (c)" }),
      button("Copy path", () => copy(value("file_name", row), "Path"), { class: "plain" }),
      button(
        "×",
        () => byId("detail").close(),
        { class: "plain icon close", "aria-label": "Close (Esc)", title: "Close (Esc)" }
      )),
    el("div", { class: `stage${reference ? "" : " alone"}`, style: { "--shape": shape(row).toFixed(4) } },
      el("figure", { class: "film" }, video),
      reference ? el(
        "figure", { class: "reference" },
        el("img", { src: address(reference), alt: `${shownAt("identity", row)} as the model sees it` }),
        el("figcaption", { class: "soft", text: `${shownAt("identity", row)}, as the model sees it` })
      ) : null),
    el("div", { class: "detail-text" },
      el("h2", {}, shownAt("identity", row), el("span", { class: "badges" }, badges(row))),
      el("p", { class: "prompt-full", text: value("prompt", row) ?? "" }),
      attempts(row), scoreFacts(row), facts(row)),
  ];
}

/** The attempts of one job, where there are several. */
function attempts(row) {
  const first = value("attempt_of", row);
  if (!first) return null;
  const all = [...ROW_OF.values()].filter(
    (each) => value("attempt_of", each) === first || value("job_id", each) === first
  ).sort((a, b) => value("attempt", a) - value("attempt", b));
  if (all.length < 2) return null;
  return el("div", {
    class: "attempts", role: "group", "aria-label": "Attempts"
  }, el("span", { class: "soft", text: "attempts" }), all.map((each) => {
    const verdict = value("accepted", each);
    return button(
      `${value("attempt", each)} ${verdict === null ? "" : verdict ? "✓" : "✗"}`,
      () => openDetail(each, true),
      { class: `chip${verdict ? " good-text" : ""}`, "aria-pressed": each === row }
    );
  }));
}

/** The scores, each with where it lies among all videos. */
function scoreFacts(row) {
  const found = SCORES.filter((name) => value(name, row) !== null);
  if (!found.length) return null;
  return el("dl", { class: "scores" }, found.map((name) => {
    const { low, high } = RANGES.includes(name) ? bins(name) : { low: 0, high: 0 };
    const share = high > low ? ((value(name, row) - low) / (high - low)) * 100 : 0;
    return el(
      "div", { title: COLUMNS.get(name).about },
      el("dt", { text: label(name) }),
      el("dd", { class: "mono", text: shownAt(name, row) }),
      el("i", { class: "meter", style: { "--share": `${share}%` } })
    );
  }));
}

function facts(row) {
  const apart = new Set([...HIDDEN, ...SCORES, "prompt", "identity"]);
  const names = [...COLUMNS.keys()].filter((name) => !apart.has(name) && value(name, row) !== null);
  const record = `records/${value("job_id", row)}.json`;
  return el("dl", { class: "facts-list" },
    names.map(
      (name) => [
        el("dt", { text: label(name), title: COLUMNS.get(name).about || null }),
        el(
          "dd", {},
          name === "file_name" ? el("a", { href: videoOf(row), text: value(name, row) }) : shownAt(name, row)
        )
      ]
    ),
    el("dt", { text: "record" }), el("dd", {}, el("a", { href: address(record), text: record })));
}

function detailKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLVideoElement && event.key.startsWith("Arrow")) return; // seeks and turns up the sound
  const does = {
    ArrowLeft: () => stepDetail(-1),
    ArrowRight: () => stepDetail(1),
    c: () => copy(value("job_id", detail.row), "Job id")
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}
