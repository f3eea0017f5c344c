"""`speed`: its layers, its turbo, and what it cannot stand together with."""

from __future__ import annotations

import pytest
from contents import Contents

from standin_batch.expand import expand
from standin_batch.manifest.lock import lock
from standin_batch.speed import EXACT, Speed

HEAD = """\
version: 1
model: tiny
loras: {light: {path: loras/ghibli.safetensors, scale: 0.9}, style: loras/turbo_low.safetensors}
"""
TURBO = "num_inference_steps: 4, cfg_scale: 1, sigma_shift: 5"


def jobs(project, text, *sets):
    return expand(project.load(HEAD + text, *sets), Contents()).jobs


def job(project, keys, defaults=""):
    (found,) = jobs(project, f"defaults: {{{defaults}}}\njobs: [{{name: a, mode: t2v, prompt: A man., {keys}}}]\n")
    return found


def test_all_is_off_unless_said(project):
    assert job(project, "seed: 0").speed == EXACT


def test_a_job_s_options_are_laid_over_those_of_the_defaults(project):
    below = "speed: {cache: 0.1, compile: true}"
    assert job(project, "speed: {compile: false}", below).speed == Speed(cache=0.1)
    assert job(project, "speed: {cache: null}", below).speed == Speed(compile=True)
    assert job(project, "speed: null", below).speed == EXACT


def test_in_a_matrix_it_varies(project):
    text = "jobs: [{name: a, mode: t2v, prompt: A man., matrix: {speed: [{}, {cache: 0.1}, {cache: 0.2}]}}]\n"
    assert [found.speed.cache for found in jobs(project, text)] == [0, 0.1, 0.2]


def test_a_matrix_excludes_by_it(project):
    speeds = "[{}, {turbo: light}, {turbo: style}, {cache: 0.1}]"
    text = (
        f"jobs: [{{mode: t2v, prompt: A man., matrix: {{speed: {speeds}, exclude: [{{speed: {{turbo: light}}}}]}}}}]\n"
    )
    assert [[lora.name for lora in found.loras] for found in jobs(project, text)] == [[], ["style"], []]


def test_on_the_command_line(project):
    text = "jobs: [{name: a, mode: t2v, prompt: A man.}]\n"
    (found,) = jobs(project, text, "jobs.a.speed.cache=0.3", "defaults.speed.compile=true")
    assert found.speed == Speed(cache=0.3, compile=True)


@pytest.mark.parametrize(
    "turbo", ["light", "{lora: light}", "{lora: {light: 0.9}}", "{lora: loras/ghibli.safetensors, scale: 0.9}"]
)
def test_a_turbo_is_the_same_video_as_the_keys_that_it_stands_for(project, turbo):
    long = job(project, f"loras: [style, light], {TURBO}")
    assert job(project, f"loras: [style], speed: {{turbo: {turbo}}}").job_id == long.job_id
    assert long.speed == EXACT


def test_a_turbo_says_its_steps_and_shift(project):
    found = job(project, "speed: {turbo: {lora: light, num_inference_steps: 8, sigma_shift: 3, scale: 0.5}}")
    assert (found.num_inference_steps, found.sigma_shift, found.cfg_scale) == (8, 3, (1.0,))
    assert [(lora.name, lora.scale) for lora in found.loras] == [("light", 0.5)]


def test_defaults_give_way_to_a_turbo_and_null_takes_it_back(project):
    below = "num_inference_steps: 20, cfg_scale: 6, speed: {turbo: light}"
    assert job(project, "seed: 0", below).num_inference_steps == 4
    plain = job(project, "speed: {turbo: null}", below)
    assert (plain.num_inference_steps, plain.cfg_scale, plain.loras) == (20, (6.0,), ())


def test_for_two_experts_it_has_a_file_for_each(project):
    entry = "{high_noise: loras/turbo_high.safetensors, low_noise: loras/turbo_low.safetensors}"
    found = job(project, f"model: tiny-2.2, speed: {{turbo: {{lora: {entry}}}}}")
    assert sorted(found.loras[0].files) == ["high_noise", "low_noise"]
    (told,) = project.messages(f"{HEAD}jobs: [{{mode: t2v, prompt: A man., speed: {{turbo: {{lora: {entry}}}}}}}]")
    assert "has a file for high_noise and low_noise, but model tiny has one expert" in told


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("speed: {fp8: true}", "`fp8` is made from bfloat16 weights, but `dtype` is float32"),
        ("speed: {attention: sage}", "SageAttention does not compute in float32"),
        ("speed: {attention: flash}", "`attention` must be `exact` or `sage`, not 'flash'"),
        ("speed: {cache: 0}", "`cache` must be a number above 0, up to 1, not 0"),
        ("speed: {cash: 0.1}", "`speed` has no key `cash`"),
        ("speed: 0.1", "`speed` must be a mapping, not 0.1"),
        ("speed: {cache: 0.1, turbo: light}", "`cache` and `turbo` do not go together"),
        (
            "num_inference_steps: 8, speed: {turbo: light}",
            "`turbo` sets `num_inference_steps` to 4, but this job says 8",
        ),
        ("cfg_scale: 5, speed: {turbo: light}", "`turbo` sets `cfg_scale` to 1, but this job says 5"),
        ("matrix: {cfg_scale: [1, 2]}, speed: {turbo: light}", "`turbo` sets `cfg_scale` to 1, but this job says 2"),
        ("speed: {cache: false}", "`cache` is not taken back by false"),
        ("speed: {turbo: false}", "`turbo` is not taken back by false"),
        ("speed: {turbo: lite}", "there is no LoRA `lite`"),
        ("speed: {turbo: {scale: 1}}", "`turbo` has no `lora`"),
        ("speed: {turbo: {lora: light, steps: 8}}", "`turbo` has no key `steps`"),
    ],
)
def test_a_mistake_is_told_with_its_place(project, keys, told):
    (found,) = project.messages(f"{HEAD}jobs:\n  - {{name: a, mode: t2v, prompt: A man., {keys}}}\n")
    place, message = found.split(": ", 1)
    line, column = map(int, place.split(":"))
    assert message.startswith(told)
    assert line == 5 and column > len("  - {name: a, mode: t2v, prompt: A man., "), "in what is wrong, not at the job"


