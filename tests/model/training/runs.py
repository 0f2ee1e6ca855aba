"""Whole trainings in processes of their own, ended by force where a test says so."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from settings import ROOT

# Ends itself by SIGKILL when the stage named has been written, or while it is ("before").
DRIVER = """
import os, signal, sys
from pathlib import Path

def main():
    name, when = sys.argv[1:3]
    from model.training import stages
    kept, bar = stages.keep, stages.progress

    def keep(path, **arrays):
        if path.name == name and when == "before":
            path.with_suffix(".part.npz").write_bytes(b"half of it")
            os.kill(os.getpid(), signal.SIGKILL)
        kept(path, **arrays)
        if path.name == name:
            os.kill(os.getpid(), signal.SIGKILL)

    def progress(label, *rest):
        def start(*items, **options):
            made = bar(label, *rest)(*items, **options)
            if label == name:
                update = made.update
                def dying(n=1):
                    update(n)
                    if made.n < made.total:
                        os.kill(os.getpid(), signal.SIGKILL)
                made.update = dying
            return made
        return start

    stages.keep, stages.progress = keep, progress
    from model.__main__ import main
    sys.exit(main(sys.argv[3:]))

if __name__ == "__main__":
    main()
"""


def train(data: Path, out: Path, work: Path, *more: str, kill: tuple[str, str] | None = None) -> str:
    """Runs ``python -m model train``; gives what it printed. With ``kill`` it must end by SIGKILL, else well."""
    arguments = ["train", "--data", str(data), "--out", str(out), "--work", str(work), *more]
    if kill is None:
        command = [sys.executable, "-m", "model", *arguments]
    else:
        driver = work.parent / "driver.py"
        driver.write_text(DRIVER)
        command = [sys.executable, str(driver), *kill, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAYON_HOME": str(work.parent / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == (0 if kill is None else -signal.SIGKILL), (done.returncode, done.stderr[-3000:])
    return done.stdout


def metrics(bundle: Path) -> dict[str, Any]:
    """The report in a bundle, but for what names the bundle."""
    found = json.loads((bundle / "metrics.json").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if name not in ("model", "created")}
