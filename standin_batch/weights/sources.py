"""Where weights come from: repositories on the Hugging Face hub, and one release asset. Data; nobody is asked here.

Sizes are what is known before anybody is asked: counted from the models' parameters, or as their makers say. What the
hub says at the download counts.
"""

from __future__ import annotations

from dataclasses import dataclass

UNPINNED = "main"
"""The revision where no pin is known; which one it was is recorded at the download."""

GB = 10**9
MB = 10**6

ANTELOPE_FOLDER, PARSER_FOLDER, ADAPTER_FOLDER = "antelopev2", "face-parsing", "Stand-In"


@dataclass(frozen=True)
class FileSet:
    """Files of a source that belong together.

    Attributes:
        names: glob patterns, below the repository; of several the first that matches anything counts.
        count: how many files that is.
        size: bytes of all together, as known without asking.
        what: in a word, for people.
    """

    names: tuple[str, ...]
    count: int
    size: int
    what: str


@dataclass(frozen=True)
class Source:
    """One place that weights come from.

    Attributes:
        name: for people and the command line.
        repository: on the hub; empty for a release asset.
        folder: below the root of the checkpoints; the repository's own folders go below it.
        files: all that is ever needed of it.
        licence: of the weights.
        revision: a commit where a pin is known.
        url: of a release asset.
    """

    name: str
    repository: str
    folder: str
    files: tuple[FileSet, ...]
    licence: str
    revision: str = UNPINNED
    url: str = ""

    @property
    def size(self) -> int:
        """Bytes of everything."""
        return sum(each.size for each in self.files)

    @property
    def page(self) -> str:
        """Where a person can look at it."""
        return self.url or f"https://huggingface.co/{self.repository}"


DIT_FLOAT32 = 57_153_966_336
"""One Wan DiT of 14B: 14,288,491,584 numbers in float32."""
VACE_FLOAT32 = 69_350_371_584
"""The same with VACE's eight blocks."""


def _shards(folder: str, count: int, size: int, what: str) -> FileSet:
    return FileSet((f"{folder}diffusion_pytorch_model-*-of-{count:05d}.safetensors",), count, size, what)


TEXT_ENCODER = FileSet(("models_t5_umt5-xxl-enc-bf16.pth",), 1, 11_361_820_672, "text encoder (umT5-XXL)")
VAE = FileSet(("Wan2.1_VAE.pth",), 1, 507_570_124, "video VAE")
TOKENIZER = FileSet(("google/umt5-xxl/*",), 4, 22 * MB, "tokenizer")
COMMON = (TEXT_ENCODER, VAE, TOKENIZER)

WAN21_T2V = Source(
    name="Wan2.1-T2V",
    repository="Wan-AI/Wan2.1-T2V-14B",
    folder="Wan2.1-T2V",
    files=(_shards("", 6, DIT_FLOAT32, "transformer"), *COMMON),
    licence="Apache-2.0",
)
WAN21_VACE = Source(
    name="Wan2.1-VACE",
    repository="Wan-AI/Wan2.1-VACE-14B",
    folder="Wan2.1-VACE",
    files=(_shards("", 7, VACE_FLOAT32, "transformer with VACE"),),
    licence="Apache-2.0",
)
WAN22_T2V = Source(
    name="Wan2.2-T2V",
    repository="Wan-AI/Wan2.2-T2V-A14B",
    folder="Wan2.2-T2V",
    files=(
        _shards("high_noise_model/", 6, DIT_FLOAT32, "transformer for high noise"),
        _shards("low_noise_model/", 6, DIT_FLOAT32, "transformer for low noise"),
        *COMMON,
    ),
    licence="Apache-2.0",
)
STAND_IN_21 = Source(
    name="Stand-In 2.1",
    repository="BowenXue/Stand-In",
    folder=ADAPTER_FOLDER,
    files=(
        FileSet(
            ("Stand-In_wan2.1_T2V_14B.ckpt", "Stand-In_wan2.1_T2V_14B_ver1.0.ckpt"), 1, 629 * MB, "identity adapter"
        ),
    ),
    licence="Apache-2.0",
)
STAND_IN_22 = Source(
    name="Stand-In 2.2",
    repository="BowenXue/Stand-In",
    folder=ADAPTER_FOLDER,
    files=(
        FileSet(("Stand-In_wan2.2_T2V_A14B_high.ckpt",), 1, 629 * MB, "identity adapter for high noise"),
        FileSet(("Stand-In_wan2.2_T2V_A14B_low.ckpt",), 1, 629 * MB, "identity adapter for low noise"),
    ),
    licence="Apache-2.0",
)
ANTELOPE = Source(
    name="antelopev2",
    repository="DIAMONIK7777/antelopev2",
    folder=ANTELOPE_FOLDER,
    files=(FileSet(("*.onnx",), 5, 407 * MB, "face detector and embedder"),),
    licence="non-commercial research only",
)
PARSER = Source(
    name="face-parsing",
    repository="",
    folder=PARSER_FOLDER,
    files=(FileSet(("parsing_bisenet.pth",), 1, 53 * MB, "face parser (BiSeNet)"),),
    licence="non-commercial (trained on CelebAMask-HQ)",
    url="https://github.com/xinntao/facexlib/releases/download/v0.2.0/parsing_bisenet.pth",
)
