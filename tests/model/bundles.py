"""More bundles for the tests: copies of the open one, whole and valid, that differ in little."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from model import bundle_files
from model.bundle_files import MANIFEST
from model.predictor import Predictor
from model.smoke import smoke
from settings import SHIPPED_BUNDLE

CHANGED = ("taxonomy.csv", MANIFEST)


def other_bundle(folder: Path, label: str = "Lamps", name: str = "other") -> Path:
    """The open bundle with another English label for category 2060, under the version it would be saved with.

    Files that stay as they are may be hard links: put others in their place, never write into them.
    """
    copied(folder)
    (folder / "smoke.json").unlink(missing_ok=True)  # of another version
    rewritten(folder, "taxonomy.csv", lambda data: _relabelled(data.decode(), label).encode())
    return renamed(folder, name)


def copied(folder: Path) -> Path:
    """The open bundle, hard-linked where that can be but for what tests change."""
    folder.mkdir(parents=True)
    for path in SHIPPED_BUNDLE.iterdir():
        try:
            if path.name in CHANGED:
                raise OSError
            os.link(path, folder / path.name)
        except OSError:
            shutil.copyfile(path, folder / path.name)
    return folder


def rewritten(folder: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """A file changed, its entry of the manifest with it."""
    data = change((folder / name).read_bytes())
    (folder / name).unlink()
    (folder / name).write_bytes(data)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def renamed(folder: Path, name: str) -> Path:
    """The version that `model.bundle.save_bundle` gives to these files."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"] = {file: entry for file, entry in manifest["files"].items() if (folder / file).exists()}
    digests = {file: entry["sha256"] for file, entry in manifest["files"].items()}
    manifest |= {"name": name, "version": bundle_files.version_of(name, digests)}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def with_smoke(folder: Path, classifier: Predictor, change: float = 0.0) -> Path:
    """Puts the smoke predictions of a bundle with the same weights in, one probability changed."""
    report = smoke(classifier) | {"version": version_of(folder)}
    report["products"][0]["probabilities"]["1560"] -= change
    bundle_files.add_report(folder, "smoke", report)
    return folder


def version_of(folder: Path) -> str:
    return json.loads((folder / MANIFEST).read_bytes())["version"]


def zipped(folder: Path, path: Path, top: str = "") -> Path:
    """A ZIP of a bundle, its files below ``top``."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"{top}{file.name}")
    return path


def _relabelled(taxonomy: str, label: str) -> str:
    lines = taxonomy.splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if line.startswith("2060,"))
    code, french, _, *rest = lines[place].split(",")
    lines[place] = ",".join([code, french, label, *rest])
    return "".join(lines)
