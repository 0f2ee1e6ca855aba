"""The one classifier of this process: that of the active bundle, shared by pages and API. Light until it is asked."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle_files import MANIFEST, read_manifest, refusing
from model.versions import active_bundle

if TYPE_CHECKING:
    from model.classifier import Classifier

_SWAPPING = threading.Lock()
"""Held from the look at which model is active until it is there: a second change waits, and so no third is loaded."""
_COLLECT_SECONDS, _COLLECTIONS = 1.0, 6


def active_classifier() -> Classifier:
    """The classifier of the bundle that is active now; `BundleError` when it is refused.

    The first call takes seconds, and so does the first after another model was activated. Whoever got one keeps it
    for as long as the request takes.
    """
    with _SWAPPING:
        folder = active_bundle()
        version = read_manifest(folder)["version"]
        with refusing(folder):
            changed = (folder / MANIFEST).stat().st_mtime_ns
        return _load(str(folder), version, changed)


def forget() -> None:
    """Lets go of the classifier: the next call loads it again."""
    _load.cache_clear()


@lru_cache(maxsize=1)
def _load(folder: str, version: str, changed: int) -> Classifier:
    """The bundle loaded; the cache lets go of the one before. ``version`` and ``changed`` tell contents apart."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow: its start-up notes are no news
    from model.classifier import Classifier
    from model.serving import keep_session

    _freeze_once()
    keep_session()  # before anything is built: runs of other pages end meanwhile, and Streamlit would clear it
    classifier = Classifier.load(Path(folder))
    classifier.warm_up()
    left = weakref.ref(classifier.bundle.network.whole)
    weakref.finalize(classifier, _collect_soon, left, _COLLECT_SECONDS, _COLLECTIONS).atexit = False
    return classifier


@cache
def _freeze_once() -> None:
    """What is loaded by now stays: Streamlit collects garbage after each run, and would look through TensorFlow's
    modules each time, which keeps keys waiting. Once, or a model of before would stay as well."""
    gc.collect()
    gc.freeze()


def _collect_soon(left: weakref.ref, seconds: float, times: int) -> None:
    """Frees what the last user of a model leaves: the network refers to itself, and Python would take its time.

    Again after twice the time where one collection does not do, because one of another thread was under way.
    """

    def collect() -> None:
        gc.collect()
        if left() is not None and times > 1:
            _collect_soon(left, 2 * seconds, times - 1)

    timer = threading.Timer(seconds, collect)
    timer.daemon = True
    timer.start()
