"""A job: a table to classify, its settings, what has been done of it; all of it files in one folder.

What is on disk is the state: parts that exist are done, a lock that is held means that a process is at work (the
system lets go of it however that process ends), and nothing has to agree with anything else.
"""

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from batch.files import read_json, write_json
from batch.parts import Parts
from preprocessing.columns import Columns
from preprocessing.table import TableFormat
from settings import ROOT

TABLE, PICTURES = "table", "pictures.zip"
log = logging.getLogger(__name__)

FEWEST_ROWS, MOST_ROWS, CHUNKS = 32, 512, 40
"""A chunk is a fortieth of the table, within these bounds: small tables show progress, large ones few files."""


def chunk_rows(rows: int) -> int:
    """Rows of a chunk for a table of so many rows."""
    return min(MOST_ROWS, max(FEWEST_ROWS, rows // CHUNKS))


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is to be done; never changed once it is written."""

    format: TableFormat
    header: tuple[str, ...]
    columns: Columns
    rows: int
    bundle: str
    model: str
    """Version of the model, which must still be the one in ``bundle``."""
    pictures: str | None = None
    """Folder or ZIP: path or fsspec URL."""
    table: str = ""
    """Path of the table; the one in the job's folder when empty."""
    engine: str = "local"
    workers: int | None = None
    storage: str = ""
    """Below which parts are kept, in a folder of the job's own: path or fsspec URL; the job's folder when empty."""

    @property
    def chunk(self) -> int:
        """Rows of a part, all but the last."""
        return chunk_rows(self.rows)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "JobSpec":
        """The inverse of ``dataclasses.asdict``."""
        typed = {
            "format": TableFormat(**value["format"]),
            "columns": Columns(**value["columns"]),
            "header": tuple(value["header"]),
        }
        return cls(**{**value, **typed})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a job failed: ``kind`` is "table", "pictures", "model", "changed", "crashed" or
    "unexpected"; ``text`` is English."""

    kind: str
    text: str
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a job is."""

    state: str
    """"draft", "waiting", "running", "done", "cancelled" or "failed"."""
    done: int = 0
    rows: int = 0
    rows_per_second: float | None = None
    step: str = ""
    """While running: "exporting" or "classifying"."""
    pictures: Mapping[str, int] = field(default_factory=dict)
    """Rows done by what became of their picture, as in `batch.outcome`."""
    problem: Problem | None = None
    ended: datetime | None = None

    @property
    def seconds_left(self) -> float | None:
        """At the present speed."""
        return (self.rows - self.done) / self.rows_per_second if self.rows_per_second else None


class Job:
    """A job's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / "lock")

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def about(self) -> dict[str, str]:
        """``name`` (of the file, only to be shown), ``owner``, ``created`` (ISO 8601, UTC).

        For a job of the command line also ``sha256`` of the table, and ``key``, the name of its folder in a storage.
        """
        return read_json(self.folder / "about.json") or {"name": self.id, "owner": "", "created": ""}

    @property
    def created(self) -> datetime:
        return datetime.fromisoformat(self.about["created"])

    def expires(self, days: int) -> datetime:
        """When the job is deleted."""
        return self.created + timedelta(days=days)

    @property
    def spec(self) -> JobSpec | None:
        """None for a draft."""
        value = read_json(self.folder / "spec.json")
        return None if value is None else JobSpec.from_json(value)

    @property
    def table(self) -> Path:
        """The table's file."""
        spec = self.spec
        return Path(spec.table) if spec and spec.table else self.folder / TABLE

    @property
    def pictures(self) -> Path:
        """Where an uploaded ZIP is kept."""
        return self.folder / PICTURES

    @property
    def parts(self) -> Parts:
        """The result as far as it is there."""
        spec = self.spec
        if spec is None or not spec.storage:
            return Parts(str(self.folder / "parts"))
        return Parts(f"{spec.storage.rstrip('/')}/rayon-{self.about.get('key', self.id)}")

    @property
    def lock(self) -> FileLock:
        """Held by the process at work."""
        return self._lock

    def plan(self, spec: JobSpec) -> None:
        """Settles what is to be done."""
        write_json(self.folder / "spec.json", asdict(spec))

    def state(self) -> JobState:
        """How far it is."""
        spec = self.spec
        if spec is None:
            return JobState("draft")
        progress = read_json(self.folder / "progress.json") or {}
        known = {"rows": spec.rows, "done": progress.get("done", 0), "pictures": progress.get("pictures", {})}
        if ended := read_json(self.folder / "ended.json"):
            problem = None if ended["problem"] is None else Problem(**ended["problem"])
            return JobState(ended["state"], problem=problem, ended=datetime.fromisoformat(ended["at"]), **known)
        if not progress.get("step") or not self.at_work():
            return JobState("waiting", **known)
        return JobState("running", rows_per_second=progress["rows_per_second"], step=progress["step"], **known)

    def at_work(self) -> bool:
        """Whether a process holds the job."""
        if not self.folder.is_dir():  # the lock would make it
            return False
        try:
            with self._lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def note_progress(self, **values: Any) -> None:
        """Called by the process at work."""
        write_json(self.folder / "progress.json", values)

    def end(self, state: str, problem: Problem | None = None) -> None:
        """Called by the process at work, once."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(self.folder / "ended.json", {"state": state, "problem": problem and asdict(problem), "at": now})

    def cancel(self) -> None:
        """Stops the work within about a second; what is done stays, and `start` goes on from there."""
        (self.folder / "cancel").touch()
        if not self.at_work() and self.state().ended is None:
            self.end("cancelled")

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants it stopped."""
        return (self.folder / "cancel").exists()

    def start(self) -> None:
        """Sets a process to work that outlives any page, and ends with this process."""
        self.reopen()
        self.set_to_work()

    def reopen(self) -> None:
        """An ended job is to be gone on with."""
        for name in ("cancel", "ended.json", "starts.json"):
            (self.folder / name).unlink(missing_ok=True)

    def set_to_work(self) -> None:
        """As `start`, for a job that was interrupted."""
        with (self.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "batch", "run", str(self.folder)],
                cwd=ROOT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie

    def delete(self) -> None:
        """Stops the work and removes everything."""
        if not self.folder.is_dir():
            return
        if self.spec is not None:
            self.cancel()
        with suppress(Timeout), self._lock.acquire(timeout=30):
            self.forget()
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget(self) -> None:
        """Removes what has been done; whoever does so holds the job."""
        try:
            self.parts.remove()
        except Exception:  # a storage out of reach: its drivers share no base for their errors
            log.exception("the parts of job %s stay at %s", self.id, self.spec and self.spec.storage)
        # First what says that there is a job: from here on nobody takes it up.
        for name in ("spec.json", "about.json", "progress.json"):
            (self.folder / name).unlink(missing_ok=True)
        self.reopen()
