"""The events are documented."""

from __future__ import annotations

from dataclasses import fields

import pytest

from standin_batch.run import events

KINDS = [getattr(events, name) for name in events.Event.split(" | ")]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_and_field_stands_in_the_documentation(kind, docs):
    (row,) = [line for line in (docs / "events.md").read_text().splitlines() if line.startswith(f"| `{kind.__name__}`")]
    assert all(f"`{field.name}`" in row for field in fields(kind))
