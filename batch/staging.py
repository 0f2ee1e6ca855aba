"""Rows on their way to workers of other machines: a Parquet file for each chunk, beside the parts."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import fsspec
import pyarrow as pa

from batch.classify import Rows
from batch.parts import Parts

_WRITERS = 8
"""Chunks under way to the storage at once: a remote one takes its time over each."""


class Staging:
    """Numbered chunks in the folder "rows" below the parts' place."""

    def __init__(self, parts: str) -> None:
        self.place = f"{parts.rstrip('/')}/rows"
        self._chunks = Parts(self.place)

    def write(self, chunks: Iterable[tuple[int, Rows]]) -> Iterator[int]:
        """Writes all; gives the number of each as its turn comes. Holds a few at a time."""
        self._chunks.create()
        with ThreadPoolExecutor(_WRITERS) as writers:
            under_way: deque[Future[None]] = deque()
            for number, rows in chunks:
                under_way.append(writers.submit(self._chunks.write, number, _table(rows)))
                if len(under_way) > _WRITERS:
                    under_way.popleft().result()
                yield number
            for written in under_way:
                written.result()

    def read(self, number: int) -> Rows:
        """The rows of a chunk; FileNotFoundError when it is not there."""
        table = self._chunks.read(number)
        return [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]

    def remove(self) -> None:
        """Removes the folder."""
        files, root = fsspec.core.url_to_fs(self.place)
        if files.exists(root):
            files.rm(root, recursive=True)


def _table(rows: Rows) -> pa.Table:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.Table.from_arrays(columns, [f"c{i}" for i in range(len(columns))])
