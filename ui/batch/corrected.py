"""A result with what moderators decided on its rows, whichever way these came to them; part by part.

A row and a decision are of one product when their content is the same: each picture is read to know it, once, for what
the rows of a part come to is kept with the job.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from batch.output import DECISIONS
from batch.parts import Parts
from batch.results import Results
from decisions.items import product_key
from decisions.lookup import look_up
from decisions.store import DecisionStore
from ui.batch.sending import product_of

_KEYS = "keys"


@dataclass(frozen=True, slots=True)
class Decided:
    """``standing``: decision and category by product, of those in the file that have one. ``rows``: with a decision.

    ``unseen``: rows whose picture cannot be read any more; what was decided on them with it is not found.
    """

    standing: Mapping[str, tuple[str, int | None]]
    rows: int
    unseen: int


def decided_on(found: Results, store: DecisionStore) -> Decided:
    """What counts for the rows of a result at this moment; DecisionError. Holds a part, and all that was decided."""
    standing: dict[str, tuple[str, int | None]] = {}
    rows = unseen = 0
    for number in sorted(found.job.parts.written()):
        keys, unread = _keys(found, number)
        for key, item in look_up(store, keys).items():
            if item.standing is not None:
                standing[key] = item.standing.decision, item.standing.code
        rows += sum(key in standing for key in keys)
        unseen += unread
    return Decided(standing, rows, unseen)


def corrected(found: Results, decided: Decided) -> Iterator[pa.Table]:
    """The parts of a result, each with `batch.output.DECISIONS` behind its own columns."""
    parts = found.job.parts
    for number in sorted(parts.written()):
        table = parts.read(number)
        pairs = [decided.standing.get(key, (None, None)) for key in _keys(found, number)[0]]
        for field, values in zip(DECISIONS, zip(*pairs, strict=True), strict=True):
            table = table.append_column(field, pa.array(values, field.type))
        yield table


def _keys(found: Results, number: int) -> tuple[list[str], int]:
    """The product key of each row of a part, and how many rows lack the picture they were classified with."""
    kept = Parts(str(found.job.folder / _KEYS))
    if number in kept.written():
        return kept.read(number)["key"].to_pylist(), 0
    first = number * found.spec.chunk
    columns = found.job.parts.read(number, [f"c{i}" for i in range(len(found.spec.header))]).columns
    keys, unseen = [], 0
    for row, cells in enumerate(zip(*(column.to_pylist() for column in columns), strict=True), start=first):
        product = product_of(found, row, cells)
        keys.append(product_key(product))
        unseen += product.image is None and found.pictures[row] == "used"
    if not unseen:  # else it may be a storage out of reach: asked again the next time
        kept.create().write(number, pa.table({"key": keys}))
    return keys, unseen
