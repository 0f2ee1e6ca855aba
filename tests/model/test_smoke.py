"""A bundle answers as it did where it was made, or is refused."""

import base64
import copy
import json
from dataclasses import replace

import pytest

from model.bundle import BundleError, read_bundle
from model.classifier import Classifier
from model.predictor import Predictor
from model.product import Product
from model.smoke import TOLERANCE, add_smoke, check, smoke
from settings import SHIPPED_BUNDLE
from tests.hostile.small_bundle import small_bundle
from tests.model.samples import CLEAR, CLOCK


@pytest.fixture(scope="module")
def report(classifier):
    return smoke(classifier)


def with_report(classifier, report):
    """The same classifier with a report of smoke predictions; with none when that is None."""
    reports = {name: value for name, value in classifier.bundle.reports.items() if name != "smoke"}
    reports |= {} if report is None else {"smoke": report}
    return Predictor(replace(classifier.bundle, reports=reports), classifier.runtime)


def test_what_is_asked(classifier, report):
    products = report["products"]
    assert len(products) == 10 and report["version"] == classifier.bundle.version
    assert [one["image"] is not None for one in products] == [False] * 8 + [True] * 2
    assert products[8]["designation"] is None and products[9]["designation"]
    assert base64.b64decode(products[9]["image"]).startswith(b"\x89PNG")
    for one in products:
        assert set(one["probabilities"]) == set(map(str, classifier.taxonomy.codes))
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert len({max(one["probabilities"], key=one["probabilities"].get) for one in products}) > 5
    assert len(json.dumps(report)) < 40_000


def test_the_model_that_ships_brings_its_own_and_passes(classifier):
    assert "smoke" in classifier.bundle.reports and check(classifier)


def test_a_bundle_without_is_not_checked(classifier):
    assert not check(with_report(classifier, None))


def test_it_passes_after_json(classifier, report):
    assert check(with_report(classifier, json.loads(json.dumps(report))))


def test_whatever_was_asked_is_asked_again(classifier, report, monkeypatch):
    """Products and pictures come from the bundle, not from this program."""
    monkeypatch.setattr("model.smoke.alone", None)
    other = copy.deepcopy(report)
    first, pictured = other["products"][0], other["products"][9]
    name = next(iter(CLEAR))
    first["designation"], pictured["image"] = name, base64.b64encode(CLOCK).decode()
    with pytest.raises(BundleError, match=r"product 1,"):
        check(with_report(classifier, other))
    answer = classifier.predict([Product(name)])[0]
    first["probabilities"] = {str(c.code): c.probability for c in answer.categories}
    pictured["designation"] = name
    with pytest.raises(BundleError, match=r"product 10,"):
        check(with_report(classifier, other))


@pytest.mark.parametrize("change", [TOLERANCE * 1.2, -TOLERANCE * 1.2, 0.5, float("nan"), float("inf")])
def test_another_answer_is_refused(classifier, report, change):
    other = copy.deepcopy(report)
    other["products"][3]["probabilities"]["1281"] += change
    with pytest.raises(BundleError, match=r"does not answer as it did.*product 4, category 1281, it gives 0\.9"):
        check(with_report(classifier, other))


def test_rounding_is_not_a_difference(classifier, report):
    other = copy.deepcopy(report)
    for one in other["products"]:
        one["probabilities"] = {code: value + TOLERANCE * 0.9 for code, value in one["probabilities"].items()}
    assert check(with_report(classifier, other))


def test_a_model_that_gives_no_numbers_is_refused(classifier, report):
    class Broken:
        bias = classifier.runtime.bias
        text_batch = image_batch = 16

        def text(self, ids, weights, rows):
            return classifier.runtime.text(ids, weights, rows) * float("nan")

        picture = classifier.runtime.picture

    with pytest.raises(BundleError, match=r"product 1, .*it gives nan"):
        check(Predictor(with_report(classifier, report).bundle, Broken()))


def changed(path, value):
    """A change of the report, or of a product in it."""

    def apply(report):
        place = report
        for step in path[:-1]:
            place = place[step]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return apply


FIRST = ("products", 0)
MISFITS = {
    "no schema": (changed(["schema"], None), "not written as this program reads it"),
    "another schema": (changed(["schema"], 2), "not written as this program reads it"),
    "no version": (changed(["version"], None), "not written as this program reads it"),
    "another version": (changed(["version"], "other-0123456789"), "made by another model, other-0123456789"),
    "no products": (changed(["products"], []), "has 0 products"),
    "too many products": (changed(["products"], [{}] * 1000), "has 1000 products"),
    "products that are none": (changed(["products"], {"a": 1}), "not written as"),
    "a product that is none": (changed(FIRST, 3), "not written as"),
    "a product without text": (changed([*FIRST, "designation"], None), "designation"),
    "a text that is none": (changed([*FIRST, "description"], 3), "texts and a picture"),
    "a picture that is none": (changed([*FIRST, "image"], 3), "texts and a picture"),
    "a picture that is not base64": (changed([*FIRST, "image"], "%%%"), "not base64"),
    "a picture that is not ASCII": (changed([*FIRST, "image"], "é"), "ASCII"),
    "a picture of megabytes": (changed([*FIRST, "image"], "A" * 5_000_000), "too large"),
    "a picture that cannot be read": (changed([*FIRST, "image"], "AAAA"), "picture of product 1 cannot be read"),
    "no probabilities": (changed([*FIRST, "probabilities"], None), "probabilities"),
    "probabilities that are none": (changed([*FIRST, "probabilities"], [1.0]), "numbers by code"),
    "a probability that is none": (changed([*FIRST, "probabilities", "10"], "1"), "numbers by code"),
    "a probability that is a truth": (changed([*FIRST, "probabilities", "10"], True), "numbers by code"),
    "a category too few": (changed([*FIRST, "probabilities", "10"], None), "other categories than the taxonomy's"),
    "a category too many": (changed([*FIRST, "probabilities", "11"], 0.0), "other categories than the taxonomy's"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_report_that_does_not_fit_is_refused(classifier, report, case):
    change, reason = MISFITS[case]
    other = copy.deepcopy(report)
    change(other)
    with pytest.raises(BundleError, match=reason):
        check(with_report(classifier, other))


def test_loading_checks(classifier, report, monkeypatch):
    other = copy.deepcopy(report)
    other["products"][9]["probabilities"]["2060"] = 0.5
    monkeypatch.setattr("model.classifier.load_bundle", lambda folder: with_report(classifier, other).bundle)
    with pytest.raises(BundleError, match=r"product 10, category 2060, it gives 0\.99"):
        Classifier.load(SHIPPED_BUNDLE)


def test_it_is_added_to_a_bundle(classifier, report, tmp_path, monkeypatch):
    """In the place of an older one, and whatever that says."""
    folder = small_bundle(tmp_path / "bundle", reports={"smoke": {"schema": 0}})
    monkeypatch.setattr("model.loading.load_bundle", lambda folder: classifier.bundle)
    made = add_smoke(folder)
    assert read_bundle(folder).reports == {"smoke": made}
    assert check(with_report(classifier, made)) and made.keys() == report.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
