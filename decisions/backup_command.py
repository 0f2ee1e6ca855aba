"""The command line of backups: made, looked at, put back."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from decisions.audit import note_command
from decisions.backup import backup
from decisions.pictures import PictureStore
from decisions.restore import restore, verify
from decisions.store import open_store
from settings import settings


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Adds them to those of ``python -m decisions``."""
    making = commands.add_parser("backup", help="write the whole store to one file, while it is in use")
    making.add_argument("file", type=Path, help="a ZIP; one that is there is replaced at the end")
    making.add_argument("--accounts", action="store_true", help="the file of local accounts, too, with its hashes")
    making.add_argument("--without-pictures", action="store_true", help="tables only")
    putting = commands.add_parser("restore", help="put a backup into a store that nobody has worked with yet")
    putting.add_argument("file", type=Path)
    putting.add_argument("--accounts", action="store_true", help="its accounts, too")
    putting.add_argument(
        "--replace-accounts", action="store_true", help="its accounts in the place of others, which are put aside"
    )
    commands.add_parser("verify", help="read all of a backup, and say what is in it").add_argument("file", type=Path)


def _backup(chosen: argparse.Namespace) -> None:
    store, found = open_store(), settings()
    accounts = found.accounts if chosen.accounts else None
    done = backup(store.engine, store.pictures, chosen.file, accounts, not chosen.without_pictures)
    note_command("backed_up", chosen.file.name, rows=done.rows, pictures=done.pictures, accounts=done.accounts)
    print(f"{done.rows:,} rows and {done.pictures:,} pictures, {done.bytes / 1e6:,.1f} MB, in {str(chosen.file)!a}")
    if done.missing:
        print(f"{done.missing:,} pictures were purged meanwhile, and are not in it.", file=sys.stderr)
    if chosen.accounts and not done.accounts:
        print("There is no file of accounts, and none in the backup.", file=sys.stderr)


def _restore(chosen: argparse.Namespace) -> None:
    found = settings()
    asked = chosen.accounts or chosen.replace_accounts
    accounts = found.accounts if asked else None
    pictures = PictureStore(found.picture_store)
    done = restore(chosen.file, found.database_url, pictures, accounts, chosen.replace_accounts)
    note_command("restored", chosen.file.name, rows=done.rows, pictures=done.pictures, accounts=done.accounts_restored)
    print(f"{done.rows:,} rows and {done.pictures:,} pictures are back.")
    if done.beside:
        print(f"{done.beside:,} rows of the audit log and of what was observed were there, and follow them.")
    if done.aside is not None:
        print(f"The accounts that were there are put aside, in {str(done.aside)!a}.")
    if done.missing:
        print(f"{done.missing:,} pictures were purged before, and are not.", file=sys.stderr)
    if done.accounts and not done.accounts_restored:
        print("The accounts in it were left out: --accounts restores them.", file=sys.stderr)
    if asked and not done.accounts:
        print("There was no file of accounts when it was made: those that are here stay.", file=sys.stderr)


def _verify(chosen: argparse.Namespace) -> None:
    checked = verify(chosen.file)
    found = checked.manifest
    print(f"made {found.made_at} of {found.database}, step {found.step}")
    for name, entry in found.tables.items():
        print(f"{name:<12} {entry.rows:>12,} rows")
    left_out = "" if found.with_pictures else " (left out)"
    print(f"{'pictures':<12} {checked.there:>12,} of {checked.named:,} that products name{left_out}")
    accounts = "yes" if found.accounts else "no file" if found.accounts_absent else "no"
    print(f"{'accounts':<12} {accounts:>12}")


COMMANDS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "backup": _backup,
    "restore": _restore,
    "verify": _verify,
}
