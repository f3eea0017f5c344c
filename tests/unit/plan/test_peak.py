"""The expected peak of GPU memory, and the profile that follows from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jobs import make_job

from standin_batch.job import InputFile
from standin_batch.plan.memory import Profile
from standin_batch.plan.peak import GPUS, SHARE, Extent, Peak, fits, fitting, gpu_for, peak, peaks
from standin_batch.speed import Speed
from standin_batch.weights.registry import ROWS

WAN21, WAN22 = (Extent.usual(ROWS[name]) for name in ("wan2.1-t2v-14b", "wan2.2-t2v-a14b"))
DIT = 2 * ROWS["wan2.1-t2v-14b"].sizes.dit_parameters
EVERY = list(Profile)


def test_the_usual_clip_is_that_of_the_papers():
    assert (WAN21.width, WAN21.height, WAN21.num_frames, WAN21.dtype) == (832, 480, 81, "bfloat16")
    assert WAN21.tokens == 21 * 30 * 52


def test_what_a_job_asks_for_is_read_off_it():
    job = make_job(mode="vace", who="ada", shape=(160, 96, 9), vae_tiled=True)
    found = Extent.of(replace(job, files={"reference_image": InputFile(Path("r"), "r")}))
    assert found == Extent("tiny", "float32", 160, 96, 9, identity=True, vace=True, reference=True, vae_tiled=True)
    assert found.tokens == (3 + 1) * 6 * 10


@pytest.mark.parametrize("extent", [WAN21, WAN22])
def test_a_lower_profile_takes_no_more_in_any_phase_but_for_waiting_identities(extent):
    resident, offload, lowest = (peak(extent, profile) for profile in EVERY)
    assert resident.denoising >= offload.denoising > lowest.denoising + DIT / 2
    assert resident.decoding > offload.decoding + DIT / 2
    assert resident.encoding > offload.encoding + DIT / 2


def test_residents_hold_all_experts_and_in_turn_there_is_one():
    assert peak(WAN22, Profile.RESIDENT).denoising > 2 * DIT
    assert DIT < peak(WAN22, Profile.OFFLOAD).denoising < 1.4 * DIT


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    "larger", [{"num_frames": 121}, {"width": 1280}, {"vace": True}, {"dtype": "float32"}, {"reference": True}]
)
def test_more_takes_more(profile, larger):
    assert peak(replace(WAN21, **larger), profile).denoising > peak(WAN21, profile).denoising


@pytest.mark.parametrize(("cfg_scale", "held"), [((5.0,), 3), ((1.0,), 2), ((1.0, 5.0), 3)])
def test_a_step_cache_holds_what_each_pass_added_and_what_went_in(cfg_scale, held):
    job = make_job(cfg_scale=cfg_scale)
    exact, cached = (Extent.of(each) for each in (job, replace(job, speed=Speed(cache=0.1))))
    more = peak(cached, Profile.OFFLOAD).denoising - peak(exact, Profile.OFFLOAD).denoising
    assert more == held * 4 * exact.tokens * ROWS["tiny"].sizes.dim
    assert peak(cached, Profile.OFFLOAD).decoding == peak(exact, Profile.OFFLOAD).decoding


@pytest.mark.parametrize("profile", EVERY)
def test_without_an_identity_or_in_tiles_it_is_less(profile):
    assert peak(replace(WAN21, identity=False), profile).denoising < peak(WAN21, profile).denoising
    assert peak(replace(WAN21, vae_tiled=True), profile).decoding < peak(WAN21, profile).decoding


def test_the_largest_clip_of_a_run_counts_in_each_phase():
    wide, long = replace(WAN21, vae_tiled=True, num_frames=121), WAN21
    both = peaks([wide, long, long])
    for profile in EVERY:
        assert both[profile].denoising == peak(wide, profile).denoising
        assert both[profile].decoding == peak(long, profile).decoding
    assert peaks([])[Profile.RESIDENT] == Peak(0, 0, 0)


def test_the_phase_that_takes_most_is_named():
    assert (Peak(3, 2, 1).most, Peak(3, 2, 1).phase) == (3, "denoising")
    assert (Peak(1, 2, 3).most, Peak(1, 2, 3).phase) == (3, "encoding prompts")


def test_the_first_profile_that_fits_is_taken_and_the_lowest_where_none_does():
    found = {profile: Peak(size, 0, 0) for profile, size in zip(EVERY, (60, 30, 10), strict=True)}
    assert fitting(found, None) is Profile.RESIDENT, "without a GPU there is nothing to offload from"
    assert fitting(found, 70) is Profile.RESIDENT
    assert fitting(found, 60) is Profile.OFFLOAD, "some room is left"
    assert fitting(found, 20) is fitting(found, 5) is Profile.LOWEST


def test_the_smallest_gpu_that_would_do_is_known():
    small, huge = Peak(GPUS[0], 0, 0), Peak(GPUS[-1], 0, 0)
    assert gpu_for(small) == GPUS[1]
    assert gpu_for(huge) is None
    assert fits(small, int(GPUS[0] / SHARE) + 1)
    assert not fits(small, GPUS[0])
