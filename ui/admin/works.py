"""What takes a while, done beside the pages: one thing at a time in this process, seen by every administrator."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from model.bundle_files import BundleError

_lock = threading.Lock()
_last: "Work | None" = None


@dataclass(slots=True)
class Work:
    """``kind``: "install" or "activate", of the model ``subject``. ``problem``: why it was not done; None when it was.

    ``began``: of `time.monotonic`. ``outcome``: what came of it where that is not the usual.
    """

    kind: str
    subject: str
    act: Callable[[], None]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    began: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)
    problem: Exception | None = None
    outcome: str = ""

    def run(self) -> None:
        """Does it, in a thread of its own."""
        try:
            self.act()
        except (BundleError, OSError) as error:
            self.problem = error
        except BaseException as error:  # the page says so, whatever it was
            self.problem = error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
            raise
        finally:
            self.ended.set()


def begin(work: Work) -> bool:
    """Sets to work; False while something else is being done."""
    global _last
    with _lock:
        if _last is not None and not _last.ended.is_set():
            return False
        _last = work
    threading.Thread(target=work.run, name=f"admin-{work.kind}", daemon=True).start()
    return True


def lose(work: Work, problem: Exception) -> None:
    """What another process had begun and did not end is told as what was done last, unless something is at work."""
    global _last
    work.problem = problem
    work.ended.set()
    with _lock:
        if _last is None or _last.ended.is_set():
            _last = work


def last() -> Work | None:
    """What is being done, else what was done last since the server started."""
    return _last
