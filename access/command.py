"""The command line: local accounts made, changed and removed."""

import argparse
import getpass
import sys
from collections.abc import Sequence

from filelock import Timeout

from access.accounts import Accounts
from access.errors import AccessError
from access.roles import ROLES, role_named
from settings import settings

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        accounts = Accounts(settings().accounts)
    except ValueError as error:  # of the environment
        return _said(error, USAGE)
    commands = {"add": _add, "list": _list, "role": _role, "remove": _remove, "password": _password}
    try:
        commands[chosen.command](accounts, chosen)
    except AccessError as error:
        return _said(error, FAILED)
    except (OSError, Timeout) as error:
        return _said(f"{accounts.path} could not be changed: {error}", FAILED)
    except KeyboardInterrupt:
        return _said("interrupted: nothing was changed", INTERRUPTED)
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m access",
        description="Local accounts: who signs in by name and password. A server that runs knows of a change at once.",
        epilog=f"exit status: {OK} done; {FAILED} failed, and why; {USAGE} wrong use; {INTERRUPTED} interrupted",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="make an account; the password is asked for twice")
    adding.add_argument("name")
    adding.add_argument("--role", choices=ROLES, required=True)
    commands.add_parser("list", help="every account, with its role and when it was last changed")
    changing = commands.add_parser("role", help="give another role; the account has to sign in again")
    changing.add_argument("name")
    changing.add_argument("role", choices=ROLES)
    commands.add_parser("remove", help="delete an account; its sessions end").add_argument("name")
    renewing = commands.add_parser("password", help="give another password; the sessions of the account end")
    renewing.add_argument("name")
    for command in (adding, renewing):
        command.add_argument("--password-stdin", action="store_true", help="read it from the first line of the input")
    return parser


def _add(accounts: Accounts, chosen: argparse.Namespace) -> None:
    if accounts.get(chosen.name) is not None:
        raise AccessError(f"there is an account {accounts.get(chosen.name).name!r} already")
    made = accounts.add(chosen.name, _asked(chosen), role_named(chosen.role))
    print(f"{made.name} may sign in as {chosen.role}.")
    _note("account_added", made.name, role=chosen.role)


def _list(accounts: Accounts, chosen: argparse.Namespace) -> None:
    known = sorted(accounts.all().values(), key=lambda one: one.name.casefold())
    for one in known:
        print(f"{one.name}\t{one.role.name.lower()}\t{one.changed_at}")
    if not known:
        nobody = "nobody can sign in" if accounts.exist() else "without a provider, there is no sign-in"
        print(f"No account in {accounts.path}: {nobody}.", file=sys.stderr)


def _role(accounts: Accounts, chosen: argparse.Namespace) -> None:
    before = accounts.set_role(chosen.name, role_named(chosen.role))
    if before.role is role_named(chosen.role):
        print(f"{before.name} is {chosen.role} already: nothing was changed.")
        return
    print(f"{before.name} is {chosen.role} from now on.")
    _note("account_role", before.name, role=chosen.role, before=before.role.name.lower())


def _remove(accounts: Accounts, chosen: argparse.Namespace) -> None:
    removed = accounts.remove(chosen.name)
    print(f"{removed.name} may not sign in any more.")
    _note("account_removed", removed.name)


def _password(accounts: Accounts, chosen: argparse.Namespace) -> None:
    if accounts.get(chosen.name) is None:
        raise AccessError(f"there is no account {chosen.name!r}")
    changed = accounts.set_password(chosen.name, _asked(chosen))
    print(f"{changed.name} has another password; the sessions of before have ended.")
    _note("account_password", changed.name)


def _note(action: str, name: str, **details: str) -> None:
    from decisions.audit import note_command  # here: only a change opens the database

    note_command(action, name, **details)


def _asked(chosen: argparse.Namespace) -> str:
    if chosen.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccessError("there is nobody to ask for the password: give it by --password-stdin")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise AccessError("the two are not the same")
    return password


def _said(what: object, status: int) -> int:
    print(f"python -m access: {what}", file=sys.stderr)
    return status
