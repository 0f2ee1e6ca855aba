"""Trainings in processes of their own."""

from collections.abc import Iterator

import pytest

from tests.model.training.runs import Trainer, launched


@pytest.fixture(scope="session")
def trainer() -> Iterator[Trainer]:
    """Runs trainings; what they import is imported once."""
    with launched() as trainer:
        yield trainer
