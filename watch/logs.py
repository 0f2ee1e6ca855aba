"""The log: as the serving program writes it, or one JSON object for each record (``RAYON_LOG=json``).

Never in it: what a product is called or described as, names of files, passwords, tokens, query strings. Our own records
hold none of these; of an error only its kind and the places in the code are written as JSON, for its message may quote
what somebody sent, and so may a warning's; of an address that the serving program writes only what stands before the
question mark, and nothing of where a window that is refused says that it comes from.
"""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

KINDS = ("plain", "json")
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; threads that work for it have it, too."""
_FIELDS = ("route", "method", "status", "ms", "role")
"""What a record may bring beside its message: these and no others."""
_SERVING = ("uvicorn", "uvicorn.access", "uvicorn.error", "uvicorn.asgi", "websockets")
_WINDOWS = "streamlit.web.server.starlette.starlette_websocket"
"""Writes the headers of windows that it refuses."""
LEFT_OUT = "(left out)"
_LONGEST = 4_000
"""Characters of a message."""


class Formatter(JsonFormatter):
    """One line for each record; characters that could end a line or steer a terminal are escaped."""

    def __init__(self) -> None:
        super().__init__(json_ensure_ascii=True)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, _message: dict[str, Any]) -> None:
        """What a record is written as."""
        log_data["at"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["message"] = record.getMessage()[:_LONGEST]
        if request := getattr(record, "request", "") or request_id.get():
            log_data["request"] = request
        log_data |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            log_data["error"] = [_kind(error) for error in _chain(record.exc_info[1])]
            log_data["trace"] = _places(record.exc_info[2])

    def formatException(self, _exc_info: Any) -> str:
        """Nothing: see `add_fields`."""
        return ""


class WithoutQueries(logging.Filter):
    """Takes what follows the question mark out of addresses in records of the serving program."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True always."""
        if isinstance(record.args, tuple):
            record.args = tuple(_cut(value) for value in record.args)
        return True


class WithoutHeaders(logging.Filter):
    """Leaves out every text that a record is filled in with."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True always."""
        if isinstance(record.args, tuple):
            record.args = tuple(LEFT_OUT if isinstance(value, str) else value for value in record.args)
        return True


def set_up(kind: str) -> None:
    """Makes the log of this process; again, for loggers that have come since."""
    for name, kept in (*((name, WithoutQueries) for name in _SERVING), (_WINDOWS, WithoutHeaders)):
        logger = logging.getLogger(name)
        if not any(isinstance(one, kept) for one in logger.filters):
            logger.addFilter(kept())
    if kind != "json":
        return
    warnings.showwarning = _warned
    root = logging.getLogger()
    if not any(isinstance(handler.formatter, Formatter) for handler in root.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Formatter())
        root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        if name.split(".")[0] in ("streamlit", "uvicorn", "websockets", "alembic"):
            _through_root(logger)
    if (pages := sys.modules.get("streamlit.logger")) is not None:  # which gives each new logger a handler of its own
        pages.setup_formatter = _through_root
    for name in ("uvicorn.access", "httpx", "httpx2", "alembic"):  # requests have a record of their own
        logging.getLogger(name).setLevel(logging.WARNING)


def _through_root(logger: logging.Logger) -> None:
    logger.handlers.clear()
    logger.propagate = True


def _warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int,
    file: TextIO | None = None, line: str | None = None,
) -> None:  # fmt: skip
    """In place of `warnings.showwarning`: the kind and the place."""
    logging.getLogger("py.warnings").warning("%s at %s:%d", category.__name__, filename, lineno)


def _cut(value: Any) -> Any:
    return value.partition("?")[0] if isinstance(value, str) and value.startswith("/") else value


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < 10:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace, limit=-30)]
