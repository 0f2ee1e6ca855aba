"""Rows of a result on their way into the moderators' queue: sent in a thread of its own, which no closed tab ends."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from batch.results import NO_LABEL, Results
from decisions.errors import DecisionError
from decisions.items import Added, NewItem
from decisions.sampling import Draw
from decisions.store import DecisionStore
from model.product import Product, RankedCategory

log = logging.getLogger(__name__)
_CHUNK, _BREATH = 25, 0.03
"""Rows sent at a time, and the seconds after which the next are taken up: pages get their turn."""
_KEPT = 100
_sendings: dict[str, "Sending"] = {}
_lock = threading.Lock()


@dataclass(slots=True)
class Sending:
    """How far it is; written by its thread alone. ``unreadable``: pictures that could not be read any more.

    ``problem``: why it ended early. What was sent before stays, and sending again completes it.
    """

    total: int
    done: int = 0
    added: Added = field(default_factory=Added)
    unreadable: int = 0
    problem: Exception | None = None
    ended: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)


def sending(job: str) -> Sending | None:
    """What is being sent of a job, or was; None when nothing was since the server started."""
    return _sendings.get(job)


def forget(job: str) -> None:
    """What was sent of a job is not told any more."""
    with _lock:
        found = _sendings.get(job)
        if found is not None and found.ended:
            del _sendings[job]


def send(found: Results, draw: Draw, store: DecisionStore) -> Sending:
    """Begins to send; while rows of the same job are on their way, those go on and nothing else is begun."""
    with _lock:
        before = _sendings.pop(found.job.id, None)
        if before is not None and not before.ended:
            _sendings[found.job.id] = before
            return before
        while len(_sendings) >= _KEPT and (old := next((job for job, one in _sendings.items() if one.ended), None)):
            del _sendings[old]
        begun = _sendings[found.job.id] = Sending(len(draw))
    threading.Thread(target=_run, args=(begun, found, draw, store), daemon=True, name="rayon-sending").start()
    return begun


def product_of(found: Results, row: int, cells: Sequence[str]) -> Product:
    """The product of a row as it was classified: without a picture that could not be used."""
    used = found.pictures[row] == "used"
    return replace(Product(*found.texts(cells)), image=found.image(cells) if used else None)


def _run(state: Sending, found: Results, draw: Draw, store: DecisionStore) -> None:
    try:
        name = found.job.about["name"]
        for start in range(0, len(draw), _CHUNK):
            if start and state.stopping.wait(_BREATH):
                break
            places = range(start, min(start + _CHUNK, len(draw)))
            cells = found.cells(draw.rows[start : start + _CHUNK].tolist())
            new = [_item(found, draw, place, members, name) for place, members in zip(places, cells, strict=True)]
            state.unreadable += sum(item.product.image is None and found.pictures[item.row] == "used" for item in new)
            more = store.add(new)
            state.added = Added(
                state.added.added + more.added,
                state.added.waiting + more.waiting,
                state.added.decided + more.decided,
            )
            state.done += len(new)
    except DecisionError as error:
        state.problem = error
    except Exception as error:  # told on the page: nobody waits for this thread
        log.exception("rows of job %s could not be sent", found.job.id)
        state.problem = error
    finally:
        state.ended = True


def _item(found: Results, draw: Draw, place: int, cells: Sequence[str], name: str) -> NewItem:
    row = int(draw.rows[place])
    pairs = zip(found.codes[row].tolist(), found.probabilities[row].tolist(), strict=True)
    return NewItem(
        product_of(found, row, cells),
        tuple(RankedCategory(code, probability) for code, probability in pairs if code != NO_LABEL),
        found.spec.model,
        source="batch",
        reason=str(draw.reasons[place]),
        weight=float(draw.weights[place]),
        job=found.job.id,
        job_name=name,
        row=row,
    )
