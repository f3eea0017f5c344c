"""What has to be importable before the true size is run, all of it checked at once; nothing else is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from standin_batch.errors import NotReadyError

SAME = (
    *("torch", "torchvision", "transformers", "accelerate", "einops", "safetensors", "imageio", "pandas", "scipy"),
    *("requests", "tqdm", "modelscope", "modelscope-hub", "ftfy", "wcwidth", "imageio-ffmpeg", "numpy", "pyarrow"),
    *("pydantic", "pydantic-core", "annotated-types", "typing-inspection", "typer", "rich", "packaging"),
)
"""Wheels that are called after their module."""

WHEELS: Mapping[str, str] = {
    **{name.replace("-", "_"): name for name in SAME},
    **{"cv2": "opencv-python-headless", "yaml": "pyyaml", "PIL": "pillow"},
    "diffsynth.pipelines.wan_video": "diffsynth",
}
"""Modules, and the wheels that bring them; the last needs most of the others."""


PLACE = "put their wheels on PYTHONPATH; torchvision has to be of the same build as torch"


def check(wheels: Mapping[str, str] = WHEELS) -> None:
    """Import all that a run needs: about a quarter of a minute.

    Args:
        wheels: by the modules that they bring.

    Raises:
        NotReadyError: naming all that cannot be imported.
    """
    missing = [f"\n  {wheel}: {why}" for module, wheel in wheels.items() if (why := _why_not(module))]
    if missing:
        raise NotReadyError(f"{len(missing)} of {len(wheels)} libraries cannot be imported:{''.join(missing)}", PLACE)


def _why_not(module: str) -> str:
    try:
        import_module(module)
    except Exception as error:  # a wheel for another build of torch raises what it likes
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""
