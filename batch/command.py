"""The command line: classify a file from a terminal, or work on a job of the server."""

import argparse
import hashlib
import os
import sys
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from batch.files import read_json, write_json
from batch.jobs import Job, JobSpec
from batch.output import FORMATS, OutputError, check, write
from batch.picture_errors import PictureSourceError
from batch.pictures import open_pictures
from batch.runner import run_job
from batch.survey import Survey, survey
from batch.watchdog import end_with_parent
from model.bundle import BundleError, read_manifest, read_taxonomy
from model.exported import export_folder
from model.onnx_runtime import CARD
from preprocessing.columns import ROLES, Columns, match_columns
from preprocessing.table import DELIMITERS, ENCODINGS, TableError, TableFormat, detect, open_table
from settings import settings

OK, FAILED, USAGE, INPUT, OUTPUT, MODEL, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
_EPILOGUE = f"""exit status: {OK} done; {FAILED} failed while classifying (the same command goes on); {USAGE} wrong use;
{INPUT} the table or the pictures cannot be used; {OUTPUT} the result cannot be written; {MODEL} the model is refused;
{INTERRUPTED} interrupted (the same command goes on)"""
_SUFFIXES = {".csv": "csv", ".xlsx": "xlsx", ".parquet": "parquet"}


class UsageError(ValueError):
    """The command line asks for something that cannot be."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "run":
        end_with_parent()
        os.nice(5)  # pages answer first
        return OK if run_job(Job(chosen.folder), settings().home) in ("done", "cancelled", "") else FAILED
    try:
        return _classify(chosen)
    except UsageError as error:
        return _said(error, USAGE)
    except (TableError, PictureSourceError) as error:
        return _said(error, INPUT)
    except OutputError as error:
        return _said(error, OUTPUT)
    except BundleError as error:
        return _said(error, MODEL)
    except KeyboardInterrupt:
        return _said("interrupted: the same command goes on from here", INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m batch", description="Classify files of products.")
    commands = parser.add_subparsers(dest="command", required=True)
    classify = commands.add_parser(
        "classify",
        help="classify the rows of a CSV, TSV, XLSX or Parquet file",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = classify.add_argument
    add("table", type=Path, metavar="IN", help="the file")
    add("--out", type=Path, required=True, help="where the result goes")
    add("--images", metavar="DIR|ZIP", help="pictures: a folder or a ZIP, path or fsspec URL")
    add("--format", choices=FORMATS, help="of the result; by the ending of OUT unless given")
    add("--language", choices=("fr", "en"), default="fr", help="of the labels in the result (default: fr)")
    add("--encoding", choices=(*ENCODINGS, "utf-16-le", "utf-16-be"), help="of IN; detected unless given")
    add("--delimiter", help=r"of IN: one of , ; | or \t; detected unless given")
    add("--sheet", help="of IN, when it is a workbook")
    for role in ROLES:
        add(f"--{role}", metavar="COLUMN", help=f"the column of IN that holds the {role}; matched by name unless given")
    add("--bundle", type=Path, default=settings().bundle, help="the model (default: the active one)")
    add("--workers", type=int, help="processes at work (default: one for each core, of this machine or of the cluster)")
    add("--engine", choices=("local", "ray"), default="local", help="ray: over the machines of a Ray cluster")
    add("--storage", default="", help="where parts are kept until the end: path or fsspec URL that all machines reach")
    add("--restart", action="store_true", help="forget what an interrupted run has done")
    add("--quiet", action="store_true", help="no progress bar")
    run = commands.add_parser("run", help="work on a job of the server (which calls this itself)")
    run.add_argument("folder", type=Path)
    return parser


def _classify(chosen: argparse.Namespace) -> int:
    out_format = _format(chosen)
    if not chosen.out.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {chosen.out.absolute().parent}")
    if chosen.out.exists() and chosen.table.exists() and chosen.out.samefile(chosen.table):
        raise UsageError("the result would take the place of IN: give --out another name")
    if chosen.workers is not None and chosen.workers < 1:
        raise UsageError("--workers must be 1 or more")
    job, spec, seen = _job(chosen)
    check(spec.header, spec.columns, seen.rows, out_format)
    say = print if not chosen.quiet else (lambda *_: None)
    say(f"{chosen.table}: {seen.rows} rows; {_described(spec.format)}; columns {_mapped(spec.columns)}")
    for notice in seen.notices:
        say(f"note: {notice}")
    if not (export_folder(chosen.bundle, settings().home) / CARD).exists():
        say("preparing the model for batches, once for each model: about half a minute")
    with tqdm(total=seen.rows, unit=" rows", disable=chosen.quiet, smoothing=0.05) as bar:
        state = run_job(job, settings().home, lambda done, _: bar.update(done - bar.n), alone=False)
    if state == "":
        raise UsageError(f"another process is at work on {chosen.out}: wait for it")
    ended = job.state()
    if ended.problem is not None:
        (job.folder / "ended.json").unlink()  # the same command tries again
        statuses = {"table": INPUT, "pictures": INPUT, "model": MODEL, "changed": USAGE}
        return _said(ended.problem.text, statuses.get(ended.problem.kind, FAILED))
    taxonomy, version = read_taxonomy(Path(spec.bundle)), spec.model
    try:
        write(job.parts.all(), spec.header, spec.columns, taxonomy, version, chosen.language, out_format, chosen.out)
    except OSError as error:
        return _said(f"{chosen.out} cannot be written: {error}", OUTPUT)
    job.delete()
    unused = {reason: n for reason, n in ended.pictures.items() if reason not in ("", "used")}
    say(f"{chosen.out}: {seen.rows} rows by {version}")
    if unused:
        say("classified without their picture: " + ", ".join(f"{n} {reason}" for reason, n in sorted(unused.items())))
    return OK


def _job(chosen: argparse.Namespace) -> tuple[Job, JobSpec, Survey]:
    """The job beside the result, new or interrupted."""
    folder = chosen.out.absolute().with_name(f"{chosen.out.name}.rayon")
    if chosen.restart and folder.exists():
        if Job(folder).at_work():
            raise UsageError(f"another process is at work on {chosen.out}: stop it before --restart")
        Job(folder).delete()
    format = _table_format(chosen)
    header = open_table(chosen.table, format).columns
    columns = _columns(chosen, header)
    pictures = None if chosen.images is None else open_pictures(chosen.images)
    seen = survey(chosen.table, format, columns, pictures)
    spec = JobSpec(
        format=format,
        header=seen.header,
        columns=columns,
        rows=seen.rows,
        bundle=str(chosen.bundle.absolute()),
        model=read_manifest(chosen.bundle)["version"],
        pictures=chosen.images,
        table=str(chosen.table.absolute()),
        engine=chosen.engine,
        workers=chosen.workers,
        storage=chosen.storage,
    )
    job = Job(folder)
    with chosen.table.open("rb") as file:
        about = {
            "name": chosen.table.name,
            "owner": "",
            "key": uuid.uuid4().hex,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }
    if (before := read_json(folder / "spec.json")) is None:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "about.json", about)
        job.plan(spec)
        return job, spec, seen
    changed = [name for name, value in asdict(spec).items() if value != asdict(JobSpec.from_json(before))[name]]
    if job.about.get("sha256") != about["sha256"]:
        changed.append("content of IN")
    if ours := [name for name in changed if name not in ("workers", "engine")]:
        raise UsageError(f"{folder} is of an interrupted run with other {', '.join(ours)}: add --restart to forget it")
    job.plan(spec)  # with another engine or other workers the parts are the same
    return job, spec, seen


def _table_format(chosen: argparse.Namespace) -> TableFormat:
    if not chosen.table.is_file():
        raise UsageError(f"there is no file {chosen.table}")
    delimiter = {r"\t": "\t", "tab": "\t"}.get(chosen.delimiter, chosen.delimiter)
    if delimiter is not None and delimiter not in DELIMITERS:
        raise UsageError(rf"--delimiter must be one of , ; | or \t, not {chosen.delimiter!r}")
    given = {"encoding": chosen.encoding, "delimiter": delimiter, "sheet": chosen.sheet}
    found = detect(chosen.table, chosen.table.name, **given)
    for name, value in given.items():
        if value is not None and getattr(found, name) != value:
            raise UsageError(f"--{name} has no meaning for this file, which is {_described(found)}")
    return found


def _columns(chosen: argparse.Namespace, header: Sequence[str]) -> Columns:
    given = {role: value for role in ROLES if (value := getattr(chosen, role)) is not None}
    for role, name in given.items():
        if name not in header:
            raise UsageError(f"--{role}: there is no column {name!r}; there are: {', '.join(map(repr, header))}")
    columns = replace(match_columns(header), **given)
    pictured = chosen.images and (columns.image or (columns.imageid is not None and columns.productid is not None))
    if columns.designation is None and columns.description is None and not pictured:
        raise UsageError(
            f"no column holds a designation: say which with --designation; there are: {', '.join(map(repr, header))}"
        )
    return columns


def _format(chosen: argparse.Namespace) -> str:
    if chosen.format is not None:
        return chosen.format
    if (found := _SUFFIXES.get(chosen.out.suffix.lower())) is None:
        raise UsageError(f"the ending of {chosen.out.name} says no format: add --format {'|'.join(FORMATS)}")
    return found


def _described(format: TableFormat) -> str:
    if format.kind != "text":
        return f"{format.kind}, sheet {format.sheet!r}" if format.sheet else format.kind
    return f"{format.encoding}, delimiter {format.delimiter!r}"


def _mapped(columns: Columns) -> str:
    return ", ".join(f"{role}={name!r}" for role, name in asdict(columns).items() if name is not None) or "none"


def _said(what: object, status: int) -> int:
    print(f"error: {what}", file=sys.stderr)
    return status
