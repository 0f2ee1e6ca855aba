"""Where a bundle's exported network is kept; made in a process of its own, so that TensorFlow stays out of this one."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from model.bundle import BundleError, read_manifest
from model.onnx_runtime import CARD
from settings import ROOT

_ABANDONED_SECONDS = 3600
EXPORT_VERSION = 1
"""Counts changes of `model.export` that make earlier exports useless."""


def export_folder(bundle: Path, home: Path) -> Path:
    """The folder of a bundle's export, made or not; `BundleError` when there is no bundle."""
    return home / "exports" / f"{read_manifest(bundle)['version']}-{EXPORT_VERSION}"


def exported(bundle: Path, home: Path) -> Path:
    """The folder of a bundle's export, made now when there is none (about half a minute, once for each bundle).

    Raises `BundleError` with what the export said when it fails.
    """
    folder = export_folder(bundle, home)
    if not (folder / CARD).exists():
        for unfinished in folder.parent.glob("*.part"):  # of a process that was killed
            if time.time() - unfinished.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(unfinished, ignore_errors=True)
        command = [sys.executable, "-m", "model", "export", "--bundle", str(bundle), "--out", str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1].removeprefix("error: ")
            raise BundleError(f"{bundle.name}: its network cannot be exported for batches: {said}")
    return folder
