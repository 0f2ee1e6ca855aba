"""A job of the command line, from its folder beside the result to the result."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import Timeout
from tqdm import tqdm

from batch.files import read_json, write_json
from batch.jobs import Job, JobSpec
from batch.output import write
from batch.parts import Parts
from batch.runner import run_job
from batch.survey import Survey
from model.bundle import read_taxonomy
from model.exported import export_folder
from model.onnx_runtime import CARD
from settings import settings

OK, FAILED, USAGE, INPUT, OUTPUT, MODEL, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
_STATUSES = {"table": INPUT, "pictures": INPUT, "model": MODEL, "changed": USAGE}


class UsageError(ValueError):
    """The command line asks for something that cannot be."""


class Stopped(Exception):
    """The command ends here; ``status`` is its exit status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    spec: JobSpec
    seen: Survey
    out: Path
    format: str
    language: str
    described: str


@contextmanager
def held(request: Request, restart: bool) -> Iterator[Job]:
    """The job beside the result, new or interrupted, which no other process touches meanwhile."""
    job = Job(request.out.with_name(f"{request.out.name}.rayon"))
    try:
        lock = job.lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"another process is at work on {request.out}: wait for it, or stop it") from None
    except OSError as error:
        raise Stopped(f"{job.folder} cannot be used: {error}", OUTPUT) from error
    with lock:
        try:
            _take_up(job, request, restart)
            yield job
        except OSError as error:
            raise Stopped(f"{job.folder} cannot be used: {error}", OUTPUT) from error


def _take_up(job: Job, request: Request, restart: bool) -> None:
    spec, about = request.spec, _about(request.spec)
    before = read_json(job.folder / "spec.json")
    if before is not None and not restart:
        known = asdict(JobSpec.from_json(before))
        changed = [name for name, value in asdict(spec).items() if value != known[name]]
        changed += [f"content of {name}" for name in ("IN", "pictures") if job.about.get(name) != about[name]]
        if ours := [name for name in changed if name not in ("workers", "engine")]:
            raise UsageError(
                f"{job.folder} is of an interrupted run with other {', '.join(ours)}: add --restart to forget it"
            )
    else:
        job.forget()  # also what a folder without a readable plan may hold
        write_json(job.folder / "about.json", about)
    if spec.storage:
        try:
            Parts(spec.storage)
        except (ImportError, ValueError) as error:
            raise UsageError(f"--storage {spec.storage}: {error}") from error
    job.plan(spec)  # with another engine or other workers the parts are the same


def _about(spec: JobSpec) -> dict[str, str]:
    with open(spec.table, "rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    pictures = ""
    if spec.pictures is not None and "://" not in spec.pictures:
        state = os.stat(spec.pictures)
        pictures = f"{state.st_size} {state.st_mtime_ns}"
    name = Path(spec.table).name.encode("utf-8", "replace").decode()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"name": name, "owner": "", "created": created, "key": uuid.uuid4().hex}
    return about | {"IN": content, "pictures": pictures}


def run(job: Job, request: Request, say: Callable[[str], None], quiet: bool) -> int:
    """Classifies what is left, writes the result, removes the job; gives the exit status."""
    spec, home = request.spec, settings().home
    say(f"{spec.table}: {spec.rows} rows; {request.described}")
    for notice in request.seen.notices:
        say(f"note: {notice}")
    if not (export_folder(Path(spec.bundle), home) / CARD).exists():
        say("preparing the model for batches, once for each model: about half a minute")
    done = job.state().done
    with tqdm(total=spec.rows, initial=done, unit=" rows", disable=quiet, smoothing=0.05) as bar:
        state = run_job(job, home, lambda rows, _: bar.update(rows - bar.n), alone=False)
    ended = job.state()
    if state != "done":
        job.reopen()  # the same command goes on
        if ended.problem is None:
            raise Stopped("stopped by somebody else: the same command goes on from here", FAILED)
        raise Stopped(ended.problem.text, _STATUSES.get(ended.problem.kind, FAILED))
    taxonomy = read_taxonomy(Path(spec.bundle))
    rest = (taxonomy, spec.model, request.language, request.format, request.out)
    try:
        write(job.parts.all(), spec.header, spec.columns, *rest, rows=spec.rows)
    except OSError as error:
        raise Stopped(f"{request.out} cannot be written: {error}", OUTPUT) from error
    job.delete()
    say(f"{request.out}: {spec.rows} rows by {spec.model}")
    unused = {reason: n for reason, n in ended.pictures.items() if reason not in ("", "used")}
    if unused:
        say("classified without their picture: " + ", ".join(f"{n} {reason}" for reason, n in sorted(unused.items())))
    return OK
