"""Whether the files of a model are whole and its own: from headers, in seconds, no GPU needed.

What a file holds is not read; for that a download compares digests. Each kind of file has its checks in `verify_dit`,
`verify_parts` and `verify_faces`.
"""

from __future__ import annotations

from standin_batch.weights.fault import Fault, Look
from standin_batch.weights.locate import ModelFiles
from standin_batch.weights.registry import ModelRow
from standin_batch.weights.verify_dit import check_conversions, check_modules, check_transformers
from standin_batch.weights.verify_faces import check_detector, check_parser
from standin_batch.weights.verify_parts import check_adapters, check_text_encoder, check_tokenizer, check_vae

__all__ = ["Fault", "verify_model"]


def verify_model(files: ModelFiles, row: ModelRow, faces: bool = True) -> tuple[Fault, ...]:
    """Look at every file of a model; adapters and face models that are not there at all are not missed.

    Args:
        files: where the files lie.
        row: the model that they should be.
        faces: look at the face models as well.

    Returns:
        All that is wrong, each thing once: transformers first, face models last.
    """
    look = Look(row, files.root)
    checks = [check_transformers, check_modules, check_conversions, check_text_encoder, check_vae, check_tokenizer]
    checks += [check_adapters, check_detector, check_parser] if faces else [check_adapters]
    return tuple(dict.fromkeys(fault for check in checks for fault in check(look, files)))
