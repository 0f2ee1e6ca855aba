"""What the README shows works, and its numbers are those of the bundle."""

import contextlib
import io
import re

import pytest

from tests.repository import read


def test_the_python_example_runs(classifier) -> None:
    [block] = re.findall(r"## From Python\n+```python\n(.*?)```", read("README.md"), re.S)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, "README.md", "exec"), {})
    assert printed.getvalue().startswith("1560 0.")


def test_the_numbers_are_those_of_the_bundle(classifier) -> None:
    measured = classifier.bundle.reports["metrics"]["overall"]
    faithful = classifier.bundle.reports["faithfulness"]
    text = re.sub(r"\s+", " ", read("README.md"))
    said = {
        r"weighted F1 \*\*([\d.]+)\*\*": measured["weighted_f1"],
        r"ECE ([\d.]+)": measured["ece"],
        r"AUROC of confidence ([\d.]+)": measured["auroc_of_confidence"],
        r"planted object in ([\d.]+) of cases": faithful["picture"]["pointing_game"],
        r"of cases \(([\d.]+) by chance": faithful["picture"]["pointing_game_by_chance"],
        r"trained on costs ([\d.]+)": faithful["words"]["comprehensiveness"],
        r"random words ([\d.]+)": faithful["words"]["comprehensiveness_random"],
    }
    for pattern, value in said.items():
        [number] = re.findall(pattern, text)
        assert float(number.rstrip(".")) == pytest.approx(value, abs=0.00501), pattern


def test_what_batches_cost_is_what_was_measured() -> None:
    measured, text = read("docs/batch.md"), re.sub(r"\s+", " ", read("README.md"))
    [whole] = re.findall(r"file to file \| \d+ \| ([\d.]+) \|", measured)
    [memory] = re.findall(r"\| 1,000,000 \| \d+ \| ([\d.]+) \|", measured)
    pictures = [float(ratio) for ratio in re.findall(r"\| (?:folder|ZIP) \| \d+ \| \d+ \| ([\d.]+) \|", measured)]
    said = {
        r"the command is ([\d.]+) times as fast": float(whole),
        r"for ten thousand \(([\d.]+) times\)": float(memory),
        r"with pictures it keeps ([\d.]+) of the speed": sum(pictures) / len(pictures),
    }
    for pattern, value in said.items():
        [number] = re.findall(pattern, text)
        assert float(number) == pytest.approx(value, abs=0.0501), pattern
