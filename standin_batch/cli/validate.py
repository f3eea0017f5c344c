"""`standin validate`: every mistake of a manifest at once."""

from __future__ import annotations

from standin_batch.cli.options import ManifestArgument, Overrides


def validate(
    manifest: ManifestArgument,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
) -> int:
    """Check a manifest: every mistake at once, each with its place and what is allowed.

    [bold]Example[/bold]

      standin validate manifest.yaml
    """
    from standin_batch.cli.console import count, err
    from standin_batch.manifest import load_manifest

    loaded = load_manifest(manifest, overrides=overrides)
    for warning in loaded.warnings:
        err.print(warning.to_text())
    total = sum(1 for spec in loaded.jobs for _ in spec.variants())
    err.print(f"[bold green]valid[/]: {loaded.name}, {count(total, 'video')} in {count(len(loaded.jobs), 'job')}")
    return 0
