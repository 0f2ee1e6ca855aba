"""What a model is held against: shares that add up, of rows it was not trained on."""

import json
import shutil

import numpy as np
import pytest

from model.__main__ import main
from model.bundle import BundleError, read_bundle
from model.observed import CONFIDENCE, MEASURES, UNKNOWN, WORDS, by_inputs, classes, counted_classes, observed
from model.product import Product
from model.reference import report
from preprocessing.image import ImageError
from settings import SHIPPED_BUNDLE
from tests.model.made_up import write_official
from tests.watch.answers import answer


@pytest.mark.parametrize(
    ("measure", "more", "name"),
    [
        ("words", {"words": 1}, "1"), ("words", {"words": 5}, "1"), ("words", {"words": 6}, "6"),
        ("words", {"words": 9999}, "151"), ("unknown", {"unknown": 0}, "0"),
        ("unknown", {"words": 100, "unknown": 1}, ">0"), ("unknown", {"words": 10, "unknown": 1}, "0.1"),
        ("unknown", {"words": 3, "unknown": 3}, "0.5"), ("confidence", {"confidence": 0.05}, "text:0"),
        ("confidence", {"confidence": 0.2}, "text:0.2"), ("confidence", {"confidence": 1.0}, "text:0.99"),
        ("confidence", {"confidence": 1.0, "image": True}, "text+image:0.99"),
        ("category", {"code": 10}, "10"), ("inputs", {"text": False}, "none"),
        ("inputs", {"image": True}, "text+image"),
    ],
)  # fmt: skip
def test_classes_begin_where_they_say(measure, more, name):
    assert dict(observed(answer(**more)))[measure] == name and name in counted_classes(measure, [10])


def test_what_is_of_a_text_is_counted_of_products_with_one():
    seen = dict(observed(answer(words=0, text=False, image=True)))
    assert seen == {"confidence": "image:0.9", "category": "1560", "inputs": "image"}
    assert by_inputs({"image:0.9": 3, "text:0.9": 4, "text:0": 1}) == {"image": {"0.9": 3}, "text": {"0.9": 4, "0": 1}}


def test_a_picture_that_cannot_be_read_is_no_product_without_a_text():
    problem = ImageError("not_an_image", {})
    assert observed(answer(words=0, text=False, problem=problem)) == ()
    assert dict(observed(answer(problem=problem)))["inputs"] == "text"


def test_classes_are_as_many_as_their_ends():
    assert [len(classes(m)) for m in ("words", "unknown", "confidence")] == [
        len(WORDS),
        len(UNKNOWN),
        len(CONFIDENCE),
    ]
    assert all(len(set(counted_classes(m, [10, 40]))) == len(counted_classes(m, [10, 40])) for m in MEASURES)


def test_words_that_the_model_has_not_met_are_counted(classifier):
    known, mixed, none = classifier.predict(
        [Product("canapé gris"), Product("canapé zzqxk", "wwqqz gris"), Product("", None)]
    )
    assert (known.words, known.unknown_words) == (2, 0)
    assert (mixed.words, mixed.unknown_words) == (4, 2)
    assert (none.words, none.unknown_words) == (0, 0)


def test_rows_weigh_what_they_are_given():
    found = report([answer(), answer(10)], np.array([3.0, 1.0]), [1560, 10], "c", "m", {})
    assert found["shares"]["category"] == {"1560": 0.75, "10": 0.25} and found["rows"] == 2
    assert found["effective_rows"] == pytest.approx(16 / 10)
    assert report([answer(), answer(10)], None, [1560, 10], "c", "m", {})["effective_rows"] == 2


def test_the_one_that_ships_is_of_the_rows_that_the_card_is_of():
    bundle = read_bundle(SHIPPED_BUNDLE)
    found, card = bundle.reports["reference"], bundle.reports["metrics"]
    assert found["model"] == bundle.version == card["model"]
    assert found["rows"] == card["overall"]["rows"] and found["data"]["name"] == card["data"]["name"]
    for measure in MEASURES:
        assert list(found["shares"][measure]) == counted_classes(measure, bundle.taxonomy.codes)
        assert sum(found["shares"][measure].values()) == pytest.approx(1, abs=1e-6)
    assert 100 < found["effective_rows"] < found["rows"]


def test_the_command_measures_on_other_data(tmp_path, capsys):
    bundle, data = tmp_path / "bundle", tmp_path / "data"
    shutil.copytree(SHIPPED_BUNDLE, bundle)
    write_official(data, rows=30, pictures=5, test_rows=0)
    assert main(["reference", "--bundle", str(bundle), "--data", str(data)]) == 0
    found = read_bundle(bundle).reports["reference"]
    assert found["rows"] == found["effective_rows"] == 30 and found["weighting"] is None
    assert found["shares"]["inputs"]["text+image"] > 0.5 and str(tmp_path) not in json.dumps(found)
    assert "reference of 30 rows" in capsys.readouterr().out


def test_a_model_of_other_data_needs_data(tmp_path, capsys):
    bundle = tmp_path / "bundle"
    shutil.copytree(SHIPPED_BUNDLE, bundle)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["training"]["fingerprint"] = "0" * 64
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    before = (bundle / "reference.json").read_bytes()
    assert main(["reference", "--bundle", str(bundle), "--work", str(tmp_path / "work")]) == 1
    assert "name labelled rows of its kind with --data" in capsys.readouterr().err
    assert (bundle / "reference.json").read_bytes() == before and not (tmp_path / "work").exists()
    (bundle / "reference.json").write_bytes(before + b" ")
    with pytest.raises(BundleError):
        read_bundle(bundle)
