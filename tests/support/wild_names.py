"""Names that people and their programs give to files, as strategies of hypothesis: any text, and traps of YAML."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
TRAPS = st.sampled_from(
    [
        *(
            "null",
            "1",
            "1..3",
            "0x1",
            "no",
            "~",
            "~root",
            "${HOME}",
            "$${A}",
            "a: b",
            "a #b",
            "- a",
            "#",
            "[a]",
            "{a: b}",
        ),
        *("'", '"', "a,b", "&a", "*a", "!a", "|", ">", "%", "@", "`", "a\\b", "..", "?", "data:a", "s3:a", "a://b"),
        *("a\tb", "a\nb", "\u2028", "\ufeff", "\x85", "\x7f", "\u202e", "\U0001f600"),
    ]
)
