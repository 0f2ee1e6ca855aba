"""The files of a bundle: which may lie in its folder, and that each is the one its manifest lists. Runs nothing.

Loads without NumPy. No size that a bundle states is trusted, and no name of it is ever opened but the known ones.
"""

import csv
import hashlib
import json
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
FILES = ("taxonomy.csv", "lexical.npz", "semantic.npz", "sentencepiece.model", "image.npz", "imagenet_categories.csv")
REPORTS = ("metrics.json", "faithfulness.json", "smoke.json", "reference.json")
SEEN = "seen.npz"
"""Text keys of the rows a bundle was trained on, so that an evaluation can leave them out."""
RUNS_CODE = frozenset(
    [
        ".keras",
        ".h5",
        ".hdf5",
        ".pkl",
        ".pickle",
        ".joblib",
        ".pt",
        ".pth",
        ".ckpt",
        ".py",
        ".pyc",
        ".so",
        ".dll",
        ".dylib",
        ".pb",
        ".onnx",
        ".exe",
        ".sh",
    ]
)
"""Endings of files that could run code when they are loaded: they have no place in a bundle."""
MAX_JSON = 50_000_000
MAX_BYTES = {".json": MAX_JSON, ".csv": 10_000_000, ".model": 50_000_000, ".npz": 2**30}
"""Largest file read, in bytes, by its ending."""
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHOWN = 5


class BundleError(ValueError):
    """The bundle is refused; the message says why."""


@contextmanager
def refusing(folder: Path) -> Iterator[None]:
    """Turns what misfitting files raise into `BundleError`."""
    try:
        yield
    except BundleError:
        raise
    except (
        OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError, MemoryError,
        EOFError, BadZipFile, zlib.error, struct.error, csv.Error,
    ) as error:  # fmt: skip
        reason = error if isinstance(error, ValueError) else repr(error)[:300]
        raise BundleError(f"{folder.name}: its files do not fit each other or this program: {reason}") from error


def version_of(name: str, digests: Mapping[str, str]) -> str:
    """The version of the files with these sha256 (hex, by file): the name and ten hex digits of all `FILES`."""
    whole = hashlib.sha256(b"".join(bytes.fromhex(digests[file]) for file in FILES))
    return f"{name}-{whole.hexdigest()[:10]}"


def sha256(data: bytes) -> str:
    """In hex digits."""
    return hashlib.sha256(data).hexdigest()


