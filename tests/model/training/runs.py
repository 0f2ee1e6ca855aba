"""Whole trainings in processes of their own, ended by force where a test says so."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from settings import ROOT


class Trainer:
    """Runs ``python -m model train`` through a launcher, which pays once for what all trainings import."""

    def __init__(self, launcher: subprocess.Popen) -> None:
        self._launcher = launcher

    def __call__(self, data: Path, out: Path, work: Path, *more: str, kill: tuple[str, str] | None = None) -> str:
        """Gives what the training printed. With ``kill`` it must end by SIGKILL, else well."""
        request = {
            "arguments": ["train", "--data", str(data), "--out", str(out), "--work", str(work), *more],
            "environment": {"RAYON_HOME": str(work.parent / "home")},
            "kill": kill,
            **{name: str(work.parent / f"{name}.txt") for name in ("stdout", "stderr")},
        }
        print(json.dumps(request), file=self._launcher.stdin, flush=True)
        status = int(self._launcher.stdout.readline())
        wanted = 0 if kill is None else -signal.SIGKILL
        assert status == wanted, (status, Path(request["stderr"]).read_text(errors="replace")[-3000:])
        return Path(request["stdout"]).read_text(encoding="utf-8")


@contextmanager
def launched() -> Iterator[Trainer]:
    """A trainer; its launcher ends with the block."""
    command = [sys.executable, "-m", "tests.model.training.launcher"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **streams) as launcher:
        yield Trainer(launcher)
        launcher.stdin.close()


def train(data: Path, out: Path, work: Path, *more: str) -> str:
    """The very command of a user, to its end; gives what it printed."""
    command = [sys.executable, "-m", "model", "train", "--data", str(data), "--out", str(out), "--work", str(work)]
    environment = {**os.environ, "RAYON_HOME": str(work.parent / "home")}
    done = subprocess.run([*command, *more], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def metrics(bundle: Path) -> dict[str, Any]:
    """The report in a bundle, but for what names the bundle."""
    found = json.loads((bundle / "metrics.json").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if name not in ("model", "created")}
