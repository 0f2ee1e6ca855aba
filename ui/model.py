"""The model on a page, and all caching of it: what is made of a user's input is kept for their session alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from model.product import Explanation, Prediction, Product
from preprocessing.image import picture
from ui.language import _
from watch import classifying as watched

if TYPE_CHECKING:
    from model.classifier import Classifier


class BundleRefused(RuntimeError):
    """The page cannot do its work: the model was refused."""


def classifier_or_stop() -> Classifier:
    """The shared classifier of the active model; when it is refused, a page that says why, and the run ends there.

    A page calls this once it needs the answer of the model, and not before: the first call takes seconds, and so does
    the first after another model was activated. A run keeps the one it got until its end.
    """
    with st.spinner(_("Loading the model: about ten seconds, once per start of the server or change of model…")):
        # Imported here: TensorFlow takes seconds, and the note must be on screen first.
        from model.active import active_classifier
        from model.bundle import BundleError

        try:
            return active_classifier()
        except BundleError as error:
            refusal = str(error)
    st.error(_("**The model cannot be used, so nothing can be classified.** Tell whoever runs this server:"))
    st.code(refusal, language=None, wrap_lines=True)
    st.button(_("Try again"), key="model_retry")
    if not st.context.headers:  # no browser: the health check, which must hear that nothing can be classified
        raise BundleRefused(refusal)
    st.stop()


def predict(classifier: Classifier, product: Product) -> Prediction:
    """The prediction for one product."""
    return _predict(classifier, fingerprint(product, classifier.bundle.version), product)


def explain(classifier: Classifier, product: Product, code: int) -> Explanation:
    """Why ``code`` has the logit it has; `ImageError` for a picture that cannot be read."""
    return _explain(classifier, fingerprint(product, classifier.bundle.version), product, code)


def shown_picture(data: bytes) -> Image.Image:
    """The picture as it is shown, 640 pixels at most; `ImageError` when it cannot be read."""
    return _shown_picture(hashlib.sha256(data).hexdigest(), data)


def fingerprint(product: Product, version: str = "") -> str:
    """sha256 of everything in a product; two products differ when any field does."""
    digest = hashlib.sha256()
    for part in (version, product.designation, product.description, product.image):
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"-" if data is None else b"%d:" % len(data) + data)
    return digest.hexdigest()


@st.cache_data(scope="session", max_entries=4, show_spinner=False)
def _predict(_classifier: Classifier, key: str, _product: Product) -> Prediction:
    return watched.classify(_classifier, _product, "page")


@st.cache_data(scope="session", max_entries=8, show_spinner=False)
def _explain(_classifier: Classifier, key: str, _product: Product, code: int) -> Explanation:
    return watched.explain(_classifier, _product, code, "page")


@st.cache_data(scope="session", max_entries=2, show_spinner=False)
def _shown_picture(key: str, _data: bytes) -> Image.Image:
    return picture(_data)
