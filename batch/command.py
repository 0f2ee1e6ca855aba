"""The command line: classify a file from a terminal, or work on a job of the server."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from batch.jobs import Job, JobSpec
from batch.output import FORMATS, OutputError, check
from batch.picture_errors import PictureSourceError
from batch.pictures import open_pictures
from batch.runner import run_job
from batch.survey import survey
from batch.terminal import FAILED, INPUT, INTERRUPTED, MODEL, OK, OUTPUT, USAGE, Request, Stopped, UsageError, held, run
from model.bundle import BundleError, read_manifest
from model.versions import active_bundle
from model.watchdog import end_with_parent
from preprocessing.columns import ROLES, Columns, match_columns
from preprocessing.table import DELIMITERS, ENCODINGS, TableError, TableFormat, detect, open_table
from settings import settings

_EPILOGUE = f"""exit status: {OK} done; {FAILED} failed while classifying (the same command goes on); {USAGE} wrong use;
{INPUT} the table or the pictures cannot be used; {OUTPUT} the result cannot be written; {MODEL} the model is refused;
{INTERRUPTED} interrupted (the same command goes on)"""
_SUFFIXES = {".csv": "csv", ".xlsx": "xlsx", ".parquet": "parquet"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "run":
        end_with_parent()
        os.nice(5)  # pages answer first
        return OK if _work(Job(chosen.folder)) in ("done", "cancelled", "") else FAILED
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
    except Stopped as error:
        return _said(error, error.status)
    except OSError as error:  # what is known to be of the result has been told apart before
        return _said(error, INPUT)
    except KeyboardInterrupt:
        return _said("interrupted: the same command goes on from here", INTERRUPTED)


def _work(job: Job) -> str:
    """Works on a job of the server, whose answers are counted as those of pages are; gives its state."""
    from watch.observations import observations  # here: what a terminal asks for needs no database

    counts = observations()
    with counts.being_written():
        return run_job(job, settings().home, observe=lambda model, seen: counts.add("batch", model, seen))


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
    add("--bundle", type=Path, help="the model (default: the active one)")
    add("--workers", type=int, help="processes at work (default: one for each core, of this machine or of the cluster)")
    add("--engine", choices=("local", "ray"), default="local", help="ray: over the machines of a Ray cluster")
    add("--storage", default="", help="where parts are kept until the end: path or fsspec URL that all machines reach")
    add("--restart", action="store_true", help="forget what an interrupted run has done")
    add("--quiet", action="store_true", help="no progress bar")
    work = commands.add_parser("run", help="work on a job of the server (which calls this itself)")
    work.add_argument("folder", type=Path)
    return parser


def _classify(chosen: argparse.Namespace) -> int:
    request = _request(chosen)
    say = print if not chosen.quiet else (lambda *_: None)
    with held(request, chosen.restart) as job:
        return run(job, request, say, chosen.quiet)


def _request(chosen: argparse.Namespace) -> Request:
    """What is asked for, all of it looked at before anything is done."""
    out_format, out = _format(chosen), chosen.out.resolve()
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}")
    if chosen.workers is not None and chosen.workers < 1:
        raise UsageError("--workers must be 1 or more")
    format = _table_format(chosen)
    if out.exists() and not out.is_file():
        raise UsageError(f"{out} is no file that could be replaced: give --out another name")
    if out.exists() and out.samefile(chosen.table):
        raise UsageError("the result would take the place of IN: give --out another name")
    images = chosen.images
    if images is not None and "://" not in images:
        images = os.path.abspath(images)
        if out.exists() and os.path.exists(images) and out.samefile(images):
            raise UsageError("the result would take the place of the pictures: give --out another name")
    header = open_table(chosen.table, format).columns
    columns = _columns(chosen, header)
    seen = survey(chosen.table, format, columns, None if images is None else open_pictures(images))
    bundle = (chosen.bundle or active_bundle()).absolute()
    spec = JobSpec(
        format=format,
        header=seen.header,
        columns=columns,
        rows=seen.rows,
        bundle=str(bundle),
        model=read_manifest(bundle)["version"],
        pictures=images,
        table=str(chosen.table.absolute()),
        engine=chosen.engine,
        workers=chosen.workers,
        storage=chosen.storage,
    )
    check(spec.header, spec.columns, spec.rows, out_format)
    described = f"{_described(format)}; columns {_mapped(columns)}"
    return Request(spec, seen, out, out_format, chosen.language, described)


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
    if chosen.images and not pictured:
        raise UsageError(
            "no column says which picture a row has: name it with --image, or --imageid and --productid; there are: "
            + ", ".join(map(repr, header))
        )
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
