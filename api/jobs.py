"""Files of products: sent, classified in a job of their own, taken away. A caller sees their own jobs alone."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field, create_model

from api.access import Caller, caller
from api.answers import JobAnswer, JobProblem, Jobs
from api.forms import Limits, described, multipart
from api.planning import JobOptions, Planned, plan
from api.problems import Problem, busy, documented
from batch.jobs import Job, JobState
from batch.output import FORMATS, write
from batch.store import JobStore
from decisions.audit import note
from model.bundle import BundleError, read_taxonomy
from model.taxonomy import Taxonomy, default_taxonomy
from preprocessing.columns import ROLES
from preprocessing.table import DELIMITERS, ENCODINGS
from settings import settings

router = APIRouter(prefix="/jobs", tags=["jobs"])
MOST_JOBS = 100
"""Of one caller, kept at a time: a client that forgets to delete them must not fill the disk."""
MOST_WAITING = 12
"""Of everybody together: each is a process, even while it waits for those before it."""
TABLE_MB, ZIP_MB = 1_000, 4_000
_FILES = {
    "file": f"The table: CSV, TSV, XLSX or Parquet, up to {TABLE_MB:,} MB.",
    "pictures": f"A ZIP of its pictures, up to {ZIP_MB:,} MB.",
}
_LIMITS = Limits(total=(TABLE_MB + ZIP_MB + 1) * 2**20, text=2**16, seconds=3600)
_ENDINGS = {
    "csv": (".csv", "text/csv; charset=utf-8"),
    "csv-excel": (".csv", "text/csv; charset=utf-8"),
    "xlsx": (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": (".parquet", "application/vnd.apache.parquet"),
    "submission": (".csv", "text/csv; charset=utf-8"),
}
_RETRY_SECONDS = 2
Mine = Annotated[Caller, Security(caller, scopes=["jobs"])]


class _Form(BaseModel):
    """How the table is read; what is left out is found in the file."""

    kind: Literal["text", "xlsx", "parquet"] | None = None
    encoding: Literal[(*ENCODINGS, "utf-16-le", "utf-16-be")] | None = None
    delimiter: Literal[DELIMITERS] | None = None
    sheet: str | None = Field(None, description="Of a workbook.")


_COLUMNS = {
    f"{role}_column": (str | None, Field(None, description=f"Which column is the {role}; matched by name otherwise."))
    for role in ROLES
}
JobForm = create_model("JobForm", __base__=_Form, **_COLUMNS)


def _store() -> JobStore:
    return JobStore(settings().home)


def _own(identity: str, mine: Caller) -> Job:
    """The caller's job; Problem when they have none of that name, whoever else may."""
    try:
        return _store().get(identity, mine.owner)
    except (KeyError, ValueError, OSError):  # a NUL, a name too long
        raise Problem(404, "job", "There is no such job of yours.") from None


@router.post(
    "",
    status_code=202,
    summary="Classify a file",
    response_model=JobAnswer,
    responses=documented(400, 401, 403, 408, 413, 415, 422, 429, 500, 503, 507),
    openapi_extra=described(JobForm, _FILES, required=True, example={"designation_column": "title"}),
)
async def create(request: Request, response: Response, mine: Mine) -> JobAnswer:
    """Takes a table and sets a job to work on it; `Location` is where its progress is asked for."""
    workers = request.app.state.working
    workers.check()
    await workers.run(_check_number, mine)
    with request.app.state.files.taken(mine.owner):
        async with multipart(request, JobForm, frozenset(_FILES), _LIMITS) as (form, files):
            if "file" not in files:
                raise Problem(422, "no_file", "The form has no file: send the table as the field `file`.")
            for name, most in (("file", TABLE_MB), ("pictures", ZIP_MB)):
                if name in files and files[name].size > most * 2**20:
                    raise Problem(413, "too_large", f"The field {name} is over the limit of {most:,} MB.")
            values = form.model_dump()
            columns = {role: values.pop(f"{role}_column") for role in ROLES}
            made = await workers.run(_create, files, JobOptions(**values, columns=columns), mine)
    response.headers["Location"] = str(request.url_for("progress", identity=made.job.id).path)
    return _described(made.job, made.notices)


def _check_number(mine: Caller) -> None:
    """Problem when the caller has too many jobs, or too many of anybody's are waiting."""
    if len(_store().owned_by(mine.owner)) >= MOST_JOBS:
        detail = f"You have {MOST_JOBS} jobs already: delete those whose result you have."
        raise Problem(429, "too_many_jobs", detail, {"Retry-After": "60"})
    if sum(job.state().state in ("waiting", "running") for job in _store().all()) >= MOST_WAITING:
        raise busy(f"{MOST_WAITING} files are waiting already: send this one when one of them is done.", 60)


