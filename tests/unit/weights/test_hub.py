"""What the hub says of a source, and what is said when it says nothing."""

from __future__ import annotations

import hashlib

import pytest
from hub import COMMIT, git_sha1, serving
from hub_weights import ASSET, SHARD, T2V, small_hub

from standin_batch.weights.hub import HubError, HubUnreachable, headers, listing
from standin_batch.weights.sources import PARSER, WAN21_T2V

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def hub():
    with serving(small_hub()) as served:
        yield served


def test_large_files_have_a_sha256_and_small_ones_what_git_counts(hub):
    there = listing(WAN21_T2V, endpoint=hub.url)
    large, small = there.files[SHARD], there.files["google/umt5-xxl/tokenizer.json"]
    content = hub.repositories[T2V]
    assert (large.sha256, large.git_sha1) == (hashlib.sha256(content[SHARD]).hexdigest(), None)
    assert (small.sha256, small.git_sha1) == (None, git_sha1(content[small.name]))
    assert large.size == len(content[SHARD]) and small.size == len(content[small.name])


def test_a_branch_becomes_its_commit_in_every_address(hub):
    there = listing(WAN21_T2V, endpoint=hub.url)
    assert there.revision == COMMIT
    assert there.files[SHARD].url == f"{hub.url}/{T2V}/resolve/{COMMIT}/{SHARD}"


def test_a_release_asset_is_known_without_asking(hub, monkeypatch):
    monkeypatch.delenv("STANDIN_GITHUB_MIRROR", raising=False)
    there = listing(PARSER)
    assert there.revision == PARSER.url
    assert there.files["parsing_bisenet.pth"].sha256 is None and hub.asked == []
    assert headers(there.files["parsing_bisenet.pth"]) == {}, "the hub's token is none of its business"


def test_a_mirror_takes_the_place_of_github(monkeypatch):
    monkeypatch.setenv("STANDIN_GITHUB_MIRROR", "https://mirror.example/gh/")
    assert listing(PARSER).revision == f"https://mirror.example/gh/{ASSET}"


@pytest.mark.parametrize(
    ("spoil", "message", "cure"),
    [
        (lambda hub: hub.gated.add(T2V), "accepted its terms", f"https://huggingface.co/{T2V}"),
        (lambda hub: hub.repositories.pop(T2V), "there is no repository", "HF_TOKEN"),
    ],
)
def test_what_is_not_for_everybody_is_told_at_once(hub, spoil, message, cure):
    spoil(hub)
    with pytest.raises(HubError, match=message) as raised:
        listing(WAN21_T2V, endpoint=hub.url)
    assert not isinstance(raised.value, HubUnreachable)
    assert cure in raised.value.hint
    assert len(hub.asked) == 1, "asking again would not help"


def test_an_unknown_revision_is_named(hub):
    with pytest.raises(HubError, match="has no revision v9"):
        listing(WAN21_T2V, "v9", endpoint=hub.url)


def test_when_nobody_answers_it_is_tried_again_and_then_told():
    with pytest.raises(HubUnreachable, match="the hub does not answer") as raised:
        listing(WAN21_T2V, endpoint=NOBODY, pauses=(0.0,))
    assert "--from DIR" in raised.value.hint and "HTTPS_PROXY" in raised.value.hint


@pytest.mark.parametrize("source", [WAN21_T2V, PARSER])
def test_a_hub_that_is_switched_off_is_not_waited_for(source, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="switched off") as raised:
        listing(source)
    assert raised.value.hint == "unset HF_HUB_OFFLINE"
