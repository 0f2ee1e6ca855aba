"""Small JSON files that are there whole or not at all."""

import json
import os
import uuid
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any) -> None:
    """Puts the file in its place at once: a reader sees the old one or the new one."""
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    unfinished.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    os.replace(unfinished, path)


def read_json(path: Path) -> Any:
    """What the file holds; None when there is no file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
