"""What is logged meanwhile, as `RAYON_LOG=json` writes it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from watch.logs import Formatter


@contextmanager
def json_lines() -> Iterator[list[str]]:
    """One text for each record, whatever its level."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, root = Kept(), logging.getLogger()
    handler.setFormatter(Formatter())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
