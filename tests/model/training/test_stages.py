"""What is kept is read again; what follows from something else has another name."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.training.stages import Stages, flat, keep, key, last_epoch, unflat


@dataclass(frozen=True)
class Made:
    number: int = 1


def test_a_stage_is_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"x": np.arange(3)}

    for _ in range(2):
        assert Stages(tmp_path).arrays("stage", make)["x"].tolist() == [0, 1, 2]
    assert made == [1]


def test_what_was_being_written_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "stage.part.npz").write_bytes(b"half")
    assert Stages(tmp_path).arrays("stage", lambda: {"x": np.ones(1)})["x"] == 1


def test_a_key_follows_from_everything() -> None:
    usual = key("f" * 64, Made(), ("settings.py",), ("numpy",), "more")
    others = [
        key("e" * 64, Made(), ("settings.py",), ("numpy",), "more"),
        key("f" * 64, Made(2), ("settings.py",), ("numpy",), "more"),
        key("f" * 64, Made(), ("server.py",), ("numpy",), "more"),
        key("f" * 64, Made(), ("settings.py",), ("keras",), "more"),
        key("f" * 64, Made(), ("settings.py",), ("numpy",), "other"),
    ]
    assert len({usual, *others}) == 6
    assert usual == key("f" * 64, Made(), ("settings.py",), ("numpy",), "more")


def test_the_last_whole_checkpoint_counts(tmp_path: Path) -> None:
    assert last_epoch(tmp_path) == 0 == last_epoch(tmp_path / "none")
    for name in ("epoch2", "epoch10"):
        keep(tmp_path / f"{name}.npz", x=np.ones(1))
    (tmp_path / "epoch11.part.npz").write_bytes(b"half")
    assert last_epoch(tmp_path) == 10


@given(st.lists(st.lists(st.integers(-5, 2**31 - 1), max_size=6), max_size=8))
def test_flat_and_back(rows: list[list[int]]) -> None:
    arrays = [np.array(row, np.int32) for row in rows]
    again = unflat(**flat(arrays))
    assert [a.tolist() for a in again] == rows


def test_flat_keeps_the_type() -> None:
    assert flat([np.array([1], np.int32)])["values"].dtype == np.int32
