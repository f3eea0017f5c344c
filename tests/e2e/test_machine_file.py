"""The machine file on the command line: it says where a run happens, and changes nothing of what is made."""

from __future__ import annotations

import json

from standin_batch.errors import ExitCode

JOB = {"name": "one", "mode": "t2v", "prompt": {"text": "A tree that nobody saw."}, "num_inference_steps": 2}


def test_weights_from_the_nodes_own_disk_make_the_same_latents(workspace):
    content = {"jobs": [JOB], "output": {"keep_latents": True}}
    plain, staged = workspace.manifest("plain", content), workspace.manifest("staged", content)
    (workspace.folder / "standin.toml").write_text(f'stage_to = "{workspace.folder / "scratch"}"\n')
    first = workspace.standin("run", staged, "--json")
    (workspace.folder / "standin.toml").unlink()
    second = workspace.standin("run", plain, "--json")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    told = [json.loads(line).get("what", "") for line in first.stdout.splitlines()]
    assert any(what.startswith("copying ") and "scratch" in what for what in told)
    (latents,) = (workspace.folder / "outputs" / "staged" / "latents").iterdir()
    assert latents.read_bytes() == (workspace.folder / "outputs" / "plain" / "latents" / latents.name).read_bytes()
    # Prompts are remembered by the content of what encoded them, wherever it was read.
    assert "encoding 2 prompts, 2 of them known" not in first.stdout
    assert "encoding 2 prompts, 2 of them known" in second.stdout


def test_a_wrong_machine_file_is_told_before_anything_runs(workspace):
    manifest = workspace.manifest("wrong", {"jobs": [JOB]})
    config = workspace.folder / "cluster.toml"
    config.write_text('backend = "slurmm"\n[slurm]\nworkers = "8"\n')
    for command in (("run", manifest), ("doctor",)):
        ran = workspace.standin(*command, "--config", config)
        assert ran.returncode == ExitCode.USAGE
        assert "cluster.toml:1:11: `backend` must be `local`, `ray` or `slurm`, not 'slurmm'" in ran.stderr
        assert "cluster.toml:3:11: `workers` must be a whole number from 1 to 10,000, not '8'" in ran.stderr
    assert not (workspace.folder / "outputs").exists()
