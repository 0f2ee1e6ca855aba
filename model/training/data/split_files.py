"""A split on disk: split.csv says for each row's id "train" or "test", split.json what it was made of."""

import csv
import hashlib
import io
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.training.data.errors import SplitError
from model.training.data.examples import Example, fingerprint

TABLE, DESCRIPTION = "split.csv", "split.json"
_PARTS = ("train", "test")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which rows are for testing, bool (n,), and where that comes from."""

    test: np.ndarray
    seed: int
    test_share: float
    data_fingerprint: str
    fingerprint: str


def write_split(folder: Path, examples: Sequence[Example], test: np.ndarray, seed: int, test_share: float) -> str:
    """Writes both files, each whole or not at all, and gives the sha256 of split.csv: the split's fingerprint."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # with its own line ends, or it would not quote an id that holds a "\r"
    writer.writerow(["id", "part"])
    writer.writerows([row.id, _PARTS[bool(out)]] for row, out in zip(examples, test, strict=True))
    table = text.getvalue().encode("utf-8", "surrogatepass")
    described = {
        "seed": seed,
        "test_share": test_share,
        "rows": len(examples),
        "test_rows": int(np.count_nonzero(test)),
        "data_fingerprint": fingerprint(examples),
        "fingerprint": hashlib.sha256(table).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / TABLE, table)
    _replace(folder / DESCRIPTION, (json.dumps(described, indent=1) + "\n").encode())
    return described["fingerprint"]


def read_split(folder: Path, examples: Sequence[Example]) -> Split:
    """The split of these very rows, in this order; SplitError when it is damaged or of other rows."""
    described, table = _description(folder), _bytes(folder, TABLE)
    if hashlib.sha256(table).hexdigest() != described["fingerprint"]:
        raise SplitError("changed", {"folder": folder})
    found = fingerprint(examples)
    if described["data_fingerprint"] != found:
        details = {"expected": described["data_fingerprint"][:10], "found": found[:10]}
        raise SplitError("other_data", {"folder": folder, **details})
    text = table.decode("utf-8", "surrogatepass")
    parts = [part for _, part in csv.reader(io.StringIO(text, newline=""))][1:]
    test = np.array([part == "test" for part in parts], bool)
    return Split(test, described["seed"], described["test_share"], found, described["fingerprint"])


def _description(folder: Path) -> dict[str, object]:
    data = _bytes(folder, DESCRIPTION)
    try:
        described = json.loads(data)
        kinds = {"seed": int, "test_share": (int, float), "data_fingerprint": str, "fingerprint": str}
        for name, kind in kinds.items():
            if not isinstance(described[name], kind):
                raise TypeError(f"{name} is {described[name]!r}")
    except (ValueError, KeyError, TypeError) as error:
        raise SplitError("damaged", {"folder": folder, "file": DESCRIPTION, "error": repr(error)}) from error
    return described


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise SplitError("missing", {"folder": folder, "file": name}) from error
    except OSError as error:
        raise SplitError("damaged", {"folder": folder, "file": name, "error": error.strerror}) from error


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
