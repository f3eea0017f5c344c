"""Runs `standin` again and again without importing torch and diffsynth again: each call is a fork of this process.

The imports take ten times as long as the tiny model's work. A fork is a process of its own, with nothing in it that an
earlier call left. Requests come as JSON lines on standard input, exit codes go out as lines on standard output.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    # What the forks have in common; not the console, which holds on to its streams.
    import standin_batch.cli.main
    import standin_batch.engine.engine
    import standin_batch.run.plan_manifest  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _call(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _call(arguments: list[str], folder: str, stdout: str, stderr: str) -> None:
    """Become `standin` with these arguments; never returns."""
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = ["standin", *arguments]
    code = 1
    try:
        from standin_batch.cli.main import main as standin

        standin()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
