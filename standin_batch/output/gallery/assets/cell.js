// One cell of the matrix: its first clips, the way to the others, and the mean of a score.

const IN_CELL = 4; // clips of a cell that are shown

/** A cell that is empty until it is filled: most of them nobody scrolls to. */
function cell(rows, at, scale) {
  const td = el("td", { class: rows.length ? null : "void" });
  td.fill = () => td.append(clips(rows, at), ...meanOf(rows, scale));
  return td;
}

function clips(rows, at) {
  const shownRows = rows.slice(0, rows.length > IN_CELL ? IN_CELL - 1 : IN_CELL);
  const place = (n) => ({ "data-x": at.x, "data-y": at.y, "data-n": n, tabindex: "-1" });
  return el(
    "div", { class: `clips n${Math.min(rows.length, IN_CELL)}` },
    shownRows.map((row, n) => {
      const clip = button("", () => openDetail(row), { class: "clip", ...place(n), "aria-label": told(row) });
      clip.append(poster(row));
      previews(clip, row);
      return clip;
    }),
    rows.length > shownRows.length && button(`+${rows.length - shownRows.length}`, () => showCell(at), {
      class: "clip more", ...place(IN_CELL - 1), "aria-label": `all ${rows.length} of this cell`,
    })
  );
}

function meanOf(rows, scale) {
  const mean = scale.mean(rows);
  if (mean === null) return [];
  const title = `mean ${label(scale.name)} of ${plural(rows.length, "video")}`;
  const share = `${Math.round(scale.share(mean) * 100)}%`;
  return [el("span", { class: "mean mono", title }, el("i", { style: { "--share": share } }), number(mean))];
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
