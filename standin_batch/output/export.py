"""Writing a data set: chosen clips with metadata, captions and references, in a folder of its own.

It is written into a temporary folder beside its place and renamed: a data set is there as a whole, or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from standin_batch.errors import NotReadyError
from standin_batch.output.card import dataset_card
from standin_batch.output.columns import Column
from standin_batch.output.export_names import reference_name, video_name
from standin_batch.output.export_place import EXPORT, check_place, put_in_place, temporary_beside
from standin_batch.output.metadata import Row, Telling, differing, metadata_row
from standin_batch.output.selection import Selection

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH = 5_000
"""Rows that are in memory at a time."""


class ExportError(NotReadyError):
    """The data set cannot be written."""


@dataclass(frozen=True)
class ExportOptions:
    """What a data set has besides videos and metadata.

    Attributes:
        captions: whether the prompt lies beside each video as a text file.
        reference_of: gives the picture of the identity of a row, or None; None for no pictures.
        copy: whether videos are copied where they could be linked.
        force: whether a data set that was exported before is replaced.
    """

    captions: bool = False
    reference_of: Callable[[Row], Path | None] | None = None
    copy: bool = False
    force: bool = False


@dataclass
class Exported:
    """What became of an export.

    Attributes:
        folder: of the data set.
        linked: videos that share their place on the disk with the output folder.
        copied: videos that do not.
        references: pictures of identities.
        without_reference: rows with an identity whose picture is gone.
        only_in_index: columns that the metadata cannot have, as splits would differ in their types.
    """

    folder: Path
    linked: int = 0
    copied: int = 0
    references: int = 0
    without_reference: int = 0
    only_in_index: tuple[str, ...] = ()


def export(selection: Selection, target: Path, options: ExportOptions) -> Exported:
    """Write the data set of `selection` to `target`.

    Raises:
        UsageError: if `target` is, or holds, something else than a data set that may be replaced.
        ExportError: if a video is gone, or cannot be written.
    """
    target = check_place(selection.layout, target, force=options.force)
    exported = Exported(target)
    with _told(), temporary_beside(target) as folder:
        _Writer(selection, options, folder, exported).write()
        put_in_place(folder, target)
    return exported


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cure = "is there room on the disk? Nothing is left half-written: run the same command again"
        raise ExportError(f"the data set cannot be written: {error}", cure) from error


@dataclass
class _Writer:
    """Writes one data set into a folder."""

    selection: Selection
    options: ExportOptions
    folder: Path
    exported: Exported
    _references: dict[Path, str] = field(default_factory=dict)

    def write(self) -> None:
        """Videos and metadata of each split, then what is said of all of them."""
        import pyarrow.parquet as pq

        looks = {name: _look(table) for name, table in self.selection.splits.items()}
        told = [look.telling for look in looks.values()]
        without = differing(told).union(*(telling.mistaken for telling in told))
        self.exported.only_in_index = tuple(sorted(without))
        with pq.ParquetWriter(self.folder / "index.parquet", self._schema()) as index:
            for name, table in self.selection.splits.items():
                self._write_split(name, _ordered(table, looks[name].leads), without, index)
        text = dataset_card(
            self.selection,
            self.exported.folder.name,
            captions=self.options.captions,
            references=self.exported.references > 0,
            only_in_index=without,
        )
        (self.folder / "README.md").write_text(text, encoding="utf-8")
        (self.folder / EXPORT).write_text(json.dumps(self._account(), indent=2, ensure_ascii=False) + "\n")

    def _write_split(self, name: str, table: pa.Table, without: frozenset[str], index: pq.ParquetWriter) -> None:
        import pyarrow as pa

        folder = self.folder / name
        (folder / "videos").mkdir(parents=True)
        with (folder / "metadata.jsonl").open("w", encoding="utf-8") as metadata:
            for batch in table.to_batches(max_chunksize=BATCH):
                rows = [self._write_row(row, folder) for row in batch.to_pylist()]
                metadata.writelines(self._line(row, without) for row in rows)
                below = [self._below(row, name) for row in rows]
                index.write_table(pa.Table.from_pylist(below, self._schema()))

    def _write_row(self, row: dict[str, Any], folder: Path) -> dict[str, Any]:
        """Put the files of a row in place; returns the row with their names, below the folder of its split."""
        stem = video_name(row["file_name"], row["job_id"])
        path = f"{folder}/videos/{stem}"
        self._place(f"{self.selection.layout.folder}/{row['file_name']}", f"{path}.mp4")
        if self.options.captions:
            with open(f"{path}.txt", "w", encoding="utf-8") as caption:  # noqa: PTH123 - for 100,000, a Path is dear
                caption.write(row["prompt"] or "")
        return {**row, "file_name": f"videos/{stem}.mp4", "reference": self._reference(row, folder)}

    def _place(self, source: str, target: str) -> None:
        """Link where one can, else copy: another file system, one without links, or too many of them."""
        if not self.options.copy:
            with suppress(OSError):
                os.link(os.path.realpath(source), target)
                self.exported.linked += 1
                return
        shutil.copyfile(source, target)
        self.exported.copied += 1

    def _reference(self, row: Row, folder: Path) -> str | None:
        """The picture of a row's identity, below the folder of its split."""
        if self.options.reference_of is None or row["identity_sha256"] is None:
            return None
        picture = self.options.reference_of(row)
        if picture is None:
            self.exported.without_reference += 1
            return None
        name = self._references.setdefault(
            picture, f"references/{reference_name(row['identity'] or '', picture.stem)}{picture.suffix}"
        )
        if not (folder / name).is_file():
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(picture, folder / name)
            self.exported.references += 1
        return name

    def _line(self, row: Row, without: frozenset[str]) -> str:
        metadata = metadata_row(row, without)
        if self.options.reference_of is not None:
            metadata["reference"] = row["reference"] or ""
        return json.dumps(metadata, ensure_ascii=False) + "\n"

    def _below(self, row: Row, split: str) -> dict[str, Any]:
        """A row with paths below the folder of the data set."""
        prefix = f"{split}/" if split else ""
        reference = f"{prefix}{row['reference']}" if row["reference"] else None
        return {**row, "file_name": prefix + row["file_name"], "split": split or None, "reference": reference}

    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        schema = next(iter(self.selection.splits.values())).schema
        if self.selection.wish.split is not None:
            schema = schema.append(pa.field("split", pa.string()))
        return schema.append(pa.field("reference", pa.string())) if self.options.reference_of is not None else schema

    def _account(self) -> Mapping[str, object]:
        """What a program may want to know of the data set; it also says that the folder is one."""
        wish, splits = self.selection.wish, self.selection.splits
        return {
            "made_by": "standin dataset export",
            "where": wish.where,
            "split": None if wish.split is None else {"column": wish.split.column, "shares": wish.split.shares},
            "rejected_too": wish.rejected_too,
            "rows": {name or "train": table.num_rows for name, table in splits.items()},
            "identities": {name or "train": count for name, count in self.selection.identities.items()},
            "only_in_index": self.exported.only_in_index,
        }


@dataclass(frozen=True)
class _Look:
    """What is to be known of the rows of a split before they are written: their types, and the rows that come first."""

    telling: Telling
    leads: tuple[int, ...]


def _look(table: pa.Table) -> _Look:
    telling = Telling()
    rows = (row for batch in table.to_batches(max_chunksize=BATCH) for row in batch.to_pylist())
    return _Look(telling, tuple(i for i, row in enumerate(rows) if telling.see(partial(_cell, row))))


def _cell(row: Row, column: Column) -> object:
    return row[column.name]


def _ordered(table: pa.Table, leads: tuple[int, ...]) -> pa.Table:
    return table.take([*leads, *sorted(set(range(table.num_rows)).difference(leads))]) if leads else table
