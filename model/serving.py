"""One model for the life of a process."""

import keras


def keep_session() -> None:
    """Makes ``keras.backend.clear_session`` do nothing; ``keras.utils.clear_session`` still clears.

    Streamlit calls it after each run of a page's script, for pages that build layers in every run. Here one
    model is built once and shared: clearing would throw its compiled kernels away under running requests and
    collect all garbage: docs/benchmarks.md has what that costs.
    """
    keras.backend.clear_session = _nothing


def _nothing(free_memory: bool = True) -> None:
    """Takes what ``clear_session`` takes."""
