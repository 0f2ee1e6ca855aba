"""The command, whole: it learns, is fitted on its part alone, goes on after a kill, and gives the same again."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.bundle import read_bundle_and_weights
from model.classifier import Classifier
from model.product import Product
from model.taxonomy import default_taxonomy
from model.training.data import read_labelled, text_key
from tests.model.made_up import write_official
from tests.model.samples import CLOCK
from tests.model.training.runs import Trainer, metrics, train

CODES = (1160, 1560, 2220, 2583)
KILLS = [
    ("duplicates.npz", "before"),
    ("texts.npz", "after"),
    ("epoch2.npz", "before"),
    ("lexical-trial-0.npz", "before"),
    ("lexical.npz", "after"),
    ("pictures", "between chunks"),
    ("picture-head.npz", "after"),
]
"""Each stage once, one after the other in the same folder."""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """160 rows of four categories, most with pictures, some without description, one picture missing."""
    folder = tmp_path_factory.mktemp("official")
    write_official(folder, rows=160, codes=CODES, pictures=0.8)
    next(iter((folder / "images" / "image_train").iterdir())).unlink()
    return folder


@pytest.fixture(scope="module")
def trained(made: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    train(made, folder / "full", folder / "work", "--no-corpus")
    return folder


@pytest.fixture(scope="module")
def bundle(trained: Path) -> Path:
    return trained / "full"


def test_it_learns(bundle: Path, made: Path, classifier) -> None:
    report = json.loads((bundle / "metrics.json").read_text(encoding="utf-8"))
    assert report["overall"]["weighted_f1"] > 0.9
    assert report["data"]["rows"] + report["data"]["left_out"]["trained_on"] == 160
    assert set(report["same_rows"]) == {"text", "image", "both"}
    assert report["same_rows"]["image"]["accuracy"] > 0.8  # the head on the picture alone
    shipped = classifier.predict([Product(image=next((made / "images" / "image_test").iterdir()).read_bytes())])
    assert shipped[0].model_version != report["model"]


def test_it_answers_and_says_why(bundle: Path, made: Path) -> None:
    found = Classifier.load(bundle)
    rows = [row for row in read_labelled(made, default_taxonomy()).examples if row.picture and row.description][:20]
    products = [Product(row.designation, row.description, Path(row.picture).read_bytes()) for row in rows]
    predictions = found.predict(products)
    assert np.mean([p.code == row.code for p, row in zip(predictions, rows, strict=True)]) > 0.9
    explanation = found.explain(products[0], predictions[0].code)
    whole = explanation.image + explanation.bias + explanation.rest + sum(word.total for word in explanation.words)
    assert whole == pytest.approx(explanation.logit, abs=1e-4)
    assert explanation.logit == pytest.approx(found.logits(products[0])[predictions[0].code], abs=1e-3)
    assert {word.field for word in explanation.words} == {"designation", "description"}
    assert any(abs(word.lexical) > 0 for word in explanation.words if word.field == "description")
    assert explanation.heatmap is not None


def test_a_picture_of_nothing_does_not_outweigh_a_clear_text(bundle: Path, made: Path) -> None:
    found = Classifier.load(bundle)
    rows = [row for row in read_labelled(made, default_taxonomy()).examples if row.description][:20]
    for grey in (0, 128, 255):
        buffer = io.BytesIO()
        Image.new("RGB", (200, 200), (grey, grey, grey)).save(buffer, "JPEG")
        answers = found.predict([Product(row.designation, row.description, buffer.getvalue()) for row in rows])
        assert np.mean([answer.code == row.code for answer, row in zip(answers, rows, strict=True)]) > 0.9


def test_no_duplicate_straddles_the_split_and_nothing_of_the_test_is_known(trained: Path, made: Path) -> None:
    [split] = (trained / "work").glob("*/split/split.csv")
    with split.open(encoding="utf-8", newline="") as file:
        parts = {row["id"]: row["part"] for row in csv.DictReader(file)}
    rows = read_labelled(made, default_taxonomy()).examples
    keys = {
        part: {text_key(r.designation, r.description) for r in rows if parts[r.id] == part}
        for part in ("train", "test")
    }
    pictures = {
        part: {Path(r.picture).read_bytes() for r in rows if r.picture and parts[r.id] == part}
        for part in ("train", "test")
    }
    assert not keys["train"] & keys["test"] and not pictures["train"] & pictures["test"]
    assert 0.05 < len(keys["test"]) / len(rows) < 0.15
    bundle = trained / "full"
    with np.load(bundle / "seen.npz") as arrays:
        assert set(arrays["keys"].tolist()) == keys["train"]
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    about = manifest["training"]
    assert about["split"]["train_rows"] == about["rows"] == sum(part == "train" for part in parts.values())
    assert about["split"]["fingerprint"] == json.loads((split.with_suffix(".json")).read_text())["fingerprint"]
    assert about["left_out"]["no_picture"] and about["left_out"]["no_description"]
    loaded, _ = read_bundle_and_weights(bundle)
    known = set(loaded.lexical.vocabulary.words)
    # A word that only test rows have is not in the vocabulary.
    of_part = {
        p: {w for r in rows if parts[r.id] == p for w in r.designation.lower().split()} for p in ("train", "test")
    }
    assert not {w for w in of_part["test"] - of_part["train"] if w.isascii() and w.isalpha()} & known


def test_killed_in_each_stage_it_goes_on_and_ends_the_same(
    made: Path, trained: Path, trainer: Trainer, tmp_path: Path
) -> None:
    for kill in KILLS:
        trainer(made, tmp_path / "full", tmp_path / "work", "--no-corpus", kill=kill)
        assert not (tmp_path / "full").exists()
    trainer(made, tmp_path / "full", tmp_path / "work", "--no-corpus")
    assert metrics(tmp_path / "full") == metrics(trained / "full")


def test_without_pictures_they_are_read_as_where_it_started(tmp_path: Path, trainer: Trainer, classifier) -> None:
    write_official(tmp_path / "data", rows=60, codes=CODES, pictures=0)
    trainer(tmp_path / "data", tmp_path / "full", tmp_path / "work", "--no-corpus", "--test-share", "0")
    found = Classifier.load(tmp_path / "full")
    clock = Product(image=CLOCK)
    assert found.predict([clock])[0].code == classifier.predict([clock])[0].code
    assert found.explain(clock, 2060).image > 1
