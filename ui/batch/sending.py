"""Rows of a result on their way into the moderators' queue: sent in a thread of its own, which no closed tab ends.

What is being sent stands in the job's folder from before the first row until the last is in, and a lock that is held
means that a process is at it: whatever stops the server, the next one knows where to go on.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from filelock import FileLock, Timeout

from batch.files import read_json, write_json
from batch.jobs import Job
from batch.results import Results
from decisions.errors import DecisionError
from decisions.items import NewItem
from decisions.sampling import Draw, draw, seed_of
from decisions.store import DecisionStore
from model.product import Product, RankedCategory

log = logging.getLogger(__name__)
_NOTE, _LOCK = "sending.json", "sending.lock"
_CHUNK, _BREATH = 25, 0.03
"""Rows sent at a time, and the seconds after which the next are taken up: pages get their turn."""
_KEPT = 100
_TRIES = 3
_sendings: dict[str, "Sending"] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Note:
    """What is sent, and how far: on disk until it is complete or given up. ``below``, ``share`` in [0, 1].

    ``total`` and the others count rows; of those sent, ``added`` made a product that is new in the queue, and the
    product of ``waiting`` and ``decided`` was there. ``unreadable``: sent without a picture that could not be read any
    more. ``stopped``: by a person. ``tries``: how often it was begun since rows were last sent.
    """

    below: float
    share: float
    total: int
    done: int = 0
    added: int = 0
    waiting: int = 0
    decided: int = 0
    unreadable: int = 0
    stopped: bool = False
    tries: int = 0


@dataclass(slots=True)
class Sending:
    """A sending of this process, or what another left of one; written by its thread alone.

    ``problem``: why it ended early. ``elsewhere``: another process is at it.
    """

    note: Note
    problem: Exception | None = None
    ended: bool = False
    elsewhere: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def complete(self) -> bool:
        """Whether every row is in."""
        return self.note.done >= self.note.total


def sending(job: Job) -> Sending | None:
    """What is being sent of a job, or was, or was cut off; None when there is nothing to tell."""
    if (known := _sendings.get(job.id)) is not None:
        return known
    if (note := _read(job)) is None:
        return None
    at_work = _at_work(job)
    return Sending(note, ended=not at_work, elsewhere=at_work)


def cut_off(job: Job) -> bool:
    """Whether a sending ended with its process, and is to go on by itself: not one that ends whoever takes it up."""
    if job.id in _sendings or (note := _read(job)) is None:
        return False
    return not note.stopped and note.tries < _TRIES and not _at_work(job)


def forget(job: Job) -> None:
    """What was sent of a job is not told any more, nor gone on with."""
    with _lock:
        found = _sendings.get(job.id)
        if found is None or found.ended:
            _sendings.pop(job.id, None)
            if not _at_work(job):
                (job.folder / _NOTE).unlink(missing_ok=True)


def send(found: Results, below: float, share: float, store: DecisionStore) -> Sending:
    """Begins to send all rows ``below`` a confidence and a ``share`` of the others.

    While rows of the same job are on their way, those go on and nothing else is begun.
    """
    drawn = drawn_from(found, below, share)
    return _begin(found, drawn, Note(below, share, len(drawn)), store)


def go_on(found: Results, store: DecisionStore) -> Sending | None:
    """Takes up again what was stopped or cut off; None when there is nothing."""
    before = sending(found.job)
    if before is None or not before.ended:
        return before
    note = replace(before.note, stopped=False)
    drawn = drawn_from(found, note.below, note.share)
    if len(drawn) != note.total:  # drawn in another way by an earlier program: from the start, nothing is sent twice
        note = Note(note.below, note.share, len(drawn))
    return _begin(found, drawn, note, store)


def drawn_from(found: Results, below: float, share: float) -> Draw:
    """The rows that are to be sent: the same each time."""
    return draw(found.confidence, below, share, seed_of(found.job.id), found.inputs != "none")


def product_of(found: Results, row: int, cells: Sequence[str]) -> Product:
    """The product of a row as it was classified: without a picture that could not be used."""
    used = found.pictures[row] == "used"
    return replace(Product(*found.texts(cells)), image=found.image(cells) if used else None)


def _begin(found: Results, drawn: Draw, note: Note, store: DecisionStore) -> Sending:
    job = found.job
    with _lock:
        before = _sendings.pop(job.id, None)
        if before is not None and not before.ended:
            _sendings[job.id] = before
            return before
        while len(_sendings) >= _KEPT and (old := next((id_ for id_, one in _sendings.items() if one.ended), None)):
            del _sendings[old]
        held = _file_lock(job)
        try:
            held.acquire(timeout=0)
        except Timeout:
            return Sending(note, elsewhere=True)
        begun = _sendings[job.id] = Sending(replace(note, tries=note.tries + 1))
        try:
            write_json(job.folder / _NOTE, asdict(begun.note))
        except OSError as error:  # a full disk: nothing is begun that could not be gone on with
            begun.problem, begun.ended = error, True
            held.release()
            return begun
    threading.Thread(target=_run, args=(begun, found, drawn, store, held), daemon=True, name="rayon-sending").start()
    return begun


def _run(state: Sending, found: Results, drawn: Draw, store: DecisionStore, held: FileLock) -> None:
    path = found.job.folder / _NOTE
    try:
        name, first = found.job.about["name"], state.note.done
        for start in range(first, len(drawn), _CHUNK):
            if start > first and state.stopping.wait(_BREATH):
                state.note = replace(state.note, stopped=True)
                write_json(path, asdict(state.note))
                return
            state.note = _send_some(
                state.note, found, drawn, range(start, min(start + _CHUNK, len(drawn))), name, store
            )
            write_json(path, asdict(state.note))
        path.unlink(missing_ok=True)
    except DecisionError as error:
        state.problem = error
    except Exception as error:  # told on the page: nobody waits for this thread
        log.exception("rows of job %s could not be sent", found.job.id)
        state.problem = error
    finally:
        held.release()
        state.ended = True


def _send_some(note: Note, found: Results, drawn: Draw, places: range, name: str, store: DecisionStore) -> Note:
    """Sends the rows at some places of the draw; the note that is true then."""
    rows = drawn.rows[places.start : places.stop].tolist()
    several = zip(places, found.cells(rows), found.suggestions(rows), strict=True)
    new = [_item(found, drawn, place, cells, suggestions, name) for place, cells, suggestions in several]
    more = store.add(new)
    return replace(
        note,
        done=note.done + len(new),
        added=note.added + more.added,
        waiting=note.waiting + more.waiting,
        decided=note.decided + more.decided,
        unreadable=note.unreadable + sum(i.product.image is None and found.pictures[i.row] == "used" for i in new),
        tries=0,
    )


def _item(
    found: Results, drawn: Draw, place: int, cells: Sequence[str], suggestions: tuple[RankedCategory, ...], name: str
) -> NewItem:
    row = int(drawn.rows[place])
    return NewItem(
        product_of(found, row, cells),
        suggestions,
        found.spec.model,
        source="batch",
        reason=str(drawn.reasons[place]),
        weight=float(drawn.weights[place]),
        job=found.job.id,
        job_name=name,
        row=row,
    )


def _read(job: Job) -> Note | None:
    value = read_json(job.folder / _NOTE)
    return None if value is None else Note(**value)


def _file_lock(job: Job) -> FileLock:
    return FileLock(job.folder / _LOCK, thread_local=False)  # taken in a page's thread, let go of in the sending's own


def _at_work(job: Job) -> bool:
    if not (job.folder / _LOCK).exists():  # the lock would make it
        return False
    try:
        with _file_lock(job).acquire(timeout=0):
            return False
    except Timeout:
        return True
