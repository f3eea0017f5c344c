"""Conditions over the index: SQL's, that read and do nothing else."""

from __future__ import annotations

import sys

import pytest
from records import make_record

from standin_batch.output.columns import row_of
from standin_batch.output.index import index_schema
from standin_batch.output.where import WhereError, matching

LORA = {"name": "ghibli", "scale": 0.6, "files": {"all": "ab"}}


@pytest.fixture(scope="module")
def table():
    import pyarrow as pa

    records = [
        make_record(0, who="ada", scores={"face_similarity": 0.7}, accepted=True),
        make_record(1, who="grace", scores={"face_similarity": 0.5}, accepted=False, loras=[LORA]),
        make_record(2, who=None, scores={}, params={"vace_scale": 0.5}, finished_at="2027-01-01T00:00:00Z"),
    ]
    return pa.Table.from_pylist([row_of({**record, "near_duplicate_of": None}) for record in records], index_schema())


@pytest.mark.parametrize(
    ("where", "places"),
    [
        ("face_similarity >= 0.6", [0]),
        ("face_similarity >= 0.6 OR identity IS NULL", [0, 2]),
        ("identity = 'ada'", [0]),
        ("identity == 'ada'", [0]),
        ("\"identity\" IN ('ada', 'grace') -- both", [0, 1]),
        ("FACE_SIMILARITY < 0.6", [1]),
        ("accepted", [0]),
        ("accepted = false", [1]),
        ("accepted IS NULL", [2]),
        ("loras LIKE '%ghibli%'", [1]),
        ("json_extract(lora_scales, '$[0]') = 0.6", [1]),
        ("json_extract(params, '$.vace_scale') = 0.5", [2]),
        ("finished_at >= '2027'", [2]),
        ("prompt LIKE '%take 1.' AND seed = 1", [1]),
        ("width / height > 5", []),
        ("identity = 'it''s \"face_similarty\"'", []),
        ("face_similarity = (SELECT max(face_similarity) FROM clips)", [0]),
    ],
)
def test_a_condition_picks_rows(table, where, places):
    assert matching(table, where) == places


@pytest.mark.parametrize(
    ("where", "at", "told", "hint"),
    [
        ("seed = 1 AND face_similarty > 0.6", 13, "there is no column face_similarty", "did you mean face_similarity?"),
        ('"face_similarty" > 0.6', 0, "there is no column face_similarty", "did you mean face_similarity? a text is"),
        ('identity = "ada"', 11, "there is no column ada", "a text is 'ada'"),
        ("identity = ada", 11, "there is no column ada", "a text is 'ada'"),
        ("seed = 'face' AND\n face > 1", 1, "there is no column face", ""),
        ("face_similarity >> ", 0, "", "write it as after WHERE"),
        ("seed = 1 ORDER BY seed", 9, "SQL does not go on with ORDER here", ""),
        ("", 0, "", ""),
        ("seed; DROP TABLE clips", 4, "", ""),
        ("(seed = 1", 0, "", ""),
        ("nonsense(seed)", 0, "no such function: nonsense", ""),
        ("json_extract(prompt, '$')", 0, "malformed JSON", ""),
        ("load_extension('x')", 0, "", ""),
        ("seed IN (SELECT name FROM sqlite_master)", 0, "", ""),
        ("1) UNION SELECT 99 WHERE (1", 3, "SQL does not go on with UNION here", ""),
        ("1) UNION ALL SELECT place FROM clips WHERE (1", 3, "SQL does not go on with UNION here", ""),
        ("1) LIMIT (1", 3, "SQL does not go on with LIMIT here", ""),
        ("seed) UNION SELECT 1; DELETE FROM clips; --", 0, "", ""),
    ],
)
def test_what_is_no_condition_is_shown_with_its_place(table, where, at, told, hint):
    with pytest.raises(WhereError) as caught:
        matching(table, where)
    assert told in caught.value.message
    assert hint in caught.value.hint
    *_, mark = caught.value.message.splitlines()
    if told.startswith(("there", "SQL")):
        assert mark == " " * (2 + at) + "^"


def test_what_stands_in_no_place_of_the_table_is_no_row(table):
    """Whoever takes the trouble gets rows of the table, each once."""
    crafted = "1) THEN 1 END UNION ALL SELECT 99 UNION ALL SELECT place FROM clips WHERE CASE WHEN (1"
    assert matching(table, crafted) == [0, 1, 2]


def test_a_condition_that_does_not_end_is_given_up(table):
    clips = ", ".join(f"clips c{number}" for number in range(30))
    with pytest.raises(WhereError, match="takes too long"):
        matching(table, f"(SELECT count(*) FROM {clips}) > 0", seconds=0.2)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="SQLite's limits cannot be set")
@pytest.mark.parametrize("value", ["randomblob(1000000000)", "hex(randomblob(9000000))"])
def test_a_condition_makes_no_giants(table, value):
    with pytest.raises(WhereError, match="too big"):
        matching(table, f"length({value}) > 0")