def test_what_the_defaults_say_counts_with_what_the_job_says(project):
    text = (
        f"{HEAD}defaults: {{speed: {{cache: 0.1}}}}\njobs: [{{mode: t2v, prompt: A man., speed: {{turbo: light}}}}]\n"
    )
    (found,) = project.messages(text)
    assert "`cache` of `defaults` and `turbo` do not go together" in found
    project.load(text.replace("turbo: light", "cache: null, turbo: light"))


@pytest.mark.parametrize(
    "keys",
    [
        "speed: {turbo: gone}",
        "speed: {turbo: {lora: {gone: 0.5}}}",
        "speed: {turbo: {lora: gone, scale: 0.5}}",
        "speed: {turbo: gone, cache: 0.1}, cfg_scale: 5",
        "matrix: {speed: [{}, {turbo: gone}]}",
    ],
)
def test_a_turbo_whose_file_is_missing_is_told_once_at_the_file(project, keys):
    loras = "loras: {gone: {path: loras/nowhere.safetensors}}"
    (told,) = project.messages(f"version: 1\nmodel: tiny\n{loras}\njobs: [{{mode: t2v, prompt: A man., {keys}}}]\n")
    assert told.startswith(f"3:{loras.index('loras/') + 1}: the LoRA")


def test_what_is_wrong_beside_a_turbo_is_told_where_it_is_written(project):
    text = f"{HEAD}jobs:\n  - {{mode: t2v, prompt: A man., speed: {{turbo: light}}, cfg_scale: 5}}\n"
    (told,) = project.messages(text)
    assert told.startswith(f"5:{text.splitlines()[4].index('5') + 1}:")


def test_a_cache_that_can_skip_nothing_is_a_warning_where_the_steps_are(project):
    line = "  - {mode: t2v, prompt: A man., num_inference_steps: 2, speed: {cache: 0.1}}"
    (told,) = project.load(f"{HEAD}jobs:\n{line}\n").warnings
    assert told.message == "`cache` skips nothing of 2 steps: the first and the last are computed"
    assert (told.line, told.column) == (5, line.index("2, speed") + 1)
    assert not project.load(f"{HEAD}jobs:\n{line.replace('steps: 2', 'steps: 3')}\n").warnings
    assert not project.load(f"{HEAD}jobs:\n{line.replace('cache: 0.1', 'compile: true')}\n").warnings


@pytest.mark.parametrize(
    "text",
    [
        "jobs: [{name: a, mode: t2v, prompt: A man., speed: {cache: 0.1, compile: true}}]",
        "defaults: {speed: {turbo: light}, num_inference_steps: 9}\n"
        "jobs: [{name: a, mode: t2v, prompt: A man.}, {name: b, mode: t2v, prompt: A man., speed: {turbo: null}}]",
        "jobs: [{name: a, mode: t2v, prompt: A man., model: tiny-2.2, speed: {turbo: {lora: light, scale: 0.5}}}]",
        "jobs: [{name: a, mode: t2v, prompt: A man., model: tiny-2.2, matrix: {speed: [{}, {turbo: light}, null]}}]",
        "jobs: [{name: a, mode: t2v, prompt: A man., matrix: {model: [tiny, tiny-2.2], speed: [{}, {turbo: style}]}}]",
        "defaults: {speed: {cache: 0.1}, matrix: {speed: [{compile: true}, {cache: null}]}}\n"
        "jobs: [{name: a, mode: t2v, prompt: A man.}]",
    ],
)
def test_the_lock_file_stands_for_the_same_jobs(project, text):
    manifest = project.load(HEAD + text)
    before = [found.job_id for found in expand(manifest, Contents()).jobs]
    again = project.load(lock(manifest, {}).text)
    assert [found.job_id for found in expand(again, Contents()).jobs] == before
