"""What a file of `torch.save` holds: names, dtypes, shapes and places of its tensors, without torch and without data.

Nothing in a file is run: `descriptions` allows what `torch.load(weights_only=True)` does, and no more. Both of torch's
formats are read: the zip of today and the plain pickles of versions before 1.6.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from standin_batch.errors import NotReadyError
from standin_batch.weights.descriptions import Descriptions, Forbidden, Storage, StoredTensor, View
from standin_batch.weights.header import DTYPE_BYTES

OLD_MAGIC = 0x1950A86A20F9469CFC6C
"""What files of torch before 1.6 begin with (torch/serialization.py)."""
OLD_LENGTH = 8
"""Bytes of the count of numbers before each storage's data there."""
ZIP_MAGIC = b"PK\x03\x04"
LOCAL_HEADER = 30
"""Bytes before the name in a zip's local header; the lengths of name and extra field are its last four."""
NESTED = ("state_dict", "module", "model_state")
"""Keys below which trainers put the tensors."""


class PickleError(NotReadyError):
    """A file of `torch.save` that is missing, damaged, or more than tensors."""


class PickleCodeError(PickleError):
    """A pickle that wants to call something."""


@dataclass(frozen=True)
class Pickle:
    """What a file of `torch.save` holds.

    Attributes:
        name: what the file was called when it was saved, without its ending; empty where torch did not write it down.
        tensors: by name.
    """

    name: str
    tensors: Mapping[str, StoredTensor]


def read_pickle(path: Path) -> Pickle:
    """Describe the tensors in the file at `path`.

    Raises:
        PickleCodeError: if the pickle holds more than tensors and plain values.
        PickleError: if the file is missing, cut short, or no file of `torch.save`.
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
            file.seek(0)
            found = _read_zip(path, file) if is_zip else Pickle("", _read_old(file))
    except FileNotFoundError as error:
        raise PickleError(f"there is no file {path}") from error
    except OSError as error:
        raise PickleError(f"{path} cannot be read: {error}") from error
    except Forbidden as error:
        message = f"{path} holds code ({error}), not just tensors; it was not run"
        raise PickleCodeError(message, "do not load it: get it from where its makers publish it") from error
    except zipfile.BadZipFile as error:
        raise PickleError(f"{path} is cut short or damaged: {error}", "download it again") from error
    # A damaged pickle raises whatever its instructions run into.
    except Exception as error:
        raise PickleError(f"{path} is no file of torch.save, or a damaged one: {error}", "download it again") from error
    if not found.tensors:
        raise PickleError(f"{path} holds no tensors by name")
    _check_end(path, found)
    return found


def _read_zip(path: Path, file: IO[bytes]) -> Pickle:
    with zipfile.ZipFile(file) as archive:
        entry = next((name for name in archive.namelist() if PurePosixPath(name).parts[1:] == ("data.pkl",)), None)
        if entry is None:
            raise ValueError("the zip holds no data.pkl")
        root = entry.removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("it was saved on a machine of the other byte order")
        with archive.open(entry) as pickled:
            views = _views(Descriptions(pickled).load())

        def start(storage: Storage) -> int:
            info = archive.getinfo(f"{root}data/{storage.key}")
            size = storage.numbers * DTYPE_BYTES[storage.dtype]
            if info.compress_type != zipfile.ZIP_STORED or info.file_size < size:
                raise ValueError(f"{info.filename} has {info.file_size} bytes of {size}")
            return _data_start(path, info.header_offset)

        return Pickle(root.rstrip("/"), _placed(views, start))


def _data_start(path: Path, header: int) -> int:
    """Where the data of an entry begin; its local header is padded otherwise than the archive's own list says."""
    with path.open("rb") as file:
        file.seek(header)
        local = file.read(LOCAL_HEADER)
    if len(local) < LOCAL_HEADER or not local.startswith(ZIP_MAGIC):
        raise zipfile.BadZipFile("an entry is not where the archive says")
    lengths = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    return header + LOCAL_HEADER + lengths


def _read_old(file: IO[bytes]) -> dict[str, StoredTensor]:
    """Magic number, version, machine, content and the storages' keys, each a pickle; then lengths and data."""
    if Descriptions(file).load() != OLD_MAGIC:
        raise ValueError("it begins otherwise")
    Descriptions(file).load()
    Descriptions(file).load()
    content = Descriptions(file)
    views = _views(content.load())
    keys = Descriptions(file).load()
    starts, position = {}, file.tell()
    for key in keys:
        starts[key] = position + OLD_LENGTH
        position = starts[key] + content.storages[key].numbers * DTYPE_BYTES[content.storages[key].dtype]
    return _placed(views, lambda storage: starts[storage.key])


def _views(loaded: object) -> dict[str, View]:
    """The tensors by name, also below the key that a trainer put them under."""
    for key in NESTED:
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict):
        return {}
    return {name: view for name, view in loaded.items() if isinstance(name, str) and isinstance(view, View)}


def _placed(views: Mapping[str, View], start: Callable[[Storage], int]) -> dict[str, StoredTensor]:
    starts = {view.storage: start(view.storage) for view in views.values()}
    return {name: view.at(starts[view.storage]) for name, view in views.items()}


def _check_end(path: Path, found: Pickle) -> None:
    needed, size = max(tensor.end for tensor in found.tensors.values()), path.stat().st_size
    if size < needed:
        raise PickleError(f"{path} is cut short: {size} of {needed} bytes", "download it again")
