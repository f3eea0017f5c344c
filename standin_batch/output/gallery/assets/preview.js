// Posters, and the video that plays in one of them: under the pointer or the focus, one at a time, without sound.

const PREVIEW_DELAY = 140; // milliseconds: a pointer that only passes starts nothing

const preview = { video: null, timer: 0 };

/** The poster of a row; a plain field where there is none. */
function poster(row) {
  const source = value("has_poster", row) ? address(`posters/${value("job_id", row)}.webp`) : null;
  return el("span", { class: "poster" }, source
    ? el("img", { src: source, alt: "", decoding: "async", loading: "lazy", draggable: "false" })
    : el("span", { class: "no-poster", text: "▶", "aria-hidden": "true" }));
}

const videoOf = (row) => address(value("file_name", row));

/** Let the video of `row` play in the poster of `host` while it is pointed at or has the focus. */
function previews(host, row) {
  host.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && playSoon(host, row));
  host.addEventListener("pointerleave", () => document.activeElement !== host && stopPreview(host));
  host.addEventListener("focus", () => host.matches(":focus-visible") && playSoon(host, row));
  host.addEventListener("blur", () => stopPreview(host));
}

function playSoon(host, row) {
  stopPreview();
  if (calm.matches) return;
  preview.host = host;
  preview.timer = setTimeout(() => {
    const video = el(
      "video", { src: videoOf(row), loop: true, playsinline: true, "aria-hidden": "true", tabindex: "-1" }
    );
    video.muted = true;
    preview.video = video;
    host.querySelector(".poster").append(video);
    video.play().then(() => video.classList.add("plays"), () => video.remove());
  }, PREVIEW_DELAY);
}

function stopPreview(host) {
  if (host && preview.host !== host) return;
  clearTimeout(preview.timer);
  if (preview.video) {
    preview.video.removeAttribute("src");
    preview.video.load(); // gives the decoder back
    preview.video.remove();
  }
  preview.video = preview.host = null;
}
