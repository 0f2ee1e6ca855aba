"""NLTK without the packages it loads in passing where they are installed: a process starts a second sooner."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_IN_PASSING = ("scipy", "sklearn")  # for statistics and classifiers of NLTK's that nobody here uses


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Packages that are not loaded yet cannot be: NLTK then does without, as where they are not installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _hidden(*_IN_PASSING):
    import nltk
    from nltk.corpus import stopwords
    from nltk.tokenize import RegexpTokenizer

__all__ = ["RegexpTokenizer", "nltk", "stopwords"]
