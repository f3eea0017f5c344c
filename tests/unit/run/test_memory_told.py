"""What people are told of memory."""

from __future__ import annotations

from standin_batch.environment import Level
from standin_batch.plan.estimate import CPU, Device
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import Peak
from standin_batch.run.memory_told import memory_told, profile_findings, profile_table

FOUND = dict(zip(Profile, (Peak(60 * 10**9, 0, 0), Peak(30 * 10**9, 0, 0), Peak(10 * 10**9, 0, 0)), strict=True))


def test_the_profile_its_peak_and_what_the_next_would_take():
    told = memory_told(FOUND, Device("NVIDIA X", 48 * 10**9))
    assert told.startswith("offload, expected peak 30.0 GB (denoising) of the 48.0 GB of NVIDIA X; ")
    assert told.endswith("resident would take 60.0 GB, for which a GPU of 80 GB would do")


def test_above_the_highest_there_is_nothing():
    told = memory_told(FOUND, Device("NVIDIA X", 141 * 10**9))
    assert told == "resident, expected peak 60.0 GB (denoising) of the 141.0 GB of NVIDIA X"


def test_what_is_small_is_told_in_megabytes():
    told = memory_told(dict.fromkeys(Profile, Peak(10_200_000, 0, 0)), Device("NVIDIA X", 141 * 10**9))
    assert told == "resident, expected peak 10 MB (denoising) of the 141.0 GB of NVIDIA X"


def test_where_nothing_fits_it_says_so():
    told = memory_told(FOUND, Device("NVIDIA X", 8 * 10**9))
    assert "lowest, expected peak 10.0 GB (denoising): does not fit into the 8.0 GB of NVIDIA X" in told


def test_every_large_model_has_a_finding_on_a_gpu_and_none_without():
    found = list(profile_findings(Device("NVIDIA H200", 143771 << 20)))
    assert [(each.subject, each.level) for each in found] == [("memory", Level.OK)] * 2
    assert all("resident, expected peak" in each.message for each in found)
    assert {each.level for each in profile_findings(Device("small", 8 << 30))} == {Level.WARNING}
    assert list(profile_findings(CPU)) == []


def test_the_documentation_shows_what_the_code_says(docs):
    shown = (docs / "memory.md").read_text().partition("-->\n")[2].partition("<!-- end -->")[0]
    assert shown == profile_table()
