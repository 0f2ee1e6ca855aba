"""The command line: tokens made, listed and revoked."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from api.tokens import SCOPES, TokenError, Tokens
from decisions.audit import note_command
from decisions.database import open_database
from decisions.errors import DecisionError
from settings import settings

OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        found = settings()
    except ValueError as error:  # of the environment
        return _said(error, USAGE)
    try:
        tokens = Tokens(open_database(found.database_url))
        {"add": _add, "list": _list, "revoke": _revoke}[chosen.command](tokens, chosen)
    except (TokenError, DecisionError) as error:
        return _said(error, FAILED)
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m api",
        description="Who may use the REST interface.",
        epilog=f"exit status: {OK} done; {FAILED} failed, and why; {USAGE} wrong use",
    )
    token = parser.add_subparsers(dest="what", required=True).add_parser("token", help="tokens of client programs")
    commands = token.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a token, which is shown this once")
    add.add_argument("name", help="of the client program")
    add.add_argument("--scope", action="append", required=True, choices=SCOPES, help="what it may do; repeatable")
    add.add_argument("--days", type=int, help="after which it expires (default: never)")
    commands.add_parser("list", help="list who has one, until when, and when it was last used")
    commands.add_parser("revoke", help="end a client's token at once").add_argument("name")
    return parser


def _add(tokens: Tokens, chosen: argparse.Namespace) -> None:
    token = tokens.add(chosen.name, chosen.scope, chosen.days)
    print(token)
    note_command("token_added", chosen.name, scopes=" ".join(chosen.scope), days=chosen.days or "unlimited")
    print("It is not shown again. Clients send it as: Authorization: Bearer TOKEN", file=sys.stderr)


def _list(tokens: Tokens, _chosen: argparse.Namespace) -> None:
    line = "{:<24} {:<14} {:<8} {:<11} {:<11} {}"
    print(line.format("name", "scopes", "state", "made", "expires", "last used"))
    now = datetime.now(UTC)
    for client in tokens.all():
        scopes = ",".join(scope for scope in SCOPES if scope in client.scopes)
        expires = "never" if client.expires is None else f"{client.expires:%Y-%m-%d}"
        used = "never" if client.used is None else f"{client.used:%Y-%m-%d %H:%M}Z"
        print(line.format(client.name, scopes, client.state(now), f"{client.created:%Y-%m-%d}", expires, used))


def _revoke(tokens: Tokens, chosen: argparse.Namespace) -> None:
    tokens.revoke(chosen.name)
    note_command("token_revoked", chosen.name)
    print(f"The token of {chosen.name} is no longer taken.")


def _said(what: object, status: int) -> int:
    print(f"error: {what}", file=sys.stderr)
    return status
