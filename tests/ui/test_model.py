from dataclasses import replace

import pytest

from model.product import Product
from ui.model import fingerprint

PRODUCT = Product("Table basse", "En chêne", b"picture")


def test_the_same_product_has_the_same_fingerprint():
    assert fingerprint(PRODUCT, "v1") == fingerprint(Product("Table basse", "En chêne", b"picture"), "v1")


@pytest.mark.parametrize(
    "other",
    [
        replace(PRODUCT, designation="Table bassE"),
        replace(PRODUCT, description=None),
        replace(PRODUCT, description=""),
        replace(PRODUCT, image=None),
        replace(PRODUCT, image=b"picturf"),
        Product("Table basseEn", " chêne", b"picture"),
        Product("En chêne", "Table basse", b"picture"),
    ],
)
def test_another_product_has_another_fingerprint(other):
    assert fingerprint(other, "v1") != fingerprint(PRODUCT, "v1")


def test_another_model_has_another_fingerprint():
    assert fingerprint(PRODUCT, "v1") != fingerprint(PRODUCT, "v2")


def test_any_text_has_a_fingerprint():
    assert fingerprint(Product("\ud800 \0 é")) != fingerprint(Product("\0 é"))