def listing(contents: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """What the manifest says of each file."""
    return {file: {"sha256": sha256(data), "bytes": len(data)} for file, data in contents.items()}


def as_json(value: Any) -> bytes:
    """UTF-8; ValueError when a number is none, because no bundle with one is read."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_json(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object; or `BundleError`, which begins with ``where``."""
    try:
        value = json.loads(data, parse_constant=_no_number)
    except RecursionError as error:
        raise BundleError(f"{where} is nested too deeply to be read") from error
    except ValueError as error:
        raise BundleError(f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BundleError(f"{where} must hold a JSON object")
    return value


def read_file(folder: Path, name: str) -> bytes:
    """A plain file of the bundle, whole; `BundleError` when it is anything else or larger than `MAX_BYTES`."""
    limit = MAX_BYTES[PurePosixPath(name).suffix]
    try:
        found = (folder / name).lstat()
        if not stat.S_ISREG(found.st_mode):
            raise BundleError(f"{folder.name}: {name} is a link, a folder or a device; only plain files are read")
        if found.st_size > limit:
            raise BundleError(f"{folder.name}: {name} has {found.st_size:,} bytes; at most {limit:,} are read")
        with (folder / name).open("rb") as file:
            data = file.read(found.st_size + 1)
    except OSError as error:
        raise BundleError(f"{folder.name}: {name} is listed but cannot be read: {error}") from error
    if len(data) != found.st_size:
        raise BundleError(f"{folder.name}: {name} changes while it is read; try again")
    return data


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest alone, its files unchecked; `BundleError` when it cannot be read."""
    if not os.path.lexists(folder / MANIFEST):
        raise BundleError(f"{folder.name}: holds no {MANIFEST}, so it is not a bundle")
    manifest = parse_json(read_file(folder, MANIFEST), f"{folder.name}: {MANIFEST}")
    files, version = manifest.get("files"), manifest.get("version")
    if not isinstance(files, dict) or not isinstance(version, str):
        raise BundleError(f"{folder.name}: {MANIFEST} cannot be used: files and version are needed")
    if not _VERSION.fullmatch(version):  # it names folders
        raise BundleError(
            f"{folder.name}: {_shown([version])} is no version: letters, digits, dots and dashes, at most 100"
        )
    return manifest


def read_listed(folder: Path, manifest: Mapping[str, Any], name: str) -> bytes:
    """A file that is the one the manifest lists; `BundleError` when it is another."""
    entry = manifest["files"].get(name)
    if entry is None:
        raise BundleError(f"{folder.name}: the manifest lists no {name}")
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
        raise BundleError(f"{folder.name}: the manifest gives no sha256 for {name}")
    data = read_file(folder, name)
    if sha256(data) != entry["sha256"]:
        raise BundleError(f"{folder.name}: {name} is not the file the manifest describes (sha256 differs)")
    if entry.get("bytes", len(data)) != len(data):
        raise BundleError(f"{folder.name}: {name} is not the file the manifest describes (its size differs)")
    return data


def read_checked(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and all files, each the listed one, none besides; `BundleError` with the reason."""
    manifest = read_manifest(folder)
    listed = manifest["files"]
    if type(manifest.get("format_version")) is not int or manifest["format_version"] != FORMAT_VERSION:
        raise BundleError(
            f"{folder.name}: format {manifest.get('format_version')!r}; this program reads {FORMAT_VERSION}"
        )
    _check_day(folder, manifest.get("created", ""))
    if missing := sorted(set(FILES) - set(listed)):
        raise BundleError(f"{folder.name}: the manifest lists no {', '.join(missing)}")
    known = {*FILES, *REPORTS, SEEN}
    _refuse_strangers(folder, set(listed) - known, "unknown files in the manifest")
    _refuse_strangers(folder, _names(folder) - set(listed) - {MANIFEST}, "files that the manifest does not list")
    contents = {name: read_listed(folder, manifest, name) for name in listed}
    name = manifest.get("name")
    expected = version_of(str(name), {file: listed[file]["sha256"] for file in FILES})
    if not isinstance(name, str) or manifest["version"] != expected:
        raise BundleError(
            f"{folder.name}: the version {manifest['version']} is not that of its files, which is {_shown([expected])}"
        )
    return manifest, contents


def _check_day(folder: Path, created: object) -> None:
    """The day a model was made may be left out; what is there is a day."""
    try:
        sound = isinstance(created, str) and (not created or bool(date.fromisoformat(created)))
    except ValueError:
        sound = False
    if not sound:
        said = _shown([str(created)])
        raise BundleError(
            f"{folder.name}: {MANIFEST} cannot be used: created is {said}, and has to be a day (2026-11-23)"
        )


def add_report(folder: Path, name: str, report: dict[str, Any]) -> None:
    """Puts a report beside the model, or in the place of an older one, and lists it in the manifest."""
    file = f"{name}.json"
    if file not in REPORTS:
        raise ValueError(f"a bundle holds no report {name}")
    manifest, data = read_manifest(folder), as_json(report)
    manifest["files"] |= listing({file: data})
    for name, content in ((file, data), (MANIFEST, as_json(manifest))):
        # Beside the folder, where it is no stranger; and in its place at once, because the file may be a link's.
        part = folder.resolve().with_name(f"{folder.resolve().name}.{name}.part")
        part.write_bytes(content)
        part.replace(folder / name)


def _names(folder: Path) -> set[str]:
    """What lies in the folder; `BundleError` when that is more than plain files."""
    try:
        with os.scandir(folder) as entries:
            plain = {entry.name: entry.is_file(follow_symlinks=False) for entry in entries}
    except OSError as error:
        raise BundleError(f"{folder.name}: its folder cannot be read: {error}") from error
    if others := sorted(name for name, is_plain in plain.items() if not is_plain):
        raise BundleError(f"{folder.name}: only plain files may lie in a bundle, no links or folders: {_shown(others)}")
    return set(plain)


def _refuse_strangers(folder: Path, strangers: Iterable[str], what: str) -> None:
    names = sorted(strangers)
    if harmful := [name for name in names if PurePosixPath(name.lower()).suffix in RUNS_CODE]:
        raise BundleError(f"{folder.name}: {_shown(harmful)} could run code, and is not read")
    if names:
        raise BundleError(f"{folder.name}: {what}: {_shown(names)}")


def _shown(names: list[str]) -> str:
    """A few names, those with odd characters quoted."""
    plain = [name if re.fullmatch(r"[\w./-]{1,100}", name) else repr(name[:100]) for name in names[:_SHOWN]]
    return ", ".join(plain) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
