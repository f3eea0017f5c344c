"""`standin schema`: the JSON Schema of manifests, for editors."""

from __future__ import annotations


def schema() -> int:
    """Print the JSON Schema of manifests.

    Editors with a YAML language server show it while typing: begin a manifest with
    [cyan]# yaml-language-server: $schema=./manifest.schema.json[/].

    [bold]Example[/bold]

      standin schema > manifest.schema.json
    """
    import json
    import sys

    from standin_batch.manifest.json_schema import manifest_schema

    sys.stdout.write(json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n")
    return 0
