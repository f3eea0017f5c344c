// How names and values read.

const LABELS = {
  file_name: "file", prompt_name: "prompt name", negative_prompt: "negative prompt", loras: "LoRAs",
  identity_kind: "identity kind", num_frames: "frames", fps: "fps", num_inference_steps: "steps",
  cfg_scale: "CFG scale",
  sigma_shift: "sigma shift", vae_tiled: "VAE tiled", video_bytes: "file size", seconds_by_phase: "time by phase",
  peak_memory: "peak memory", memory: "memory profile", finished_at: "finished", face_similarity: "face similarity",
  face_similarity_min: "similarity, least", face_similarity_p10: "similarity, p10", face_frames: "frames with a face",
  scored_frames: "scored frames", accept: "asks for", attempt_of: "first attempt", job_id: "job id", also: "also",
  identity_on_no_face: "if no face", identity_sha256: "identity SHA-256", seconds: "time",
};

const label = (name) => LABELS[name] || name.replace(/^params\./, "").replaceAll("_", " ");
const WHOLE = new Intl.NumberFormat("en");
const whole = (number) => WHOLE.format(number);
const plural = (number, one) => `${whole(number)} ${one}${number === 1 ? "" : "s"}`;
const clampNumber = (value, low, high) => Math.min(high, Math.max(low, value));

/** A number with as many digits as help. */
function number(value) {
  if (Number.isInteger(value)) return Math.abs(value) < 10000 ? String(value) : whole(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.0995 ? 2 : 3);
}

function bytes(value) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000) return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  if (minutes < 60) return `${minutes} min ${String(rest).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function moment(text) {
  const when = new Date(text);
  return Number.isNaN(when.getTime()) ? String(text) : when.toLocaleString("sv").slice(0, 16);
}

/** A value of this column as people read it. */
function shown(name, value) {
  if (value === null || value === undefined) return name === "identity" ? "nobody" : "–";
  if (name === "loras" && value === "") return "no LoRA";
  if (name === "accepted") return value ? "accepted" : "rejected";
  if (name === "video_bytes" || name === "peak_memory") return bytes(value);
  if (name === "seconds") return duration(value);
  if (name.startsWith("face_")) return value.toFixed(2); // cosines and shares, below each other
  if (name === "finished_at") return moment(value);
  if (value === true) return "yes";
  if (value === false) return "no";
  return typeof value === "number" ? number(value) : String(value);
}

/** `path` below the page's folder as a relative address, whatever is in its names. */
const address = (path) => path.split("/").map(encodeURIComponent).join("/");
