"""A bundle checked in a process of its own, which ends with the one that began it."""

import os
import subprocess
import sys
from pathlib import Path

from model.bundle_files import BundleError
from model.pointer import VersionError
from settings import ROOT

_CHECK_SECONDS = 900


def check_apart(folder: Path) -> None:
    """Reads a bundle whole and answers with it, in a process of its own; `BundleError` with what that said."""
    verify = ["bundle", "verify", "--ends-with", str(os.getpid()), str(folder.absolute())]
    command = [sys.executable, "-m", "model", *verify]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=_CHECK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise VersionError("check", {"bundle": folder.name, "error": f"no end after {_CHECK_SECONDS} s"}) from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        if done.returncode == 1 and said.startswith("error: "):
            raise BundleError(said.removeprefix("error: "))
        raise VersionError("check", {"bundle": folder.name, "error": f"status {done.returncode}: {said}"})
