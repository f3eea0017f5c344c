"""What wins: model row < defaults < job < matrix < --set; maps merge, lists replace."""

from __future__ import annotations

from standin_batch.weights.registry import ROWS


def test_the_models_recommendations_are_the_ground(project):
    for name, row in ROWS.items():
        (variant,) = project.job(f"model: {name}")
        assert {key: variant.values[key] for key in row.defaults} == dict(row.defaults)
        assert not variant.explicit & row.defaults.keys()


def test_each_layer_wins_over_the_one_below(project):
    top = "defaults: {seed: 1, fps: 2, num_inference_steps: 3, priority: 4}\n"
    (variant,) = project.job(
        "fps: 20, num_inference_steps: 30, priority: 40, matrix: {num_inference_steps: [300], priority: [400]}",
        "jobs.a.priority=4000",
        top=top,
    )
    assert [variant.values[key] for key in ("seed", "fps", "num_inference_steps", "priority")] == [1, 20.0, 300, 4000]


def test_only_what_the_job_says_itself_is_explicit(project):
    top = "defaults: {width: 320}\n"
    (variant,) = project.job("height: 64, matrix: {seed: [1]}", "jobs.a.fps=8", top=top)
    assert variant.explicit == {"mode", "prompt", "height", "seed", "fps"}


def test_an_axis_of_the_defaults_is_not_the_jobs_own(project):
    defaults = "defaults: {mode: t2v, prompt: a b, matrix: {width: [64], height: [64]}}"
    text = f"version: 1\n{defaults}\njobs: [{{matrix: {{width: [32]}}}}]\n"
    assert [variant.explicit for variant in project.variants(text)] == [{"width"}]


def test_the_manifests_model_is_below_the_defaults(project):
    assert project.job("seed: 1", top="model: tiny-2.2\n")[0].values["model"] == "tiny-2.2"
    assert project.job("seed: 1", top="model: tiny-2.2\ndefaults: {model: tiny}\n")[0].values["model"] == "tiny"


def test_guidance_per_expert_keeps_the_value_of_the_one_not_named(project):
    top = "model: tiny-2.2\n"
    assert project.job("seed: 1", top=top)[0].values["cfg_scale"] == (4.0, 3.0)
    assert project.job("cfg_scale: {high_noise: 6}", top=top)[0].values["cfg_scale"] == (6.0, 3.0)
    assert project.job("cfg_scale: 2", top=top)[0].values["cfg_scale"] == 2.0
    over_defaults = project.job("cfg_scale: {low_noise: 1}", top=top + "defaults: {cfg_scale: 7}\n")
    assert over_defaults[0].values["cfg_scale"] == (7.0, 1.0)
    in_defaults = project.job("seed: 1", top=top + "defaults: {cfg_scale: {high_noise: 6}}\n")
    assert in_defaults[0].values["cfg_scale"] == (6.0, 3.0)
    in_matrix = project.job("cfg_scale: {low_noise: 1}, matrix: {cfg_scale: [{high_noise: 8}, 2]}", top=top)
    assert [variant.values["cfg_scale"] for variant in in_matrix] == [(8.0, 1.0), 2.0]


def test_conditions_merge_and_null_takes_them_back(project):
    top = 'defaults: {identity: faces/lecun.jpg, accept: {face_similarity: ">= 0.5", max_reseeds: 7}}\n'
    (variant,) = project.job("accept: {max_reseeds: 1}", top=top)
    assert (variant.values["accept"].conditions[0].threshold, variant.values["accept"].max_reseeds) == (0.5, 1)
    assert project.job("accept: null", top=top)[0].values["accept"] is None


def test_lists_replace(project):
    top = "defaults: {loras: [loras/ghibli.safetensors]}\n"
    assert [len(project.job(keys, top=top)[0].values["loras"]) for keys in ("seed: 1", "loras: []")] == [1, 0]


def test_defaults_may_hold_keys_that_only_some_modes_read(project):
    assert "vace_scale" not in project.job("seed: 1", top="defaults: {vace_scale: 0.3}\n")[0].values


def test_seed_random_is_left_to_be_drawn(project):
    assert project.job("seed: random")[0].values["seed"] == "random"
