"""Starts trainings as processes of their own, by a fork from one that has imported all they need.

Reads one request a line from stdin (JSON: arguments, environment, kill, stdout, stderr), answers with one line each:
the exit status, negative for a signal. Modules are all that is there before the fork: what computes, and its threads,
begins in the trainings.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    _import_all()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _train(request)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _import_all() -> None:
    import model.__main__
    import model.evaluation.languages
    import model.evaluation.measure
    import model.smoke
    import model.tensorflow_runtime
    import model.training.assemble
    import model.training.backbone_graph
    import model.training.finetune
    import model.training.semantic
    import model.training.train  # noqa: F401


def _train(request: dict[str, Any]) -> None:
    """``python -m model``, in a process that was just made for it; does not come back."""
    status = 1
    try:
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(request["environment"])
        from model.__main__ import main
        from settings import settings

        settings.cache_clear()
        if request["kill"] is not None:
            kill_at(*request["kill"])
        status = main(request["arguments"])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def kill_at(name: str, when: str) -> None:
    """This process ends itself by SIGKILL when the stage named has been written, or while it is ("before"), or while
    its bar moves."""
    from model.training import stages

    kept, bar = stages.keep, stages.progress

    def keep(path: Path, **arrays: Any) -> None:
        if path.name == name and when == "before":
            path.with_suffix(".part.npz").write_bytes(b"half of it")
            os.kill(os.getpid(), signal.SIGKILL)
        kept(path, **arrays)
        if path.name == name:
            os.kill(os.getpid(), signal.SIGKILL)

    def progress(label: str, *rest: str) -> Any:
        def start(*items: Any, **options: Any) -> Any:
            made = bar(label, *rest)(*items, **options)
            if label == name:
                update = made.update

                def dying(n: int = 1) -> None:
                    update(n)
                    if made.n < made.total:
                        os.kill(os.getpid(), signal.SIGKILL)

                made.update = dying
            return made

        return start

    for module in [module for name, module in sys.modules.items() if name.startswith("model.training")]:
        for own, value in list(vars(module).items()):  # most have them under a name of their own
            if value is kept or value is bar:
                setattr(module, own, keep if value is kept else progress)


if __name__ == "__main__":
    main()
