"""The command line: decisions taken home, what is kept of products, and what is to be forgotten."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from decisions.audit import note_command
from decisions.backup_command import COMMANDS, add_commands
from decisions.backup_format import BackupError
from decisions.errors import DecisionError
from decisions.export import FORMATS, PEOPLE, ExportError, ExportFilter, export
from decisions.items import STATES
from decisions.privacy import Purged, kept, purge, purgeable
from decisions.store import open_store
from model.bundle import BundleError, read_taxonomy
from model.versions import active_bundle
from settings import settings

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_SUFFIXES = {".csv": "csv", ".parquet": "parquet"}
_MOST_DAYS = 36_500
_MOST_CODE = 2**63 - 1  # the database keeps no larger one


class UsageError(ValueError):
    """Wrong use: the message says what to give instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings()
    except ValueError as error:  # of the environment
        return _said(error, USAGE)
    try:
        (COMMANDS | {"export": _export, "kept": _kept, "purge": _purge})[chosen.command](chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # who was to read what is printed has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except UsageError as error:
        return _said(error, USAGE)
    except (DecisionError, ExportError, BackupError, BundleError) as error:
        return _said(error, FAILED)
    except KeyboardInterrupt:
        done = "of an export or a backup nothing is left, nothing is restored; a purge goes on when called again"
        return _said(f"interrupted: {done}", INTERRUPTED)
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m decisions",
        description="What moderators decided.",
        epilog=f"exit status: {OK} done; {FAILED} failed, and why; {USAGE} wrong use; {INTERRUPTED} interrupted",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write decisions as a table that `model train` and `adapt` take")
    add = exporting.add_argument
    add("--out", type=Path, required=True, help="the table; with --with-pictures a new folder, or a .zip")
    add("--format", choices=FORMATS, help="of the table (default: by the ending of --out, else csv)")
    add("--with-pictures", action="store_true", help="the products' pictures, too")
    add("--people", choices=PEOPLE, default="names", help="who decided: by name, or by an id that stays the same")
    add("--since", type=_moment, metavar="TIME", help="only products decided on since then, as 2026-01-31 or 2026-01-31T09:30:00Z")  # fmt: skip  # noqa: E501
    add("--until", type=_moment, metavar="TIME", help="as if nothing had been decided from then on")
    add("--job", type=_words, help="only products of this job")
    add("--category", type=_code, metavar="CODE", help="only products that this category was decided for")
    add("--suggested", type=_code, metavar="CODE", help="only products that this category was suggested first for")
    add("--state", choices=STATES, help="only products in this state")
    add("--language", choices=("fr", "en"), default="fr", help="of the categories' labels")
    commands.add_parser("kept", help="list what is kept of products: texts, notes, pictures")
    purging = commands.add_parser("purge", help="remove texts, notes and pictures by age; what was decided stays")
    purging.add_argument("--older-than", type=int, required=True, metavar="DAYS")
    add_commands(commands)
    purging.add_argument("--yes", action="store_true", help="do it; without, it is only told what would go")
    return parser


def _export(chosen: argparse.Namespace) -> None:
    _check(chosen)
    where = ExportFilter(chosen.since, chosen.until, chosen.job, chosen.category, chosen.suggested, chosen.state)
    format_ = chosen.format or _SUFFIXES.get(chosen.out.suffix.lower(), "csv")
    how = format_, chosen.with_pictures, chosen.people, chosen.language
    done = export(open_store(), chosen.out, where, *how, taxonomy=read_taxonomy(active_bundle()))
    told = {"people": chosen.people, "products": done.products, "pictures": done.pictures}
    note_command("exported", "decisions", decisions=done.decisions, **told)
    pictures = f", {done.pictures:,} pictures" if chosen.with_pictures else ""
    print(f"{done.decisions:,} decisions on {done.products:,} products{pictures}, in {_shown(chosen.out)}")
    if done.missing:
        print(f"{done.missing:,} pictures were purged, and are left out.", file=sys.stderr)
    if done.cut:
        print(f"{done.cut:,} texts were longer than a table may hold, and are cut.", file=sys.stderr)


def _check(chosen: argparse.Namespace) -> None:
    """UsageError for what is surely not meant."""
    ending = chosen.out.suffix.lower()
    if chosen.with_pictures and ending in _SUFFIXES:
        raise UsageError(f"--with-pictures writes a folder or a .zip: {_shown(chosen.out.name)} names a table alone")
    if ending == ".zip" and not chosen.with_pictures:
        raise UsageError("a .zip holds a table with its pictures: add --with-pictures, or name a .csv or .parquet")
    if chosen.since and chosen.until and chosen.since >= chosen.until:
        raise UsageError("--since must be before --until")


def _kept(_chosen: argparse.Namespace) -> None:
    groups = kept(open_store())
    line = "{:<8} {:<9} {:>9} {:>12} {:>9} {:>10}  {}"
    print(line.format("month", "source", "products", "characters", "pictures", "megabytes", "job"))
    for group in groups:
        named = group.job_name or group.job or ""
        numbers = f"{group.products:,}", f"{group.characters:,}", f"{group.pictures:,}", f"{group.bytes / 1e6:,.1f}"
        print(line.format(group.month, group.source, *numbers, _shown(named)).rstrip())
    if not groups:
        print("Nothing is kept.")


def _purge(chosen: argparse.Namespace) -> None:
    if not 0 <= chosen.older_than <= _MOST_DAYS:
        raise UsageError(f"--older-than must be a number of days from 0 to {_MOST_DAYS:,}, not {chosen.older_than}")
    age = timedelta(days=chosen.older_than)
    if chosen.yes:
        done = purge(open_store(), age)
        note_command("purged", "products", days=chosen.older_than, products=done.products, pictures=done.pictures)
        print(f"Removed: {_told(done)}")
    else:
        print(f"Would go: {_told(purgeable(open_store(), age))}\nTo remove it, add --yes.")


def _told(found: Purged) -> str:
    parts = [
        f"texts, notes and pictures of {found.products:,} products "
        f"({found.removed:,} of them never decided on, which leave the store), "
        f"{found.pictures:,} picture files, {found.bytes / 1e6:,.1f} MB"
    ]
    if found.held:
        parts.append(f"left, because somebody has them open: {found.held:,} products")
    if found.young:
        parts.append(f"left until the next purge, because they have just been written: {found.young:,} picture files")
    if found.lingering:
        parts.append("somebody was reading meanwhile: purge again later, for some texts may still lie in the -wal file")
    return "; ".join(parts)


def _moment(text: str) -> datetime:
    """ISO 8601; UTC where no offset is given."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment: write 2026-01-31 or 2026-01-31T09:30:00Z") from error


def _code(text: str) -> int:
    try:
        code = int(text)
    except ValueError:
        code = None
    if code is None or abs(code) > _MOST_CODE:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no category code: write a whole number")
    return code


def _words(text: str) -> str:
    if not text.isprintable():  # among them bytes of the command line that are no UTF-8
        raise argparse.ArgumentTypeError(f"{text!r} holds characters that cannot be seen")
    return text


def _shown(name: object) -> str:
    """A name, with what a terminal would obey, or could not write, spelled out."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in str(name)
    )


def _said(what: object, status: int) -> int:
    print(f"error: {what}", file=sys.stderr)
    return status
