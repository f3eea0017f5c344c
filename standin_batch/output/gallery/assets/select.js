// Which rows are shown, in which order, and how many each further choice would leave.

const selection = { rows: [], order: new Map(), fails: new Uint8Array(ROWS), passes: new Map() };

/** Find the rows that pass all filters. `fails[row]` counts those that it does not pass. */
function select() {
  selection.fails.fill(0);
  selection.passes.clear();
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) filter("q", (row) => words.every((word) => haystack(row).includes(word)));
  for (const [name, chosen] of state.facets) {
    const column = COLUMNS.get(name);
    const wanted = column.values.map((each) => chosen.has(written(each)));
    filter(name, (row) => wanted[column.codes[row]]);
  }
  for (const [name, [low, high]] of state.ranges) {
    filter(`in.${name}`, (row) => within(value(name, row), low, high));
  }
  selection.rows = inOrder([...selection.fails.keys()].filter((row) => !selection.fails[row]));
  selection.order = new Map(selection.rows.map((row, place) => [row, place]));
}

const within = (cell, low, high) => cell !== null && (low === null || cell >= low) && (high === null || cell <= high);

function filter(key, passes) {
  const passed = new Uint8Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    if (passes(row)) passed[row] = 1;
    else selection.fails[row]++;
  }
  selection.passes.set(key, passed);
}

/** Call `each` with the rows that pass all filters but the one named `key`. */
function passingOthers(key, each) {
  const own = selection.passes.get(key);
  for (let row = 0; row < ROWS; row++) if (selection.fails[row] === (own && !own[row] ? 1 : 0)) each(row);
}

/** Sorted by the chosen column, rows without a value last; among equals by identity, prompt and seed. */
function inOrder(rows) {
  const falls = state.sort.startsWith("-");
  const main = COLUMNS.get(state.sort.replace(/^-/, ""));
  const tied = ["identity", "prompt", "seed", "job_id"].map((name) => COLUMNS.get(name));
  const ties = tied.filter((column) => column?.varies);
  const last = main && main.values.at(-1) === null ? main.values.length - 1 : -1;
  return rows.sort((a, b) => {
    if (main) {
      const [left, right] = [main.codes[a], main.codes[b]];
      if (left !== right) return left === last ? 1 : right === last ? -1 : falls ? right - left : left - right;
    }
    for (const tie of ties) if (tie.codes[a] !== tie.codes[b]) return tie.codes[a] - tie.codes[b];
    return a - b;
  });
}

/** Failed jobs that the search leaves; other filters are about videos. */
function failedShown() {
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (job) => `${job.label}\n${job.job_id}\n${job.kind}\n${job.error}\n${job.hint}`.toLowerCase();
  return words.length ? DATA.failed.filter((job) => words.every((word) => text(job).includes(word))) : DATA.failed;
}