def _create(files: dict[str, Any], options: JobOptions, mine: Caller) -> Planned:
    """A job at work; nothing is left of one that is refused."""
    table, pictures = files["file"], files.get("pictures")
    try:
        job = _store().draft(_plain(table.filename), table.file, mine.owner)
        try:
            if pictures is not None:
                _store().add_pictures(job, pictures.file)
            made = plan(job, options)
            job.start()
        except BaseException:
            job.delete()
            raise
    except OSError as error:
        raise Problem(507, "storage", f"The server could not keep the file ({error.strerror}).") from error
    return made


def _plain(name: str | None) -> str:
    """A file's name as it is shown: nothing in it that cannot be seen."""
    shown = "".join(character for character in (name or "") if character.isprintable())
    return shown[:200] or "products"


@router.get("", summary="List your jobs", response_model=Jobs, responses=documented(401, 403, 429, 500, 503))
async def listing(request: Request, mine: Mine) -> Jobs:
    """The caller's jobs, newest first."""
    jobs = await request.app.state.working.run(lambda: [_described(job) for job in _store().owned_by(mine.owner)])
    return Jobs(jobs=jobs)


@router.get(
    "/{identity}", summary="How far a job is", response_model=JobAnswer,
    responses=documented(401, 403, 404, 422, 429, 500, 503),
)  # fmt: skip
async def progress(request: Request, identity: str, mine: Mine) -> JobAnswer:
    """The state of a job; `Retry-After` comes by itself in none: once a second is often enough."""
    return await request.app.state.working.run(lambda: _described(_own(identity, mine)))


@router.get(
    "/{identity}/result",
    summary="Take the result away",
    response_class=FileResponse,
    responses={
        200: {"content": {kind.split(";")[0]: {"schema": {"type": "string"}} for _, kind in _ENDINGS.values()}},
        **documented(401, 403, 404, 409, 422, 429, 500, 503, 507),
    },
)
async def result(
    request: Request,
    identity: str,
    mine: Mine,
    format: Annotated[Literal[FORMATS], Query(description="Of the file.")] = "csv",
    language: Annotated[Literal["fr", "en"], Query(description="Of the categories' labels.")] = "fr",
) -> FileResponse:
    """The table as it was sent, with what was found behind each row."""
    path, name = await request.app.state.working.run(_result, identity, mine, format, language)
    ending, kind = _ENDINGS[format]
    return FileResponse(path, media_type=kind, filename=f"{name}-rayon{ending}")


def _result(identity: str, mine: Caller, format: str, language: str) -> tuple[Path, str]:
    """The file, made when it is first asked for and kept with the job, and a name for it; `OutputError`."""
    job = _own(identity, mine)
    state = job.state()
    if state.state != "done":
        again = {"Retry-After": str(_RETRY_SECONDS)} if state.state in ("waiting", "running") else {}
        detail = f"The job is {state.state}: there is a result once it is done."
        raise Problem(409, "not_done", detail, again)
    spec, path = job.spec, job.folder / f"result-{format}-{language}"
    try:
        if not path.exists():
            rest = _taxonomy(spec.bundle), spec.model, language, format, path
            write(job.parts.all(), spec.header, spec.columns, *rest, rows=spec.rows)
    except OSError as error:
        if not job.folder.is_dir():  # deleted meanwhile
            raise Problem(404, "job", "There is no such job of yours.") from None
        raise Problem(507, "storage", f"The server could not write the file ({error.strerror}).") from error
    note(mine.audited, "job_downloaded", identity, format=format)
    stem = job.about["name"].replace("\\", "/").rpartition("/")[2]
    return path, (stem.rpartition(".")[0] or stem)[:100]


def _taxonomy(bundle: str) -> Taxonomy:
    """The categories of a model; the usual ones when the model is not there any more, as on the page."""
    try:
        return read_taxonomy(Path(bundle))
    except BundleError:
        return default_taxonomy()


@router.delete(
    "/{identity}", status_code=204, summary="Stop and delete a job",
    responses=documented(401, 403, 404, 422, 429, 500, 503),
)  # fmt: skip
async def delete(request: Request, identity: str, mine: Mine) -> None:
    """The table, its pictures and its result are gone for good."""
    await request.app.state.working.run(_delete, identity, mine)


def _delete(identity: str, mine: Caller) -> None:
    _own(identity, mine).delete()
    note(mine.audited, "job_deleted", identity)


def _described(job: Job, notices: list[str] | None = None) -> JobAnswer:
    state: JobState = job.state()
    spec, problem = job.spec, state.problem
    created: datetime = job.created
    return JobAnswer(
        id=job.id,
        name=job.about["name"],
        state=state.state,
        rows=state.rows,
        done=state.done,
        rows_per_second=state.rows_per_second,
        seconds_left=state.seconds_left,
        pictures=dict(state.pictures),
        problem=problem and JobProblem(kind=problem.kind, reason=problem.reason, detail=problem.text),
        model=spec and spec.model,
        created=created,
        expires=job.expires(settings().job_days),
        columns=spec and asdict(spec.columns),
        notices=notices or [],
    )
