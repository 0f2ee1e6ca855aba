"""Keras' state outlives a page's script."""

import keras
import pytest

from model.serving import keep_session


def test_clearing_the_session_does_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "clear_session", keras.utils.clear_session)

    keras.backend.clear_session()
    assert keras.layers.Dense(1).name == "dense"  # cleared: names start again
    keep_session()
    keras.backend.clear_session()
    assert keras.layers.Dense(1).name == "dense_1"
