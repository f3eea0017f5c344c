"""Batch generation of identity-preserving video with Stand-In on Wan2.1/2.2.

In Python: `load_manifest`, `plan`, `run` and `read_index`; `docs/python.md` shows them at work.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from standin_batch import api
from standin_batch.api import load_manifest, read_index
from standin_batch.errors import StandinError

if TYPE_CHECKING:
    from standin_batch.api import plan, run

__version__ = "0.1.0"

__all__ = ["StandinError", "__version__", "load_manifest", "plan", "read_index", "run"]


class _Callable(ModuleType):
    """A subpackage that is called as the function of its name.

    `plan` and `run` are subpackages, and what people call in notebooks. A function in the place of a subpackage would
    break `import standin_batch.run.log as log` and whatever finds modules by way of attributes, and which of the two a
    name means would depend on what was imported before. So the subpackages stay what they are, and can be called.
    """

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - as the function says
        return self.__wrapped__(*arguments, **keywords)


def _make_callable() -> None:
    """They are imported here, before anybody can: both are empty but for their modules."""
    from standin_batch import plan, run

    for package, function in ((plan, api.plan), (run, api.run)):
        # `inspect.signature`, and with it every notebook, looks for what is wrapped.
        package.__doc__, package.__wrapped__ = function.__doc__, function  # type: ignore[attr-defined]
        package.__class__ = _Callable


_make_callable()
