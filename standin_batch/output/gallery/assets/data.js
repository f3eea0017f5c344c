// The data: columns of values by row, who varies, and the order that a column puts rows in.

const DATA = JSON.parse(byId("data").textContent);
const HEAD = DATA.head;
const ROWS = HEAD.completed;
const COLLATOR = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const SCORES = [
  "face_similarity", "face_similarity_min", "face_similarity_p10", "face_frames", "sharpness", "motion",
];
const ASKED = [...SCORES, "seconds"]; // numbers that one filters by; others are only drawn
const MEASURED = [...ASKED, "video_bytes", "peak_memory"];
const HIDDEN = new Set(["has_poster", "reference"]);
const MANY = 400; // values of a column that can still be chosen one by one

/** A column: `codes[row]` is the place of the row's value in `values`, which are in their order, null last. */
class Column {
  constructor(raw) {
    this.name = raw.name;
    this.kind = raw.kind;
    this.about = raw.about;
    this.raw = raw;
  }

  at(row) {
    if (this.raw.cells) return this.raw.cells[row];
    return this.raw.codes ? this.raw.values[this.raw.codes[row]] : this.raw.constant;
  }

  get varies() {
    return !("constant" in this.raw);
  }

  get values() {
    return this.sorted.values;
  }

  get codes() {
    return this.sorted.codes;
  }

  /** Made when it is first asked for: most columns are never sorted by. */
  get sorted() {
    if (this.known) return this.known;
    const cells = Array.from({ length: ROWS }, (_, row) => this.at(row) ?? null);
    const isNumber = this.kind === "number";
    const rank = (a, b) => (a === null) - (b === null) || (
      a === null ? 0 : isNumber || typeof a === "boolean" ? a - b : COLLATOR.compare(a, b) || (a < b ? -1 : 1)
    );
    const values = [...new Set(cells)].sort(rank);
    const places = new Map(values.map((value, place) => [value, place]));
    this.known = { values, codes: Uint32Array.from(cells, (cell) => places.get(cell)) };
    return this.known;
  }
}

const COLUMNS = new Map(DATA.columns.map((raw) => [raw.name, new Column(raw)]));
const value = (name, row) => COLUMNS.get(name)?.at(row) ?? null;
const shownAt = (name, row) => shown(name, value(name, row));

/** Prompts by their names where these are names; a file and line says nothing to a reader. */
function shownValue(name, value, row) {
  if (name === "prompt_name" && row !== undefined && /:\d+$/.test(String(value))) return shownAt("prompt", row);
  return shown(name, value);
}

const RANGES = MEASURED.filter((name) => {
  const column = COLUMNS.get(name);
  return column?.kind === "number" && column.values.filter((each) => each !== null).length > 1;
});

/** Columns that vary and whose values can be chosen; of those that split the rows alike only the first. */
const FACETS = (() => {
  const first = [
    "accepted", "identity", "prompt_name", "prompt", "loras", "model", "mode", "name", "seed", "attempt", "size",
    "num_frames", "fps", "num_inference_steps", "cfg_scale",
  ];
  const never = new Set(
    [
      ...MEASURED, ...HIDDEN, "job_id", "file_name", "finished_at", "seconds_by_phase", "attempt_of",
      "latents", "scored_frames", "also", "identity_sha256", "identity_on_no_face"
    ]
  );
  const rest = [...COLUMNS.keys()].filter((name) => !first.includes(name));
  const seen = new Set();
  return [...first, ...rest].filter((name) => {
    const column = COLUMNS.get(name);
    if (!column || never.has(name) || !column.varies || column.values.length > MANY) return false;
    if (ROWS > 20 && column.values.length > ROWS / 2) return false;
    const split = partition(column.codes);
    const isNew = !seen.has(split);
    seen.add(split);
    return isNew;
  });
})();

/** Which rows are alike, as a text: the codes in the order in which they first come. */
function partition(codes) {
  const places = new Map();
  return Array.from(codes, (code) => {
    if (!places.has(code)) places.set(code, places.size);
    return places.get(code);
  }).join();
}

const AXES = (() => {
  const liked = ["identity", "prompt_name", "prompt", "loras", "model", "mode", "seed", "name"];
  const ordered = [...liked.filter((name) => FACETS.includes(name)), ...FACETS.filter((name) => !liked.includes(name))];
  return ordered.filter((name) => name !== "accepted");
})();

const ROW_OF = new Map(Array.from({ length: ROWS }, (_, row) => [value("job_id", row), row]));
const SEARCHED = ["prompt", "prompt_name", "identity", "name", "also", "job_id", "loras", "model", "mode"];
const haystacks = [];

/** Everything that the search looks at in a row. */
function haystack(row) {
  return (haystacks[row] ??= SEARCHED.map((name) => value(name, row) ?? "").join("\n").toLowerCase());
}
