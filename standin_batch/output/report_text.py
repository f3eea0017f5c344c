"""The words of a report, in Markdown: nothing is read or written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standin_batch.output.counted import GROUPINGS, ScoreRow, Spread
from standin_batch.output.markdown import code, escaped, link, table
from standin_batch.output.report_facts import Clip, Facts
from standin_batch.output.summary import Cause, Summary
from standin_batch.scores.table import DECIDING

SHOWN_GROUPS = 40
"""Groups in a table; of more, those that score least are shown."""

SHOWN_JOBS = 10
"""Jobs that are named of one cause, and pairs of near-duplicates."""

TITLES = {
    "identity": "By identity",
    "loras": "By LoRAs",
    "mode": "By mode",
    "prompt": "By prompt",
    "speed": "By speed",
}


def report_text(facts: Facts, plots: Mapping[str, str], path_of: Callable[[str], str]) -> str:
    """The report.

    Args:
        facts: that it tells.
        plots: path of each plot, seen from the report, by its name.
        path_of: where a video lies, seen from the report, by its path below the output folder.
    """
    found = (
        (f"# What was made: {escaped(facts.name)}", _overview(facts)),
        ("## Time", _time(facts.summary, plots)),
        ("## Scores", _scores(facts, plots)),
        ("## Best and worst", _ranking(facts, path_of)),
        ("## Acceptance", _acceptance(facts.summary)),
        ("## Near-duplicates", _near_duplicates(facts, path_of)),
        ("## Failures", _failures(facts.summary)),
        ("## Software", _software(facts)),
    )
    return "\n\n".join(f"{title}\n\n{text}" for title, text in found if text) + "\n"


def _overview(facts: Facts) -> str:
    summary, when = facts.summary, "nothing yet"
    if facts.first is not None and facts.last is not None:
        when = f"{facts.first:%Y-%m-%d %H:%M} to {facts.last:%Y-%m-%d %H:%M} UTC"
    rows = [
        ("clips", f"{summary.completed:,}"),
        ("rejected", f"{summary.rejected:,}"),
        ("failed jobs", f"{summary.failed:,}"),
        ("frames", f"{summary.frames:,}"),
        ("video", f"{span(summary.video_seconds)}, {size(summary.video_bytes)}"),
        ("time spent", span(summary.seconds)),
        ("most GPU memory", "no GPU" if summary.peak_memory is None else size(summary.peak_memory)),
        ("finished", when),
    ]
    return f"{table(('', ''), rows)}\n\nFrames, video and scores are of clips that are not rejected; time is of all."


def _time(summary: Summary, plots: Mapping[str, str]) -> str:
    if not summary.seconds:
        return ""
    phases = sorted(summary.seconds_by_phase.items(), key=lambda it: -it[1])
    rows = [(escaped(name), span(seconds), f"{seconds / summary.seconds:.1%}") for name, seconds in phases]
    paces = [
        (
            code(pace.model),
            f"{pace.width} x {pace.height} x {pace.num_frames}",
            escaped(pace.speed),
            f"{pace.clips:,}",
            f"{pace.seconds_per_step:.3g}",
            "" if pace.peak_memory is None else size(pace.peak_memory),
        )
        for pace in summary.paces
    ]
    head = ("model", "size", "speed", "clips", "seconds a step", "most GPU memory")
    parts = (
        _plot(plots, "phases", "Time by phase"),
        table(("phase", "time", "share"), rows, ("time", "share")),
        table(head, paces, head[3:]),
    )
    return "\n\n".join(part for part in parts if part)


def _scores(facts: Facts, plots: Mapping[str, str]) -> str:
    shown = [_plot(plots, name, name.replace("-", " ").capitalize()) for name in plots if name != "phases"]
    tables = [text for key in GROUPINGS if (text := _group(facts, key))]
    if not tables:
        return "No clip has scores."
    return "\n\n".join([*shown, *tables])


def _group(facts: Facts, key: str) -> str:
    rows = [row for row in facts.summary.score_rows if row.key == key and row.scores]
    if not rows or (len(rows) == 1 and key != GROUPINGS[0]):
        return ""  # a group of all says nothing that the first table does not
    first = facts.ranked_by
    others = [name for name in DECIDING if not name.startswith(first) and any(name in row.scores for row in rows)]
    rows.sort(key=lambda row: (row.scores[first].mean if first in row.scores else float("inf"), row.name))
    head = (key, "clips", "rejected", f"{first}: mean", "median", "min", *(f"{name}: mean" for name in others))
    cells = [_score_cells(row, first, others) for row in rows[:SHOWN_GROUPS]]
    more = f"\n\nThe {SHOWN_GROUPS} lowest of {len(rows):,}." if len(rows) > SHOWN_GROUPS else ""
    return f"### {TITLES[key]}\n\n{table([escaped(it) for it in head], cells, [escaped(it) for it in head[1:]])}{more}"


def _score_cells(row: ScoreRow, first: str, others: list[str]) -> list[str]:
    nothing = Spread(0, float("nan"), float("nan"), float("nan"))
    main = row.scores.get(first, nothing)
    numbers = (main.mean, main.median, main.min, *(row.scores.get(name, nothing).mean for name in others))
    return [escaped(row.name), f"{row.n:,}", f"{row.rejected:,}", *map(_number, numbers)]


def _number(value: float) -> str:
    if value != value:
        return ""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _ranking(facts: Facts, path_of: Callable[[str], str]) -> str:
    if not facts.ranked_by:
        return ""
    head = (escaped(facts.ranked_by), "clip")
    parts = []
    for title, clips in (("Best", facts.best), ("Worst", facts.worst)):
        rows = [("" if it.value is None else _number(it.value), _link(it, path_of)) for it in clips]
        parts.append(f"### {title}\n\n{table(head, rows, head[:1])}")
    return "\n\n".join(parts)


def _link(clip: Clip, path_of: Callable[[str], str]) -> str:
    return link(clip.label, path_of(clip.video))


def _acceptance(summary: Summary) -> str:
    told = summary.acceptance
    if not told.jobs:
        return ""
    rows = [
        ("jobs that ask something of the scores", f"{told.jobs:,}"),
        ("of these, with an accepted clip", f"{told.satisfied:,} ({told.satisfied / told.jobs:.1%})"),
        ("clips made for them", f"{told.attempts:,}"),
        ("of these, accepted", f"{told.accepted:,} ({told.accepted / told.attempts:.1%})"),
        ("attempts a job", f"{told.attempts / told.jobs:.2f}"),
    ]
    by_attempt = [(str(attempt), f"{clips:,}") for attempt, clips in told.by_attempt.items()]
    head = ("attempt", "accepted clips")
    return f"{table(('', ''), rows)}\n\n{table(head, by_attempt, head)}" if by_attempt else table(("", ""), rows)


def _near_duplicates(facts: Facts, path_of: Callable[[str], str]) -> str:
    pairs = facts.near_duplicates
    if not pairs:
        return ""
    rows = [(_link(one, path_of), _link(other, path_of)) for one, other in pairs[:SHOWN_JOBS]]
    more = f"\n\nThe first {SHOWN_JOBS} of {len(pairs):,}." if len(pairs) > SHOWN_JOBS else ""
    cure = "`near_duplicate_of IS NULL` in `standin dataset export --where` leaves them out."
    return f"{table(('clip', 'looks like'), rows)}{more}\n\n{cure}"


def _failures(summary: Summary) -> str:
    if not summary.causes:
        return ""
    rows = [
        (escaped(it.kind), escaped(it.cause), escaped(it.hint), f"{len(it.labels):,}", _jobs(it))
        for it in summary.causes
    ]
    return table(("kind", "cause", "cure", "jobs", "which"), rows, ("jobs",))


def _jobs(cause: Cause) -> str:
    more = len(cause.labels) - SHOWN_JOBS
    shown = "; ".join(map(escaped, cause.labels[:SHOWN_JOBS]))
    return f"{shown}; and {more:,} more" if more > 0 else shown


def _software(facts: Facts) -> str:
    return ", ".join(map(code, (*facts.versions, *facts.devices)))


def _plot(plots: Mapping[str, str], name: str, about: str) -> str:
    return f"![{about}](<{plots[name]}>)" if name in plots else ""


def span(seconds: float) -> str:
    """Seconds as people write them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60:02d} min"


def size(number: float) -> str:
    """Bytes as people write them."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"
