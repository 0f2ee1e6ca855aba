"""Whether the server is this machine's alone; only then may it be open without a word."""

import ipaddress
import os
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from urllib.parse import urlsplit

REFUSED = (
    "Rayon does not serve {address} without sign-in: whoever reaches this machine could use it. Make an account "
    "(python -m access add NAME --role administrator), or set up a provider (docs/sign-in.md); to serve without "
    "sign-in all the same, set RAYON_OPEN=1."
)
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which a proxy says that a request is somebody else's."""


def is_local(host: str | None) -> bool:
    """Whether an address, or the name in a Host header, is of this machine alone."""
    if not host:
        return False
    try:
        name = urlsplit(f"//{host}").hostname if not host.count(":") > 1 or host.startswith("[") else host
    except ValueError:
        return False
    if not name:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def uvicorn_address(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> str | None:
    """Where a process that was started as ``uvicorn`` with these arguments will listen; None for another program."""
    program = PurePath(arguments[0]) if arguments else PurePath()
    if "uvicorn" not in (program.stem, program.parent.name):
        return None
    given = _last(arguments, "--host") or environment.get("UVICORN_HOST") or "127.0.0.1"
    for option in ("--uds", "--fd"):  # whatever is behind these
        if (value := _last(arguments, option)) or (value := environment.get(f"UVICORN_{option[2:].upper()}")):
            given = f"{option[2:]}:{value}"
    return given


def refusal(address: str, sign_in: bool, open_to_all: bool) -> str | None:
    """Why the server may not listen there; None when it may."""
    if sign_in or open_to_all or is_local(address):
        return None
    return REFUSED.format(address=address)


def came_from_here(server: Sequence | None, host: str | None) -> bool:
    """Whether a request came in at an address of this machine alone, and asked for it by such a name.

    The name tells of a page elsewhere that had its own name point here, and of most proxies.
    """
    return server is not None and is_local(str(server[0])) and is_local(host)


def _last(arguments: Sequence[str], option: str) -> str | None:
    value = None
    for place, argument in enumerate(arguments[1:], 1):
        if argument == option and place + 1 < len(arguments):
            value = arguments[place + 1]
        elif argument.startswith(f"{option}="):
            value = argument.partition("=")[2]
    return value
