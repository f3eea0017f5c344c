// Jobs that failed: why, and what to do about it.

const KINDS = {
  input: "the job's own input", not_a_number: "the numbers ran away", constant_video: "a video of one colour",
  not_accepted: "no clip was accepted", refused: "preflight refuses it",
  encoding: "writing the video", io: "reading or writing", internal: "a fault of the program",
  out_of_memory: "out of memory", disk_full: "the disk is full", device: "the device", machine: "the machine",
};

function drawFailed(host) {
  const jobs = failedShown();
  if (!jobs.length) {
    host.replaceChildren(empty(DATA.failed.length ? "No failed job has these words." : "No job has failed."));
    return;
  }
  const kinds = [...new Set(jobs.map((job) => job.kind))];
  host.replaceChildren(el("div", { class: "failures" }, kinds.map((kind) => {
    const own = jobs.filter((job) => job.kind === kind);
    return el(
      "section", {},
      el(
        "h2", {}, KINDS[kind] || kind || "unknown cause",
        el("span", { class: "soft", text: ` ${whole(own.length)}` })
      ),
      el("ul", {}, own.map(failure))
    );
  })));
}

function failure(job) {
  return el("li", { class: "failure" },
    el(
      "div", { class: "failure-head" },
      el("b", { text: job.label }),
      el("span", { class: "badge bad", text: job.kind || "failed" })
    ),
    el("p", { class: "cause", text: job.error || "The journal has no cause." }),
    job.hint ? el("p", { class: "hint" }, el("span", { class: "soft", text: "what to do: " }), job.hint) : null,
    el("p", { class: "soft small" },
      job.at ? `${moment(new Date(job.at * 1000).toISOString())} · ` : "",
      button(job.job_id, () => copy(job.job_id, "Job id"), { class: "link mono", title: "Copy the job id" })));
}
