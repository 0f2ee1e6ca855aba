"""What is looked at before the server serves: that it does not let everybody in by accident."""

import sys
from collections.abc import Sequence

from streamlit import config

from access import passwords
from access.door import door
from access.exposure import refusal, uvicorn_address
from settings import settings
from ui.sign_in.provider import check_providers, providers


def check_start(arguments: Sequence[str] = tuple(sys.argv)) -> None:
    """Ends the process with status 2 and a sentence when it must not serve."""
    try:
        problem = _problem(arguments)
    except ValueError as error:
        problem = str(error)
    if problem is not None:
        print(problem, file=sys.stderr)
        raise SystemExit(2)


def _problem(arguments: Sequence[str]) -> str | None:
    check_providers()
    door().accounts.all()
    signing_in = door().closed() or bool(providers())
    if signing_in:
        door().sessions.key()
        door().close()
        passwords.prepare()
    address = uvicorn_address(arguments) or config.get_option("server.address") or "0.0.0.0"  # nosec B104 # Streamlit's
    return refusal(address, signing_in, settings().open_to_all)
