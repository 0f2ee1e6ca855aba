"""The parts of a result: Parquet files below one folder, each written whole or not at all."""

import re
import uuid
from collections.abc import Iterator, Sequence

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

_NAME = re.compile(r"part-(\d{8})\.parquet")


class Parts:
    """Numbered tables in a folder: a local path or any fsspec URL. Parts in order are the whole."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._files, self._root = fsspec.core.url_to_fs(place)

    def create(self) -> "Parts":
        """Makes the folder, whose absence later on means that the job was deleted."""
        self._files.makedirs(self._root, exist_ok=True)
        return self

    def written(self) -> set[int]:
        """Numbers of the parts that are there."""
        self._files.invalidate_cache(self._root)
        if not self._files.exists(self._root):
            return set()
        names = (path.rsplit("/", 1)[-1] for path in self._files.ls(self._root, detail=False))
        return {int(match[1]) for name in names if (match := _NAME.fullmatch(name))}

    def write(self, number: int, table: pa.Table) -> None:
        """Puts a part in its place; a part that is there already is replaced by its equal."""
        name = self._path(number)
        unfinished = f"{name}.{uuid.uuid4().hex}"
        with self._files.open(unfinished, "wb") as file:
            pq.write_table(table, file, compression="zstd")
        self._files.mv(unfinished, name)

    def read(self, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        """One part, or some of its columns."""
        with self._files.open(self._path(number), "rb") as file:
            return pq.read_table(file, columns=None if columns is None else list(columns))

    def columns(self, number: int) -> list[str]:
        """Names of a part's columns."""
        with self._files.open(self._path(number), "rb") as file:
            return pq.read_schema(file).names

    def remove(self) -> None:
        """All of them, and their folder."""
        if self._files.exists(self._root):
            self._files.rm(self._root, recursive=True)

    def all(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Every part, in order."""
        for number in sorted(self.written()):
            yield self.read(number, columns)

    def _path(self, number: int) -> str:
        return f"{self._root}/part-{number:08d}.parquet"
