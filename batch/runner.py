"""The process at work on one job: from wherever it stands to its end."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from filelock import FileLock, Timeout

from batch.classify import Done, Plan, Rows
from batch.files import read_json, write_json
from batch.jobs import Job, JobSpec, Problem
from batch.local import EngineError, run_local
from batch.picture_errors import PictureSourceError
from model.bundle import BundleError, read_manifest
from model.exported import exported
from model.observed import Observed
from preprocessing.table import TableError, open_table

STARTS = 5
"""Starts without a single new part after which a job counts as failed."""
_WINDOW_SECONDS = 30
_SAVE_SECONDS = 0.5

log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody wants the job stopped."""


class ChangedError(RuntimeError):
    """What the job began with is not there any more."""


Observe = Callable[[str, Counter[Observed]], None]
"""Told the version of the model and what is watched of the answers in a part, once for each part that is new."""


def run_job(
    job: Job,
    home: Path,
    watch: Callable[[int, int], None] | None = None,
    alone: bool = True,
    observe: Observe | None = None,
) -> str:
    """Works until the job has ended, and gives its state; "" when another process has the job already.

    ``watch`` is told rows done and rows. ``alone``: waits until no other job of this home is at work.
    """
    if job.spec is None:  # deleted before this process came to it
        return ""
    try:
        with job.lock.acquire(timeout=10):
            if job.spec is None:
                return ""
            if job.state().ended is None:
                job.end(*_outcome(job, lambda: _Run(job, home, watch, observe).run(), home, alone))
            return job.state().state
    except Timeout:
        return ""


def _outcome(job: Job, run: Callable[[], None], home: Path, alone: bool) -> tuple[str, Problem | None]:
    before = read_json(job.folder / "progress.json") or {}
    job.note_progress(**{**before, "step": "", "rows_per_second": None})
    try:
        with _Slot(job, home, alone):
            _count_start(job)
            run()
        return "done", None
    except Cancelled:
        return "cancelled", None
    except (TableError, PictureSourceError) as error:
        kind = "table" if isinstance(error, TableError) else "pictures"
        return "failed", Problem(kind, str(error), error.reason, error.details)
    except BundleError as error:
        return "failed", Problem("model", str(error))
    except EngineError as error:
        return "failed", Problem("crashed", str(error))
    except ChangedError as error:
        return "failed", Problem("changed", str(error))
    except Exception as error:
        log.exception("job %s", job.id)
        return "failed", Problem("unexpected", f"{type(error).__name__}: {error}")
    finally:  # reached by every end but a kill
        (job.folder / "starts.json").unlink(missing_ok=True)


class _Slot:
    """One job at a time: two would share the cores, and neither would be done sooner."""

    def __init__(self, job: Job, home: Path, alone: bool) -> None:
        self._job = job
        self._lock = FileLock(home / "jobs" / "slot.lock") if alone else None

    def __enter__(self) -> None:
        while self._lock is not None:
            try:
                self._lock.acquire(timeout=0.5)
                return
            except Timeout:
                if self._job.cancelled:
                    raise Cancelled from None

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()


def _count_start(job: Job) -> None:
    """Raises EngineError at a job that has killed every process that tried it."""
    path, parts = job.folder / "starts.json", len(job.parts.written())
    before = read_json(path) or {"starts": 0, "parts": -1}
    starts = before["starts"] + 1 if before["parts"] == parts else 1
    if starts > STARTS:
        raise EngineError(f"the process was killed {STARTS} times without finishing anything: is memory short?")
    write_json(path, {"starts": starts, "parts": parts})


class _Run:
    """One process's share of a job."""

    def __init__(self, job: Job, home: Path, watch: Callable[[int, int], None] | None, observe: Observe | None) -> None:
        self._job, self._home, self._watch, self._observe = job, home, watch, observe
        self._spec: JobSpec = job.spec
        self._parts = job.parts
        self._count_parts()
        self._recent: deque[tuple[float, int]] = deque()
        self._saved = 0.0

    def run(self) -> None:
        """Everything that is not there yet."""
        spec = self._spec
        self._parts.create()
        self._save("exporting")
        bundle = Path(spec.bundle)
        version = read_manifest(bundle)["version"]
        if version != spec.model:
            raise ChangedError(f"the job began with the model {spec.model}, now in its place is {version}: start anew")
        plan = Plan(
            bundle=spec.bundle,
            export=str(exported(bundle, self._home)),
            header=spec.header,
            columns=spec.columns,
            pictures=spec.pictures,
            parts=self._parts.place,
        )
        self._save("classifying")
        self._recent.append((time.monotonic(), self._done))
        events = self._engine()(plan, self._chunks(), spec.workers)
        try:
            for event in events:
                self._note(event)
                if self._job.cancelled:
                    raise Cancelled
        except BaseException:
            events.close()
            self._count_parts()  # workers may have finished more than was heard of
            self._save("classifying")
            raise
        if self._done != spec.rows:
            raise ChangedError(f"the table had {spec.rows} rows when the job began, now {self._done}: start anew")
        self._save("classifying")

    def _count_parts(self) -> None:
        self._written = self._parts.written()
        self._done, self._pictures = 0, Counter[str]()
        for number in self._written:
            table = self._parts.read(number, ["picture"])
            self._done += table.num_rows
            self._pictures.update(table["picture"].to_pylist())

    def _engine(self) -> Callable[[Plan, Iterator[tuple[int, Rows]], int | None], Iterator[Done | None]]:
        if self._spec.engine == "local":
            return run_local
        from batch.distributed import run_ray

        return run_ray

    def _chunks(self) -> Iterator[tuple[int, Rows]]:
        """Numbered chunks of the table that have no part yet."""
        rows = iter(open_table(self._job.table, self._spec.format))
        number = 0
        while chunk := list(islice(rows, self._spec.chunk)):
            if number not in self._written:
                yield number, chunk
            number += 1

    def _note(self, event: Done | None) -> None:
        now = time.monotonic()
        if event is not None:
            self._done += event.rows
            self._pictures.update(event.pictures)
            self._recent.append((now, self._done))
            if self._observe:
                self._observe(self._spec.model, event.observed)
            if self._watch:
                self._watch(self._done, self._spec.rows)
        if now - self._saved > _SAVE_SECONDS:
            self._save("classifying")

    def _save(self, step: str) -> None:
        self._saved = now = time.monotonic()
        while len(self._recent) > 2 and now - self._recent[0][0] > _WINDOW_SECONDS:
            self._recent.popleft()
        rate = None
        if len(self._recent) > 1:
            (start, first), (end, last) = self._recent[0], self._recent[-1]
            rate = (last - first) / max(end - start, 1e-6)
        self._job.note_progress(done=self._done, pictures=self._pictures, step=step, rows_per_second=rate)
