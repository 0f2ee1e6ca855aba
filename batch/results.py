"""The result of a job as people look at it: numbers of all rows in memory, texts and pictures on demand."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd

from batch.classify import RowReader
from batch.jobs import Job, JobSpec
from batch.outcome import TOP
from batch.picture_errors import PictureProblem, PictureSourceError
from batch.pictures import Pictures, open_pictures
from model.product import Product, RankedCategory

_HELD = 3
"""Categories of a row that are in memory: those that tables and files show."""
_CODES, _PROBABILITIES = ([f"{name}{i}" for i in range(1, TOP + 1)] for name in ("code", "probability"))
SORTS = ("row", "confidence", "margin", "category")
NO_LABEL = -1


class Results:
    """A finished job. About 35 bytes a row; nothing in it changes."""

    def __init__(self, job: Job) -> None:
        self.job = job
        spec = job.spec
        if spec is None:
            raise ValueError("a draft has no results")
        self.spec: JobSpec = spec
        self._reader = RowReader(spec.header, spec.columns)
        codes, probabilities, inputs, pictures, labels = [], [], [], [], []
        label = None if spec.columns.prdtypecode is None else f"c{spec.header.index(spec.columns.prdtypecode)}"
        ranked = _CODES[:_HELD], _PROBABILITIES[:_HELD]
        for part in job.parts.all([*ranked[0], *ranked[1], "inputs", "picture", *([label] if label else [])]):
            codes.append(np.column_stack([part[c].fill_null(NO_LABEL).to_numpy() for c in ranked[0]]))
            probabilities.append(np.column_stack([part[c].fill_null(0.0).to_numpy() for c in ranked[1]]))
            inputs += part["inputs"].to_pylist()
            pictures += part["picture"].to_pylist()
            labels += map(_code, part[label].to_pylist()) if label else []
        self.codes = np.concatenate(codes).astype(np.int32)
        """int32 (rows, 3), most probable first; NO_LABEL where the taxonomy has fewer."""
        self.probabilities = np.concatenate(probabilities).astype(np.float32)
        self.inputs, self.pictures = pd.Categorical(inputs), pd.Categorical(pictures)
        self.labels = np.array(labels, np.int32) if label else None
        """int32 (rows,): the given categories, NO_LABEL where there is none; None without such a column."""

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def confidence(self) -> np.ndarray:
        """float32 (rows,): the probability of the first category."""
        return self.probabilities[:, 0]

    @property
    def margin(self) -> np.ndarray:
        """float32 (rows,): first probability less the second."""
        return self.probabilities[:, 0] - self.probabilities[:, 1]

    @property
    def disagreeing(self) -> np.ndarray:
        """bool (rows,): a category is given, and it is not the first one."""
        if self.labels is None:
            return np.zeros(len(self), bool)
        return (self.labels != NO_LABEL) & (self.labels != self.codes[:, 0])

    def select(
        self,
        code: int | None = None,
        below: float | None = None,
        disagreeing: bool = False,
        sort: str = "row",
        descending: bool = False,
    ) -> np.ndarray:
        """Numbers of the rows that pass every filter, in order; ties stay in the order of the table."""
        chosen = np.ones(len(self), bool)
        if code is not None:
            chosen &= self.codes[:, 0] == code
        if below is not None:
            chosen &= self.confidence < below
        if disagreeing:
            chosen &= self.disagreeing
        rows = np.flatnonzero(chosen)
        keys = {
            "row": rows,
            "confidence": self.confidence[rows],
            "margin": self.margin[rows],
            "category": self.codes[rows, 0],
        }[sort]
        order = np.argsort(-keys if descending else keys, kind="stable")
        return rows[order]

    def cells(self, rows: Sequence[int]) -> list[list[str]]:
        """The original cells of some rows."""
        return self._read(rows, [f"c{i}" for i in range(len(self.spec.header))])

    def suggestions(self, rows: Sequence[int]) -> list[tuple[RankedCategory, ...]]:
        """All categories kept of some rows, most probable first: nine, or what the taxonomy or an older part has."""
        codes, probabilities = self._read(rows, _CODES), self._read(rows, _PROBABILITIES)
        return [
            tuple(RankedCategory(code, value) for code, value in zip(*pair, strict=True) if code is not None)
            for pair in zip(codes, probabilities, strict=True)
        ]

    def _read(self, rows: Sequence[int], names: Sequence[str]) -> list[list]:
        """Some columns of some rows; None in those that a part does not have."""
        wanted: dict[int, list[int]] = {}
        for row in rows:
            wanted.setdefault(int(row) // self.spec.chunk, []).append(int(row))
        found: dict[int, list] = {}
        parts = self.job.parts
        for number, members in wanted.items():
            there = set(names).intersection(parts.columns(number))
            part = parts.read(number, [name for name in names if name in there])
            for row in members:
                values = part.slice(row % self.spec.chunk, 1).to_pydict()
                found[row] = [values[name][0] if name in there else None for name in names]
        return [found[int(row)] for row in rows]

    def product(self, row: int) -> Product:
        """The product of a row, with its picture's bytes when there are any."""
        [cells] = self.cells([row])
        return replace(Product(*self._reader.texts(cells)), image=self.image(cells))

    def texts(self, cells: Sequence[str]) -> tuple[str | None, str | None]:
        """Designation and description of a row's cells."""
        return self._reader.texts(cells)

    def image(self, cells: Sequence[str]) -> bytes | None:
        """The bytes of a row's picture; None when none is named or none can be had."""
        name = self._reader.picture(cells)
        if name is None or self._source is None:
            return None
        try:
            return self._source.read(name)
        except PictureProblem:  # counted and named in the table by ``pictures``
            return None

    @cached_property
    def _source(self) -> Pictures | None:
        """None without pictures, and when they are not there any more, which ``pictures_gone`` says."""
        try:
            return None if self.spec.pictures is None else open_pictures(self.spec.pictures)
        except PictureSourceError:
            return None

    @property
    def pictures_gone(self) -> bool:
        """Whether there were pictures that cannot be read any more."""
        return self.spec.pictures is not None and self._source is None


def _code(cell: str) -> int:
    """A category's code as a number; NO_LABEL for anything else."""
    text = cell.strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else NO_LABEL
