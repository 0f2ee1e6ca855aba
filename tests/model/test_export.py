"""The exported network answers as TensorFlow does, or is not used."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from model import export
from model.bundle import BundleError
from model.exported import export_folder, exported
from model.onnx_runtime import CARD, LEXICAL_TABLE, OnnxRuntime, load_predictor
from model.product import Product
from settings import SHIPPED_BUNDLE
from tests.model.samples import CLEAR, CLOCK


@pytest.fixture(scope="module")
def predictor(exports):
    return load_predictor(SHIPPED_BUNDLE, export_folder(SHIPPED_BUNDLE, exports))


def test_both_runtimes_give_the_same_predictions(classifier, predictor) -> None:
    products = [Product(d, image=CLOCK if i % 2 else None) for i, d in enumerate(CLEAR)]
    products += [Product("Lampe", "Très longue. " * 400), Product(image=CLOCK), Product(), Product(image=b"no picture")]
    for ours, theirs in zip(predictor.predict(products), classifier.predict(products), strict=True):
        assert [c.code for c in ours.categories[:3]] == [c.code for c in theirs.categories[:3]]
        assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-4)
        assert ours.model_version == theirs.model_version
        assert (ours.used_text, ours.used_image, ours.words) == (theirs.used_text, theirs.used_image, theirs.words)
        assert ours.prediction_set == theirs.prediction_set
        assert str(ours.image_problem) == str(theirs.image_problem)


def test_the_card_says_how_far_the_runtimes_differ(classifier, exports) -> None:
    folder = export_folder(SHIPPED_BUNDLE, exports)
    card = json.loads((folder / CARD).read_text())
    assert card["version"] == classifier.bundle.version
    assert 0 < card["largest_difference"] <= export.TOLERANCE == 1e-4
    # The check is a check: with other random inputs it finds about the same.
    assert 0 < export.difference(classifier, OnnxRuntime(folder), seed=1) <= export.TOLERANCE


def test_a_network_that_differs_is_not_used(classifier, exports, tmp_path: Path, monkeypatch) -> None:
    def write_wrong(_bundle, folder) -> None:
        # What writing it again would give.
        shutil.copytree(export_folder(SHIPPED_BUNDLE, exports), folder, dirs_exist_ok=True)
        table = np.load(folder / LEXICAL_TABLE)
        np.save(folder / LEXICAL_TABLE, table * np.float32(1.01))

    monkeypatch.setattr(export, "_write", write_wrong)
    monkeypatch.setattr(export.Classifier, "load", lambda folder: classifier)
    with pytest.raises(export.ExportError, match="differs from TensorFlow"):
        export.export(SHIPPED_BUNDLE, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_made_once(exports) -> None:
    folder = export_folder(SHIPPED_BUNDLE, exports)
    before = (folder / CARD).stat().st_mtime_ns
    assert exported(SHIPPED_BUNDLE, exports) == folder
    assert (folder / CARD).stat().st_mtime_ns == before


def test_a_refused_bundle_says_why(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a bundle"):
        exported(tmp_path, tmp_path)
    (tmp_path / "manifest.json").write_text('{"files": {}, "version": "empty-1", "format_version": 1}')
    with pytest.raises(BundleError, match="lists no"):
        exported(tmp_path, tmp_path)
    assert not (tmp_path / "exports" / "empty-1-1").exists()
