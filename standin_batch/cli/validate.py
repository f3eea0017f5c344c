"""`standin validate`: every mistake of a manifest at once."""

from __future__ import annotations

from standin_batch.cli.options import InputRoot, ManifestArgument, Overrides


def validate(
    manifest: ManifestArgument,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    input_root: InputRoot = None,
) -> int:
    """Check a manifest: every mistake at once, each with its place and what is allowed.

    [bold]Example[/bold]

      standin validate manifest.yaml
    """
    from standin_batch.cli.console import count, err, show_warnings, warn
    from standin_batch.expand import check_videos
    from standin_batch.manifest import load_manifest
    from standin_batch.run.plan_manifest import FileContents

    loaded = load_manifest(manifest, overrides=overrides, input_root=input_root)
    show_warnings(loaded)
    for note in check_videos(loaded, FileContents(None)):
        warn(note)
    total = sum(spec.size for spec in loaded.jobs)
    err.print(f"[bold green]valid[/]: {loaded.name}, {count(total, 'video')} in {count(len(loaded.jobs), 'job')}")
    return 0
