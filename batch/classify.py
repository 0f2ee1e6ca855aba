"""One chunk of rows through the model: what every engine's workers do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from batch.outcome import part
from batch.parts import Parts
from batch.picture_errors import PictureProblem
from batch.picture_names import official_name
from batch.pictures import Pictures, open_pictures
from model.observed import Observed, observed
from model.product import Product
from preprocessing.columns import Columns

if TYPE_CHECKING:
    from model.predictor import Predictor

_HELD_BYTES = 64 * 1024 * 1024
_HELD_ROWS = 512

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a worker needs, small enough to travel with each chunk."""

    bundle: str
    export: str
    header: tuple[str, ...]
    columns: Columns
    pictures: str | None
    parts: str
    """Where results go: local path or fsspec URL."""
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Done:
    """A part that has been written; ``pictures`` counts its rows by what became of their picture, ``observed`` the
    answers by what is watched of them (`model.observed`)."""

    number: int
    rows: int
    pictures: Counter[str]
    observed: Counter[Observed]


class RowReader:
    """Rows of a table as products, by the roles of its columns."""

    def __init__(self, header: Sequence[str], columns: Columns) -> None:
        def place(name: str | None) -> int | None:
            return None if name is None else list(header).index(name)

        self._designation, self._description = place(columns.designation), place(columns.description)
        self._image, self._label = place(columns.image), place(columns.prdtypecode)
        self._imageid, self._productid = place(columns.imageid), place(columns.productid)

    def texts(self, row: Sequence[str]) -> tuple[str | None, str | None]:
        """Designation and description; None when empty."""
        places = (self._designation, self._description)
        first, second = (row[p].strip() or None if p is not None else None for p in places)
        return first, second

    def picture(self, row: Sequence[str]) -> str | None:
        """The file name of the row's picture: its own column's, else the challenge's; None without one."""
        if self._image is not None:
            return row[self._image].strip() or None
        if self._imageid is None or self._productid is None:
            return None
        imageid, productid = row[self._imageid].strip(), row[self._productid].strip()
        return official_name(imageid, productid) if imageid and productid else None

    def label(self, row: Sequence[str]) -> str:
        """The given category, as written; empty without one."""
        return "" if self._label is None else row[self._label].strip()


class Worker:
    """A model, its pictures and its place for results, in one process."""

    def __init__(self, plan: Plan, predictor: Predictor | None = None) -> None:
        """``predictor``: the plan's, when it is loaded already."""
        from model.onnx_runtime import load_predictor

        self.predictor = predictor or load_predictor(Path(plan.bundle), Path(plan.export), plan.threads)
        self._rows = RowReader(plan.header, plan.columns)
        self._pictures: Pictures | None = None if plan.pictures is None else open_pictures(plan.pictures)
        self._parts = Parts(plan.parts)

    def run(self, number: int, rows: Rows) -> Done:
        """Classifies a chunk and writes its part."""
        predictions, pictures = [], []
        for products, reasons in self._slices(rows):
            for prediction, reason in zip(self.predictor.predict(products), reasons, strict=True):
                predictions.append(prediction)
                problem = prediction.image_problem
                used = "used" if prediction.used_image else ""
                pictures.append(reason or (used if problem is None else problem.reason))
        self._parts.write(number, part(rows, predictions, pictures))
        seen = Counter(one for prediction in predictions for one in observed(prediction))
        return Done(number, len(rows), Counter(pictures), seen)

    def _slices(self, rows: Rows) -> Iterator[tuple[list[Product], list[str]]]:
        """Products, and why each has no picture though one was named; few enough to hold their pictures at once."""
        products: list[Product] = []
        reasons: list[str] = []
        held = 0
        for row in rows:
            image, reason = self._picture(row)
            products.append(Product(*self._rows.texts(row), image))
            reasons.append(reason)
            held += len(image or b"")
            if held >= _HELD_BYTES or len(products) == _HELD_ROWS:
                yield products, reasons
                products, reasons, held = [], [], 0
        if products:
            yield products, reasons

    def _picture(self, row: Sequence[str]) -> tuple[bytes | None, str]:
        name = None if self._pictures is None else self._rows.picture(row)
        if name is None:
            return None, ""
        try:
            return self._pictures.read(name), ""
        except PictureProblem as problem:
            return None, problem.reason


@lru_cache(maxsize=1)
def worker(plan: Plan) -> Worker:
    """This process's worker: made at its first chunk, kept for the rest."""
    return Worker(plan)


def classify_chunk(plan: Plan, number: int, rows: Rows) -> Done:
    """A chunk in this process."""
    return worker(plan).run(number, rows)
