"""Smoke predictions: what a bundle answered where it was made, kept in it, to be found again wherever it is loaded.

A difference means that weights, code and libraries do not belong together, whatever the checksums say.
"""

import base64
import binascii
import io
from pathlib import Path
from typing import Any

from PIL import Image

from model.bundle import BundleError, add_report
from model.planted import alone
from model.predictor import Predictor
from model.product import Prediction, Product

TOLERANCE = 1e-3
"""Largest difference of a probability. Between processors and libraries, rounding makes up to 1e-4 or so."""
_SCHEMA = 1
_DIGITS = 6
_MAX_PRODUCTS = 64
_MAX_PICTURE = 4_000_000
"""Characters of base64."""
_SIDE = 128
_FIELDS = ("designation", "description")
_TEXTS = (
    ("Canapé d'angle convertible 5 places tissu gris", None),
    ("Lot de 3 cahiers 24x32 cm, 96 pages, grands carreaux", "Couverture <b>polypropylène</b>&nbsp;; papier 90 g/m²."),
    ("Inflatable pool with sand filter pump, 3.05 m x 76 cm", None),
    ("Board game for 2 to 6 players", "Ages 10 and up. Contains 1 board, 54 cards and 6 pawns."),
    ("978-2-07-036822-8", None),
    ("Figurine de collection n° 182", "Neuve, en boîte. " * 30),
    ("x", None),
    (None, "Coussin 40x40 cm, housse amovible lavable à 30 °C"),
)


def smoke(classifier: Predictor) -> dict[str, Any]:
    """Asks for a few made-up products; gives them with the probability of each category by code."""
    picture = _picture()
    products = [Product(*texts) for texts in _TEXTS]
    products += [Product(image=picture), Product("Horloge murale ronde 30 cm", image=picture)]
    answers = classifier.predict(products)
    return {
        "schema": _SCHEMA,
        "version": classifier.bundle.version,
        "products": [
            {
                "designation": product.designation,
                "description": product.description,
                "image": None if product.image is None else base64.b64encode(product.image).decode(),
                "probabilities": {str(code): round(value, _DIGITS) for code, value in _by_code(answer).items()},
            }
            for product, answer in zip(products, answers, strict=True)
        ],
    }


def add_smoke(folder: Path) -> dict[str, Any]:
    """Loads the bundle, puts its smoke predictions into it, in the place of older ones, and gives them.

    `BundleError` when the bundle is refused.
    """
    # Here, because checking needs no TensorFlow.
    from model.loading import load_bundle
    from model.tensorflow_runtime import TensorFlowRuntime

    bundle = load_bundle(folder)
    report = smoke(Predictor(bundle, TensorFlowRuntime(bundle)))
    add_report(folder, "smoke", report)
    return report


def check(classifier: Predictor) -> bool:
    """Whether the bundle brings smoke predictions; `BundleError` when it does and the classifier gives others."""
    bundle = classifier.bundle
    if "smoke" not in bundle.reports:
        return False
    where = f"{bundle.version}: smoke.json"
    report = bundle.reports["smoke"]
    products, expected = _read(report, where)
    if report["version"] != bundle.version:
        raise BundleError(f"{where} was made by another model, {str(report['version'])[:100]}")
    codes = {str(code) for code in classifier.taxonomy.codes}
    for number, (answer, probabilities) in enumerate(zip(classifier.predict(products), expected, strict=True), 1):
        if set(probabilities) != codes:
            raise BundleError(
                f"{where}: product {number} has the probabilities of other categories than the taxonomy's"
            )
        if answer.image_problem is not None:
            raise BundleError(f"{where}: the picture of product {number} cannot be read: {answer.image_problem}")
        found = _by_code(answer)
        code = max(found, key=lambda code: abs(found[code] - probabilities[str(code)]))
        if not all(abs(value - probabilities[str(code)]) <= TOLERANCE for code, value in found.items()):
            raise BundleError(
                f"{where}: the model does not answer as it did where it was made: for product {number}, category "
                f"{code}, it gives {found[code]:.4f} and not {probabilities[str(code)]:.4f}; the bundle is damaged or "
                "made for another version of this program"
            )
    return True


def _read(report: dict[str, Any], where: str) -> tuple[list[Product], list[dict[str, float]]]:
    """The products, and their probabilities by code as text."""
    given = report.get("products")
    if report.get("schema") != _SCHEMA or "version" not in report or not isinstance(given, list):
        raise BundleError(f"{where} is not written as this program reads it (schema {_SCHEMA})")
    if not 0 < len(given) <= _MAX_PRODUCTS:
        raise BundleError(f"{where} has {len(given)} products; from 1 to {_MAX_PRODUCTS} are read")
    try:
        return [_product(one) for one in given], [_probabilities(one["probabilities"]) for one in given]
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{where} is not written as this program reads it: {str(error)[:200]}") from error


def _product(given: dict[str, Any]) -> Product:
    texts, picture = [given[field] for field in _FIELDS], given["image"]
    if not all(value is None or isinstance(value, str) for value in (*texts, picture)):
        raise TypeError("a product has texts and a picture, or null")
    if picture is None:
        return Product(*texts)
    if len(picture) > _MAX_PICTURE:
        raise ValueError("a picture is too large")
    try:
        return Product(*texts, image=base64.b64decode(picture, validate=True))
    except binascii.Error as error:
        raise ValueError(f"a picture is not base64: {error}") from error


def _probabilities(given: dict[str, Any]) -> dict[str, float]:
    if not isinstance(given, dict) or not all(type(value) in (int, float) for value in given.values()):
        raise TypeError("probabilities are numbers by code")
    return given


def _by_code(answer: Prediction) -> dict[int, float]:
    return {category.code: category.probability for category in answer.categories}


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(alone("clock", _SIDE)).save(buffer, "PNG")
    return buffer.getvalue()
