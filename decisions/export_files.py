"""The files of an export: there whole, or not at all."""

import csv
import os
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from decisions.export_errors import ExportError
from decisions.pictures import PictureStore
from preprocessing.table import escape

FORMATS = ("csv", "parquet")
Row = tuple[str | int | float | None, ...]

_NUMBERS = {
    **dict.fromkeys(("code", "row", "suggested"), pa.int64()),
    **dict.fromkeys(("seconds", "confidence", "margin"), pa.float64()),
}
_SUFFIXES = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
)


class Pictures:
    """Copies each picture asked for, once; counts them."""

    def __init__(self, store: PictureStore, write: Callable[[str, bytes], None]) -> None:
        self._store, self._write = store, write
        self._names: dict[str, str | None] = {}

    def take(self, reference: str) -> str | None:
        """The picture's path from the table's folder; None when it is not in the store."""
        if reference not in self._names:
            data = self._store.read(reference)
            name = None if data is None else f"images/{reference}{suffix_of(data)}"
            if data is not None and name is not None:
                self._write(name, data)
            self._names[reference] = name
        return self._names[reference]

    @property
    def written(self) -> int:
        return sum(name is not None for name in self._names.values())

    @property
    def missing(self) -> int:
        return len(self._names) - self.written


def suffix_of(data: bytes) -> str:
    """The ending of a picture's name, by its first bytes; ".img" for what is no picture we know."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for start, suffix in _SUFFIXES if data.startswith(start)), ".img")


def write_table(path: Path, format: str, columns: Sequence[str], batches: Iterable[list[Row]]) -> None:
    """Writes a table in one of FORMATS, some rows in memory at a time."""
    (_write_parquet if format == "parquet" else _write_csv)(path, columns, batches)


def _write_csv(path: Path, columns: Sequence[str], batches: Iterable[list[Row]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        # "\r\n" also makes the writer quote a lone "\r", which readers take for the end of a line.
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(columns)
        for batch in batches:
            writer.writerows(map(_cell, row) for row in batch)


def _cell(value: str | int | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else escape(str(value))


def _write_parquet(path: Path, columns: Sequence[str], batches: Iterable[list[Row]]) -> None:
    schema = pa.schema([(name, _NUMBERS.get(name, pa.string())) for name in columns])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            arrays = [
                pa.array(values, field.type) for values, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


# --- whole, or not at all -----------------------------------------------------------------------------------


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A file to write, which takes the place of ``out`` at the end; ExportError."""
    with _refusing(out):
        if out.is_dir():
            raise ExportError("is_folder", {"out": str(out)})
        if out.exists() and not out.is_file():  # a device or a pipe
            raise ExportError("no_file", {"out": str(out)})
        with _unfinished(out) as path:
            yield path
            os.replace(path, out)


@contextmanager
def packed(out: Path, store: PictureStore, table: str) -> Iterator[tuple[Path, Pictures]]:
    """A table to write, and pictures that go into the ZIP ``out`` with it; ExportError."""
    # Stored as they are: pictures are compressed already.
    with replacing(out) as path, _unfinished(out) as written, zipfile.ZipFile(path, "w") as archive:
        yield written, Pictures(store, archive.writestr)
        archive.write(written, table, zipfile.ZIP_DEFLATED)


@contextmanager
def folder(out: Path, store: PictureStore, table: str) -> Iterator[tuple[Path, Pictures]]:
    """A table to write, and pictures beside it in the folder ``out``, which is new or empty; ExportError."""
    with _refusing(out):
        there = out.exists()
        if there and (not out.is_dir() or any(out.iterdir())):
            raise ExportError("not_empty", {"out": str(out)})
        # One that is there is filled, not replaced: it may be a volume, or where somebody stands.
        with _unfinished(out / table if there else out) as path:
            (path / "images").mkdir(parents=True)
            yield path / table, Pictures(store, lambda name, data: (path / name).write_bytes(data))
            if there:
                os.replace(path / "images", out / "images")
                os.replace(path / table, out / table)  # last: a folder without it is no export
            else:
                os.replace(path, out)


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A name beside ``out``, of which nothing is left at the end; ExportError."""
    if not out.parent.is_dir():
        raise ExportError("no_folder", {"folder": str(out.parent)})
    path = out.parent / f"{uuid.uuid4().hex}.part"
    try:
        yield path
    finally:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                path.unlink()


@contextmanager
def _refusing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError("unwritable", {"out": str(out), "error": error.strerror or str(error)}) from error
