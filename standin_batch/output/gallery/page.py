"""The page itself: template, style, scripts and data in one text, from which nothing of the data can break out.

The data stand in a block that browsers do not run, with no `<` in it; the scripts make every element from texts. What
still got in would not run either: the page's Content-Security-Policy names its one script and its style by digest.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

SCRIPTS = (
    *("dom.js", "format.js", "data.js", "state.js", "select.js", "preview.js", "grid.js", "table.js", "cell.js"),
    *("matrix.js", "strips.js", "charts.js", "failed.js", "detail.js", "filters.js", "live.js", "main.js"),
)
"""In the order in which they build on each other; together they are one script."""

_UNSAFE = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page(title: str, data: Iterator[str], *, running: bool) -> Iterator[str]:
    """The page, piece by piece.

    Args:
        title: of the window.
        data: pieces of JSON, as `safe_json` gives them.
        running: whether it may ask for news of the run.
    """
    values = {"title": html.escape(title), "policy": _policy(running), "style": _style(), "script": _script()}
    for number, piece in enumerate(_PLACE.split(_asset("page.html"))):
        if number % 2 == 0:
            yield piece
        elif piece == "data":
            yield from data
        else:
            yield values[piece]


def safe_json(value: object) -> str:
    """`value` as JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_UNSAFE)


def news(told: dict[str, Any]) -> str:
    """The script that tells an open page of a newer one; the page has the function that it calls."""
    return f"standinGallery({safe_json(told)});\n"


def _policy(running: bool) -> str:
    """Only this script and this style; pictures and videos from beside the page, which may lie on a disk or a server.

    While a run is at work the script may load others: that is how it hears of news where nothing can be fetched.
    """
    trusted = " 'strict-dynamic'" if running else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_sha256(_script())}'{trusted}",
            f"style-src '{_sha256(_style())}'",
            "img-src 'self' file: data:",
            "media-src 'self' file:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _sha256(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _style() -> str:
    return _asset("style.css")


@cache
def _script() -> str:
    parts = "\n".join(_asset(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")
